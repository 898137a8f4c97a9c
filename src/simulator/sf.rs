//! An SF-shaped carrier peer (顺丰丰桥): one gateway, one service, the result as JSON inside a string.
//! Source: facts/carriers-cn 1. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, PHONE_TAIL, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const PARTNER: &str = "DEMOPARTNER";
const CHECKWORD: &str = "demo-sf-checkword-00000000000001";
const TOKEN: &str = "demo-sf-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "sf",
    settings: &[("partner_id", PARTNER)],
    secrets: &[("checkword", CHECKWORD)],
    answer: Simulator::sf,
    push: Some(push),
};

impl Simulator {
    fn sf(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        match asked.path {
            "/std/service" => self.sf_service(asked, delay),
            "/oauth2/accessToken" => grant(asked),
            _ => Answer::new(404, ""),
        }
    }

    /// `POST /std/service`
    fn sf_service(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("partnerID") != PARTNER {
            return gateway("A1004", "无对应服务权限", None);
        }
        if field("requestID").is_empty() || field("timestamp").is_empty() {
            return gateway("A1001", "必传参数不可为空", None);
        }
        let signed = [field("msgData"), field("timestamp"), CHECKWORD].concat();
        let expected = sign::md5_base64(sign::form_encode(&signed).as_bytes());
        match form.get("accessToken") {
            Some(token) if token == TOKEN => {}
            Some(_) => return gateway("A1011", "OAuth2认证失败", None),
            None if sign::matches(expected.as_bytes(), field("msgDigest").as_bytes()).is_some() => {}
            None => return gateway("A1006", "数字签名无效", None),
        }
        let Ok(question) = serde_json::from_str::<Value>(field("msgData")) else {
            return business("S0001", "非法的JSON格式");
        };
        match field("serviceCode") {
            "EXP_RECE_SEARCH_ROUTES" => self.sf_routes(&question, asked, delay),
            "EXP_RECE_CREATE_ORDER" => self.sf_create(&question),
            "EXP_RECE_SEARCH_ORDER_RESP" => self.sf_find(&question),
            "EXP_RECE_UPDATE_ORDER" if question["dealType"] == 2 => self.sf_cancel(&question),
            _ => gateway("A1004", "无对应服务权限", None),
        }
    }

    fn sf_create(&self, order: &Value) -> Answer {
        let id = order["orderId"].as_str().unwrap_or("");
        let contacts = order["contactInfoList"].as_array().map_or(0, Vec::len);
        let phones = order["contactInfoList"].as_array().into_iter().flatten();
        let mut phones = phones.map(|contact| contact["mobile"].as_str().unwrap_or(""));
        if id.is_empty() || contacts != 2 || order["cargoDetails"][0]["name"].is_null() {
            return business("S0002", "必填字段为空");
        }
        if !phones.all(is_phone) {
            return business("8196", "手机号码不符合规则");
        }
        match self.give("sf", id, "SF", 13) {
            (_, false) => business("8016", "重复下单"),
            (number, true) => succeeded(ordered(id, &number)),
        }
    }

    fn sf_find(&self, question: &Value) -> Answer {
        let id = question["orderId"].as_str().unwrap_or("");
        match self.given("sf", id) {
            Some(number) => succeeded(ordered(id, &number)),
            None => business("8018", "未获取到订单信息"),
        }
    }

    fn sf_cancel(&self, order: &Value) -> Answer {
        let id = order["orderId"].as_str().unwrap_or("");
        match self.take_back("sf", id) {
            Cancelled::Now => succeeded(json!({"orderId": id, "resStatus": 2})),
            Cancelled::Before => business("8037", "已消单"),
            Cancelled::Unknown => business("8024", "未下单"),
        }
    }

    fn sf_routes(&self, question: &Value, asked: &Asked, delay: &mut Duration) -> Answer {
        let numbers: Vec<&str> = question
            .get("trackingNumber")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        match numbers.len() {
            0 => return business("8013", "未传入运单号"),
            1..=10 => {}
            _ => return business("8003", "查询单号超过最大限制"),
        }
        let mut tails = question.get("checkPhoneNo").and_then(Value::as_str).unwrap_or("").split(',');
        let mut told = Vec::new();
        for number in numbers {
            let timeline = self.look_up(number, asked.now, delay);
            if timeline.journey == Journey::Error {
                return gateway("A1099", "系统异常", None);
            }
            // A wrong tail is no error here: it finds nothing.
            let proved = tails.next().unwrap_or("") == PHONE_TAIL;
            let routes = if proved { routes(&self.scramble(number, &timeline)) } else { Vec::new() };
            told.push(json!({"mailNo": number, "routes": routes}));
        }
        succeeded(json!({"routeResps": told}))
    }
}

/// The newest ten routes, as SF pushes them: signed by nobody.
fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let seen: Vec<&Seen> = timeline.seen.iter().rev().take(10).collect();
    let mut told = routes(&seen);
    for (at, route) in told.iter_mut().enumerate() {
        route["id"] = format!("{number}-{at}").into();
        route["mailno"] = number.into();
        route["orderid"] = "".into();
    }
    let body = json!({"Body": {"WaybillRoute": told}}).to_string().into_bytes();
    let json = "application/json;charset=UTF-8".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", json)], body }
}

fn gateway(code: &str, message: &str, result: Option<Value>) -> Answer {
    let result = result.map(|value| value.to_string());
    let body = json!({"apiResponseID": "00018f00000000000000000000000001", "apiResultCode": code,
        "apiErrorMsg": message, "apiResultData": result});
    Answer::new(200, body.to_string())
}

fn succeeded(data: Value) -> Answer {
    let result = json!({"success": true, "errorCode": "S0000", "errorMsg": null, "msgData": data});
    gateway("A1000", "", Some(result))
}

fn ordered(id: &str, number: &str) -> Value {
    json!({"orderId": id, "originCode": "755", "destCode": "571", "filterResult": 2,
        "waybillNoInfoList": [{"waybillType": 1, "waybillNo": number}]})
}

/// `POST /oauth2/accessToken`
fn grant(asked: &Asked) -> Answer {
    let form = asked.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("partnerID") != PARTNER || field("secret") != CHECKWORD || field("grantType") != "password" {
        return gateway("A1011", "OAuth2认证失败", None);
    }
    let granted = json!({"apiResultCode": "A1000", "accessToken": TOKEN, "expiresIn": 7200});
    Answer::new(200, granted.to_string())
}

fn business(code: &str, message: &str) -> Answer {
    gateway(
        "A1000",
        "",
        Some(json!({"success": false, "errorCode": code, "errorMsg": message, "msgData": null})),
    )
}

fn routes(seen: &[&Seen]) -> Vec<Value> {
    seen.iter()
        // SF has no scan before it has the parcel.
        .filter(|seen| seen.scan.meaning.status != Status::InfoReceived)
        .map(|seen| {
            let (op_code, _) = said(seen.scan.meaning);
            let (first, name) = first_status(seen.scan.meaning.status);
            json!({"acceptTime": china_time(seen.time), "acceptAddress": format!("{}市", seen.scan.city.name),
                "remark": seen.scan.text, "opCode": op_code, "firstStatusCode": first, "firstStatusName": name,
                "secondaryStatusCode": "", "secondaryStatusName": ""})
        })
        .collect()
}

fn first_status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::PickedUp => ("1", "已揽收"),
        Status::OutForDelivery | Status::AttemptFailed | Status::ReadyForPickup => ("3", "派送中"),
        Status::Delivered => ("4", "已签收"),
        Status::Returning | Status::Returned | Status::Cancelled => ("5", "已退回"),
        _ => ("2", "运送中"),
    }
}

/// Whether SF would tell this scan at all.
pub(super) fn tells(timeline: &Timeline) -> impl Iterator<Item = &Seen> {
    timeline.seen.iter().filter(|seen| seen.scan.meaning.status != Status::InfoReceived)
}

/// The vendor's word for a scan, as it stands beside the code.
pub(super) fn status_name(status: Status) -> &'static str {
    first_status(status).1
}

/// Op-code, and what is left of the meaning in it.
pub(super) fn said(meaning: Meaning) -> (&'static str, Meaning) {
    use Meaning as M;
    let sub = meaning.sub;
    match meaning.status {
        Status::InfoReceived => ("647", M::sub(Sub::LabelCreated)),
        Status::PickedUp => ("54", M::sub(Sub::Accepted)),
        Status::InTransit => match sub {
            Some(Sub::DepartedHub | Sub::LineHaul | Sub::DepartedOriginCountry) => {
                ("30", M::sub(Sub::DepartedHub))
            }
            Some(Sub::CustomsPresented) => ("16", meaning),
            Some(Sub::CustomsInspection) => ("15", meaning),
            Some(Sub::CustomsReleased) => ("14", meaning),
            Some(Sub::HandedToPartner) => ("626", meaning),
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity | Sub::ArrivedDestinationCountry) => {
                ("31", M::sub(Sub::ArrivedHub))
            }
            _ => ("302", M::sub(Sub::Moving)),
        },
        Status::OutForDelivery => ("204", M::sub(Sub::OnVehicle)),
        Status::AttemptFailed => ("70", M::sub(Sub::Other)),
        Status::ReadyForPickup if sub == Some(Sub::Locker) => ("125", meaning),
        Status::ReadyForPickup => ("678", M::sub(Sub::Station)),
        Status::Delivered if sub == Some(Sub::Collected) => ("128", meaning),
        Status::Delivered => ("80", M::sub(Sub::Signed)),
        Status::Returning => ("99", M::sub(Sub::OnTheWay)),
        Status::Returned => ("660", M::sub(Sub::ToSender)),
        // A refusal is a failed delivery here; only the remark says more.
        Status::Exception if meaning.reason == Some(Reason::Refused) => ("33", M::sub(Sub::Other)),
        Status::Exception if meaning.reason == Some(Reason::CustomsHold) => ("18", meaning),
        Status::Exception if meaning.reason == Some(Reason::Stuck) => ("77", meaning),
        Status::Exception | Status::Lost | Status::Cancelled => ("72", M::exception(Reason::Other)),
        Status::Unknown | Status::Expired => ("302", M::sub(Sub::Moving)),
    }
}
