//! A ZTO-shaped carrier peer (中通): checks the digest with code of its own and tells the scripts in the vendor's words.
//! Source: facts/carriers-cn 2. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, PHONE_TAIL, Pushed, Simulator, china_time};
use crate::model::{Meaning, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "demo-zto";
const SECRET: &str = "demo-zto-secret";
const ACCOUNT: &str = "KDGJ000001";
const PASSWORD: &str = "demo-zto-password";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "zto",
    settings: &[("app_key", KEY), ("account_id", ACCOUNT)],
    secrets: &[("app_secret", SECRET), ("account_password", PASSWORD)],
    answer: Simulator::zto,
    push: Some(push),
};

impl Simulator {
    fn zto(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let expected = sign::md5_base64(&[asked.body, SECRET.as_bytes()].concat());
        if asked.header("x-companyid") != KEY || asked.header("x-datadigest") != expected {
            return refuse("S211", "签名验证失败");
        }
        let question = asked.json();
        let text = |name: &str| question.get(name).and_then(Value::as_str).unwrap_or("");
        let number = text("billCode");
        match asked.path {
            "/zto.merchant.waybill.track.subsrcibe" => {
                self.watch("zto", number, "");
                Answer::new(
                    200,
                    json!({"result": null, "message": "操作成功", "statusCode": "SYS000", "status": true})
                        .to_string(),
                )
            }
            "/zto.merchant.waybill.track.query" if !text("mobilePhone").ends_with(PHONE_TAIL) => {
                refuse("E413", "请输入手机号后四位")
            }
            "/zto.merchant.waybill.track.query" => {
                let timeline = self.look_up(number, asked.now, delay);
                if timeline.journey == Journey::Error {
                    return refuse("S203", "服务不可用");
                }
                let scans: Vec<Value> = timeline.seen.iter().map(|seen| scan(number, seen)).collect();
                let body = json!({"status": true, "statusCode": "SYS000", "message": "", "result": scans});
                Answer::new(200, body.to_string())
            }
            "/zto.open.createOrder" => self.zto_create(&question),
            "/zto.open.cancelPreOrder" => match self.take_back("zto", number) {
                Cancelled::Now => succeeded(Value::Null),
                Cancelled::Before => refuse("Z102", "订单已取消"),
                Cancelled::Unknown => refuse("Z101", "订单不存在"),
            },
            _ => refuse("S207", "接口不存在"),
        }
    }

    fn zto_create(&self, order: &Value) -> Answer {
        let id = order["partnerOrderCode"].as_str().unwrap_or("");
        let account = &order["accountInfo"];
        let phone = |party: &str, name: &str| is_phone(order[party][name].as_str().unwrap_or(""));
        if account["accountId"] != ACCOUNT || account["accountPassword"] != PASSWORD {
            return refuse("E404", "未绑定电子面单账号");
        }
        if id.is_empty() || order["receiveInfo"]["receiverAddress"].as_str().unwrap_or("").is_empty() {
            return refuse("S208", "缺少参数");
        }
        if !phone("senderInfo", "senderMobile") || !phone("receiveInfo", "receiverMobile") {
            return refuse("Z103", "手机号格式错误");
        }
        match self.give("zto", id, "73", 12) {
            (_, false) => refuse("Z104", "订单号重复"),
            (number, true) => succeeded(json!({"billCode": number, "orderCode": format!("Z-{id}"),
                "siteCode": "02100", "siteName": "杭州", "bigMarkInfo": {"mark": "310-12-05", "bagAddr": "杭州"}})),
        }
    }
}

fn succeeded(result: Value) -> Answer {
    let body = json!({"status": true, "statusCode": "SYS000", "message": "操作成功", "result": result});
    Answer::new(200, body.to_string())
}

fn refuse(code: &str, message: &str) -> Answer {
    Answer::new(
        200,
        json!({"status": false, "statusCode": code, "message": message, "result": null}).to_string(),
    )
}

fn scan(number: &str, seen: &Seen) -> Value {
    let scan = &seen.scan;
    let courier = scan.courier.as_ref();
    json!({"billCode": number, "scanType": scan_type(scan.meaning), "scanDate": seen.time.as_millisecond(),
        "scanSite": {"name": format!("{}网点", scan.city.name), "city": format!("{}市", scan.city.name),
            "prov": scan.city.region},
        "signMan": scan.signed_by, "operateUser": courier.map(|courier| courier.0),
        "operateUserPhone": courier.map(|courier| courier.1.clone()), "desc": scan.text})
}

/// One scan a push: the newest.
fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let told = timeline.seen.last().map(|seen| {
        json!({"billCode": number, "action": action(seen.scan.meaning), "actionTime": china_time(seen.time),
            "desc": seen.scan.text, "facilityName": format!("{}网点", seen.scan.city.name),
            "city": format!("{}市", seen.scan.city.name),
            "courier": seen.scan.courier.as_ref().map(|courier| courier.0),
            "courierPhone": seen.scan.courier.as_ref().map(|courier| courier.1.clone()),
            "expressSigner": seen.scan.signed_by})
    });
    let data = told.unwrap_or_default().to_string();
    let digest = sign::md5_base64(format!("{data}{SECRET}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("data", data.as_str()),
            ("data_digest", digest.as_str()),
            ("msg_type", "Traces"),
            ("company_id", KEY),
        ])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn scan_type(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "收件",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "到件",
            Some(Sub::HandedToPartner) => "转单",
            _ => "发件",
        },
        Status::OutForDelivery => "派件",
        Status::ReadyForPickup => "44",
        Status::Delivered => "签收",
        Status::Returning | Status::Returned => "退件",
        _ => "问题件",
    }
}

fn action(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "GOT",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "ARRIVAL",
            _ => "DEPARTURE",
        },
        Status::OutForDelivery => "DISPATCH",
        Status::ReadyForPickup => "INBOUND",
        Status::Delivered if meaning.sub == Some(Sub::Collected) => "DEPARTURE_SIGNED",
        Status::Delivered => "SIGNED",
        Status::Returning => "RETURN_SCAN",
        Status::Returned => "RETURN_SIGNED",
        _ => "PROBLEM",
    }
}
