//! A disk that is nearly full and a clock that jumps, under background sync: nothing is lost, nothing is said twice, and
//! it goes on by itself.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::world::{JSON, Session, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use yishi::app::housekeeping::Housekeeping;
use yishi::model::{ChatAddress, NoticeRules, Parcel, Status};
use yishi::simulator::Outage;
use yishi::store::memory::MemoryStore;
use yishi::store::{Batch, Changes, Committed, Row, Store, StoreError};
use yishi::wire::Clock as _;

const NUMBER: &str = "SIMNORMAL7001";
const HOUR: Duration = Duration::from_secs(3600);

/// A store whose disk can be full: it refuses every write then, as sled's guard does.
#[derive(Default)]
struct Disk {
    rows: MemoryStore,
    full: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Store for Disk {
    async fn get(&self, key: &[u8]) -> Result<Option<bytes::Bytes>, StoreError> {
        self.rows.get(key).await
    }
    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan(from, to, limit).await
    }
    async fn scan_back(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan_back(from, to, limit).await
    }
    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(StoreError::DiskFull),
            false => self.rows.commit(batch).await,
        }
    }
    fn health(&self) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) { Err(StoreError::DiskFull) } else { self.rows.health() }
    }
    fn follow(&self) -> Option<Changes> {
        self.rows.follow()
    }
    async fn close(&self) {
        self.rows.close().await;
    }
}

/// A world that tells news, on a disk whose room is in our hands.
async fn world() -> (World, Arc<AtomicBool>) {
    let disk = Disk::default();
    let full = disk.full.clone();
    let world = World::on(Arc::new(disk), |config| {
        for shop in &mut config.shops {
            shop.notices = NoticeRules::default();
        }
    })
    .await;
    (world, full)
}

async fn shipped(world: &World, no: &str, number: &str, owners: &[ChatAddress]) {
    world.order("demo", no, "青瓷茶具", &[("simulated", number)], owners).await;
}

async fn parcel(world: &World, number: &str) -> Parcel {
    world.intake.records.parcel("demo", "simulated", number).await.unwrap().value.unwrap()
}

/// The carrier pushes what it knows now. Returns our answer.
async fn push(world: &World, number: &str) -> String {
    let pushed = world.simulator.push("simulated", "simulated", number, world.clock.now()).unwrap();
    let headers = [JSON, ("x-signature", pushed.headers[0].1.as_str())];
    world.door().post("/hooks/simulated/demo", &headers, pushed.body).await.text()
}

#[tokio::test]
async fn while_the_disk_is_full_nothing_is_acknowledged_or_asked_and_then_it_goes_on() {
    let (world, full) = world().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    let before = parcel(&world, NUMBER).await;
    let (heard, asked) = (buyer.log().await.len(), world.simulator.times_asked(NUMBER));
    full.store(true, Ordering::SeqCst);
    world.advance(3 * HOUR);
    assert_eq!(world.door().get("/readyz", &[]).await.status, 503);
    assert_ne!(push(&world, NUMBER).await, r#"{"ok":true}"#, "it is not acknowledged, so it comes again");
    // Its check is due, and tried; without a line in the book of calls nobody is asked.
    let watch = yishi::tracking::Watch::new(world.intake.tracker.clone(), vec!["demo".into()]);
    for _ in 0..3 {
        watch.round().await.unwrap();
        watch.idle().await;
    }
    assert_eq!(world.simulator.times_asked(NUMBER), asked);
    assert_eq!(parcel(&world, NUMBER).await, before);
    assert_eq!(buyer.log().await.len(), heard);
    full.store(false, Ordering::SeqCst);
    // By itself: the background check finds room, asks, and the buyer hears the news, once.
    world.checked().await;
    world.told().await;
    assert_eq!(push(&world, NUMBER).await, r#"{"ok":true}"#);
    world.told().await;
    let after = parcel(&world, NUMBER).await;
    assert!(after.events.len() > before.events.len() && after.last_push > before.last_push, "{after:?}");
    let said: Vec<String> = buyer.log().await.iter().map(|said| said.text()).collect();
    assert_eq!(said.iter().filter(|text| text.contains("开始派送了")).count(), 1, "{said:#?}");
}

#[tokio::test]
async fn a_message_that_was_sent_when_the_disk_became_full_is_not_sent_again() {
    let (world, full) = world().await;
    let fill = full.clone();
    let address = crate::world::person("telegram", "demo", "7001");
    let other = crate::world::person("telegram", "demo", "7002");
    // The disk is full when the answer comes back.
    world.then("telegram.send_message", move || fill.store(true, Ordering::SeqCst));
    shipped(&world, "A1", NUMBER, std::slice::from_ref(&address)).await;
    shipped(&world, "A2", "SIMNORMAL7002", std::slice::from_ref(&other)).await;
    world.until(|| full.load(Ordering::SeqCst).then_some(())).await;
    // The outbox comes back to it while there is no room, and then there is.
    let rounds = world.intake.clone();
    for _ in 0..3 {
        rounds.outbox.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.then("nothing", || {});
    full.store(false, Ordering::SeqCst);
    world.checked().await;
    world.told().await;
    for chat in [7001, 7002] {
        let sent = world.telegram_sent("sendMessage");
        let mine =
            sent.iter().filter(|call| call["params"]["chat_id"].to_string().contains(&chat.to_string()));
        assert_eq!(mine.count(), 1, "{chat}: {sent:#?}");
    }
    assert_eq!(world.requests("demo", "outcome_unknown").await, 0, "we know that it arrived");
    assert!(world.intake.records.outgoing().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_is_forgotten_within_the_hour() {
    for ahead in [HOUR * 5, HOUR * 24 * 10, HOUR * 24 * 400] {
        let world = World::that_tells_news().await;
        let keeper = Housekeeping {
            records: world.intake.records.clone(),
            tracker: world.intake.tracker.clone(),
            shops: vec!["demo".into()],
            clock: world.clock.clone(),
        };
        keeper.round().await.unwrap();
        let buyer = Session::known(&world, "anna", &["A1"]).await;
        shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
        world.checked().await;
        world.told().await;
        let right = world.clock.now();
        // Wrong for some hours; the carrier has nothing new to say to that.
        world.simulator.set_outage(Some(Outage::Down));
        world.advance(ahead);
        for _ in 0..3 {
            world.checked().await;
            keeper.round().await.unwrap();
            world.advance(HOUR);
        }
        world.simulator.set_outage(None);
        world.clock.jump(right + Duration::from_secs(60));
        keeper.round().await.unwrap();
        let next = parcel(&world, NUMBER).await.next_check.expect("it is asked about again");
        assert!(next <= right + 36 * HOUR, "{ahead:?}: {next}");
        // And so it goes on: the journey ends, and the buyer hears of it once.
        for _ in 0..8 {
            world.advance(3 * HOUR);
            keeper.round().await.unwrap();
            world.checked().await;
            world.told().await;
        }
        assert_eq!(parcel(&world, NUMBER).await.state.status, Status::Delivered, "{ahead:?}");
        let said: Vec<String> = buyer.log().await.iter().map(|said| said.text()).collect();
        assert_eq!(said.iter().filter(|text| text.contains("没收到")).count(), 1, "{ahead:?}: {said:#?}");
        let distinct: std::collections::BTreeSet<&String> = said.iter().collect();
        assert_eq!(distinct.len(), said.len(), "{said:#?}");
    }
}

#[tokio::test]
async fn a_clock_that_was_behind_loses_nothing_either() {
    let world = World::that_tells_news().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    let known = parcel(&world, NUMBER).await;
    // Five hours behind: what is pushed then happened, by this clock, in the future. It is kept, and folded by its own
    // times.
    let right = world.clock.now() + 6 * HOUR;
    let news = world.simulator.push("simulated", "simulated", NUMBER, right).unwrap();
    world.clock.jump(right - 5 * HOUR);
    let headers = [JSON, ("x-signature", news.headers[0].1.as_str())];
    let reply = world.door().post("/hooks/simulated/demo", &headers, news.body.clone()).await;
    assert_eq!(reply.text(), r#"{"ok":true}"#);
    world.told().await;
    world.clock.jump(right + 24 * HOUR);
    world.checked().await;
    world.told().await;
    let after = parcel(&world, NUMBER).await;
    assert_eq!(after.state.status, Status::Delivered);
    assert!(after.events.len() > known.events.len());
    let said: Vec<String> = buyer.log().await.iter().map(|said| said.text()).collect();
    assert_eq!(said.iter().filter(|text| text.contains("没收到")).count(), 1, "{said:#?}");
}
