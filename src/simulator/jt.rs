//! A J&T-shaped carrier peer (极兔): a form with one signed field, scans named in words; checks the digest with code of
//! its own. Source: facts/carriers-cn 9. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const ACCOUNT: &str = "DEMOJT";
const KEY: &str = "demo-jt-private-key";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "jt",
    settings: &[("api_account", ACCOUNT)],
    secrets: &[("private_key", KEY)],
    answer: Simulator::jt,
    push: Some(push),
};

impl Simulator {
    fn jt(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let content = form.get("bizContent").map_or("", String::as_str);
        if asked.header("apiaccount") != ACCOUNT {
            return say("145003010", Value::Null);
        }
        if asked.header("digest") != sign::md5_base64(format!("{content}{KEY}").as_bytes()) {
            return say("145003030", Value::Null);
        }
        let content: Value = serde_json::from_str(content).unwrap_or_default();
        if asked.path == "/trace/subscribe" {
            for wish in content["list"].as_array().into_iter().flatten() {
                self.watch("jt", wish["waybillCode"].as_str().unwrap_or(""), "");
            }
            return say("1", Value::Null);
        }
        let mut told = Vec::new();
        for number in content["billCodes"].as_str().unwrap_or("").split(',') {
            let timeline = self.look_up(number, asked.now, delay);
            if timeline.journey == Journey::Error {
                return say("145005000", Value::Null);
            }
            told.push(tell(number, timeline.seen.iter()));
        }
        say("1", told.into())
    }
}

fn say(code: &str, data: Value) -> Answer {
    Answer::new(
        200,
        json!({"code": code, "msg": if code == "1" { "success" } else { "" }, "data": data}).to_string(),
    )
}

fn tell<'a>(number: &str, seen: impl Iterator<Item = &'a Seen>) -> Value {
    json!({"billCode": number, "details": seen.map(scan).collect::<Vec<_>>()})
}

fn scan(seen: &Seen) -> Value {
    let city = seen.scan.city;
    let courier = seen.scan.courier.as_ref();
    json!({"scanTime": china_time(seen.time), "desc": seen.scan.text, "scanType": word(seen.scan.meaning),
        "scanNetworkName": format!("{}网点", city.name), "scanNetworkProvince": city.region,
        "scanNetworkCity": format!("{}市", city.name), "staffName": courier.map(|(name, _)| *name),
        "staffContact": courier.map(|(_, phone)| phone.clone())})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let mut content = tell(number, timeline.seen.iter().rev().take(1));
    content["txlogisticId"] = "".into();
    let content = content.to_string();
    let digest = sign::md5_base64(format!("{content}{KEY}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("bizContent", &content).finish();
    let headers = vec![
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("apiaccount", ACCOUNT.to_owned()),
        ("digest", digest),
    ];
    Pushed { query: String::new(), headers, body: body.into_bytes() }
}

fn word(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "快件揽收",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "到件扫描",
            Some(Sub::CustomsPresented | Sub::CustomsInspection) => "安检扫描",
            _ => "发件扫描",
        },
        Status::OutForDelivery => "出仓扫描",
        Status::ReadyForPickup => "代理点收入扫描",
        Status::Delivered => "快件签收",
        Status::Returning | Status::Returned => "退件扫描",
        _ => "问题件扫描",
    }
}
