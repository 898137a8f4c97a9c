//! Warns merchants of trouble: what is new at once and once, the rest in one message a day. Must never warn of the same
//! trouble twice, nor name a buyer.

use crate::channels::alerts::alert;
use crate::model::{Account, Arg, Block, ChatAddress, Line, Private, Shop, Shown};
use crate::store::records::{Case, Outgoing, OutgoingState, Records};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::Clock;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// New trouble is looked for this often.
const IDLE: Duration = Duration::from_secs(5);
/// Open cases that are looked at.
const LOOKED: usize = 2_000;
/// Cases named in one message; more are counted.
const NAMED: usize = 10;
/// Cases marked in one commit.
const MARKED: usize = 30;
/// Local hour of the daily message.
const DIGEST_HOUR: i8 = 9;

/// Warns merchants.
#[derive(Clone)]
pub struct Alarm {
    /// The records.
    pub records: Records,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Shops by id.
    pub shops: HashMap<String, Arc<Shop>>,
    /// Accounts by kind and id; those that can be warned at are used.
    pub accounts: Arc<HashMap<(String, String), Arc<Account>>>,
    /// Words.
    pub render: super::teller::Render,
    /// Told when the outbox has something new.
    pub outbox: Arc<Notify>,
}

impl Alarm {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(_) => {}
                Err(StoreError::Closed) => return,
                Err(error) => tracing::error!(%error, "trouble could not be told"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// Warns each shop of what is new. Returns how many cases were told.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let mut told = 0;
        for shop in self.shops.values() {
            let receivers = self.receivers(&shop.id);
            if !receivers.is_empty() {
                told += self.warn(shop, &receivers).await?;
                self.digest(shop, &receivers).await?;
            }
        }
        if told > 0 {
            self.outbox.notify_one();
        }
        Ok(told)
    }

    fn receivers(&self, shop: &str) -> Vec<Arc<Account>> {
        let mut receivers: Vec<Arc<Account>> = self
            .accounts
            .values()
            .filter(|account| account.shop.as_deref() == Some(shop) && alert(&account.kind).is_some())
            .cloned()
            .collect();
        receivers.sort_by_key(|account| account.name());
        receivers
    }

    async fn warn(&self, shop: &Shop, receivers: &[Arc<Account>]) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut fresh = self.records.cases(&shop.id, LOOKED).await?;
        fresh.retain(|(_, case)| case.alert && case.alerted.is_none() && !case.is_snoozed(now));
        fresh.truncate(MARKED);
        if fresh.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::default();
        let mut cases = Vec::new();
        for (id, _) in &fresh {
            let Some(read) = self.records.case(&shop.id, id).await? else { continue };
            let Some(mut case) = read.value.clone().filter(|case| case.alerted.is_none()) else { continue };
            case.alerted = Some(now);
            self.records.replace(&mut batch, &read, &case)?;
            cases.push(case);
        }
        let count = Arg::Number(cases.len() as i64);
        let mut lines =
            vec![Line::new("alert-new").with("shop", Arg::Text(shop.name.clone())).with("count", count)];
        lines.extend(cases.iter().take(NAMED).map(line));
        if cases.len() > NAMED {
            lines.push(Line::new("alert-more").with("count", Arg::Number((cases.len() - NAMED) as i64)));
        }
        self.stage(&mut batch, shop, receivers, lines, now)?;
        match self.records.store().commit(batch).await? {
            Committed::Done => Ok(cases.len()),
            // A parcel moved in between: the next round sees it anew.
            Committed::Lost => Ok(0),
        }
    }

    /// Once a day what is still open, by kind.
    async fn digest(&self, shop: &Shop, receivers: &[Arc<Account>]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let local = shop.zone.to_datetime(now);
        if local.hour() < DIGEST_HOUR {
            return Ok(());
        }
        let day = self.records.digest(&shop.id).await?;
        let today = local.date().to_string();
        if day.value.as_ref() == Some(&today) {
            return Ok(());
        }
        let mut batch = Batch::default();
        self.records.replace(&mut batch, &day, &today)?;
        let open = self.records.cases(&shop.id, LOOKED).await?;
        let mut kinds: Vec<(crate::model::TroubleKind, i64)> = Vec::new();
        // What was told a moment ago is not told again.
        let old = |case: &Case| {
            case.alerted.is_none_or(|at| now.duration_since(at) > SignedDuration::from_hours(1))
        };
        for (_, case) in open.iter().filter(|(_, case)| old(case) && !case.is_snoozed(now)) {
            match kinds.iter_mut().find(|(kind, _)| *kind == case.kind) {
                Some((_, count)) => *count += 1,
                None => kinds.push((case.kind, 1)),
            }
        }
        if !kinds.is_empty() {
            let total = kinds.iter().map(|(_, count)| count).sum();
            let intro = Line::new("alert-digest").with("shop", Arg::Text(shop.name.clone()));
            let mut lines = vec![intro.with("count", Arg::Number(total))];
            lines.extend(kinds.into_iter().map(|(kind, count)| {
                Line::new("alert-digest-line").with("trouble", title(kind)).with("count", Arg::Number(count))
            }));
            self.stage(&mut batch, shop, receivers, lines, now)?;
        }
        if self.records.store().commit(batch).await? == Committed::Done {
            self.outbox.notify_one();
        }
        Ok(())
    }

    fn stage(
        &self,
        batch: &mut Batch,
        shop: &Shop,
        receivers: &[Arc<Account>],
        lines: Vec<Line>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let blocks: Vec<Block> = lines.into_iter().map(Block::Text).collect();
        let shown = (self.render)(shop, &shop.locale, now, &blocks);
        for account in receivers {
            self.records.put_outgoing(batch, now, &outgoing(shop, account, &shown, now))?;
        }
        Ok(())
    }
}

fn outgoing(shop: &Shop, account: &Account, shown: &[Shown], now: Timestamp) -> Outgoing {
    // The id of the message, the same at each try.
    let id = Private::new(uuid::Uuid::now_v7().simple().to_string());
    Outgoing {
        shop: shop.id.clone(),
        account: account.id.clone(),
        address: ChatAddress { kind: account.kind.clone(), account: account.id.clone(), id },
        shown: serde_json::to_string(shown).unwrap_or_default(),
        reply_to: None,
        state: OutgoingState::Due,
        tries: 0,
        made: now,
        while_waiting: None,
        notice: false,
    }
}

fn title(kind: crate::model::TroubleKind) -> Arg {
    Arg::Line(Box::new(Line::new(format!("exception-{}", kind.name().replace('_', "-")))))
}

/// One case: what, which parcel of which order, where.
fn line(case: &Case) -> Line {
    let order = case.orders.first().cloned().unwrap_or_default();
    let line = Line::new("alert-line")
        .with("trouble", title(case.kind))
        .with("carrier", Arg::Carrier(case.carrier.clone()))
        .with("number", Arg::Text(case.number.clone()))
        .with("order", Arg::Text(order));
    match &case.place {
        Some(place) => line.with("place", Arg::Text(place.clone())),
        None => line.with("place", Arg::Text(String::new())),
    }
}
