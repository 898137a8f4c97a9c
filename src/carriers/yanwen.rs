//! Yanwen 燕文, a cross-border line: asks where up to thirty of its parcels are.
//! Source: trackapi.yanwentech.com (`/api/tracking`); facts/carriers-intl 7. Times have their zone in a field of their
//! own: must never be read without it.

use super::{
    Ask, Carrier, CarrierSpec, Code, Step, Tracked,
    body::{self, CURE_CREDENTIALS},
    meaning_of, refine,
};
use crate::model::{Event, Meaning, Place, Raw, Sub, When};
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;
use serde::Deserialize;

/// The codec.
#[derive(Debug)]
pub struct Yanwen;

static SPEC: CarrierSpec = CarrierSpec {
    code: "yanwen",
    aggregator: false,
    serves: |carrier| carrier == "yanwen",
    secrets: &["customer_number"],
    settings: &[],
    base_url: "https://trackapi.yanwentech.com",
    needs_phone_tail: |_| false,
    batch: 30,
    per_second: 2,
    per_day: 10_000,
    min_interval_secs: 60 * 60,
    per_number_day: 24,
    codes: CODES,
    sureness: "one SDK of 2022, which asks by plain http (`base_url` changes it back); three codes are known, other scans \
               are read by their words; error codes are not known; not yet asked live",
};

impl Carrier for Yanwen {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        if asks.is_empty() || asks.len() > SPEC.batch {
            return Err(Refusal::Unsupported);
        }
        let numbers: Vec<&str> = asks.iter().map(|ask| ask.number.as_str()).collect();
        if numbers.iter().any(|number| number.is_empty() || number.len() > 32 || number.contains(',')) {
            return Err(Refusal::BadNumber);
        }
        let nums: String = form_urlencoded::byte_serialize(numbers.join(",").as_bytes()).collect();
        let url = format!("{}/api/tracking?nums={nums}", cx.account.setting("base_url", SPEC.base_url));
        let mut call = Call::get("yanwen.query", url);
        call.headers.push(("authorization", cx.account.secret("customer_number").to_owned()));
        Ok(call)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        let mut parcels = match said.code.as_deref() {
            Some("0") => said.result.ok_or(Refusal::Unreadable)?,
            None => return Err(Refusal::Unreadable),
            _ => return Err(said.refusal()),
        };
        let mut told = Vec::with_capacity(asks.len());
        for ask in asks {
            let found = parcels.iter().position(|parcel| parcel.is_about(&ask.number));
            let scans = found.map(|at| parcels.swap_remove(at).checkpoints).unwrap_or_default();
            let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
            told.push(Tracked::of(SPEC.code, &ask.number, events));
        }
        if parcels.is_empty() { Ok(Step::Done(told)) } else { Err(Refusal::Unreadable) }
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default)]
    result: Option<Vec<Parcel>>,
}

impl Said {
    fn refusal(&self) -> Refusal {
        let message = self.message.as_deref().unwrap_or("").to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if has(&["authorization", "授权", "认证"]) {
            Refusal::FixAccount { cure: CURE_CREDENTIALS }
        } else if has(&["frequent", "频繁", "limit"]) {
            Refusal::Throttled { until: None }
        } else {
            Refusal::Retry { after: None }
        }
    }
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(default, rename = "tracking_number", deserialize_with = "body::loose")]
    number: Option<String>,
    /// The number that Yanwen gave it first.
    #[serde(default, deserialize_with = "body::loose")]
    waybill_number: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    checkpoints: Vec<Scan>,
}

impl Parcel {
    fn is_about(&self, number: &str) -> bool {
        let own = [&self.number, &self.waybill_number];
        own.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(number))
    }
}

#[derive(Deserialize)]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    time_stamp: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    time_zone: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    tracking_status: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    location: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let zone = self.time_zone.unwrap_or_default();
        let signed = if zone.starts_with(['+', '-']) || zone.is_empty() { zone } else { format!("+{zone}") };
        let text = self.time_stamp.map(|time| format!("{time}{signed}"));
        let time = text.and_then(|text| When::parse(&text, None)).unwrap_or_default();
        let known = self.tracking_status.as_deref().and_then(|code| match code.starts_with("SC") {
            true => Some(Meaning::sub(Sub::ArrivedHub)),
            false => meaning_of(CODES, code),
        });
        let raw = Raw { code: self.tracking_status, status: None, description: self.message };
        let meaning = known.unwrap_or(Meaning::UNMAPPED);
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = Place { text: self.location, ..Place::default() };
        refine(event)
    }
}

/// `tracking_status`, sorted as text; every `SC…` is a sorting centre.
static CODES: &[Code] = &[
    Code { code: "LM40", name: "delivered", meaning: Meaning::sub(Sub::Signed) },
    Code { code: "PU10", name: "accepted", meaning: Meaning::sub(Sub::Accepted) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_its_own_field_is_applied() {
        let at = |zone: &str| {
            let json = format!(
                r#"{{"time_stamp":"2026-03-02T10:00:00","time_zone":{zone},"tracking_status":"SC20","message":"x"}}"#
            );
            let scan: Scan = serde_json::from_str(&json).unwrap();
            scan.event("UG000000017YP", Timestamp::UNIX_EPOCH).time.utc.map(|utc| utc.to_string())
        };
        assert_eq!(at("\"+8\"").as_deref(), Some("2026-03-02T02:00:00Z"));
        assert_eq!(at("8").as_deref(), Some("2026-03-02T02:00:00Z"));
        assert_eq!(at("\"-5\"").as_deref(), Some("2026-03-02T15:00:00Z"));
        assert_eq!(at("null"), None);
    }
}
