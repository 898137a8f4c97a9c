//! A parcel that was known under a wrong carrier moves to the right one, with its history and on record. Must never
//! leave it under both, nor wait for a vendor before it is moved.

use super::{ACCOUNT_LIMIT, Asker, Tracker};
use crate::carriers::{Carrier, Enrolled};
use crate::model::{Account, Parcel};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Answer, CallError, Cx, Failure};
use std::sync::Arc;

impl Tracker {
    /// Moves a number of a shop from one carrier to another, in one commit: parcel, number and orders.
    pub async fn correct_carrier(
        &self,
        shop: &str,
        number: &str,
        wrong: &str,
        right: &str,
        by: &str,
    ) -> Result<(), StoreError> {
        loop {
            let old = self.records.parcel(shop, wrong, number).await?;
            let new = self.records.parcel(shop, right, number).await?;
            let Some(mut parcel) = old.value.clone() else { return Ok(()) };
            right.clone_into(&mut parcel.carrier);
            let mut events = std::mem::take(&mut parcel.events);
            for event in events.iter_mut().filter(|event| event.carrier == wrong) {
                right.clone_into(&mut event.carrier);
                event.id = event.compute_id();
            }
            events.extend(new.value.iter().flat_map(|parcel| parcel.events.clone()));
            parcel.add(events);
            // Registered for under the wrong carrier, nobody would tell it.
            parcel.awaited_code = None;
            parcel.drop_forecast();
            parcel.moved_from = (!self.registers(shop, wrong).is_empty()).then(|| wrong.to_owned());
            parcel.note(self.wire.clock().now(), by, "carrier", "corrected", 0);
            let mut batch = Batch::default();
            self.records.remove_parcel(&mut batch, &old)?;
            self.records.put_parcel(&mut batch, shop, &new, &parcel)?;
            let row = self.records.number(shop, number).await?;
            let mut numbers = row.value.clone().unwrap_or_default();
            numbers.carriers.retain(|carrier| carrier != wrong && carrier != right);
            numbers.carriers.push(right.to_owned());
            self.records.replace(&mut batch, &row, &numbers)?;
            for no in &numbers.orders {
                let read = self.records.order(shop, no).await?;
                let Some(mut order) = read.value.clone() else { continue };
                for shipment in &mut order.shipments {
                    if shipment.number.eq_ignore_ascii_case(number) && shipment.carrier == wrong {
                        right.clone_into(&mut shipment.carrier);
                    }
                }
                self.records.replace(&mut batch, &read, &order)?;
            }
            if self.records.store().commit(batch).await? == Committed::Done {
                return Ok(());
            }
        }
    }

    /// Tells the vendors at which a parcel may stand under the carrier that it was moved from, once. What could not be
    /// sent is tried again at the next check; that it stands there wrongly otherwise does no harm but to their books.
    pub(super) async fn tell_moved(&self, shop: &str, parcel: &Parcel) -> Result<(), StoreError> {
        let Some(from) = parcel.moved_from.as_deref() else { return Ok(()) };
        let (to, number) = (parcel.carrier.as_str(), parcel.number.as_str());
        let mut lines = Vec::new();
        for (carrier, enrolled, account) in self.registers(shop, from) {
            let build = |cx: &Cx| enrolled.change_carrier(cx, number, from, to);
            let read = |cx: &Cx, answer: &Answer| enrolled.read_changed(cx, number, answer);
            let at = (carrier, &*account);
            let changed = self.call(at, Asker::Schedule, ACCOUNT_LIMIT, &build, read).await;
            if let Err(Failure::Call(CallError::NotSent { .. })) = changed {
                return Ok(());
            }
            lines.push((account.name(), changed.map_or_else(|failure| failure.label(), |()| "changed")));
        }
        self.change(shop, to, number, |parcel, now| {
            if parcel.moved_from.take().is_none() {
                return false;
            }
            for (by, outcome) in &lines {
                parcel.note(now, by, "change_carrier", outcome, 0);
            }
            true
        })
        .await
    }

    /// The accounts at which a number may stand under a carrier.
    fn registers(
        &self,
        shop: &str,
        carrier: &str,
    ) -> Vec<(&'static dyn Carrier, &'static dyn Enrolled, Arc<Account>)> {
        let chain = self.chain(shop, carrier).into_iter();
        chain.filter_map(|(carrier, account)| Some((carrier, carrier.enrolled()?, account))).collect()
    }
}
