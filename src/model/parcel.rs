//! A parcel: its number, what was said of it, and what follows from that.

use super::event::Event;
use super::fold::Folded;
use super::notice::Notice;
use super::status::{Reason, Status, Sub};
use super::trouble::Trouble;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How exact an expected arrival is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum EtaPrecision {
    #[default]
    Day,
    Window,
    Time,
}

/// Who expects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum EtaSource {
    #[default]
    Carrier,
    Provider,
    Merchant,
    Model,
}

/// When the parcel is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Eta {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub from: Timestamp,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub to: Timestamp,
    pub source: EtaSource,
    pub precision: EtaPrecision,
}

/// One parcel. How it is stored is the store's business (`store/records/parcels.rs`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parcel {
    /// Yishi's carrier code.
    pub carrier: String,
    /// Normalized number.
    pub number: String,
    /// Counts re-used numbers, from 0.
    pub generation: u8,
    /// Orders that travel in it.
    pub orders: Vec<String>,
    /// When the merchant shipped it.
    pub shipped_at: Option<Timestamp>,
    /// What follows from the events.
    pub state: Folded,
    /// The events, folded order.
    pub events: Vec<Event>,
    /// When it is expected.
    pub eta: Option<Eta>,
    /// Last answer from anybody, whether it brought news or not.
    pub last_checked: Option<Timestamp>,
    /// Who answered last.
    pub answered_by: Option<String>,
    /// Checks made.
    pub checks: u32,
    /// Failed checks in a row.
    pub failures: u32,
    /// Last four digits of a phone that the carrier may ask for.
    pub phone_tail: Option<super::secret::Private<String>>,
    /// Last time anybody asked, answered or not: the per-number interval counts from here.
    pub last_asked: Option<Timestamp>,
    /// When it is checked next by itself; none: no more.
    pub next_check: Option<Timestamp>,
    /// Last time a vendor sent news of it by itself.
    pub last_push: Option<Timestamp>,
    /// The vendor that was asked to send news of it.
    pub watched: Option<Watched>,
    /// Keys of the notices that were told, or are about to be ([`Notice::key`]).
    pub told: Vec<u64>,
    /// When a notice last went out.
    pub told_at: Option<Timestamp>,
    /// Notices to tell, oldest first.
    pub pending: Vec<Notice>,
    /// When they are looked at next.
    pub pending_due: Option<Timestamp>,
    /// Answers without news in a row: polling backs off by it.
    pub empty_checks: u32,
    /// When we first heard of it, from the merchant or from a carrier.
    pub first_seen: Option<Timestamp>,
    /// When the buyer said that they have nothing of what the carrier calls delivered.
    pub disputed_at: Option<Timestamp>,
    /// What is wrong now, as it was judged last.
    pub troubles: Vec<Trouble>,
    /// What was asked, answered, changed and failed, oldest first: the newest [`JOURNAL`] lines.
    pub journal: Vec<Noted>,
    /// The pickup code that a vendor was asked to tell.
    pub awaited_code: Option<AwaitedCode>,
    /// The wrong carrier that it was known under, while vendors are still to be told.
    pub moved_from: Option<String>,
    /// A buyer who asked in vain was promised to hear of it: by then it is kept, or said that it cannot be.
    pub promised: Option<Timestamp>,
    /// What was asked of a vendor that reckons when it arrives.
    pub reckoned: Option<Reckoned>,
}

/// Lines of a parcel's own journal.
pub const JOURNAL: usize = 16;

/// A subscription at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// `kind/id` of the account.
    pub account: String,
    /// Each time that it was asked for, oldest first; those of the last month count against the vendor's cap.
    pub asked: Vec<Timestamp>,
    /// Whether the vendor sends news now.
    pub on: bool,
}

/// A pickup code that a vendor was asked to tell (取件码). The code itself stands in an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct AwaitedCode {
    /// `kind/id` of the account.
    pub account: String,
    /// How far it is.
    pub state: CodeState,
    /// Calls in this state that brought nothing.
    pub tries: u8,
    /// Since when the vendor has it.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub ready_at: Option<Timestamp>,
    /// When the next call may be made; none: at once.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub again: Option<Timestamp>,
}

/// How far a pickup code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// The vendor was asked to tell it; whether it will is not known.
    #[default]
    Asked,
    /// The vendor will say when it is there.
    Registered,
    /// It is there, to be fetched.
    Ready,
    /// An event has it.
    Told,
    /// Nobody will tell it.
    GivenUp,
}

/// A forecast that a vendor was asked for (时效预估).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reckoned {
    /// When it was asked for last.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub asked: Timestamp,
    /// Whether [`Parcel::eta`] is a forecast, not the word of whoever told the scans.
    pub ours: bool,
}

/// One line of a parcel's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
    /// `kind/id` of the account; empty: we ourselves.
    pub by: String,
    /// `query`, `push`, `subscribe`, `carrier`, …
    pub what: String,
    /// `ok`, or what was refused or failed: a label.
    pub outcome: String,
    /// Events that were new.
    pub news: u16,
    /// The parcel's status after it.
    pub status: Status,
}

impl Parcel {
    /// Adds a line to its journal.
    pub fn note(&mut self, at: Timestamp, by: &str, what: &str, outcome: &str, news: usize) {
        if self.journal.len() >= JOURNAL {
            self.journal.remove(0);
        }
        self.journal.push(Noted {
            at,
            by: by.to_owned(),
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            news: news.try_into().unwrap_or(u16::MAX),
            status: self.state.status,
        });
    }

    /// When whoever told its scans expects it: no forecast.
    pub fn own_eta(&self) -> Option<&Eta> {
        let ours = self.reckoned.as_ref().is_some_and(|reckoned| reckoned.ours);
        self.eta.as_ref().filter(|_| !ours)
    }

    /// Forgets what was forecast, though not that it was asked for.
    pub fn drop_forecast(&mut self) {
        if let Some(reckoned) = self.reckoned.as_mut().filter(|reckoned| reckoned.ours) {
            reckoned.ours = false;
            self.eta = None;
        }
    }

    /// The newest event that counts, if any.
    pub fn newest(&self) -> Option<&Event> {
        self.events.iter().rev().find(|event| !event.superseded)
    }

    /// Whether it travels between countries, as far as its events tell: customs, or scans in two countries.
    pub fn crosses_borders(&self) -> bool {
        let mut first: Option<&str> = None;
        self.events.iter().any(|event| {
            let by_scan = matches!(
                event.sub,
                Some(
                    Sub::DepartedOriginCountry
                        | Sub::ArrivedDestinationCountry
                        | Sub::CustomsPresented
                        | Sub::CustomsInspection
                        | Sub::CustomsReleased
                )
            );
            let by_reason = matches!(
                event.reason,
                Some(Reason::CustomsHold | Reason::CustomsDocuments | Reason::CustomsProhibited)
            );
            let by_place = event.place.country.as_deref().is_some_and(|country| {
                let first = *first.get_or_insert(country);
                !first.eq_ignore_ascii_case(country)
            });
            by_scan || by_reason || by_place
        })
    }

    /// The last moment at which anybody told us anything of it, news or none.
    pub fn last_heard(&self) -> Option<Timestamp> {
        let told = self.events.iter().filter_map(|event| event.last_heard.max(event.received)).max();
        self.last_checked.max(told)
    }
}
