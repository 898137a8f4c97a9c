//! Asking carriers about parcels and keeping what they say. One question at a time for each parcel, whoever asks;
//! direct accounts first, aggregators after. Must never name a vendor, and never lose what an answer said.

mod apply;
pub mod calendar;
mod correct;
mod doubt;
pub mod exceptions;
mod forecast;
mod habits;
pub mod incidents;
mod mend;
mod pickup;
pub mod schedule;
mod subscribe;
mod watch;
mod waybills;

pub use apply::{Door, Said};
pub use watch::Watch;
pub use waybills::{NotDone, Shipped};

use crate::carriers::{Ask, Carrier, CarrierSpec, Tracked, carrier};
use crate::conversation::Asked;
use crate::model::{Account, Parcel, Shop, Thresholds};
use crate::store::records::Records;
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Answer, Build, CallError, Cx, Exchange, Failure, Joined, Limits, Refusal, Step, Wire};
use calendar::Calendar;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::sync::Notify;

/// Longest time for one account's answer, repetitions included.
const ACCOUNT_LIMIT: Duration = Duration::from_secs(14);

/// What follows from a parcel's new state beside itself: notices to tell. Gets the shop, the parcel before and after,
/// and whether it was just found to stand still.
pub type Announce = Arc<dyn Fn(&str, Option<&Parcel>, &mut Parcel, bool, Timestamp) + Send + Sync>;

/// Thresholds of a shop and a carrier.
pub type ThresholdsOf = Arc<dyn Fn(&str, &str) -> Thresholds + Send + Sync>;

/// What a tracker is made of.
pub struct Parts {
    /// The records.
    pub records: Records,
    /// The way out.
    pub wire: Wire,
    /// All accounts in the order of the configuration; those of carriers are used.
    pub accounts: Vec<Arc<Account>>,
    /// Shops by id.
    pub shops: HashMap<String, Arc<Shop>>,
    /// What follows from news.
    pub announce: Announce,
    /// Told when there are notices to tell.
    pub news: Arc<Notify>,
    /// Where vendors reach our hooks, without a slash at its end; empty: nowhere, so nothing is subscribed.
    pub callback: String,
    /// Divides the intervals between checks: 1 but in a demo.
    pub speed: f64,
    /// After how long silence counts as wrong, by shop and carrier.
    pub thresholds: ThresholdsOf,
    /// Holidays and big sales.
    pub calendar: Calendar,
}

/// On whose behalf a carrier is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// Somebody waits for the answer.
    Buyer,
    /// A check is due: it leaves a part of the day's calls to buyers.
    Schedule,
}

/// Asks carriers and keeps their answers.
pub struct Tracker {
    records: Records,
    wire: Wire,
    accounts: Vec<Arc<Account>>,
    shops: HashMap<String, Arc<Shop>>,
    announce: Announce,
    news: Arc<Notify>,
    callback: String,
    speed: f64,
    thresholds: ThresholdsOf,
    calendar: Calendar,
    flights: Joined<(String, String, String), Asked>,
    orders: waybills::Orders,
    /// What each shop usually ships by.
    habits: RwLock<HashMap<String, Vec<String>>>,
    /// Checks that are being made.
    checks: AtomicUsize,
    /// When each account last pushed anything; forgotten at a restart, which costs some polls.
    last_pushes: Mutex<HashMap<String, Timestamp>>,
}

impl Tracker {
    /// From its parts.
    pub fn new(parts: Parts) -> Self {
        let carriers = parts.accounts.into_iter().filter(|account| carrier(&account.kind).is_some());
        Self {
            records: parts.records,
            wire: parts.wire,
            accounts: carriers.collect(),
            shops: parts.shops,
            announce: parts.announce,
            news: parts.news,
            callback: parts.callback,
            speed: parts.speed,
            thresholds: parts.thresholds,
            calendar: parts.calendar,
            flights: Joined::default(),
            orders: waybills::Orders::default(),
            habits: RwLock::default(),
            checks: AtomicUsize::new(0),
            last_pushes: Mutex::default(),
        }
    }

    /// Fetches news of one parcel of an order and keeps them. Concurrent asks share one question, and it goes on
    /// when the asker leaves.
    pub async fn refresh(self: &Arc<Self>, shop: &str, order: &str, carrier: &str, number: &str) -> Asked {
        self.ask(shop, order, carrier, number, Asker::Buyer).await
    }

    async fn ask(
        self: &Arc<Self>,
        shop: &str,
        order: &str,
        carrier: &str,
        number: &str,
        asker: Asker,
    ) -> Asked {
        let key = (shop.to_owned(), carrier.to_owned(), number.to_owned());
        let (this, order) = (self.clone(), order.to_owned());
        let asked = self.flights.ask(key.clone(), || async move {
            let (shop, carrier, number) = key;
            match this.ask_chain(&shop, &order, &carrier, &number, asker).await {
                Ok(asked) => asked,
                Err(error) => {
                    tracing::error!(%error, "news of a parcel could not be kept");
                    Asked::Failed
                }
            }
        });
        asked.await.unwrap_or(Asked::Failed)
    }

    /// The way out.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Has the news that is due looked at now.
    pub fn stir(&self) {
        self.news.notify_one();
    }

    /// Questions and checks that are under way.
    pub fn under_way(&self) -> usize {
        self.flights.under_way() + self.checks.load(Ordering::SeqCst)
    }

    /// Whether any account can be asked about a carrier's parcels for a shop.
    pub fn serves(&self, shop: &str, carrier: &str) -> bool {
        !self.chain(shop, carrier).is_empty()
    }

    /// Who can be asked, best first: direct accounts, then aggregators, each in the order of the configuration. An
    /// account that lists its carriers is asked about no other.
    fn chain(&self, shop: &str, code: &str) -> Vec<(&'static dyn Carrier, Arc<Account>)> {
        let mut chain: Vec<_> = self
            .accounts
            .iter()
            .filter(|account| account.serves_shop(shop))
            .filter_map(|account| Some((carrier(&account.kind)?, account.clone())))
            .filter(|(carrier, account)| (carrier.spec().serves)(code) && account.takes_carrier(code))
            .collect();
        chain.sort_by_key(|(carrier, _)| carrier.spec().aggregator);
        chain
    }

    async fn ask_chain(
        &self,
        shop: &str,
        order: &str,
        code: &str,
        number: &str,
        asker: Asker,
    ) -> Result<Asked, StoreError> {
        let phone_tail = self.phone_tail(shop, order, code, number).await?;
        let asks = [Ask { carrier: code.to_owned(), number: number.to_owned(), phone_tail }];
        let (mut outcome, mut refused) = (Asked::Failed, false);
        let mut failure = ("no_account", None);
        for (carrier, account) in self.chain(shop, code) {
            let by = account.name();
            match self.ask_account(carrier, &account, &asks, asker).await {
                Ok(tracked) => {
                    let said = Said::of(&by, Door::Asked, number, tracked);
                    self.apply(shop, code, number, &said).await?;
                    if !said.events.is_empty() {
                        return Ok(Asked::Answered);
                    }
                    outcome = Asked::Answered;
                    break;
                }
                Err(Failure::Refused(no @ (Refusal::NoDataYet | Refusal::BadNumber))) => {
                    self.apply(shop, code, number, &Said::of(&by, Door::Asked, number, Vec::new())).await?;
                    refused |= no == Refusal::BadNumber;
                    outcome = Asked::Answered;
                }
                Err(other) => {
                    refused |= other == Failure::Refused(Refusal::WrongCarrier);
                    if outcome == Asked::Failed && other == Failure::Refused(Refusal::NeedPhoneTail) {
                        outcome = Asked::NeedsPhoneTail;
                    }
                    failure = (other.label(), free_at(&other));
                }
            }
        }
        if (refused || outcome == Asked::Answered) && self.doubt(shop, &asks[0], refused, asker).await? {
            return Ok(Asked::Answered);
        }
        if outcome != Asked::Answered {
            self.failed(shop, code, number, failure.0, failure.1).await?;
        }
        Ok(outcome)
    }

    /// Plans the next check of a parcel.
    fn plan(&self, shop: &str, parcel: &mut Parcel, now: Timestamp) {
        let chain = self.chain(shop, &parcel.carrier);
        let interval = chain.first().map_or(0, |(carrier, _)| carrier.spec().min_interval_secs);
        let rules = schedule::Rules {
            min_interval: SignedDuration::from_secs(i64::from(interval)),
            pushes: self.is_pushed(parcel, now),
            cross_border: parcel.crosses_borders(),
            speed: self.speed,
            zone: self.shops.get(shop).map_or(TimeZone::UTC, |shop| shop.zone.clone()),
        };
        parcel.next_check = pickup::sooner(schedule::next_check(parcel, &rules, now), parcel.code_due());
    }

    async fn ask_account(
        &self,
        carrier: &'static dyn Carrier,
        account: &Account,
        asks: &[Ask],
        asker: Asker,
    ) -> Result<Vec<Tracked>, Failure> {
        let number = format!("{}/{}", asks[0].carrier, asks[0].number);
        let limits = limits(carrier.spec(), account, asker);
        let exchange = Exchange {
            account,
            limits,
            number: Some(&number),
            token: carrier.token(account),
            limit: ACCOUNT_LIMIT,
        };
        let read = |cx: &Cx, answer: &Answer| carrier.read_track(cx, asks, answer);
        self.wire.exchange(&exchange, &|cx| carrier.track(cx, asks), &read).await
    }

    /// One call of an account beside the questions about scans, within its limits.
    async fn call<T>(
        &self,
        (carrier, account): (&'static dyn Carrier, &Account),
        asker: Asker,
        limit: Duration,
        build: Build<'_>,
        read: impl Fn(&Cx, &Answer) -> Result<T, Refusal> + Send + Sync,
    ) -> Result<T, Failure> {
        let limits = limits(carrier.spec(), account, asker);
        let exchange = Exchange { account, limits, number: None, token: carrier.token(account), limit };
        self.wire.exchange(&exchange, build, &|cx, answer| read(cx, answer).map(Step::Done)).await
    }

    /// Changes what is known of a parcel, however often others change it meanwhile: until it is kept, or `change` finds
    /// nothing to do.
    async fn change(
        &self,
        shop: &str,
        carrier: &str,
        number: &str,
        change: impl Fn(&mut Parcel, Timestamp) -> bool,
    ) -> Result<(), StoreError> {
        loop {
            let read = self.records.parcel(shop, carrier, number).await?;
            let Some(mut parcel) = read.value.clone() else { return Ok(()) };
            if !change(&mut parcel, self.wire.clock().now()) {
                return Ok(());
            }
            let mut batch = Batch::default();
            self.records.put_parcel(&mut batch, shop, &read, &parcel)?;
            if self.records.store().commit(batch).await? == Committed::Done {
                return Ok(());
            }
        }
    }

    /// Asks an account once, to see whether it works. An answer that it has nothing is an answer.
    ///
    /// # Errors
    /// A label, and where a person must do something the key of the words that say what.
    pub async fn probe(
        &self,
        carrier: &'static dyn Carrier,
        account: &Account,
        ask: &Ask,
    ) -> Result<(), (&'static str, Option<&'static str>)> {
        match self.ask_account(carrier, account, std::slice::from_ref(ask), Asker::Buyer).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(
                Refusal::NoDataYet | Refusal::BadNumber | Refusal::NeedPhoneTail | Refusal::WrongCarrier,
            )) => Ok(()),
            Err(failure) => {
                let cure = match &failure {
                    Failure::Refused(Refusal::FixAccount { cure }) => Some(cure.0),
                    _ => None,
                };
                Err((failure.label(), cure))
            }
        }
    }

    /// The tail that the carrier may ask for: the parcel's own, else the buyer's.
    async fn phone_tail(
        &self,
        shop: &str,
        order: &str,
        carrier: &str,
        number: &str,
    ) -> Result<Option<String>, StoreError> {
        let parcel = self.records.parcel(shop, carrier, number).await?.value;
        let own = parcel.and_then(|parcel| parcel.phone_tail);
        let of_buyer = match own {
            Some(tail) => Some(tail),
            None => self.records.order(shop, order).await?.value.and_then(|order| order.buyer.phone_last4),
        };
        Ok(of_buyer.map(|tail| tail.reveal().clone()))
    }
}

/// How often an account may be called, the vendor's caps and the merchant's own together.
fn limits(spec: &CarrierSpec, account: &Account, asker: Asker) -> Limits {
    let limits = Limits {
        per_second: spec.per_second,
        per_day: spec.per_day,
        min_interval: Duration::from_secs(u64::from(spec.min_interval_secs)),
        per_number_day: spec.per_number_day,
        ..Limits::default()
    };
    match asker {
        Asker::Buyer => limits.under(account),
        Asker::Schedule => limits.under(account).for_background(),
    }
}

/// When a failed ask may be tried again, where that is known.
fn free_at(failure: &Failure) -> Option<Timestamp> {
    match failure {
        Failure::Call(CallError::NotSent { until }) | Failure::Refused(Refusal::Throttled { until }) => {
            *until
        }
        _ => None,
    }
}
