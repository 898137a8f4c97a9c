//! Opens a sled folder, and says in plain words why it could not. Must never repair by guessing: what is damaged is
//! left as it is for a restore.

use super::SledOptions;
use crate::store::StoreError;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Log segments. A leaf holds 17 rows of [`crate::store::MAX_VALUE_BYTES`] at most (204 KiB), which must stay under a
/// quarter of this: beyond, sled makes a blob file, neither synced nor ever removed.
const SEGMENT_BYTES: usize = 1 << 20;
/// sled's own thread cleans half-empty segments at this rhythm; durability does not wait for it.
const CLEAN_EVERY_MS: u64 = 500;
/// A process that is just ending (a restart), or one that it has just started, may hold the lock a moment longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries for the lock.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Why a folder did not open.
enum Closed {
    /// Somebody holds its lock.
    InUse,
    /// Anything that waiting does not mend.
    Because(StoreError),
}

impl From<StoreError> for Closed {
    fn from(error: StoreError) -> Self {
        Self::Because(error)
    }
}

/// The database, and a handle of our own on its log for fsync (sled's `flush` does not).
pub(super) fn open(options: &SledOptions) -> Result<(::sled::Db, File), StoreError> {
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match open_now(options) {
            Ok(opened) => return Ok(opened),
            Err(Closed::Because(error)) => return Err(error),
            Err(Closed::InUse) if Instant::now() < until => std::thread::sleep(LOCK_RETRY),
            Err(Closed::InUse) => return Err(in_use(&options.path)),
        }
    }
}

fn open_now(options: &SledOptions) -> Result<(::sled::Db, File), Closed> {
    let path = &options.path;
    let made = !path.join("db").exists();
    std::fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
    if !made {
        tidy(path)?;
    }
    let config = ::sled::Config::default()
        .path(path)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(Some(CLEAN_EVERY_MS));
    // sled asserts where a file is not what it expects.
    let db = match catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => db,
        Ok(Err(::sled::Error::Io(error))) if error.to_string().contains("could not acquire lock") => {
            return Err(Closed::InUse);
        }
        Ok(Err(::sled::Error::Io(error))) => return Err(unusable(path, &error).into()),
        Ok(Err(error)) => return Err(damaged(path, &error.to_string()).into()),
        Err(_) => return Err(damaged(path, "its log does not fit together").into()),
    };
    let log = File::options().read(true).write(true).open(path.join("db"));
    let log = log.map_err(|error| unusable(path, &error))?;
    if made {
        synced_folder(path).map_err(|error| unusable(path, &error))?;
    }
    Ok((db, log))
}

/// Removes what a start that was killed left half-written: sled 0.34.7 takes an unfinished snapshot for a finished
/// one and refuses to open (its issue 1527). The log has everything that such a file would hold.
fn tidy(path: &Path) -> Result<(), Closed> {
    let log = File::options().read(true).write(true).open(path.join("db"));
    let log = log.map_err(|error| unusable(path, &error))?;
    // Under sled's own lock: another process may be writing its snapshot just now.
    flock(&log, FlockOperation::NonBlockingLockExclusive).map_err(|_| Closed::InUse)?;
    for entry in std::fs::read_dir(path).map_err(|error| unusable(path, &error))? {
        let entry = entry.map_err(|error| unusable(path, &error))?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("snap.") && name.to_string_lossy().ends_with(".generating") {
            std::fs::remove_file(entry.path()).map_err(|error| unusable(path, &error))?;
        }
    }
    Ok(())
}

/// So that a power cut just after the first start does not take the new files' names away.
fn synced_folder(path: &Path) -> std::io::Result<()> {
    for name in ["db", "conf"] {
        File::open(path.join(name))?.sync_all()?;
    }
    File::open(path)?.sync_all()?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn in_use(path: &Path) -> StoreError {
    StoreError::Unusable(format!(
        "the store {} is in use by another process: stop it, or use its socket (the same command does, where the \
         serving process is reached)",
        path.display()
    ))
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Unusable(format!(
        "the store {} cannot be read ({what}): move the folder away, start once, and restore the newest backup",
        path.display()
    ))
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unusable(format!("cannot use the store {}: {error}", path.display()))
}
