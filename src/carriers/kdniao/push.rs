//! KDNiao's pushes (101, 102): many parcels in one.
//! Source: kdniao.com (8008 and 1008, push 101 and 102); facts/aggregators 2. Must never take what is not signed with the
//! account's key.

use super::{KdNiao, Question, Said, call, data_sign};
use crate::carriers::{Ask, News, Push, Subscription, Told, Watch, body, names};
use crate::model::when::CHINA;
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::{Deserialize, Serialize};

impl Push for KdNiao {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("app_key");
        let (data, signed) = fields(&request.body).ok_or(Unverified::Malformed)?;
        let expected = data_sign(&data, key);
        let proof = sign::matches(expected.as_bytes(), signed.as_bytes());
        let proof = proof.filter(|_| !key.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(data.into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let mut parcels = Vec::new();
        for said in pushed.data.ok_or(Refusal::Unreadable)? {
            let (Some(number), Some(carrier)) =
                (said.number.clone(), said.shipper.as_deref().and_then(names::by_kdniao))
            else {
                continue;
            };
            // "Three days without a trace", "seven days without change": it must be subscribed again.
            let gave_up =
                !said.success() && said.reason.as_deref().is_some_and(|reason| reason.contains("天"));
            let watch = if gave_up { Watch::Lapsed } else { Watch::On };
            let tracked = said.tracked(carrier.code, &number.to_ascii_uppercase(), cx.now);
            parcels.push(News { watch, ..News::of(tracked) });
        }
        Ok(Told { parcels, ..Told::default() })
    }

    fn acknowledge(&self, cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let time = CHINA.to_datetime(cx.now).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let reason = if stored { "" } else { "busy" };
        let said = Acknowledged {
            business_id: cx.account.setting("business_id", ""),
            update_time: &time,
            success: stored,
            reason,
        };
        let body = serde_json::to_vec(&said).unwrap_or_default();
        Reply { status: 200, content_type: "application/json; charset=utf-8", body }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for KdNiao {
    /// The address of pushes stands in the vendor's console; the callback is not sent.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let request_type = cx.account.setting("subscribe_type", "8008");
        call(cx, "kdniao.subscribe", "/api/dist", request_type, &Question::of(ask)?)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        match said.success() {
            true => Ok(()),
            false if said.reason.as_deref().is_some_and(|reason| reason.contains("重复")) => {
                Err(Refusal::AlreadyDone)
            }
            false => Err(said.refusal().err().unwrap_or(Refusal::Retry { after: None })),
        }
    }
}

/// `RequestData` and `DataSign` of a push; some senders encode them twice.
fn fields(body: &[u8]) -> Option<(String, String)> {
    let field = |name: &str| {
        form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let (mut data, mut signed) = (field("RequestData")?, field("DataSign")?);
    let again = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(key, _)| key.into_owned());
    if !data.trim_start().starts_with('{') {
        data = again(&data)?;
    }
    if signed.ends_with("%3D") {
        signed = again(&signed)?;
    }
    Some((data, signed))
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    #[serde(rename = "EBusinessID")]
    business_id: &'a str,
    #[serde(rename = "UpdateTime")]
    update_time: &'a str,
    #[serde(rename = "Success")]
    success: bool,
    #[serde(rename = "Reason")]
    reason: &'a str,
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(default, rename = "Data")]
    data: Option<Vec<Said>>,
}
