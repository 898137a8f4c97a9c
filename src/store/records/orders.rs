//! Orders, their parcels, and the ways to find them: by number, by tracking number, by phone, by chat.

use super::{Kind, Read, Records};
use crate::model::chat::How;
use crate::model::{Chat, ChatAddress, Order, OrderStatus, Parcel, Shipment};
use crate::store::{Batch, Committed, MAX_KEYS, StoreError, prefix_end};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a tracking number leads within a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct NumberRow {
    /// Yishi's codes of the carriers under which it is known.
    pub carriers: Vec<String>,
    /// Orders that travel under it.
    pub orders: Vec<String>,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upserted {
    /// The order is new.
    Created,
    /// It was known and has changed (or was the same).
    Updated,
    /// What came is older than what is stored: nothing was changed.
    Stale,
}

/// A batch with so many keys is committed: one parcel (its row, its check, its number), the phone and the order would
/// pass the limit.
const KEYS: usize = MAX_KEYS - 5;

impl Records {
    pub(super) fn order_key(&self, shop: &str, no: &str) -> Vec<u8> {
        self.key(Kind::Order, shop, &no.to_ascii_uppercase())
    }

    /// One order.
    pub async fn order(&self, shop: &str, no: &str) -> Result<Read<Order>, StoreError> {
        self.read(self.order_key(shop, no)).await
    }

    /// Orders of a shop in no particular order, from after `cursor` (a key of an earlier page).
    pub async fn orders(
        &self,
        shop: &str,
        cursor: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Order)>, StoreError> {
        let prefix = self.prefix(Kind::Order, shop);
        let from = cursor.map_or_else(
            || prefix.clone(),
            |mut key| {
                key.push(0);
                key
            },
        );
        let rows = self.store().scan(&from, &prefix_end(&prefix), limit).await?;
        rows.into_iter().map(|(key, raw)| Ok((key.clone(), self.open(&key, &raw)?))).collect()
    }

    /// Where a tracking number leads.
    pub async fn number(&self, shop: &str, number: &str) -> Result<Read<NumberRow>, StoreError> {
        self.read(self.key(Kind::Number, shop, &number.to_ascii_uppercase())).await
    }

    /// Numbers of the orders with this phone (digits only).
    pub async fn orders_by_phone(&self, shop: &str, phone: &str) -> Result<Vec<String>, StoreError> {
        let prefix = self.key(Kind::Phone, shop, phone);
        let rows = self.store().scan(&prefix, &prefix_end(&prefix), 100).await?;
        rows.into_iter().map(|(key, raw)| self.open(&key, &raw)).collect()
    }

    /// An order's parcels in the order of its shipments, each with its newest `scans`; a parcel that is not stored
    /// yet comes empty. For answers: must not be stored again.
    pub async fn parcels_of(
        &self,
        shop: &str,
        order: &Order,
        scans: usize,
    ) -> Result<Vec<Parcel>, StoreError> {
        let mut parcels = Vec::with_capacity(order.shipments.len());
        for shipment in &order.shipments {
            let known = self.parcel_for_answer(shop, &shipment.carrier, &shipment.number, scans).await?;
            parcels.push(known.unwrap_or_else(|| new_parcel(order, shipment)));
        }
        Ok(parcels)
    }

    /// What [`Records::upsert_order`] would do, without doing it: also [`StoreError::TooLarge`] where what is known
    /// and what came are together more than a record holds.
    pub async fn judge_order(&self, shop: &str, order: &Order) -> Result<Upserted, StoreError> {
        let read = self.order(shop, &order.no).await?;
        let (merged, outcome) = decide(read.value.as_ref(), order);
        if let Some(merged) = merged {
            self.last_batch(shop, &read, &merged)?;
        }
        Ok(outcome)
    }

    /// Stores an order with its parcels and the ways to find it. Older than what is stored: nothing changes.
    /// Missing fields keep what is known; shipments are joined by number. Too large: nothing is written.
    pub async fn upsert_order(
        &self,
        shop: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<Upserted, StoreError> {
        'again: loop {
            let read = self.order(shop, &order.no).await?;
            let (merged, outcome) = decide(read.value.as_ref(), order);
            let Some(merged) = merged else { return Ok(outcome) };
            let mut last = self.last_batch(shop, &read, &merged)?;
            // Of a very large order, its parcels and chats go first, the order itself last.
            let mut batch = Batch::default();
            for shipment in &merged.shipments {
                self.put_shipment(&mut batch, shop, &merged, shipment, now).await?;
                if self.spill(&mut batch).await? == Committed::Lost {
                    continue 'again;
                }
            }
            for address in &merged.buyer.chat {
                self.bind_chat(&mut batch, shop, address, &merged.no, now).await?;
                if self.spill(&mut batch).await? == Committed::Lost {
                    continue 'again;
                }
            }
            batch.expects.append(&mut last.expects);
            batch.writes.append(&mut last.writes);
            if self.store().commit(batch).await? == Committed::Done {
                return Ok(outcome);
            }
        }
    }

    /// The order itself and its phone. Fails where the order is longer than a record may be, before anything is
    /// written of it.
    fn last_batch(&self, shop: &str, read: &Read<Order>, merged: &Order) -> Result<Batch, StoreError> {
        let mut batch = Batch::default();
        if let Some(phone) = merged.buyer.phone.as_ref() {
            let key = self.phone_key(shop, merged, phone.reveal());
            self.put(&mut batch, key, &merged.no)?;
        }
        self.replace(&mut batch, read, merged)?;
        batch.fits()?;
        Ok(batch)
    }

    /// Commits a batch that has no room for one more parcel and the last batch; another one waits.
    async fn spill(&self, batch: &mut Batch) -> Result<Committed, StoreError> {
        if batch.writes.len() < KEYS {
            return Ok(Committed::Done);
        }
        self.store().commit(std::mem::take(batch)).await
    }

    async fn put_shipment(
        &self,
        batch: &mut Batch,
        shop: &str,
        order: &Order,
        shipment: &Shipment,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = self.parcel(shop, &shipment.carrier, &shipment.number).await?;
        let mut parcel = read.value.clone().unwrap_or_else(|| new_parcel(order, shipment));
        let tail = order.buyer.phone_last4.clone();
        let known = parcel.orders.contains(&order.no);
        if read.value.is_none() {
            parcel.next_check = first_check(order, shipment, now);
            parcel.first_seen = Some(now);
        }
        if read.value.is_none() || !known || parcel.phone_tail.is_none() && tail.is_some() {
            if !known {
                parcel.orders.push(order.no.clone());
            }
            parcel.shipped_at = parcel.shipped_at.or(shipment.shipped_at);
            parcel.phone_tail = parcel.phone_tail.or(tail);
            parcel.first_seen = parcel.first_seen.or(Some(now));
            self.put_parcel(batch, shop, &read, &parcel)?;
        }
        let read = self.number(shop, &shipment.number).await?;
        let mut row = read.value.clone().unwrap_or_default();
        let before = row.clone();
        if !row.carriers.contains(&shipment.carrier) {
            row.carriers.push(shipment.carrier.clone());
        }
        if !row.orders.contains(&order.no) {
            row.orders.push(order.no.clone());
        }
        if row != before {
            self.replace(batch, &read, &row)?;
        }
        Ok(())
    }

    async fn bind_chat(
        &self,
        batch: &mut Batch,
        shop: &str,
        address: &ChatAddress,
        order: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = self.chat(shop, address).await?;
        let mut chat =
            read.value.clone().unwrap_or_else(|| Chat { address: Some(address.clone()), ..Chat::default() });
        if chat.bind(order, How::Told, now) {
            self.replace(batch, &read, &chat)?;
        }
        Ok(())
    }
}

fn new_parcel(order: &Order, shipment: &Shipment) -> Parcel {
    Parcel {
        carrier: shipment.carrier.clone(),
        number: shipment.number.clone(),
        orders: vec![order.no.clone()],
        shipped_at: shipment.shipped_at,
        phone_tail: order.buyer.phone_last4.clone(),
        ..Parcel::default()
    }
}

/// What was shipped just now is asked about at once; a history that is imported, spread over some hours; what is over
/// in the shop's own books, never.
fn first_check(order: &Order, shipment: &Shipment, now: Timestamp) -> Option<Timestamp> {
    const RECENT: SignedDuration = SignedDuration::from_hours(72);
    const SPREAD_SECS: i64 = 6 * 3600;
    if matches!(order.status, OrderStatus::Completed | OrderStatus::Closed) {
        return None;
    }
    let recent = shipment.shipped_at.is_none_or(|at| now.duration_since(at) < RECENT);
    let seed = shipment.number.bytes().fold(7_i64, |seed, byte| (seed * 31 + i64::from(byte)) % 1_000_003);
    let wait = if recent { 0 } else { seed % SPREAD_SECS };
    now.checked_add(SignedDuration::from_secs(wait)).ok()
}

/// What is to be stored, and what that is; nothing where what came is older.
fn decide(old: Option<&Order>, new: &Order) -> (Option<Order>, Upserted) {
    match old {
        None => (Some(new.clone()), Upserted::Created),
        Some(old) if old.updated_at > new.updated_at && new.updated_at.is_some() => (None, Upserted::Stale),
        Some(old) => (Some(merge(old, new)), Upserted::Updated),
    }
}

/// What came over what is known: given fields win, missing ones stay, shipments are joined by number.
fn merge(old: &Order, new: &Order) -> Order {
    let mut merged = new.clone();
    merged.no.clone_from(&old.no);
    merged.updated_at = new.updated_at.or(old.updated_at);
    merged.created_at = new.created_at.or(old.created_at);
    merged.paid_at = new.paid_at.or(old.paid_at);
    merged.ship_by = new.ship_by.or(old.ship_by);
    merged.platform = new.platform.clone().or_else(|| old.platform.clone());
    if merged.items.is_empty() {
        merged.items.clone_from(&old.items);
    }
    for shipment in &old.shipments {
        match merged.shipments.iter_mut().find(|new| new.number.eq_ignore_ascii_case(&shipment.number)) {
            Some(new) => {
                new.shipped_at = new.shipped_at.or(shipment.shipped_at);
                if new.items.is_empty() {
                    new.items.clone_from(&shipment.items);
                }
            }
            None => merged.shipments.push(shipment.clone()),
        }
    }
    let (buyer, before) = (&mut merged.buyer, &old.buyer);
    buyer.external_id = buyer.external_id.take().or_else(|| before.external_id.clone());
    buyer.name = buyer.name.take().or_else(|| before.name.clone());
    buyer.phone = buyer.phone.take().or_else(|| before.phone.clone());
    buyer.phone_last4 = buyer.phone_last4.take().or_else(|| before.phone_last4.clone());
    buyer.address = buyer.address.take().or_else(|| before.address.clone());
    for address in &before.chat {
        if !buyer.chat.contains(address) {
            buyer.chat.push(address.clone());
        }
    }
    merged
}
