//! A JD-shaped carrier peer (京东物流): everything but the body stands in the query; checks the signature with code of
//! its own. Source: facts/carriers-cn 7. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "demo-jd-key";
const SECRET: &str = "demo-jd-secret";
const CUSTOMER: &str = "010K000001";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "jd",
    settings: &[("app_key", KEY), ("customer_code", CUSTOMER)],
    secrets: &[("app_secret", SECRET)],
    answer: Simulator::jd,
    push: Some(push),
};

impl Simulator {
    fn jd(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let field = |name: &str| asked.query(name).unwrap_or_default();
        let body = String::from_utf8_lossy(asked.body);
        let content = format!(
            "{SECRET}access_token{}app_key{}method{}param_json{body}timestamp{}v2.0{SECRET}",
            field("access_token"),
            field("app_key"),
            asked.path,
            field("timestamp")
        );
        let signed = field("sign") == sign::md5_hex(content.as_bytes()).to_uppercase();
        if field("app_key") != KEY || !signed || field("LOP-DN").is_empty() {
            let refused = json!({"error_response": {"code": "12", "zh_desc": "签名错误", "en_desc": "Invalid signature"}});
            return Answer::new(200, refused.to_string());
        }
        let question = asked.json()[0].clone();
        let number = question["waybillCode"].as_str().unwrap_or("");
        if question["customerCode"] != CUSTOMER {
            return say(500, "PIN与商家编码不符", Value::Null);
        }
        if asked.path == "/ecap/v1/orders/trace/subscribe" {
            self.watch("jd", number, "");
            return say(0, "成功", "订阅成功".into());
        }
        match asked.path {
            "/ecap/v1/orders/create" => return self.jd_create(&question),
            "/ecap/v1/orders/cancel" => {
                return match self.take_back("jd", number) {
                    Cancelled::Now => say(0, "成功", json!({"resultType": 0})),
                    Cancelled::Before => say(600, "订单已取消", Value::Null),
                    Cancelled::Unknown => say(601, "订单不存在", Value::Null),
                };
            }
            _ => {}
        }
        let timeline = self.look_up(number, asked.now, delay);
        match timeline.journey {
            Journey::Error => say(500, "系统异常", Value::Null),
            _ => {
                let scans: Vec<Value> = timeline.seen.iter().map(|seen| scan(number, seen)).collect();
                say(0, "成功", json!({"traceDetails": scans}))
            }
        }
    }
}

impl Simulator {
    /// A known order id is answered with the first waybill.
    fn jd_create(&self, order: &Value) -> Answer {
        let id = order["orderId"].as_str().unwrap_or("");
        let phone = |party: &str| is_phone(order[party]["mobile"].as_str().unwrap_or(""));
        if id.is_empty() || order["receiverContact"]["fullAddress"].as_str().unwrap_or("").is_empty() {
            return say(602, "收件地址为空", Value::Null);
        }
        if !phone("senderContact") || !phone("receiverContact") {
            return say(603, "手机号码错误", Value::Null);
        }
        let (number, new) = self.give("jd", id, "JDVA", 11);
        let data =
            json!({"orderCode": format!("EO{}", &number[4..]), "waybillCode": number, "presortResult": {}});
        let sub_code = if new { "0" } else { "0_0001" };
        let body = json!({"code": 0, "success": true, "msg": "成功", "subCode": sub_code, "data": data});
        Answer::new(200, body.to_string())
    }
}

fn say(code: u16, message: &str, data: Value) -> Answer {
    let body = json!({"code": code, "success": code == 0, "msg": message, "requestId": "r-1", "data": data});
    Answer::new(200, body.to_string())
}

fn scan(number: &str, seen: &Seen) -> Value {
    let (category, state) = said(seen.scan.meaning);
    let city = seen.scan.city;
    json!({"waybillCode": number, "category": category, "categoryName": "", "state": state, "operationTitle": "",
        "operationRemark": seen.scan.text, "operationTime": china_time(seen.time),
        "operateSite": format!("{}营业部", city.name), "routeProvinceName": city.region,
        "routeCityName": format!("{}市", city.name)})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let body = timeline.seen.last().map_or_else(|| json!({"waybillCode": number}), |seen| scan(number, seen));
    let json = "application/json".to_owned();
    Pushed {
        query: String::new(),
        headers: vec![("content-type", json)],
        body: body.to_string().into_bytes(),
    }
}

fn said(meaning: Meaning) -> (u16, &'static str) {
    match meaning.status {
        Status::InfoReceived => (100, "10010"),
        Status::PickedUp => (420, "200001"),
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub) => (430, "10032"),
            Some(Sub::ArrivedDestinationCity) => (430, "10033"),
            _ => (430, "10054"),
        },
        Status::OutForDelivery => (440, "11000"),
        Status::AttemptFailed => (440, "200003"),
        Status::ReadyForPickup => (440, "200051"),
        Status::Delivered => (510, "10034"),
        Status::Returning => (530, "200060"),
        Status::Returned => (530, "200033"),
        Status::Cancelled => (690, "200010"),
        Status::Exception if meaning.reason == Some(Reason::Refused) => (530, "10035"),
        _ => (403, "200032"),
    }
}
