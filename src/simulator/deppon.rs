//! A Deppon-shaped carrier peer (德邦): a form with a digest of letters; checks it with code of its own.
//! Source: facts/carriers-cn 10. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const COMPANY: &str = "DEMODP";
const KEY: &str = "demo-deppon-appkey";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "deppon",
    settings: &[("company_code", COMPANY)],
    secrets: &[("app_key", KEY)],
    answer: Simulator::deppon,
    push: Some(push),
};

impl Simulator {
    fn deppon(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let expected = digest(field("params"), field("timestamp"));
        if field("companyCode") != COMPANY || field("digest") != expected {
            return say("false", "摘要验证失败", Value::Null);
        }
        let params: Value = serde_json::from_str(field("params")).unwrap_or_default();
        let number = params["mailNo"].as_str().unwrap_or("");
        let timeline = self.look_up(number, asked.now, delay);
        match timeline.journey {
            Journey::Error => say("false", "系统异常", Value::Null),
            // The real one sends JSON inside of a text at times.
            _ => say("true", "", tell(number, timeline.seen.iter()).to_string().into()),
        }
    }
}

fn digest(params: &str, timestamp: &str) -> String {
    sign::base64(sign::md5_hex(format!("{params}{KEY}{timestamp}").as_bytes()).as_bytes())
}

fn say(result: &str, reason: &str, param: Value) -> Answer {
    let code = if result == "true" { "1000" } else { "9999" };
    let body = json!({"result": result, "reason": reason, "resultCode": code, "responseParam": param});
    Answer::new(200, body.to_string())
}

fn tell<'a>(number: &str, seen: impl Iterator<Item = &'a Seen>) -> Value {
    json!({"tracking_number": number, "trace_list": seen.map(scan).collect::<Vec<_>>()})
}

fn scan(seen: &Seen) -> Value {
    json!({"time": china_time(seen.time), "status": said(seen.scan.meaning), "description": seen.scan.text,
        "site": format!("{}营业部", seen.scan.city.name), "city": format!("{}市", seen.scan.city.name)})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let params = json!({"track_list": [tell(number, timeline.seen.iter().rev().take(1))]}).to_string();
    let (time, digest) = ("1772400000000", digest(&params, "1772400000000"));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("companyCode", COMPANY),
            ("params", &params),
            ("timestamp", time),
            ("digest", &digest),
        ])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "GOT",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "ARRIVAL",
            _ => "DEPARTURE",
        },
        Status::OutForDelivery => "SENT_SCAN",
        Status::ReadyForPickup => "STA_INBOUND",
        Status::Delivered => "SIGNED",
        Status::Returned => "BACK_SIGNED",
        Status::Exception if meaning.reason == Some(Reason::Refused) => "FAILED",
        Status::Exception | Status::AttemptFailed | Status::Lost => "ERROR",
        _ => "OPERATETRACK",
    }
}
