//! The first look at a store at every start: is it ours, of a version that we read, and sealed with our key? Must
//! refuse with the remedy rather than write one row beside records that it cannot read.

use super::{Batch, Store, StoreError};
use crate::vault::Vault;
use bytes::Bytes;

/// The row that holds the version of the records, as decimal digits.
pub const FORMAT_KEY: &[u8] = b"\0format";
/// The version of the records that this program writes. A change of meaning adds one and a step in [`begin`].
pub const FORMAT: u32 = 3;

/// The mark of a restore that has begun and not ended.
pub(super) const RESTORING_KEY: &[u8] = b"\0restoring";

/// Prepares a store for use: writes version and check value into an empty one, checks both in a used one.
///
/// Errors are [`StoreError::Unusable`] with a sentence for the operator.
pub async fn begin(store: &dyn Store, vault: &Vault) -> Result<(), StoreError> {
    if store.get(RESTORING_KEY).await?.is_some() {
        return Err(StoreError::Unusable(
            "a restore was interrupted, and the store holds only a part of the records: restore the backup again"
                .into(),
        ));
    }
    let format = store.get(FORMAT_KEY).await?;
    let check = store.get(Vault::CHECK_KEY).await?;
    match (&format, &check) {
        (Some(format), Some(check)) => {
            readable(format)?;
            vault.verify_check_value(check).map_err(|error| StoreError::Unusable(error.to_string()))
        }
        (None, None) if store.scan(&[], &[0xff], 1).await?.is_empty() => {
            let mut batch = Batch::default();
            batch.expect(FORMAT_KEY, None).expect(Vault::CHECK_KEY, None);
            batch.put(FORMAT_KEY, FORMAT.to_string()).put(Vault::CHECK_KEY, vault.check_value());
            match store.commit(batch).await? {
                super::Committed::Done => Ok(()),
                // Another replica began it: now there is something to check.
                super::Committed::Lost => Box::pin(begin(store, vault)).await,
            }
        }
        _ => Err(StoreError::Unusable(
            "the store holds records without a version: it was not written by Yishi, or its first rows are gone; \
             restore a backup into an empty store"
                .into(),
        )),
    }
}

/// Whether this program reads records of that version.
pub(super) fn readable(format: &Bytes) -> Result<(), StoreError> {
    let version = std::str::from_utf8(format).ok().and_then(|digits| digits.parse::<u32>().ok());
    match version {
        Some(FORMAT) => Ok(()),
        Some(older) if older < FORMAT => Err(StoreError::Unusable(format!(
            "the store was written by an older Yishi (record version {older}, this one reads {FORMAT}): that version \
             can still read it; begin with an empty folder and import the orders again"
        ))),
        Some(newer) if newer > FORMAT => Err(StoreError::Unusable(format!(
            "the store was written by a newer Yishi (record version {newer}, this one reads {FORMAT}): install that \
             version, or restore a backup made by this one"
        ))),
        _ => Err(StoreError::Unusable("the store's version row is not readable: restore a backup".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryStore;
    use super::*;

    #[tokio::test]
    async fn an_empty_store_is_begun_once_and_knows_its_key() {
        let store = MemoryStore::default();
        let vault = Vault::from_key([1; 32]);
        begin(&store, &vault).await.unwrap();
        begin(&store, &vault).await.unwrap();
        let wrong = begin(&store, &Vault::from_key([2; 32])).await.unwrap_err().to_string();
        assert!(wrong.contains("key file"), "{wrong}");
    }

    #[tokio::test]
    async fn a_newer_or_foreign_store_is_refused_with_the_remedy() {
        let store = MemoryStore::default();
        let vault = Vault::from_key([1; 32]);
        begin(&store, &vault).await.unwrap();
        let mut batch = Batch::default();
        batch.put(FORMAT_KEY, (FORMAT + 1).to_string());
        let _ = store.commit(batch).await.unwrap();
        let newer = begin(&store, &vault).await.unwrap_err().to_string();
        assert!(newer.contains("newer Yishi"), "{newer}");

        let foreign = MemoryStore::default();
        let mut batch = Batch::default();
        batch.put("o/1", "text");
        let _ = foreign.commit(batch).await.unwrap();
        assert!(matches!(begin(&foreign, &vault).await, Err(StoreError::Unusable(_))));
        assert_eq!(foreign.get(FORMAT_KEY).await.unwrap(), None, "nothing was written beside it");
    }
}
