//! A KDNiao-shaped aggregator peer: checks the signature with code of its own and tells the scripts in the vendor's
//! codes. Source: facts/aggregators 2. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, PHONE_TAIL, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const BUSINESS: &str = "1000001";
const KEY: &str = "demo-kdniao-key";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "kdniao",
    settings: &[("business_id", BUSINESS)],
    secrets: &[("app_key", KEY)],
    answer: Simulator::kdniao,
    push: Some(push),
};

/// The vendor's words for carriers.
const SHIPPERS: [(&str, &str); 8] = [
    ("sf", "SF"),
    ("yto", "YTO"),
    ("zto", "ZTO"),
    ("sto", "STO"),
    ("yunda", "YD"),
    ("jt", "JTSD"),
    ("jd", "JD"),
    ("deppon", "DBL"),
];

/// Numbers whose prefix names their carrier: another `ShipperCode` finds nothing.
const PREFIXES: [(&str, &str); 5] =
    [("SF", "SF"), ("YT", "YTO"), ("JT", "JTSD"), ("JD", "JD"), ("DPK", "DBL")];

impl Simulator {
    fn kdniao(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("EBusinessID") != BUSINESS || field("DataSign") != signature(field("RequestData")) {
            return refuse("非法参数");
        }
        let data: Value = serde_json::from_str(field("RequestData")).unwrap_or_default();
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or("");
        let (shipper, number) = (text("ShipperCode"), text("LogisticCode"));
        match (asked.path, field("RequestType")) {
            ("/api/dist", "1008" | "8008") => {
                self.watch("kdniao", number, "");
                Answer::new(200, json!({"EBusinessID": BUSINESS, "Success": true, "Reason": ""}).to_string())
            }
            ("/api/EOrderService", "1007") => self.kdniao_create(&data),
            ("/api/EOrderService", "1147") => match self.take_back("kdniao", text("OrderCode")) {
                Cancelled::Now => {
                    say_ordered(json!({"Success": true, "ResultCode": "100", "Reason": "成功"}))
                }
                Cancelled::Before => refuse("订单已取消"),
                Cancelled::Unknown => refuse("订单不存在"),
            },
            (_, "2002") => Answer::new(
                200,
                json!({"EBusinessID": BUSINESS, "LogisticCode": number, "Success": true, "Code": "100",
                    "Shippers": []})
                .to_string(),
            ),
            (_, "1002" | "8001") if shipper == "SF" && text("CustomerName") != PHONE_TAIL => {
                refuse("手机尾号不能为空")
            }
            (_, "1002" | "8001") => {
                let timeline = self.look_up(number, asked.now, delay);
                let foreign =
                    PREFIXES.iter().any(|(prefix, owner)| number.starts_with(prefix) && *owner != shipper);
                match timeline.journey {
                    Journey::Error => refuse("系统繁忙"),
                    _ if foreign || timeline.seen.is_empty() => refuse("暂无轨迹信息"),
                    _ => Answer::new(200, tell(shipper, number, &timeline).to_string()),
                }
            }
            _ => refuse("没有可用套餐"),
        }
    }
}

impl Simulator {
    /// A known order id is refused, with its first waybill beside the refusal.
    fn kdniao_create(&self, order: &Value) -> Answer {
        let id = order["OrderCode"].as_str().unwrap_or("");
        if id.is_empty() || order["Receiver"]["Address"].as_str().unwrap_or("").is_empty() {
            return refuse("收件人地址不能为空");
        }
        let phone = |party: &str| is_phone(order[party]["Mobile"].as_str().unwrap_or(""));
        if !phone("Sender") || !phone("Receiver") {
            return refuse("手机号格式错误");
        }
        let (number, new) = self.give("kdniao", id, "YT", 13);
        let (code, reason) = if new { ("100", "成功") } else { ("106", "该订单号已下单成功") };
        say_ordered(json!({"Success": new, "ResultCode": code, "Reason": reason, "Order": {"OrderCode": id,
            "ShipperCode": order["ShipperCode"], "LogisticCode": number, "MarkDestination": "370-088-001"}}))
    }
}

fn say_ordered(mut body: Value) -> Answer {
    body["EBusinessID"] = BUSINESS.into();
    Answer::new(200, body.to_string())
}

/// Base64 of the 32 hex letters of MD5.
fn signature(data: &str) -> String {
    sign::base64(sign::md5_hex(format!("{data}{KEY}").as_bytes()).as_bytes())
}

fn refuse(reason: &str) -> Answer {
    Answer::new(
        200,
        json!({"EBusinessID": BUSINESS, "Success": false, "Reason": reason, "Traces": []}).to_string(),
    )
}

fn tell(shipper: &str, number: &str, timeline: &Timeline) -> Value {
    let trace = |seen: &Seen| {
        json!({"AcceptTime": china_time(seen.time), "AcceptStation": seen.scan.text,
            "Location": format!("{}市", seen.scan.city.name), "Action": said(seen.scan.meaning), "Remark": ""})
    };
    let traces: Vec<Value> = timeline.seen.iter().map(trace).collect();
    let state = timeline.seen.last().map_or("0", |seen| said(seen.scan.meaning));
    let courier = timeline.seen.iter().rev().find_map(|seen| seen.scan.courier.as_ref());
    let mut body = json!({"EBusinessID": BUSINESS, "OrderCode": "", "ShipperCode": shipper, "LogisticCode": number,
        "Success": true, "Reason": "", "State": &state[..1], "StateEx": state, "Traces": traces});
    if let Some((name, phone)) = courier {
        body["DeliveryMan"] = (*name).into();
        body["DeliveryManTel"] = phone.as_str().into();
    }
    if let Some(eta) = timeline.eta {
        body["EstimatedDeliveryTime"] = china_time(eta).into();
    }
    body
}

fn push(number: &str, carrier: &str, timeline: &Timeline) -> Pushed {
    let shipper = SHIPPERS.iter().find(|(code, _)| *code == carrier).map_or(carrier, |(_, shipper)| shipper);
    let data = json!({"PushTime": "2026-03-02 12:00:00", "EBusinessID": BUSINESS, "Count": "1",
        "Data": [tell(shipper, number, timeline)]})
    .to_string();
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("RequestData", data.as_str()),
            ("RequestType", "102"),
            ("DataSign", signature(&data).as_str()),
        ])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    let sub = meaning.sub;
    match meaning.status {
        Status::InfoReceived => "10",
        Status::PickedUp => "1",
        Status::InTransit => match sub {
            Some(Sub::ArrivedDestinationCity) => "201",
            Some(Sub::ArrivedHub) => "204",
            Some(Sub::DepartedHub) => "206",
            Some(Sub::HandedToPartner) => "5",
            Some(Sub::CustomsPresented) => "601",
            Some(Sub::CustomsInspection) => "602",
            Some(Sub::CustomsReleased) => "603",
            _ => "2",
        },
        Status::OutForDelivery => "202",
        Status::AttemptFailed => "405",
        Status::ReadyForPickup => "211",
        Status::Delivered => match sub {
            Some(Sub::SignedByOther) => "304",
            Some(Sub::LockerSigned | Sub::Collected) => "311",
            Some(Sub::AfterProblem) => "302",
            _ => "301",
        },
        Status::Returning => "407",
        Status::Returned => "406",
        Status::Cancelled => "415",
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => "404",
            Some(Reason::Overdue) => "402",
            Some(Reason::Stuck) => "403",
            Some(Reason::NotCollected) => "412",
            Some(Reason::CustomsHold) => "604",
            _ => "4",
        },
        Status::Lost => "4",
        Status::Unknown | Status::Expired => "2",
    }
}
