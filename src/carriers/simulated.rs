//! The simulated carrier: scripted journeys for the demo and for trying things out, over a real signed call.
//! It speaks Yishi's own status names. Must never be taken for a real carrier: its numbers start with SIM.

use super::{
    Ask, Carrier, CarrierSpec, News, Push, Step, Subscription, Told, Tracked, Watch,
    body::{self, CURE_CREDENTIALS},
    china_time, refine,
};
use crate::model::{
    Courier, Eta, EtaPrecision, EtaSource, Event, Meaning, Pickup, Place, Raw, Reason, Status, Sub,
};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct SimulatedCarrier;

static SPEC: CarrierSpec = CarrierSpec {
    code: "simulated",
    aggregator: false,
    serves: |carrier| carrier == "simulated",
    secrets: &["key"],
    settings: &["client"],
    // There is no such carrier outside: the demo names its own address.
    base_url: "https://simulated.invalid",
    needs_phone_tail: |_| false,
    batch: 20,
    per_second: 100,
    per_day: 1_000_000,
    min_interval_secs: 60,
    per_number_day: 1_440,
    codes: &[],
    sureness: "ours",
};

impl Carrier for SimulatedCarrier {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        if asks.is_empty() || asks.len() > SPEC.batch {
            return Err(Refusal::Unsupported);
        }
        if asks.iter().any(|ask| !ask.number.starts_with("SIM")) {
            return Err(Refusal::BadNumber);
        }
        let numbers = asks.iter().map(|ask| ask.number.as_str()).collect();
        let question = Question { client: cx.account.setting("client", ""), at: cx.now, numbers };
        signed(cx, "simulated.track", "/track", &question)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        match said.error.as_deref() {
            None => {}
            Some("bad_signature" | "unknown_client") => {
                return Err(Refusal::FixAccount { cure: CURE_CREDENTIALS });
            }
            Some("stale") => return Err(Refusal::TokenExpired),
            Some("too_many") => return Err(Refusal::Throttled { until: None }),
            Some("bad_number") => return Err(Refusal::BadNumber),
            Some(_) => return Err(Refusal::Retry { after: None }),
        }
        let mut parcels = said.parcels.ok_or(Refusal::Unreadable)?;
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            let found = parcels.iter().position(|parcel| parcel.number == ask.number);
            // Unknown to the carrier: nothing scanned yet.
            let parcel = found.map(|at| parcels.swap_remove(at)).unwrap_or_default();
            all.push(parcel.tracked(&ask.number, cx.now));
        }
        Ok(Step::Done(all))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for SimulatedCarrier {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("key");
        let expected = hex::encode(sign::hmac_sha256(key.as_bytes(), &request.body));
        let proof = sign::matches(expected.as_bytes(), request.header("x-signature").as_bytes());
        let proof = proof.filter(|_| !key.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(request.body.clone(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let said: Said = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let parcels = said.parcels.ok_or(Refusal::Unreadable)?;
        let news = |mut parcel: Parcel| {
            let watch = parcel.watch.take().unwrap_or_default().into();
            let number = parcel.number.clone();
            News { watch, ..News::of(parcel.tracked(&number, cx.now)) }
        };
        let parcels = parcels.into_iter().filter(|parcel| !parcel.number.is_empty()).map(news).collect();
        Ok(Told { parcels, ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let body = if stored { r#"{"ok":true}"# } else { r#"{"ok":false}"# };
        Reply { status: 200, content_type: "application/json", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for SimulatedCarrier {
    fn subscribe(&self, cx: &Cx, ask: &Ask, callback: &str) -> Result<Call, Refusal> {
        if !ask.number.starts_with("SIM") {
            return Err(Refusal::BadNumber);
        }
        let client = cx.account.setting("client", "");
        let wish = Wish { client, at: cx.now, number: &ask.number, callback };
        signed(cx, "simulated.subscribe", "/subscribe", &wish)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        match said.error.as_deref() {
            None => Ok(()),
            Some("known") => Err(Refusal::AlreadyDone),
            Some("bad_signature" | "unknown_client") => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            Some(_) => Err(Refusal::Retry { after: None }),
        }
    }
}

/// A JSON call with its body's HMAC-SHA256 in a header.
fn signed(cx: &Cx, operation: &'static str, path: &str, body: &impl Serialize) -> Result<Call, Refusal> {
    let body = serde_json::to_vec(body).map_err(|_| Refusal::Unsupported)?;
    let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
    let signature = hex::encode(sign::hmac_sha256(cx.account.secret("key").as_bytes(), &body));
    let mut call = Call::json(operation, url, body);
    call.headers.push(("x-signature", signature));
    Ok(call)
}

#[derive(Serialize)]
struct Wish<'a> {
    client: &'a str,
    at: Timestamp,
    number: &'a str,
    callback: &'a str,
}

#[derive(Serialize)]
struct Question<'a> {
    client: &'a str,
    at: Timestamp,
    numbers: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    error: Option<String>,
    #[serde(default)]
    parcels: Option<Vec<Parcel>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parcel {
    number: String,
    events: Vec<Scan>,
    eta: Option<Expected>,
    /// In a push: whether the carrier goes on watching.
    watch: Option<Watching>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Watching {
    #[default]
    On,
    Ended,
    Lapsed,
}

impl From<Watching> for Watch {
    fn from(watching: Watching) -> Self {
        match watching {
            Watching::On => Self::On,
            Watching::Ended => Self::Ended,
            Watching::Lapsed => Self::Lapsed,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scan {
    #[serde(deserialize_with = "body::loose")]
    time: Option<String>,
    /// `in_transit/arrived_hub`, `exception/refused`.
    #[serde(deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    text: Option<String>,
    place: Place,
    courier: Courier,
    pickup: Pickup,
    #[serde(deserialize_with = "body::loose")]
    signed_by: Option<String>,
}

#[derive(Deserialize)]
struct Expected {
    from: Timestamp,
    to: Timestamp,
    #[serde(default)]
    precision: EtaPrecision,
}

impl Parcel {
    fn tracked(self, number: &str, now: Timestamp) -> Tracked {
        let events = self.events.into_iter().map(|scan| scan.event(number, now)).collect();
        let eta = self.eta.map(|eta| Eta {
            from: eta.from,
            to: eta.to.max(eta.from),
            source: EtaSource::Carrier,
            precision: eta.precision,
        });
        let carrier = SPEC.code.to_owned();
        Tracked { carrier, number: number.to_owned(), events, eta, maybe_needs_phone_tail: false }
    }
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.time.as_deref());
        let meaning = self.code.as_deref().map_or(Meaning::UNMAPPED, meaning);
        let raw = Raw { code: self.code, status: None, description: self.text };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = self.place;
        event.courier = self.courier;
        event.pickup = self.pickup;
        event.signed_by = self.signed_by;
        refine(event)
    }
}

/// `status/sub` or `exception/reason`; a sub that belongs to another status is a mistake of the sender.
fn meaning(code: &str) -> Meaning {
    let (status, finer) = code.split_once('/').unwrap_or((code, ""));
    let known = match Status::named(status) {
        Some(Status::Exception) => Reason::named(finer).map(Meaning::exception),
        Some(status) if finer.is_empty() => status.default_sub().map(Meaning::sub),
        Some(status) => Sub::named(finer).filter(|sub| sub.status() == status).map(Meaning::sub),
        None => None,
    };
    known.unwrap_or(Meaning::UNMAPPED)
}

#[cfg(test)]
#[path = "simulated_tests.rs"]
mod tests;
