//! A merchant names the wrong carrier: the right one is found once, on record, and only by scans of these days.
#![allow(clippy::unwrap_used)]

use crate::world::{World, person};
use std::time::Duration;
use yishi::model::Parcel;
use yishi::simulator::Simulator;

async fn parcel(world: &World, carrier: &str, number: &str) -> Option<Parcel> {
    world.intake.records.parcel("demo", carrier, number).await.unwrap().value
}

async fn calls(world: &World, account: &str, operation: &str) -> usize {
    let calls = world.intake.records.calls(account, 1_000).await.unwrap();
    calls.iter().filter(|call| call.operation == operation).count()
}

#[tokio::test]
async fn a_parcel_moves_to_the_carrier_that_knows_it() {
    let world = World::new().await;
    let (number, owner) = ("YT8816042739501", person("webchat", "demo", "anna"));
    world.synced("demo", "D1", "茶具", &[("zto", number)], &[owner]).await;
    assert_eq!(parcel(&world, "zto", number).await, None);
    let moved = parcel(&world, "yto", number).await.unwrap();
    assert!(!moved.events.is_empty() && moved.events.iter().all(|event| event.carrier == "yto"));
    let record: Vec<&str> = moved
        .journal
        .iter()
        .filter(|line| line.what == "carrier")
        .map(|line| line.outcome.as_str())
        .collect();
    assert_eq!(record, ["doubted", "corrected"]);
    let order = world.intake.records.order("demo", "D1").await.unwrap().value.unwrap();
    assert_eq!(order.shipments[0].carrier, "yto");
}

#[tokio::test]
async fn a_carrier_that_knows_nothing_yet_is_doubted_once_and_kept() {
    let world = World::new().await;
    let number = "YT8816042739515";
    world.synced("demo", "D1", "茶具", &[("yto", number)], &[person("webchat", "demo", "anna")]).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(3 * 3600));
        world.intake.tracker.refresh("demo", "D1", "yto", number).await;
    }
    let kept = parcel(&world, "yto", number).await.unwrap();
    assert_eq!(kept.journal.iter().filter(|line| line.what == "carrier").count(), 1);
    assert_eq!(calls(&world, "kuaidi100/demo", "kuaidi100.recognize").await, 1, "the last step is paid once");
}

#[tokio::test]
async fn a_fresh_parcel_is_given_time() {
    let world = World::new().await;
    let number = "YT8816042739501";
    let now = world.intake.clock.now();
    world.order("demo", "D1", "茶具", &[("zto", number)], &[person("webchat", "demo", "anna")]).await;
    let mut order = world.intake.records.order("demo", "D1").await.unwrap().value.unwrap();
    order.no = "D2".into();
    order.shipments[0].number = "YT8816042739509".into();
    order.shipments[0].shipped_at = Some(now);
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
    world.intake.tracker.refresh("demo", "D2", "zto", "YT8816042739509").await;
    let kept = parcel(&world, "zto", "YT8816042739509").await.unwrap();
    assert!(kept.journal.iter().all(|line| line.what != "carrier"));
}

#[tokio::test]
async fn an_account_that_lists_its_carriers_is_asked_about_no_other() {
    let world = World::with(|config| {
        for account in config.accounts.iter_mut().filter(|account| account.kind == "kuaidi100") {
            account.settings.insert("carriers".into(), "zto,sto".into());
        }
    })
    .await;
    let number = "YT8816042739501";
    world.synced("demo", "D1", "茶具", &[("yto", number)], &[person("webchat", "demo", "anna")]).await;
    assert_eq!(calls(&world, "kuaidi100/demo", "kuaidi100.query").await, 0);
    assert_eq!(calls(&world, "kdniao/demo", "kdniao.query").await, 1);
}

#[tokio::test]
async fn a_number_that_is_registered_under_the_wrong_carrier_is_changed_there_and_costs_once() {
    let world = World::with(|config| {
        config.accounts.retain(|account| account.kind != "kdniao");
        let mut aggregator = Simulator::accounts("http://peers")
            .into_iter()
            .find(|one| one.kind == "seventeen-track")
            .unwrap();
        (aggregator.shop, aggregator.id) = (Some("demo".into()), "demo".into());
        config.accounts.push(aggregator);
    })
    .await;
    let (zto, yto) = (190_455, 190_157);
    let number = "YT8816042739501";
    world.order("demo", "D1", "茶具", &[("zto", number)], &[person("webchat", "demo", "anna")]).await;
    world.checked().await;
    let moved = parcel(&world, "yto", number).await.unwrap();
    assert_eq!(world.simulator.registered(number), [zto], "the merchant's word, before it was doubted");
    assert_eq!(moved.moved_from.as_deref(), Some("zto"));
    // It is moved here at once; the vendor's books follow with the next check.
    world.advance(Duration::from_secs(6 * 3600));
    world.checked().await;
    assert_eq!(world.simulator.registered(number), [yto]);
    let moved = parcel(&world, "yto", number).await.unwrap();
    assert_eq!(moved.moved_from, None);
    let line = moved.journal.iter().find(|line| line.what == "change_carrier").unwrap();
    assert_eq!((line.by.as_str(), line.outcome.as_str()), ("seventeen-track/demo", "changed"));
    world.advance(Duration::from_secs(6 * 3600));
    world.checked().await;
    assert_eq!(calls(&world, "seventeen-track/demo", "seventeen-track.change_carrier").await, 1);
    assert_eq!(calls(&world, "seventeen-track/demo", "seventeen-track.register").await, 1);
}
