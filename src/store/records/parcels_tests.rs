//! A parcel comes back from its rows as it went in, however long its history, and costs few keys.

use super::*;
use crate::model::Meaning;
use crate::model::when::CHINA;
use crate::store::memory::MemoryStore;
use crate::store::{Committed, MAX_VALUE_BYTES};
use crate::vault::Vault;
use std::sync::Arc;

fn records() -> Records {
    Records::new(Arc::new(MemoryStore::default()), Arc::new(Vault::from_key([7; 32])))
}

fn scan(at: usize, words: &str) -> Event {
    let time = Timestamp::from_second(1_772_000_000 + at as i64 * 600).unwrap();
    let heard = time;
    let time = When::at(time, CHINA, ZoneSource::CarrierDefault);
    let raw = Raw { code: Some("0".into()), status: None, description: Some(format!("{words} {at}")) };
    let mut event = Event::new("yto", "YT1", "kuaidi100", time, Meaning::sub(Sub::ArrivedHub), raw, heard);
    event.place = Place { city: Some("深圳".into()), country: Some("CN".into()), ..Place::default() };
    event
}

fn parcel(scans: usize) -> Parcel {
    let mut parcel = Parcel { carrier: "yto".into(), number: "YT1".into(), ..Parcel::default() };
    parcel.add((0..scans).map(|at| scan(at, "快件到达【深圳转运中心】")).collect());
    assert_eq!(parcel.events.len(), scans);
    parcel
}

async fn store(records: &Records, parcel: &Parcel) -> usize {
    let read = records.parcel("s", "yto", "YT1").await.unwrap();
    let mut batch = Batch::default();
    records.put_parcel(&mut batch, "s", &read, parcel).unwrap();
    batch.fits().unwrap();
    let keys = batch.writes.len();
    assert_eq!(records.store().commit(batch).await, Ok(Committed::Done));
    keys
}

#[tokio::test]
async fn a_parcel_comes_back_as_it_was_however_long_its_history() {
    for scans in [0, 1, 30, 60, 100, 500] {
        let (records, parcel) = (records(), parcel(scans));
        store(&records, &parcel).await;
        let read = records.parcel("s", "yto", "yt1").await.unwrap();
        assert_eq!(read.value.unwrap(), parcel, "{scans} scans");
    }
}

#[tokio::test]
async fn every_field_of_a_scan_comes_back() {
    let mut parcel = parcel(1);
    let event = &mut parcel.events[0];
    event.courier = Courier { name: Some("周师傅".into()), phone: Some("13900000000".into()) };
    event.pickup =
        Pickup { code: Some("6-2-1034".into()), place: Some("驿站".into()), until: Some("22:00".into()) };
    event.place =
        Place { lat: Some(22.5), lon: Some(114.0), text: Some("深圳".into()), ..event.place.clone() };
    (event.carrier, event.number) = ("ems".into(), "EA1".into());
    (event.reason, event.signed_by) = (Some(Reason::Refused), Some("门卫".into()));
    (event.revokes, event.renumbered) = (vec!["4".into()], Some("SF2".into()));
    (event.header, event.superseded, event.leg) = (true, true, 1);
    event.last_heard = Some(Timestamp::from_second(9).unwrap());
    event.source = Source::Both;
    event.id = event.compute_id();
    parcel.note(Timestamp::UNIX_EPOCH, "kuaidi100/main", "push", "ok", 3);
    (parcel.told, parcel.next_check) = (vec![u64::MAX, 1], Some(Timestamp::UNIX_EPOCH));
    parcel.watched = Some(Watched { account: "a/b".into(), asked: vec![Timestamp::UNIX_EPOCH], on: true });
    parcel.phone_tail = Some(Private::new("6688".into()));
    parcel.eta = Some(Eta {
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
        source: Default::default(),
        precision: Default::default(),
    });
    parcel.reckoned = Some(Reckoned { asked: Timestamp::UNIX_EPOCH, ours: true });
    let records = records();
    store(&records, &parcel).await;
    assert_eq!(records.parcel("s", "yto", "YT1").await.unwrap().value.unwrap(), parcel);
}

#[tokio::test]
async fn one_more_scan_writes_the_row_and_at_most_one_page() {
    let records = records();
    for scans in 1..=200 {
        let keys = store(&records, &parcel(scans)).await;
        assert!(keys <= 2, "{keys} keys for scan {scans}");
    }
}

#[tokio::test]
async fn an_answer_reads_the_newest_scans_that_count() {
    let (records, mut parcel) = (records(), parcel(100));
    parcel.events[98].superseded = true;
    store(&records, &parcel).await;
    let read = records.parcel_for_answer("s", "yto", "YT1", 3).await.unwrap().unwrap();
    let words: Vec<&str> = read.events.iter().map(|event| event.description()).collect();
    assert_eq!(words.len(), 4);
    assert!(words[0].ends_with(" 96") && words[3].ends_with(" 99"), "{words:?}");
    parcel.state.status = Status::ReadyForPickup;
    store(&records, &parcel).await;
    let read = records.parcel_for_answer("s", "yto", "YT1", 3).await.unwrap().unwrap();
    assert!(read.events.len() > 10, "the code may stand in an older scan");
}

#[tokio::test]
async fn endless_sentences_are_cut_and_the_newest_scans_stay() {
    let mut parcel = parcel(500);
    for event in &mut parcel.events {
        event.raw.description = Some("长".repeat(5_000));
        event.signed_by = Some("名".repeat(5_000));
    }
    let records = records();
    store(&records, &parcel).await;
    let read = records.parcel("s", "yto", "YT1").await.unwrap().value.unwrap();
    assert!(read.events.len() > 80, "{}", read.events.len());
    assert_eq!(read.events.last().unwrap().id, parcel.events.last().unwrap().id);
    for (key, value) in records.store().scan(&[], &[0xff], 100).await.unwrap() {
        assert!(value.len() <= MAX_VALUE_BYTES, "{} {}", key[0], value.len());
    }
}

proptest::proptest! {
    #[test]
    fn broken_rows_are_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        if let Some(Row { mut parcel, scans, .. }) = take_apart(&bytes) {
            let _ = read_back(&mut parcel, scans);
        }
    }
}
