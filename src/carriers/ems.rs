//! EMS and China Post 邮政 (protocol customers): asks where their waybills are, takes their pushes, and
//! creates waybills. Source: api.ems.com.cn (040001 query, 040002 push, 020003 order, all SM4); facts/carriers-cn 6. Some
//! scans undo earlier ones: must never let a delivery stand that the post took back.

mod cipher;
mod codes;
mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, News, Push, Step, Told, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, without_end,
};
use crate::model::when::CHINA;
use crate::model::{Event, Meaning, Place, Raw, Status};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use cipher::Cipher;
use codes::{CODES, attempted, delivered, undoes};
use jiff::Timestamp;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The codec.
#[derive(Debug)]
pub struct Ems;

/// One customer number serves the whole family.
const FAMILY: [&str; 6] =
    ["ems", "ems-intl", "chinapost", "chinapost-std", "chinapost-ecom", "chinapost-intl"];

static SPEC: CarrierSpec = CarrierSpec {
    code: "ems",
    aggregator: false,
    serves: |carrier| FAMILY.contains(&carrier),
    secrets: &["authorization", "sign_key"],
    settings: &["sender_no"],
    base_url: "https://api.ems.com.cn",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 5,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "gateway and cipher agree in five clients, codes from the vendor's dictionary by way of OLTS; other return \
               codes than 00000 are hardly known, so refusals are told apart by their words; whether a push ends with the \
               key's text is unsure, both are read; not yet asked live",
};

impl Carrier for Ems {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["path", "push", "user_code", "product"]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 32 {
            return Err(Refusal::BadNumber);
        }
        let question = Question { waybill_no: &ask.number, direction: "0" };
        call(cx, "ems.query", "040001", &question)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said<Items> = body::json(answer, cx.now)?;
        if said.refusal()? == Known::Nothing {
            return Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, Vec::new())]));
        }
        let scans = said.body.map(|body| body.0).unwrap_or_default();
        let other = |scan: &Scan| {
            scan.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number))
        };
        if scans.iter().any(other) {
            return Err(Refusal::Unreadable);
        }
        let events = scans.into_iter().map(|scan| scan.event(&ask.carrier, &ask.number, cx.now)).collect();
        Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, events)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Ems {
    /// Nothing is signed: that the text opens with the account's key, for the account's customer number, is the proof.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let envelope = Envelope::of(&request.body).ok_or(Unverified::Malformed)?;
        let cipher = Cipher::new(cx.account.secret("sign_key")).ok_or(Unverified::BadSignature)?;
        let sender = cx.account.setting("sender_no", "");
        let proof = sign::matches(sender.as_bytes(), envelope.sender_no.as_bytes());
        let proof = proof.ok_or(Unverified::BadSignature)?;
        let opened = cipher.open(&envelope.interface).ok_or(Unverified::BadSignature)?;
        // The right padding is met by chance once in 256 times; a whole object is not.
        serde_json::from_str::<Scan>(&opened).map_err(|_| Unverified::BadSignature)?;
        Ok(Verified::new(opened.into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let scan: Scan = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = scan.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let events = vec![scan.event(SPEC.code, &number, cx.now)];
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, events))], ..Told::default() })
    }

    fn acknowledge(&self, cx: &Cx, request: &Request, stored: bool) -> Reply {
        let serial = Envelope::of(&request.body).map(|envelope| envelope.serial_no.into_owned());
        let said = Acknowledged {
            serial_no: serial.unwrap_or_default(),
            code: if stored { "00000" } else { "99999" },
            code_message: if stored { "成功" } else { "稍后重试" },
            sender_no: cx.account.setting("sender_no", ""),
        };
        let body = serde_json::to_vec(&said).unwrap_or_default();
        let status = if stored { 200 } else { 503 };
        Reply { status, content_type: "application/json; charset=utf-8", body }
    }
}

fn call(cx: &Cx, operation: &'static str, api: &str, question: &impl Serialize) -> Result<Call, Refusal> {
    let json = serde_json::to_string(question).map_err(|_| Refusal::Unsupported)?;
    let cipher = Cipher::new(cx.account.secret("sign_key"));
    let sealed = cipher.ok_or(Refusal::FixAccount { cure: CURE_CREDENTIALS })?.seal(&json);
    let time = CHINA.to_datetime(cx.now).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let path = cx.account.setting("path", "/amp-prod-api/f/amp/api/open");
    let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
    let mut fields = vec![
        ("apiCode", api),
        ("senderNo", cx.account.setting("sender_no", "")),
        ("authorization", cx.account.secret("authorization")),
        ("timeStamp", &time),
        ("msgType", "0"),
        ("version", "V1.0.0"),
        ("logitcsInterface", &sealed),
    ];
    let user = cx.account.setting("user_code", "");
    if !user.is_empty() {
        fields.push(("userCode", user));
    }
    Ok(Call::form(operation, url, &fields))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    waybill_no: &'a str,
    direction: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledged<'a> {
    serial_no: String,
    code: &'a str,
    code_message: &'a str,
    sender_no: &'a str,
}

/// A push before it is opened: JSON, or the same names as a form.
struct Envelope<'a> {
    interface: Cow<'a, str>,
    sender_no: Cow<'a, str>,
    serial_no: Cow<'a, str>,
}

impl<'a> Envelope<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Json {
            logitcs_interface: String,
            #[serde(default, deserialize_with = "body::loose")]
            sender_no: Option<String>,
            #[serde(default, deserialize_with = "body::loose")]
            serial_no: Option<String>,
        }
        if body.trim_ascii_start().first() == Some(&b'{') {
            let json: Json = serde_json::from_slice(body).ok()?;
            return Some(Self {
                interface: json.logitcs_interface.into(),
                sender_no: json.sender_no.unwrap_or_default().into(),
                serial_no: json.serial_no.unwrap_or_default().into(),
            });
        }
        let field =
            |name: &str| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value);
        Some(Self {
            interface: field("logitcsInterface")?,
            sender_no: field("senderNo").unwrap_or_default(),
            serial_no: field("serialNo").unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Said<T> {
    #[serde(default, rename = "retCode", deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, rename = "retMsg", deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default, rename = "retBody", deserialize_with = "body::embedded")]
    body: Option<T>,
}

/// Whether the post has anything to tell.
#[derive(PartialEq)]
enum Known {
    Something,
    Nothing,
}

impl<T> Said<T> {
    fn refusal(&self) -> Result<Known, Refusal> {
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match self.code.as_deref() {
            Some("00000") if self.body.is_none() => Ok(Known::Nothing),
            Some("00000") => Ok(Known::Something),
            None => Err(Refusal::Unreadable),
            _ if has(&["无数据", "未查询到", "无轨迹"]) => Ok(Known::Nothing),
            _ if has(&["解密", "签名", "授权", "authorization"]) => {
                Err(Refusal::FixAccount { cure: CURE_CREDENTIALS })
            }
            _ if has(&["权限", "未开通"]) => Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
            _ if has(&["客户号", "senderNo"]) => Err(Refusal::FixAccount { cure: CURE_SETTINGS }),
            _ if has(&["频繁", "限流", "超过"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["邮件号", "waybillNo"]) => Err(Refusal::BadNumber),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

/// `retBody`: a list, or a list in an object.
struct Items(Vec<Scan>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of scans, or an object with responseItems")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Items, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Items)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Items, A::Error> {
        #[derive(Deserialize)]
        struct Wrapped {
            #[serde(rename = "responseItems", deserialize_with = "body::list")]
            scans: Vec<Scan>,
        }
        Wrapped::deserialize(MapAccessDeserializer::new(map)).map(|wrapped| Items(wrapped.scans))
    }
}

/// One scan of an answer, or a whole push.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, rename = "waybillNo", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_desc: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_org_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_org_prov_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_org_city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operator_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    deliver_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    attempt_delivery_code: Option<String>,
}

impl Scan {
    fn event(self, carrier: &str, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.op_time.as_deref());
        let code = self.op_code.as_deref().unwrap_or("");
        let mut meaning = meaning_of(CODES, code).unwrap_or(Meaning::UNMAPPED);
        let finer = match meaning.status {
            Status::Delivered => self.deliver_code.as_deref().and_then(delivered),
            Status::AttemptFailed => self.attempt_delivery_code.as_deref().and_then(attempted),
            _ => None,
        };
        meaning = finer.unwrap_or(meaning);
        let revokes: Vec<String> = undoes(code).iter().map(|&code| code.to_owned()).collect();
        let words = self.op_desc.or(self.op_name);
        let raw = Raw { code: self.op_code, status: None, description: words };
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        event.place = Place {
            text: self.op_org_name,
            city: without_end(self.op_org_city, '市'),
            region: without_end(self.op_org_prov_name, '省'),
            country: None,
            ..Place::default()
        };
        if event.status == Status::OutForDelivery {
            event.courier.name = self.operator_name;
        }
        // A scan that only undoes another one says nothing, whatever its sentence sounds like.
        if !revokes.is_empty() {
            event.revokes = revokes;
            return event;
        }
        refine(event)
    }
}

#[cfg(test)]
#[path = "ems_tests.rs"]
mod tests;
