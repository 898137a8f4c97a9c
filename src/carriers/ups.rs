//! UPS: asks where its parcels are, subscribes them, and takes its pushes.
//! Source: github.com/UPS-API (Tracking, OAuth, Track Alert); facts/carriers-intl 4. Its type "D" says "something about the
//! delivery", also "out for delivery": must never take it for a delivery without more.

mod push;
mod token;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Step, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_QUOTA},
    meaning_of, refine, row,
};
use crate::model::when::read_offset;
use crate::model::{
    Account, Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Status, Sub, When, ZoneSource,
};
use crate::wire::{Answer, Call, Cx, Refusal, TokenStep};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;
use token::authorized;

/// The codec.
#[derive(Debug)]
pub struct Ups;

static SPEC: CarrierSpec = CarrierSpec {
    code: "ups",
    aggregator: false,
    serves: |carrier| carrier == "ups",
    secrets: &["client_id", "client_secret"],
    settings: &[],
    base_url: "https://onlinetools.ups.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 60 * 60,
    per_number_day: 24,
    codes: CODES,
    sureness: "paths, fields and subscriptions from the official documents; which codes of type D mean a delivery from an SDK \
               and from memory; the push's fields and the header of its credential (`hook_header`) from memory; not yet \
               asked live",
};

impl Carrier for Ups {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["merchant_id", "locale", "country", "push", "hook_header", "hook_credential?"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let fits =
            (7..=34).contains(&ask.number.len()) && ask.number.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits {
            return Err(Refusal::BadNumber);
        }
        let url = format!(
            "{}/api/track/v1/details/{}?locale={}&returnSignature=false&returnMilestones=false&returnPOD=false",
            cx.account.setting("base_url", SPEC.base_url),
            ask.number,
            cx.account.setting("locale", "en_US"),
        );
        authorized(cx, Call::get("ups.query", url))
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let shipments = match said(answer, cx.now) {
            Ok(said) => said.track_response.ok_or(Refusal::Unreadable)?.shipment,
            Err(Refusal::NoDataYet) => Vec::new(),
            Err(refused) => return Err(refused),
        };
        let warned = |code: &str| {
            shipments
                .iter()
                .flat_map(|shipment| &shipment.warnings)
                .any(|warning| warning.code.as_deref() == Some(code))
        };
        if warned("TV1002") {
            return Err(Refusal::BadNumber);
        }
        let nothing = shipments.is_empty() || warned("TW0001");
        let own = |package: &Package| {
            package.number.as_ref().is_some_and(|number| number.eq_ignore_ascii_case(&ask.number))
        };
        let found = shipments.into_iter().flat_map(|shipment| shipment.package).find(own);
        match found {
            Some(package) => Ok(Step::Done(vec![package.tracked(&ask.number, cx.now)])),
            None if nothing => Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, Vec::new())])),
            None => Err(Refusal::Unreadable),
        }
    }

    fn token(&self, _account: &Account) -> Option<&dyn TokenStep> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

/// The answer, once its errors are read by what to do: they carry a code under several HTTP statuses.
fn said(answer: &Answer, now: Timestamp) -> Result<Said, Refusal> {
    let carries = matches!(answer.status, 400 | 401 | 403 | 404);
    let whole = Answer { status: if carries { 200 } else { answer.status }, ..answer.clone() };
    let said: Said = match body::json(&whole, now) {
        Ok(said) => said,
        Err(_) if answer.status == 404 => return Err(Refusal::NoDataYet),
        Err(refused) => return Err(body::http_status(answer, now).err().unwrap_or(refused)),
    };
    let code = said
        .response
        .as_ref()
        .and_then(|response| response.errors.first())
        .and_then(|one| one.code.as_deref());
    match (code, answer.status) {
        (None, 404) => Err(Refusal::NoDataYet),
        (None, _) => body::http_status(answer, now).map(|()| said),
        (Some("250002" | "250003"), _) => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        (Some("TV1002"), _) => Err(Refusal::BadNumber),
        (Some("TW0001"), _) | (Some(_), 404) => Err(Refusal::NoDataYet),
        (Some("429" | "10429"), _) => Err(Refusal::Throttled { until: None }),
        (Some(code), _) if code.starts_with("VSS") && code != "VSS100" => {
            Err(Refusal::FixAccount { cure: CURE_QUOTA })
        }
        (Some(_), 401) => Err(Refusal::TokenExpired),
        (Some(_), _) => Err(Refusal::Retry { after: None }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    track_response: Option<TrackResponse>,
    #[serde(default)]
    response: Option<Errors>,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default, deserialize_with = "body::list")]
    errors: Vec<Named>,
}

/// An error or a warning.
#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
}

#[derive(Deserialize)]
struct TrackResponse {
    #[serde(default, deserialize_with = "body::list")]
    shipment: Vec<Shipment>,
}

#[derive(Deserialize)]
struct Shipment {
    #[serde(default, deserialize_with = "body::list")]
    warnings: Vec<Named>,
    #[serde(default, deserialize_with = "body::list")]
    package: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(default, rename = "trackingNumber", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    activity: Vec<Activity>,
    #[serde(default, deserialize_with = "body::list")]
    delivery_date: Vec<DeliveryDate>,
    #[serde(default)]
    delivery_information: Option<Information>,
}

#[derive(Deserialize)]
struct DeliveryDate {
    #[serde(default, rename = "type", deserialize_with = "body::loose")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Information {
    #[serde(default, deserialize_with = "body::loose")]
    received_by: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Activity {
    #[serde(deserialize_with = "body::loose")]
    date: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    gmt_date: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    gmt_time: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    gmt_offset: Option<String>,
    location: Option<Location>,
    status: Option<Status3>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Location {
    address: Option<Address>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Address {
    #[serde(deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    state_province: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    postal_code: Option<String>,
    #[serde(alias = "country", deserialize_with = "body::loose")]
    country_code: Option<String>,
}

/// One thing said three ways: a letter, a short code, a number.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status3 {
    #[serde(rename = "type", deserialize_with = "body::loose")]
    kind: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(alias = "descriptionCode", deserialize_with = "body::loose")]
    status_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    description: Option<String>,
}

impl Package {
    fn tracked(self, number: &str, now: Timestamp) -> Tracked {
        let mut events: Vec<Event> =
            self.activity.into_iter().map(|activity| activity.event(number, now)).collect();
        let signed = self.delivery_information.and_then(|information| information.received_by);
        if let Some(event) = events.iter_mut().find(|event| event.status == Status::Delivered) {
            event.signed_by = event.signed_by.take().or(signed);
        }
        // A day has no zone of its own: it is the day where the parcel was scanned last.
        let newest = events.iter().max_by_key(|event| event.time.utc);
        let home = newest
            .and_then(|event| event.time.offset.as_deref())
            .and_then(read_offset)
            .unwrap_or(Offset::UTC);
        let promised = |kind: &str| self.delivery_date.iter().find(|day| day.kind.as_deref() == Some(kind));
        let day = promised("RDD").or_else(|| promised("SDD")).and_then(|day| day.date.as_deref());
        let day = day.and_then(|day| When::parse(&spelled(day, "000000")?, Some(home))?.utc);
        let eta =
            day.map(|at| Eta { from: at, to: at, source: EtaSource::Carrier, precision: EtaPrecision::Day });
        Tracked { eta, ..Tracked::of(SPEC.code, number, events) }
    }
}

/// `20260302` and `091400`, or with separators, as one text.
fn spelled(date: &str, time: &str) -> Option<String> {
    let mut text = String::with_capacity(19);
    for (part, form) in [(date, "____-__-__"), (time, " __:__:__")] {
        let mut digits = part.chars().filter(char::is_ascii_digit);
        for mark in form.chars() {
            text.push(if mark == '_' { digits.next()? } else { mark });
        }
        if digits.next().is_some() {
            return None;
        }
    }
    Some(text)
}

impl Activity {
    /// By its GMT fields where they are there; local time without a zone otherwise.
    fn when(&self) -> When {
        let utc = self.gmt_date.as_deref().zip(self.gmt_time.as_deref());
        let utc = utc.and_then(|(date, time)| When::parse(&spelled(date, time)?, Some(Offset::UTC))?.utc);
        let local =
            self.date.as_deref().zip(self.time.as_deref()).and_then(|(date, time)| spelled(date, time));
        let local = local.and_then(|text| When::parse(&text, None));
        let Some(utc) = utc else { return local.unwrap_or_default() };
        let given = self.gmt_offset.as_deref().and_then(read_offset);
        let derived = || {
            let there = When::parse(&local.as_ref()?.local, Some(Offset::UTC))?.utc?;
            Offset::from_seconds(i32::try_from(there.as_second() - utc.as_second()).ok()?).ok()
        };
        When::at(utc, given.or_else(derived).unwrap_or(Offset::UTC), ZoneSource::CarrierGmt)
    }

    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = self.when();
        let said = self.status.unwrap_or_default();
        let kind = said.kind.unwrap_or_default();
        let finer = said.code.or(said.status_code.clone());
        let mut meaning = meaning_of(CODES, &kind).unwrap_or(Meaning::UNMAPPED);
        if kind == "D" {
            match (finer.as_deref().unwrap_or(""), said.status_code.as_deref().unwrap_or("")) {
                ("FS" | "KB" | "F4", _) | (_, "011") => meaning = Meaning::sub(Sub::Signed),
                (_, "021") => meaning = Meaning::sub(Sub::OnVehicle),
                _ => {}
            }
        }
        let raw = Raw {
            code: Some(kind).filter(|kind| !kind.is_empty()),
            status: finer,
            description: said.description,
        };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        let address = self.location.and_then(|location| location.address).unwrap_or_default();
        event.place = Place {
            text: address.city.clone(),
            city: address.city,
            region: address.state_province,
            country: address.country_code,
            postal: address.postal_code,
            ..Place::default()
        };
        refine(event)
    }
}

/// The letter of a status, sorted as text. D is told apart by its codes and sentence; U says nothing of the way.
static CODES: &[Code] = &[
    row("D", "about the delivery", Meaning::sub(Sub::Moving)),
    row("I", "in progress", Meaning::sub(Sub::Moving)),
    row("M", "announced", Meaning::sub(Sub::LabelCreated)),
    row("MV", "voided", Meaning::sub(Sub::BySender)),
    row("P", "picked up", Meaning::sub(Sub::Accepted)),
    row("RS", "returned to the shipper", Meaning::sub(Sub::OnTheWay)),
    row("U", "updated", Meaning::UNMAPPED),
    row("X", "exception", Meaning::exception(Reason::Other)),
];

#[cfg(test)]
#[path = "ups_tests.rs"]
mod tests;
