//! FedEx: asks where up to thirty of its parcels are, and takes its pushes.
//! Source: developer.fedex.com (track v1, OAuth, Advanced Integrated Visibility); facts/carriers-intl 5. Numbers are used
//! again after a while: must never mix the scans of two parcels.

mod push;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Step, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    header::add_header,
    meaning_of, oauth, refine, row,
};
use crate::model::{
    Account, Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Status, Sub, When,
};
use crate::wire::{Answer, Call, Cx, Refusal, Token, TokenStep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct FedEx;

static SPEC: CarrierSpec = CarrierSpec {
    code: "fedex",
    aggregator: false,
    serves: |carrier| carrier == "fedex",
    secrets: &["client_id", "client_secret"],
    settings: &[],
    base_url: "https://apis.fedex.com",
    needs_phone_tail: |_| false,
    batch: 30,
    per_second: 50,
    per_day: 100_000,
    min_interval_secs: 60 * 60,
    per_number_day: 24,
    codes: CODES,
    sureness: "limits and the push signature from the official documents, fields from one SDK; thirty numbers a call from \
               memory; the shape of a push beside its number is not known, so the answer's names are tried; not yet asked \
               live",
};

impl Carrier for FedEx {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["locale", "push", "push_token?"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        if asks.is_empty() || asks.len() > SPEC.batch {
            return Err(Refusal::Unsupported);
        }
        if asks.iter().any(|ask| ask.number.is_empty() || ask.number.len() > 40) {
            return Err(Refusal::BadNumber);
        }
        let token = cx.token.ok_or(Refusal::TokenExpired)?;
        let tracking_info = asks
            .iter()
            .map(|ask| Info { tracking_number_info: Number { tracking_number: &ask.number } })
            .collect();
        let question = Question { include_detailed_scans: true, tracking_info };
        let body = serde_json::to_vec(&question).map_err(|_| Refusal::Unsupported)?;
        let url = format!("{}/track/v1/trackingnumbers", cx.account.setting("base_url", SPEC.base_url));
        let mut call = Call::json("fedex.query", url, body);
        call.headers.push(("authorization", format!("Bearer {}", token.text.reveal())));
        call.headers.push(("x-locale", cx.account.setting("locale", "en_US").to_owned()));
        Ok(call)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said: Said = match answer.status {
            401 => return Err(Refusal::TokenExpired),
            // Errors of a request carry a code.
            400 | 403 | 404 => body::json(&Answer { status: 200, ..answer.clone() }, cx.now)
                .or_else(|_| body::http_status(answer, cx.now).and(Err(Refusal::Unreadable)))?,
            _ => body::json(answer, cx.now)?,
        };
        if let Some(mistake) = said.errors.first() {
            return Err(mistake.refusal());
        }
        let mut complete = said.output.ok_or(Refusal::Unreadable)?.complete_track_results;
        let mut told = Vec::with_capacity(asks.len());
        for ask in asks {
            let found =
                complete.iter().position(|one| one.is_about(&ask.number)).ok_or(Refusal::Unreadable)?;
            let result = complete.swap_remove(found).newest();
            match result.error.as_ref().map(Mistake::refusal) {
                None | Some(Refusal::NoDataYet) => {}
                // One number of many that FedEx does not take is no failure of the others.
                Some(_) if asks.len() > 1 => {}
                Some(refused) => return Err(refused),
            }
            told.push(result.tracked(&ask.number, cx.now));
        }
        Ok(Step::Done(told))
    }

    fn token(&self, _account: &Account) -> Option<&dyn TokenStep> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl TokenStep for FedEx {
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal> {
        let url = format!("{}/oauth/token", cx.account.setting("base_url", SPEC.base_url));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", cx.account.secret("client_id")),
            ("client_secret", cx.account.secret("client_secret")),
        ];
        Ok(Call::form("fedex.token", url, &fields))
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        oauth::token(cx, answer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    include_detailed_scans: bool,
    tracking_info: Vec<Info<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    tracking_number_info: Number<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Number<'a> {
    tracking_number: &'a str,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::list")]
    errors: Vec<Mistake>,
    #[serde(default)]
    output: Option<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    complete_track_results: Vec<Complete>,
}

#[derive(Deserialize)]
struct Mistake {
    #[serde(default)]
    code: String,
}

impl Mistake {
    fn refusal(&self) -> Refusal {
        match self.code.as_str() {
            "TRACKING.TRACKINGNUMBER.NOTFOUND" => Refusal::NoDataYet,
            "NOT.AUTHORIZED.ERROR" => Refusal::TokenExpired,
            "FORBIDDEN.ERROR" => Refusal::FixAccount { cure: CURE_PERMISSION },
            "LOGIN.REAUTHENTICATE.ERROR" => Refusal::FixAccount { cure: CURE_CREDENTIALS },
            code if code.starts_with("TRACKING.TRACKINGNUMBER.") => Refusal::BadNumber,
            code if code.contains("RATE") || code.contains("LIMIT") => Refusal::Throttled { until: None },
            _ => Refusal::Retry { after: None },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complete {
    #[serde(default, deserialize_with = "body::loose")]
    tracking_number: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    track_results: Vec<TrackResult>,
}

impl Complete {
    fn is_about(&self, number: &str) -> bool {
        self.tracking_number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    }

    /// Several results are several parcels that had the number: the one with the newest scan is meant.
    fn newest(self) -> TrackResult {
        let newest = |result: &TrackResult| {
            let times = result.scan_events.iter().filter_map(|scan| scan.when().utc);
            times.max()
        };
        self.track_results.into_iter().max_by_key(newest).unwrap_or_default()
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct TrackResult {
    latest_status_detail: Option<Latest>,
    #[serde(deserialize_with = "body::list")]
    scan_events: Vec<Scan>,
    #[serde(deserialize_with = "body::list")]
    date_and_times: Vec<DateAndTime>,
    estimated_delivery_time_window: Option<Estimate>,
    delivery_details: Option<Details>,
    error: Option<Mistake>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Latest {
    #[serde(deserialize_with = "body::loose")]
    code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DateAndTime {
    #[serde(rename = "type", deserialize_with = "body::loose")]
    kind: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    date_time: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Estimate {
    window: Option<Window>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Window {
    #[serde(deserialize_with = "body::loose")]
    begins: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    ends: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    #[serde(deserialize_with = "body::loose")]
    received_by_name: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    signed_by_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Scan {
    #[serde(deserialize_with = "body::loose")]
    date: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    event_type: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    event_description: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    exception_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    exception_description: Option<String>,
    scan_location: Option<Location>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Location {
    #[serde(deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    state_or_province_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    country_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    postal_code: Option<String>,
}

impl TrackResult {
    fn tracked(self, number: &str, now: Timestamp) -> Tracked {
        let mut events: Vec<Event> =
            self.scan_events.into_iter().map(|scan| scan.event(number, now)).collect();
        let latest = self.latest_status_detail.and_then(|latest| latest.code);
        add_header(&mut events, latest.as_deref(), |code| meaning_of(CODES, code), now);
        let details = self.delivery_details.unwrap_or_default();
        if let Some(event) = events.iter_mut().find(|event| event.status == Status::Delivered) {
            event.signed_by = details.received_by_name.or(details.signed_by_name);
        }
        let window =
            self.estimated_delivery_time_window.and_then(|estimate| estimate.window).unwrap_or_default();
        let day =
            self.date_and_times.into_iter().find(|one| one.kind.as_deref() == Some("ESTIMATED_DELIVERY"));
        let time = |text: Option<String>| When::parse(&text?, None)?.utc;
        let precision = if window.begins.is_some() { EtaPrecision::Window } else { EtaPrecision::Day };
        let (from, to) = (time(window.begins), time(window.ends));
        let at = time(day.and_then(|day| day.date_time));
        let span = from.or(at).or(to).zip(to.or(at).or(from));
        let eta = span.map(|(from, to)| Eta { from, to, source: EtaSource::Carrier, precision });
        Tracked { eta, ..Tracked::of(SPEC.code, number, events) }
    }
}

impl Scan {
    fn when(&self) -> When {
        self.date.as_deref().and_then(|text| When::parse(text, None)).unwrap_or_default()
    }

    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = self.when();
        let known = self.event_type.as_deref().and_then(|code| meaning_of(CODES, code));
        let words = match (self.event_description, self.exception_description) {
            (Some(words), Some(why)) if words != why => Some(format!("{words}: {why}")),
            (words, why) => words.or(why),
        };
        let raw = Raw { code: self.event_type, status: self.exception_code, description: words };
        let meaning = known.unwrap_or(Meaning::UNMAPPED);
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        let place = self.scan_location.unwrap_or_default();
        event.place = Place {
            text: place.city.clone(),
            city: place.city,
            region: place.state_or_province_code,
            country: place.country_code,
            postal: place.postal_code,
            ..Place::default()
        };
        refine(event)
    }
}

/// `eventType` and the code of the latest status, sorted as text.
static CODES: &[Code] = &[
    row("AF", "at a facility", Meaning::sub(Sub::ArrivedHub)),
    row("AR", "arrived", Meaning::sub(Sub::ArrivedHub)),
    row("CA", "cancelled", Meaning::sub(Sub::BySender)),
    row("CD", "customs delay", Meaning::exception(Reason::CustomsHold)),
    row("DE", "delivery exception", Meaning::sub(Sub::Other)),
    row("DL", "delivered", Meaning::sub(Sub::Signed)),
    row("DP", "departed", Meaning::sub(Sub::DepartedHub)),
    row("DY", "delayed", Meaning::exception(Reason::Overdue)),
    row("HL", "held for pickup", Meaning::sub(Sub::Counter)),
    row("HP", "ready for pickup", Meaning::sub(Sub::Counter)),
    row("IT", "in transit", Meaning::sub(Sub::Moving)),
    row("OC", "label made", Meaning::sub(Sub::LabelCreated)),
    row("OD", "out for delivery", Meaning::sub(Sub::OnVehicle)),
    row("OF", "at the origin", Meaning::sub(Sub::Moving)),
    row("PU", "picked up", Meaning::sub(Sub::Accepted)),
    row("RS", "returning", Meaning::sub(Sub::OnTheWay)),
    row("SE", "shipment exception", Meaning::exception(Reason::Other)),
];

#[cfg(test)]
#[path = "fedex_tests.rs"]
mod tests;
