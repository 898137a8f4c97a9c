//! A parcel that was known under a wrong carrier moves to the right one, with its history and on record. Must never
//! leave it under both.

use super::Tracker;
use crate::store::{Batch, Committed, StoreError};

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
}
