//! Carriers and aggregators: one file each, a pure codec that reads like its vendor's documentation.
//! A new one is a file, its fixtures, and two lines here. Must never open a socket, read a clock or know a store.

mod aftership;
mod body;
mod cainiao;
mod deppon;
mod dhl;
mod ems;
mod fedex;
mod forecast;
mod header;
mod http_json;
mod jd;
mod jt;
mod kdniao;
mod kuaidi100;
pub mod names;
mod oauth;
mod pickup_code;
mod push;
pub mod recognize;
pub mod scan_text;
mod seventeen_track;
mod sf;
mod simulated;
mod sto;
mod ups;
mod usps;
mod waybill;
mod yanwen;
mod yto;
mod yunda;
mod zto;

use crate::model::when::CHINA;
use crate::model::{Account, Eta, Event, Meaning, Reason, Status, Sub, When};
pub use crate::wire::Step;
use crate::wire::{Answer, Call, Cx, Refusal, TokenStep};
pub use forecast::{Forecast, Trip};
pub use pickup_code::{CodeReady, PickupCodes, Receiver};
use push::plain_acknowledgement;
pub use push::{Enrolled, News, Push, Subscription, Told, Watch};
pub use waybill::{Again, Cancelling, Created, FindWaybill, Goods, Party, Shipping, Waybill};

/// One number to ask a vendor about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Yishi's carrier code (an aggregator serves many).
    pub carrier: String,
    /// Normalized tracking number.
    pub number: String,
    /// Last four digits of sender's or receiver's phone, where known.
    pub phone_tail: Option<String>,
}

/// What a vendor told about one number. No events means: nothing scanned yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// Yishi's carrier code; another one than asked where the vendor knows better.
    pub carrier: String,
    /// The number asked for.
    pub number: String,
    /// Its scans, in any order.
    pub events: Vec<Event>,
    /// When the vendor expects it.
    pub eta: Option<Eta>,
    /// Empty perhaps because the phone tail is missing or wrong (SF).
    pub maybe_needs_phone_tail: bool,
}

impl Tracked {
    /// Scans of a number, with nothing else said.
    pub fn of(carrier: &str, number: &str, events: Vec<Event>) -> Self {
        let (carrier, number) = (carrier.to_owned(), number.to_owned());
        Self { carrier, number, events, eta: None, maybe_needs_phone_tail: false }
    }
}

/// One row of a vendor's status table.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// As the vendor writes it.
    pub code: &'static str,
    /// The vendor's own word for it.
    pub name: &'static str,
    /// What it means.
    pub meaning: Meaning,
}

/// One row of a table.
const fn row(code: &'static str, name: &'static str, meaning: Meaning) -> Code {
    Code { code, name, meaning }
}

/// Looks a code up in a table sorted by code.
fn meaning_of(codes: &[Code], code: &str) -> Option<Meaning> {
    codes.binary_search_by(|row| row.code.cmp(code)).ok().map(|at| codes[at].meaning)
}

/// A time of a Chinese carrier, whose clock is China's where it names no other; empty where it cannot be read.
fn china_time(text: Option<&str>) -> When {
    text.and_then(|text| When::parse(text, Some(CHINA))).unwrap_or_default()
}

/// A town without 市, a province without 省.
fn without_end(text: Option<String>, end: char) -> Option<String> {
    text.map(|text| text.trim_end_matches(end).to_owned())
}

/// What must be known of a vendor without asking it.
#[derive(Debug)]
pub struct CarrierSpec {
    /// Yishi's code: `sf`, `kuaidi100`, `simulated`.
    pub code: &'static str,
    /// Whether it serves other carriers' numbers.
    pub aggregator: bool,
    /// Yishi's codes of the carriers it can be asked about; empty: only its own.
    pub serves: fn(carrier: &str) -> bool,
    /// Names of secrets that an account needs.
    pub secrets: &'static [&'static str],
    /// Names of further settings that an account needs.
    pub settings: &'static [&'static str],
    /// Production address, the default of setting `base_url`.
    pub base_url: &'static str,
    /// Whether a query must carry the phone tail for this carrier.
    pub needs_phone_tail: fn(carrier: &str) -> bool,
    /// Numbers per call.
    pub batch: usize,
    /// Calls a second, per account.
    pub per_second: u32,
    /// Calls a day, per account; the account's own ceiling may be lower.
    pub per_day: u32,
    /// Least seconds between two questions for one number.
    pub min_interval_secs: u32,
    /// Most questions for one number in a rolling day.
    pub per_number_day: u32,
    /// Its status table, sorted by code; empty where the vendor speaks Yishi's own names.
    pub codes: &'static [Code],
    /// How sure the wire facts are, for `docs/carriers.md`.
    pub sureness: &'static str,
}

impl CarrierSpec {
    /// Whether the status table has a row for a code, be it one that says nothing.
    pub fn lists(&self, code: &str) -> bool {
        meaning_of(self.codes, code).is_some()
    }
}

/// A carrier or aggregator.
pub trait Carrier: Send + Sync {
    /// Its fixed facts.
    fn spec(&self) -> &'static CarrierSpec;
    /// Builds the question.
    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal>;
    /// Reads the answer to [`Carrier::track`]'s call (or to a `Then` call).
    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal>;
    /// Names of settings that an account may have beside the needed ones; a name ending in `?` is a secret.
    fn options(&self) -> &'static [&'static str] {
        &[]
    }
    /// A setting or secret of an account that is there but cannot be used, with the reason.
    fn mistake(&self, _account: &Account) -> Option<(&'static str, String)> {
        None
    }
    /// How the account's token is fetched, where it needs one.
    fn token(&self, _account: &Account) -> Option<&dyn TokenStep> {
        None
    }
    /// The news that it sends by itself.
    fn push(&self) -> Option<&dyn Push> {
        None
    }
    /// How it creates waybills.
    fn waybill(&self) -> Option<&dyn Waybill> {
        None
    }
    /// How it tells the codes with which parcels are collected.
    fn pickup_codes(&self) -> Option<&dyn PickupCodes> {
        None
    }
    /// How it reckons when parcels arrive.
    fn forecast(&self) -> Option<&dyn Forecast> {
        None
    }
    /// How a number that is registered there under a wrong carrier is moved to the right one.
    fn enrolled(&self) -> Option<&dyn Enrolled> {
        None
    }
    /// How it recognizes the carrier of a number.
    fn recognition(&self) -> Option<&dyn Recognition> {
        None
    }
}

/// A vendor that says which carrier a number belongs to.
pub trait Recognition: Send + Sync {
    /// The question.
    fn recognize(&self, cx: &Cx, number: &str) -> Result<Call, Refusal>;
    /// Yishi's codes, most likely first; carriers that Yishi has no code for are left out.
    fn read_recognized(&self, cx: &Cx, answer: &Answer) -> Result<Vec<String>, Refusal>;
}

/// Every carrier and aggregator.
pub static CARRIERS: &[&dyn Carrier] = &[
    &aftership::AfterShip,
    &cainiao::Cainiao,
    &deppon::Deppon,
    &dhl::Dhl,
    &ems::Ems,
    &fedex::FedEx,
    &http_json::HttpJson,
    &jd::Jd,
    &jt::Jt,
    &kdniao::KdNiao,
    &kuaidi100::Kuaidi100,
    &seventeen_track::SeventeenTrack,
    &sf::Sf,
    &simulated::SimulatedCarrier,
    &sto::Sto,
    &ups::Ups,
    &usps::Usps,
    &yanwen::Yanwen,
    &yto::Yto,
    &yunda::Yunda,
    &zto::Zto,
];

/// A carrier by its code.
pub fn carrier(code: &str) -> Option<&'static dyn Carrier> {
    CARRIERS.iter().copied().find(|carrier| carrier.spec().code == code)
}

/// What a carrier or aggregator can do, for people who choose one.
pub fn abilities(carrier: &dyn Carrier) -> [(&'static str, bool); 7] {
    let push = carrier.push();
    [
        ("query", true),
        ("push", push.is_some()),
        ("subscribe", push.is_some_and(|push| push.subscription().is_some())),
        ("recognition", carrier.recognition().is_some()),
        ("waybill", carrier.waybill().is_some()),
        ("pickup_codes", carrier.pickup_codes().is_some()),
        ("forecast", carrier.forecast().is_some()),
    ]
}

/// Every codec passes each scan through here once: the carrier's sentence fills the fields that the vendor left
/// empty. Where the code said no more than "moving", "failed", "a problem" or nothing at all, the sentence may say
/// what happened; a code that says something exact is never overruled.
fn refine(mut event: Event) -> Event {
    let coarse = is_coarse(&event);
    if event.header || !(coarse || names_people(event.status)) {
        return event;
    }
    let read = if coarse {
        scan_text::read(event.description(), Some(&event.carrier))
    } else {
        let meaning = Meaning { status: event.status, sub: event.sub, reason: event.reason };
        scan_text::details(event.description(), meaning)
    };
    // A code that nobody knows is never a delivery, whatever the sentence sounds like: the vendor's header says that.
    let unknown_code = event.status == Status::Unknown && event.raw.code.is_some();
    let allowed = |meaning: &Meaning| coarse && !(unknown_code && meaning.status == Status::Delivered);
    if let Some(meaning) = read.meaning.filter(allowed) {
        (event.status, event.sub, event.reason) = (meaning.status, meaning.sub, meaning.reason);
    }
    let fill = |field: &mut Option<String>, found: Option<String>| *field = field.take().or(found);
    fill(&mut event.courier.name, read.courier_name);
    fill(&mut event.courier.phone, read.courier_phone);
    fill(&mut event.pickup.code, read.pickup_code);
    fill(&mut event.pickup.place, read.pickup_place);
    fill(&mut event.signed_by, read.signed_by);
    event
}

/// Scans between hubs name nobody: their sentences are left alone, for speed.
fn names_people(status: Status) -> bool {
    !matches!(status, Status::InTransit | Status::InfoReceived | Status::Unknown)
}

/// Whether the vendor's code leaves room for the sentence.
fn is_coarse(event: &Event) -> bool {
    match event.status {
        Status::InTransit => matches!(event.sub, None | Some(Sub::Moving)),
        Status::Unknown => true,
        Status::AttemptFailed => matches!(event.sub, None | Some(Sub::Other)),
        Status::Exception => matches!(event.reason, None | Some(Reason::Other)),
        _ => false,
    }
}

/// A carrier's service phone by Yishi's code, where the facts give one.
pub fn hotline(code: &str) -> Option<&'static str> {
    names::by_code(code).map(|carrier| carrier.hotline).filter(|hotline| !hotline.is_empty())
}
