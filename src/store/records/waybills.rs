//! Waybills that a shop ordered at a vendor: written before the call that creates one, so that after a crash nothing is
//! ordered twice. Must never keep who ships what to whom.

use super::{Kind, Read, Records};
use crate::store::StoreError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The call was about to be made: where nothing followed, its outcome is unknown.
    Ordering,
    /// There is a waybill.
    Created,
    /// It was cancelled at the vendor.
    Cancelled,
}

/// One waybill of a shop. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaybillOrder {
    /// `kind/id` of the account.
    pub account: String,
    /// Yishi's code of the carrier that carries it.
    pub carrier: String,
    /// The order that it is for.
    pub order: String,
    /// How far.
    pub state: OrderState,
    /// Since when.
    pub at: Timestamp,
    /// Tracking number; empty until it is created.
    pub number: String,
    /// Child numbers.
    pub children: Vec<String>,
    /// Number for the signed receipt's way back.
    pub return_number: Option<String>,
    /// The vendor's own order id.
    pub vendor_order: Option<String>,
    /// Sorting mark for the label.
    pub sorting: Option<String>,
}

impl Records {
    /// A shop's waybill by the id under which the shop ordered it.
    pub async fn waybill(&self, shop: &str, id: &str) -> Result<Read<WaybillOrder>, StoreError> {
        self.read(self.key(Kind::Waybill, shop, id)).await
    }
}
