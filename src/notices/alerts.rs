//! Warns merchants of trouble: what is new at once and once, the rest in one message a day; and says once when it has
//! cleared by itself. Must never warn of the same trouble twice, nor name a buyer.

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
                told += self.all_clear(shop, &receivers).await?;
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
        let lines = cases.iter().map(line).collect();
        self.stage(&mut batch, shop, receivers, bundle("alert-new", shop, lines), now)?;
        match self.records.store().commit(batch).await? {
            Committed::Done => Ok(cases.len()),
            // A parcel moved in between: the next round sees it anew.
            Committed::Lost => Ok(0),
        }
    }

    /// Says what has cleared of what was warned of, and where those parcels are now.
    async fn all_clear(&self, shop: &Shop, receivers: &[Arc<Account>]) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut batch = Batch::default();
        let mut lines = Vec::new();
        for (id, _) in self.records.cleared_cases(&shop.id, MARKED).await? {
            let Some(read) = self.records.cleared_case(&shop.id, &id).await? else { continue };
            let Some(case) = &read.value else { continue };
            let parcel = self.records.parcel(&shop.id, &case.carrier, &case.number).await?;
            lines.extend(parcel.value.map(|parcel| {
                let state = &parcel.state;
                let status = Arg::Status(state.status, state.sub, state.reason);
                parcel_line("alert-cleared-line", case).with("status", status)
            }));
            batch.expect(read.key.clone(), read.raw.clone()).delete(read.key.clone());
        }
        if batch.writes.is_empty() {
            return Ok(0);
        }
        let told = lines.len();
        if told > 0 {
            self.stage(&mut batch, shop, receivers, bundle("alert-cleared", shop, lines), now)?;
        }
        match self.records.store().commit(batch).await? {
            Committed::Done => Ok(told),
            // It went wrong again in between.
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
        headline: None,
        by_template: false,
    }
}

fn title(kind: crate::model::TroubleKind) -> Arg {
    Arg::Line(Box::new(Line::new(format!("exception-{}", kind.name().replace('_', "-")))))
}

/// An introduction with the number of cases, the first of them, and how many more there are.
fn bundle(intro: &'static str, shop: &Shop, mut cases: Vec<Line>) -> Vec<Line> {
    let number = |count: usize| Arg::Number(count as i64);
    let intro = Line::new(intro).with("shop", Arg::Text(shop.name.clone()));
    let more = cases.len().saturating_sub(NAMED);
    let mut lines = vec![intro.with("count", number(cases.len()))];
    lines.extend(cases.drain(..cases.len() - more));
    if more > 0 {
        lines.push(Line::new("alert-more").with("count", number(more)));
    }
    lines
}

/// One case: what, which parcel of which order, where.
fn line(case: &Case) -> Line {
    let place = case.place.clone().unwrap_or_default();
    parcel_line("alert-line", case).with("place", Arg::Text(place))
}

fn parcel_line(key: &'static str, case: &Case) -> Line {
    let order = case.orders.first().cloned().unwrap_or_default();
    Line::new(key)
        .with("trouble", title(case.kind))
        .with("carrier", Arg::Carrier(case.carrier.clone()))
        .with("number", Arg::Text(case.number.clone()))
        .with("order", Arg::Text(order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Folded, Parcel, Status, Trouble, TroubleKind};
    use crate::replies::{Catalog, Context};
    use crate::store::memory::MemoryStore;
    use crate::vault::Vault;
    use crate::wire::ManualClock;

    const NUMBERS: [&str; 2] = ["75000000000001", "75000000000002"];

    struct Desk {
        alarm: Alarm,
        clock: Arc<ManualClock>,
    }

    impl Desk {
        fn new() -> Self {
            let store = Arc::new(MemoryStore::default());
            // Before the daily message.
            let clock = Arc::new(ManualClock::new("2026-03-02T00:00:00Z".parse().unwrap()));
            let account = Account {
                id: "team".into(),
                kind: "alert-hook".into(),
                shop: Some("demo".into()),
                ..Account::default()
            };
            let catalog = Catalog::builtin();
            let alarm = Alarm {
                records: Records::new(store, Arc::new(Vault::from_text(&"7".repeat(64)).unwrap())),
                clock: clock.clone(),
                shops: HashMap::from([("demo".to_owned(), Arc::new(shop()))]),
                accounts: Arc::new(HashMap::from([(
                    ("alert-hook".to_owned(), "team".to_owned()),
                    Arc::new(account),
                )])),
                render: Arc::new(move |shop, locale, now, blocks| {
                    let ctx = Context { shop: &shop.id, locale, zone: &shop.zone, now };
                    catalog.render(&ctx, blocks)
                }),
                outbox: Arc::default(),
            };
            Self { alarm, clock }
        }

        /// What the judge of a parcel does: it stands still, or it moves.
        async fn judged(&self, number: &str, status: Status, kinds: &[TroubleKind]) {
            let (records, now) = (&self.alarm.records, self.clock.now());
            let read = records.parcel("demo", "zto", number).await.unwrap();
            let mut parcel = read.value.clone().unwrap_or_else(|| Parcel {
                carrier: "zto".into(),
                number: number.into(),
                orders: vec!["A1".into()],
                ..Parcel::default()
            });
            let found =
                |kind: &TroubleKind| Trouble { kind: *kind, reason: None, since: now, leg: 0, alert: true };
            let troubles: Vec<Trouble> = kinds.iter().map(found).collect();
            let mut batch = Batch::default();
            records.stage_cases(&mut batch, "demo", &parcel, &troubles, now).await.unwrap();
            parcel.troubles = troubles;
            parcel.state = Folded { status, ..Folded::default() };
            records.put_parcel(&mut batch, "demo", &read, &parcel).unwrap();
            assert_eq!(records.store().commit(batch).await.unwrap(), Committed::Done);
        }

        /// What is said in one round.
        async fn says(&self) -> Vec<String> {
            let before = self.alarm.records.outgoing().await.unwrap().len();
            self.clock.advance(Duration::from_secs(5));
            self.alarm.round().await.unwrap();
            let all = self.alarm.records.outgoing().await.unwrap();
            let mut all: Vec<Outgoing> = all.into_iter().filter_map(|row| row.value).collect();
            all.sort_by_key(|outgoing| outgoing.made);
            all.split_off(before).into_iter().map(|outgoing| outgoing.shown).collect()
        }
    }

    fn shop() -> Shop {
        Shop {
            id: "demo".into(),
            name: "小铺".into(),
            locale: "zh-CN".into(),
            zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
            api_tokens: Vec::new(),
            chat_secret: None,
            allowed_origins: Vec::new(),
            hotline: None,
            notices: crate::model::NoticeRules::default(),
        }
    }

    #[tokio::test]
    async fn whoever_was_alarmed_hears_once_that_it_is_over() {
        let desk = Desk::new();
        for number in NUMBERS {
            desk.judged(number, Status::InTransit, &[TroubleKind::Stuck]).await;
        }
        let said = desk.says().await;
        assert!(matches!(&said[..], [one] if one.contains("需要留意")), "{said:?}");
        assert_eq!(desk.says().await, [""; 0]);
        desk.judged(NUMBERS[0], Status::InTransit, &[]).await;
        desk.judged(NUMBERS[1], Status::OutForDelivery, &[]).await;
        let said = desk.says().await;
        let [over] = &said[..] else { panic!("one message for both: {said:?}") };
        assert!(NUMBERS.iter().all(|number| over.contains(number)), "{over}");
        assert!(over.contains("【小铺】") && over.contains("物流停滞") && over.contains("A1"), "{over}");
        assert!(over.contains("运输中") && over.contains("派送中"), "{over}");
        // The mark went with the message: no crash makes another one.
        assert_eq!(desk.says().await, [""; 0]);

        desk.judged(NUMBERS[0], Status::InTransit, &[TroubleKind::Stuck]).await;
        let said = desk.says().await;
        assert!(matches!(&said[..], [one] if one.contains("需要留意")), "it stands still again: {said:?}");
    }

    #[tokio::test]
    async fn what_nobody_was_alarmed_of_clears_in_silence_and_so_does_what_comes_back_at_once() {
        let desk = Desk::new();
        desk.judged(NUMBERS[0], Status::InTransit, &[TroubleKind::Stuck]).await;
        desk.judged(NUMBERS[0], Status::InTransit, &[]).await;
        assert_eq!(desk.says().await, [""; 0]);
        desk.judged(NUMBERS[1], Status::InTransit, &[TroubleKind::Stuck]).await;
        assert_eq!(desk.says().await.len(), 1);
        desk.judged(NUMBERS[1], Status::InTransit, &[]).await;
        desk.judged(NUMBERS[1], Status::InTransit, &[TroubleKind::Stuck]).await;
        assert_eq!(desk.says().await, [""; 0]);
    }
}
