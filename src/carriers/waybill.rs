//! Creating and cancelling waybills (one-click ship). Idempotent by the merchant's order id: after a time-out the
//! vendor is asked what became of the order before anything is sent again. Must never log a name, phone or address.

use super::Step;
use crate::model::Private;
use crate::wire::{Answer, Call, Cx, Refusal};

/// A vendor that creates waybills.
pub trait Waybill: Send + Sync {
    /// Creates a waybill. The call is marked [`Call::once`]: creating twice costs twice.
    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::AlreadyDone`] where the order has a waybill, which [`Waybill::find`] then fetches.
    fn read_created(&self, cx: &Cx, shipping: &Shipping, answer: &Answer) -> Result<Step<Created>, Refusal>;
    /// Asks what became of an order; none where the vendor cannot tell, and repeats [`Waybill::create`]'s answer.
    fn find(&self, cx: &Cx, shipping: &Shipping) -> Option<Result<Call, Refusal>>;
    /// Reads that answer; `None`: the vendor knows no such order, so it may be created.
    fn read_found(&self, cx: &Cx, shipping: &Shipping, answer: &Answer) -> Result<Option<Created>, Refusal>;
    /// Cancels an order's waybill.
    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal>;
    /// Reads that answer; [`Refusal::AlreadyDone`] where it was cancelled before.
    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal>;
}

/// Where a parcel comes from or goes to.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// Person or shop.
    pub name: Private<String>,
    /// Mobile or landline.
    pub phone: Private<String>,
    /// `广东省`
    pub province: String,
    /// `深圳市`
    pub city: String,
    /// `南山区`
    pub district: String,
    /// Street and house.
    pub street: Private<String>,
    /// ISO country code, `CN` by default.
    pub country: String,
    /// Where the country has them.
    pub postal: Option<String>,
}

/// One kind of goods in the parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// What the label says.
    pub name: String,
    /// How many.
    pub count: u32,
}

/// What is to be shipped.
#[derive(Clone, PartialEq, Eq)]
pub struct Shipping {
    /// Yishi's code of the carrier that shall carry it (an aggregator serves many).
    pub carrier: String,
    /// The merchant's order id: the key of idempotence.
    pub order: String,
    /// Sender.
    pub from: Party,
    /// Receiver.
    pub to: Party,
    /// At least one.
    pub goods: Vec<Goods>,
    /// Whole weight in grams.
    pub grams: u32,
    /// Parcels, from 1.
    pub pieces: u32,
    /// The carrier's product code; none: the account's default.
    pub product: Option<String>,
    /// For the courier.
    pub remark: Option<String>,
}

/// A waybill that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Created {
    /// Tracking number (of the master where there are several).
    pub number: String,
    /// Child numbers.
    pub children: Vec<String>,
    /// Number for the signed receipt's way back.
    pub return_number: Option<String>,
    /// The vendor's own order id, where it has one.
    pub vendor_order: Option<String>,
    /// Sorting mark for the label (大头笔).
    pub sorting: Option<String>,
    /// The label's address or page, as the vendor gave it.
    pub label: Option<String>,
}

/// What is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelling {
    /// Yishi's code of the carrier.
    pub carrier: String,
    /// The merchant's order id.
    pub order: String,
    /// As created.
    pub created: Created,
    /// Why, in the merchant's words.
    pub reason: String,
}
