//! Keeping what an answer said: events are added, never replaced; the state is folded anew from all of them.

use super::Tracker;
use crate::carriers::{Ask, Tracked};
use crate::model::fold::{Known, fold};
use crate::model::{Event, Parcel};
use crate::store::{Batch, Committed, StoreError};

/// The newest events stay foldable; a value of the store stays small.
const MOST_EVENTS: usize = 500;

impl Tracker {
    /// Adds an answer to its parcel. An empty answer counts as a check.
    pub(super) async fn keep(
        &self,
        shop: &str,
        ask: &Ask,
        tracked: Vec<Tracked>,
        answered_by: &str,
    ) -> Result<(), StoreError> {
        let now = self.wire.clock().now();
        let told: Vec<&Tracked> = tracked.iter().filter(|tracked| tracked.number == ask.number).collect();
        loop {
            let read = self.records.parcel(shop, &ask.carrier, &ask.number).await?;
            let mut parcel = read.value.clone().unwrap_or_else(|| Parcel {
                carrier: ask.carrier.clone(),
                number: ask.number.clone(),
                ..Parcel::default()
            });
            let events = told.iter().flat_map(|tracked| &tracked.events).cloned();
            parcel.add(events.collect());
            if let Some(eta) = told.iter().find_map(|tracked| tracked.eta.clone()) {
                parcel.eta = Some(eta);
            }
            parcel.last_checked = Some(now);
            parcel.answered_by = Some(answered_by.to_owned());
            parcel.checks = parcel.checks.saturating_add(1);
            parcel.failures = 0;
            let mut batch = Batch::default();
            self.records.put_parcel(&mut batch, shop, &read, &parcel)?;
            if self.records.store().commit(batch).await? == Committed::Done {
                return Ok(());
            }
        }
    }
}

impl Parcel {
    /// Adds events and folds the whole set anew.
    pub fn add(&mut self, told: Vec<Event>) {
        let known = Known { shipped_at: self.shipped_at, ..Known::default() };
        let all = std::mem::take(&mut self.events).into_iter().chain(told);
        let (state, mut events) = fold(all, known);
        if events.len() > MOST_EVENTS {
            events.drain(..events.len() - MOST_EVENTS);
        }
        self.state = state;
        self.events = events;
    }
}
