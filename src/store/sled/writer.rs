//! The one thread that writes: takes whatever queued while it last wrote to disk, checks and applies it in order,
//! makes it durable once, answers everybody. Must never answer before that, nor wait for company when idle.

use super::{Job, Shared};
use crate::store::{Batch, Committed, StoreError};
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot;

/// A group ends at this many keys (some 8 ms of work), so that a buyer does not wait long behind an import.
const KEYS_OF_A_GROUP: usize = 400;
/// Several commits become one sled batch of about this many keys, because each sled batch costs two writes of its log
/// by other threads (measured: 25 µs of CPU a key at 40, 20 at 128, no better at 400). Never many more: the memory
/// that a sled batch holds on to grows faster than its keys.
const KEYS_OF_A_BATCH: usize = 128;

type Answer = oneshot::Sender<Result<Committed, StoreError>>;

/// The writer's state.
pub(super) struct Writer {
    db: ::sled::Db,
    /// For fsync; none where commits need only survive a killed process.
    log: Option<File>,
    shared: Arc<Shared>,
    /// Writes of this group that are checked but not yet handed to sled.
    pending: HashMap<Vec<u8>, Option<Bytes>>,
}

/// How often the processor is offered to others before a group ends.
const YIELDS: usize = 3;

/// Lets threads that are about to commit do so: on a busy processor a group grows and its one flush serves more
/// buyers; on an idle one this costs a microsecond. No timer, nobody waits.
fn company(jobs: &Receiver<Job>) -> Option<Job> {
    (0..YIELDS).find_map(|_| {
        std::thread::yield_now();
        jobs.try_recv().ok()
    })
}

impl Writer {
    pub(super) fn new(db: ::sled::Db, log: Option<File>, shared: Arc<Shared>) -> Self {
        Self { db, log, shared, pending: HashMap::with_capacity(KEYS_OF_A_BATCH) }
    }

    /// Until every sender is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut answers: Vec<(Answer, Committed)> = Vec::new();
        let mut crowded = false;
        while let Ok(first) = jobs.recv() {
            if crowded {
                // Lets the threads that are ready to run go first, once: on a full CPU they bring the rest of the
                // crowd into this group, and each group costs sled's threads some 200 µs whatever its size
                // (measured: with 100 µs of other work a turn, a turn costs 137 µs of CPU instead of 189). It is no
                // timer: where nobody else wants the CPU it returns at once, and a lone buyer never comes here.
                std::thread::yield_now();
            }
            let mut next = Some(first);
            let mut keys = 0;
            let mut wrote = false;
            let mut result = Ok(());
            while let Some(Job { batch, answer }) = next.take() {
                if let Err(refused) = self.accepts(&batch) {
                    let _ = answer.send(Err(refused));
                } else {
                    keys += batch.writes.len().max(1);
                    let writes = !batch.writes.is_empty();
                    match self.take(batch) {
                        Ok(committed) => {
                            wrote |= writes && committed == Committed::Done;
                            answers.push((answer, committed));
                        }
                        Err(error) => {
                            result = Err(error);
                            let _ = answer.send(Err(self.shared.broke(&"a write failed")));
                            break;
                        }
                    }
                }
                if keys < KEYS_OF_A_GROUP {
                    next = jobs.try_recv().ok().or_else(|| company(jobs));
                }
            }
            crowded = answers.len() > 1;
            let result = result.and_then(|()| self.apply()).and_then(|()| self.settle(wrote));
            for (answer, committed) in answers.drain(..) {
                // Nobody listens any more where the caller gave up.
                let _ = answer.send(result.clone().map(|()| committed));
            }
        }
        if let Err(error) = self.settle(true) {
            tracing::error!(%error, "the last flush of the store failed");
        }
    }

    /// Refuses early where the disk is nearly full (deleting stays possible) or an earlier write failed.
    fn accepts(&self, batch: &Batch) -> Result<(), StoreError> {
        if let Some(error) = self.shared.broken.get() {
            return Err(error.clone());
        }
        if batch.writes.iter().any(|(_, value)| value.is_some()) {
            self.shared.guard.check()?;
        }
        Ok(())
    }

    /// Checks one batch against the tree and what is pending, and adds it to what is pending.
    fn take(&mut self, batch: Batch) -> Result<Committed, StoreError> {
        for (key, read) in &batch.expects {
            let same = match self.pending.get(key) {
                Some(pending) => pending == read,
                None => {
                    let current = self.db.get(key).map_err(|error| self.shared.broke(&error))?;
                    current.as_deref() == read.as_deref()
                }
            };
            if !same {
                return Ok(Committed::Lost);
            }
        }
        if self.pending.len() + batch.writes.len() > KEYS_OF_A_BATCH {
            self.apply()?;
        }
        self.pending.extend(batch.writes);
        Ok(Committed::Done)
    }

    /// Hands what is pending to sled as one atomic batch, then tells followers (in this order: who scans beside
    /// following never reads something older than what was told).
    fn apply(&mut self) -> Result<(), StoreError> {
        let applied = match self.pending.len() {
            0 => return Ok(()),
            // One key is atomic by itself, and cheaper than a batch.
            1 => self.pending.iter().try_for_each(|(key, value)| match value {
                Some(value) => self.db.insert(key, &**value).map(drop),
                None => self.db.remove(key).map(drop),
            }),
            _ => {
                let mut batch = ::sled::Batch::default();
                for (key, value) in &self.pending {
                    match value {
                        Some(value) => batch.insert(key.as_slice(), &**value),
                        None => batch.remove(key.as_slice()),
                    }
                }
                self.db.apply_batch(batch)
            }
        };
        applied.map_err(|error| self.shared.broke(&error))?;
        self.shared.followers.tell(|| self.pending.clone().into_iter().collect());
        self.pending.clear();
        Ok(())
    }

    /// Makes everything applied so far durable.
    fn settle(&self, wrote: bool) -> Result<(), StoreError> {
        if !wrote {
            return Ok(());
        }
        self.db.flush().map_err(|error| self.shared.broke(&error))?;
        match &self.log {
            // A failed fsync is final: the pages may be gone, and a second one would report success. Data and length
            // are enough to read the log again; its times need not be durable.
            Some(log) => log.sync_data().map_err(|error| self.shared.broke(&error)),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    /// If the thread ends by a panic, commits and `health` must say so rather than wait.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.broke(&"its writer failed: see the log");
        }
    }
}
