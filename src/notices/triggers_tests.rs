//! What a buyer hears along a journey, and that order and repetition of its events change nothing about it.

use super::*;
use crate::model::fold::{Known, fold};
use crate::model::status::Meaning;
use crate::model::{EtaSource, Raw, Reckoned, When};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn at(text: &str) -> Timestamp {
    When::parse(text, Some(CHINA)).unwrap().utc.unwrap()
}

fn happened(when: &str, meaning: Meaning) -> Event {
    let time = When::parse(when, Some(CHINA)).unwrap();
    let received = time.utc.unwrap() + SignedDuration::from_mins(1);
    let raw = Raw { description: Some(format!("{when} {}", meaning.status)), ..Raw::default() };
    Event::new("sf", "SF0000000000018", "sf", time, meaning, raw, received)
}

fn scan(when: &str, status: Status) -> Event {
    happened(when, Meaning { status, sub: status.default_sub(), reason: None })
}

fn trouble_scan(when: &str, reason: Reason) -> Event {
    happened(when, Meaning::exception(reason))
}

fn ready(when: &str, code: &str) -> Event {
    let mut event = scan(when, Status::ReadyForPickup);
    event.pickup.code = (!code.is_empty()).then(|| code.to_owned());
    event
}

fn parcel(events: &[Event]) -> Parcel {
    let (state, events) = fold(events.to_vec(), Known::default());
    Parcel { carrier: "sf".into(), number: "SF0000000000018".into(), state, events, ..Parcel::default() }
}

/// Plays answers one after the other: all that was found, and of each key only the first.
fn played(answers: &[Vec<Event>], now: impl Fn(&Event) -> Timestamp) -> (Vec<Notice>, Parcel) {
    let (mut events, mut told, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut before = parcel(&[]);
    for answer in answers {
        events.extend(answer.iter().cloned());
        let after = parcel(&events);
        let now = now(answer.last().unwrap());
        let found = triggered(&Before::of(&before), &after, &zone(), now);
        let distinct: BTreeSet<u64> = found.iter().map(Notice::key).collect();
        assert_eq!(distinct.len(), found.len(), "twice in one answer: {found:?}");
        for notice in found {
            assert!(still_true(&notice, &after, &zone(), now), "said although it does not hold: {notice:?}");
            if keys.insert(notice.key()) {
                told.push(notice);
            }
        }
        before = after;
    }
    (told, before)
}

fn in_order(events: &[Event]) -> Vec<Notice> {
    let answers: Vec<Vec<Event>> = events.iter().map(|event| vec![event.clone()]).collect();
    played(&answers, |event| event.received.unwrap()).0
}

fn said_of(notices: &[Notice]) -> Vec<String> {
    let text = |notice: &Notice| match notice.occasion.as_str() {
        "" => notice.kind.name().to_owned(),
        occasion => format!("{} {occasion}", notice.kind.name()),
    };
    notices.iter().map(text).collect()
}

/// Journeys as they happen; the last scan of each decides what the buyer must have heard.
fn journeys() -> Vec<Vec<Event>> {
    use Status::*;
    let start = || {
        vec![
            scan("2026-03-02 09:00", InfoReceived),
            scan("2026-03-02 18:00", PickedUp),
            scan("2026-03-02 23:00", InTransit),
            scan("2026-03-03 20:00", InTransit),
        ]
    };
    let with = |more: Vec<Event>| start().into_iter().chain(more).collect::<Vec<_>>();
    vec![
        with(vec![scan("2026-03-04 08:30", OutForDelivery), scan("2026-03-04 11:00", Delivered)]),
        with(vec![
            scan("2026-03-04 08:30", OutForDelivery),
            scan("2026-03-04 11:00", AttemptFailed),
            scan("2026-03-05 08:40", OutForDelivery),
            ready("2026-03-05 12:00", ""),
            ready("2026-03-05 12:20", "6-2-1034"),
            scan("2026-03-05 19:00", Delivered),
        ]),
        with(vec![
            scan("2026-03-04 08:30", OutForDelivery),
            scan("2026-03-04 10:00", Delivered),
            scan("2026-03-04 14:00", OutForDelivery),
            scan("2026-03-04 15:10", Delivered),
        ]),
        with(vec![
            scan("2026-03-04 08:30", OutForDelivery),
            trouble_scan("2026-03-04 10:00", Reason::Refused),
            scan("2026-03-04 12:00", Returning),
            scan("2026-03-05 12:00", Returned),
        ]),
        with(vec![
            trouble_scan("2026-03-04 08:00", Reason::CustomsHold),
            scan("2026-03-05 08:00", InTransit),
            trouble_scan("2026-03-05 18:00", Reason::Weather),
            scan("2026-03-06 07:00", InTransit),
            scan("2026-03-06 08:30", OutForDelivery),
            scan("2026-03-06 09:30", Delivered),
        ]),
        with(vec![trouble_scan("2026-03-04 08:00", Reason::Investigation), scan("2026-03-05 08:00", Lost)]),
        with(vec![
            scan("2026-03-04 08:30", OutForDelivery),
            ready("2026-03-04 12:00", "1-1-1111"),
            scan("2026-03-05 09:00", OutForDelivery),
            ready("2026-03-05 12:00", "2-2-2222"),
        ]),
        with(vec![scan("2026-03-04 08:30", OutForDelivery), scan("2026-03-04 11:00", AttemptFailed)]),
    ]
}

#[test]
fn a_journey_without_trouble_is_told_step_by_step() {
    let journey = &journeys()[0];
    assert_eq!(
        said_of(&in_order(journey)),
        ["shipped", "collected", "out_for_delivery 2026-03-04", "delivered 0"]
    );
}

#[test]
fn each_day_each_code_and_each_correction_is_an_occasion_of_its_own() {
    let attempts = said_of(&in_order(&journeys()[1]));
    let code = code_hash(Some("6-2-1034".into()));
    assert_eq!(
        attempts[2..],
        [
            "out_for_delivery 2026-03-04".to_owned(),
            "attempt_failed 2026-03-04".into(),
            "out_for_delivery 2026-03-05".into(),
            "ready_for_pickup".into(),
            format!("ready_for_pickup {code}"),
            "delivered 0".into(),
        ]
    );
    assert!(!code.contains("1034"));
    assert_eq!(
        said_of(&in_order(&journeys()[2]))[3..],
        ["delivered 0", "corrected 1", "delivered 1"],
        "out for delivery was told this day"
    );
    assert_eq!(said_of(&in_order(&journeys()[3]))[3..], ["exception refused", "returning", "returned"]);
    assert_eq!(
        said_of(&in_order(&journeys()[4]))[2..],
        [
            "exception customs_hold",
            "moving_again",
            "exception weather",
            "out_for_delivery 2026-03-06",
            "delivered 0"
        ]
    );
    assert_eq!(said_of(&in_order(&journeys()[5]))[2..], ["exception investigation", "exception lost"]);
}

#[test]
fn a_signature_on_the_way_back_is_never_told_as_delivered() {
    let mut events = journeys()[3].clone();
    events.pop();
    events.push(scan("2026-03-05 12:00", Status::Delivered));
    let told = said_of(&in_order(&events));
    assert_eq!(told.last().map(String::as_str), Some("returned"));
    assert!(!told.iter().any(|notice| notice.starts_with("delivered")), "{told:?}");
}

#[test]
fn a_history_that_comes_at_once_is_told_by_its_end_and_an_old_one_not_at_all() {
    let journey = journeys()[0].clone();
    let (told, _) = played(std::slice::from_ref(&journey), |event| event.received.unwrap());
    assert_eq!(said_of(&told), ["delivered 0"]);
    let (told, _) = played(&[journey], |event| event.received.unwrap() + SignedDuration::from_hours(72));
    assert_eq!(told, []);
}

#[test]
fn a_late_older_scan_says_nothing() {
    let mut events = journeys()[0].clone();
    let late = events.remove(1);
    let known = parcel(&events);
    events.push(late);
    assert_eq!(triggered(&Before::of(&known), &parcel(&events), &zone(), at("2026-03-04 12:00")), []);
}

fn eta(to: &str) -> Option<Eta> {
    let (from, to) = (at(to) - SignedDuration::from_hours(24), at(to));
    Some(Eta { from, to, source: EtaSource::Carrier, precision: EtaPrecision::Day })
}

#[test]
fn a_later_day_is_a_delay_and_an_earlier_or_past_one_is_not() {
    let now = at("2026-03-03 21:00");
    let moving = &journeys()[0][..4];
    let with = |day: &str| Parcel { eta: eta(day), ..parcel(moving) };
    let told = |was: &str, is: &str| said_of(&triggered(&Before::of(&with(was)), &with(is), &zone(), now));
    // A day ends at midnight.
    assert_eq!(told("2026-03-05 00:00", "2026-03-07 00:00"), ["delayed 2026-03-06"]);
    assert_eq!(told("2026-03-07 00:00", "2026-03-05 00:00"), [""; 0]);
    assert_eq!(told("2026-03-01 00:00", "2026-03-03 00:00"), [""; 0], "a day that is over is no date");
    let (was, mut is) = (with("2026-03-05 00:00"), with("2026-03-07 00:00"));
    let late = triggered(&Before::of(&was), &is, &zone(), now).remove(0);
    assert!(still_true(&late, &is, &zone(), now));
    is.eta = eta("2026-03-05 00:00");
    assert!(!still_true(&late, &is, &zone(), now), "it comes in time after all");
}

#[test]
fn a_forecast_is_no_promise_that_could_be_broken() {
    let now = at("2026-03-03 21:00");
    let with = |day: &str, ours: bool| Parcel {
        eta: eta(day),
        reckoned: Some(Reckoned { asked: now, ours }),
        ..parcel(&journeys()[0][..4])
    };
    let told = |was: bool, is: bool| {
        let before = Before::of(&with("2026-03-05 00:00", was));
        triggered(&before, &with("2026-03-07 00:00", is), &zone(), now).len()
    };
    assert_eq!((told(false, false), told(true, true), told(true, false), told(false, true)), (1, 0, 0, 0));
}

#[test]
fn a_stall_is_excused_once_and_its_end_is_told() {
    let moving = parcel(&journeys()[0][..4]);
    let now = at("2026-03-07 21:00");
    let sorry = stalled_notice(&moving, now);
    assert!(still_true(&sorry, &moving, &zone(), now));
    let mut events = journeys()[0][..4].to_vec();
    events.push(scan("2026-03-07 22:00", Status::InTransit));
    let after = parcel(&events);
    assert!(!still_true(&sorry, &after, &zone(), now), "it moves again");
    let now = at("2026-03-07 22:10");
    assert_eq!(triggered(&Before::of(&moving), &after, &zone(), now), []);
    assert_eq!(
        said_of(&triggered(&Before::of(&moving).stalled(true), &after, &zone(), now)),
        ["moving_again"]
    );
}

#[test]
fn shipped_is_told_before_the_first_scan_but_not_of_what_is_long_under_way() {
    let now = at("2026-03-02 09:30");
    let mut fresh = Parcel { shipped_at: Some(at("2026-03-02 09:00")), ..parcel(&[]) };
    let notice = shipped_notice(&fresh, now).unwrap();
    assert!(still_true(&notice, &fresh, &zone(), now));
    assert_eq!(notice.key(), in_order(&journeys()[0])[0].key(), "the carrier's own word is not told again");
    fresh.shipped_at = Some(at("2026-02-20 09:00"));
    assert_eq!(shipped_notice(&fresh, now), None);
    assert_eq!(shipped_notice(&parcel(&journeys()[0]), at("2026-03-04 12:00")), None);
    assert_eq!(shipped_notice(&parcel(&journeys()[3]), at("2026-03-05 13:00")), None);
}

#[test]
fn what_waited_too_long_is_not_said_any_more() {
    let out = parcel(&journeys()[0][..5]);
    let notice = in_order(&journeys()[0]).remove(2);
    assert_eq!(notice.kind, NoticeKind::OutForDelivery);
    assert!(still_true(&notice, &out, &zone(), at("2026-03-04 20:00")));
    assert!(!still_true(&notice, &out, &zone(), at("2026-03-05 09:00")), "yesterday's round");
    assert!(!still_true(&notice, &parcel(&journeys()[0]), &zone(), at("2026-03-04 11:10")), "delivered");
    let again = Parcel { generation: 1, ..out };
    assert!(!still_true(&notice, &again, &zone(), at("2026-03-04 09:00")), "another parcel of this number");
}

#[test]
fn a_number_that_is_used_again_starts_anew() {
    let old = parcel(&journeys()[0]);
    let new = Parcel { generation: 1, ..parcel(&journeys()[0]) };
    let now = at("2026-03-04 11:30");
    assert_eq!(triggered(&Before::of(&old), &old, &zone(), now), []);
    assert_eq!(said_of(&triggered(&Before::of(&old), &new, &zone(), now)), ["delivered 0"]);
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_tells_a_part_of_the_same_and_always_the_end(
        which in 0..journeys().len(),
        order in Just((0..24usize).collect::<Vec<_>>()).prop_shuffle(),
        together in proptest::collection::vec(1..4usize, 24),
    ) {
        let journey = &journeys()[which];
        let proper: BTreeSet<u64> = in_order(journey).iter().map(Notice::key).collect();
        // Each event once and the first ones twice, in any order, in answers of one to three.
        let mut rest: Vec<Event> = order
            .into_iter()
            .filter(|at| *at < journey.len() * 2 && *at < journey.len() + 4)
            .map(|at| journey[at % journey.len()].clone())
            .collect();
        let mut answers = Vec::new();
        for size in together {
            if rest.is_empty() {
                break;
            }
            answers.push(rest.drain(..size.min(rest.len())).collect::<Vec<_>>());
        }
        if !rest.is_empty() {
            answers.push(rest);
        }
        let end = journey.last().unwrap().received.unwrap();
        let (told, last) = played(&answers, |_| end);
        prop_assert_eq!(&last.state, &parcel(journey).state);
        for notice in &told {
            prop_assert!(proper.contains(&notice.key()), "never told in order: {:?}", notice);
        }
        let (kind, _) = said(&last.state, cause(&last), pickup_code(&last), &zone()).unwrap();
        let ended = told.iter().any(|notice| notice.kind == kind && still_true(notice, &last, &zone(), end));
        prop_assert!(ended, "the end was not told: {:?}", told);
    }
}
