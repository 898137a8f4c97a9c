//! A case is opened once, changes only when something changes, clears by itself, and stays settled.

use super::*;
use crate::store::Committed;
use crate::store::memory::MemoryStore;
use crate::vault::Vault;
use std::sync::Arc;

const SHOP: &str = "demo";

fn records() -> Records {
    Records::new(Arc::new(MemoryStore::default()), Arc::new(Vault::from_text(&"7".repeat(64)).unwrap()))
}

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn trouble(kind: TroubleKind, since: i64) -> Trouble {
    Trouble { kind, reason: None, since: at(since), leg: 0, alert: true }
}

fn parcel() -> Parcel {
    Parcel {
        carrier: "zto".into(),
        number: "75000000000001".into(),
        orders: vec!["A1".into()],
        ..Parcel::default()
    }
}

/// What `apply` does: stage, store, remember. Says how many keys were written.
async fn judge(records: &Records, parcel: &mut Parcel, troubles: Vec<Trouble>, now: i64) -> usize {
    let mut batch = Batch::default();
    records.stage_cases(&mut batch, SHOP, parcel, &troubles, at(now)).await.unwrap();
    parcel.troubles = troubles;
    let keys = batch.writes.len();
    assert_eq!(records.store().commit(batch).await.unwrap(), Committed::Done);
    keys
}

async fn open(records: &Records) -> Vec<Case> {
    records.cases(SHOP, 100).await.unwrap().into_iter().map(|(_, case)| case).collect()
}

#[tokio::test]
async fn a_trouble_is_one_case_however_often_it_is_found() {
    let (records, mut parcel) = (records(), parcel());
    let stuck = || vec![trouble(TroubleKind::Stuck, 1)];
    assert_eq!(judge(&records, &mut parcel, stuck(), 80).await, 1);
    assert_eq!(judge(&records, &mut parcel, stuck(), 90).await, 0, "nothing changed, nothing written");
    // A parcel that forgot (a backup that was taken back) opens it again: the same row, unchanged.
    parcel.troubles.clear();
    assert_eq!(judge(&records, &mut parcel, stuck(), 95).await, 0);
    let cases = open(&records).await;
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].opened, cases[0].due, cases[0].since), (at(80), at(128), at(1)));
    assert_eq!((cases[0].orders.as_slice(), cases[0].alerted), (&["A1".to_owned()][..], None));
    assert_eq!(records.cases("other", 100).await.unwrap(), []);

    let both = vec![trouble(TroubleKind::Stuck, 1), trouble(TroubleKind::Overdue, 50)];
    assert_eq!(judge(&records, &mut parcel, both, 100).await, 1);
    assert_eq!(open(&records).await.len(), 2);
}

#[tokio::test]
async fn it_clears_by_itself_and_while_the_merchant_has_not_heard_so_it_is_the_same_alarm() {
    let (records, mut parcel) = (records(), parcel());
    judge(&records, &mut parcel, vec![trouble(TroubleKind::Stuck, 1)], 80).await;
    let (id, _) = records.cases(SHOP, 1).await.unwrap().remove(0);
    let read = records.case(SHOP, &id).await.unwrap().unwrap();
    let told = Case { alerted: Some(at(81)), owner: Some("Ann".into()), ..read.value.clone().unwrap() };
    let mut batch = Batch::default();
    records.replace(&mut batch, &read, &told).unwrap();
    let _ = records.store().commit(batch).await.unwrap();

    assert_eq!(judge(&records, &mut parcel, Vec::new(), 90).await, 3);
    assert_eq!(open(&records).await, []);
    assert_eq!(records.cleared_cases(SHOP, 10).await.unwrap().len(), 1);
    let past = records.past_cases(SHOP, 10).await.unwrap();
    assert_eq!((past[0].0.as_str(), past[0].1.cleared_at), (id.as_str(), Some(at(90))));

    assert_eq!(judge(&records, &mut parcel, vec![trouble(TroubleKind::Stuck, 90)], 170).await, 3);
    assert_eq!(records.cleared_cases(SHOP, 10).await.unwrap(), [], "there is nothing good to tell any more");
    let again = open(&records).await.remove(0);
    assert_eq!((again.opened, again.cleared_at), (at(170), None));
    assert_eq!((again.alerted, again.owner.as_deref()), (Some(at(81)), Some("Ann")));
    assert_eq!(records.past_cases(SHOP, 10).await.unwrap(), []);
}

#[tokio::test]
async fn what_became_another_alarm_is_no_good_news() {
    let (records, mut parcel) = (records(), parcel());
    judge(&records, &mut parcel, vec![trouble(TroubleKind::Stuck, 1)], 80).await;
    let (id, _) = records.cases(SHOP, 1).await.unwrap().remove(0);
    let read = records.case(SHOP, &id).await.unwrap().unwrap();
    let told = Case { alerted: Some(at(81)), ..read.value.clone().unwrap() };
    let mut batch = Batch::default();
    records.replace(&mut batch, &read, &told).unwrap();
    let _ = records.store().commit(batch).await.unwrap();
    judge(&records, &mut parcel, vec![trouble(TroubleKind::Lost, 90)], 90).await;
    assert_eq!(records.cleared_cases(SHOP, 10).await.unwrap(), []);
    // Found again: it stands still once more, and nobody knows yet.
    judge(&records, &mut parcel, vec![trouble(TroubleKind::Stuck, 100)], 180).await;
    assert_eq!(open(&records).await[0].alerted, None);
}

#[tokio::test]
async fn what_the_shop_settled_stays_settled_until_there_is_something_new() {
    let (records, mut parcel) = (records(), parcel());
    judge(&records, &mut parcel, vec![trouble(TroubleKind::Refused, 1)], 2).await;
    let (id, _) = records.cases(SHOP, 1).await.unwrap().remove(0);
    let read = records.case(SHOP, &id).await.unwrap().unwrap();
    let settled = Case { done_at: Some(at(3)), ..read.value.clone().unwrap() };
    let mut batch = Batch::default();
    records.close_case(&mut batch, &read, &settled).unwrap();
    let _ = records.store().commit(batch).await.unwrap();

    parcel.troubles.clear();
    assert_eq!(judge(&records, &mut parcel, vec![trouble(TroubleKind::Refused, 1)], 4).await, 0);
    assert_eq!(judge(&records, &mut parcel, Vec::new(), 5).await, 0);
    assert_eq!(judge(&records, &mut parcel, vec![trouble(TroubleKind::Refused, 6)], 7).await, 2);
    assert_eq!(judge(&records, &mut parcel, Vec::new(), 8).await, 2);
    let again = Trouble { reason: Some(Reason::Refused), ..trouble(TroubleKind::Refused, 1) };
    assert_eq!(judge(&records, &mut parcel, vec![again], 9).await, 2, "another reason is something new");
    assert_eq!(open(&records).await[0].done_at, None);
    assert!(records.case(SHOP, "zz").await.unwrap().is_none());
}

#[tokio::test]
async fn two_judges_at_once_make_one_case() {
    let (records, parcel) = (records(), parcel());
    let found = [trouble(TroubleKind::Lost, 1)];
    let (mut first, mut second) = (Batch::default(), Batch::default());
    records.stage_cases(&mut first, SHOP, &parcel, &found, at(2)).await.unwrap();
    records.stage_cases(&mut second, SHOP, &parcel, &found, at(2)).await.unwrap();
    assert_eq!(records.store().commit(first).await.unwrap(), Committed::Done);
    assert_eq!(records.store().commit(second).await.unwrap(), Committed::Lost);
}
