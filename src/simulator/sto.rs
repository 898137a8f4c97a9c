//! An STO-shaped carrier peer (申通): one gateway, a form, an answer keyed by waybill; checks the digest with code of its
//! own. Source: facts/carriers-cn 3. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Map, Value, json};
use std::time::Duration;

const CODE: &str = "DEMOSTO";
const SECRET: &str = "demo-sto-secret";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "sto",
    settings: &[("app_key", CODE), ("code", CODE)],
    secrets: &[("secret", SECRET)],
    answer: Simulator::sto,
    push: Some(push),
};

impl Simulator {
    fn sto(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let expected = sign::md5_base64(format!("{}{SECRET}", field("content")).as_bytes());
        if field("from_code") != CODE || field("data_digest") != expected {
            let said = "<response><success>false</success><errorCode>S02</errorCode><errorMsg>签名验证失败</errorMsg></response>";
            return Answer::new(200, said);
        }
        let content: Value = serde_json::from_str(field("content")).unwrap_or_default();
        let list = |name: &str| content.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        if field("api_name") == "STO_TRACE_PLATFORM_SUBSCRIBE" {
            for wish in list("subscribeInfoList") {
                self.watch("sto", wish["waybillNo"].as_str().unwrap_or(""), "");
            }
            return Answer::new(200, r#"{"success":"true","errorCode":"","errorMsg":"","data":null}"#);
        }
        let mut told = Map::new();
        for number in list("waybillNoList").iter().filter_map(Value::as_str) {
            let timeline = self.look_up(number, asked.now, delay);
            if timeline.journey == Journey::Error {
                return Answer::new(200, r#"{"success":"false","errorCode":"B99","errorMsg":"系统异常"}"#);
            }
            let scans: Vec<Value> = timeline.seen.iter().map(|seen| scan(number, seen)).collect();
            told.insert(number.to_owned(), scans.into());
        }
        Answer::new(
            200,
            json!({"success": "true", "errorCode": "", "errorMsg": "", "data": told}).to_string(),
        )
    }
}

fn scan(number: &str, seen: &Seen) -> Value {
    let scan = &seen.scan;
    json!({"waybillNo": number, "opOrgName": format!("{}网点", scan.city.name),
        "opOrgCityName": format!("{}市", scan.city.name), "opOrgProvinceName": scan.city.region,
        "opTime": china_time(seen.time), "scanType": said(scan.meaning), "memo": scan.text,
        "bizEmpName": scan.courier.as_ref().map(|courier| courier.0),
        "bizEmpPhone": scan.courier.as_ref().map(|courier| courier.1.clone()), "signoffPeople": scan.signed_by})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let trace = timeline.seen.last().map(|seen| scan(number, seen)).unwrap_or_default();
    let content = json!({"waybillNo": number, "linkCode": "", "trace": trace}).to_string();
    let digest = sign::md5_base64(format!("{content}{SECRET}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("api_name", "STO_TRACE_PLATFORM_PUSH"),
            ("content", content.as_str()),
            ("data_digest", digest.as_str()),
        ])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "收件",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "到件",
            Some(Sub::HandedToPartner) => "转同行",
            _ => "发件",
        },
        Status::OutForDelivery => "派件",
        Status::ReadyForPickup => "驿站代收",
        Status::Delivered if meaning.sub == Some(Sub::Collected) => "驿站出库",
        Status::Delivered => "签收",
        Status::Returning | Status::Returned => "退回件",
        _ => "问题件",
    }
}
