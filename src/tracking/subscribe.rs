//! Asking vendors to send news by themselves, once for each parcel and within their monthly cap; and taking the news
//! that they send. Must never name a vendor, nor subscribe a number that has arrived.

use super::apply::{Door, Said};
use super::{Asker, Tracker};
use crate::carriers::{Ask, News, Watch, carrier};
use crate::model::{Account, Parcel, Watched};
use crate::store::{Committed, StoreError};
use crate::wire::{Answer, Cx, Exchange, Failure, Limits, Refusal, Step};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Longest time for one subscription.
const LIMIT: Duration = Duration::from_secs(10);
const MONTH: SignedDuration = SignedDuration::from_hours(31 * 24);
/// A failed subscription is tried again after this.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

impl Tracker {
    /// Subscribes a parcel at the first account of its chain that can push, if that is still to be done.
    pub(super) async fn subscribe(&self, shop: &str, parcel: &Parcel) -> Result<(), StoreError> {
        if self.callback.is_empty() || parcel.state.status.is_final() {
            return Ok(());
        }
        let now = self.wire.clock().now();
        for (carrier, account) in self.chain(shop, &parcel.carrier) {
            let Some(subscription) = carrier.push().and_then(|push| push.subscription()) else { continue };
            // Without the secret that proves its pushes nothing would be believed.
            if account.setting("push", "true") != "true" {
                continue;
            }
            if !wanted(parcel, &account, subscription.days(), subscription.per_number_month(), now) {
                return Ok(());
            }
            let phone_tail = parcel.phone_tail.as_ref().map(|tail| tail.reveal().clone());
            let ask = Ask { carrier: parcel.carrier.clone(), number: parcel.number.clone(), phone_tail };
            let callback = format!("{}/hooks/{}/{}", self.callback, account.kind, account.id);
            let build = |cx: &Cx| subscription.subscribe(cx, &ask, &callback);
            let read = |cx: &Cx, answer: &Answer| subscription.read_subscribed(cx, &ask, answer);
            let answered = self.call((carrier, &account), Asker::Buyer, LIMIT, &build, read).await;
            let on = matches!(answered, Ok(()) | Err(Failure::Refused(Refusal::AlreadyDone)));
            // What never left this house does not count against the vendor's cap.
            if !matches!(answered, Err(Failure::Call(crate::wire::CallError::NotSent { .. }))) {
                self.note_subscription(shop, parcel, &account, on, now).await?;
            }
            return Ok(());
        }
        Ok(())
    }

    async fn note_subscription(
        &self,
        shop: &str,
        parcel: &Parcel,
        account: &Account,
        on: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = account.name();
        self.change(shop, &parcel.carrier, &parcel.number, |parcel, _| {
            let watched = parcel.watched.take().filter(|watched| watched.account == name);
            let mut watched = watched.unwrap_or(Watched { account: name.clone(), asked: Vec::new(), on });
            watched.asked.retain(|at| now.duration_since(*at) < MONTH);
            watched.asked.push(now);
            watched.on = on;
            parcel.watched = Some(watched);
            parcel.note(now, &name, "subscribe", if on { "ok" } else { "refused" }, 0);
            true
        })
        .await
    }

    /// Takes one number's news of a push: each shop that the account serves and that knows the number gets it; where
    /// none does, it is kept a while. Durable when this returns.
    pub async fn take(&self, account: &Account, news: &News) -> Result<(), StoreError> {
        let (by, number) = (account.name(), news.tracked.number.as_str());
        self.pushed(&by);
        let shops = self.shops.keys().filter(|shop| account.serves_shop(shop));
        let mut known = false;
        for shop in shops {
            let row = self.records.number(shop, number).await?.value.unwrap_or_default();
            let wrong = news.instead_of.as_ref().filter(|wrong| row.carriers.contains(*wrong));
            if let Some(wrong) = wrong {
                self.correct_carrier(shop, number, wrong, &news.tracked.carrier, &by).await?;
            }
            let told = if wrong.is_some() || row.carriers.contains(&news.tracked.carrier) {
                vec![&news.tracked.carrier]
            } else {
                row.carriers.iter().collect()
            };
            for carrier in told {
                known = true;
                let mut said = Said::of(&by, Door::Pushed, number, vec![news.tracked.clone()]);
                for event in said.events.iter_mut().filter(|event| event.carrier != *carrier) {
                    // Told under another carrier's name: one parcel has one name in its events' ids.
                    event.carrier.clone_from(carrier);
                    event.id = event.compute_id();
                }
                self.apply(shop, carrier, number, &said).await?;
                if news.watch != Watch::On {
                    self.unwatch(shop, carrier, number, news.watch).await?;
                }
            }
        }
        if known {
            return Ok(());
        }
        loop {
            let stray = self.records.stray(&by, number).await?;
            let mut kept = stray.value.clone().unwrap_or_else(|| Parcel {
                carrier: news.tracked.carrier.clone(),
                number: number.to_owned(),
                ..Parcel::default()
            });
            kept.add(news.tracked.events.clone());
            kept.eta.clone_from(&news.tracked.eta);
            kept.last_push = Some(self.wire.clock().now());
            if self.records.put_stray(&stray, &kept).await? == Committed::Done {
                metrics::counter!("yishi_pushes_stray_total", "kind" => account.kind.clone()).increment(1);
                return Ok(());
            }
        }
    }

    /// The vendor stopped watching. Where the parcel has not arrived, it is subscribed again at its next check.
    async fn unwatch(&self, shop: &str, carrier: &str, number: &str, watch: Watch) -> Result<(), StoreError> {
        let outcome = if watch == Watch::Ended { "ended" } else { "lapsed" };
        self.change(shop, carrier, number, |parcel, now| {
            let Some(watched) = parcel.watched.as_mut().filter(|watched| watched.on) else { return false };
            watched.on = false;
            let by = watched.account.clone();
            parcel.note(now, &by, "subscribe", outcome, 0);
            true
        })
        .await
    }

    /// An account sent something: its pushes work.
    fn pushed(&self, account: &str) {
        let mut last = self.last_pushes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.insert(account.to_owned(), self.wire.clock().now());
    }

    /// Whether news of this parcel can be expected to come by itself: it is subscribed, and the account has sent
    /// something in the last day.
    pub(super) fn is_pushed(&self, parcel: &Parcel, now: Timestamp) -> bool {
        let Some(watched) = parcel.watched.as_ref().filter(|watched| watched.on) else { return false };
        let recent = |at: Timestamp| now.duration_since(at) < SignedDuration::from_hours(24);
        let last = self.last_pushes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        parcel.last_push.is_some_and(recent) || last.get(&watched.account).copied().is_some_and(recent)
    }

    /// An account of the registry by kind and id.
    pub fn account(&self, kind: &str, id: &str) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| account.kind == kind && account.id == id)
    }

    /// Makes the calls that a push asked for (a pick-up code to fetch, a subscription to confirm) and takes their news.
    pub async fn follow_up(
        &self,
        account: &Account,
        calls: Vec<crate::wire::Call>,
    ) -> Result<(), StoreError> {
        let Some(carrier) = carrier(&account.kind) else { return Ok(()) };
        let Some(push) = carrier.push() else { return Ok(()) };
        for call in calls {
            let exchange = Exchange {
                account,
                limits: Limits::default().under(account),
                number: None,
                token: carrier.token(account),
                limit: LIMIT,
            };
            let told = self
                .wire
                .exchange(&exchange, &|_| Ok(call.clone()), &|cx, answer| {
                    push.read_follow_up(cx, answer).map(Step::Done)
                })
                .await;
            if let Ok(told) = told {
                for news in &told.parcels {
                    self.take(account, news).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a subscription is to be asked for now.
fn wanted(parcel: &Parcel, account: &Account, days: Option<u16>, per_month: u16, now: Timestamp) -> bool {
    let Some(watched) = parcel.watched.as_ref().filter(|watched| watched.account == account.name()) else {
        return true;
    };
    let in_month = watched.asked.iter().filter(|at| now.duration_since(**at) < MONTH).count();
    let last = watched.asked.last().copied();
    let rested = last.is_none_or(|last| now.duration_since(last) >= AGAIN);
    let expired = days.zip(last).is_some_and(|(days, last)| {
        now.duration_since(last) >= SignedDuration::from_hours(i64::from(days) * 24 - 12)
    });
    let allowed = per_month == 0 || in_month < usize::from(per_month);
    (!watched.on && rested || expired) && allowed
}
