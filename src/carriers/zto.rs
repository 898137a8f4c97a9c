//! ZTO 中通: asks where its waybills are, subscribes them, takes its pushes, and creates waybills.
//! Source: open.zto.com (`zto.merchant.waybill.track.query`, `…track.subsrcibe`, push `Traces`); facts/carriers-cn 2.
//! Must never take HANDOVERSCAN_SIGNED for a delivery: the parcel lies at a collection point then.

mod push;
mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Step, Tracked, Waybill,
    body::{self, CURE_ALLOWED_ADDRESS, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, sign};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Zto;

static SPEC: CarrierSpec = CarrierSpec {
    code: "zto",
    aggregator: false,
    serves: |carrier| carrier == "zto",
    secrets: &["app_secret"],
    settings: &["app_key"],
    base_url: "https://japi.zto.com",
    // Needed unless the account owns the parcel: sent where it is known, asked for where ZTO insists (E409, E413).
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "official SDK and an ERP vendor's notes of real sandbox pushes; numeric scan types from one data set; \
               the digest of the application is `sign_mode`; not yet asked live",
};

impl Carrier for Zto {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["sign_mode", "push", "account_id", "account_password?", "partner_type", "order_type", "cancel_type"]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        call(cx, "zto.query", "zto.merchant.waybill.track.query", &Question::of(ask)?)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said<Scans> = body::json(answer, cx.now)?;
        said.refusal()?;
        let scans = match said.result {
            Some(Scans::Plain(scans)) => scans,
            Some(Scans::Wrapped { traces }) => traces,
            None => Vec::new(),
        };
        let other = |scan: &Scan| {
            scan.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number))
        };
        if scans.iter().any(other) {
            return Err(Refusal::Unreadable);
        }
        let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
        Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, events)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

/// Base64 of the digest of text and secret; the console may switch an application to another one.
fn digest(mode: &str, text: &str, secret: &str) -> String {
    let signed = [text, secret].concat();
    match mode {
        "sha256" => sign::base64(&sign::sha256(signed.as_bytes())),
        "hmac_sha256" => sign::base64(&sign::hmac_sha256(secret.as_bytes(), text.as_bytes())),
        "md5_hex" => sign::md5_hex(signed.as_bytes()),
        _ => sign::md5_base64(signed.as_bytes()),
    }
}

fn call(cx: &Cx, operation: &'static str, api: &str, question: &impl Serialize) -> Result<Call, Refusal> {
    let body = serde_json::to_string(question).map_err(|_| Refusal::Unsupported)?;
    let signed = digest(cx.account.setting("sign_mode", "md5"), &body, cx.account.secret("app_secret"));
    let url = format!("{}/{api}", cx.account.setting("base_url", SPEC.base_url));
    let key = cx.account.setting("app_key", "");
    let mut call = Call::json(operation, url, body.into_bytes());
    // The documents name one pair, the official SDK sends the other.
    for name in ["x-appkey", "x-companyid"] {
        call.headers.push((name, key.to_owned()));
    }
    call.headers.push(("x-datadigest", signed));
    Ok(call)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    bill_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile_phone: Option<&'a str>,
}

impl<'a> Question<'a> {
    fn of(ask: &'a Ask) -> Result<Self, Refusal> {
        let fits = (1..=32).contains(&ask.number.len());
        let question = Self { bill_code: &ask.number, mobile_phone: ask.phone_tail.as_deref() };
        fits.then_some(question).ok_or(Refusal::BadNumber)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound = "T: DeserializeOwned")]
struct Said<T> {
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default)]
    result: Option<T>,
}

/// Some older accounts wrap the list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scans {
    Plain(Vec<Scan>),
    Wrapped { traces: Vec<Scan> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, rename = "billCode", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_date: Option<String>,
    #[serde(default)]
    scan_site: Option<Site>,
    #[serde(default, deserialize_with = "body::loose")]
    sign_man: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operate_user: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operate_user_phone: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    desc: Option<String>,
}

#[derive(Deserialize)]
struct Site {
    #[serde(default, deserialize_with = "body::loose")]
    name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    prov: Option<String>,
}

impl<T> Said<T> {
    fn refusal(&self) -> Result<(), Refusal> {
        let code = self.status_code.as_deref().unwrap_or("");
        if self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("true")) {
            return Ok(());
        }
        Err(match code {
            "" => Refusal::Unreadable,
            "E409" | "E413" => Refusal::NeedPhoneTail,
            "E416" => Refusal::BadNumber,
            "E404" | "E418" | "S207" | "S210" => Refusal::FixAccount { cure: CURE_PERMISSION },
            "S211" => Refusal::FixAccount { cure: CURE_CREDENTIALS },
            "S212" => Refusal::FixAccount { cure: CURE_ALLOWED_ADDRESS },
            "S208" | "S214" => Refusal::FixAccount { cure: CURE_SETTINGS },
            "S206" | "S221" => Refusal::Throttled { until: None },
            // S200 timeout, S202 exception, S203 unavailable, and whatever is new.
            _ => Refusal::Retry { after: None },
        })
    }
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.scan_date.as_deref());
        let meaning = self.scan_type.as_deref().map_or(Meaning::UNMAPPED, |code| meaning(SCAN_TYPES, code));
        let raw = Raw { code: self.scan_type, status: None, description: self.desc };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        if let Some(site) = self.scan_site {
            event.place = place(site.name, site.city, site.prov);
        }
        if delivers(meaning) {
            (event.courier.name, event.courier.phone) = (self.operate_user, self.operate_user_phone);
        }
        event.signed_by = self.sign_man;
        refine(event)
    }
}

fn delivers(meaning: Meaning) -> bool {
    matches!(meaning.sub, Some(Sub::OnVehicle | Sub::Accepted))
}

fn place(name: Option<String>, city: Option<String>, region: Option<String>) -> Place {
    let city = without_end(city, '市');
    Place {
        text: name.or_else(|| city.clone()),
        city,
        region,
        country: Some("CN".into()),
        ..Place::default()
    }
}

fn meaning(codes: &[Code], code: &str) -> Meaning {
    meaning_of(codes, code).unwrap_or(Meaning::UNMAPPED)
}

/// `action` of a push, sorted as text.
static CODES: &[Code] = &[
    row("ARRIVAL", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("DEPARTURE", "发件", Meaning::sub(Sub::DepartedHub)),
    row("DEPARTURE_SIGNED", "凭码取件", Meaning::sub(Sub::Collected)),
    row("DISPATCH", "派件", Meaning::sub(Sub::OnVehicle)),
    row("GOT", "收件", Meaning::sub(Sub::Accepted)),
    row("HANDOVERSCAN_SIGNED", "三方入库后代签", Meaning::sub(Sub::Station)),
    row("INBOUND", "入库", Meaning::sub(Sub::Station)),
    row("PROBLEM", "问题件", Meaning::exception(Reason::Other)),
    row("RETURN_SCAN", "退件", Meaning::sub(Sub::OnTheWay)),
    row("RETURN_SIGNED", "退件签收", Meaning::sub(Sub::ToSender)),
    row("SIGNED", "签收", Meaning::sub(Sub::Signed)),
];

/// `scanType` of the query, sorted as text: Chinese words, words of lockers (ARRIVAL means "into the locker" here,
/// other than in a push), and numbers after a transfer. 45 left the collection point: the sentence says for whom.
static SCAN_TYPES: &[Code] = &[
    row("1", "收件", Meaning::sub(Sub::Accepted)),
    row("2", "发件", Meaning::sub(Sub::DepartedHub)),
    row("3", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("4", "派件", Meaning::sub(Sub::OnVehicle)),
    row("44", "入库", Meaning::sub(Sub::Station)),
    row("5", "签收", Meaning::sub(Sub::Signed)),
    row("7", "代签", Meaning::sub(Sub::SignedByOther)),
    row("8", "退件", Meaning::sub(Sub::OnTheWay)),
    row("9", "转单", Meaning::sub(Sub::HandedToPartner)),
    row("ARRIVAL", "入柜", Meaning::sub(Sub::Locker)),
    row("DELIVERY", "派件", Meaning::sub(Sub::OnVehicle)),
    row("DEPARTURE", "异常出柜", Meaning::exception(Reason::Other)),
    row("SIGNED", "出柜签收", Meaning::sub(Sub::LockerSigned)),
    row("事件", "事件", Meaning::exception(Reason::Other)),
    row("到件", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("发件", "发件", Meaning::sub(Sub::DepartedHub)),
    row("安检", "安检", Meaning::sub(Sub::Moving)),
    row("收件", "收件", Meaning::sub(Sub::Accepted)),
    row("派件", "派件", Meaning::sub(Sub::OnVehicle)),
    row("签收", "签收", Meaning::sub(Sub::Signed)),
    row("转单", "转单", Meaning::sub(Sub::HandedToPartner)),
    row("退件", "退件", Meaning::sub(Sub::OnTheWay)),
    row("问题件", "问题件", Meaning::exception(Reason::Other)),
];

#[cfg(test)]
#[path = "zto_tests.rs"]
mod tests;
