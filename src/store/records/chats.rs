//! Conversations, the web chat's log, failed proofs, and what the merchant should see.

use super::{Kind, Read, Records};
use crate::model::{Chat, ChatAddress, ChatMessage, Order};
use crate::store::{Batch, Committed, StoreError, prefix_end};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that the merchant should see: a hand-over, an urge, a change of address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// When.
    pub at: Timestamp,
    /// The intent: `human`, `urge`, `change_address`, `not_received`, …
    pub kind: String,
    /// Order number, where one is meant.
    pub order: Option<String>,
    /// Who asks.
    pub address: Option<ChatAddress>,
    /// The story so far.
    pub story: Vec<crate::model::chat::Told>,
    /// Whether it is settled.
    pub done: bool,
}

/// A promised erasure; once kept, an indexed tombstone without personal data stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it was promised.
    pub at: Timestamp,
    /// The shop.
    pub shop: String,
    /// Keys of the orders that lose name, phone and address.
    pub orders: Vec<Vec<u8>>,
    /// Whether it was kept.
    pub kept: bool,
    /// Lines of the web chat's log before this one go.
    pub log_until: u64,
}

/// One person of one account as a text for fingerprints.
fn person(address: &ChatAddress) -> String {
    format!("{}\u{1f}{}\u{1f}{}", address.kind, address.account, address.id.reveal())
}

impl Records {
    /// A person's conversation with a shop.
    pub async fn chat(&self, shop: &str, address: &ChatAddress) -> Result<Read<Chat>, StoreError> {
        self.read(self.key(Kind::Chat, shop, &person(address))).await
    }

    /// Key of the `seq`-th line of a web chat's log.
    pub fn message_key(&self, shop: &str, address: &ChatAddress, seq: u64) -> Vec<u8> {
        let mut key = self.key(Kind::Message, shop, &person(address));
        key.extend_from_slice(&seq.to_be_bytes());
        key
    }

    /// Adds a line to a web chat's log. JSON inside, since it is the promised JSON that is kept.
    pub fn put_message(
        &self,
        batch: &mut Batch,
        shop: &str,
        address: &ChatAddress,
        seq: u64,
        message: &ChatMessage,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_string(message).unwrap_or_default();
        self.put(batch, self.message_key(shop, address, seq), &json)
    }

    /// Lines after `seq`, oldest first.
    pub async fn messages_after(
        &self,
        shop: &str,
        address: &ChatAddress,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<(u64, ChatMessage)>, StoreError> {
        let prefix = self.key(Kind::Message, shop, &person(address));
        let from = self.message_key(shop, address, seq.saturating_add(1));
        let rows = self.store().scan(&from, &prefix_end(&prefix), limit).await?;
        let mut messages = Vec::with_capacity(rows.len());
        for (key, raw) in rows {
            let json: String = self.open(&key, &raw)?;
            let seq = key.last_chunk::<8>().map_or(0, |seq| u64::from_be_bytes(*seq));
            if let Ok(message) = serde_json::from_str(&json) {
                messages.push((seq, message));
            }
        }
        Ok(messages)
    }

    /// Failed proofs for a claimed number in the last hour.
    pub async fn misses(
        &self,
        shop: &str,
        claim: &str,
        now: Timestamp,
    ) -> Result<Read<Vec<Timestamp>>, StoreError> {
        let mut read: Read<Vec<Timestamp>> =
            self.read(self.key(Kind::Guesses, shop, &claim.to_ascii_uppercase())).await?;
        if let Some(misses) = &mut read.value {
            misses.retain(|miss| now.duration_since(*miss) < SignedDuration::from_hours(1));
        }
        Ok(read)
    }

    /// Adds something for the merchant to see.
    pub fn put_request(&self, batch: &mut Batch, shop: &str, request: &Request) -> Result<(), StoreError> {
        let mut key = self.prefix(Kind::Request, shop);
        key.extend_from_slice(uuid::Uuid::now_v7().as_bytes());
        self.put(batch, key, request)
    }

    /// The newest requests of a shop with their ids.
    pub async fn requests(&self, shop: &str, limit: usize) -> Result<Vec<(String, Request)>, StoreError> {
        let prefix = self.prefix(Kind::Request, shop);
        let rows = self.store().scan_back(&prefix, &prefix_end(&prefix), limit).await?;
        let id = |key: &[u8]| hex::encode(&key[prefix.len()..]);
        rows.into_iter().map(|(key, raw)| Ok((id(&key), self.open(&key, &raw)?))).collect()
    }

    /// One request by its id.
    pub async fn request(&self, shop: &str, id: &str) -> Result<Option<Read<Request>>, StoreError> {
        let Ok(id) = hex::decode(id) else { return Ok(None) };
        let mut key = self.prefix(Kind::Request, shop);
        key.extend_from_slice(&id);
        let read: Read<Request> = self.read(key).await?;
        Ok(read.value.is_some().then_some(read))
    }

    /// Promises, in the turn's own batch, that all that is kept about a person goes: conversation, log, and their name,
    /// phone and address on their orders. [`Records::finish_erasures`] keeps it, also after a crash.
    pub fn put_erasure(
        &self,
        batch: &mut Batch,
        shop: &str,
        address: &ChatAddress,
        chat: &Chat,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let erasure = Erasure {
            at,
            shop: shop.to_owned(),
            orders: chat.bound.iter().map(|bound| self.order_key(shop, &bound.order)).collect(),
            kept: false,
            log_until: chat.seq,
        };
        self.put(batch, self.key(Kind::Tombstone, shop, &person(address)), &erasure)
    }

    /// Keeps every promised erasure that is not kept yet. Safe to run twice.
    pub async fn finish_erasures(&self) -> Result<(), StoreError> {
        self.erasures(|erasure| !erasure.kept, false).await
    }

    /// Keeps again every erasure that is younger than a backup that was just taken back.
    pub async fn repeat_erasures(&self, backup: Timestamp) -> Result<(), StoreError> {
        self.erasures(|erasure| erasure.at > backup, true).await
    }

    /// `whole`: the conversation goes too, not only what was said before the promise.
    async fn erasures(&self, wanted: impl Fn(&Erasure) -> bool, whole: bool) -> Result<(), StoreError> {
        let prefix = [Kind::Tombstone as u8];
        let (mut from, end) = (prefix.to_vec(), prefix_end(&prefix));
        loop {
            let rows = self.store().scan(&from, &end, 256).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            from = [last.as_slice(), &[0]].concat();
            for (key, raw) in &rows {
                let mut erasure: Erasure = self.open(key, raw)?;
                if !wanted(&erasure) {
                    continue;
                }
                for order in &erasure.orders {
                    self.forget_buyer(&erasure.shop, order).await?;
                }
                // The same person's other rows have the same key but for the kind.
                let same = |kind: Kind| [&[kind as u8], &key[1..]].concat();
                let log = same(Kind::Message);
                let log_end = match whole {
                    true => prefix_end(&log),
                    false => [log.as_slice(), &erasure.log_until.to_be_bytes()].concat(),
                };
                self.delete_range(&log, &log_end).await?;
                self.forget_requests(&erasure.shop, &key[1..]).await?;
                erasure.kept = true;
                let mut batch = Batch::default();
                self.put(&mut batch, key.clone(), &erasure)?;
                if whole {
                    batch.delete(same(Kind::Chat));
                }
                let _ = self.store().commit(batch).await?;
            }
        }
    }

    pub(super) async fn delete_range(&self, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        loop {
            let rows = self.store().scan(from, to, 36).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::default();
            for (key, _) in rows {
                batch.delete(key);
            }
            let _ = self.store().commit(batch).await?;
        }
    }

    /// What the merchant saw of a person goes too: it holds their address and words. `person_key`: a key of theirs
    /// but for its kind.
    async fn forget_requests(&self, shop: &str, person_key: &[u8]) -> Result<(), StoreError> {
        let prefix = self.prefix(Kind::Request, shop);
        let (mut from, end) = (prefix.clone(), prefix_end(&prefix));
        loop {
            let rows = self.store().scan(&from, &end, 256).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            from = [last.as_slice(), &[0]].concat();
            for (key, raw) in rows {
                let request: Request = self.open(&key, &raw)?;
                let theirs =
                    |address: &ChatAddress| self.key(Kind::Chat, shop, &person(address))[1..] == *person_key;
                if request.address.as_ref().is_some_and(theirs) {
                    let mut batch = Batch::default();
                    batch.delete(key);
                    let _ = self.store().commit(batch).await?;
                }
            }
        }
    }

    async fn forget_buyer(&self, shop: &str, order: &[u8]) -> Result<(), StoreError> {
        loop {
            let read: Read<Order> = self.read(order.to_vec()).await?;
            let Some(mut order) = read.value.clone() else { return Ok(()) };
            let phone = order.buyer.phone.take();
            order.buyer = crate::model::Buyer::default();
            let mut batch = Batch::default();
            if let Some(phone) = phone {
                batch.delete(self.phone_key(shop, &order, phone.reveal()));
            }
            self.replace(&mut batch, &read, &order)?;
            if self.store().commit(batch).await? == Committed::Done {
                return Ok(());
            }
        }
    }

    pub(super) fn phone_key(&self, shop: &str, order: &Order, phone: &str) -> Vec<u8> {
        let mut key = self.key(Kind::Phone, shop, phone);
        key.extend_from_slice(&self.vault().index(shop, "id", &order.no));
        key
    }
}
