//! What a buyer bought, and in which parcels it travels.

use super::account::ChatAddress;
use super::secret::{self, Private};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The shop platform's view of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum OrderStatus {
    Created,
    #[default]
    Paid,
    PartiallyShipped,
    Shipped,
    Delivered,
    Completed,
    Closed,
    Refunding,
}

/// One article of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Item {
    /// Name as the buyer saw it.
    pub title: String,
    /// The merchant's own article number.
    pub sku: Option<String>,
    /// How many.
    pub qty: u32,
}

/// One parcel of an order, as the merchant told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Shipment {
    /// Yishi's carrier code.
    pub carrier: String,
    /// Normalized tracking number.
    pub number: String,
    /// When the merchant shipped.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub shipped_at: Option<Timestamp>,
    /// What is inside.
    pub items: Vec<Item>,
}

/// Who bought. All of it personal: private in memory, sealed at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Buyer {
    /// The platform's opaque buyer id.
    pub external_id: Option<String>,
    /// Name, as far as the platform gives it (often masked).
    #[serde(with = "secret::sealed_option")]
    pub name: Option<Private<String>>,
    /// Full phone, digits only, where the platform gives it.
    #[serde(with = "secret::sealed_option")]
    pub phone: Option<Private<String>>,
    /// Last four digits of the phone: the second factor of a proof.
    #[serde(with = "secret::sealed_option")]
    pub phone_last4: Option<Private<String>>,
    /// Delivery address.
    #[serde(with = "secret::sealed_option")]
    pub address: Option<Private<String>>,
    /// Chats that belong to the buyer from the start.
    pub chat: Vec<ChatAddress>,
}

/// One order of one shop. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Order {
    /// The number that the buyer knows.
    pub no: String,
    /// The platform's status.
    pub status: OrderStatus,
    /// When the platform last changed it; an older one never overwrites a newer one.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub updated_at: Option<Timestamp>,
    /// When it was placed.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub created_at: Option<Timestamp>,
    /// When it was paid.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub paid_at: Option<Timestamp>,
    /// The buyer.
    pub buyer: Buyer,
    /// What was bought.
    pub items: Vec<Item>,
    /// Its parcels.
    pub shipments: Vec<Shipment>,
    /// When the merchant promises to ship.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub ship_by: Option<Timestamp>,
    /// Where it came from: `taobao`, `rest`, `generic`, …
    pub platform: Option<String>,
    /// Whether a refund runs.
    pub refund: Option<String>,
}

impl Order {
    /// The name of the first article, and how many further ones there are.
    pub fn title(&self) -> Option<(&str, usize)> {
        self.items.first().map(|item| (item.title.as_str(), self.items.len() - 1))
    }
}
