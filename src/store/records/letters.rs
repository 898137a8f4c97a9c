//! Pushes that could not be put in their place: of numbers that nobody knows yet (strays), and those that could not be
//! read (dead letters). Both wait, neither is lost.

use super::{Kind, Read, Records};
use crate::model::Parcel;
use crate::store::{Batch, Committed, StoreError, prefix_end};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of a dead letter in one row.
const PART: usize = 8 * 1024;
/// Parts in one commit.
const PARTS_AT_ONCE: usize = 32;

/// A push that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// When it came.
    pub at: Timestamp,
    /// The vendor's kind.
    pub kind: String,
    /// The account's id.
    pub account: String,
    /// Why: the label of the refusal.
    pub cause: String,
    /// Bytes of its verified payload.
    pub length: usize,
}

impl Records {
    /// What an account (`kind/id`) was told of a number that no shop had then.
    pub async fn stray(&self, account: &str, number: &str) -> Result<Read<Parcel>, StoreError> {
        self.parcel_at(self.key(Kind::Stray, account, &number.to_ascii_uppercase())).await
    }

    /// Keeps it.
    pub async fn put_stray(&self, read: &Read<Parcel>, stray: &Parcel) -> Result<Committed, StoreError> {
        let mut batch = Batch::default();
        self.put_parcel(&mut batch, "", read, stray)?;
        self.store().commit(batch).await
    }

    /// It has found its parcel.
    pub async fn drop_stray(&self, read: &Read<Parcel>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        self.remove_parcel(&mut batch, read)?;
        let _ = self.store().commit(batch).await?;
        Ok(())
    }

    /// Keeps a push that could not be read. Durable when this returns.
    pub async fn put_dead_letter(&self, letter: &DeadLetter, payload: &[u8]) -> Result<(), StoreError> {
        let mut key = self.prefix(Kind::DeadLetter, &format!("{}/{}", letter.kind, letter.account));
        key.extend_from_slice(uuid::Uuid::now_v7().as_bytes());
        let mut batch = Batch::default();
        for (at, part) in payload.chunks(PART).enumerate() {
            let key = part_key(&key, at);
            let sealed = self.vault().seal(&key, part);
            batch.put(key, sealed);
            if batch.writes.len() >= PARTS_AT_ONCE {
                let _ = self.store().commit(std::mem::take(&mut batch)).await?;
            }
        }
        // The letter itself comes last: parts without one are nobody's.
        self.put(&mut batch, key, letter)?;
        let _ = self.store().commit(batch).await?;
        Ok(())
    }

    /// Dead letters, oldest first, each with its key.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<Read<DeadLetter>>, StoreError> {
        let prefix = [Kind::DeadLetter as u8];
        let rows = self.store().scan(&prefix, &prefix_end(&prefix), limit).await?;
        let read = |(key, raw): (Vec<u8>, bytes::Bytes)| {
            let value = Some(self.open(&key, &raw)?);
            Ok(Read { key, raw: Some(raw), value })
        };
        rows.into_iter().map(read).collect()
    }

    /// A dead letter's payload.
    pub async fn payload_of(&self, letter: &Read<DeadLetter>) -> Result<Vec<u8>, StoreError> {
        let length = letter.value.as_ref().map_or(0, |letter| letter.length);
        let mut payload = Vec::with_capacity(length.min(1 << 20));
        for at in 0..length.div_ceil(PART) {
            let key = part_key(&letter.key, at);
            let Some(raw) = self.store().get(&key).await? else { break };
            payload.extend_from_slice(&self.unseal(&key, &raw)?);
        }
        Ok(payload)
    }

    /// Ends a dead letter: it was read after all.
    pub async fn drop_dead_letter(&self, letter: &Read<DeadLetter>) -> Result<(), StoreError> {
        let length = letter.value.as_ref().map_or(0, |letter| letter.length);
        let mut batch = Batch::default();
        batch.delete(letter.key.clone());
        for at in 0..length.div_ceil(PART) {
            batch.delete(part_key(&letter.key, at));
            if batch.writes.len() >= PARTS_AT_ONCE {
                let _ = self.store().commit(std::mem::take(&mut batch)).await?;
            }
        }
        let _ = self.store().commit(batch).await?;
        Ok(())
    }
}

/// The `at`th part of the letter with this key.
fn part_key(letter: &[u8], at: usize) -> Vec<u8> {
    let mut key = letter.to_vec();
    key[0] = Kind::LetterPart as u8;
    key.extend_from_slice(&(at as u16).to_be_bytes());
    key
}

/// The key of the letter that a part belongs to.
pub(super) fn letter_of(part: &[u8]) -> Vec<u8> {
    let mut key = part[..part.len().saturating_sub(2)].to_vec();
    key[0] = Kind::DeadLetter as u8;
    key
}
