//! Inbound messages that wait for their answer: durable before anything slow is done for them.

use super::{Kind, Records};
use crate::model::ChatAddress;
use crate::store::{StoreError, prefix_end};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

impl Records {
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
}
