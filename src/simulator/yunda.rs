//! A Yunda-shaped carrier peer (韵达): JSON with the signature in a header; checks it with code of its own.
//! Source: facts/carriers-cn 5. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "DEMOYD";
const SECRET: &str = "demo-yunda-secret";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "yunda",
    settings: &[("app_key", KEY)],
    secrets: &[("app_secret", SECRET)],
    answer: Simulator::yunda,
    push: Some(push),
};

impl Simulator {
    fn yunda(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let text = String::from_utf8_lossy(asked.body);
        let expected = sign::md5_hex(format!("{text}_{SECRET}").as_bytes());
        if asked.header("app-key") != KEY || asked.header("sign") != expected {
            return refuse("签名错误");
        }
        let body = asked.json();
        if asked.path == "/openapi/outer/logictis/subscribe" {
            for order in body["orders"].as_array().into_iter().flatten() {
                self.watch("yunda", order["mailno"].as_str().unwrap_or(""), "");
            }
            return Answer::new(200, json!({"result": true, "code": "0000", "message": ""}).to_string());
        }
        let number = body["mailno"].as_str().unwrap_or("");
        let timeline = self.look_up(number, asked.now, delay);
        if timeline.journey == Journey::Error {
            return refuse("系统异常");
        }
        let steps: Vec<Value> = timeline.seen.iter().map(step).collect();
        let whole = timeline.seen.last().map(|seen| match seen.scan.meaning.status {
            Status::InfoReceived | Status::PickedUp => "GOT",
            Status::Delivered => "SIGNED",
            Status::Returning | Status::Returned => "RETURN",
            _ => "TRANSIT",
        });
        let data = json!({"mailno": number, "result": !steps.is_empty(), "status": whole, "steps": steps});
        Answer::new(200, json!({"result": true, "code": "0000", "message": "", "data": data}).to_string())
    }
}

fn refuse(message: &str) -> Answer {
    Answer::new(200, json!({"result": false, "code": "500", "message": message}).to_string())
}

fn step(seen: &Seen) -> Value {
    let phone = seen.scan.courier.as_ref().map(|(_, phone)| phone.clone());
    json!({"time": china_time(seen.time), "station": 100_001, "station_name": format!("{}网点", seen.scan.city.name),
        "station_type": 2, "action": said(seen.scan.meaning), "description": seen.scan.text, "phone": phone,
        "signer": seen.scan.signed_by, "city": format!("{}市", seen.scan.city.name)})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let mut data = timeline.seen.last().map_or_else(|| json!({}), step);
    data["mailno"] = number.into();
    let data = data.to_string();
    let signature = sign::md5_hex(format!("{data}_{SECRET}").as_bytes());
    let body = json!({"data": data, "appKey": KEY, "sign": signature}).to_string();
    let json = "application/json".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", json)], body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived => "ACCEPT",
        Status::PickedUp => "GOT",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "ARRIVAL",
            Some(Sub::HandedToPartner | Sub::Redirected) => "TRANSFER",
            Some(Sub::CustomsPresented | Sub::CustomsInspection) => "CLEARANCE_START",
            Some(Sub::CustomsReleased) => "CLEARANCE_FINISH",
            _ => "DEPARTURE",
        },
        Status::OutForDelivery => "SENT",
        Status::AttemptFailed => "SIGNFAIL",
        Status::ReadyForPickup => "INBOUND",
        Status::Delivered => "SIGNED",
        Status::Returning | Status::Returned => "RETURN",
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => "REJECTION",
            Some(Reason::CustomsHold) => "CLEARANCE_FAIL",
            _ => "ISSUE",
        },
        Status::Lost | Status::Cancelled => "ISSUE",
        Status::Unknown | Status::Expired => "OTHER",
    }
}
