//! 17TRACK: one key follows parcels of carriers all over the world. A number is registered once, then read for nothing.
//! Source: api.17track.net (v2.4: register, gettrackinfo, webhook); facts/aggregators 4. Must never register a number
//! that is registered: each new one costs.

mod enrolled;
mod push;
mod refusals;
mod times;

use super::{
    Ask, Carrier, CarrierSpec, Code, Enrolled, Push, Step, Tracked,
    body::{self},
    header::add_header,
    meaning_of, names, refine, row,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Sub, When};
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;
use refusals::refusal;
use serde::{Deserialize, Serialize};
use times::TimeMetrics;

/// The codec.
#[derive(Debug)]
pub struct SeventeenTrack;

static SPEC: CarrierSpec = CarrierSpec {
    code: "seventeen-track",
    aggregator: true,
    serves: |carrier| number_of(carrier).is_some(),
    secrets: &["key"],
    settings: &[],
    base_url: "https://api.17track.net",
    needs_phone_tail: |carrier| carrier == "sf",
    batch: 40,
    per_second: 3,
    per_day: 100_000,
    min_interval_secs: 60 * 60,
    per_number_day: 24,
    codes: CODES,
    sureness: "a client that quotes the vendor's v2.4 document, and the vendor's own signature sample; the schedule of \
               repeated pushes and the codes by which a change of carrier is refused are not known; not yet asked live",
};

/// 17TRACK's number of a carrier.
fn number_of(carrier: &str) -> Option<u32> {
    names::by_code(carrier)?.seventeen_track.parse().ok()
}

impl Carrier for SeventeenTrack {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["version", "push"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        call(cx, "seventeen-track.query", "gettrackinfo", asks)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        let data = said.data()?;
        let unknown: Vec<Ask> = asks
            .iter()
            .filter(|ask| data.rejected.iter().any(|one| one.is_about(ask) && one.code() == NOT_REGISTERED))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Ok(Step::Then(call(cx, "seventeen-track.register", "register", &unknown)?));
        }
        let mut accepted = data.accepted;
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            let refused = data.rejected.iter().find(|one| one.is_about(ask)).map(Rejected::code);
            match refused.map(refusal) {
                // Registered a moment ago, or nothing there yet.
                None | Some(Refusal::AlreadyDone | Refusal::NoDataYet) => {}
                Some(refused) => return Err(refused),
            }
            let found = accepted.iter().position(|one| one.is_about(&ask.number));
            if found.is_none() && refused.is_none() {
                return Err(Refusal::Unreadable);
            }
            let item = found.map(|at| accepted.swap_remove(at));
            all.push(item.unwrap_or_default().tracked(&ask.carrier, &ask.number, cx.now));
        }
        Ok(Step::Done(all))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn enrolled(&self) -> Option<&dyn Enrolled> {
        Some(self)
    }
}

fn call(cx: &Cx, operation: &'static str, endpoint: &str, asks: &[Ask]) -> Result<Call, Refusal> {
    if asks.is_empty() || asks.len() > SPEC.batch {
        return Err(Refusal::Unsupported);
    }
    if asks.iter().any(|ask| !(5..=50).contains(&ask.number.len())) {
        return Err(Refusal::BadNumber);
    }
    let items: Vec<Item> = asks
        .iter()
        .map(|ask| Item {
            number: &ask.number,
            carrier: number_of(&ask.carrier),
            phone_number_last_4: ask.phone_tail.as_deref().filter(|_| ask.carrier == "sf"),
        })
        .collect();
    post(cx, operation, endpoint, &items)
}

fn post<T: Serialize>(
    cx: &Cx,
    operation: &'static str,
    endpoint: &str,
    items: &[T],
) -> Result<Call, Refusal> {
    let version = cx.account.setting("version", "v2.4");
    let url = format!("{}/track/{version}/{endpoint}", cx.account.setting("base_url", SPEC.base_url));
    let body = serde_json::to_vec(items).map_err(|_| Refusal::Unsupported)?;
    let mut call = Call::json(operation, url, body);
    call.headers.push(("17token", cx.account.secret("key").to_owned()));
    Ok(call)
}

#[derive(Serialize)]
struct Item<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_last_4: Option<&'a str>,
}

const NOT_REGISTERED: i64 = -18_019_902;

#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    #[serde(deserialize_with = "body::list")]
    accepted: Vec<Tracking>,
    #[serde(deserialize_with = "body::list")]
    rejected: Vec<Rejected>,
    #[serde(deserialize_with = "body::list")]
    errors: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Rejected {
    #[serde(default, deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default)]
    error: Option<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
}

impl Mistake {
    /// Zero where it cannot be read, which is no code of theirs.
    fn number(&self) -> i64 {
        self.code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

impl Said {
    fn data(self) -> Result<Data, Refusal> {
        let code: i64 = self.code.and_then(|code| code.parse().ok()).ok_or(Refusal::Unreadable)?;
        match (code, self.data) {
            (_, Some(data)) if !data.errors.is_empty() => Err(refusal(data.errors[0].number())),
            (0, Some(data)) => Ok(data),
            (0, None) => Err(Refusal::Unreadable),
            _ => Err(refusal(code)),
        }
    }
}

impl Rejected {
    fn is_about(&self, ask: &Ask) -> bool {
        self.number.as_ref().is_some_and(|number| number.eq_ignore_ascii_case(&ask.number))
    }

    fn code(&self) -> i64 {
        self.error.as_ref().map_or(0, Mistake::number)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tracking {
    #[serde(deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    carrier: Option<String>,
    track_info: Option<TrackInfo>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TrackInfo {
    latest_status: Option<LatestStatus>,
    shipping_info: Option<ShippingInfo>,
    time_metrics: Option<TimeMetrics>,
    tracking: Option<Providers>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LatestStatus {
    #[serde(deserialize_with = "body::loose")]
    sub_status: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ShippingInfo {
    shipper_address: Option<Address>,
    recipient_address: Option<Address>,
}

impl ShippingInfo {
    /// Whether it is known to cross a border: "departed" and "arrived" mean the countries then, else hubs.
    fn crosses_a_border(&self) -> bool {
        let country = |address: &Option<Address>| address.as_ref().and_then(|one| one.country.clone());
        let (from, to) = (country(&self.shipper_address), country(&self.recipient_address));
        from.zip(to).is_some_and(|(from, to)| !from.eq_ignore_ascii_case(&to))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Providers {
    #[serde(deserialize_with = "body::list")]
    providers: Vec<Provider>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Provider {
    #[serde(deserialize_with = "body::list")]
    events: Vec<Scan>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scan {
    #[serde(deserialize_with = "body::loose")]
    time_iso: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    time_utc: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    description: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    location: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    stage: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    sub_status: Option<String>,
    address: Option<Address>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Address {
    #[serde(deserialize_with = "body::loose")]
    country: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    state: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    postal_code: Option<String>,
}

impl Tracking {
    fn is_about(&self, number: &str) -> bool {
        self.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    }

    fn tracked(self, carrier: &str, number: &str, now: Timestamp) -> Tracked {
        let info = self.track_info.unwrap_or_default();
        let abroad = info.shipping_info.unwrap_or_default().crosses_a_border();
        // First and last mile are two providers of one parcel.
        let providers = info.tracking.unwrap_or_default().providers;
        let scans = providers.into_iter().flat_map(|provider| provider.events);
        let mut events: Vec<Event> = scans.map(|scan| scan.event(carrier, number, abroad, now)).collect();
        let said = info.latest_status.and_then(|latest| latest.sub_status);
        add_header(&mut events, said.as_deref(), |code| meaning_of(CODES, code), now);
        let eta = info.time_metrics.and_then(TimeMetrics::eta);
        Tracked { eta, ..Tracked::of(carrier, number, events) }
    }
}

impl Scan {
    fn event(self, carrier: &str, number: &str, abroad: bool, now: Timestamp) -> Event {
        let times = [self.time_iso.as_deref(), self.time_utc.as_deref()];
        let time = times.into_iter().flatten().find_map(|text| When::parse(text, None)).unwrap_or_default();
        let code = self.sub_status.or(self.stage);
        let mut meaning =
            code.as_deref().and_then(|code| meaning_of(CODES, code)).unwrap_or(Meaning::UNMAPPED);
        match meaning.sub {
            Some(Sub::DepartedHub) if abroad => meaning = Meaning::sub(Sub::DepartedOriginCountry),
            Some(Sub::ArrivedHub) if abroad => meaning = Meaning::sub(Sub::ArrivedDestinationCountry),
            _ => {}
        }
        let raw = Raw { code, status: None, description: self.description };
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        let address = self.address.unwrap_or_default();
        event.place = Place {
            text: self.location,
            city: address.city,
            region: address.state,
            country: address.country,
            postal: address.postal_code,
            ..Place::default()
        };
        refine(event)
    }
}

/// Sub-statuses and stages, sorted as text.
static CODES: &[Code] = &[
    row("Arrival", "arrived", Meaning::sub(Sub::ArrivedHub)),
    row("AvailableForPickup", "waits", Meaning::sub(Sub::Counter)),
    row("AvailableForPickup_Other", "waits", Meaning::sub(Sub::Counter)),
    row("Delivered", "delivered", Meaning::sub(Sub::Signed)),
    row("Delivered_Other", "delivered", Meaning::sub(Sub::Signed)),
    row("DeliveryFailure_InvalidAddress", "address", Meaning::sub(Sub::BadAddress)),
    row("DeliveryFailure_NoBody", "nobody there", Meaning::sub(Sub::NobodyHome)),
    row("DeliveryFailure_Other", "failed", Meaning::sub(Sub::Other)),
    row("DeliveryFailure_Rejected", "refused", Meaning::exception(Reason::Refused)),
    row("DeliveryFailure_Security", "security", Meaning::exception(Reason::Security)),
    row("Departure", "departed", Meaning::sub(Sub::DepartedHub)),
    row("Exception_Cancel", "cancelled", Meaning::sub(Sub::BySender)),
    row("Exception_Damage", "damaged", Meaning::exception(Reason::Damaged)),
    row("Exception_Delayed", "delayed", Meaning::exception(Reason::Overdue)),
    row("Exception_Destroyed", "destroyed", Meaning::sub(Sub::Destroyed)),
    row("Exception_Lost", "lost", Meaning::sub(Sub::Lost)),
    row("Exception_NoBody", "nobody there", Meaning::exception(Reason::RecipientUnreachable)),
    row("Exception_Other", "a problem", Meaning::exception(Reason::Other)),
    row("Exception_Rejected", "refused", Meaning::exception(Reason::Refused)),
    row("Exception_Returned", "returned", Meaning::sub(Sub::ToSender)),
    row("Exception_Returning", "returning", Meaning::sub(Sub::OnTheWay)),
    row("Exception_Security", "security", Meaning::exception(Reason::Security)),
    row("Expired_Other", "no news for long", Meaning::sub(Sub::NoUpdate)),
    row("InTransit_Arrival", "arrived", Meaning::sub(Sub::ArrivedHub)),
    row("InTransit_CustomsProcessing", "in customs", Meaning::sub(Sub::CustomsPresented)),
    row("InTransit_CustomsReleased", "through customs", Meaning::sub(Sub::CustomsReleased)),
    row("InTransit_CustomsRequiringInformation", "papers", Meaning::exception(Reason::CustomsDocuments)),
    row("InTransit_Departure", "departed", Meaning::sub(Sub::DepartedHub)),
    row("InTransit_Other", "moving", Meaning::sub(Sub::Moving)),
    row("InTransit_PickedUp", "picked up", Meaning::sub(Sub::Accepted)),
    row("InfoReceived", "label data", Meaning::sub(Sub::LabelCreated)),
    row("NotFound_InvalidCode", "invalid number", Meaning::sub(Sub::InvalidNumber)),
    row("NotFound_Other", "no data", Meaning::sub(Sub::NotFound)),
    row("OutForDelivery", "with the courier", Meaning::sub(Sub::OnVehicle)),
    row("OutForDelivery_Other", "with the courier", Meaning::sub(Sub::OnVehicle)),
    row("PickedUp", "picked up", Meaning::sub(Sub::Accepted)),
    row("Returned", "returned", Meaning::sub(Sub::ToSender)),
    row("Returning", "returning", Meaning::sub(Sub::OnTheWay)),
];

#[cfg(test)]
#[path = "seventeen_track_tests.rs"]
mod tests;
