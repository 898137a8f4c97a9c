//! Writes all records into one file while the service runs. The rows are sealed already, so the file holds no
//! personal data in the clear and no key. Must never hold the writer up, nor end in a file that is half of anything.
//!
//! The file: `YISHIBAK`, file version (u8), record version (u32), time (i64, milliseconds), the vault's check value
//! (u16 length, bytes); then entries; then an end entry with their count (u64) and the SHA-256 of all bytes before it.
//! An entry is a kind (u8: 1 row, 2 changed row, 3 deleted row, 0 end), the key (u16 length) and, for 1 and 2, the value
//! (u32 length). Numbers are big-endian.
//!
//! **Consistency.** Rows are scanned in chunks while others write, so a scan alone would show a batch by halves.
//! Therefore every batch committed since the scan began is written too (kinds 2 and 3, in order): rows first, changes
//! over them, give exactly the records of one moment, just before the end. Changes go to the file between chunks; they
//! do not pile up in memory.

use super::begin::{FORMAT_KEY, readable};
use super::{Batch, Changes, Store, StoreError};
use crate::vault::{Vault, VaultError};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub(super) const MAGIC: &[u8; 8] = b"YISHIBAK";
pub(super) const FILE_VERSION: u8 = 1;
/// Rows read at a time: small enough that a question asked meanwhile does not wait for it.
const CHUNK: usize = 200;

/// The kinds of entries.
pub(super) mod kind {
    pub(crate) const END: u8 = 0;
    pub(crate) const ROW: u8 = 1;
    pub(crate) const CHANGED: u8 = 2;
    pub(crate) const DELETED: u8 = 3;
}

/// Why a backup was not made or not taken back. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be read or written.
    #[error("cannot read or write the backup: {0}")]
    File(#[from] std::io::Error),
    /// Not a whole backup of ours. Nothing was changed.
    #[error("this is not a whole backup ({0}); nothing was changed: take another file")]
    Damaged(String),
    /// Made with another key. Nothing was changed.
    #[error("this backup does not belong to this key; nothing was changed: {0}")]
    Key(VaultError),
    /// This kind of store has a backup tool of its own.
    #[error("this store is backed up with its database's own tool (for PostgreSQL: pg_dump)")]
    Unsupported,
    /// The restore had begun and did not end: the store now refuses to start until it is done again.
    #[error(
        "the restore stopped half-way ({0}): cure that and restore again, the store is not usable until then"
    )]
    Interrupted(String),
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows and changes written.
    pub entries: u64,
    /// Size of the file.
    pub bytes: u64,
    /// When it was made.
    pub time: Timestamp,
}

/// Makes a backup file (mode 0600) that appears under its name only when it is whole and on the disk.
pub async fn backup_to_file(store: &dyn Store, path: &Path, now: Timestamp) -> Result<Summary, BackupError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let draft = Path::new(&draft);
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    let mut file = BufWriter::new(file);
    let made = async {
        let summary = backup(store, &mut file, now).await?;
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(draft, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()?;
        Ok(summary)
    };
    let made = made.await;
    if made.is_err() {
        // The next attempt overwrites it anyway.
        let _ = std::fs::remove_file(draft);
    }
    made
}

/// Writes a backup. `to` is written in small pieces between reads: give it a buffer.
pub async fn backup(
    store: &dyn Store,
    to: &mut (dyn Write + Send),
    now: Timestamp,
) -> Result<Summary, BackupError> {
    let changes = store.follow().ok_or(BackupError::Unsupported)?;
    // Not begun, or half restored: there is nothing whole to save.
    let unfit =
        || StoreError::Unusable("the store is not in order: start the service once, or restore".into());
    let format = store.get(FORMAT_KEY).await?.ok_or_else(unfit)?;
    readable(&format)?;
    let check = store.get(Vault::CHECK_KEY).await?.ok_or_else(unfit)?;

    let mut file = Sheet { to, hash: Sha256::new(), bytes: 0, entries: 0 };
    file.add(MAGIC)?;
    file.add(&[FILE_VERSION])?;
    file.add(&super::begin::FORMAT.to_be_bytes())?;
    file.add(&now.as_millisecond().to_be_bytes())?;
    file.short(&check)?;

    let mut from = Vec::new();
    loop {
        let rows = store.scan(&from, &END_OF_KEYS, CHUNK).await?;
        let last = rows.len() < CHUNK;
        for (key, value) in &rows {
            file.entry(kind::ROW, key, Some(value))?;
        }
        file.changes(&changes)?;
        match rows.into_iter().next_back() {
            // The smallest key after the last one.
            Some((mut key, _)) if !last => {
                key.push(0);
                from = key;
            }
            _ => break,
        }
        tokio::task::yield_now().await;
    }
    // What a chunk has seen of a batch that was just being written: once a batch behind it is done, it was told whole.
    let _ = store.commit(Batch::default()).await?;
    file.changes(&changes)?;
    file.end(now)
}

/// Above every key: keys have at most [`super::MAX_KEY_BYTES`].
pub(super) const END_OF_KEYS: [u8; super::MAX_KEY_BYTES + 1] = [0xff; super::MAX_KEY_BYTES + 1];

/// The file as it is written.
struct Sheet<'a> {
    to: &'a mut (dyn Write + Send),
    hash: Sha256,
    bytes: u64,
    entries: u64,
}

impl Sheet<'_> {
    fn add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    fn short(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
        self.add(&length.to_be_bytes())?;
        self.add(bytes)
    }

    fn entry(&mut self, kind: u8, key: &[u8], value: Option<&[u8]>) -> std::io::Result<()> {
        self.entries += 1;
        self.add(&[kind])?;
        self.short(key)?;
        if let Some(value) = value {
            let length = u32::try_from(value.len()).map_err(std::io::Error::other)?;
            self.add(&length.to_be_bytes())?;
            self.add(value)?;
        }
        Ok(())
    }

    fn changes(&mut self, changes: &Changes) -> std::io::Result<()> {
        for (key, value) in changes.try_iter().flatten() {
            let kind = if value.is_some() { kind::CHANGED } else { kind::DELETED };
            self.entry(kind, &key, value.as_deref())?;
        }
        Ok(())
    }

    fn end(mut self, time: Timestamp) -> Result<Summary, BackupError> {
        let entries = self.entries;
        self.add(&[kind::END])?;
        self.add(&entries.to_be_bytes())?;
        let hash = self.hash.clone().finalize();
        self.add(&hash)?;
        Ok(Summary { entries, bytes: self.bytes, time })
    }
}
