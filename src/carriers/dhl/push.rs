//! DHL's pushes: subscribed, activated by a call that the first push asks for, proved by a header of ours.
//! Source: developer.dhl.com (unified push); facts/carriers-intl 2. Must never take a push without the header.

use super::{Dhl, SPEC, Shipment, keyed};
use crate::carriers::body::CURE_SETTINGS;
use crate::carriers::{Ask, News, Push, Subscription, Told, body, plain_acknowledgement};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::{Deserialize, Serialize};

/// The header that our subscription asks DHL to send with each push.
const HOOK_HEADER: &str = "x-yishi-hook";

impl Push for Dhl {
    /// DHL sends back the token that our subscription gave it.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let token = cx.account.secret("hook_token");
        let proof = sign::matches(token.as_bytes(), request.header(HOOK_HEADER).as_bytes());
        Ok(Verified::new(request.body.clone(), proof.ok_or(Unverified::BadSignature)?))
    }

    /// A subscription is first proved with a call of ours, then live; then come the news.
    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        match pushed.scope.as_str() {
            "subscription.validate" => {
                Ok(Told { next_calls: vec![activate(cx, &pushed)?], ..Told::default() })
            }
            "subscription.push" => {
                let news = |shipment: Shipment| {
                    let number = shipment.id.clone()?.to_ascii_uppercase();
                    Some(News::of(shipment.tracked(SPEC.code, &number, cx.now)))
                };
                Ok(Told {
                    parcels: pushed.shipments.into_iter().filter_map(news).collect(),
                    ..Told::default()
                })
            }
            "subscription.ready" | "subscription.failure" => Ok(Told::default()),
            _ => Err(Refusal::Unreadable),
        }
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        plain_acknowledgement(stored, "")
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }

    fn read_follow_up(&self, cx: &Cx, answer: &Answer) -> Result<Told, Refusal> {
        body::http_status(answer, cx.now).map(|()| Told::default())
    }
}

impl Subscription for Dhl {
    fn subscribe(&self, cx: &Cx, ask: &Ask, callback: &str) -> Result<Call, Refusal> {
        let token = cx.account.secret("hook_token");
        if token.is_empty() || !callback.starts_with("http") {
            return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
        }
        let service = cx.account.setting("service", "");
        let wish = Wish {
            hook: Hook {
                uri: callback,
                authentication: Authentication { kind: "ApiKeyAuthentication", header: HOOK_HEADER, token },
            },
            format: "Default",
            kind: "Shipment",
            service: Some(service).filter(|service| !service.is_empty()),
            events: ["Pre-Transit", "Transit", "Delivered", "Failure", "Unknown"],
            shipment_ids: [&ask.number],
        };
        let body = serde_json::to_vec(&wish).map_err(|_| Refusal::Unsupported)?;
        let url = format!("{}{SUBSCRIPTIONS}", cx.account.setting("base_url", SPEC.base_url));
        Ok(keyed(cx, Call::json("dhl.subscribe", url, body)))
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        match answer.status {
            409 => Err(Refusal::AlreadyDone),
            _ => body::http_status(answer, cx.now),
        }
    }
}

const SUBSCRIPTIONS: &str = "/tracking/push/v1/subscription";

/// The address in the message is never called: only its last part is taken.
fn activate(cx: &Cx, pushed: &Pushed) -> Result<Call, Refusal> {
    let id = pushed.address.rsplit('/').next().unwrap_or("");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) || pushed.secret.is_empty() {
        return Err(Refusal::Unreadable);
    }
    let url = format!("{}{SUBSCRIPTIONS}/{id}", cx.account.setting("base_url", SPEC.base_url));
    let mut call = match cx.account.setting("activate_method", "POST") {
        "GET" => Call::get("dhl.activate", url),
        _ => Call::json("dhl.activate", url, Vec::new()),
    };
    call.headers.push(("dhl-api-hook-secret", pushed.secret.clone()));
    Ok(keyed(cx, call))
}

#[derive(Serialize)]
struct Wish<'a> {
    hook: Hook<'a>,
    format: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    events: [&'a str; 5],
    #[serde(rename = "shipmentIDs")]
    shipment_ids: [&'a str; 1],
}

#[derive(Serialize)]
struct Hook<'a> {
    uri: &'a str,
    authentication: Authentication<'a>,
}

#[derive(Serialize)]
struct Authentication<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    header: &'a str,
    token: &'a str,
}

#[derive(Deserialize)]
struct Pushed {
    scope: String,
    #[serde(default, rename = "self")]
    address: String,
    #[serde(default)]
    secret: String,
    #[serde(default, deserialize_with = "body::list")]
    shipments: Vec<Shipment>,
}
