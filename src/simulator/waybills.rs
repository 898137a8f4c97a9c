//! The waybills that the peers gave out, so that one order has one number however often it is asked for, and can be
//! cancelled once. Must never look at who ships what to whom: each peer checks that in its own format.

use super::journeys::hash;
use super::{Simulator, lock};

/// A number that an order got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The vendor.
    pub kind: &'static str,
    /// The merchant's order id.
    pub order: String,
    /// The number: its journey is the normal one.
    pub number: String,
    /// Whether it was taken back.
    pub cancelled: bool,
}

/// What became of a cancelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    Now,
    Before,
    /// No such order.
    Unknown,
}

impl Simulator {
    /// An order's number, and whether it got it only now. `digits` follow the prefix.
    pub(super) fn give(
        &self,
        kind: &'static str,
        order: &str,
        prefix: &str,
        digits: usize,
    ) -> (String, bool) {
        if let Some(number) = self.given(kind, order) {
            return (number, false);
        }
        let drawn = format!("{:020}", hash(&format!("{kind}/{order}")));
        let number = format!("{prefix}{}01", &drawn[20 - (digits - 2)..]);
        let given = Given { kind, order: order.to_owned(), number: number.clone(), cancelled: false };
        lock(&self.waybills).push(given);
        (number, true)
    }

    /// The number of an order that was not cancelled.
    pub(super) fn given(&self, kind: &str, order: &str) -> Option<String> {
        let waybills = lock(&self.waybills);
        let mine = waybills.iter().find(|one| one.kind == kind && one.order == order && !one.cancelled);
        mine.map(|one| one.number.clone())
    }

    /// Takes a number back, by the order or by the number.
    pub(super) fn take_back(&self, kind: &str, order_or_number: &str) -> Cancelled {
        let mut waybills = lock(&self.waybills);
        let named = |one: &&mut Given| {
            one.kind == kind && (one.order == order_or_number || one.number == order_or_number)
        };
        match waybills.iter_mut().rfind(named) {
            None => Cancelled::Unknown,
            Some(one) if one.cancelled => Cancelled::Before,
            Some(one) => {
                one.cancelled = true;
                Cancelled::Now
            }
        }
    }

    /// Every number that was given out, oldest first.
    pub fn waybills(&self) -> Vec<Given> {
        lock(&self.waybills).clone()
    }
}

/// What the vendors say to a phone that is none.
pub(super) fn is_phone(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}
