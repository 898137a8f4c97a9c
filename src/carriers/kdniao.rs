//! KDNiao 快递鸟: one merchant id asks about almost every carrier of China, and creates waybills.
//! Source: kdniao.com (instant query 8001/1002, subscription 8008/1008, push 101/102, recognition 2002); facts/aggregators
//! 2. Must never share a code table with another aggregator: 202 is "out for delivery" here and "no update" there.

mod push;
mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Recognition, Step, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA},
    china_time,
    header::header,
    meaning_of, names, refine, row,
};
use crate::model::when::CHINA;
use crate::model::{Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Status, Sub, When};
use crate::wire::{Answer, Call, Cx, Refusal, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct KdNiao;

static SPEC: CarrierSpec = CarrierSpec {
    code: "kdniao",
    aggregator: true,
    serves: |carrier| code_of(carrier).is_some(),
    secrets: &["app_key"],
    settings: &["business_id"],
    base_url: "https://api.kdniao.com",
    needs_phone_tail: |carrier| carrier == "sf",
    batch: 1,
    per_second: 10,
    per_day: 30_000,
    min_interval_secs: 30 * 60,
    per_number_day: 40,
    codes: CODES,
    sureness: "documentation mirror and SDKs agree; StateEx 204-206, 414-423, 5 and 6xx have one source; whether ZTO \
               and KYE need a phone tail is unsure, so it is sent where known; not yet asked live",
};

fn code_of(carrier: &str) -> Option<&'static str> {
    names::by_code(carrier).map(|carrier| carrier.kdniao).filter(|code| !code.is_empty())
}

impl Carrier for KdNiao {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &[
            "request_type",
            "subscribe_type",
            "push",
            "customer_name",
            "customer_password?",
            "month_code",
            "send_site",
            "pay_type",
            "express_type",
        ]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let request_type = cx.account.setting("request_type", "8001");
        let path = "/Ebusiness/EbusinessOrderHandle.aspx";
        call(cx, "kdniao.query", path, request_type, &Question::of(ask)?)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said = body::json(answer, cx.now)?;
        said.refusal()?;
        if said.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number)) {
            return Err(Refusal::Unreadable);
        }
        Ok(Step::Done(vec![said.tracked(&ask.carrier, &ask.number, cx.now)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn recognition(&self) -> Option<&dyn Recognition> {
        Some(self)
    }
}

impl Recognition for KdNiao {
    fn recognize(&self, cx: &Cx, number: &str) -> Result<Call, Refusal> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Number<'a> {
            logistic_code: &'a str,
        }
        let path = "/Ebusiness/EbusinessOrderHandle.aspx";
        call(cx, "kdniao.recognize", path, "2002", &Number { logistic_code: number })
    }

    fn read_recognized(&self, cx: &Cx, answer: &Answer) -> Result<Vec<String>, Refusal> {
        let said: Recognized = body::json(answer, cx.now)?;
        match said.code.as_deref() {
            Some("100") => {}
            Some("102" | "104") => return Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            Some("402" | "403" | "404") => return Err(Refusal::BadNumber),
            Some("405") => return Err(Refusal::FixAccount { cure: CURE_QUOTA }),
            _ => return Err(Refusal::Retry { after: None }),
        }
        let code = |shipper: Shipper| shipper.code.as_deref().and_then(names::by_kdniao);
        Ok(said.shippers.into_iter().filter_map(code).map(|carrier| carrier.code.to_owned()).collect())
    }
}

/// `base64(lowerhex(MD5(RequestData + AppKey)))`: 44 characters.
fn data_sign(data: &str, key: &str) -> String {
    sign::base64(sign::md5_hex([data, key].concat().as_bytes()).as_bytes())
}

fn call(
    cx: &Cx,
    operation: &'static str,
    path: &str,
    request_type: &str,
    data: &impl Serialize,
) -> Result<Call, Refusal> {
    // Signed and sent is the same string.
    let data = serde_json::to_string(data).map_err(|_| Refusal::Unsupported)?;
    let sign = data_sign(&data, cx.account.secret("app_key"));
    let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
    let fields = [
        ("RequestData", data.as_str()),
        ("EBusinessID", cx.account.setting("business_id", "")),
        ("RequestType", request_type),
        ("DataSign", sign.as_str()),
        ("DataType", "2"),
    ];
    Ok(Call::form(operation, url, &fields))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    order_code: &'a str,
    shipper_code: &'a str,
    logistic_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_name: Option<&'a str>,
}

impl<'a> Question<'a> {
    fn of(ask: &'a Ask) -> Result<Self, Refusal> {
        let shipper_code = code_of(&ask.carrier).ok_or(Refusal::Unsupported)?;
        if ask.number.is_empty() || ask.number.len() > 30 {
            return Err(Refusal::BadNumber);
        }
        let wants_tail = matches!(ask.carrier.as_str(), "sf" | "zto" | "kye");
        let customer_name = ask.phone_tail.as_deref().filter(|_| wants_tail);
        if ask.carrier == "sf" && customer_name.is_none() {
            return Err(Refusal::NeedPhoneTail);
        }
        Ok(Self { order_code: "", shipper_code, logistic_code: &ask.number, customer_name })
    }
}

#[derive(Deserialize)]
struct Recognized {
    #[serde(default, rename = "Code", deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, rename = "Shippers", deserialize_with = "body::list")]
    shippers: Vec<Shipper>,
}

#[derive(Deserialize)]
struct Shipper {
    #[serde(default, rename = "ShipperCode", deserialize_with = "body::loose")]
    code: Option<String>,
}

/// An answer, or one parcel of a push.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    reason: Option<String>,
    #[serde(default, rename = "LogisticCode", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, rename = "ShipperCode", deserialize_with = "body::loose")]
    shipper: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    state: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    state_ex: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    traces: Vec<Trace>,
    #[serde(default, deserialize_with = "body::loose")]
    delivery_man: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    delivery_man_tel: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    station: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    estimated_delivery_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trace {
    #[serde(default, deserialize_with = "body::loose")]
    accept_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    accept_station: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    location: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    action: Option<String>,
}

impl Said {
    fn success(&self) -> bool {
        self.success.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Failures carry words, no code: told apart by what they contain (facts 2.9).
    fn refusal(&self) -> Result<(), Refusal> {
        if self.success() {
            return Ok(());
        }
        let reason = self.reason.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        Err(if self.success.is_none() {
            Refusal::Unreadable
        } else if has(&["非法参数", "签名"]) {
            Refusal::FixAccount { cure: CURE_CREDENTIALS }
        } else if has(&["套餐", "未开通", "没有权限"]) {
            Refusal::FixAccount { cure: CURE_PERMISSION }
        } else if has(&["余额", "次数已用完", "过期"]) {
            Refusal::FixAccount { cure: CURE_QUOTA }
        } else if has(&["手机尾号", "手机后四位"]) {
            Refusal::NeedPhoneTail
        } else if has(&["频繁", "超过限制", "并发"]) {
            Refusal::Throttled { until: None }
        } else if has(&["ShipperCode"]) {
            Refusal::WrongCarrier
        } else if has(&["单号", "LogisticCode"]) {
            Refusal::BadNumber
        } else if has(&["系统", "服务器", "超时"]) {
            Refusal::Retry { after: None }
        } else {
            // "No trace yet" is a failure without a reason, or with one of many wordings.
            Refusal::NoDataYet
        })
    }

    fn tracked(self, carrier: &str, number: &str, now: Timestamp) -> Tracked {
        let mut events: Vec<Event> =
            self.traces.into_iter().map(|trace| trace.event(carrier, number, now)).collect();
        let newest = |events: &mut [Event], fits: fn(Status) -> bool| {
            let all = events.iter().enumerate().filter(|(_, event)| fits(event.status));
            all.max_by_key(|(_, event)| event.time.utc).map(|(at, _)| at)
        };
        let delivers = |status| matches!(status, Status::OutForDelivery | Status::AttemptFailed);
        if let Some(at) = newest(&mut events, delivers) {
            let courier = &mut events[at].courier;
            courier.name = courier.name.take().or(self.delivery_man);
            courier.phone = courier.phone.take().or(self.delivery_man_tel);
        }
        if let Some(at) = newest(&mut events, |status| status == Status::ReadyForPickup) {
            let place = &mut events[at].pickup.place;
            *place = place.take().or(self.station);
        }
        let state = self.state_ex.or(self.state).filter(|state| state != "0");
        events.extend(state.and_then(|state| header(meaning(&state), &state, &events, now)));
        let eta = self.estimated_delivery_time.as_deref().and_then(eta);
        let carrier = carrier.to_owned();
        Tracked { carrier, number: number.to_owned(), events, eta, maybe_needs_phone_tail: false }
    }
}

impl Trace {
    fn event(self, carrier: &str, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.accept_time.as_deref());
        let mut said = self.action.as_deref().map_or(Meaning::UNMAPPED, meaning);
        // 211 is locker or station: only the sentence tells which.
        if said.sub == Some(Sub::Station)
            && self.accept_station.as_ref().is_some_and(|text| text.contains('柜'))
        {
            said = Meaning::sub(Sub::Locker);
        }
        let raw = Raw { code: self.action, status: None, description: self.accept_station };
        let mut event = Event::new(carrier, number, SPEC.code, time, said, raw, now);
        let city = self.location.as_deref().map(|text| text.trim_end_matches('市').to_owned());
        event.place = Place { city, text: self.location, country: Some("CN".into()), ..Place::default() };
        refine(event)
    }
}

fn eta(text: &str) -> Option<Eta> {
    let when = When::parse(text, Some(CHINA))?;
    let from = when.utc?;
    let day = when.is_day();
    let to = if day { from.checked_add(jiff::SignedDuration::from_secs(86_399)).ok()? } else { from };
    let precision = if day { EtaPrecision::Day } else { EtaPrecision::Time };
    Some(Eta { from, to, source: EtaSource::Provider, precision })
}

fn meaning(code: &str) -> Meaning {
    meaning_of(CODES, code).unwrap_or(Meaning::UNMAPPED)
}

/// State and StateEx, sorted as text.
static CODES: &[Code] = &[
    row("1", "已揽收", Meaning::sub(Sub::Accepted)),
    row("10", "待揽件", Meaning::sub(Sub::AwaitingPickup)),
    row("2", "在途中", Meaning::sub(Sub::Moving)),
    row("201", "到达派件城市", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("202", "派件中", Meaning::sub(Sub::OnVehicle)),
    row("204", "到达转运中心", Meaning::sub(Sub::ArrivedHub)),
    row("205", "到达派件网点", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("206", "寄件网点发件", Meaning::sub(Sub::DepartedHub)),
    row("211", "已放入快递柜或驿站", Meaning::sub(Sub::Station)),
    row("3", "已签收", Meaning::sub(Sub::Signed)),
    row("301", "正常签收", Meaning::sub(Sub::Signed)),
    row("302", "派件异常后最终签收", Meaning::sub(Sub::AfterProblem)),
    row("304", "代收签收", Meaning::sub(Sub::SignedByOther)),
    row("311", "快递柜或驿站签收", Meaning::sub(Sub::LockerSigned)),
    row("4", "问题件", Meaning::exception(Reason::Other)),
    row("401", "发货无信息", Meaning::exception(Reason::NoPickup)),
    row("402", "超时未签收", Meaning::exception(Reason::Overdue)),
    row("403", "超时未更新", Meaning::exception(Reason::Stuck)),
    row("404", "拒收(退件)", Meaning::exception(Reason::Refused)),
    row("405", "派件异常", Meaning::sub(Sub::Other)),
    row("406", "退货签收", Meaning::sub(Sub::ToSender)),
    row("407", "退货未签收", Meaning::sub(Sub::OnTheWay)),
    row("412", "快递柜或驿站超时未取", Meaning::exception(Reason::NotCollected)),
    row("413", "单号已拦截", Meaning::sub(Sub::Intercepted)),
    row("414", "破损", Meaning::exception(Reason::Damaged)),
    row("415", "客户取消发货", Meaning::sub(Sub::BySender)),
    row("416", "无法联系", Meaning::exception(Reason::RecipientUnreachable)),
    row("417", "配送延迟", Meaning::exception(Reason::Overdue)),
    row("418", "快件取出", Meaning::sub(Sub::OnVehicle)),
    row("419", "重新派送", Meaning::sub(Sub::OnVehicle)),
    row("420", "收货地址不详细", Meaning::sub(Sub::BadAddress)),
    row("421", "收件人电话错误", Meaning::sub(Sub::Unreachable)),
    row("422", "错分件", Meaning::exception(Reason::Missorted)),
    row("423", "超区件", Meaning::exception(Reason::OutOfArea)),
    row("5", "转寄", Meaning::sub(Sub::HandedToPartner)),
    row("6", "清关", Meaning::sub(Sub::CustomsPresented)),
    row("601", "待清关", Meaning::sub(Sub::CustomsPresented)),
    row("602", "清关中", Meaning::sub(Sub::CustomsPresented)),
    row("603", "已清关", Meaning::sub(Sub::CustomsReleased)),
    row("604", "清关异常", Meaning::exception(Reason::CustomsHold)),
];

#[cfg(test)]
#[path = "kdniao_tests.rs"]
mod tests;
