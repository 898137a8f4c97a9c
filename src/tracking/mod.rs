//! Asking carriers about parcels and keeping what they say. One question at a time for each parcel, whoever asks;
//! direct accounts first, aggregators after. Must never name a vendor, and never lose what an answer said.

mod apply;
pub mod calendar;
pub mod exceptions;
pub mod incidents;
pub mod schedule;

use crate::carriers::{Ask, Carrier, Tracked, carrier};
use crate::conversation::Asked;
use crate::model::Account;
use crate::store::StoreError;
use crate::store::records::Records;
use crate::wire::{Exchange, Failure, Joined, Limits, Refusal, Wire};
use std::sync::Arc;
use std::time::Duration;

/// Longest time for one account's answer, repetitions included.
const ACCOUNT_LIMIT: Duration = Duration::from_secs(14);

/// Asks carriers and keeps their answers.
#[derive(Clone)]
pub struct Tracker {
    records: Records,
    wire: Wire,
    /// Carrier accounts in the order of the configuration.
    accounts: Vec<Arc<Account>>,
    flights: Joined<(String, String, String), Asked>,
}

impl Tracker {
    /// With the carrier accounts among `accounts`.
    pub fn new(records: Records, wire: Wire, accounts: &[Arc<Account>]) -> Self {
        let accounts = accounts.iter().filter(|account| carrier(&account.kind).is_some()).cloned().collect();
        Self { records, wire, accounts, flights: Joined::default() }
    }

    /// Fetches news of one parcel of an order and keeps them. Concurrent asks share one question, and it goes on
    /// when the asker leaves.
    pub async fn refresh(&self, shop: &str, order: &str, carrier: &str, number: &str) -> Asked {
        let key = (shop.to_owned(), carrier.to_owned(), number.to_owned());
        let (this, order) = (self.clone(), order.to_owned());
        let asked = self.flights.ask(key.clone(), || async move {
            let (shop, carrier, number) = key;
            match this.ask_chain(&shop, &order, &carrier, &number).await {
                Ok(asked) => asked,
                Err(error) => {
                    tracing::error!(%error, "news of a parcel could not be kept");
                    Asked::Failed
                }
            }
        });
        asked.await.unwrap_or(Asked::Failed)
    }

    /// Whether any account can be asked about a carrier's parcels for a shop.
    pub fn serves(&self, shop: &str, carrier: &str) -> bool {
        !self.chain(shop, carrier).is_empty()
    }

    /// Yishi's codes of the carriers for which a shop has accounts of its own.
    pub fn direct_carriers(&self, shop: &str) -> Vec<&'static str> {
        let mine = self.accounts.iter().filter(|account| belongs(account, shop));
        let specs = mine.filter_map(|account| carrier(&account.kind)).map(Carrier::spec);
        specs.filter(|spec| !spec.aggregator).map(|spec| spec.code).collect()
    }

    /// Who can be asked, best first: direct accounts, then aggregators, each in the order of the configuration.
    fn chain(&self, shop: &str, code: &str) -> Vec<(&'static dyn Carrier, Arc<Account>)> {
        let mut chain: Vec<_> = self
            .accounts
            .iter()
            .filter(|account| belongs(account, shop))
            .filter_map(|account| Some((carrier(&account.kind)?, account.clone())))
            .filter(|(carrier, _)| {
                let spec = carrier.spec();
                if spec.aggregator { (spec.serves)(code) } else { spec.code == code }
            })
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
    ) -> Result<Asked, StoreError> {
        let phone_tail = self.phone_tail(shop, order, code, number).await?;
        let asks = [Ask { carrier: code.to_owned(), number: number.to_owned(), phone_tail }];
        let mut outcome = Asked::Failed;
        for (carrier, account) in self.chain(shop, code) {
            match self.ask_account(carrier, &account, &asks).await {
                Ok(tracked) => {
                    self.keep(shop, &asks[0], tracked, carrier.spec().code).await?;
                    return Ok(Asked::Answered);
                }
                Err(Failure::Refused(Refusal::NoDataYet | Refusal::BadNumber)) => {
                    self.keep(shop, &asks[0], Vec::new(), carrier.spec().code).await?;
                    outcome = Asked::Answered;
                }
                Err(Failure::Refused(Refusal::NeedPhoneTail)) => {
                    if outcome == Asked::Failed {
                        outcome = Asked::NeedsPhoneTail;
                    }
                }
                Err(_) => {}
            }
        }
        Ok(outcome)
    }

    async fn ask_account(
        &self,
        carrier: &'static dyn Carrier,
        account: &Account,
        asks: &[Ask],
    ) -> Result<Vec<Tracked>, Failure> {
        let spec = carrier.spec();
        let number = format!("{}/{}", asks[0].carrier, asks[0].number);
        let limits = Limits {
            per_second: spec.per_second,
            per_day: spec.per_day,
            min_interval: Duration::from_secs(u64::from(spec.min_interval_secs)),
            per_number_day: spec.per_number_day,
            ..Limits::default()
        };
        let exchange = Exchange {
            account,
            limits: limits.under(account),
            number: Some(&number),
            token: carrier.token(),
            limit: ACCOUNT_LIMIT,
        };
        let read = |cx: &crate::wire::Cx, answer: &crate::wire::Answer| carrier.read_track(cx, asks, answer);
        self.wire.exchange(&exchange, &|cx| carrier.track(cx, asks), &read).await
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

/// A house account serves the shops that it lists; a shop's own serves that shop.
fn belongs(account: &Account, shop: &str) -> bool {
    match &account.shop {
        Some(own) => own == shop,
        None => account.setting("shops", "").split(',').any(|listed| listed.trim() == shop),
    }
}
