//! AfterShip: one key follows parcels of carriers all over the world. A number is made known once, then read.
//! Source: aftership.com/docs/tracking (dated versions, webhooks); facts/aggregators 5. Must never make a number known
//! that is known: each new one costs.

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    header::header,
    meaning_of, names, plain_acknowledgement, refine, row,
};
use crate::model::when::CHINA;
use crate::model::{Eta, EtaPrecision, EtaSource, Event, Meaning, Place, Raw, Reason, Sub, When};
use crate::wire::{Answer, Call, Cx, Method, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The codec.
#[derive(Debug)]
pub struct AfterShip;

static SPEC: CarrierSpec = CarrierSpec {
    code: "aftership",
    aggregator: true,
    serves: |carrier| slug_of(carrier).is_some(),
    secrets: &["api_key"],
    settings: &[],
    base_url: "https://api.aftership.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 100_000,
    min_interval_secs: 60 * 60,
    per_number_day: 24,
    codes: CODES,
    sureness: "versions, errors, sub-tags and the webhook signature from the official documents; the names of a checkpoint's \
               fields partly from memory, so all are optional; `version` is a date; what 2026-07 changed is not known; not \
               yet asked live",
};

/// AfterShip's name of a carrier.
fn slug_of(carrier: &str) -> Option<&'static str> {
    names::by_code(carrier).map(|carrier| carrier.aftership).filter(|slug| !slug.is_empty())
}

impl Carrier for AfterShip {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["version", "push", "webhook_secret?", "signing_secret?"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let slug = slug_of(&ask.carrier).ok_or(Refusal::Unsupported)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("slug", slug)
            .append_pair("tracking_numbers", number(ask)?)
            .finish();
        call(cx, "aftership.query", Method::Get, &format!("/trackings?{query}"), Vec::new())
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let known = match said(answer, cx.now) {
            Ok(Data::Known(trackings)) => trackings,
            Ok(Data::One(made)) => vec![*made],
            // Made known by somebody else a moment ago: there is nothing to read yet.
            Err(Refusal::AlreadyDone | Refusal::NoDataYet) => {
                return Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, Vec::new())]));
            }
            Err(refused) => return Err(refused),
        };
        if known.is_empty() {
            return Ok(Step::Then(make_known(cx, ask)?));
        }
        let own = known.into_iter().find(|tracking| tracking.is_about(&ask.number));
        let own = own.ok_or(Refusal::Unreadable)?;
        Ok(Step::Done(vec![own.tracked(&ask.carrier, &ask.number, cx.now)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for AfterShip {
    /// Base64 of the HMAC of the whole body, with a secret of its own.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let secret = cx.account.secret("webhook_secret");
        let expected = sign::base64(&sign::hmac_sha256(secret.as_bytes(), &request.body));
        let proof = sign::matches(expected.as_bytes(), request.header("aftership-hmac-sha256").as_bytes());
        let proof = proof.filter(|_| !secret.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(request.body.clone(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let tracking = pushed.msg;
        let number = tracking.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let carrier = tracking.slug.as_deref().and_then(names::by_aftership).map_or("", |known| known.code);
        let tracked = tracking.tracked(carrier, &number, cx.now);
        Ok(Told { parcels: vec![News::of(tracked)], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        plain_acknowledgement(stored, "OK")
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for AfterShip {
    /// The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        make_known(cx, ask)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        said(answer, cx.now).map(|_| ())
    }
}

fn number(ask: &Ask) -> Result<&str, Refusal> {
    if ask.number.is_empty() || ask.number.len() > 50 { Err(Refusal::BadNumber) } else { Ok(&ask.number) }
}

fn make_known(cx: &Cx, ask: &Ask) -> Result<Call, Refusal> {
    let slug = slug_of(&ask.carrier).ok_or(Refusal::Unsupported)?;
    let new = New { tracking_number: number(ask)?, slug };
    let body = serde_json::to_vec(&new).map_err(|_| Refusal::Unsupported)?;
    call(cx, "aftership.create", Method::Post, "/trackings", body)
}

#[derive(Serialize)]
struct New<'a> {
    tracking_number: &'a str,
    slug: &'a str,
}

fn call(
    cx: &Cx,
    operation: &'static str,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<Call, Refusal> {
    let key = cx.account.secret("api_key");
    let path = format!("/tracking/{}{path}", cx.account.setting("version", "2026-07"));
    let mut headers = vec![("as-api-key", key.to_owned()), ("content-type", "application/json".to_owned())];
    let signing = cx.account.secret("signing_secret");
    if !signing.is_empty() {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&cx.now);
        let date = date.map_err(|_| Refusal::Unsupported)?;
        let verb = if method == Method::Get { "GET" } else { "POST" };
        headers.push(("as-signature-hmac-sha256", signature(signing, key, verb, &path, &date, &body)));
        headers.push(("date", date));
    }
    let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
    Ok(Call { operation, method, url, headers, body, repeatable: true })
}

/// The signature that an organisation may demand ("AES mode"). The query of `path` is sorted already.
fn signature(secret: &str, key: &str, verb: &str, path: &str, date: &str, body: &[u8]) -> String {
    let (digest, kind) = match body {
        [] => (String::new(), ""),
        _ => (sign::md5_hex_upper(body), "application/json"),
    };
    let text = [verb, &digest, kind, date, &format!("as-api-key:{key}"), path].join("\n");
    sign::base64(&sign::hmac_sha256(secret.as_bytes(), text.as_bytes()))
}

/// The data of an answer. Errors have a code of their own in `meta`, beside an HTTP status that says less.
fn said(answer: &Answer, now: Timestamp) -> Result<Data, Refusal> {
    #[derive(Deserialize)]
    struct Envelope {
        meta: Meta,
        // Read once it is known to be data.
        #[serde(default)]
        data: Option<Box<RawValue>>,
    }
    #[derive(Deserialize)]
    struct Meta {
        #[serde(default, deserialize_with = "body::loose")]
        code: Option<String>,
    }
    let known = [200, 201, 400, 401, 403, 404].contains(&answer.status);
    let whole = Answer { status: if known { 200 } else { answer.status }, ..answer.clone() };
    let envelope: Envelope = match body::json(&whole, now) {
        Ok(envelope) => envelope,
        Err(refused) => return Err(body::http_status(answer, now).err().unwrap_or(refused)),
    };
    match envelope.meta.code.as_deref().unwrap_or("") {
        "200" | "201" => envelope.data.and_then(|data| Data::read(data.get())).ok_or(Refusal::Unreadable),
        "401" => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        "402" | "403" => Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
        "404" | "4004" => Err(Refusal::NoDataYet),
        "4003" => Err(Refusal::AlreadyDone),
        "4005" | "4015" | "4017" => Err(Refusal::BadNumber),
        "4010" | "4012" => Err(Refusal::WrongCarrier),
        "4011" => Err(Refusal::NeedPhoneTail),
        "429" => Err(Refusal::Throttled { until: None }),
        code if code.starts_with('5') => Err(Refusal::Retry { after: None }),
        _ => Err(Refusal::Unreadable),
    }
}

/// Those that are known, or the one that was just made known.
enum Data {
    Known(Vec<Tracking>),
    One(Box<Tracking>),
}

impl Data {
    fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Known {
            trackings: Vec<Tracking>,
        }
        let known = serde_json::from_str(text).map(|known: Known| Self::Known(known.trackings));
        known.or_else(|_| serde_json::from_str(text).map(Self::One)).ok()
    }
}

#[derive(Deserialize)]
struct Pushed {
    msg: Tracking,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tracking {
    #[serde(rename = "tracking_number", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    slug: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    tag: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    subtag: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    signed_by: Option<String>,
    latest_estimated_delivery: Option<Estimate>,
    #[serde(deserialize_with = "body::list")]
    checkpoints: Vec<Checkpoint>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Estimate {
    #[serde(deserialize_with = "body::loose")]
    datetime: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    datetime_min: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    datetime_max: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Checkpoint {
    #[serde(deserialize_with = "body::loose")]
    checkpoint_time: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    location: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    state: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    country_region: Option<String>,
    /// `zip` before 2026-01.
    #[serde(alias = "zip", deserialize_with = "body::loose")]
    postal_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    tag: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    subtag: Option<String>,
}

impl Tracking {
    fn is_about(&self, number: &str) -> bool {
        self.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    }

    fn tracked(self, carrier: &str, number: &str, now: Timestamp) -> Tracked {
        // Times without a zone are the carrier's own.
        let chinese = names::by_code(carrier).is_some_and(names::Carrier::is_chinese);
        let home = chinese.then_some(CHINA);
        let scan = |checkpoint: Checkpoint| {
            let (code, meaning) = meaning(checkpoint.tag, checkpoint.subtag);
            let time = checkpoint.checkpoint_time.as_deref().and_then(|text| When::parse(text, home));
            let raw = Raw { code, status: None, description: checkpoint.message };
            let mut event =
                Event::new(carrier, number, SPEC.code, time.unwrap_or_default(), meaning, raw, now);
            event.place = Place {
                text: checkpoint.location,
                city: checkpoint.city,
                region: checkpoint.state,
                country: checkpoint.country_region,
                postal: checkpoint.postal_code,
                ..Place::default()
            };
            refine(event)
        };
        let mut events: Vec<Event> = self.checkpoints.into_iter().map(scan).collect();
        let (code, whole) = meaning(self.tag, self.subtag);
        events.extend(code.and_then(|code| header(whole, &code, &events, now)));
        let signed = events.iter_mut().rev().find(|event| event.status == Sub::Signed.status());
        if let Some(event) = signed {
            event.signed_by = event.signed_by.take().or(self.signed_by);
        }
        let eta = self.latest_estimated_delivery.and_then(|estimate| estimate.eta(home));
        Tracked { eta, ..Tracked::of(carrier, number, events) }
    }
}

/// The finer word where Yishi knows it, else the coarse one.
fn meaning(tag: Option<String>, subtag: Option<String>) -> (Option<String>, Meaning) {
    let known = |code: &Option<String>| code.as_deref().and_then(|code| meaning_of(CODES, code));
    let meaning = known(&subtag).or_else(|| known(&tag)).unwrap_or(Meaning::UNMAPPED);
    (subtag.or(tag), meaning)
}

impl Estimate {
    fn eta(self, home: Option<jiff::tz::Offset>) -> Option<Eta> {
        let time = |text: Option<String>| When::parse(&text?, home)?.utc;
        let (at, from, to) = (time(self.datetime), time(self.datetime_min), time(self.datetime_max));
        let (from, to) = (from.or(at).or(to)?, to.or(at).or(from)?);
        Some(Eta { from, to, source: EtaSource::Provider, precision: EtaPrecision::Day })
    }
}

/// Tags and sub-tags, sorted as text.
static CODES: &[Code] = &[
    row("AttemptFail", "failed attempt", Meaning::sub(Sub::Other)),
    row("AttemptFail_001", "failed attempt", Meaning::sub(Sub::Other)),
    row("AttemptFail_002", "nobody there", Meaning::sub(Sub::NobodyHome)),
    row("AttemptFail_003", "business closed", Meaning::sub(Sub::Closed)),
    row("AvailableForPickup", "at a pickup point", Meaning::sub(Sub::Counter)),
    row("AvailableForPickup_001", "at a pickup point", Meaning::sub(Sub::Counter)),
    row("Delivered", "delivered", Meaning::sub(Sub::Signed)),
    row("Delivered_001", "delivered", Meaning::sub(Sub::Signed)),
    row("Delivered_002", "collected by the customer", Meaning::sub(Sub::Collected)),
    row("Delivered_003", "signed by the customer", Meaning::sub(Sub::Signed)),
    row("Delivered_004", "cash collected", Meaning::sub(Sub::CodCollected)),
    row("Delivered_005", "with a neighbour", Meaning::sub(Sub::Neighbour)),
    row("Exception", "a problem", Meaning::exception(Reason::Other)),
    row("Exception_001", "a problem", Meaning::exception(Reason::Other)),
    row("Exception_002", "customer moved", Meaning::exception(Reason::Address)),
    row("Exception_003", "refused", Meaning::exception(Reason::Refused)),
    row("Exception_004", "customs delay", Meaning::exception(Reason::CustomsHold)),
    row("Exception_005", "outside delay", Meaning::exception(Reason::Other)),
    row("Exception_006", "held for payment", Meaning::exception(Reason::PaymentDue)),
    row("Exception_007", "wrong address", Meaning::exception(Reason::Address)),
    row("Exception_008", "pickup missed", Meaning::exception(Reason::NotCollected)),
    row("Exception_009", "rejected by the carrier", Meaning::exception(Reason::SenderData)),
    row("Exception_010", "returning", Meaning::sub(Sub::OnTheWay)),
    row("Exception_011", "returned", Meaning::sub(Sub::ToSender)),
    row("Exception_012", "damaged", Meaning::exception(Reason::Damaged)),
    row("Exception_013", "lost", Meaning::sub(Sub::Lost)),
    row("Exception_016", "processing delay", Meaning::exception(Reason::Missorted)),
    row("Exception_017", "weather", Meaning::exception(Reason::Weather)),
    row("Exception_018", "missing documents", Meaning::exception(Reason::CustomsDocuments)),
    row("Exception_019", "late flight", Meaning::exception(Reason::FlightDelay)),
    row("Exception_020", "cancelled", Meaning::sub(Sub::BySender)),
    row("Exception_021", "disposed", Meaning::sub(Sub::Destroyed)),
    row("Expired", "no news for 30 days", Meaning::sub(Sub::NoUpdate)),
    row("Expired_001", "no news for 30 days", Meaning::sub(Sub::NoUpdate)),
    row("InTransit", "on the way", Meaning::sub(Sub::Moving)),
    row("InTransit_001", "on the way", Meaning::sub(Sub::Moving)),
    row("InTransit_002", "accepted", Meaning::sub(Sub::Accepted)),
    row("InTransit_003", "arrived at a hub", Meaning::sub(Sub::ArrivedHub)),
    row("InTransit_004", "in the destination country", Meaning::sub(Sub::ArrivedDestinationCountry)),
    row("InTransit_005", "customs done", Meaning::sub(Sub::CustomsReleased)),
    row("InTransit_006", "customs started", Meaning::sub(Sub::CustomsPresented)),
    row("InTransit_007", "departed", Meaning::sub(Sub::DepartedHub)),
    row("InTransit_008", "problem solved", Meaning::sub(Sub::ProblemResolved)),
    row("InTransit_009", "forwarded", Meaning::sub(Sub::Redirected)),
    row("InfoReceived", "label data", Meaning::sub(Sub::LabelCreated)),
    row("InfoReceived_001", "label data", Meaning::sub(Sub::LabelCreated)),
    row("OutForDelivery", "with the courier", Meaning::sub(Sub::OnVehicle)),
    row("OutForDelivery_001", "with the courier", Meaning::sub(Sub::OnVehicle)),
    row("OutForDelivery_003", "customer contacted", Meaning::sub(Sub::Contacted)),
    row("OutForDelivery_004", "appointment", Meaning::sub(Sub::Appointment)),
    row("Pending", "nothing yet", Meaning::sub(Sub::NotFound)),
];

#[cfg(test)]
#[path = "aftership_tests.rs"]
mod tests;
