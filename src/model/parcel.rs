//! A parcel: its number, what was said of it, and what follows from that.

use super::event::Event;
use super::fold::Folded;
use super::status::{Reason, Sub};
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
    pub from: Timestamp,
    pub to: Timestamp,
    pub source: EtaSource,
    pub precision: EtaPrecision,
}

/// One parcel. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
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
    #[serde(with = "super::secret::sealed_option")]
    pub phone_tail: Option<super::secret::Private<String>>,
    /// Last time anybody asked, answered or not: the per-number interval counts from here.
    pub last_asked: Option<Timestamp>,
    /// Answers without news in a row: polling backs off by it.
    pub empty_checks: u32,
    /// When we first heard of it, from the merchant or from a carrier.
    pub first_seen: Option<Timestamp>,
    /// When the buyer said that they have nothing of what the carrier calls delivered.
    pub disputed_at: Option<Timestamp>,
    /// What is wrong now, as it was judged last.
    pub troubles: Vec<Trouble>,
}

impl Parcel {
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
