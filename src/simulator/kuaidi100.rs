//! A Kuaidi100-shaped carrier peer: checks the signature with code of its own and tells the scripts in the vendor's
//! words. Source: facts/aggregators 1. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, PHONE_TAIL, Pushed, Simulator, china_time};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const CUSTOMER: &str = "DEMOCUSTOMER0001";
pub(super) const KEY: &str = "demo-kuaidi100-key";

const SALT: &str = "demo-kuaidi100-salt";
const SECRET: &str = "demo-kuaidi100-secret";
const PARTNER: &str = "demo-partner";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "kuaidi100",
    settings: &[("customer", CUSTOMER), ("service_url", "{peer}")],
    secrets: &[("key", KEY), ("salt", SALT), ("secret", SECRET), ("partner_id", PARTNER)],
    answer: Simulator::kuaidi100,
    push: Some(push),
};

/// The vendor's words for the carriers of the demo.
const COMS: [(&str, &str); 8] = [
    ("sf", "shunfeng"),
    ("yto", "yuantong"),
    ("zto", "zhongtong"),
    ("sto", "shentong"),
    ("yunda", "yunda"),
    ("jt", "jtexpress"),
    ("jd", "jd"),
    ("deppon", "debangkuaidi"),
];

/// Numbers whose prefix names their carrier: another `com` finds nothing.
const PREFIXES: [(&str, &str); 5] =
    [("SF", "shunfeng"), ("YT", "yuantong"), ("JT", "jtexpress"), ("JD", "jd"), ("DPK", "debangkuaidi")];

/// Registered for its pickup code: a book of its own.
const CODES: &str = "kuaidi100-codes";

/// The whole phone of a simulated receiver.
fn is_receiver(phone: &str) -> bool {
    is_phone(phone) && phone.ends_with(PHONE_TAIL)
}

/// Since when a parcel waits, with code and station.
fn waiting(timeline: &Timeline) -> Option<(Timestamp, &(String, String))> {
    let last = timeline.seen.last().filter(|seen| seen.scan.meaning.status == Status::ReadyForPickup)?;
    Some((last.time, last.scan.pickup.as_ref()?))
}

impl Simulator {
    fn kuaidi100(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        match asked.path {
            "/poll/query.do" => self.kuaidi100_query(asked, delay),
            "/poll" => self.kuaidi100_subscribe(asked),
            "/autonumber/auto" => recognize(asked),
            "/label/order" => self.kuaidi100_service(asked),
            "/pickupCode/register" => self.kuaidi100_register_code(asked),
            "/pickupCode/query" => self.kuaidi100_fetch_code(asked),
            _ => Answer::new(404, ""),
        }
    }

    /// `POST /poll`: the key travels inside, nothing is signed.
    fn kuaidi100_subscribe(&self, asked: &Asked) -> Answer {
        let form = asked.form();
        let param: Value =
            form.get("param").and_then(|param| serde_json::from_str(param).ok()).unwrap_or_default();
        let text = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or("");
        let said = |code: &str, message: &str| {
            Answer::new(
                200,
                json!({"result": code == "200", "returnCode": code, "message": message}).to_string(),
            )
        };
        if text("key") != KEY {
            return said("600", "您不是合法的订阅者");
        }
        let parameters = param.get("parameters").cloned().unwrap_or_default();
        let parameter = |name: &str| parameters.get(name).and_then(Value::as_str).unwrap_or("");
        if text("company").is_empty() || !(6..=32).contains(&text("number").len()) {
            return said("700", "订阅数据错误");
        }
        match self.watch("kuaidi100", text("number"), parameter("callbackurl")) {
            true => said("200", "提交成功"),
            false => said("501", "重复订阅"),
        }
    }

    /// The newer services: another signature, with a time.
    fn kuaidi100_service(&self, asked: &Asked) -> Answer {
        let (method, param) = match signed_service(asked) {
            Ok(signed) => signed,
            Err(refused) => return refused,
        };
        match method.as_str() {
            "time" => reckon(&param),
            _ if param["partnerId"] != PARTNER => say(30001, "partnerId错误", Value::Null),
            "order" => self.kuaidi100_label(&param),
            "cancel" => match self.take_back("kuaidi100", param["kuaidinum"].as_str().unwrap_or("")) {
                Cancelled::Now => say(200, "success", Value::Null),
                Cancelled::Before => say(30004, "订单已取消", Value::Null),
                Cancelled::Unknown => say(30005, "单号不存在", Value::Null),
            },
            _ => say(10001, "method错误", Value::Null),
        }
    }

    /// `POST /pickupCode/register`: whoever names the receiver's phone is told when there is a code.
    fn kuaidi100_register_code(&self, asked: &Asked) -> Answer {
        let param = match signed_service(asked) {
            Ok((method, param)) if method == "pickupCodeRegister" => param,
            Ok(_) => return say(10001, "method错误", Value::Null),
            Err(refused) => return refused,
        };
        let text = |name: &str| param[name].as_str().unwrap_or("");
        if text("kuaidicom").is_empty() || !text("callbackUrl").starts_with("http") {
            return say(10002, "参数错误", Value::Null);
        }
        if !is_receiver(text("receiverPhone")) {
            return say(10003, "收件人手机号错误", Value::Null);
        }
        match self.watch(CODES, text("kuaidinum"), text("callbackUrl")) {
            true => say(200, "success", json!({"taskId": "T-1"})),
            false => say(10004, "该单号已注册", Value::Null),
        }
    }

    /// `POST /pickupCode/query`: the code of a registered number that waits in a station.
    fn kuaidi100_fetch_code(&self, asked: &Asked) -> Answer {
        let param = match signed_service(asked) {
            Ok((method, param)) if method == "pickupCodeQuery" => param,
            Ok(_) => return say(10001, "method错误", Value::Null),
            Err(refused) => return refused,
        };
        let number = param["kuaidinum"].as_str().unwrap_or("");
        if !self.watches(CODES, number) || !is_receiver(param["receiverPhone"].as_str().unwrap_or("")) {
            return say(10005, "未查询到取件码", Value::Null);
        }
        let timeline = self.clock.timeline(number, asked.now);
        match waiting(&timeline) {
            Some((_, (code, station))) => {
                let data = json!({"kuaidicom": param["kuaidicom"], "kuaidinum": number, "pickUpCode": code,
                    "pickUpAddress": "虚构路8号", "pickUpStation": station, "statusDesc": "待取件"});
                say(200, "success", data)
            }
            None => say(10005, "未查询到取件码", Value::Null),
        }
    }

    /// The unsigned push that says that there is a pickup code: where it goes to, and its body. None where nobody
    /// registered for the number, or it waits nowhere.
    pub fn pickup_flag(&self, number: &str, now: Timestamp) -> Option<(String, Vec<u8>)> {
        let url = self.watched().into_iter().find(|(kind, of, _)| kind == CODES && of == number)?.2;
        let timeline = self.clock.timeline(number, now);
        let (since, _) = waiting(&timeline)?;
        let body = json!({"kuaidicom": "yuantong", "kuaidinum": number, "pickUpCodeFlag": "true",
            "timestamp": china_time(since)});
        Some((url, body.to_string().into_bytes()))
    }

    fn kuaidi100_label(&self, order: &Value) -> Answer {
        let id = order["orderId"].as_str().unwrap_or("");
        if id.is_empty() || order["recMan"]["printAddr"].as_str().unwrap_or("").is_empty() {
            return say(30002, "收件地址不能为空", Value::Null);
        }
        let phone = |party: &str| is_phone(order[party]["mobile"].as_str().unwrap_or(""));
        if !phone("sendMan") || !phone("recMan") {
            return say(30003, "手机号格式错误", Value::Null);
        }
        match self.give("kuaidi100", id, "YT", 13) {
            (_, false) => say(30006, "订单号重复", Value::Null),
            (number, true) => {
                let data = json!({"taskId": "T-1", "kuaidinum": number, "kdComOrderNum": format!("K-{id}"),
                    "childNum": "", "returnNum": "", "label": "", "bulkpen": "370-088-001"});
                say(200, "success", data)
            }
        }
    }

    /// `POST /poll/query.do`
    fn kuaidi100_query(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let param = field("param");
        let text = format!("{param}{}{}", KEY, CUSTOMER);
        let expected = sign::md5_hex_upper(text.as_bytes());
        if field("customer") != CUSTOMER
            || sign::matches(expected.as_bytes(), field("sign").as_bytes()).is_none()
        {
            return refuse("503", "验证签名失败");
        }
        let Ok(param) = serde_json::from_str::<Value>(param) else {
            return refuse("400", "提交的数据不完整");
        };
        let text = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or("");
        let (com, number) = (text("com"), text("num"));
        if com.is_empty() || !(6..=32).contains(&number.len()) {
            return refuse("400", "提交的数据不完整");
        }
        let needs_phone = matches!(com, "shunfeng" | "shunfengkuaiyun" | "zhongtong");
        if needs_phone && !text("phone").ends_with(PHONE_TAIL) {
            return refuse("408", "验证码错误");
        }
        let timeline = self.look_up(number, asked.now, delay);
        if timeline.journey == Journey::Error {
            return refuse("501", "服务器错误");
        }
        let other_carrier =
            PREFIXES.iter().any(|(prefix, owner)| number.starts_with(prefix) && *owner != com);
        if timeline.seen.is_empty() || other_carrier {
            return refuse("500", "查询无结果，请隔段时间再查");
        }
        Answer::new(200, tell(com, number, &timeline, self.scramble(number, &timeline)).to_string())
    }
}

/// Method and parameters of a call of family C, where its signature is right.
fn signed_service(asked: &Asked) -> Result<(String, Value), Answer> {
    let form = asked.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let text = format!("{}{}{KEY}{SECRET}", field("param"), field("t"));
    if field("key") != KEY || field("sign") != sign::md5_hex_upper(text.as_bytes()) {
        return Err(say(10000, "验证签名失败", Value::Null));
    }
    Ok((field("method").to_owned(), serde_json::from_str(field("param")).unwrap_or_default()))
}

/// `method=time`: in the evening, two days after the order and not before the day after the newest scan. Regions want three levels, a municipality's are two.
fn reckon(param: &Value) -> Answer {
    let text = |name: &str| param[name].as_str().unwrap_or("");
    let levels = |place: &str| place.matches(['省', '市', '区', '县']).count();
    let ordered = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text("orderTime"));
    let known = !text("kuaidicom").is_empty() && levels(text("from")) >= 2 && levels(text("to")) >= 2;
    let later =
        |at: jiff::civil::DateTime, days: i64| at.date().checked_add(jiff::Span::new().days(days)).ok();
    let arrival = ordered.ok().filter(|_| known).and_then(|at| later(at, 2));
    let Some(arrival) = arrival else { return say(30002, "参数错误", Value::Null) };
    let times = param["logistics"].as_array().into_iter().flatten().filter_map(|scan| scan["time"].as_str());
    let newest = times.filter_map(|time| time.parse::<jiff::civil::DateTime>().ok()).max();
    let passed = newest.is_some();
    let arrival = newest.and_then(|at| later(at, 1)).map_or(arrival, |soonest| arrival.max(soonest));
    let data = json!({"taskId": "T-1", "fromName": text("from"), "toName": text("to"), "totalTime": "48",
        "arrivalTime": format!("{arrival} 18:00"), "deliveryExpendTime": "2",
        "remainTime": if passed { "20" } else { "48" }, "expType": "标准快递", "predictedRoute": []});
    say(200, "成功", data)
}

fn say(code: u32, message: &str, data: Value) -> Answer {
    let body = json!({"success": code == 200, "code": code, "message": message, "time": 0, "data": data});
    Answer::new(200, body.to_string())
}

/// `GET /autonumber/auto`
fn recognize(asked: &Asked) -> Answer {
    if asked.query("key").as_deref() != Some(KEY) {
        return refuse("601", "KEY已过期");
    }
    let number = asked.query("num").unwrap_or_default();
    let found = PREFIXES.iter().filter(|(prefix, _)| number.starts_with(prefix));
    let list: Vec<Value> = found.map(|(_, com)| json!({"lengthPre": number.len(), "comCode": com})).collect();
    Answer::new(200, Value::from(list).to_string())
}

/// The whole history, newest first, as the query tells it.
fn push(number: &str, carrier: &str, timeline: &Timeline) -> Pushed {
    let over = timeline.seen.last().is_some_and(|seen| seen.scan.meaning.status.is_final());
    let com = COMS.iter().find(|(code, _)| *code == carrier).map_or(carrier, |(_, com)| com);
    let mut result = tell(com, number, timeline, timeline.seen.iter().rev().collect());
    if let Some(result) = result.as_object_mut() {
        result.remove("courierInfo");
    }
    let status = if over { "shutdown" } else { "polling" };
    let param = json!({"status": status, "billstatus": "", "message": "", "autoCheck": "0", "comOld": "",
        "comNew": "", "lastResult": result})
    .to_string();
    let sign = sign::md5_hex_upper(format!("{param}{SALT}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sign", sign.as_str()), ("param", param.as_str())])
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    Pushed { query: String::new(), headers: vec![("content-type", form)], body: body.into_bytes() }
}

fn refuse(code: &str, message: &str) -> Answer {
    Answer::new(200, json!({"result": false, "returnCode": code, "message": message}).to_string())
}

fn tell(com: &str, number: &str, timeline: &Timeline, seen: Vec<&Seen>) -> Value {
    let state = timeline.seen.last().map_or("0", |seen| said(seen.scan.meaning).0);
    let data: Vec<Value> = seen
        .into_iter()
        .map(|seen| {
            let (code, name, _) = said(seen.scan.meaning);
            let (time, city) = (china_time(seen.time), seen.scan.city);
            json!({"time": time, "ftime": time, "context": seen.scan.text, "status": name, "statusCode": code,
                "location": "", "areaCode": format!("{}000000000000", city.country),
                "areaName": format!("{},{}市", city.region, city.name)})
        })
        .collect();
    let signed = if timeline.seen.last().is_some_and(|seen| seen.scan.meaning.status == Status::Delivered) {
        "1"
    } else {
        "0"
    };
    let mut body = json!({"message": "ok", "nu": number, "ischeck": signed, "com": com, "status": "200",
        "state": state, "condition": "00", "data": data, "isLoop": false});
    if let Some(eta) = timeline.eta {
        body["arrivalTime"] = china_time(eta)[..16].into();
    }
    let courier = timeline.seen.iter().rev().find_map(|seen| seen.scan.courier.as_ref());
    body["courierInfo"] = match courier {
        Some((name, phone)) => {
            json!({"pickupManName": "", "pickupManPhone": "", "deliveryManName": name, "deliveryManPhone": phone})
        }
        None => "".into(),
    };
    body
}

/// Code, the vendor's word, and what is left of the meaning in that code.
pub(super) fn said(meaning: Meaning) -> (&'static str, &'static str, Meaning) {
    use Meaning as M;
    let sub = meaning.sub;
    match meaning.status {
        Status::InfoReceived if sub == Some(Sub::AwaitingPickup) => ("102", "待揽收", meaning),
        Status::InfoReceived => ("101", "已下单", M::sub(Sub::LabelCreated)),
        Status::PickedUp => ("103", "已揽收", M::sub(Sub::Accepted)),
        Status::InTransit => match sub {
            Some(Sub::DepartedHub | Sub::LineHaul) => ("1002", "干线", M::sub(Sub::LineHaul)),
            Some(Sub::ArrivedDestinationCity) => ("1001", "到达派件城市", meaning),
            Some(Sub::Redirected) => ("1003", "转递", meaning),
            Some(Sub::HandedToPartner) => ("7", "转投", meaning),
            Some(Sub::CustomsPresented) => ("10", "待清关", meaning),
            Some(Sub::CustomsInspection) => ("11", "清关中", M::sub(Sub::CustomsPresented)),
            Some(Sub::CustomsReleased) => ("12", "已清关", meaning),
            _ => ("0", "在途", M::sub(Sub::Moving)),
        },
        Status::OutForDelivery => ("5", "派件", M::sub(Sub::OnVehicle)),
        Status::AttemptFailed => ("204", "派件异常", M::sub(Sub::Other)),
        Status::ReadyForPickup => ("501", "投柜或驿站", M::sub(Sub::Station)),
        Status::Delivered => match sub {
            Some(Sub::SignedByOther) => ("303", "代签", meaning),
            Some(Sub::LockerSigned | Sub::Collected) => ("304", "投柜或站签收", M::sub(Sub::LockerSigned)),
            Some(Sub::AfterProblem) => ("302", "派件异常后签收", meaning),
            _ => ("301", "本人签收", M::sub(Sub::Signed)),
        },
        Status::Returning => ("6", "退回", M::sub(Sub::OnTheWay)),
        Status::Returned => ("4", "退签", meaning),
        Status::Cancelled => ("401", "已销单", M::sub(Sub::BySender)),
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => ("203", "拒收", meaning),
            Some(Reason::Overdue) => ("201", "超时未签收", meaning),
            Some(Reason::Stuck) => ("202", "超时未更新", meaning),
            Some(Reason::NotCollected) => ("205", "柜或驿站超时未取", meaning),
            Some(Reason::RecipientUnreachable) => ("206", "无法联系", meaning),
            Some(Reason::OutOfArea) => ("207", "超区", meaning),
            Some(Reason::Damaged) => ("209", "破损", meaning),
            Some(Reason::CustomsHold | Reason::CustomsDocuments) => {
                ("13", "清关异常", M::exception(Reason::CustomsHold))
            }
            _ => ("2", "疑难", M::exception(Reason::Other)),
        },
        // The vendor has no word for a lost parcel.
        Status::Lost => ("2", "疑难", M::exception(Reason::Other)),
        Status::Unknown | Status::Expired => ("0", "在途", M::sub(Sub::Moving)),
    }
}
