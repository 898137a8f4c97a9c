//! Each row of the table: when it begins, that it clears, and what lengthens it.

use super::*;
use crate::model::{Event, Meaning, Place, Raw, When, ZoneSource};

fn zone() -> TimeZone {
    TimeZone::fixed(CHINA)
}

/// Shanghai time; 2 March 2026 is a Monday.
fn at(text: &str) -> Timestamp {
    format!("{text}:00+08:00").parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn scan(time: Timestamp, meaning: Meaning, city: &str) -> Event {
    let raw = Raw { description: Some(format!("{city} {time}")), ..Raw::default() };
    let when = When::at(time, CHINA, ZoneSource::CarrierDefault);
    let mut event = Event::new("zto", "75000000000001", "zto", when, meaning, raw, time);
    event.place = Place { city: (!city.is_empty()).then(|| city.to_owned()), ..Place::default() };
    event
}

fn parcel(shipped: Timestamp, events: Vec<Event>) -> Parcel {
    let mut parcel = Parcel {
        carrier: "zto".into(),
        number: "75000000000001".into(),
        shipped_at: Some(shipped),
        ..Parcel::default()
    };
    parcel.add(events);
    parcel
}

/// What is wrong at a moment, where the carrier was asked just before.
fn wrong(parcel: &Parcel, now: Timestamp) -> Vec<TroubleKind> {
    judged(parcel, now).into_iter().map(|trouble| trouble.kind).collect()
}

fn judged(parcel: &Parcel, now: Timestamp) -> Vec<Trouble> {
    let asked = Parcel { last_checked: Some(now), ..parcel.clone() };
    with(&asked, now, None)
}

fn with(parcel: &Parcel, now: Timestamp, usual: Option<SignedDuration>) -> Vec<Trouble> {
    let thresholds = Thresholds::default();
    let zone = zone();
    let terms = Terms { thresholds: &thresholds, calendar: Calendar::built_in(), zone: &zone, usual };
    troubles(parcel, &terms, now)
}

fn look(parcel: &Parcel, now: Timestamp) -> Option<Timestamp> {
    let thresholds = Thresholds::default();
    let zone = zone();
    let terms = Terms { thresholds: &thresholds, calendar: Calendar::built_in(), zone: &zone, usual: None };
    next_look(parcel, &terms, now)
}

/// Nothing a second before, this at the moment, and the look was planned for it.
#[track_caller]
fn begins(parcel: &Parcel, kind: TroubleKind, due: Timestamp) {
    let before = due - SignedDuration::from_secs(1);
    assert!(!wrong(parcel, before).contains(&kind), "too early: {before}");
    assert!(wrong(parcel, due).contains(&kind), "not at {due}: {:?}", wrong(parcel, due));
    assert_eq!(look(parcel, before), Some(due));
}

#[test]
fn a_parcel_that_nobody_picked_up() {
    let shipped = at("2026-03-03T10:00");
    let label = parcel(shipped, vec![scan(shipped, Meaning::sub(Sub::LabelCreated), "")]);
    begins(&label, TroubleKind::NoPickup, shipped + hours(48));
    begins(&parcel(shipped, Vec::new()), TroubleKind::NoPickup, shipped + hours(48));
    let friday = at("2026-03-06T18:00");
    begins(&parcel(friday, Vec::new()), TroubleKind::NoPickup, friday + hours(72));
    let mut scanned = label.clone();
    scanned.add(vec![scan(shipped + hours(50), Meaning::sub(Sub::Accepted), "杭州")]);
    assert_eq!(wrong(&scanned, shipped + hours(51)), [], "cleared by the scan");
}

#[test]
fn silence_counts_only_where_somebody_asked() {
    let shipped = at("2026-03-03T10:00");
    let now = shipped + hours(120);
    let silent = parcel(shipped, Vec::new());
    assert_eq!(with(&silent, now, None), [], "never asked");
    let long_ago = Parcel { last_checked: Some(shipped + hours(1)), ..silent.clone() };
    assert_eq!(with(&long_ago, now, None), [], "asked too long before the time was up");
    let asked = Parcel { last_checked: Some(shipped + hours(30)), ..silent };
    assert_eq!(with(&asked, now, None).len(), 1);
}

#[test]
fn a_parcel_that_stands_still() {
    let start = at("2026-03-03T10:00");
    let still = |sub| parcel(start, vec![scan(start, Meaning::sub(sub), "杭州")]);
    begins(&still(Sub::ArrivedHub), TroubleKind::Stuck, start + hours(72));
    begins(&still(Sub::ArrivedDestinationCity), TroubleKind::Stuck, start + hours(48));
    begins(&still(Sub::OnVehicle), TroubleKind::Stuck, start + hours(48));
    begins(&still(Sub::CustomsInspection), TroubleKind::Stuck, start + hours(168));
    begins(&still(Sub::DepartedOriginCountry), TroubleKind::Stuck, start + hours(240));
    let stuck = judged(&still(Sub::ArrivedHub), start + hours(80));
    assert_eq!((stuck[0].since, stuck[0].leg, stuck[0].alert), (start, 0, true));
    let festival = at("2026-02-14T12:00");
    let rests = parcel(festival, vec![scan(festival, Meaning::sub(Sub::ArrivedHub), "杭州")]);
    begins(&rests, TroubleKind::Stuck, at("2026-02-24T06:00"));
    let sale = at("2026-11-11T10:00");
    let busy = parcel(sale, vec![scan(sale, Meaning::sub(Sub::ArrivedHub), "杭州")]);
    begins(&busy, TroubleKind::Stuck, sale + hours(120));
    let mut moves = still(Sub::ArrivedHub);
    moves.add(vec![scan(start + hours(75), Meaning::sub(Sub::DepartedHub), "杭州")]);
    assert_eq!(wrong(&moves, start + hours(80)), []);
}

#[test]
fn a_parcel_that_is_late() {
    let start = at("2026-03-03T10:00");
    let mut late = parcel(start, vec![scan(start, Meaning::sub(Sub::Accepted), "杭州")]);
    late.eta = Some(Eta {
        from: at("2026-03-04T00:00"),
        to: at("2026-03-04T18:00"),
        source: crate::model::EtaSource::Carrier,
        precision: EtaPrecision::Day,
    });
    begins(&late, TroubleKind::Overdue, at("2026-03-05T12:00"));
    if let Some(eta) = &mut late.eta {
        eta.precision = EtaPrecision::Window;
    }
    begins(&late, TroubleKind::Overdue, at("2026-03-05T06:00"));
    late.add(vec![scan(at("2026-03-05T07:00"), Meaning::sub(Sub::Signed), "杭州")]);
    assert_eq!(wrong(&late, at("2026-03-09T00:00")), []);
    let plain = parcel(start, vec![scan(start, Meaning::sub(Sub::Accepted), "杭州")]);
    let now = start + hours(72);
    let asked = Parcel { last_checked: Some(now), ..plain };
    let usual = |usual| with(&asked, now, Some(hours(usual))).iter().any(|t| t.kind == TroubleKind::Overdue);
    assert!(usual(48) && !usual(49));
}

#[test]
fn a_parcel_that_waits_to_be_collected() {
    let start = at("2026-03-03T10:00");
    let waits = parcel(start, vec![scan(start, Meaning::sub(Sub::Locker), "杭州")]);
    assert_eq!(look(&waits, start), Some(start + hours(20)), "the buyer's reminder");
    begins(&waits, TroubleKind::NotCollected, start + hours(48));
    let alert = |after| judged(&waits, start + hours(after))[0].alert;
    assert!(!alert(60) && alert(168));
    assert_eq!(look(&waits, start + hours(60)), Some(start + hours(168)));
    assert_eq!(look(&waits, start + hours(168)), None);
    assert_eq!(judged(&waits, start + hours(168)).len(), 1, "one of a kind");
}

#[test]
fn failed_attempts_and_to_and_fro() {
    let start = at("2026-03-03T10:00");
    let fails = |n: i64| scan(start + hours(24 * n), Meaning::sub(Sub::NobodyHome), "杭州");
    assert_eq!(wrong(&parcel(start, vec![fails(0)]), start + hours(1)), []);
    let mut twice = parcel(start, vec![fails(0), fails(1)]);
    assert_eq!(wrong(&twice, start + hours(25)), [TroubleKind::Attempts]);
    twice.add(vec![scan(start + hours(26), Meaning::sub(Sub::OnVehicle), "杭州")]);
    assert_eq!(wrong(&twice, start + hours(27)), [], "the courier tries again");

    let way = |cities: &[&str]| {
        let events = cities
            .iter()
            .zip(0..)
            .map(|(city, n)| scan(start + hours(n), Meaning::sub(Sub::ArrivedHub), city));
        parcel(start, events.collect())
    };
    let now = start + hours(8);
    assert_eq!(wrong(&way(&["杭州", "上海", "杭州"]), now), []);
    assert_eq!(wrong(&way(&["杭州", "上海", "苏州", "上海", "杭州"]), now), []);
    assert_eq!(wrong(&way(&["杭州", "杭州", "上海", "上海"]), now), []);
    let looping = way(&["宁波", "杭州", "上海", "杭州", "上海"]);
    let found = judged(&looping, now);
    assert_eq!((found[0].kind, found[0].since), (TroubleKind::Loop, start + hours(1)));
    assert_eq!(wrong(&way(&["杭州", "上海", "杭州", "上海", "南京"]), now), [], "cleared by moving on");
    assert_eq!(wrong(&way(&[]), start), []);
}

#[test]
fn what_the_carrier_reports() {
    let start = at("2026-03-03T10:00");
    let now = start + hours(1);
    for (reason, kind, alert) in [
        (Reason::Refused, TroubleKind::Refused, true),
        (Reason::Damaged, TroubleKind::Damaged, true),
        (Reason::CustomsDocuments, TroubleKind::Customs, true),
        (Reason::Stuck, TroubleKind::Stuck, true),
        (Reason::Address, TroubleKind::Reported, true),
        (Reason::Weather, TroubleKind::Reported, false),
    ] {
        let found = judged(&parcel(start, vec![scan(start, Meaning::exception(reason), "杭州")]), now);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, found[0].reason, found[0].alert), (kind, Some(reason), alert));
    }
    let of = |sub| wrong(&parcel(start, vec![scan(start, Meaning::sub(sub), "杭州")]), now);
    assert_eq!(of(Sub::Destroyed), [TroubleKind::Lost]);
    assert_eq!(of(Sub::OnTheWay), [TroubleKind::Returning]);
    assert_eq!(of(Sub::ToSender), []);
    let back = judged(&parcel(start, vec![scan(start, Meaning::sub(Sub::OnTheWay), "杭州")]), now);
    assert_eq!(back[0].leg, 1);
}

#[test]
fn what_the_buyer_disputes_stands_until_it_is_delivered_again() {
    let start = at("2026-03-03T10:00");
    let mut done = parcel(start, vec![scan(start, Meaning::sub(Sub::Signed), "杭州")]);
    assert_eq!(wrong(&done, start + hours(500)), []);
    done.disputed_at = Some(start + hours(5));
    assert_eq!(judged(&done, start + hours(6)), [Trouble::disputed(start + hours(5), 0)]);
    done.add(vec![
        scan(start + hours(7), Meaning::sub(Sub::OnVehicle), "杭州"),
        scan(start + hours(9), Meaning::sub(Sub::Signed), "杭州"),
    ]);
    assert_eq!(wrong(&done, start + hours(10)), []);
}

proptest::proptest! {
    /// A look is in the future, and between looks nothing begins by itself.
    #[test]
    fn nothing_begins_between_looks(
        sub in 0..Sub::ALL.len(),
        after in 0_i64..400,
        step in 1_i64..100,
        shipped in 1_770_000_000_i64..1_800_000_000,
    ) {
        let shipped = Timestamp::from_second(shipped).unwrap();
        let one = parcel(shipped, vec![scan(shipped, Meaning::sub(Sub::ALL[sub]), "杭州")]);
        let now = shipped + hours(after);
        let next = look(&one, now);
        proptest::prop_assert!(next.is_none_or(|next| next > now));
        let later = now + hours(step);
        if next.is_none_or(|next| next > later) {
            proptest::prop_assert_eq!(judged(&one, now), judged(&one, later));
        }
    }
}
