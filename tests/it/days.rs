//! Simulated days: many parcels of every journey, the clock moved by hand, the carriers a function. Counts calls against
//! caps, notices against what happened, alarms against what was wrong. `YISHI_DAYS` and `YISHI_PARCELS` set its size
//! (8 days of 120 parcels without them); `cargo test --test it days:: -- --nocapture` prints its figures.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::world::{config, person};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use yishi::app::{App, Parts};
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{ChatAddress, NoticeRules, Order, OrderStatus, Status, TroubleKind};
use yishi::simulator::{SimulatedTransport, Simulator};
use yishi::tracking::Watch;
use yishi::wire::{Clock as _, ManualClock};

/// Journeys by the last two digits; those whose carrier never answers have tests of their own.
const JOURNEYS: [&str; 12] = ["01", "02", "03", "04", "05", "06", "08", "09", "12", "13", "14", "15"];
/// One step of the clock.
const STEP: Duration = Duration::from_secs(15 * 60);

fn size(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

struct Sent {
    number: String,
    carrier: &'static str,
    journey: &'static str,
    owner: ChatAddress,
}

#[tokio::test]
async fn days_pass_within_the_caps_and_everybody_hears_what_happened_once() {
    let (days, count) = (size("YISHI_DAYS", 8), size("YISHI_PARCELS", 120));
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    for shop in &mut config.shops {
        shop.notices = NoticeRules { most_a_day: 0, ..NoticeRules::default() };
    }
    let began: jiff::Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(began));
    let simulator = Arc::new(Simulator::new(began, 1.0));
    let hands = clock.clone();
    let peers = SimulatedTransport::new(simulator.clone(), Arc::new(move || hands.now()));
    let parts = Parts { transport: Some(Arc::new(peers)), clock: Some(clock.clone()), ..Parts::default() };
    let app = App::build(&config, None, parts).await.unwrap();
    let records = &app.intake.records;
    let parcels: Vec<Sent> = (0..count).map(sent).collect();
    for (at, parcel) in parcels.iter().enumerate() {
        let order = Order {
            no: format!("D{at:05}"),
            status: OrderStatus::Shipped,
            buyer: Buyer { chat: vec![parcel.owner.clone()], ..Buyer::default() },
            items: vec![Item { title: "茶具".into(), sku: None, qty: 1 }],
            shipments: vec![Shipment {
                carrier: parcel.carrier.into(),
                number: parcel.number.clone(),
                shipped_at: Some(began - jiff::SignedDuration::from_hours(30)),
                items: Vec::new(),
            }],
            ..Order::default()
        };
        records.upsert_order("demo", &order, began).await.unwrap();
    }
    let watch = Watch::new(app.intake.tracker.clone(), vec!["demo".into()]);
    for _ in 0..days * 24 * 4 {
        while watch.round().await.unwrap() > 0 {
            watch.idle().await;
        }
        while app.teller().round().await.unwrap() > 0 {}
        clock.advance(STEP);
    }
    within_the_caps(&app, &parcels).await;
    told_once(&app, &parcels).await;
    alarms(&app, &parcels).await;
}

fn sent(at: usize) -> Sent {
    let journey = JOURNEYS[at % JOURNEYS.len()];
    let owner = person("webchat", "demo", &format!("buyer-{at}"));
    Sent { number: format!("YT88{at:09}{journey}"), carrier: "yto", journey, owner }
}

/// No number is asked about more than 40 times in a day, nor twice in half an hour.
async fn within_the_caps(app: &App, parcels: &[Sent]) {
    let mut asked: BTreeMap<String, Vec<jiff::Timestamp>> = BTreeMap::new();
    for account in ["kuaidi100/demo", "kdniao/demo"] {
        for call in app.intake.records.calls(account, 10_000_000).await.unwrap() {
            let Some(number) = call.number.filter(|_| call.operation.ends_with(".query")) else { continue };
            asked.entry(format!("{account} {number}")).or_default().push(call.at);
        }
    }
    let (mut calls, mut most) = (0, 0);
    for (who, times) in &mut asked {
        times.sort_unstable();
        calls += times.len();
        for (at, first) in times.iter().enumerate() {
            let day = times[at..].iter().filter(|time| time.duration_since(*first).as_hours() < 24).count();
            most = most.max(day);
            assert!(day <= 40, "{who}: {day} in a day");
        }
        for two in times.windows(2) {
            assert!(two[1].duration_since(two[0]).as_mins() >= 30, "{who}: {two:?}");
        }
    }
    println!("{calls} calls for {} parcels, at most {most} for one number in a day", parcels.len());
}

/// Whoever's parcel arrived heard so, once; nobody heard one notice twice.
async fn told_once(app: &App, parcels: &[Sent]) {
    let records = &app.intake.records;
    let (mut arrived, mut messages) = (0, 0);
    for sent in parcels {
        let parcel = records.parcel("demo", sent.carrier, &sent.number).await.unwrap().value.unwrap();
        let log = records.messages_after("demo", &sent.owner, 0, 1_000).await.unwrap();
        messages += log.len();
        let texts: Vec<String> =
            log.iter().map(|(_, message)| serde_json::to_string(&message.blocks).unwrap()).collect();
        let mut distinct = texts.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), texts.len(), "{}: {texts:#?}", sent.number);
        if parcel.state.status == Status::Delivered && parcel.state.reopened == 0 {
            arrived += 1;
            let heard = texts.iter().filter(|text| text.contains("没收到")).count();
            assert_eq!(heard, 1, "{} arrived: {texts:#?}", sent.number);
        }
    }
    println!("{messages} messages, {arrived} arrivals, each told once");
    assert!(arrived > parcels.len() / 6, "{arrived}");
}

/// What stands still is a case, and what arrived is none.
async fn alarms(app: &App, parcels: &[Sent]) {
    let records = &app.intake.records;
    let mut open: BTreeMap<String, Vec<TroubleKind>> = BTreeMap::new();
    for (_, case) in records.cases("demo", 100_000).await.unwrap() {
        open.entry(case.number.clone()).or_default().push(case.kind);
    }
    let (mut right, mut cleared, mut wrong, mut missed) = (0, 0, 0, 0);
    for sent in parcels {
        let parcel = records.parcel("demo", sent.carrier, &sent.number).await.unwrap().value.unwrap();
        let kinds = open.get(&sent.number).cloned().unwrap_or_default();
        let trouble = matches!(sent.journey, "03" | "04" | "05" | "06" | "15");
        match (trouble, kinds.is_empty()) {
            (true, false) => right += 1,
            (true, true) if parcel.state.status == Status::Returned => right += 1,
            // It moved again and arrived: the alarm cleared itself.
            (true, true) if parcel.state.status == Status::Delivered => cleared += 1,
            (true, true) => {
                println!("missed: {} {} {:?}", sent.number, parcel.state.status, parcel.troubles);
                missed += 1;
            }
            (false, false) if parcel.state.status.is_final() => wrong += 1,
            _ => {}
        }
    }
    println!(
        "{right} troubles found, {cleared} cleared since, {missed} missed, {wrong} alarms for parcels that had arrived"
    );
    assert_eq!((missed, wrong), (0, 0), "{open:?}");
}
