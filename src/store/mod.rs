//! The store is a plug with a contract: ordered keys, opaque (sealed) values, atomic batches. Memory, sled and
//! PostgreSQL keep the same contract (`contract.rs`); nothing else knows which one runs.

pub mod backup;
mod begin;
pub mod memory;
pub mod records;
pub mod sled;

#[cfg(test)]
mod contract;

pub use begin::begin;

use bytes::Bytes;

/// Keys of one batch, at most.
pub const MAX_KEYS: usize = 40;
/// Bytes of one key, at most.
pub const MAX_KEY_BYTES: usize = 256;
/// Bytes of one value, at most: 8 KiB of content and room for its seal. Longer things are cut into rows. (sled writes
/// a leaf of 17 rows beyond a quarter of its segment to a file of its own, which it never removes.)
pub const MAX_VALUE_BYTES: usize = 12 * 1024;

/// Why a store operation did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Less free disk than the configured floor: nothing was written.
    #[error("the disk is nearly full; free some space or lower `store.min_free_disk`")]
    DiskFull,
    /// The store cannot be used (corrupt, wrong version, another process): says what to do.
    #[error("{0}")]
    Unusable(String),
    /// A fault of our own: the batch breaks a limit of the contract. Nothing was written.
    #[error("a fault in Yishi: a batch of {keys} keys, longest key {key} bytes, longest value {value} bytes")]
    TooLarge {
        /// Keys written, at most [`MAX_KEYS`].
        keys: usize,
        /// Bytes of the longest key, at most [`MAX_KEY_BYTES`].
        key: usize,
        /// Bytes of the longest value, at most [`MAX_VALUE_BYTES`].
        value: usize,
    },
    /// The service is stopping, or intake is paused for a restore.
    #[error("the store is closed")]
    Closed,
}

/// One atomic batch: at most 40 keys. Checked as a whole against earlier batches, then written as a whole.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What the caller read: the batch is lost if any of these keys now holds something else.
    pub expects: Vec<(Vec<u8>, Option<Bytes>)>,
    /// New values; `None` deletes.
    pub writes: Vec<(Vec<u8>, Option<Bytes>)>,
}

impl Batch {
    /// Adds what was read.
    pub fn expect(&mut self, key: impl Into<Vec<u8>>, read: Option<Bytes>) -> &mut Self {
        self.expects.push((key.into(), read));
        self
    }

    /// Adds a write.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) -> &mut Self {
        self.writes.push((key.into(), Some(value.into())));
        self
    }

    /// Adds a delete.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> &mut Self {
        self.writes.push((key.into(), None));
        self
    }

    /// Whether the batch keeps the limits of the contract; every store asks before anything else.
    pub fn fits(&self) -> Result<(), StoreError> {
        let keys = self.writes.len();
        let key = self.writes.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let value =
            self.writes.iter().filter_map(|(_, value)| value.as_ref()).map(Bytes::len).max().unwrap_or(0);
        if keys > MAX_KEYS || key > MAX_KEY_BYTES || value > MAX_VALUE_BYTES {
            return Err(StoreError::TooLarge { keys, key, value });
        }
        Ok(())
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// Written and durable.
    Done,
    /// Something that was read has changed: read again, decide again.
    Lost,
}

/// One row of a scan.
pub type Row = (Vec<u8>, Bytes);

/// Where records live.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// One value. Sees every batch whose commit has returned (in this process at least), and perhaps one that is
    /// written but not yet durable: what is decided from it is committed behind it, so it cannot outlive it.
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Rows with `from <= key < to` in key order, at most `limit`.
    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The same, from the end backwards.
    async fn scan_back(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Commits a batch. When this returns `Done`, the batch survives a killed process (and, with
    /// `durability = "power"`, a power cut). A key written twice in one batch keeps the last write. Whoever stops
    /// waiting (a dropped future) does not undo the batch: it may have been written.
    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError>;

    /// Whether writes work now; says why not.
    fn health(&self) -> Result<(), StoreError>;

    /// Finishes what was committed and closes. Later calls give `Closed`.
    async fn close(&self);
}

/// The smallest key above every key with this prefix, for scans.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end;
        }
    }
    vec![0xff; prefix.len() + 1]
}
