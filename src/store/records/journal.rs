//! What was asked of each account and what came of it: one line a call, newest first when read.

use super::{Kind, Records};
use crate::store::{Batch, StoreError, prefix_end};
use crate::wire::ledger::{DayBook, Note};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One call of an account, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLine {
    /// When it began.
    pub at: Timestamp,
    /// `kind/id` of the account.
    pub account: String,
    /// `kuaidi100.query`
    pub operation: String,
    /// `carrier/number`, where it asked about one.
    pub number: Option<String>,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// `ok`, or what was refused or failed: a label.
    pub outcome: String,
    /// Key of the words that say what to do, where a person must.
    pub cure: Option<String>,
}

impl Records {
    pub(super) async fn put_call(&self, note: Note) -> Result<(), StoreError> {
        let mut key = self.prefix(Kind::Journal, &note.account);
        key.extend_from_slice(&(note.at.as_millisecond().max(0) as u64).to_be_bytes());
        key.extend_from_slice(&uuid::Uuid::new_v4().as_bytes()[..6]);
        let line = CallLine {
            at: note.at,
            account: note.account,
            operation: note.operation.to_owned(),
            number: note.number,
            status: note.status,
            millis: note.millis,
            outcome: note.outcome.to_owned(),
            cure: note.cure.map(str::to_owned),
        };
        let mut batch = Batch::default();
        self.put(&mut batch, key, &line)?;
        let _ = self.store().commit(batch).await?;
        Ok(())
    }

    /// The newest lines of an account (`kind/id`), newest first.
    pub async fn calls(&self, account: &str, limit: usize) -> Result<Vec<CallLine>, StoreError> {
        let prefix = self.prefix(Kind::Journal, account);
        let rows = self.store().scan_back(&prefix, &prefix_end(&prefix), limit).await?;
        rows.into_iter().map(|(key, raw)| self.open(&key, &raw)).collect()
    }

    /// Calls of an account (`kind/id`) on its newest day.
    pub async fn day_book(&self, account: &str) -> Result<DayBook, StoreError> {
        let read = self.read::<DayBook>(self.key(Kind::Budget, account, "day")).await?;
        Ok(read.value.unwrap_or_default())
    }
}
