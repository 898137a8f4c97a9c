//! What is to be done when: parcels to check, and parcels with news to tell. A row each, in order of due time; checks
//! stand by shop, so that one shop's many never stand before another's few.

use super::{Kind, Read, Records};
use crate::model::Parcel;
use crate::store::{Batch, StoreError, prefix_end};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A parcel that something is due for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Due {
    /// The shop.
    pub shop: String,
    /// Yishi's carrier code.
    pub carrier: String,
    /// Tracking number.
    pub number: String,
}

fn millis(at: Timestamp) -> [u8; 8] {
    (at.as_millisecond().max(0) as u64).to_be_bytes()
}

/// `kind ‖ shop ‖ due time ‖ parcel`.
fn check_key(parcel: &[u8], at: Timestamp) -> Vec<u8> {
    [&[Kind::Check as u8], &parcel[1..9], &millis(at), &parcel[9..]].concat()
}

/// `kind ‖ due time ‖ shop and parcel`.
fn telling_key(parcel: &[u8], at: Timestamp) -> Vec<u8> {
    [&[Kind::Telling as u8], millis(at).as_slice(), &parcel[1..]].concat()
}

impl Records {
    /// Moves the rows of a parcel to where its new state wants them. Belongs into the batch that stores the parcel.
    pub(super) fn stage_schedule(
        &self,
        batch: &mut Batch,
        shop: &str,
        read: &Read<Parcel>,
        parcel: &Parcel,
    ) -> Result<(), StoreError> {
        let before = read.value.as_ref();
        let rows = [
            (before.and_then(|parcel| parcel.next_check), parcel.next_check, check_key as fn(&[u8], _) -> _),
            (before.and_then(|parcel| parcel.pending_due), parcel.pending_due, telling_key),
        ];
        for (old, new, key) in rows.into_iter().filter(|(old, new, _)| old != new) {
            if let Some(old) = old {
                batch.delete(key(&read.key, old));
            }
            if let Some(new) = new {
                let due = Due {
                    shop: shop.to_owned(),
                    carrier: parcel.carrier.clone(),
                    number: parcel.number.clone(),
                };
                self.put(batch, key(&read.key, new), &due)?;
            }
        }
        Ok(())
    }

    /// A shop's parcels whose check is due, the most overdue first.
    pub async fn due_checks(&self, shop: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let from = self.prefix(Kind::Check, shop);
        let to = [from.as_slice(), &(now.as_millisecond().max(0) as u64 + 1).to_be_bytes()].concat();
        self.due_rows(&from, &to, limit).await
    }

    /// Parcels with news to tell, the oldest first.
    pub async fn due_tellings(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let from = [Kind::Telling as u8];
        let to = [from.as_slice(), &(now.as_millisecond().max(0) as u64 + 1).to_be_bytes()].concat();
        self.due_rows(&from, &to, limit).await
    }

    /// A shop's parcels whose check lies after a time, the soonest first.
    pub async fn checks_after(
        &self,
        shop: &str,
        time: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let prefix = self.prefix(Kind::Check, shop);
        let from = [prefix.as_slice(), &millis(time)].concat();
        self.due_rows(&from, &prefix_end(&prefix), limit).await
    }

    /// Parcels with news to tell after a time, the soonest first.
    pub async fn tellings_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let from = [&[Kind::Telling as u8], millis(time).as_slice()].concat();
        self.due_rows(&from, &prefix_end(&[Kind::Telling as u8]), limit).await
    }

    /// When the next telling is due.
    pub async fn next_telling(&self) -> Result<Option<Timestamp>, StoreError> {
        let from = [Kind::Telling as u8];
        let rows = self.store().scan(&from, &prefix_end(&from), 1).await?;
        let at = rows.first().and_then(|(key, _)| key.get(1..9)?.first_chunk::<8>().copied());
        Ok(at.and_then(|at| Timestamp::from_millisecond(u64::from_be_bytes(at) as i64).ok()))
    }

    async fn due_rows(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Due>, StoreError> {
        let rows = self.store().scan(from, to, limit).await?;
        rows.into_iter().map(|(key, raw)| self.open(&key, &raw)).collect()
    }
}
