//! A parcel: its number, what was said of it, and what follows from that.

use super::event::Event;
use super::fold::Folded;
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
}

impl Parcel {
    /// The newest event that counts, if any.
    pub fn newest(&self) -> Option<&Event> {
        self.events.iter().rev().find(|event| !event.superseded)
    }
}
