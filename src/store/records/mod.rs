//! The records of the house as typed values over the plain store: keys are keyed fingerprints, values are sealed.
//! Whatever is read names its version, so that a write based on something old is lost and decided again.

mod cases;
mod chats;
mod journal;
mod ledger;
mod letters;
mod links;
mod orders;
mod outbox;
mod parcels;
mod schedule;
mod sweep;
mod turns;
mod waybills;

pub use cases::Case;
pub use chats::Request;
pub use journal::CallLine;
pub use letters::DeadLetter;
pub use orders::{NumberRow, Upserted};
pub use outbox::{Outgoing, OutgoingState};
pub use schedule::Due;
pub use sweep::{Sweep, Swept};
pub use turns::Running;
pub use waybills::{OrderState, WaybillOrder};

use super::{Batch, Store, StoreError};
use crate::vault::Vault;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Bytes that most rows fit into: so many are set aside before one is encoded.
const USUAL_ROW: usize = 4_096;

/// First byte of a key: which kind of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An order of a shop.
    Order = b'o',
    /// A parcel of a shop.
    Parcel = b'p',
    /// Older scans of a parcel.
    Page = b'v',
    /// Where a tracking number leads.
    Number = b'n',
    /// A parcel's next check.
    Check = b'd',
    /// A parcel's news that is to be told.
    Telling = b'w',
    /// What was told of a number that nobody knows.
    Stray = b'u',
    /// A push that could not be read.
    DeadLetter = b'l',
    /// A part of its payload.
    LetterPart = b'k',
    /// A conversation.
    Chat = b'c',
    /// An inbound message that still waits for its answer.
    Running = b'r',
    /// A line of a web chat's log.
    Message = b'm',
    /// Something to send.
    Outgoing = b'x',
    /// Failed proofs for a number.
    Guesses = b'g',
    /// Orders of a phone.
    Phone = b'f',
    /// A waybill that was ordered.
    Waybill = b'y',
    /// Something that the merchant should see.
    Request = b'q',
    /// A token of an account.
    Token = b't',
    /// Calls of an account on a day.
    Budget = b'b',
    /// When a number was asked about.
    Asked = b'a',
    /// What happened at an account.
    Journal = b'j',
    /// A person whose data went.
    Tombstone = b'z',
    /// Something that is wrong with a parcel.
    Case = b'e',
    /// The same, settled or cleared.
    PastCase = b'h',
    /// A cleared one whose merchant was alarmed and has yet to hear that it cleared.
    Cleared = b'i',
}

/// A key and what stood under it.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// Where.
    pub key: Vec<u8>,
    /// The sealed bytes as read: the version.
    pub raw: Option<Bytes>,
    /// The value, if any.
    pub value: Option<T>,
}

/// Typed access to a store.
#[derive(Clone)]
pub struct Records {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
}

impl Records {
    /// Over a store, sealed with a vault.
    pub fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> Self {
        Self { store, vault }
    }

    /// The plain store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The vault that seals.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// `kind ‖ owner fingerprint (8 bytes)`: all records of one kind of one shop or account.
    pub fn prefix(&self, kind: Kind, owner: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(33);
        key.push(kind as u8);
        key.extend_from_slice(&self.vault.index("", "owner", owner)[..8]);
        key
    }

    /// `prefix ‖ fingerprint of the id (16 bytes)`.
    pub fn key(&self, kind: Kind, owner: &str, id: &str) -> Vec<u8> {
        let mut key = self.prefix(kind, owner);
        key.extend_from_slice(&self.vault.index(owner, "id", id));
        key
    }

    /// Reads and opens one record.
    pub async fn read<T: DeserializeOwned>(&self, key: Vec<u8>) -> Result<Read<T>, StoreError> {
        let raw = self.store.get(&key).await?;
        let value = raw.as_ref().map(|raw| self.open(&key, raw)).transpose()?;
        Ok(Read { key, raw, value })
    }

    /// The plain bytes of a sealed row.
    fn unseal(&self, key: &[u8], raw: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.vault.open(key, raw).map_err(|error| StoreError::Unusable(error.to_string()))
    }

    /// Opens a sealed row.
    pub fn open<T: DeserializeOwned>(&self, key: &[u8], raw: &[u8]) -> Result<T, StoreError> {
        let plain = self.unseal(key, raw)?;
        rmp_serde::from_slice(&plain).map_err(|_| {
            StoreError::Unusable(
                "a record is from another version of Yishi; use the version that wrote it".into(),
            )
        })
    }

    /// Seals a record into a batch.
    pub fn put<T: Serialize>(&self, batch: &mut Batch, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        let mut plain = Vec::with_capacity(USUAL_ROW);
        rmp_serde::encode::write(&mut plain, value)
            .map_err(|_| StoreError::Unusable("a record cannot be written: please report this".into()))?;
        let sealed = self.vault.seal(&key, &plain);
        batch.put(key, sealed);
        Ok(())
    }

    /// Seals a record whose old version was read: lost if that has changed since.
    pub fn replace<T: Serialize>(
        &self,
        batch: &mut Batch,
        read: &Read<impl Sized>,
        value: &T,
    ) -> Result<(), StoreError> {
        batch.expect(read.key.clone(), read.raw.clone());
        self.put(batch, read.key.clone(), value)
    }
}
