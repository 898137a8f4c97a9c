//! Forecasts: conformance of every vendor of the registry that reckons arrival times, against its peer in the simulator;
//! and what becomes of them: a day in the buyer's answer where the carrier names none, asked for once a day at most.

use crate::carriers::played;
use crate::world::{Session, World};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use yishi::carriers::{Trip, carrier};
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{
    Account, ChatAddress, Eta, EtaPrecision, EtaSource, NoticeRules, Order, OrderStatus, Parcel, Private,
    Status,
};
use yishi::simulator::Simulator;
use yishi::text::region::Region;
use yishi::tracking::{Door, Said};
use yishi::wire::{Answer, Clock as _, Cx, Refusal};

/// Moves slowly, at a carrier that names no day.
const NUMBER: &str = "SF1402837461902";
const ANOTHER: &str = "SF1402837461802";
/// Moves, at one that does.
const WITH_A_DAY: &str = "YT8816042739502";
const ADDRESS: &str = "浙江省杭州市西湖区虚构路1号3幢";
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_forecast_is_a_time_ahead_and_no_more_than_a_region_goes_out() {
    let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let simulator = Simulator::new(now, 1.0);
    let mut able = 0;
    for mut account in Simulator::accounts("http://127.0.0.1:9") {
        let code = account.kind.clone();
        let Some(forecast) = carrier(&code).and_then(|carrier| carrier.forecast()) else { continue };
        able += 1;
        account.settings.insert("sender_address".into(), "广东省深圳市南山区虚构路2号".into());
        let trip = Trip {
            carrier: "yto".into(),
            to: Region::of_address("浙江省杭州市西湖区虚构路1号3幢").unwrap(),
            ordered: now,
            scans: vec![(now, "【深圳市】业务员：周小明，电话13912345678，已收取快件".into())],
        };
        let cx = Cx { account: &account, token: None, now, random: [7; 32] };
        let call = forecast.forecast(&cx, &trip).unwrap();
        assert!(call.operation.starts_with(&code) && call.repeatable, "{code}");
        let sent =
            form_urlencoded::parse(&call.body).into_owned().map(|(_, value)| value).collect::<String>();
        for private in ["虚构路", "周小明", "13912345678"] {
            assert!(!sent.contains(private) && !call.url.contains(private), "{code}: {sent}");
        }
        let answer = played(&simulator, &call, now);
        let eta = forecast.read_forecast(&cx, &answer).unwrap();
        assert!(eta.source == EtaSource::Provider && eta.to > now && eta.from <= eta.to, "{code}: {eta:?}");
        for cut in 0..answer.body.len() {
            let broken = Answer::new(200, &answer.body[..cut]);
            assert!(forecast.read_forecast(&cx, &broken).is_err(), "{code}: cut at {cut}");
        }
        let mut stranger = account.clone();
        stranger.secrets.values_mut().for_each(|secret| *secret = yishi::model::Private::new("wrong".into()));
        let cx = Cx { account: &stranger, ..cx };
        let call = forecast.forecast(&cx, &trip).unwrap();
        let refused = forecast.read_forecast(&cx, &played(&simulator, &call, now));
        assert!(matches!(refused, Err(Refusal::FixAccount { .. })), "{code}: {refused:?}");
    }
    assert_eq!(able, 1);
}

async fn world(wanted: bool) -> World {
    world_with(wanted, |_| {}).await
}

async fn world_with(wanted: bool, change: impl Fn(&mut Account)) -> World {
    World::with(|config| {
        for shop in &mut config.shops {
            shop.notices = NoticeRules { most_a_day: 0, ..NoticeRules::default() };
        }
        for account in config.accounts.iter_mut().filter(|account| account.kind == "kuaidi100" && wanted) {
            account.settings.insert("eta".into(), "true".into());
            account.settings.insert("sender_address".into(), "广东省深圳市南山区虚构路2号".into());
            change(account);
        }
    })
    .await
}

/// An order of one parcel that the carrier has had for days; its first check is made.
async fn on_its_way(world: &World, parcel: (&str, &str), address: Option<&str>, owners: &[ChatAddress]) {
    let now = world.clock.now();
    let order = Order {
        no: "A1".into(),
        status: OrderStatus::Shipped,
        buyer: Buyer {
            phone_last4: Some(Private::new(crate::world::TAIL.into())),
            address: address.map(|line| Private::new(line.into())),
            chat: owners.to_vec(),
            ..Buyer::default()
        },
        items: vec![Item { title: "青瓷茶具".into(), sku: None, qty: 1 }],
        shipments: vec![Shipment {
            carrier: parcel.0.into(),
            number: parcel.1.into(),
            shipped_at: Some(now - SignedDuration::from_hours(6 * 24)),
            items: Vec::new(),
        }],
        ..Order::default()
    };
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
    // The first checks of parcels that were sent long ago are spread over some hours.
    world.advance(4 * HOUR);
    world.checked().await;
    let known = known(world, parcel).await;
    assert_eq!(known.state.status, Status::InTransit, "{:?} {:#?}", known.next_check, known.journal);
}

async fn known(world: &World, (carrier, number): (&str, &str)) -> Parcel {
    world.intake.records.parcel("demo", carrier, number).await.unwrap().value.unwrap()
}

async fn slow(world: &World) -> Parcel {
    known(world, ("sf", NUMBER)).await
}

async fn asked(world: &World) -> usize {
    let calls = world.intake.records.calls("kuaidi100/demo", 1_000).await.unwrap();
    calls.iter().filter(|call| call.operation == "kuaidi100.forecast").count()
}

async fn hours_pass(world: &World, hours: u32) {
    for _ in 0..hours / 4 {
        world.advance(4 * HOUR);
        world.checked().await;
    }
    world.told().await;
}

fn noted(parcel: &Parcel) -> Vec<(&str, &str)> {
    let lines = parcel.journal.iter().filter(|line| line.what == "forecast");
    lines.map(|line| (line.by.as_str(), line.outcome.as_str())).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn where_the_carrier_names_no_day_the_answer_names_a_forecast_renewed_once_a_day_at_most() {
    let world = world(true).await;
    let mut buyer = Session::known(&world, "anna", &["A1"]).await;
    on_its_way(&world, ("sf", NUMBER), Some(ADDRESS), &[buyer.address()]).await;
    world.told().await;
    let first = slow(&world).await;
    let eta = first.eta.clone().unwrap_or_else(|| panic!("{:#?}", first.journal));
    assert_eq!((eta.source, eta.to), (EtaSource::Provider, at("2026-03-03T10:00:00Z")));
    assert!(first.own_eta().is_none());
    assert_eq!(noted(&first), [("kuaidi100/demo", "ok")]);
    buyer.answer().await.has("揽收").lacks("预计");
    buyer.says("什么时候能到").await.has("预计明天 18:00 左右送达");
    hours_pass(&world, 20).await;
    buyer.says("什么时候能到").await.has("预计今天 18:00 左右送达");
    assert_eq!(asked(&world).await, 1, "{:#?}", slow(&world).await.journal);
    // The day after it was scanned again: a later forecast, which is no news of a delay.
    hours_pass(&world, 16).await;
    let then = slow(&world).await;
    assert_eq!(then.eta.clone().unwrap().to, at("2026-03-04T10:00:00Z"), "{:#?}", then.journal);
    assert_eq!(asked(&world).await, 2);
    let log = buyer.log().await;
    assert!(log.iter().all(|said| !said.text().contains("会晚一些")), "{log:#?}");
    assert!(then.troubles.is_empty(), "{:?}", then.troubles);
}

#[tokio::test]
async fn a_carriers_own_day_is_left_alone_and_takes_a_forecasts_place() {
    let world = world(true).await;
    on_its_way(&world, ("yto", WITH_A_DAY), Some(ADDRESS), &[]).await;
    let own = known(&world, ("yto", WITH_A_DAY)).await;
    assert!(own.own_eta().is_some() && own.reckoned.is_none());
    assert_eq!(asked(&world).await, 0);
    on_its_way(&world, ("sf", NUMBER), Some(ADDRESS), &[]).await;
    assert_eq!(asked(&world).await, 1);
    assert!(slow(&world).await.own_eta().is_none());
    let day = at("2026-03-05T10:00:00Z");
    let eta = Eta { from: day, to: day, source: EtaSource::Carrier, precision: EtaPrecision::Time };
    let said = Said { by: "sf/demo", door: Door::Pushed, events: Vec::new(), eta: Some(eta.clone()) };
    world.intake.tracker.apply("demo", "sf", NUMBER, &said).await.unwrap();
    hours_pass(&world, 36).await;
    let then = slow(&world).await;
    assert_eq!((then.own_eta(), asked(&world).await), (Some(&eta), 1), "{:#?}", then.journal);
    assert!(then.pending.is_empty());
}

#[tokio::test]
async fn without_a_region_or_the_merchants_wish_nothing_is_asked() {
    for (wanted, address) in
        [(true, None), (true, Some("杭州市虚构路1号")), (true, Some("1 Main Street")), (false, Some(ADDRESS))]
    {
        let world = world(wanted).await;
        on_its_way(&world, ("sf", NUMBER), address, &[]).await;
        hours_pass(&world, 28).await;
        let parcel = slow(&world).await;
        assert_eq!(
            (asked(&world).await, parcel.eta, parcel.reckoned),
            (0, None, None),
            "{wanted} {address:?}"
        );
    }
}

#[tokio::test]
async fn an_erased_address_is_not_asked_about_again() {
    let world = world(true).await;
    on_its_way(&world, ("sf", NUMBER), Some(ADDRESS), &[]).await;
    let read = world.intake.records.order("demo", "A1").await.unwrap();
    let mut order = read.value.clone().unwrap();
    order.buyer.address = None;
    let mut batch = yishi::store::Batch::default();
    world.intake.records.replace(&mut batch, &read, &order).unwrap();
    let committed = world.intake.records.store().commit(batch).await.unwrap();
    assert_eq!(committed, yishi::store::Committed::Done);
    hours_pass(&world, 36).await;
    assert_eq!(asked(&world).await, 1);
}

#[tokio::test]
async fn a_failure_is_noted_changes_nothing_and_is_not_repeated_the_same_day() {
    let wrong = |account: &mut Account| {
        account.secrets.insert("secret".into(), Private::new("wrong".into()));
    };
    let world = world_with(true, wrong).await;
    on_its_way(&world, ("sf", NUMBER), Some(ADDRESS), &[]).await;
    hours_pass(&world, 20).await;
    let parcel = slow(&world).await;
    assert_eq!((asked(&world).await, &parcel.eta), (1, &None), "{:#?}", parcel.journal);
    assert_eq!(noted(&parcel), [("kuaidi100/demo", "fix_account")]);
    assert_eq!(parcel.failures, 0);
}

#[tokio::test]
async fn what_the_accounts_day_does_not_allow_is_not_asked_and_comes_another_day() {
    let one_call = |account: &mut Account| {
        account.settings.insert("per_day".into(), "1".into());
        account.settings.insert("push".into(), "false".into());
    };
    let world = world_with(true, one_call).await;
    on_its_way(&world, ("sf", NUMBER), Some(ADDRESS), &[]).await;
    on_its_way(&world, ("sf", ANOTHER), Some(ADDRESS), &[]).await;
    let waiting = known(&world, ("sf", ANOTHER)).await;
    assert_eq!((asked(&world).await, &waiting.eta, &waiting.reckoned), (1, &None, &None));
    assert_eq!(noted(&waiting), [("kuaidi100/demo", "not_sent")]);
    hours_pass(&world, 24).await;
    let then = known(&world, ("sf", ANOTHER)).await;
    assert!(then.eta.is_some() && then.own_eta().is_none(), "{:#?}", then.journal);
}
