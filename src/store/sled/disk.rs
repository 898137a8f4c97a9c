//! Watches the free space: sled stops for good when the disk is full, so writes are refused while there is still
//! room. Must never cost a system call for each commit.

use crate::store::StoreError;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The guard of one folder's disk.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    min_free: u64,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Guard {
    pub(super) fn new(path: &Path, min_free: u64) -> Self {
        Self { path: path.to_owned(), min_free, last: Mutex::default() }
    }

    /// `DiskFull` where less than the floor was free within the last second.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = match *last {
            Some((looked, enough)) if looked.elapsed() < LOOK_EVERY => enough,
            before => {
                let enough = self.enough();
                if !enough && before.is_none_or(|(_, enough)| enough) {
                    tracing::error!(path = %self.path.display(), "the disk is nearly full: writes are refused");
                }
                *last = Some((Instant::now(), enough));
                enough
            }
        };
        if enough { Ok(()) } else { Err(StoreError::DiskFull) }
    }

    fn enough(&self) -> bool {
        match rustix::fs::statvfs(&self.path) {
            Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize) >= self.min_free,
            // A file system that does not say is taken at its word when it refuses a write.
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_above_what_is_free_refuses_and_a_low_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Guard::new(folder.path(), 0).check(), Ok(()));
        let full = Guard::new(folder.path(), u64::MAX);
        assert_eq!(full.check(), Err(StoreError::DiskFull));
        assert_eq!(full.check(), Err(StoreError::DiskFull), "also when it is remembered");
    }
}
