//! What must still be sent: one row per call, in order of due time. A row is marked `sending` before its call; one
//! whose outcome stays unknown is never sent again.

use super::{Kind, Read, Records, Request};
use crate::model::{ChatAddress, Headline};
use crate::store::{Batch, StoreError, prefix_end};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a row has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum OutgoingState {
    /// To be sent when due.
    #[default]
    Due,
    /// The call was about to be made: after a crash its outcome is unknown.
    Sending,
}

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The shop.
    pub shop: String,
    /// The channel account.
    pub account: String,
    /// To whom.
    pub address: ChatAddress,
    /// The shown blocks as JSON.
    pub shown: String,
    /// What the channel's codec needs of the message that this answers.
    pub reply_to: Option<String>,
    /// How far.
    pub state: OutgoingState,
    /// Tries so far that certainly did not arrive.
    pub tries: u32,
    /// When it was made.
    pub made: Timestamp,
    /// Only said if the buyer still waits for a person since then: the bot's return, with an apology.
    #[serde(default)]
    pub while_waiting: Option<Timestamp>,
    /// News that nobody asked for: where it cannot be sent, it waits for the buyer's next message.
    #[serde(default)]
    pub notice: bool,
    /// The same news in a few facts, for a form that the platform approved.
    #[serde(default)]
    pub headline: Option<Headline>,
    /// It goes out in that form: no free-form message may be sent now.
    #[serde(default)]
    pub by_template: bool,
}

impl Records {
    /// A key that sorts by due time.
    pub fn outgoing_key(&self, due: Timestamp) -> Vec<u8> {
        let mut key = vec![Kind::Outgoing as u8];
        key.extend_from_slice(&(due.as_millisecond().max(0) as u64).to_be_bytes());
        key.extend_from_slice(uuid::Uuid::now_v7().as_bytes());
        key
    }

    /// Adds a row.
    pub fn put_outgoing(
        &self,
        batch: &mut Batch,
        due: Timestamp,
        outgoing: &Outgoing,
    ) -> Result<(), StoreError> {
        self.put(batch, self.outgoing_key(due), outgoing)
    }

    /// Rows that are due, oldest first.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Read<Outgoing>>, StoreError> {
        self.rows(&[Kind::Outgoing as u8], &after(now), limit).await
    }

    /// Rows that are not due yet, the soonest first.
    pub async fn not_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Read<Outgoing>>, StoreError> {
        self.rows(&after(now), &prefix_end(&[Kind::Outgoing as u8]), limit).await
    }

    async fn rows(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Read<Outgoing>>, StoreError> {
        let rows = self.store().scan(from, to, limit).await?;
        let read = |(key, raw): (Vec<u8>, bytes::Bytes)| {
            let value = Some(self.open(&key, &raw)?);
            Ok(Read { key, raw: Some(raw), value })
        };
        rows.into_iter().map(read).collect()
    }

    /// Ends a row without sending it; the merchant can see why.
    pub async fn hold_back(&self, row: &Read<Outgoing>, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let Some(outgoing) = &row.value else { return Ok(()) };
        let chat = self.chat(&outgoing.shop, &outgoing.address).await?.value.unwrap_or_default();
        let request = Request {
            at: now,
            kind: why.to_owned(),
            order: chat.focus,
            address: Some(outgoing.address.clone()),
            story: chat.story.lines(),
            done: false,
        };
        let mut batch = Batch::default();
        batch.delete(row.key.clone());
        self.put_request(&mut batch, &outgoing.shop, &request)?;
        let _ = self.store().commit(batch).await?;
        Ok(())
    }

    /// Every row, due or not.
    pub async fn outgoing(&self) -> Result<Vec<Read<Outgoing>>, StoreError> {
        let prefix = [Kind::Outgoing as u8];
        self.rows(&prefix, &prefix_end(&prefix), 100_000).await
    }
}

/// The first key that is due after `now`.
fn after(now: Timestamp) -> Vec<u8> {
    let mut key = vec![Kind::Outgoing as u8];
    key.extend_from_slice(&(now.as_millisecond().max(0) as u64 + 1).to_be_bytes());
    key
}
