//! UPS's pushes (Track Alert): subscribed by number, proved by a credential of ours.
//! Source: github.com/UPS-API (Track Alert); facts/carriers-intl 4. Must never take a push without the credential.

use super::token::authorized;
use super::{Activity, Address, Location, SPEC, Status3, Ups, said};
use crate::carriers::{Ask, News, Push, Subscription, Told, Tracked, body, plain_acknowledgement};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::{Deserialize, Serialize};

impl Push for Ups {
    /// The credential that the merchant chose in UPS's portal comes back in a header.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let header = cx.account.setting("hook_header", "credential").to_ascii_lowercase();
        let credential = cx.account.secret("hook_credential");
        let proof = sign::matches(credential.as_bytes(), request.header(&header).as_bytes());
        Ok(Verified::new(request.body.clone(), proof.ok_or(Unverified::BadSignature)?))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = pushed.tracking_number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let events = vec![pushed.activity().event(&number, cx.now)];
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, events))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        plain_acknowledgement(stored, "")
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Ups {
    /// The address of pushes stands in the portal. What happened before is not told, so a question goes first anyway.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        if !ask.number.starts_with("1Z") && !ask.number.starts_with("1R") {
            return Err(Refusal::Unsupported);
        }
        let wish = Wish {
            locale: cx.account.setting("locale", "en_US"),
            country_code: cx.account.setting("country", "US"),
            tracking_number_list: [&ask.number],
        };
        let body = serde_json::to_vec(&wish).map_err(|_| Refusal::Unsupported)?;
        let base = cx.account.setting("base_url", SPEC.base_url);
        let url = format!("{base}/api/track/v2/subscription/standard/package");
        authorized(cx, Call::json("ups.subscribe", url, body))
    }

    fn read_subscribed(&self, cx: &Cx, ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        said(answer, cx.now)?;
        let subscribed: Subscribed = body::json(answer, cx.now)?;
        let refused =
            subscribed.invalid_tracking_numbers.iter().any(|one| one.to_string().contains(&ask.number));
        if refused { Err(Refusal::BadNumber) } else { Ok(()) }
    }

    fn days(&self) -> Option<u16> {
        Some(14)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    locale: &'a str,
    country_code: &'a str,
    tracking_number_list: [&'a str; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscribed {
    #[serde(default, deserialize_with = "body::list")]
    invalid_tracking_numbers: Vec<serde_json::Value>,
}

/// One activity, sent by UPS itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    #[serde(default, deserialize_with = "body::loose")]
    tracking_number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    local_activity_date: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    local_activity_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    gmt_activity_date: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    gmt_activity_time: Option<String>,
    #[serde(default)]
    activity_location: Option<Address>,
    #[serde(default)]
    activity_status: Option<Status3>,
}

impl Pushed {
    fn activity(self) -> Activity {
        Activity {
            date: self.local_activity_date,
            time: self.local_activity_time,
            gmt_date: self.gmt_activity_date,
            gmt_time: self.gmt_activity_time,
            gmt_offset: None,
            location: Some(Location { address: self.activity_location }),
            status: self.activity_status,
        }
    }
}
