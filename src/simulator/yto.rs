//! A YTO-shaped carrier peer (圆通): JSON adapters under an address of the customer's own, pushes in XML; checks the
//! signature with code of its own. Source: facts/carriers-cn 4. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const CUSTOMER: &str = "DEMOYTO";
const SECRET: &str = "demo-yto-query";
const PUSH_SECRET: &str = "demo-yto-push";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "yto",
    settings: &[
        ("customer_code", CUSTOMER),
        ("query_suffix", "demo01"),
        ("subscribe_suffix", "demo02"),
        ("subscribe_client", CUSTOMER),
        ("create_suffix", "demo03"),
        ("cancel_suffix", "demo04"),
    ],
    secrets: &[
        ("query_secret", SECRET),
        ("subscribe_secret", SECRET),
        ("push_secret", PUSH_SECRET),
        ("create_secret", SECRET),
        ("cancel_secret", SECRET),
    ],
    answer: Simulator::yto,
    push: Some(push),
};

impl Simulator {
    fn yto(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let method = match asked.path {
            "/open/track_query_adapter/v1/demo01/DEMOYTO" => "track_query_adapter",
            "/open/subscribe_adapter/v1/demo02/DEMOYTO" => "subscribe_adapter",
            "/open/privacy_create_adapter/v1/demo03/DEMOYTO" => "privacy_create_adapter",
            "/open/korder_cancel_adapter/v1/demo04/DEMOYTO" => "korder_cancel_adapter",
            _ => return refuse("接口不存在"),
        };
        let body = asked.json();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
        let expected = sign::md5_base64(format!("{}{method}v1{SECRET}", text("param")).as_bytes());
        if text("sign") != expected {
            return refuse("签名错误");
        }
        let param: Value = serde_json::from_str(text("param")).unwrap_or_default();
        match method {
            "privacy_create_adapter" => return self.yto_create(&param),
            "korder_cancel_adapter" => return self.yto_cancel(&param),
            _ => {}
        }
        if method == "subscribe_adapter" {
            let inner = param["logistics_interface"].as_str().unwrap_or("");
            let inner: Value = serde_json::from_str(inner).unwrap_or_default();
            self.watch("yto", inner["waybillNo"].as_str().unwrap_or(""), "");
            return Answer::new(200, r#"{"code":"200","success":true,"message":""}"#);
        }
        let number = param["NUMBER"].as_str().unwrap_or("");
        let timeline = self.look_up(number, asked.now, delay);
        match timeline.journey {
            Journey::Error => refuse("系统异常"),
            _ if timeline.seen.is_empty() => Answer::new(
                200,
                json!({"code": "1001", "success": true, "message": "查询结果为空。", "map": {number: []}})
                    .to_string(),
            ),
            _ => {
                let scans: Vec<Value> = timeline.seen.iter().map(|seen| scan(number, seen)).collect();
                Answer::new(200, Value::from(scans).to_string())
            }
        }
    }
}

impl Simulator {
    fn yto_create(&self, order: &Value) -> Answer {
        let text = |name: &str| order[name].as_str().unwrap_or("");
        let id = text("logisticsNo");
        if id.is_empty() || text("recipientAddress").is_empty() || text("recipientProvinceName").is_empty() {
            return refuse("收件地址不能为空");
        }
        if !is_phone(text("senderMobile")) || !is_phone(text("recipientMobile")) {
            return refuse("手机号格式不正确");
        }
        match self.give("yto", id, "YT", 13) {
            (_, false) => refuse("物流单号重复"),
            (number, true) => Answer::new(
                200,
                json!({"mailNo": number, "logisticsNo": id, "shortAddress": "370-088-001"}).to_string(),
            ),
        }
    }

    fn yto_cancel(&self, order: &Value) -> Answer {
        match self.take_back("yto", order["logisticsNo"].as_str().unwrap_or("")) {
            Cancelled::Now => Answer::new(200, r#"{"code":"200","success":true,"message":""}"#),
            Cancelled::Before => refuse("订单已取消"),
            Cancelled::Unknown => refuse("订单不存在"),
        }
    }
}

fn refuse(message: &str) -> Answer {
    Answer::new(200, json!({"code": "500", "success": "false", "message": message}).to_string())
}

fn scan(number: &str, seen: &Seen) -> Value {
    json!({"waybill_No": number, "upload_Time": china_time(seen.time), "infoContent": said(seen.scan.meaning),
        "processInfo": seen.scan.text, "city": format!("{}市", seen.scan.city.name), "district": "", "weight": "1.0"})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let told = timeline.seen.last().map(|seen| {
        let (code, time) = (said(seen.scan.meaning), china_time(seen.time));
        let words = seen.scan.text.replace('&', "&amp;").replace('<', "&lt;");
        let signer = seen.scan.signed_by.unwrap_or("");
        format!(
            "<infoContent>{code}</infoContent><acceptTime>{time}</acceptTime><remark>{words}</remark>\
             <city>{}市</city><signedName>{signer}</signedName>",
            seen.scan.city.name
        )
    });
    let xml = format!(
        "<UpdateInfo><logisticProviderID>YTO</logisticProviderID><clientID>{CUSTOMER}</clientID><mailNo>{number}</mailNo>\
         <txLogisticID></txLogisticID><infoType>STATUS</infoType>{}</UpdateInfo>",
        told.unwrap_or_default()
    );
    let digest = sign::md5_base64(format!("{xml}{PUSH_SECRET}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("logistics_interface", xml.as_str()),
            ("data_digest", digest.as_str()),
            ("clientId", CUSTOMER),
            ("type", "online"),
        ])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived => "ACCEPT",
        Status::PickedUp => "GOT",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "ARRIVAL",
            Some(Sub::Redirected | Sub::HandedToPartner) => "FORWARDING",
            _ => "DEPARTURE",
        },
        Status::OutForDelivery => "SENT_SCAN",
        Status::ReadyForPickup => "INBOUND",
        Status::Delivered => "SIGNED",
        Status::Returning | Status::Returned => "TMS_RETURN",
        _ => "FAILED",
    }
}
