//! An EMS-shaped carrier peer (邮政): a form with one sealed field, opened and sealed by code of its own.
//! Source: facts/carriers-cn 6. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::is_phone;
use super::{Asked, CarrierPeer, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::Answer;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sm4::Sm4;
use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use std::time::Duration;

const CUSTOMER: &str = "1100000000001";
const AUTHORIZATION: &str = "demo-ems-authorization";
const KEY: [u8; 16] = *b"demo-ems-sm4-key";
const KEY_TEXT: &str = "ZGVtby1lbXMtc200LWtleQ==";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "ems",
    settings: &[("sender_no", CUSTOMER)],
    secrets: &[("authorization", AUTHORIZATION), ("sign_key", KEY_TEXT)],
    answer: Simulator::ems,
    push: Some(push),
};

impl Simulator {
    fn ems(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("senderNo") != CUSTOMER || field("authorization") != AUTHORIZATION {
            return say("10001", "授权信息错误", Value::Null);
        }
        let Some(question) = opened(field("logitcsInterface")) else {
            return say("10002", "解密失败", Value::Null);
        };
        if field("apiCode") == "020003" {
            return self.ems_create(&question[0]);
        }
        if field("apiCode") != "040001" {
            return say("10003", "接口未开通", Value::Null);
        }
        let number = question["waybillNo"].as_str().unwrap_or("");
        let timeline = self.look_up(number, asked.now, delay);
        match timeline.journey {
            Journey::Error => say("50000", "系统异常", Value::Null),
            _ => {
                let items: Vec<Value> = timeline.seen.iter().map(|seen| scan(number, seen)).collect();
                // The real one sends JSON inside of a text.
                say("00000", "成功", json!({"responseItems": items}).to_string().into())
            }
        }
    }
}

impl Simulator {
    fn ems_create(&self, order: &Value) -> Answer {
        let id = order["logisticsOrderNo"].as_str().unwrap_or("");
        let phone = |party: &str| is_phone(order[party]["mobile"].as_str().unwrap_or(""));
        if id.is_empty() || order["receiver"]["address"].as_str().unwrap_or("").is_empty() {
            return say("20001", "收件人地址不能为空", Value::Null);
        }
        if !phone("sender") || !phone("receiver") {
            return say("20002", "手机号格式错误", Value::Null);
        }
        match self.give("ems", id, "11", 11) {
            (_, false) => say("20003", "物流订单号重复", Value::Null),
            (number, true) => {
                let body = json!({"logisticsOrderNo": id, "waybillNo": number}).to_string();
                say("00000", "成功", body.into())
            }
        }
    }
}

fn say(code: &str, message: &str, body: Value) -> Answer {
    Answer::new(200, json!({"retCode": code, "retMsg": message, "retBody": body}).to_string())
}

/// The JSON of a sealed field; none where it was not sealed with the key, or does not end with the key's text.
fn opened(sealed: &str) -> Option<Value> {
    let bytes = STANDARD.decode(sealed.strip_prefix("|$4|")?).ok()?;
    let cipher = Sm4::new(&KEY.into());
    let mut plain = Vec::with_capacity(bytes.len());
    for chunk in bytes.chunks(16) {
        let block: [u8; 16] = chunk.try_into().ok()?;
        let mut block = block.into();
        cipher.decrypt_block(&mut block);
        plain.extend_from_slice(&block);
    }
    let pad = usize::from(*plain.last()?);
    plain.truncate(plain.len().checked_sub(pad)?);
    let text = String::from_utf8(plain).ok()?;
    serde_json::from_str(text.strip_suffix(KEY_TEXT)?).ok()
}

fn sealed(json: &str) -> String {
    let mut plain = format!("{json}{KEY_TEXT}").into_bytes();
    let pad = 16 - plain.len() % 16;
    plain.extend(std::iter::repeat_n(pad as u8, pad));
    let cipher = Sm4::new(&KEY.into());
    let mut out = Vec::with_capacity(plain.len());
    for chunk in plain.chunks(16) {
        let Ok(block) = <[u8; 16]>::try_from(chunk) else { continue };
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    format!("|$4|{}", STANDARD.encode(out))
}

fn scan(number: &str, seen: &Seen) -> Value {
    let city = seen.scan.city;
    json!({"waybillNo": number, "opTime": china_time(seen.time), "opCode": said(seen.scan.meaning), "opName": "",
        "opDesc": seen.scan.text, "opOrgName": format!("{}邮区中心", city.name), "opOrgProvName": city.region,
        "opOrgCity": format!("{}市", city.name), "operatorNo": "",
        "operatorName": seen.scan.courier.as_ref().map(|(name, _)| *name)})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let told = timeline.seen.last().map_or(Value::Null, |seen| scan(number, seen));
    let body = json!({"logitcsInterface": sealed(&told.to_string()), "method": "040002", "msgType": "0",
        "senderNo": CUSTOMER, "serialNo": format!("s-{number}"), "timeStamp": "", "version": "v1.0.0"});
    let json = "application/json".to_owned();
    Pushed {
        query: String::new(),
        headers: vec![("content-type", json)],
        body: body.to_string().into_bytes(),
    }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived | Status::PickedUp => "203",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub) => "954",
            Some(Sub::ArrivedDestinationCity) => "461",
            Some(Sub::Redirected | Sub::HandedToPartner) => "756",
            Some(Sub::CustomsPresented | Sub::CustomsInspection) => "EDB",
            Some(Sub::CustomsReleased) => "EDC",
            _ => "305",
        },
        Status::OutForDelivery => "702",
        Status::AttemptFailed => "705",
        Status::ReadyForPickup => "747",
        Status::Delivered => "704",
        Status::Returning => "708",
        Status::Returned => "711",
        Status::Lost => "987",
        Status::Cancelled => "801",
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => "O_012",
            Some(Reason::CustomsHold) => "EME",
            _ => "751",
        },
        Status::Unknown | Status::Expired => "305",
    }
}
