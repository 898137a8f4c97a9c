//! News that carriers send by themselves: proved, applied once, acknowledged exactly, never lost; and the background
//! checks beside them. Over the real router, against the simulator.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::world::{JSON, World};
use serde_json::json;
use yishi::model::{Folded, Parcel, Status};
use yishi::wire::Clock as _;

const NUMBER: &str = "SIMNORMAL7001";
const HOOK: &str = "/hooks/simulated/demo";

async fn shipped(world: &World, no: &str, number: &str) {
    world.order("demo", no, "茶具", &[("simulated", number)], &[]).await;
}

async fn parcel(world: &World, number: &str) -> Option<Parcel> {
    world.intake.records.parcel("demo", "simulated", number).await.unwrap().value
}

/// What the simulated carrier would push now.
fn push(world: &World, number: &str) -> (String, Vec<u8>) {
    let pushed = world.simulator.push("simulated", "simulated", number, world.clock.now()).unwrap();
    (pushed.headers[0].1.clone(), pushed.body)
}

async fn post(world: &World, signature: &str, body: &[u8]) -> crate::world::Reply {
    world.door().post(HOOK, &[JSON, ("x-signature", signature)], body.to_vec()).await
}

#[tokio::test]
async fn a_push_is_applied_before_it_is_acknowledged_and_counts_once() {
    let world = World::new().await;
    shipped(&world, "P1", NUMBER).await;
    let (signature, body) = push(&world, NUMBER);
    let reply = post(&world, &signature, &body).await;
    assert_eq!((reply.status, reply.text()), (200, r#"{"ok":true}"#.to_owned()));
    let first = parcel(&world, NUMBER).await.unwrap();
    assert_eq!(first.state.status, Status::InTransit);
    assert!(first.events.len() >= 3 && first.last_push.is_some());
    for _ in 0..3 {
        assert_eq!(post(&world, &signature, &body).await.status, 200);
    }
    world.checked().await;
    // The background check asked for the same: still the same events, each once.
    let again = parcel(&world, NUMBER).await.unwrap();
    let ids = |parcel: &Parcel| parcel.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(again.state, first.state);
    assert!(world.simulator.times_asked(NUMBER) <= 1);
}

#[tokio::test]
async fn a_push_that_nobody_signed_is_refused_and_keeps_nothing() {
    let world = World::new().await;
    shipped(&world, "P1", NUMBER).await;
    world.checked().await;
    let before = parcel(&world, NUMBER).await;
    let (signature, mut body) = push(&world, NUMBER);
    let at = body.len() / 2;
    body[at] ^= 1;
    assert_eq!(post(&world, &signature, &body).await.status, 403);
    assert_eq!(post(&world, "", b"{}").await.status, 403);
    assert_eq!(parcel(&world, NUMBER).await, before);
    assert!(world.intake.records.dead_letters(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn news_of_an_unknown_number_waits_for_its_order() {
    let world = World::new().await;
    let (signature, body) = push(&world, NUMBER);
    assert_eq!(post(&world, &signature, &body).await.text(), r#"{"ok":true}"#);
    assert!(parcel(&world, NUMBER).await.is_none());
    let stray = world.intake.records.stray("simulated/demo", NUMBER).await.unwrap().value.unwrap();
    assert!(stray.events.len() >= 3);
    world.simulator.set_outage(Some(yishi::simulator::Outage::Down));
    shipped(&world, "P1", NUMBER).await;
    world.checked().await;
    // Nobody answers, and still it is known: what came before the order was joined.
    let known = parcel(&world, NUMBER).await.unwrap();
    assert_eq!((known.state.status, known.events.len()), (Status::InTransit, stray.events.len()));
    assert!(world.intake.records.stray("simulated/demo", NUMBER).await.unwrap().value.is_none());
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_and_can_be_replayed() {
    let world = World::new().await;
    let body = json!({"news": "a form that nobody knows yet", "filler": "x".repeat(30_000)}).to_string();
    let key = world.intake.account("simulated", "demo").unwrap().secret("key").to_owned();
    let signature = hex::encode(yishi::wire::sign::hmac_sha256(key.as_bytes(), body.as_bytes()));
    let reply = post(&world, &signature, body.as_bytes()).await;
    assert_eq!((reply.status, reply.text()), (200, r#"{"ok":true}"#.to_owned()));
    let letters = world.intake.records.dead_letters(10).await.unwrap();
    let letter = letters.first().unwrap();
    assert_eq!(letter.value.as_ref().unwrap().cause, "unreadable");
    assert_eq!(world.intake.records.payload_of(letter).await.unwrap(), body.as_bytes());
    let replayed = world.intake.replay().await.unwrap();
    assert_eq!((replayed.applied, replayed.kept), (0, 1));
    assert_eq!(world.intake.records.dead_letters(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_order_is_checked_and_subscribed_by_itself() {
    let world = World::new().await;
    shipped(&world, "P1", NUMBER).await;
    world.checked().await;
    let known = parcel(&world, NUMBER).await.unwrap();
    assert_eq!(known.state.status, Status::InTransit);
    let watched = known.watched.as_ref().unwrap();
    assert!(watched.on && watched.account == "simulated/demo");
    assert!(known.next_check.unwrap() > world.clock.now());
    let watched = world.simulator.watched();
    assert!(watched.iter().any(|(kind, number, url)| {
        kind == "simulated" && number == NUMBER && url.ends_with("/hooks/simulated/demo")
    }));
    assert!(known.journal.iter().any(|line| line.what == "subscribe" && line.outcome == "ok"));
}

#[tokio::test]
async fn pushes_and_polls_in_any_order_end_in_one_state() {
    let mut states: Vec<Folded> = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let world = World::new().await;
        // What the carrier would have said at four moments.
        let moments: Vec<_> = [0, 2, 5, 30]
            .map(|hours| {
                let at = world.clock.now() + jiff::SignedDuration::from_hours(hours);
                world.simulator.push("simulated", "simulated", NUMBER, at).unwrap()
            })
            .into();
        shipped(&world, "P1", NUMBER).await;
        world.advance(std::time::Duration::from_secs(31 * 3600));
        for at in order {
            let pushed = &moments[at];
            assert_eq!(post(&world, &pushed.headers[0].1, &pushed.body).await.status, 200);
        }
        world.checked().await;
        states.push(parcel(&world, NUMBER).await.unwrap().state);
    }
    assert_eq!(states[0].status, Status::Delivered);
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
}

#[tokio::test]
async fn the_journal_names_cause_and_cure_and_no_number_in_full() {
    use yishi::app::errands::{Errand, Office};
    use yishi::app::journal::Wanted;
    let world = World::with(|config| {
        for account in config.accounts.iter_mut().filter(|account| account.kind == "kuaidi100") {
            account.secrets.insert("key".into(), yishi::model::Private::new("mistyped".into()));
        }
        config.accounts.retain(|account| account.kind != "kdniao");
    })
    .await;
    world.order("demo", "P1", "茶具", &[("yto", "YT8816042739501")], &[]).await;
    world.checked().await;
    let office = Office { intake: world.intake.clone(), paused: Default::default() };
    let wanted = Wanted { account: None, parcel: None, failed: true, limit: 20, json: false };
    let out = office.run(Errand::Journal(wanted)).await.out.join("\n");
    assert!(out.contains("kuaidi100.query") && out.contains("密钥"), "{out}");
    assert!(!out.contains("YT8816042739501") && out.contains("YT88****9501"), "{out}");
    let tested = office.run(Errand::TestAccount { account: "kuaidi100/demo".into(), asked: None }).await;
    assert_eq!(tested.exit, 1);
    assert!(tested.out[0].contains("密钥"), "{tested:?}");
    let tested = office.run(Errand::TestAccount { account: "sf/demo".into(), asked: None }).await;
    assert_eq!((tested.exit, tested.out[0].as_str()), (0, "sf/demo: works"));
    let parcel = Wanted {
        account: None,
        parcel: Some("demo/yto/YT8816042739501".into()),
        failed: false,
        limit: 20,
        json: true,
    };
    let out = office.run(Errand::Journal(parcel)).await.out.join("\n");
    assert!(out.contains("\"outcome\":\"fix_account\""), "{out}");
    let token = [("authorization", "Bearer api-token-of-demo")];
    let accounts = world.door().get("/api/v1/accounts", &token).await.json();
    let mine = accounts["accounts"].as_array().unwrap().iter();
    let kuaidi100 = mine.clone().find(|account| account["account"] == "kuaidi100/demo").unwrap();
    assert!(kuaidi100["calls_today"].as_u64().unwrap() >= 1, "{kuaidi100}");
    assert_eq!(kuaidi100["last_call"]["cure"], "cure-credentials");
}
