//! Which carriers a shop usually ships by: what a bare number means depends on who sent it. Learned from some of the
//! shop's orders, kept in memory. Must never decide by itself: it only weighs what a number's shape allows.

use super::Tracker;
use crate::carriers::recognize::{Candidate, Hints, recognize};
use crate::carriers::{Carrier, carrier};
use crate::store::StoreError;
use std::sync::PoisonError;

/// Orders that are looked at: they lie in no particular order, so some of them tell of all.
const SAMPLE: usize = 200;
/// A carrier of fewer of them than one in so many is none of the shop's habits.
const RARE: usize = 20;

impl Tracker {
    /// Looks at each shop's orders anew.
    pub async fn learn_habits(&self) -> Result<(), StoreError> {
        for shop in self.shops.keys() {
            let mut counts: Vec<(String, usize)> = Vec::new();
            let mut parcels = 0;
            for (_, order) in self.records.orders(shop, None, SAMPLE).await? {
                for shipment in order.shipments {
                    parcels += 1;
                    match counts.iter_mut().find(|(code, _)| *code == shipment.carrier) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((shipment.carrier, 1)),
                    }
                }
            }
            counts.retain(|(_, count)| count * RARE >= parcels);
            counts.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
            let usual = counts.into_iter().map(|(code, _)| code).collect();
            self.habits.write().unwrap_or_else(PoisonError::into_inner).insert(shop.clone(), usual);
        }
        Ok(())
    }

    /// Yishi's codes of the carriers that a shop has shipped by, most used first, then of those that it has accounts
    /// with.
    pub fn usual_carriers(&self, shop: &str) -> Vec<String> {
        let habits = self.habits.read().unwrap_or_else(PoisonError::into_inner);
        let mut usual = habits.get(shop).cloned().unwrap_or_default();
        let mine = self.accounts.iter().filter(|account| account.serves_shop(shop));
        let specs = mine.filter_map(|account| carrier(&account.kind)).map(Carrier::spec);
        for spec in specs.filter(|spec| !spec.aggregator) {
            if !usual.iter().any(|code| code == spec.code) {
                usual.push(spec.code.to_owned());
            }
        }
        usual
    }

    /// The carriers that a number of a shop may belong to, best first.
    pub fn recognize(&self, shop: &str, number: &str) -> Vec<Candidate> {
        let usual = self.usual_carriers(shop);
        let shop_carriers: Vec<&str> = usual.iter().map(String::as_str).collect();
        recognize(number, Hints { order_carrier: None, shop_carriers: &shop_carriers })
    }
}
