//! Who is told what, when, and in which message.

use super::*;
use crate::model::{Buyer, Folded, Item, NoticeKind, Private, Shipment, Status};
use crate::replies::{Catalog, Context};
use crate::store::memory::MemoryStore;
use crate::vault::Vault;
use crate::wire::ManualClock;
use jiff::tz::TimeZone;

const MORNING: &str = "2026-03-02T02:00:00Z";

struct Desk {
    teller: Teller,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new(rules: NoticeRules) -> Self {
        let clock = Arc::new(ManualClock::new(MORNING.parse().unwrap()));
        let shop = Shop {
            id: "demo".into(),
            name: "小铺".into(),
            locale: "zh-CN".into(),
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            api_tokens: Vec::new(),
            chat_secret: None,
            allowed_origins: Vec::new(),
            hotline: None,
            notices: rules,
        };
        let catalog = Catalog::builtin();
        let vault = Arc::new(Vault::from_text(&"7".repeat(64)).unwrap());
        let teller = Teller {
            records: Records::new(Arc::new(MemoryStore::default()), vault),
            clock: clock.clone(),
            shops: HashMap::from([("demo".to_owned(), Arc::new(shop))]),
            accounts: Arc::default(),
            render: Arc::new(move |shop, locale, now, blocks| {
                let ctx = Context { shop: &shop.id, locale, zone: &shop.zone, now };
                catalog.render(&ctx, blocks)
            }),
            news: Arc::default(),
            outbox: Arc::default(),
            logged: Arc::new(|_| {}),
        };
        Self { teller, clock }
    }

    async fn order(&self, no: &str, title: &str, numbers: &[&str], buyer: &str) {
        let shipment = |number: &&str| Shipment {
            carrier: "zto".into(),
            number: (*number).into(),
            ..Shipment::default()
        };
        let order = Order {
            no: no.into(),
            items: vec![Item { title: title.into(), ..Item::default() }],
            shipments: numbers.iter().map(shipment).collect(),
            buyer: Buyer { chat: vec![person(buyer)], ..Buyer::default() },
            ..Order::default()
        };
        self.teller.records.upsert_order("demo", &order, self.clock.now()).await.unwrap();
    }

    /// This is true of the parcel, and news.
    async fn happened(&self, number: &str, status: Status, kind: NoticeKind) {
        let (records, now) = (&self.teller.records, self.clock.now());
        let read = records.parcel("demo", "zto", number).await.unwrap();
        let mut parcel = read.value.clone().unwrap();
        parcel.state = Folded { status, delivered_at: Some(now), since: Some(now), ..Folded::default() };
        let occasion = if kind == NoticeKind::Delivered { "0".into() } else { String::new() };
        parcel.pending.push(Notice { kind, generation: 0, leg: 0, occasion, at: now, heard: Vec::new() });
        parcel.pending_due = Some(now);
        let mut batch = Batch::default();
        records.put_parcel(&mut batch, "demo", &read, &parcel).unwrap();
        assert_eq!(records.store().commit(batch).await.unwrap(), Committed::Done);
    }

    async fn change(&self, buyer: &str, change: impl FnOnce(&mut Chat)) {
        let records = &self.teller.records;
        let read = records.chat("demo", &person(buyer)).await.unwrap();
        let mut chat = read.value.clone().unwrap_or_default();
        change(&mut chat);
        let mut batch = Batch::default();
        records.replace(&mut batch, &read, &chat).unwrap();
        assert_eq!(records.store().commit(batch).await.unwrap(), Committed::Done);
    }

    async fn rounds(&self) {
        while self.teller.round().await.unwrap() > 0 {}
    }

    /// All that a buyer was told.
    async fn log(&self, buyer: &str) -> Vec<String> {
        let log = self.teller.records.messages_after("demo", &person(buyer), 0, 100).await.unwrap();
        log.iter().map(|(_, message)| serde_json::to_string(&message.blocks).unwrap()).collect()
    }
}

fn person(buyer: &str) -> ChatAddress {
    ChatAddress { kind: "webchat".into(), account: "demo".into(), id: Private::new(buyer.to_owned()) }
}

/// One parcel of two buyers, and the round after it was collected: Anna was told something today, and once is enough.
async fn collected_where_anna_has_heard_enough() -> Desk {
    let desk = Desk::new(NoticeRules { most_a_day: 1, ..NoticeRules::default() });
    desk.order("A1", "茶具", &["75000000000001"], "anna").await;
    desk.order("B1", "茶具", &["75000000000001"], "ben").await;
    let now = desk.clock.now();
    desk.change("anna", |chat| chat.notified.push(now)).await;
    desk.happened("75000000000001", Status::InTransit, NoticeKind::Collected).await;
    desk.rounds().await;
    desk
}

#[tokio::test]
async fn whoever_has_heard_enough_today_waits_and_the_other_buyer_does_not() {
    let desk = collected_where_anna_has_heard_enough().await;
    assert_eq!((desk.log("anna").await.len(), desk.log("ben").await.len()), (0, 1));
    let waiting = desk.teller.records.parcel("demo", "zto", "75000000000001").await.unwrap().value.unwrap();
    assert_eq!(waiting.pending_due, Some("2026-03-03T00:00:00Z".parse().unwrap()), "eight in the morning");

    desk.clock.advance(Duration::from_secs(22 * 3600));
    desk.rounds().await;
    assert_eq!((desk.log("anna").await.len(), desk.log("ben").await.len()), (1, 1), "each once");
    let over = desk.teller.records.parcel("demo", "zto", "75000000000001").await.unwrap().value.unwrap();
    assert_eq!((over.pending.len(), over.pending_due), (0, None));
}

#[tokio::test]
async fn what_no_longer_holds_in_the_morning_is_not_told_to_whoever_waited() {
    let desk = collected_where_anna_has_heard_enough().await;
    // A delivery does not wait, and takes along only what still holds.
    desk.clock.advance(Duration::from_secs(3600));
    desk.happened("75000000000001", Status::Delivered, NoticeKind::Delivered).await;
    desk.rounds().await;
    let (anna, ben) = (desk.log("anna").await, desk.log("ben").await);
    assert!(matches!(&anna[..], [told] if told.contains("已签收") && !told.contains("揽收")), "{anna:?}");
    assert_eq!(ben.len(), 2);
}

#[tokio::test]
async fn several_parcels_of_one_buyer_are_one_message() {
    let desk = Desk::new(NoticeRules::default());
    desk.order("A1", "茶具", &["75000000000001"], "anna").await;
    desk.order("A2", "茶叶", &["75000000000002"], "anna").await;
    desk.order("B1", "茶叶", &["75000000000003"], "ben").await;
    for number in ["75000000000001", "75000000000002", "75000000000003"] {
        desk.happened(number, Status::Delivered, NoticeKind::Delivered).await;
    }
    desk.rounds().await;
    let anna = desk.log("anna").await;
    let [both] = &anna[..] else { panic!("one message: {anna:#?}") };
    assert!(both.contains("“茶具”已签收") && both.contains("“茶叶”已签收"), "{both}");
    assert_eq!(both.matches("没收到").count(), 1, "the advice once: {both}");
    assert!(both.ends_with("我们帮您查。\"}]"), "after the last of them: {both}");
    assert_eq!(desk.log("ben").await.len(), 1);
    let chat = desk.teller.records.chat("demo", &person("anna")).await.unwrap().value.unwrap();
    assert_eq!(chat.notified.len(), 1, "one of the day's messages");
}

#[tokio::test]
async fn parcels_that_would_be_called_the_same_are_told_apart_by_number() {
    let desk = Desk::new(NoticeRules::default());
    desk.order("A1", "茶具", &["75000000000001"], "anna").await;
    desk.order("A2", "茶具", &["75000000000002"], "anna").await;
    desk.happened("75000000000001", Status::OutForDelivery, NoticeKind::OutForDelivery).await;
    desk.happened("75000000000002", Status::Delivered, NoticeKind::Delivered).await;
    desk.rounds().await;
    let anna = desk.log("anna").await;
    assert_eq!(anna.len(), 1);
    for words in ["“茶具”（运单号 75000000000001）开始派送", "“茶具”（运单号 75000000000002）已签收"]
    {
        assert!(anna[0].contains(words), "{anna:?}");
    }
    // Alone it needs no number.
    desk.happened("75000000000001", Status::Delivered, NoticeKind::Delivered).await;
    desk.rounds().await;
    assert!(desk.log("anna").await[1].contains("“茶具”已签收"));
}

#[tokio::test]
async fn more_parcels_than_fit_are_several_messages_and_each_is_told_once() {
    let desk = Desk::new(NoticeRules::default());
    let numbers: Vec<String> = (1..=7).map(|at| format!("7500000000000{at}")).collect();
    for (at, number) in numbers.iter().enumerate() {
        desk.order(&format!("A{at}"), &format!("茶{at}"), &[number], "anna").await;
        desk.happened(number, Status::Delivered, NoticeKind::Delivered).await;
    }
    desk.rounds().await;
    let anna = desk.log("anna").await;
    assert_eq!(anna.len(), 2);
    let all = anna.concat();
    assert!((0..7).all(|at| all.matches(&format!("“茶{at}”")).count() == 1), "{anna:#?}");
}
