//! Pickup codes (取件码): registered for with the receiver's phone, announced by a push that nobody signs, fetched once, and
//! told to the buyer and to nobody else.

use crate::api::client;
use crate::logs::Logs;
use crate::privacy::line_with;
use crate::world::{Reply, Session, World};
use jiff::SignedDuration;
use std::time::Duration;
use yishi::config::Engine;
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{ChatAddress, CodeState, NoticeRules, Order, OrderStatus, Parcel, Private, Status};
use yishi::wire::Clock as _;

/// Waits in a station since about four hours before the world begins.
const NUMBER: &str = "YT8816042739508";
const PHONE: &str = "13800006688";
const HOOK: &str = "/hooks/kuaidi100/demo";
const FETCH: &str = "kuaidi100.fetch_code";
const REGISTER: &str = "kuaidi100.register_code";

async fn world(engine: Engine, wanted: bool) -> World {
    World::with(|config| {
        config.store.engine = engine;
        for shop in &mut config.shops {
            shop.notices = NoticeRules::default();
        }
        for account in config.accounts.iter_mut().filter(|account| account.kind == "kuaidi100" && wanted) {
            account.settings.insert("pickup_codes".into(), "true".into());
        }
    })
    .await
}

async fn parcel(world: &World) -> Parcel {
    world.intake.records.parcel("demo", "yto", NUMBER).await.unwrap().value.unwrap()
}

fn state(parcel: &Parcel) -> Option<CodeState> {
    parcel.awaited_code.as_ref().map(|code| code.state)
}

async fn calls(world: &World, operation: &str) -> usize {
    let calls = world.intake.records.calls("kuaidi100/demo", 1_000).await.unwrap();
    calls.iter().filter(|call| call.operation == operation).count()
}

/// The order comes when the carrier has told the parcel's life up to ten hours ago.
async fn on_its_way(world: &World, phone: &str, owners: &[ChatAddress]) {
    let now = world.clock.now();
    let then = now - SignedDuration::from_hours(10);
    let pushed = world.simulator.push("kuaidi100", "yto", NUMBER, then).unwrap();
    let headers = [("content-type", pushed.headers[0].1.as_str())];
    assert_eq!(world.door().post(HOOK, &headers, pushed.body).await.status, 200);
    let order = Order {
        no: "A1".into(),
        status: OrderStatus::Shipped,
        buyer: Buyer {
            phone: Some(Private::new(phone.into())),
            phone_last4: Some(Private::new(phone[7..].into())),
            chat: owners.to_vec(),
            ..Buyer::default()
        },
        items: vec![Item { title: "青瓷茶具".into(), sku: None, qty: 1 }],
        shipments: vec![Shipment {
            carrier: "yto".into(),
            number: NUMBER.into(),
            shipped_at: Some(now - SignedDuration::from_hours(48)),
            items: Vec::new(),
        }],
        ..Order::default()
    };
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
    settled(world, |parcel| !parcel.events.is_empty()).await;
    world.told().await;
}

/// Waits until checks have brought a parcel so far.
async fn settled(world: &World, far: impl Fn(&Parcel) -> bool) {
    let far_enough = tokio::time::timeout(crate::world::LIMIT, async {
        while !far(&parcel(world).await) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    if far_enough.await.is_err() {
        let known = parcel(world).await;
        panic!("{:?} {:#?} {:?}", known.awaited_code, known.journal, known.next_check);
    }
    world.checked().await;
}

async fn post_flag(world: &World, body: Vec<u8>) -> Reply {
    world.door().post(HOOK, &[("content-type", "application/json;charset=UTF-8")], body).await
}

/// The vendor's flag, where it was asked for one.
async fn flag(world: &World) -> Reply {
    let (url, body) =
        world.simulator.pickup_flag(NUMBER, world.clock.now()).expect("registered, and waiting");
    assert_eq!(url, format!("https://yishi.example{HOOK}"));
    post_flag(world, body).await
}

#[tokio::test]
async fn a_buyer_is_told_the_code_once_and_nobody_else_sees_it() {
    let (logs, _guard) = Logs::listen();
    let world = world(Engine::Memory, true).await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    on_its_way(&world, PHONE, &[buyer.address()]).await;
    settled(&world, |parcel| state(parcel) == Some(CodeState::Registered)).await;
    assert_eq!(parcel(&world).await.state.status, Status::InTransit);
    for _ in 0..3 {
        let reply = flag(&world).await;
        assert_eq!(
            (reply.status, reply.text()),
            (200, r#"{"result":true,"returnCode":"200","message":"成功"}"#.into())
        );
        settled(&world, |parcel| state(parcel) == Some(CodeState::Told)).await;
    }
    world.told().await;
    let known = parcel(&world).await;
    assert_eq!(known.state.status, Status::ReadyForPickup);
    let with_code = |parcel: &Parcel| {
        parcel.events.iter().find(|event| event.pickup.code.is_some()).map(|event| event.pickup.clone())
    };
    let pickup = with_code(&known).unwrap();
    let (code, place) = (pickup.code.unwrap(), pickup.place.unwrap());
    assert!(place.contains("虚构路8号"), "{place}");
    let told = |log: &[crate::world::Said]| log.iter().filter(|said| said.text().contains(&code)).count();
    let log = buyer.log().await;
    assert_eq!(told(&log), 1, "{log:#?}");
    assert_eq!((calls(&world, REGISTER).await, calls(&world, FETCH).await), (1, 1));
    // The carrier's own scan of the same comes later: it is no news.
    world.advance(Duration::from_secs(4 * 3600));
    world.checked().await;
    world.told().await;
    assert_eq!(told(&buyer.log().await), 1);
    let mut buyer = buyer;
    while !buyer.answer().await.text().contains(&code) {}
    buyer.says("取件码是多少").await.has(&code);
    let shop = client(&world, "demo");
    for path in [format!("/api/v1/parcels/yto/{NUMBER}"), "/api/v1/orders/A1".into()] {
        let text = shop.get(&path).await.text();
        assert!(!text.contains(&code) && !text.contains(PHONE), "{text}");
    }
    let log = logs.text();
    assert!(log.contains(FETCH), "the log was listened to");
    for private in [PHONE, code.as_str(), place.as_str()] {
        assert!(!log.contains(private), "{private} is logged: {}", line_with(&log, private));
    }
}

#[tokio::test]
async fn a_strangers_flag_fetches_nothing() {
    let world = world(Engine::Memory, true).await;
    let flag_of = |number: &str| {
        format!(r#"{{"kuaidicom":"yuantong","kuaidinum":"{number}","pickUpCodeFlag":"true"}}"#).into_bytes()
    };
    // A number that nobody knows, and one that was never registered for.
    assert_eq!(post_flag(&world, flag_of("YT0000000000008")).await.status, 200);
    world.order("demo", "B1", "茶叶", &[("yto", NUMBER)], &[]).await;
    world.checked().await;
    assert_eq!(state(&parcel(&world).await), None, "no whole phone, nothing to register");
    assert_eq!(post_flag(&world, flag_of(NUMBER)).await.status, 200);
    world.checked().await;
    assert_eq!((calls(&world, REGISTER).await, calls(&world, FETCH).await), (0, 0));
    assert!(world.intake.records.stray("kuaidi100/demo", "YT0000000000008").await.unwrap().value.is_none());
    // What is no flag, and news without a signature.
    for body in ["{}", "[]", r#"{"kuaidinum":"YT1"}"#, r#"{"status":"polling","lastResult":{"nu":"YT1"}}"#] {
        assert!(post_flag(&world, body.into()).await.status >= 400, "{body}");
    }
    assert!(world.intake.records.dead_letters(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn whoever_did_not_ask_for_codes_takes_no_flag() {
    let world = world(Engine::Memory, false).await;
    on_its_way(&world, PHONE, &[]).await;
    assert_eq!(state(&parcel(&world).await), None);
    let body = format!(r#"{{"kuaidicom":"yuantong","kuaidinum":"{NUMBER}","pickUpCodeFlag":"true"}}"#);
    assert!(post_flag(&world, body.into()).await.status >= 400);
    assert_eq!(calls(&world, REGISTER).await, 0);
}

#[tokio::test]
async fn a_flag_outlives_a_crash_and_a_lost_answer_is_asked_for_again() {
    let mut world = world(Engine::Sled, true).await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    on_its_way(&world, PHONE, &[buyer.address()]).await;
    settled(&world, |parcel| state(parcel) == Some(CodeState::Registered)).await;
    world.lose(Some(FETCH));
    assert_eq!(flag(&world).await.status, 200);
    settled(&world, |parcel| parcel.awaited_code.as_ref().is_some_and(|code| code.tries > 0)).await;
    world.restart().await;
    world.lose(None);
    assert_eq!(state(&parcel(&world).await), Some(CodeState::Ready));
    world.advance(Duration::from_secs(11 * 60));
    settled(&world, |parcel| state(parcel) == Some(CodeState::Told)).await;
    assert_eq!(parcel(&world).await.state.status, Status::ReadyForPickup);
}

#[tokio::test]
async fn a_phone_that_is_not_the_receivers_is_refused_once() {
    let world = world(Engine::Memory, true).await;
    on_its_way(&world, "13900001111", &[]).await;
    settled(&world, |parcel| state(parcel) == Some(CodeState::GivenUp)).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(4 * 3600));
        world.checked().await;
    }
    assert_eq!(calls(&world, REGISTER).await, 1);
    let known = parcel(&world).await;
    let noted = known.journal.iter().find(|line| line.what == "pickup_code").unwrap();
    assert_eq!((noted.by.as_str(), noted.outcome.as_str()), ("kuaidi100/demo", "fix_order"));
}
