//! ZTO's pushes (`Traces`): one scan each, as a form or as JSON.
//! Source: open.zto.com; facts/carriers-cn 2.2. Must never take what is not signed.

use super::{CODES, Question, SPEC, Said, Zto, call, delivers, digest, meaning, place};
use crate::carriers::{Ask, News, Push, Subscription, Told, Tracked, body, china_time, refine};
use crate::model::{Event, Meaning, Raw, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

impl Push for Zto {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let secret = cx.account.secret("app_secret");
        let fields = Fields::of(&request.body).ok_or(Unverified::Malformed)?;
        let expected = digest(cx.account.setting("sign_mode", "md5"), &fields.data, secret);
        let proof = sign::matches(expected.as_bytes(), fields.data_digest.as_bytes());
        let proof = proof.filter(|_| !secret.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(fields.data.into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = pushed.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let event = pushed.event(&number, cx.now);
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, vec![event]))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let body = match stored {
            true => r#"{"status":true,"message":"成功","result":"成功","statusCode":"200"}"#,
            false => r#"{"status":false,"message":"稍后重试","result":"失败","statusCode":"500"}"#,
        };
        Reply { status: 200, content_type: "application/json; charset=utf-8", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Zto {
    /// The address of pushes stands in the console. The name of the interface is spelled so.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        call(cx, "zto.subscribe", "zto.merchant.waybill.track.subsrcibe", &Question::of(ask)?)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said<IgnoredAny>>(answer, cx.now)?.refusal()
    }
}

/// One scan of a push.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    #[serde(default, rename = "billCode", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    action: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    action_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    desc: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    facility_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    courier: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    courier_phone: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    express_signer: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    address: Option<String>,
}

impl Pushed {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.action_time.as_deref());
        let meaning = self.action.as_deref().map_or(Meaning::UNMAPPED, |code| meaning(CODES, code));
        let raw = Raw { code: self.action, status: None, description: self.desc };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = place(self.facility_name, self.city, None);
        if delivers(meaning) {
            (event.courier.name, event.courier.phone) = (self.courier, self.courier_phone);
        }
        if matches!(meaning.sub, Some(Sub::Station)) {
            event.pickup.place = self.address;
        }
        event.signed_by = self.express_signer;
        refine(event)
    }
}

/// A push comes as a form, or as an object of the same fields.
#[derive(Deserialize)]
struct Fields {
    data: String,
    data_digest: String,
}

impl Fields {
    fn of(body: &[u8]) -> Option<Self> {
        if body.trim_ascii_start().starts_with(b"{") {
            return serde_json::from_slice(body).ok();
        }
        let field = |name: &str| {
            form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        Some(Self { data: field("data")?, data_digest: field("data_digest")? })
    }
}
