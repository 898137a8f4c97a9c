//! The store on one machine's disk: sled, with one writer that makes many commits durable at once. Must never say
//! `Done` before the disk has it, and never let sled's own habits (unsynced flushes, blob files, a silent end of its
//! flusher) reach the records.

mod disk;
mod open;
mod writer;

#[cfg(test)]
mod tests;

use super::{Batch, Changes, Committed, Followers, Row, Store, StoreError};
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tokio::sync::oneshot;

/// What a commit that has returned survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A power cut: one fsync for each group of commits.
    #[default]
    Power,
    /// A killed process only.
    Process,
}

/// Where and how a sled store is kept.
#[derive(Debug, Clone)]
pub struct SledOptions {
    /// Its folder; made where there is none.
    pub path: PathBuf,
    /// What commits survive.
    pub durability: Durability,
    /// Page cache, in bytes.
    pub cache_bytes: u64,
    /// Writes are refused while the disk has less free than this many bytes.
    pub min_free_disk: u64,
}

impl SledOptions {
    /// The defaults at a path: survives a power cut, 32 MB of cache, 256 MB of disk kept free.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Power,
            cache_bytes: 64 << 20,
            min_free_disk: 256 << 20,
        }
    }
}

/// A scan of more rows than this moves off the async threads.
const ROWS_READ_AT_ONCE: usize = 64;

/// The sled store. Close it before the process ends; dropping it also finishes what was committed, but blocks.
#[derive(Debug)]
pub struct SledStore {
    shared: Arc<Shared>,
    /// Gone once the store is closed.
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What readers, the writer and `health` share.
#[derive(Debug)]
struct Shared {
    /// Gone once the store is closed, so that another process can open it.
    tree: RwLock<Option<::sled::Db>>,
    guard: disk::Guard,
    /// Set once, when the disk or sled failed: nothing after that can be promised.
    broken: OnceLock<StoreError>,
    closed: AtomicBool,
    followers: Followers,
}

/// One waiting commit.
#[derive(Debug)]
struct Job {
    batch: Batch,
    answer: oneshot::Sender<Result<Committed, StoreError>>,
}

impl SledStore {
    /// Opens or makes a store; blocks while sled reads its log (under a second for 100,000 orders).
    ///
    /// Errors: [`StoreError::Unusable`] with the remedy, where another process holds it or it is damaged.
    pub fn open(options: &SledOptions) -> Result<Self, StoreError> {
        let (db, log) = open::open(options)?;
        let shared = Arc::new(Shared {
            tree: RwLock::new(Some(db.clone())),
            guard: disk::Guard::new(&options.path, options.min_free_disk),
            broken: OnceLock::new(),
            closed: AtomicBool::new(false),
            followers: Followers::default(),
        });
        let (sender, receiver) = std::sync::mpsc::channel();
        let log = (options.durability == Durability::Power).then_some(log);
        let writer = writer::Writer::new(db, log, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| StoreError::Unusable(format!("cannot start the store's thread: {error}")))?;
        Ok(Self { shared, jobs: Mutex::new(Some(sender)), writer: Mutex::new(Some(thread)) })
    }

    /// Reads here, or on a thread for blocking work where it is much.
    async fn read<T: Send + 'static>(
        &self,
        rows: usize,
        read: impl FnOnce(&::sled::Tree) -> ::sled::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if rows <= ROWS_READ_AT_ONCE {
            return self.shared.with_tree(read);
        }
        let shared = Arc::clone(&self.shared);
        match tokio::task::spawn_blocking(move || shared.with_tree(read)).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Unusable("the store failed while reading: see the log".into())),
        }
    }

    /// Takes no more commits; what is left to do (wait for the writer, give the files back) blocks.
    fn stop(&self) -> impl FnOnce() + Send + 'static {
        self.shared.closed.store(true, Ordering::Release);
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = Arc::clone(&self.shared);
        move || {
            drop(jobs);
            if let Some(Err(_)) = writer.map(std::thread::JoinHandle::join) {
                tracing::error!("the store's writer had failed");
            }
            drop(shared.tree.write().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.stop()();
    }
}

impl Shared {
    fn with_tree<T>(&self, read: impl FnOnce(&::sled::Tree) -> ::sled::Result<T>) -> Result<T, StoreError> {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let tree = tree.as_ref().ok_or(StoreError::Closed)?;
        read(tree).map_err(|error| self.broke(&error))
    }

    /// Remembers the first failure; every later answer repeats it.
    fn broke(&self, error: &dyn std::fmt::Display) -> StoreError {
        self.broken
            .get_or_init(|| {
                tracing::error!(%error, "the store failed; no further write is accepted");
                StoreError::Unusable(format!(
                    "the store failed ({error}): check the disk, then restart; if it does not open, restore a backup"
                ))
            })
            .clone()
    }
}

fn row((key, value): (::sled::IVec, ::sled::IVec)) -> Row {
    (key.to_vec(), Bytes::copy_from_slice(&value))
}

#[async_trait::async_trait]
impl Store for SledStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.with_tree(|tree| Ok(tree.get(key)?.map(|value| Bytes::copy_from_slice(&value))))
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let (from, to) = (from.to_vec(), to.to_vec());
        self.read(limit, move |tree| {
            if from >= to {
                return Ok(Vec::new());
            }
            tree.range(from..to).take(limit).map(|found| found.map(row)).collect()
        })
        .await
    }

    async fn scan_back(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let (from, to) = (from.to_vec(), to.to_vec());
        self.read(limit, move |tree| {
            if from >= to {
                return Ok(Vec::new());
            }
            tree.range(from..to).rev().take(limit).map(|found| found.map(row)).collect()
        })
        .await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        batch.fits()?;
        let (answer, answered) = oneshot::channel();
        {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
            // A writer that is gone has left its reason.
            jobs.send(Job { batch, answer }).map_err(|_| self.shared.broke(&"its writer ended"))?;
        }
        answered.await.unwrap_or_else(|_| Err(self.shared.broke(&"its writer ended")))
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        if let Some(error) = self.shared.broken.get() {
            return Err(error.clone());
        }
        self.shared.guard.check()
    }

    fn follow(&self) -> Option<Changes> {
        Some(self.shared.followers.add())
    }

    async fn close(&self) {
        // If the runtime is itself stopping, the closure is dropped unrun and `Drop` does the rest.
        let _ = tokio::task::spawn_blocking(self.stop()).await;
    }
}
