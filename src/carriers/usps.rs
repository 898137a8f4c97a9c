//! USPS: asks where its mail pieces are.
//! Source: developers.usps.com (tracking v3, OAuth); facts/carriers-intl 6. Must never promise pushes: how they are signed
//! is not known, and access to tracking is given by application only.

use super::{
    Ask, Carrier, CarrierSpec, Code, Step, Tracked,
    body::{self, CURE_PERMISSION},
    header::add_header,
    meaning_of, oauth, refine,
};
use crate::model::{Account, Event, Meaning, Place, Raw, Reason, Sub, When, ZoneSource};
use crate::wire::{Answer, Call, Cx, Refusal, Token, TokenStep};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Usps;

static SPEC: CarrierSpec = CarrierSpec {
    code: "usps",
    aggregator: false,
    serves: |carrier| carrier == "usps",
    secrets: &["client_id", "client_secret"],
    settings: &[],
    base_url: "https://apis.usps.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 1,
    // Sixty calls an hour.
    per_day: 1_440,
    min_interval_secs: 3 * 60 * 60,
    per_number_day: 8,
    codes: CODES,
    sureness: "token from the official documents, fields from one SDK, words for the whole state and event codes from memory; \
               tracking is not in the default product any more; pushes exist, but how they are signed is not known; not yet \
               asked live",
};

impl Carrier for Usps {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let fits =
            (4..=34).contains(&ask.number.len()) && ask.number.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits {
            return Err(Refusal::BadNumber);
        }
        let token = cx.token.ok_or(Refusal::TokenExpired)?;
        let base = cx.account.setting("base_url", SPEC.base_url);
        let mut call =
            Call::get("usps.query", format!("{base}/tracking/v3/tracking/{}?expand=DETAIL", ask.number));
        call.headers.push(("authorization", format!("Bearer {}", token.text.reveal())));
        Ok(call)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        match answer.status {
            401 => return Err(Refusal::TokenExpired),
            403 => return Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
            404 => return Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, Vec::new())])),
            400 => return Err(Refusal::BadNumber),
            _ => {}
        }
        let said: Said = body::json(answer, cx.now)?;
        let own = said.number.as_ref().is_some_and(|number| number.eq_ignore_ascii_case(&ask.number));
        if !own {
            return Err(Refusal::Unreadable);
        }
        let mut events: Vec<Event> =
            said.tracking_events.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
        add_header(&mut events, said.status_category.as_deref(), whole, cx.now);
        Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, events)]))
    }

    fn token(&self, _account: &Account) -> Option<&dyn TokenStep> {
        Some(self)
    }
}

impl TokenStep for Usps {
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal> {
        #[derive(Serialize)]
        struct Fetch<'a> {
            client_id: &'a str,
            client_secret: &'a str,
            grant_type: &'a str,
        }
        let fetch = Fetch {
            client_id: cx.account.secret("client_id"),
            client_secret: cx.account.secret("client_secret"),
            grant_type: "client_credentials",
        };
        let body = serde_json::to_vec(&fetch).map_err(|_| Refusal::Unsupported)?;
        let url = format!("{}/oauth2/v3/token", cx.account.setting("base_url", SPEC.base_url));
        Ok(Call::json("usps.token", url, body))
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        oauth::token(cx, answer)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default, rename = "trackingNumber", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status_category: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    tracking_events: Vec<Scan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    event_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    event_timestamp: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    event_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    event_city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    event_state: Option<String>,
    #[serde(default, rename = "eventZIP", deserialize_with = "body::loose")]
    event_zip: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    event_country: Option<String>,
    #[serde(default, rename = "GMTTimestamp", deserialize_with = "body::loose")]
    gmt_timestamp: Option<String>,
    #[serde(default, rename = "GMTOffset", deserialize_with = "body::loose")]
    gmt_offset: Option<String>,
}

impl Scan {
    /// By its GMT time where it is there; local time without a zone otherwise.
    fn when(&self) -> When {
        let local = self.event_timestamp.as_deref().and_then(|text| When::parse(text, None));
        let utc = self.gmt_timestamp.as_deref().and_then(|text| When::parse(text, Some(Offset::UTC))?.utc);
        let Some(utc) = utc else { return local.unwrap_or_default() };
        let zone = self.gmt_offset.as_deref().unwrap_or("");
        let there = local.as_ref().and_then(|when| When::parse(&format!("{}{zone}", when.local), None));
        match there.filter(|when| !zone.is_empty() && when.utc == Some(utc)) {
            Some(when) => When { zone_source: ZoneSource::CarrierGmt, ..when },
            None => When::at(utc, Offset::UTC, ZoneSource::CarrierGmt),
        }
    }

    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = self.when();
        let known = self.event_code.as_deref().and_then(|code| meaning_of(CODES, code));
        let raw = Raw { code: self.event_code, status: None, description: self.event_type };
        let meaning = known.unwrap_or(Meaning::UNMAPPED);
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = Place {
            text: self.event_city.clone(),
            city: self.event_city,
            region: self.event_state,
            country: self.event_country.or_else(|| Some("US".into())),
            postal: self.event_zip,
            ..Place::default()
        };
        refine(event)
    }
}

/// `statusCategory`: the words for the whole piece.
fn whole(category: &str) -> Option<Meaning> {
    Some(match category {
        "Pre-Shipment" => Meaning::sub(Sub::LabelCreated),
        "Accepted" => Meaning::sub(Sub::Accepted),
        "In Transit" => Meaning::sub(Sub::Moving),
        "Out for Delivery" => Meaning::sub(Sub::OnVehicle),
        "Delivered" => Meaning::sub(Sub::Signed),
        "Delivered to Agent" => Meaning::sub(Sub::SignedByOther),
        "Available for Pickup" => Meaning::sub(Sub::Counter),
        "Delivery Attempt" => Meaning::sub(Sub::Other),
        "Alert" => Meaning::exception(Reason::Other),
        "Return to Sender" => Meaning::sub(Sub::OnTheWay),
        _ => return None,
    })
}

/// `eventCode`, sorted as text: the common ones.
static CODES: &[Code] = &[
    Code { code: "01", name: "delivered", meaning: Meaning::sub(Sub::Signed) },
    Code { code: "02", name: "notice left", meaning: Meaning::sub(Sub::Other) },
    Code { code: "03", name: "accepted", meaning: Meaning::sub(Sub::Accepted) },
    Code { code: "04", name: "refused", meaning: Meaning::exception(Reason::Refused) },
    Code {
        code: "07",
        name: "arrived at the post office",
        meaning: Meaning::sub(Sub::ArrivedDestinationCity),
    },
    Code { code: "09", name: "returned to the sender", meaning: Meaning::sub(Sub::OnTheWay) },
    Code { code: "10", name: "processed", meaning: Meaning::sub(Sub::Moving) },
    Code { code: "14", name: "ready for pickup", meaning: Meaning::sub(Sub::Counter) },
    Code { code: "GX", name: "label made", meaning: Meaning::sub(Sub::LabelCreated) },
    Code { code: "MA", name: "label made", meaning: Meaning::sub(Sub::LabelCreated) },
    Code { code: "OF", name: "out for delivery", meaning: Meaning::sub(Sub::OnVehicle) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gmt_time_is_the_instant_and_the_local_one_its_clock() {
        let time = |json: &str| serde_json::from_str::<Scan>(json).unwrap().when();
        let both = time(
            r#"{"eventTimestamp":"2026-03-02T09:14:00","GMTTimestamp":"2026-03-02T14:14:00Z","GMTOffset":"-05:00"}"#,
        );
        assert_eq!(
            (both.utc, both.local.as_str()),
            ("2026-03-02T14:14:00Z".parse().ok(), "2026-03-02T09:14:00")
        );
        let local = time(r#"{"eventTimestamp":"2026-03-02T09:14:00"}"#);
        assert_eq!((local.utc, local.zone_source), (None, ZoneSource::Unknown));
        let odd = time(
            r#"{"eventTimestamp":"2026-03-02T09:14:00","GMTTimestamp":"2026-03-02T15:14:00Z","GMTOffset":"-05:00"}"#,
        );
        assert_eq!(odd.utc, "2026-03-02T15:14:00Z".parse().ok());
    }
}
