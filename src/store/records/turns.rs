//! Inbound messages: each is answered once, and a platform's retry gets the stored answer.

use super::{Kind, Records};
use crate::model::ChatAddress;
use crate::store::{Batch, Committed, StoreError, prefix_end};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An answered inbound message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When it was answered.
    pub at: Timestamp,
    /// The shown blocks as JSON; empty: the answer goes, or went, by another way.
    pub shown: String,
}

/// An inbound message that waits for its answer: enough to go on after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// When it came.
    pub at: Timestamp,
    /// The account where it came in.
    pub account: String,
    /// Its dedupe key.
    pub key: String,
    /// Who wrote it.
    pub address: ChatAddress,
    /// `text`, `choice`, `joined`, `left` or `other`.
    pub what: String,
    /// The text or the choice's id.
    pub text: String,
    /// What the channel's codec needs to answer it.
    pub reply_to: String,
    /// The platform's language of the person.
    pub locale: Option<String>,
}

/// How long an answered message is remembered: Telegram retries for a day.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

impl Records {
    /// Key of an answered message.
    pub fn turn_key(&self, account: &str, key: &str) -> Vec<u8> {
        self.key(Kind::Turn, account, key)
    }

    /// Key of a waiting message.
    pub fn running_key(&self, account: &str, key: &str) -> Vec<u8> {
        self.key(Kind::Running, account, key)
    }

    /// All messages that still wait: to go on with after a start.
    pub async fn running(&self) -> Result<Vec<Running>, StoreError> {
        let prefix = [Kind::Running as u8];
        let rows = self.store().scan(&prefix, &prefix_end(&prefix), 100_000).await?;
        rows.into_iter().map(|(key, raw)| self.open(&key, &raw)).collect()
    }

    /// Forgets answered messages that no platform repeats any more. Returns how many.
    pub async fn forget_old_turns(&self, now: Timestamp) -> Result<usize, StoreError> {
        let prefix = [Kind::Turn as u8];
        let (mut from, mut gone) = (prefix.to_vec(), 0);
        loop {
            let rows = self.store().scan(&from, &prefix_end(&prefix), 512).await?;
            let Some((last, _)) = rows.last() else { return Ok(gone) };
            from = [last.as_slice(), &[0]].concat();
            let mut old = Vec::new();
            for (key, raw) in &rows {
                let turn: Turn = self.open(key, raw)?;
                if now.duration_since(turn.at) > REMEMBERED {
                    old.push(key.clone());
                }
            }
            for keys in old.chunks(36) {
                let mut batch = Batch::default();
                for key in keys {
                    batch.delete(key.clone());
                }
                if self.store().commit(batch).await? == Committed::Done {
                    gone += keys.len();
                }
            }
        }
    }
}
