//! When a parcel may arrive, by an aggregator's reckoning (时效预估), where its carrier says nothing. Must never be told
//! more of an address than its region.

use crate::model::Eta;
use crate::text::region::Region;
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;

/// A vendor that reckons when parcels arrive, whoever told their scans.
pub trait Forecast: Send + Sync {
    /// The question. The sender's region is the account's own.
    fn forecast(&self, cx: &Cx, trip: &Trip) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::NoDataYet`] where it names no time.
    fn read_forecast(&self, cx: &Cx, answer: &Answer) -> Result<Eta, Refusal>;
}

/// A parcel's way, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Yishi's carrier code.
    pub carrier: String,
    /// Where it goes.
    pub to: Region,
    /// When it was ordered or sent.
    pub ordered: Timestamp,
    /// What was said of it on its way, oldest first; no names or phones.
    pub scans: Vec<(Timestamp, String)>,
}
