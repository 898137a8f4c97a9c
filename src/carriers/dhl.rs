//! DHL (Shipment Tracking – Unified): asks where its shipments are, subscribes them, and takes its pushes.
//! Source: developer.dhl.com (`/track/shipments`, `/tracking/push/v1`); facts/carriers-intl 1 and 2. DHL's codes say no
//! more than five things, so its sentences are read. Must never take another shipment with the same number for ours.

mod push;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Step, Tracked,
    body::{self},
    header::header,
    meaning_of, refine,
};
use crate::model::{Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Status, Sub, When};
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;
use serde::Deserialize;

/// The codec.
#[derive(Debug)]
pub struct Dhl;

static SPEC: CarrierSpec = CarrierSpec {
    code: "dhl",
    aggregator: false,
    serves: |carrier| matches!(carrier, "dhl" | "dhl-de" | "dhl-ecommerce-asia"),
    secrets: &["api_key"],
    settings: &[],
    base_url: "https://api-eu.dhl.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 1,
    per_day: 250,
    // Ten fetches a shipment and day, evenly spread.
    min_interval_secs: 144 * 60,
    per_number_day: 10,
    codes: CODES,
    sureness: "official documents and several SDKs; calls a second differ by source; there is no sandbox; the method of the \
               push's activation is likely POST (`activate_method`), pushes differ by division; not yet asked live",
};

impl Carrier for Dhl {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["service", "language", "requester_country", "push", "hook_token?", "activate_method"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 40 {
            return Err(Refusal::BadNumber);
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("trackingNumber", &ask.number);
        query.append_pair("language", cx.account.setting("language", "en"));
        for (name, setting) in [("service", "service"), ("requesterCountryCode", "requester_country")] {
            let value = cx.account.setting(setting, "");
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let url =
            format!("{}/track/shipments?{}", cx.account.setting("base_url", SPEC.base_url), query.finish());
        Ok(keyed(cx, Call::get("dhl.query", url)))
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        match answer.status {
            // Ten to thirty minutes may pass before a new shipment is known, and old ones are forgotten.
            404 => return Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, Vec::new())])),
            400 => return Err(Refusal::BadNumber),
            _ => {}
        }
        let said: Said = body::json(answer, cx.now)?;
        let own = said.shipments.into_iter().find(|shipment| shipment.is_about(&ask.number));
        let own = own.ok_or(Refusal::Unreadable)?;
        Ok(Step::Done(vec![own.tracked(&ask.carrier, &ask.number, cx.now)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

fn keyed(cx: &Cx, mut call: Call) -> Call {
    call.headers.push(("dhl-api-key", cx.account.secret("api_key").to_owned()));
    call.headers.push(("accept", "application/json".to_owned()));
    call
}

#[derive(Deserialize)]
struct Said {
    shipments: Vec<Shipment>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Shipment {
    #[serde(deserialize_with = "body::loose")]
    id: Option<String>,
    status: Option<Scan>,
    #[serde(deserialize_with = "body::list")]
    events: Vec<Scan>,
    #[serde(deserialize_with = "body::loose")]
    return_flag: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    estimated_time_of_delivery: Option<String>,
    estimated_delivery_time_frame: Option<Frame>,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Frame {
    #[serde(deserialize_with = "body::loose")]
    estimated_from: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    estimated_through: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    #[serde(deserialize_with = "body::list")]
    piece_ids: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Scan {
    #[serde(deserialize_with = "body::loose")]
    timestamp: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    status_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    description: Option<String>,
    location: Option<Location>,
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
    country_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    postal_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    address_locality: Option<String>,
}

impl Shipment {
    /// By its own id, or by one of its pieces'.
    fn is_about(&self, number: &str) -> bool {
        let pieces = self.details.iter().flat_map(|details| &details.piece_ids);
        self.id.iter().chain(pieces).any(|own| own.eq_ignore_ascii_case(number))
    }

    fn tracked(self, carrier: &str, number: &str, now: Timestamp) -> Tracked {
        let back = self.return_flag.as_deref() == Some("true");
        let event = |scan: Scan| scan.event(carrier, number, back, now);
        let mut events: Vec<Event> = self.events.into_iter().map(event).collect();
        // A push may hold the newest status only.
        match self.status {
            Some(status) if events.is_empty() => {
                events.extend(status.timestamp.is_some().then(|| event(status)))
            }
            Some(status) => {
                let said = status.meaning(back);
                let code = status.status_code.unwrap_or_default();
                events.extend(header(said, &code, &events, now));
            }
            None => {}
        }
        let frame = self.estimated_delivery_time_frame.unwrap_or_default();
        let time = |text: Option<String>| When::parse(&text?, None)?.utc;
        let (from, to) = (time(frame.estimated_from), time(frame.estimated_through));
        let at = time(self.estimated_time_of_delivery);
        let span = from.or(at).or(to).zip(to.or(at).or(from));
        let precision = if from.is_some() && to.is_some() { EtaPrecision::Window } else { EtaPrecision::Day };
        let eta = span.map(|(from, to)| Eta { from, to, source: EtaSource::Carrier, precision });
        Tracked { eta, ..Tracked::of(carrier, number, events) }
    }
}

impl Scan {
    /// On the way back "delivered" means that the sender has it, "failure" that it turned round.
    fn meaning(&self, back: bool) -> Meaning {
        let known =
            self.status_code.as_deref().and_then(|code| meaning_of(CODES, &code.to_ascii_lowercase()));
        match known.unwrap_or(Meaning::UNMAPPED) {
            meaning if !back => meaning,
            Meaning { status: Status::Delivered, .. } => Meaning::sub(Sub::ToSender),
            Meaning { status: Status::Exception, .. } => Meaning::sub(Sub::OnTheWay),
            meaning => meaning,
        }
    }

    fn event(self, carrier: &str, number: &str, back: bool, now: Timestamp) -> Event {
        let time = self.timestamp.as_deref().and_then(|text| When::parse(text, None)).unwrap_or_default();
        let meaning = self.meaning(back);
        let raw = Raw { code: self.status_code, status: None, description: self.description.or(self.status) };
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        let address = self.location.and_then(|location| location.address).unwrap_or_default();
        event.place = Place {
            text: address.address_locality.clone(),
            city: address.address_locality,
            country: address.country_code,
            postal: address.postal_code,
            ..Place::default()
        };
        refine(event)
    }
}

/// `statusCode`, sorted as text.
static CODES: &[Code] = &[
    Code { code: "delivered", name: "delivered", meaning: Meaning::sub(Sub::Signed) },
    Code { code: "failure", name: "could not be delivered", meaning: Meaning::exception(Reason::Other) },
    Code { code: "pre-transit", name: "announced", meaning: Meaning::sub(Sub::LabelCreated) },
    Code { code: "transit", name: "moving", meaning: Meaning::sub(Sub::Moving) },
    Code { code: "unknown", name: "no simple code", meaning: Meaning::UNMAPPED },
];

#[cfg(test)]
#[path = "dhl_tests.rs"]
mod tests;
