//! After the machine's clock was wrong for a while and was put back: checks and news that lie further ahead than any
//! plan reaches come back to now, and parcels that were given up as too old are looked after again. Must never ask
//! more than the accounts allow: what is due is due, and the ledger counts.

use super::Tracker;
use crate::store::StoreError;
use jiff::SignedDuration;

/// No check is planned further ahead: a day and its jitter, or until an account's next day.
const FARTHEST_CHECK: SignedDuration = SignedDuration::from_hours(36);
/// No news waits longer: a night, or until the day after the buyer's last message of a day.
const FARTHEST_TELLING: SignedDuration = SignedDuration::from_hours(72);
/// Parcels of one page.
const PAGE: usize = 32;

impl Tracker {
    /// Brings back what lies too far ahead. Returns how many parcels; where nothing does, it is one short scan a shop.
    pub async fn mend_schedule(&self) -> Result<usize, StoreError> {
        let mut mended = 0;
        for shop in self.shops.keys() {
            loop {
                let after = self.wire.clock().now() + FARTHEST_CHECK;
                let far = self.records.checks_after(shop, after, PAGE).await?;
                for due in &far {
                    self.change(&due.shop, &due.carrier, &due.number, |parcel, now| {
                        let far = parcel.next_check.is_some_and(|next| next > now + FARTHEST_CHECK);
                        if far {
                            self.plan(shop, parcel, now);
                            parcel.next_check = parcel.next_check.map(|next| next.min(now + FARTHEST_CHECK));
                        }
                        far
                    })
                    .await?;
                }
                mended += far.len();
                if far.len() < PAGE {
                    break;
                }
            }
        }
        loop {
            let after = self.wire.clock().now() + FARTHEST_TELLING;
            let far = self.records.tellings_after(after, PAGE).await?;
            for due in &far {
                self.change(&due.shop, &due.carrier, &due.number, |parcel, now| {
                    let far = parcel.pending_due.is_some_and(|due| due > now + FARTHEST_TELLING);
                    if far {
                        parcel.pending_due = Some(now);
                    }
                    far
                })
                .await?;
            }
            mended += far.len();
            if far.len() < PAGE {
                break;
            }
        }
        if mended > 0 {
            self.stir();
        }
        Ok(mended)
    }

    /// One page of all parcels of a shop: those that nobody asks about any more although their time is not over are
    /// planned again. Returns where the next page begins.
    pub async fn take_up_again(
        &self,
        shop: &str,
        after: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let keys = self.records.parcel_keys(shop, after, PAGE).await?;
        let last = keys.last().cloned();
        for key in keys {
            let Some(parcel) = self.records.parcel_at(key).await?.value else { continue };
            if parcel.next_check.is_some() {
                continue;
            }
            self.change(shop, &parcel.carrier, &parcel.number, |parcel, now| {
                if parcel.next_check.is_none() {
                    self.plan(shop, parcel, now);
                }
                parcel.next_check.is_some()
            })
            .await?;
        }
        Ok(last)
    }
}
