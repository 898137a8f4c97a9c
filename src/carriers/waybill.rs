//! Creating and cancelling waybills (one-click ship). Idempotent by the merchant's order id: after a time-out the
//! vendor is asked what became of the order before anything is sent again. Must never log a name, phone or address.

use crate::model::Private;
use crate::wire::{Answer, Call, Cure, Cx, Refusal};

/// The order's address, or the region, is not one that the vendor takes.
pub(super) const CURE_ORDER_ADDRESS: Cure = Cure("cure-order-address");
/// A phone of sender or receiver is not one that the vendor takes.
pub(super) const CURE_ORDER_PHONE: Cure = Cure("cure-order-phone");
/// The goods may not be carried.
pub(super) const CURE_ORDER_GOODS: Cure = Cure("cure-order-goods");
/// It has been collected: there is nothing left to cancel.
pub(super) const CURE_ORDER_COLLECTED: Cure = Cure("cure-order-collected");
/// Something else in the order is wrong.
pub(super) const CURE_ORDER: Cure = Cure("cure-order");

/// A vendor that creates waybills.
pub trait Waybill: Send + Sync {
    /// What an account needs for it beside the rest, and how sure the wire facts are, for `docs/carriers.md`.
    fn sureness(&self) -> &'static str;
    /// Creates a waybill. The call is marked [`Call::once`]: creating twice may cost twice.
    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::AlreadyDone`] where the order has a waybill that the answer does not name.
    fn read_created(&self, cx: &Cx, shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal>;
    /// What to do where it is not known whether an order has its waybill already.
    fn again(&self) -> Again<'_>;
    /// Cancels an order's waybill; [`Refusal::Unsupported`] where the vendor offers no way.
    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal>;
    /// Reads that answer; [`Refusal::AlreadyDone`] where it was cancelled before.
    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal>;
}

/// What to do where a call that creates a waybill brought no answer.
pub enum Again<'a> {
    /// Ask the vendor what became of the order.
    Ask(&'a dyn FindWaybill),
    /// Create it again: the vendor answers one order id with one waybill, however often.
    Repeat,
    /// Nothing that a program can do: somebody must look into the vendor's console.
    Look,
}

/// A vendor that tells what became of an order.
pub trait FindWaybill: Send + Sync {
    /// The question.
    fn find(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal>;
    /// Reads the answer; `None`: the vendor knows no such order, so it may be created.
    fn read_found(&self, cx: &Cx, answer: &Answer) -> Result<Option<Created>, Refusal>;
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

impl Party {
    /// Province, city, district and street in one line, as Chinese vendors write it.
    pub(super) fn whole_address(&self) -> String {
        [&self.province, &self.city, &self.district, self.street.reveal()].map(String::as_str).concat()
    }
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

impl Shipping {
    /// The whole weight as vendors want it.
    pub(super) fn kilograms(&self) -> f64 {
        f64::from(self.grams) / 1_000.0
    }

    /// The goods in a few words: `茶具、茶叶`.
    pub(super) fn goods_words(&self) -> String {
        self.goods.iter().map(|goods| goods.name.as_str()).collect::<Vec<_>>().join("、")
    }
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
