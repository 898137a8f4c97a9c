//! What is kept how long (docs/operating.md says the same), by a clock moved by hand: old rows go by themselves, young
//! ones and what somebody waits for stay, and a clock that jumped takes nothing away.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::world::{JSON, World, person};
use std::time::Duration;
use yishi::app::housekeeping::{Housekeeping, Kept};
use yishi::store::Batch;
use yishi::store::records::{Case, DeadLetter, Kind, Read, Request};
use yishi::wire::Clock as _;

/// Between two rounds of the long test.
const STEP: u32 = 12;
const HOUR: Duration = Duration::from_secs(3600);

fn keeper(world: &World) -> Housekeeping {
    Housekeeping {
        records: world.intake.records.clone(),
        tracker: world.intake.tracker.clone(),
        shops: vec!["demo".into(), "other".into()],
        clock: world.clock.clone(),
    }
}

/// So many days of rounds.
async fn days(world: &World, days: u32) -> Kept {
    let (keeper, mut all) = (keeper(world), Kept::default());
    for _ in 0..days * 24 / STEP {
        world.advance(HOUR * STEP);
        let kept = keeper.round().await.unwrap();
        all.gone += kept.gone;
        all.mended += kept.mended;
    }
    all
}

async fn rows(world: &World, kind: Kind) -> usize {
    let prefix = [kind as u8];
    let end = yishi::store::prefix_end(&prefix);
    world.intake.records.store().scan(&prefix, &end, 10_000).await.unwrap().len()
}

async fn request(world: &World, done: bool) {
    let at = world.clock.now();
    let address = Some(person("wechat", "demo", "o-anna"));
    let request = Request { at, kind: "urge".into(), order: None, address, story: Vec::new(), done };
    let mut batch = Batch::default();
    world.intake.records.put_request(&mut batch, "demo", &request).unwrap();
    let _ = world.intake.records.store().commit(batch).await.unwrap();
}

/// One of everything that is kept for a while.
async fn fill(world: &World) {
    let (records, now) = (&world.intake.records, world.clock.now());
    // A push of a number that nobody knows.
    let pushed = world.simulator.push("simulated", "simulated", "SIMNORMAL7001", now).unwrap();
    let headers = [JSON, ("x-signature", pushed.headers[0].1.as_str())];
    assert_eq!(world.door().post("/hooks/simulated/demo", &headers, pushed.body.clone()).await.status, 200);
    // A call: a line of the journal, and when the number was asked about.
    world.synced("demo", "P1", "茶具", &[("simulated", "SIMNORMAL7002")], &[]).await;
    for (number, done_at, cleared_at) in
        [("settled", Some(now), None), ("cleared", None, Some(now)), ("open", None, None)]
    {
        let key = [records.key(Kind::Case, "demo", number), vec![0, 0, 1]].concat();
        let case = Case { number: number.into(), opened: now, done_at, cleared_at, ..Case::default() };
        let mut batch = Batch::default();
        match number {
            "open" => records.put(&mut batch, key, &case).unwrap(),
            _ => {
                records.close_case(&mut batch, &Read::<Case> { key, raw: None, value: None }, &case).unwrap()
            }
        }
        let _ = records.store().commit(batch).await.unwrap();
    }
    request(world, true).await;
    request(world, false).await;
    let misses = records.misses("demo", "P1", now).await.unwrap();
    let mut batch = Batch::default();
    records.replace(&mut batch, &misses, &vec![now]).unwrap();
    // A part of a letter that was never finished.
    let mut key = records.prefix(Kind::LetterPart, "simulated/demo");
    key.extend_from_slice(&now.as_millisecond().to_be_bytes()[2..]);
    key.extend_from_slice(&[7; 12]);
    batch.put(key, b"half".to_vec());
    let _ = records.store().commit(batch).await.unwrap();
    let letter = DeadLetter {
        at: now,
        kind: "simulated".into(),
        account: "demo".into(),
        cause: "unreadable".into(),
        length: 20_000,
    };
    records.put_dead_letter(&letter, &[b'x'; 20_000]).await.unwrap();
}

#[tokio::test]
async fn each_kind_of_row_goes_when_its_time_is_over_and_not_before() {
    const SWEPT: [Kind; 7] = [
        Kind::Stray,
        Kind::Journal,
        Kind::PastCase,
        Kind::Request,
        Kind::LetterPart,
        Kind::Guesses,
        Kind::Asked,
    ];
    let world = World::new().await;
    keeper(&world).round().await.unwrap();
    fill(&world).await;
    world.checked().await;
    let mut counts = Vec::new();
    // Nobody asks meanwhile: what is looked at is what stands there now.
    world.simulator.set_outage(Some(yishi::simulator::Outage::Down));
    for wait in [0, 3, 6, 6, 85, 90, 180] {
        days(&world, wait).await;
        let mut now = Vec::new();
        for kind in SWEPT {
            now.push(match kind {
                // The parcel is still asked about: these two are counted below.
                Kind::Journal | Kind::Asked => 0,
                kind => rows(&world, kind).await,
            });
        }
        counts.push(now);
    }
    let all: Vec<[usize; 5]> = counts.iter().map(|row| [row[0], row[2], row[3], row[4], row[5]]).collect();
    // Strays, past cases, requests, parts of letters, guesses. The finished letter has three parts.
    assert_eq!(all[0], [1, 2, 2, 4, 1], "at first");
    assert_eq!(all[1], [1, 2, 2, 3, 0], "after 3 days");
    assert_eq!(all[2], [1, 2, 2, 3, 0], "after 9 days");
    assert_eq!(all[3], [0, 2, 2, 3, 0], "after 15 days");
    assert_eq!(all[4], [0, 2, 1, 3, 0], "after 100 days: the settled request went");
    assert_eq!(all[5], [0, 0, 1, 3, 0], "after 190 days: so did the past cases");
    assert_eq!(all[6], [0, 0, 0, 3, 0], "after 370 days: no request is older than a year");
    let records = &world.intake.records;
    assert_eq!(rows(&world, Kind::Journal).await, 0, "nothing was asked for a fortnight");
    assert_eq!(rows(&world, Kind::Asked).await, 0);
    // What somebody may still wait for.
    assert!(records.cases("demo", 10).await.unwrap().iter().any(|(_, case)| case.number == "open"));
    let letters = records.dead_letters(10).await.unwrap();
    assert_eq!(records.payload_of(&letters[0]).await.unwrap(), [b'x'; 20_000]);
    assert!(records.parcel("demo", "simulated", "SIMNORMAL7002").await.unwrap().value.is_some());
    assert!(records.order("demo", "P1").await.unwrap().value.is_some());
}

#[tokio::test]
async fn a_clock_that_jumped_takes_nothing_away_for_a_day() {
    let world = World::new().await;
    keeper(&world).round().await.unwrap();
    fill(&world).await;
    days(&world, 2).await;
    let before = rows(&world, Kind::Stray).await;
    let right = world.clock.now();
    // A year ahead for some hours, then put right.
    world.advance(HOUR * 24 * 365);
    for _ in 0..10 {
        assert_eq!(keeper(&world).round().await.unwrap().gone, 0);
        world.advance(HOUR);
    }
    world.clock.jump(right);
    assert_eq!(keeper(&world).round().await.unwrap().gone, 0);
    assert_eq!(rows(&world, Kind::Stray).await, before);
    // The same after a pause of the service, and then it goes on by itself.
    days(&world, 1).await;
    assert_eq!(rows(&world, Kind::Stray).await, before);
    assert!(days(&world, 14).await.gone > 0);
    assert_eq!(rows(&world, Kind::Stray).await, 0);
}
