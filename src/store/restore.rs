//! Takes a backup back: reads the whole file first, and only then replaces all records by its own. Must never change
//! one row for a file that is cut, bent, too new, or sealed with another key.

use super::backup::{BackupError, END_OF_KEYS, FILE_VERSION, MAGIC, Summary, kind};
use super::begin::{FORMAT_KEY, RESTORING_KEY, readable};
use super::{Batch, Committed, MAX_KEY_BYTES, MAX_KEYS, MAX_VALUE_BYTES, Store, StoreError};
use crate::vault::{Vault, VaultError};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// Batches under way at once: they share a flush.
const AT_ONCE: usize = 16;

/// Reads a whole backup and says what it holds, or why it cannot be used. Changes nothing.
pub fn verify(from: &mut (dyn Read + Send), vault: &Vault) -> Result<Summary, BackupError> {
    let mut pages = Pages::open(from)?;
    readable(&Bytes::from(pages.format.to_string()))?;
    vault.verify_check_value(&pages.check).map_err(|error| match error {
        VaultError::UnknownKey => BackupError::Key(error),
        // Bent by chance: the sum below would say so too, but this comes first.
        error => BackupError::Damaged(error.to_string()),
    })?;
    let (mut begun, mut checked) = (false, false);
    while let Some(entry) = pages.next()? {
        if entry.value.is_some() {
            begun |= entry.key == FORMAT_KEY;
            checked |= entry.key == Vault::CHECK_KEY;
        }
    }
    if !begun || !checked {
        return Err(BackupError::Damaged("it lacks the first rows of a store".into()));
    }
    Ok(pages.summary())
}

/// Verifies a backup, then replaces all rows by its rows. Nobody else may write meanwhile, and whoever keeps records in
/// memory must forget them after it.
///
/// Rows of `keep` (prefixes) stay as they are beside what the backup has there: erasures asked for after the backup
/// was made are not forgotten. A restore that is interrupted leaves a mark, and [`super::begin()`] refuses until one
/// has ended. Errors before [`BackupError::Interrupted`] have changed nothing.
pub async fn restore<R: Read + Seek + Send>(
    from: &mut R,
    store: &dyn Store,
    vault: &Vault,
    keep: &[&[u8]],
) -> Result<Summary, BackupError> {
    from.seek(SeekFrom::Start(0))?;
    let summary = verify(&mut *from, vault)?;
    store.health()?;
    from.seek(SeekFrom::Start(0))?;
    let interrupted = |error: BackupError| BackupError::Interrupted(error.to_string());
    let mut mark = Batch::default();
    mark.put(RESTORING_KEY, "restoring");
    done(store.commit(mark).await?)?;
    replace(from, store, keep, &summary).await.map_err(interrupted)?;
    Ok(summary)
}

async fn replace<R: Read + Send>(
    from: &mut R,
    store: &dyn Store,
    keep: &[&[u8]],
    verified: &Summary,
) -> Result<(), BackupError> {
    let kept = |key: &[u8]| key == RESTORING_KEY || keep.iter().any(|prefix| key.starts_with(prefix));
    let mut start = Vec::new();
    loop {
        let rows = store.scan(&start, &END_OF_KEYS, MAX_KEYS * AT_ONCE).await?;
        let Some((last, _)) = rows.last() else { break };
        start = [last.as_slice(), &[0]].concat();
        let mut gone = Writes::new(store);
        for (key, _) in rows.into_iter().filter(|(key, _)| !kept(key)) {
            gone.add(key, None).await?;
        }
        gone.end().await?;
    }
    let mut pages = Pages::open(from)?;
    let mut writes = Writes::new(store);
    while let Some(Entry { kind, key, value }) = pages.next()? {
        if kind != kind::ROW {
            // May concern a row that is still under way.
            writes.end().await?;
        }
        if key == RESTORING_KEY || (kept(&key) && store.get(&key).await?.is_some()) {
            continue;
        }
        writes.add(key, value).await?;
    }
    writes.end().await?;
    if pages.summary() != *verified {
        return Err(BackupError::Damaged("the file changed while it was read".into()));
    }
    let mut mark = Batch::default();
    mark.delete(RESTORING_KEY);
    done(store.commit(mark).await?)?;
    Ok(())
}

fn done(committed: Committed) -> Result<(), StoreError> {
    match committed {
        Committed::Done => Ok(()),
        // Nothing was expected, so nothing can have changed.
        Committed::Lost => Err(StoreError::Unusable("the store lost a batch without a condition".into())),
    }
}

/// Writes gathered into full batches, some of them under way together.
struct Writes<'a> {
    store: &'a dyn Store,
    batches: Vec<Batch>,
}

impl<'a> Writes<'a> {
    fn new(store: &'a dyn Store) -> Self {
        Self { store, batches: Vec::new() }
    }

    async fn add(&mut self, key: Vec<u8>, value: Option<Bytes>) -> Result<(), StoreError> {
        match self.batches.last_mut() {
            Some(batch) if batch.writes.len() < MAX_KEYS => batch.writes.push((key, value)),
            _ => {
                if self.batches.len() >= AT_ONCE {
                    self.end().await?;
                }
                self.batches.push(Batch { expects: Vec::new(), writes: vec![(key, value)] });
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        let commits = self.batches.drain(..).map(|batch| self.store.commit(batch));
        for committed in futures_util::future::join_all(commits).await {
            done(committed?)?;
        }
        Ok(())
    }
}

/// One entry of a backup.
struct Entry {
    kind: u8,
    key: Vec<u8>,
    value: Option<Bytes>,
}

/// A backup as it is read: every length is checked before it is believed.
struct Pages<'a> {
    from: std::io::BufReader<&'a mut (dyn Read + Send + 'a)>,
    hash: Sha256,
    bytes: u64,
    entries: u64,
    format: u32,
    time: Timestamp,
    check: Vec<u8>,
}

impl<'a> Pages<'a> {
    fn open(from: &'a mut (dyn Read + Send + 'a)) -> Result<Self, BackupError> {
        let mut pages = Self {
            from: std::io::BufReader::with_capacity(1 << 16, from),
            hash: Sha256::new(),
            bytes: 0,
            entries: 0,
            format: 0,
            time: Timestamp::UNIX_EPOCH,
            check: Vec::new(),
        };
        if pages.array::<8>()? != *MAGIC {
            return Err(BackupError::Damaged("it does not begin like one".into()));
        }
        let [version] = pages.array()?;
        if version != FILE_VERSION {
            return Err(BackupError::Damaged(format!(
                "its file version is {version}, this Yishi reads {FILE_VERSION}; a newer one may read it"
            )));
        }
        pages.format = u32::from_be_bytes(pages.array()?);
        pages.time = Timestamp::from_millisecond(i64::from_be_bytes(pages.array()?))
            .map_err(|_| BackupError::Damaged("its time is none".into()))?;
        pages.check = pages.short()?;
        Ok(pages)
    }

    /// The next entry; none at the end, when count and sum have proved right and nothing follows.
    fn next(&mut self) -> Result<Option<Entry>, BackupError> {
        let [kind] = self.array()?;
        match kind {
            kind::END => {
                let entries = u64::from_be_bytes(self.array()?);
                let ours: [u8; 32] = self.hash.clone().finalize().into();
                if self.array::<32>()? != ours {
                    return Err(BackupError::Damaged("its check sum differs".into()));
                }
                if entries != self.entries {
                    return Err(BackupError::Damaged("its count differs".into()));
                }
                match self.from.read(&mut [0]) {
                    Ok(0) => Ok(None),
                    Ok(_) => Err(BackupError::Damaged("something follows its end".into())),
                    Err(error) => Err(error.into()),
                }
            }
            kind::ROW | kind::CHANGED | kind::DELETED => {
                self.entries += 1;
                let key = self.short()?;
                let value = if kind == kind::DELETED {
                    None
                } else {
                    let length = u32::from_be_bytes(self.array()?) as usize;
                    Some(self.take(length, MAX_VALUE_BYTES)?.into())
                };
                Ok(Some(Entry { kind, key, value }))
            }
            _ => Err(BackupError::Damaged("it has an unknown entry".into())),
        }
    }

    fn short(&mut self) -> Result<Vec<u8>, BackupError> {
        let length = u16::from_be_bytes(self.array()?).into();
        self.take(length, MAX_KEY_BYTES)
    }

    fn take(&mut self, length: usize, limit: usize) -> Result<Vec<u8>, BackupError> {
        if length > limit {
            return Err(BackupError::Damaged("it has an impossible length".into()));
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => BackupError::Damaged("it is cut short".into()),
            _ => error.into(),
        })?;
        self.hash.update(&*bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn summary(&self) -> Summary {
        Summary { entries: self.entries, bytes: self.bytes, time: self.time }
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
