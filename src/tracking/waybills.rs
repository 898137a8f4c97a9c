//! Creates waybills at the shop's accounts, once: what is ordered is written down before the call, and where no answer
//! came the vendor is asked before anything is ordered again. Must never name a vendor, nor keep an address.

use super::{Asker, Door, Said, Tracker};
use crate::carriers::{Again, Cancelling, Carrier, Created, FindWaybill, Shipping, Tracked, Waybill};
use crate::model::{Account, Event, Meaning, Raw, Sub, When};
use crate::store::records::{OrderState, WaybillOrder};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Answer, Build, CallError, Cx, Failure, Joined, Refusal};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Longest time for one call.
const LIMIT: Duration = Duration::from_secs(20);

/// Orders that are under way, by shop and id.
pub(super) type Orders = Joined<(String, String), Result<Shipped, NotDone>>;

/// A waybill that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    /// `kind/id` of the account.
    pub account: String,
    /// Yishi's code of the carrier.
    pub carrier: String,
    /// What the vendor gave. The label is here only in the answer that the vendor sent it with: it names people, and
    /// is not kept.
    pub created: Created,
    /// Whether it is new by this call.
    pub new: bool,
}

/// Why a waybill was not created, or not cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// No account of the shop can do it for this carrier.
    NoAccount,
    /// The vendor said no: nothing was done.
    Refused(Refusal),
    /// It did not leave: pace, budget or breaker.
    NotSent(Option<Timestamp>),
    /// It left, and what became of it cannot be known by a program.
    Unsure,
    /// It was cancelled.
    Gone,
    /// The shop never ordered such a waybill.
    NoSuch,
    /// The store is down.
    Down,
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a waybill could not be written down");
        Self::Down
    }
}

impl From<Failure> for NotDone {
    /// What a failed call that changes nothing twice means.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Call(CallError::NotSent { until }) => Self::NotSent(until),
            Failure::Call(CallError::Unknown)
            | Failure::Refused(Refusal::Retry { .. } | Refusal::Unreadable) => Self::Unsure,
            Failure::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl Tracker {
    /// Creates the waybill of `id`, or gives back the one that it has. `account` is the id or name of one account,
    /// else the first that can. `again` is a person's word that the vendor has no such order.
    pub async fn ship(
        self: &Arc<Self>,
        shop: &str,
        order: &str,
        account: Option<&str>,
        shipping: Shipping,
        again: bool,
    ) -> Result<Shipped, NotDone> {
        let (carrier, account) = self.shipper(shop, account, &shipping.carrier).ok_or(NotDone::NoAccount)?;
        let key = (shop.to_owned(), shipping.order.clone());
        let (this, shop, order) = (self.clone(), shop.to_owned(), order.to_owned());
        let shipped = self.orders.ask(key, || async move {
            let desk = Desk { tracker: &this, carrier, account: &account, shop: &shop };
            desk.ship(&order, &shipping, again).await
        });
        shipped.await.unwrap_or(Err(NotDone::Unsure))
    }

    /// Cancels the waybill of `id` and tells its parcel so.
    pub async fn cancel_waybill(&self, shop: &str, id: &str, reason: &str) -> Result<Shipped, NotDone> {
        let read = self.records.waybill(shop, id).await?;
        let mut known = read.value.clone().ok_or(NotDone::NoSuch)?;
        match known.state {
            OrderState::Created => {}
            OrderState::Cancelled => return Err(NotDone::Gone),
            OrderState::Ordering => return Err(NotDone::Unsure),
        }
        let (carrier, account) =
            self.shipper(shop, Some(&known.account), &known.carrier).ok_or(NotDone::NoAccount)?;
        let desk = Desk { tracker: self, carrier, account: &account, shop };
        let waybill = carrier.waybill().ok_or(NotDone::NoAccount)?;
        let cancelling = Cancelling {
            carrier: known.carrier.clone(),
            order: id.to_owned(),
            created: known.created(),
            reason: reason.to_owned(),
        };
        let cancel = |cx: &Cx| waybill.cancel(cx, &cancelling);
        match desk.exchange(&cancel, |cx, answer| waybill.read_cancelled(cx, answer)).await {
            Ok(()) | Err(Failure::Refused(Refusal::AlreadyDone)) => {}
            Err(failure) => return Err(failure.into()),
        }
        known.state = OrderState::Cancelled;
        known.at = self.wire.clock().now();
        let mut batch = Batch::default();
        self.records.replace(&mut batch, &read, &known)?;
        // Where it was overtaken, somebody else cancelled it: the vendor is asked once more then, which does no harm.
        if self.records.store().commit(batch).await? != Committed::Done {
            return Err(NotDone::Unsure);
        }
        self.tell_cancelled(shop, &known).await?;
        Ok(known.shipped(false))
    }

    /// Who creates waybills of a carrier for a shop: the named account, or direct ones first.
    fn shipper(
        &self,
        shop: &str,
        account: Option<&str>,
        code: &str,
    ) -> Option<(&'static dyn Carrier, Arc<Account>)> {
        let fits = |one: &Account| account.is_none_or(|named| one.id == named || one.name() == named);
        let mut chain = self.chain(shop, code).into_iter();
        chain.find(|(carrier, account)| carrier.waybill().is_some() && fits(account))
    }

    /// The vendor confirmed that the parcel will not go: that is news of it like any other.
    async fn tell_cancelled(&self, shop: &str, waybill: &WaybillOrder) -> Result<(), StoreError> {
        let provider = waybill.account.split('/').next().unwrap_or_default();
        let (code, number) = (waybill.carrier.as_str(), waybill.number.as_str());
        let meaning = Meaning::sub(Sub::BySender);
        let time = When { utc: Some(waybill.at), ..When::default() };
        let event = Event::new(code, number, provider, time, meaning, Raw::default(), waybill.at);
        let tracked = Tracked::of(code, number, vec![event]);
        let said = Said::of(&waybill.account, Door::Asked, number, vec![tracked]);
        self.apply(shop, code, number, &said).await.map(|_| ())
    }
}

/// One account, for one shop.
struct Desk<'a> {
    tracker: &'a Tracker,
    carrier: &'static dyn Carrier,
    account: &'a Account,
    shop: &'a str,
}

impl Desk<'_> {
    async fn ship(&self, order: &str, shipping: &Shipping, again: bool) -> Result<Shipped, NotDone> {
        let waybill = self.carrier.waybill().ok_or(NotDone::NoAccount)?;
        let records = &self.tracker.records;
        let read = records.waybill(self.shop, &shipping.order).await?;
        let ordered_before = match &read.value {
            Some(known) if known.state == OrderState::Created => return Ok(known.shipped(false)),
            Some(known) if known.state == OrderState::Cancelled => return Err(NotDone::Gone),
            // Another account may have the order: it is not ordered here as well.
            Some(known) if known.account != self.account.name() && !again => return Err(NotDone::Unsure),
            Some(_) => true,
            None => false,
        };
        if ordered_before && !again {
            match waybill.again() {
                Again::Look => return Err(NotDone::Unsure),
                Again::Repeat => {}
                Again::Ask(finder) => {
                    if let Some(found) = self.find(finder, shipping).await? {
                        return self.keep(order, shipping, found).await;
                    }
                }
            }
        }
        let mut batch = Batch::default();
        records.replace(&mut batch, &read, &self.ordering(order, shipping))?;
        if records.store().commit(batch).await? != Committed::Done {
            return Err(NotDone::Unsure);
        }
        match self.create(waybill, shipping).await {
            Ok(created) => self.keep(order, shipping, created).await,
            Err(NotDone::Refused(Refusal::AlreadyDone)) => match waybill.again() {
                Again::Ask(finder) => match self.find(finder, shipping).await? {
                    Some(found) => self.keep(order, shipping, found).await,
                    None => Err(NotDone::Unsure),
                },
                Again::Repeat | Again::Look => Err(NotDone::Unsure),
            },
            // Nothing was done over there: the id is free again.
            Err(no @ (NotDone::Refused(_) | NotDone::NotSent(_))) if !ordered_before => {
                let mut batch = Batch::default();
                batch.delete(read.key.clone());
                let _ = records.store().commit(batch).await?;
                Err(no)
            }
            Err(other) => Err(other),
        }
    }

    /// What is known before the call.
    fn ordering(&self, order: &str, shipping: &Shipping) -> WaybillOrder {
        WaybillOrder {
            account: self.account.name(),
            carrier: shipping.carrier.clone(),
            order: order.to_owned(),
            state: OrderState::Ordering,
            at: self.tracker.wire.clock().now(),
            number: String::new(),
            children: Vec::new(),
            return_number: None,
            vendor_order: None,
            sorting: None,
        }
    }

    async fn create(&self, waybill: &dyn Waybill, shipping: &Shipping) -> Result<Created, NotDone> {
        let create = |cx: &Cx| waybill.create(cx, shipping);
        Ok(self.exchange(&create, |cx, answer| waybill.read_created(cx, shipping, answer)).await?)
    }

    /// A question that cannot be answered now leaves it open what became of the order.
    async fn find(&self, finder: &dyn FindWaybill, shipping: &Shipping) -> Result<Option<Created>, NotDone> {
        let find = |cx: &Cx| finder.find(cx, shipping);
        Ok(self.exchange(&find, |cx, answer| finder.read_found(cx, answer)).await?)
    }

    /// Writes down what exists. Whatever stood there was about the same order.
    async fn keep(&self, order: &str, shipping: &Shipping, created: Created) -> Result<Shipped, NotDone> {
        let kept = WaybillOrder {
            state: OrderState::Created,
            number: created.number.clone(),
            children: created.children.clone(),
            return_number: created.return_number.clone(),
            vendor_order: created.vendor_order.clone(),
            sorting: created.sorting.clone(),
            ..self.ordering(order, shipping)
        };
        let records = &self.tracker.records;
        let read = records.waybill(self.shop, &shipping.order).await?;
        let mut batch = Batch::default();
        records.put(&mut batch, read.key, &kept)?;
        let _ = records.store().commit(batch).await?;
        Ok(Shipped { created, ..kept.shipped(true) })
    }

    async fn exchange<T>(
        &self,
        build: Build<'_>,
        read: impl Fn(&Cx, &Answer) -> Result<T, Refusal> + Send + Sync,
    ) -> Result<T, Failure> {
        let at = (self.carrier, self.account);
        self.tracker.call(at, Asker::Buyer, LIMIT, build, read).await
    }
}

impl WaybillOrder {
    fn created(&self) -> Created {
        Created {
            number: self.number.clone(),
            children: self.children.clone(),
            return_number: self.return_number.clone(),
            vendor_order: self.vendor_order.clone(),
            sorting: self.sorting.clone(),
            label: None,
        }
    }

    fn shipped(&self, new: bool) -> Shipped {
        let (account, carrier) = (self.account.clone(), self.carrier.clone());
        Shipped { account, carrier, created: self.created(), new }
    }
}
