//! The background check of every parcel, when it is due: fair among shops, each parcel once at a time, within what the
//! accounts allow. Must never ask more often than the schedule says, nor let one shop's many delay another's few.

use super::{Asker, Tracker, apply::Door, apply::Said};
use crate::store::records::Due;
use crate::store::{Batch, Committed, StoreError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Checks at once.
const AT_ONCE: usize = 64;
/// Taken from one shop before the next shop has its turn.
const A_TURN: usize = 16;
/// The schedule is looked at so often.
const IDLE: Duration = Duration::from_secs(1);

/// Works the schedule off.
pub struct Watch {
    tracker: Arc<Tracker>,
    shops: Vec<String>,
    places: Arc<Semaphore>,
    /// Leased parcels: checked just now. In memory, since one process holds the store.
    leased: Arc<Mutex<HashSet<Due>>>,
    /// A check of the last round could not be kept.
    troubled: Arc<AtomicBool>,
}

impl Watch {
    /// For these shops.
    pub fn new(tracker: Arc<Tracker>, shops: Vec<String>) -> Self {
        Self {
            tracker,
            shops,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            leased: Arc::default(),
            troubled: Arc::default(),
        }
    }

    /// Runs until `stop`; checks that have begun go on to their end.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let begun = match self.round().await {
                Ok(begun) => begun,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the schedule could not be read");
                    0
                }
            };
            // Where nothing can be kept (the disk is nearly full), the same parcels stay due: no reason to hurry.
            let troubled = self.troubled.swap(false, Ordering::Relaxed);
            let pause = if begun == 0 || troubled { IDLE } else { Duration::from_millis(5) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Begins checks that are due, some of each shop. Returns how many.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let now = self.tracker.wire.clock().now();
        let mut begun = 0;
        for shop in &self.shops {
            let leased = self.leases().len();
            let due = self.tracker.records.due_checks(shop, now, A_TURN + leased).await?;
            let free: Vec<Due> =
                due.into_iter().filter(|due| !self.leases().contains(due)).take(A_TURN).collect();
            for due in free {
                let Ok(place) = self.places.clone().try_acquire_owned() else { return Ok(begun) };
                self.leases().insert(due.clone());
                begun += 1;
                let (tracker, leased) = (self.tracker.clone(), self.leased.clone());
                let troubled = self.troubled.clone();
                tokio::spawn(async move {
                    tracker.checks.fetch_add(1, Ordering::SeqCst);
                    let checked = tracker.check(&due).await;
                    tracker.checks.fetch_sub(1, Ordering::SeqCst);
                    if let Err(error) = checked
                        && !troubled.swap(true, Ordering::Relaxed)
                    {
                        tracing::error!(%error, "a parcel could not be checked");
                    }
                    leased.lock().unwrap_or_else(PoisonError::into_inner).remove(&due);
                    drop(place);
                });
            }
        }
        Ok(begun)
    }

    /// Waits until nothing that was begun is under way: for tests and a graceful stop.
    pub async fn idle(&self) {
        let _ = self.places.acquire_many(AT_ONCE as u32).await;
    }

    fn leases(&self) -> std::sync::MutexGuard<'_, HashSet<Due>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracker {
    /// One due check: a pickup code that can be fetched, and else what was pushed before the number was known, a
    /// subscription where one is wanted, a question to the carrier, registering for its pickup code, and a forecast.
    pub(super) async fn check(self: &Arc<Self>, due: &Due) -> Result<(), StoreError> {
        let Due { shop, carrier, number } = due;
        let Some(parcel) = self.records.parcel(shop, carrier, number).await?.value else { return Ok(()) };
        if parcel.next_check.is_none_or(|next| next > self.wire.clock().now()) {
            return Ok(());
        }
        if self.fetch_code(shop, &parcel).await? {
            return Ok(());
        }
        self.tell_moved(shop, &parcel).await?;
        self.join_strays(shop, carrier, number).await?;
        if self.heard_enough(due).await? {
            return self.look_ahead(due).await;
        }
        self.subscribe(shop, &parcel).await?;
        if !self.serves(shop, carrier) {
            return self.failed(shop, carrier, number, "no_account", None).await;
        }
        // A buyer may have asked meanwhile: what they heard was kept, and no other account need be asked for it.
        let still = self.records.parcel(shop, carrier, number).await?.value;
        let now = self.wire.clock().now();
        if still.is_none_or(|parcel| parcel.next_check.is_none_or(|next| next > now)) {
            return Ok(());
        }
        let order = parcel.orders.first().cloned().unwrap_or_default();
        self.ask(shop, &order, carrier, number, Asker::Schedule).await;
        // Whatever came of it, the next check lies ahead: else this one would be due for ever.
        let after = self.records.parcel(shop, carrier, number).await?.value;
        let now = self.wire.clock().now();
        if after.is_some_and(|parcel| parcel.next_check.is_some_and(|next| next <= now)) {
            self.failed(shop, carrier, number, "not_kept", None).await?;
        }
        self.look_ahead(due).await
    }

    /// What else vendors can tell of a parcel that is on its way.
    async fn look_ahead(&self, due: &Due) -> Result<(), StoreError> {
        let Due { shop, carrier, number } = due;
        self.await_code(shop, carrier, number).await?;
        self.reckon(shop, carrier, number).await
    }

    /// Where a push has told the news since the check was planned, it is only planned anew.
    async fn heard_enough(&self, due: &Due) -> Result<bool, StoreError> {
        let Due { shop, carrier, number } = due;
        loop {
            let read = self.records.parcel(shop, carrier, number).await?;
            let Some(mut parcel) = read.value.clone() else { return Ok(true) };
            let now = self.wire.clock().now();
            if parcel.last_push.is_none() || parcel.last_checked != parcel.last_push {
                return Ok(false);
            }
            self.plan(shop, &mut parcel, now);
            if parcel.next_check.is_some_and(|next| next <= now) {
                return Ok(false);
            }
            let mut batch = Batch::default();
            self.records.put_parcel(&mut batch, shop, &read, &parcel)?;
            // Its news may be told at this very moment: no reason to ask the carrier.
            if self.records.store().commit(batch).await? == Committed::Done {
                return Ok(true);
            }
        }
    }

    /// News that came before the number was known here is no longer a stray's.
    async fn join_strays(&self, shop: &str, carrier: &str, number: &str) -> Result<(), StoreError> {
        for (_, account) in self.chain(shop, carrier) {
            let stray = self.records.stray(&account.name(), number).await?;
            let Some(parcel) = &stray.value else { continue };
            let said = Said {
                by: &account.name(),
                door: Door::Pushed,
                events: parcel.events.clone(),
                eta: parcel.eta.clone(),
            };
            self.apply(shop, carrier, number, &said).await?;
            self.records.drop_stray(&stray).await?;
        }
        Ok(())
    }
}
