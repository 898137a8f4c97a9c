//! Kuaidi100 快递100: one enterprise key asks about almost every carrier of China, and creates waybills.
//! Source: api.kuaidi100.com/document (real-time query), state table and return codes of facts/aggregators 1.
//! Must never ask for one number more than every 30 minutes (the vendor locks it), nor log a sentence or a courier.

mod courier;
mod forecast;
mod pickup_code;
mod place;
mod push;
mod service;
mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, Forecast, PickupCodes, Push, Recognition, Step, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA},
    header::header,
    meaning_of, names, refine, row,
};
use crate::model::when::CHINA;
use crate::model::{
    Account, Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Status, Sub, When,
};
use crate::text::region::Region;
use crate::wire::{Answer, Call, Cx, Refusal, sign};
use courier::CourierField;
use jiff::{SignedDuration, Timestamp};
use place::area;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Kuaidi100;

static SPEC: CarrierSpec = CarrierSpec {
    code: "kuaidi100",
    aggregator: true,
    serves: |carrier| com_of(carrier).is_some(),
    secrets: &["key"],
    settings: &["customer"],
    base_url: "https://poll.kuaidi100.com",
    needs_phone_tail,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: MIN_INTERVAL_SECS,
    per_number_day: 40,
    codes: CODES,
    sureness: "documentation and SDK sources agree; return codes from clients; refusals of the newer services are told \
               apart by their words; how the flag of a pickup code wants to be acknowledged is not known; not yet asked live",
};

/// "At most one query per number every 30 minutes, or the number gets locked."
const MIN_INTERVAL_SECS: u32 = 30 * 60;

/// The phone of sender or receiver is required for these (the last four digits are enough).
fn needs_phone_tail(carrier: &str) -> bool {
    matches!(carrier, "sf" | "sf-freight" | "zto")
}

impl Carrier for Kuaidi100 {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &[
            "courier_info",
            "push",
            "salt?",
            "service_url",
            "secret?",
            "pickup_codes",
            "eta",
            "sender_address",
            "partner_id?",
            "partner_key?",
            "partner_secret?",
            "partner_name",
            "net",
            "pay_type",
            "express_type",
            "template",
        ]
    }

    fn mistake(&self, account: &Account) -> Option<(&'static str, String)> {
        let wanted = |place: &'static str| match account.setting(place, "false") {
            "true" if account.secret("secret").is_empty() => {
                Some((place, "needs the secret `secret`".into()))
            }
            "true" | "false" => None,
            _ => Some((place, "must be true or false".into())),
        };
        let sender = account.setting("sender_address", "");
        let nowhere = account.setting("eta", "false") == "true" && Region::of_address(sender).is_none();
        wanted("pickup_codes").or_else(|| wanted("eta")).or_else(|| {
            nowhere.then(|| {
                let needs =
                    "must begin with province, city and district where `eta` is on, as in 广东省深圳市南山区";
                ("sender_address", needs.into())
            })
        })
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn forecast(&self) -> Option<&dyn Forecast> {
        Some(self)
    }

    fn pickup_codes(&self) -> Option<&dyn PickupCodes> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn recognition(&self) -> Option<&dyn Recognition> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let com = com_of(&ask.carrier).ok_or(Refusal::Unsupported)?;
        if !(6..=32).contains(&ask.number.len()) {
            return Err(Refusal::BadNumber);
        }
        // A phone goes out only where the vendor insists on it.
        let needs_phone = needs_phone_tail(&ask.carrier);
        let phone = ask.phone_tail.as_deref().filter(|_| needs_phone);
        if needs_phone && phone.is_none() {
            return Err(Refusal::NeedPhoneTail);
        }
        let param = Param {
            com,
            num: &ask.number,
            phone,
            resultv2: "4",
            show: "0",
            order: "desc",
            need_courier_info: cx.account.setting("courier_info", "true") == "true",
        };
        // Signed and sent is the same string, byte for byte.
        let param = serde_json::to_string(&param).map_err(|_| Refusal::Unsupported)?;
        let customer = cx.account.setting("customer", "");
        let url = format!("{}/poll/query.do", cx.account.setting("base_url", SPEC.base_url));
        let sign = signature(&param, cx.account.secret("key"), customer);
        let fields = [("customer", customer), ("sign", sign.as_str()), ("param", param.as_str())];
        Ok(Call::form("kuaidi100.query", url, &fields))
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said = body::json(answer, cx.now)?;
        said.refusal(cx.now)?;
        // An answer about another number is nobody's business here.
        if said.nu.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number)) {
            return Err(Refusal::Unreadable);
        }
        Ok(Step::Done(vec![said.tracked(ask, cx.now)]))
    }
}

/// Family A: `UPPER(MD5(param + key + customer))`, no separator.
fn signature(param: &str, key: &str, customer: &str) -> String {
    sign::md5_hex_upper([param, key, customer].concat().as_bytes())
}

#[derive(Serialize)]
struct Param<'a> {
    com: &'a str,
    num: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    resultv2: &'a str,
    show: &'a str,
    order: &'a str,
    #[serde(rename = "needCourierInfo", skip_serializing_if = "std::ops::Not::not")]
    need_courier_info: bool,
}

/// The answer, good or bad: both come with HTTP 200.
#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    result: Option<String>,
    #[serde(default, rename = "returnCode", deserialize_with = "body::loose")]
    return_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    state: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    com: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    nu: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    data: Vec<Scan>,
    #[serde(default, rename = "arrivalTime", deserialize_with = "body::loose")]
    arrival_time: Option<String>,
    #[serde(default, rename = "courierInfo")]
    courier_info: Option<CourierField>,
}

#[derive(Deserialize)]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    ftime: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    context: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, rename = "statusCode", deserialize_with = "body::loose")]
    status_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    location: Option<String>,
    #[serde(default, rename = "areaCode", deserialize_with = "body::loose")]
    area_code: Option<String>,
    #[serde(default, rename = "areaName", deserialize_with = "body::loose")]
    area_name: Option<String>,
    #[serde(default, rename = "areaCenter", deserialize_with = "body::loose")]
    area_center: Option<String>,
}

impl Said {
    /// Return codes by what to do. Failure is `result` false, or a return code beside a status that is not 200.
    fn refusal(&self, now: Timestamp) -> Result<(), Refusal> {
        let status = self.status.as_deref();
        let failed = self.result.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("false"));
        let code = match (self.return_code.as_deref(), status) {
            (Some(code), status) if failed || status != Some("200") => code,
            (None, Some(status)) if status != "200" => status,
            (None, None) if failed => return Err(Refusal::Retry { after: None }),
            // Neither an answer nor a refusal: some other JSON.
            (None, None) => return Err(Refusal::Unreadable),
            _ => return Ok(()),
        };
        let interval = SignedDuration::from_secs(i64::from(MIN_INTERVAL_SECS));
        Err(match code {
            "200" => return Ok(()),
            // 500 is the common "ask later"; it also comes where the carrier does not match the number.
            "201" | "500" => Refusal::NoDataYet,
            "400" => Refusal::FixAccount { cure: CURE_PERMISSION },
            "408" => Refusal::NeedPhoneTail,
            "503" => Refusal::FixAccount { cure: CURE_CREDENTIALS },
            "504" => Refusal::Throttled { until: now.checked_add(interval).ok() },
            "601" => Refusal::FixAccount { cure: CURE_QUOTA },
            // 501 server error, 502 busy, and whatever is new.
            _ => Refusal::Retry { after: None },
        })
    }

    fn tracked(self, ask: &Ask, now: Timestamp) -> Tracked {
        let carrier = self.com.as_deref().and_then(carrier_of).unwrap_or(&ask.carrier).to_owned();
        let mut events: Vec<Event> =
            self.data.into_iter().map(|scan| scan.event(&carrier, &ask.number, now)).collect();
        if let Some(CourierField::Known(couriers)) = self.courier_info {
            couriers.give_to(&mut events);
        }
        events.extend(self.state.and_then(|state| header(meaning(&state), &state, &events, now)));
        let eta = self.arrival_time.as_deref().and_then(eta);
        Tracked { carrier, number: ask.number.clone(), events, eta, maybe_needs_phone_tail: false }
    }
}

impl Scan {
    fn event(self, carrier: &str, number: &str, now: Timestamp) -> Event {
        let time = [&self.time, &self.ftime]
            .into_iter()
            .flatten()
            .find_map(|text| When::parse(text, Some(CHINA)))
            .unwrap_or_default();
        let mut meaning = self.status_code.as_deref().map_or(Meaning::UNMAPPED, meaning);
        // 501 is locker or station: only the sentence tells which.
        if meaning.sub == Some(Sub::Station) && self.context.as_ref().is_some_and(|text| text.contains('柜'))
        {
            meaning = Meaning::sub(Sub::Locker);
        }
        let place = Place {
            text: self.location.or_else(|| self.area_name.clone()),
            country: self.area_code.as_deref().and_then(|code| code.get(..2)).map(str::to_owned),
            ..area(self.area_name.as_deref(), self.area_center.as_deref())
        };
        let raw = Raw { code: self.status_code, status: self.status, description: self.context };
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        event.place = place;
        refine(event)
    }
}

/// `arrivalTime`: a day and an hour, or a day.
fn eta(text: &str) -> Option<Eta> {
    let when = When::parse(text, Some(CHINA))?;
    let from = when.utc?;
    let (to, precision) = if when.is_day() {
        (from.checked_add(SignedDuration::from_secs(86_399)).ok()?, EtaPrecision::Day)
    } else {
        (from, EtaPrecision::Time)
    };
    Some(Eta { from, to, source: EtaSource::Provider, precision })
}

/// The code's meaning; for codes younger than the table, that of its family (`100x`: moving, else by the first of
/// three digits). A signature or a return is never taken from a family: there the sentence must say it.
fn meaning(code: &str) -> Meaning {
    if let Some(meaning) = meaning_of(CODES, code) {
        return meaning;
    }
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    let family = match code.len() {
        4 if digits && code.starts_with("100") => Some("0"),
        3 if digits => code.get(..1),
        _ => None,
    };
    family
        .and_then(|family| meaning_of(CODES, family))
        .filter(|meaning| !matches!(meaning.status, Status::Delivered | Status::Returned))
        .unwrap_or(Meaning::UNMAPPED)
}

/// States and sub-states, sorted as text. Meaning: normalized tracking model 3.2.
static CODES: &[Code] = &[
    row("0", "在途", Meaning::sub(Sub::Moving)),
    row("1", "揽收", Meaning::sub(Sub::Accepted)),
    row("10", "待清关", Meaning::sub(Sub::CustomsPresented)),
    row("1001", "到达派件城市", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("1002", "干线", Meaning::sub(Sub::LineHaul)),
    row("1003", "转递", Meaning::sub(Sub::Redirected)),
    row("101", "已下单", Meaning::sub(Sub::LabelCreated)),
    row("102", "待揽收", Meaning::sub(Sub::AwaitingPickup)),
    row("103", "已揽收", Meaning::sub(Sub::Accepted)),
    row("11", "清关中", Meaning::sub(Sub::CustomsPresented)),
    row("12", "已清关", Meaning::sub(Sub::CustomsReleased)),
    row("13", "清关异常", Meaning::exception(Reason::CustomsHold)),
    row("14", "拒签", Meaning::exception(Reason::Refused)),
    row("2", "疑难", Meaning::exception(Reason::Other)),
    row("201", "超时未签收", Meaning::exception(Reason::Overdue)),
    row("202", "超时未更新", Meaning::exception(Reason::Stuck)),
    row("203", "拒收", Meaning::exception(Reason::Refused)),
    row("204", "派件异常", Meaning::sub(Sub::Other)),
    row("205", "柜或驿站超时未取", Meaning::exception(Reason::NotCollected)),
    row("206", "无法联系", Meaning::exception(Reason::RecipientUnreachable)),
    row("207", "超区", Meaning::exception(Reason::OutOfArea)),
    row("208", "滞留", Meaning::exception(Reason::Stuck)),
    row("209", "破损", Meaning::exception(Reason::Damaged)),
    row("210", "销单", Meaning::exception(Reason::Other)),
    row("3", "签收", Meaning::sub(Sub::Signed)),
    row("301", "本人签收", Meaning::sub(Sub::Signed)),
    row("302", "派件异常后签收", Meaning::sub(Sub::AfterProblem)),
    row("303", "代签", Meaning::sub(Sub::SignedByOther)),
    row("304", "投柜或站签收", Meaning::sub(Sub::LockerSigned)),
    row("4", "退签", Meaning::sub(Sub::ToSender)),
    row("401", "已销单", Meaning::sub(Sub::BySender)),
    row("5", "派件", Meaning::sub(Sub::OnVehicle)),
    row("501", "投柜或驿站", Meaning::sub(Sub::Station)),
    row("6", "退回", Meaning::sub(Sub::OnTheWay)),
    row("7", "转投", Meaning::sub(Sub::HandedToPartner)),
    row("8", "清关", Meaning::sub(Sub::CustomsPresented)),
];

/// Kuaidi100's `com` of a carrier of ours.
fn com_of(carrier: &str) -> Option<&'static str> {
    names::by_code(carrier).map(|carrier| carrier.kuaidi100).filter(|com| !com.is_empty())
}

fn carrier_of(com: &str) -> Option<&'static str> {
    names::by_kuaidi100(com).map(|carrier| carrier.code)
}

#[cfg(test)]
#[path = "kuaidi100_tests.rs"]
mod tests;
