//! The store in memory: for tests and throw-away runs. Must keep the contract to the letter, durability apart.

use super::{Batch, Committed, Row, Store, StoreError};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Rows in a sorted map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: Mutex<BTreeMap<Vec<u8>, Bytes>>,
    closed: AtomicBool,
}

impl MemoryStore {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, Bytes>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) { Err(StoreError::Closed) } else { Ok(()) }
    }
}

fn bounds<'a>(from: &'a [u8], to: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(from), Bound::Excluded(to.max(from)))
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.open()?;
        Ok(self.rows().get(key).cloned())
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.open()?;
        let rows = self.rows();
        let range = rows.range::<[u8], _>(bounds(from, to));
        Ok(range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn scan_back(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.open()?;
        let rows = self.rows();
        let range = rows.range::<[u8], _>(bounds(from, to));
        Ok(range.rev().take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        self.open()?;
        batch.fits()?;
        let mut rows = self.rows();
        if batch.expects.iter().any(|(key, read)| rows.get(key) != read.as_ref()) {
            return Ok(Committed::Lost);
        }
        for (key, value) in batch.writes {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(Committed::Done)
    }

    fn health(&self) -> Result<(), StoreError> {
        self.open()
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
