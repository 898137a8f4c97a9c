//! Cainiao 菜鸟 (the LINK gateway): asks about waybills of several carriers with one resource code, and creates
//! them. Source: link.cainiao.com (`CNTECH_LV_LOGISTICS_DETAIL_GET`); facts/carriers-cn 8. Must never promise pushes: their
//! form is not known.

mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, Step, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    china_time,
    header::add_header,
    meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Cainiao;

/// Cainiao's names of carriers (`cpCode`). Its own parcels have the account's `cp_code`.
const CP_CODES: [(&str, &str); 8] = [
    ("sf", "SF"),
    ("zto", "ZTO"),
    ("sto", "STO"),
    ("yto", "YTO"),
    ("yunda", "YUNDA"),
    ("ems", "EMS"),
    ("chinapost", "POSTB"),
    ("deppon", "DBKD"),
];

static SPEC: CarrierSpec = CarrierSpec {
    code: "cainiao",
    aggregator: true,
    serves: |carrier| carrier == "cainiao" || CP_CODES.iter().any(|(code, _)| *code == carrier),
    secrets: &["secret"],
    settings: &["provider_id", "app_code"],
    base_url: "https://link.cainiao.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 5,
    per_day: 20_000,
    min_interval_secs: 20 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "gateway and signature from six clients; the words for states from memory but one; what stands beside time \
               and words of a scan is not known, so the sentence is read; the names of carriers are the usual ones, its own \
               is `cp_code`; pushes are not known and not offered; not yet asked live",
};

impl Carrier for Cainiao {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["to_code", "cp_code", "waybill_token?", "template_url", "channel"]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 32 {
            return Err(Refusal::BadNumber);
        }
        let question = Question {
            app_code: cx.account.setting("app_code", ""),
            cp_code: cp_code(cx, &ask.carrier),
            mail_no: &ask.number,
            receiver_phone: ask.phone_tail.as_deref(),
        };
        let interface =
            serde_json::to_string(&Arguments { arg0: question }).map_err(|_| Refusal::Unsupported)?;
        let (provider, to) =
            (cx.account.setting("provider_id", ""), cx.account.setting("to_code", "CNTECH_LV"));
        let to = [("to_code", to)];
        Ok(call(cx, "cainiao.query", "CNTECH_LV_LOGISTICS_DETAIL_GET", provider, &interface, &to))
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said = body::json(answer, cx.now)?;
        match said.refusal() {
            Ok(()) => {}
            Err(Refusal::NoDataYet) => {
                return Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, Vec::new())]));
            }
            Err(refused) => return Err(refused),
        }
        if said.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number)) {
            return Err(Refusal::Unreadable);
        }
        let whole = said.status.clone();
        let scans = said.scans().into_iter();
        let mut events: Vec<Event> =
            scans.map(|scan| scan.event(&ask.carrier, &ask.number, cx.now)).collect();
        add_header(&mut events, whole.as_deref(), |code| meaning_of(CODES, code), cx.now);
        Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, events)]))
    }
}

/// Cainiao's name of a carrier.
fn cp_code<'a>(cx: &Cx<'a>, carrier: &str) -> &'a str {
    let known = CP_CODES.iter().find(|(code, _)| *code == carrier).map(|(_, cp_code)| *cp_code);
    known.unwrap_or_else(|| cx.account.setting("cp_code", "DANNIAO"))
}

fn call(
    cx: &Cx,
    operation: &'static str,
    msg_type: &str,
    provider: &str,
    interface: &str,
    further: &[(&str, &str)],
) -> Call {
    let digest = digest(interface, cx.account.secret("secret"));
    let url = format!("{}/gateway/link.do", cx.account.setting("base_url", SPEC.base_url));
    let fields = [
        ("msg_type", msg_type),
        ("logistic_provider_id", provider),
        ("logistics_interface", interface),
        ("data_digest", &digest),
    ];
    Call::form(operation, url, &[&fields, further].concat())
}

/// Base64 of the raw MD5 of the interface and the secret.
fn digest(interface: &str, secret: &str) -> String {
    sign::md5_base64([interface, secret].concat().as_bytes())
}

#[derive(Serialize)]
struct Arguments<'a> {
    arg0: Question<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    app_code: &'a str,
    cp_code: &'a str,
    mail_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_phone: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    error_msg: Option<String>,
    #[serde(default, rename = "mailNo", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, rename = "logisticsStatus", deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default)]
    full_trace_detail: Option<Vec<Scan>>,
    /// The older shape.
    #[serde(default)]
    result: Option<Older>,
}

#[derive(Deserialize)]
struct Older {
    #[serde(deserialize_with = "body::embedded")]
    data: Option<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(deserialize_with = "body::list")]
    detail: Vec<Scan>,
}

impl Said {
    fn refusal(&self) -> Result<(), Refusal> {
        let message = self.error_msg.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match self.success.as_deref() {
            None if self.result.is_none() => Err(Refusal::Unreadable),
            None => Ok(()),
            Some(success) if success.eq_ignore_ascii_case("true") => Ok(()),
            _ if has(&["签名", "digest", "sign"]) => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            _ if has(&["权限", "授权", "未订购"]) => {
                Err(Refusal::FixAccount { cure: CURE_PERMISSION })
            }
            _ if has(&["流控", "频繁", "限流"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["手机"]) => Err(Refusal::NeedPhoneTail),
            _ if has(&["不存在", "无物流", "查无"]) => Err(Refusal::NoDataYet),
            _ if has(&["单号", "mailNo"]) => Err(Refusal::BadNumber),
            _ => Err(Refusal::Retry { after: None }),
        }
    }

    fn scans(self) -> Vec<Scan> {
        let older = || self.result.and_then(|older| older.data).map(|data| data.detail).unwrap_or_default();
        self.full_trace_detail.unwrap_or_else(older)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, alias = "opTime", deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(default, alias = "opDesc", deserialize_with = "body::loose")]
    desc: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    logistics_status: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
}

impl Scan {
    fn event(self, carrier: &str, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.time.as_deref());
        let known = self.logistics_status.as_deref().and_then(|code| meaning_of(CODES, code));
        let raw = Raw { code: self.logistics_status, status: None, description: self.desc };
        let meaning = known.unwrap_or(Meaning::UNMAPPED);
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        let city = without_end(self.city, '市');
        event.place = Place { text: city.clone(), city, ..Place::default() };
        refine(event)
    }
}

/// `logisticsStatus`, sorted as text.
static CODES: &[Code] = &[
    row("ACCEPT", "揽收", Meaning::sub(Sub::Accepted)),
    row("AGENT_SIGN", "待取", Meaning::sub(Sub::Station)),
    row("CONSIGN", "发货", Meaning::sub(Sub::LabelCreated)),
    row("DELIVERING", "派送", Meaning::sub(Sub::OnVehicle)),
    row("FAILED", "异常", Meaning::exception(Reason::Other)),
    row("REJECT", "拒签", Meaning::exception(Reason::Refused)),
    row("SIGN", "签收", Meaning::sub(Sub::Signed)),
    row("TRANSPORT", "运输", Meaning::sub(Sub::Moving)),
    row("WAIT_ACCEPT", "待揽收", Meaning::sub(Sub::AwaitingPickup)),
];

#[cfg(test)]
#[path = "cainiao_tests.rs"]
mod tests;
