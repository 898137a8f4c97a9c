//! Each row of the table, and what holds for every parcel.

use super::*;
use crate::model::Folded;
use crate::model::status::Sub;
use proptest::prelude::*;

/// Noon in Shanghai.
fn noon() -> Timestamp {
    "2026-03-02T04:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A parcel that was asked about just now; its status has lasted for `lasts`.
fn parcel(status: Status, lasts: SignedDuration) -> Parcel {
    let now = noon();
    Parcel {
        carrier: "sf".into(),
        number: "SF0000000000018".into(),
        shipped_at: Some(now - lasts - hours(1)),
        last_checked: Some(now),
        last_asked: Some(now),
        state: Folded { status, since: Some(now - lasts), ..Folded::default() },
        ..Parcel::default()
    }
}

fn rules() -> Rules {
    Rules { min_interval: SignedDuration::ZERO, ..Rules::default() }
}

/// The wait is the usual one, ten per cent up or down.
#[track_caller]
fn waits(parcel: &Parcel, rules: &Rules, usual: SignedDuration) {
    let now = noon();
    let wait = next_check(parcel, rules, now).unwrap().duration_since(now);
    let (low, high) = (times(usual, 0.899), times(usual, 1.101));
    assert!((low..=high).contains(&wait), "{wait:#} is not about {usual:#}");
}

#[test]
fn a_number_without_data_is_asked_about_ever_less() {
    let new = |age| Parcel { state: Folded::default(), ..parcel(Status::Unknown, age - hours(1)) };
    let mut young = new(hours(2));
    for (empty, minutes) in [(0, 30), (1, 60), (2, 120), (3, 180), (9, 180)] {
        young.empty_checks = empty;
        waits(&young, &rules(), SignedDuration::from_mins(minutes));
    }
    waits(&new(hours(7)), &rules(), hours(3));
    waits(&new(hours(73)), &rules(), hours(6));
    waits(&new(hours(8 * 24)), &rules(), hours(24));
    assert_eq!(next_check(&new(hours(30 * 24)), &rules(), noon()), None);
    let never = Parcel { last_asked: None, last_checked: None, ..new(hours(2)) };
    let first = next_check(&never, &rules(), noon()).unwrap().duration_since(noon());
    assert!(first >= SignedDuration::ZERO && first <= SignedDuration::from_mins(3), "{first:#}");
}

#[test]
fn a_label_and_a_parcel_on_its_way() {
    waits(&parcel(Status::InfoReceived, hours(1)), &rules(), hours(3));
    waits(&parcel(Status::InfoReceived, hours(49)), &rules(), hours(6));
    let mut moving = parcel(Status::InTransit, hours(20));
    waits(&moving, &rules(), hours(2));
    waits(&parcel(Status::PickedUp, hours(20)), &rules(), hours(2));
    moving.empty_checks = 1;
    waits(&moving, &rules(), hours(3));
    moving.empty_checks = 7;
    waits(&moving, &rules(), hours(6));
    waits(&moving, &Rules { cross_border: true, ..rules() }, hours(24));
    moving.empty_checks = 0;
    for sub in [Sub::ArrivedDestinationCity, Sub::CustomsReleased] {
        moving.state.sub = Some(sub);
        waits(&moving, &rules(), hours(1));
    }
}

#[test]
fn near_the_end_and_in_trouble() {
    let out = parcel(Status::OutForDelivery, hours(3));
    waits(&out, &rules(), SignedDuration::from_mins(30));
    let night = Rules { zone: TimeZone::fixed(jiff::tz::Offset::constant(-4)), ..rules() };
    waits(&out, &night, hours(3));
    waits(&parcel(Status::OutForDelivery, hours(25)), &rules(), hours(2));
    waits(&parcel(Status::ReadyForPickup, hours(30)), &rules(), hours(3));
    for status in [Status::AttemptFailed, Status::Exception] {
        waits(&parcel(status, hours(3)), &rules(), hours(2));
        waits(&parcel(status, hours(25)), &rules(), hours(6));
    }
    waits(&parcel(Status::Returning, hours(30)), &rules(), hours(6));
}

#[test]
fn what_is_over_is_watched_for_three_days() {
    for status in [Status::Delivered, Status::Returned, Status::Lost, Status::Cancelled] {
        waits(&parcel(status, hours(71)), &rules(), hours(24));
        assert_eq!(next_check(&parcel(status, hours(72)), &rules(), noon()), None);
    }
    assert_eq!(next_check(&parcel(Status::Expired, hours(1)), &rules(), noon()), None);
    assert_eq!(next_check(&parcel(Status::InTransit, hours(90 * 24)), &rules(), noon()), None);
}

#[test]
fn what_nobody_asks_about_any_more_has_expired() {
    let at = |status, days: i64| expired(&parcel(status, hours(days * 24)), noon());
    assert_eq!((at(Status::Unknown, 29), at(Status::Unknown, 30)), (None, Some(Sub::NoUpdate)));
    assert_eq!((at(Status::InTransit, 89), at(Status::InTransit, 90)), (None, Some(Sub::Age)));
    assert_eq!(at(Status::Delivered, 90), None);
    let order = [Status::OutForDelivery, Status::Exception, Status::InTransit, Status::Delivered];
    assert!(order.map(|status| rank(&parcel(status, hours(1)))).is_sorted());
}

#[test]
fn pushes_a_demo_a_failure_and_the_floor() {
    let moving = parcel(Status::InTransit, hours(20));
    waits(&moving, &Rules { pushes: true, ..rules() }, hours(8));
    waits(&parcel(Status::Delivered, hours(1)), &Rules { pushes: true, ..rules() }, hours(24));
    waits(&moving, &Rules { speed: 120.0, ..rules() }, SignedDuration::from_mins(1));
    let floor = Rules { speed: 120.0, min_interval: SignedDuration::from_mins(30), ..rules() };
    assert_eq!(next_check(&moving, &floor, noon()), Some(noon() + SignedDuration::from_mins(30)));
    let failed = |failures| Parcel { failures, last_checked: None, ..moving.clone() };
    waits(&failed(1), &rules(), SignedDuration::from_mins(30));
    waits(&failed(2), &rules(), SignedDuration::from_mins(60));
    waits(&failed(40), &rules(), hours(2));
}

#[test]
fn what_was_imported_together_is_not_asked_about_together() {
    let many: std::collections::BTreeSet<Timestamp> = (0..500)
        .filter_map(|i| {
            let one = Parcel { number: format!("SF{i:013}"), ..parcel(Status::InTransit, hours(20)) };
            next_check(&one, &rules(), noon())
        })
        .collect();
    assert!(many.len() > 480, "{} moments", many.len());
    let spread = many.last().unwrap().duration_since(*many.first().unwrap());
    assert!(spread > SignedDuration::from_mins(20), "{spread:#}");
}

fn any_parcel() -> impl Strategy<Value = Parcel> {
    let times =
        (0_i64..100 * 24, 0_i64..100 * 24, prop::option::of(0_i64..200), prop::option::of(0_i64..200));
    let state = (0..Status::ALL.len(), prop::option::of(0..Sub::ALL.len()), any::<bool>());
    (times, state, 0_u32..100, 0_u32..40, 0_u32..60).prop_map(
        |((shipped, since, checked, asked), (status, sub, known), checks, empty_checks, failures)| {
            let ago = |time: i64| noon() - hours(time);
            Parcel {
                carrier: "zto".into(),
                number: "75000000000001".into(),
                shipped_at: known.then(|| ago(shipped)),
                state: Folded {
                    status: Status::ALL[status],
                    sub: sub.map(|sub| Sub::ALL[sub]),
                    since: known.then(|| ago(since)),
                    ..Folded::default()
                },
                last_checked: checked.map(ago),
                last_asked: asked.map(ago),
                checks,
                empty_checks,
                failures,
                ..Parcel::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn never_in_the_past_and_never_below_the_floor(
        parcel in any_parcel(),
        floor in 0_i64..3_000,
        pushes in any::<bool>(),
        cross_border in any::<bool>(),
        speed in prop::sample::select(vec![0.0, 1.0, 60.0, f64::NAN, f64::INFINITY]),
    ) {
        let min_interval = SignedDuration::from_mins(floor);
        let rules = Rules { min_interval, pushes, cross_border, speed, ..Rules::default() };
        if expired(&parcel, noon()).is_some() {
            prop_assert_eq!(next_check(&parcel, &rules, noon()), None);
        }
        if let Some(next) = next_check(&parcel, &rules, noon()) {
            prop_assert!(next >= noon());
            if let Some(asked) = parcel.last_asked.max(parcel.last_checked) {
                prop_assert!(next.duration_since(asked) >= min_interval);
            }
            prop_assert_eq!(next_check(&parcel, &rules, noon()), Some(next), "no randomness");
        }
    }

    #[test]
    fn asking_ends_for_every_parcel(parcel in any_parcel(), answers in any::<bool>(), cross_border in any::<bool>()) {
        let mut parcel = parcel;
        let rules = Rules { cross_border, ..Rules::default() };
        let mut now = noon();
        let mut asked = 0;
        while let Some(next) = next_check(&parcel, &rules, now) {
            now = next;
            parcel.last_asked = Some(now);
            if answers {
                parcel.last_checked = Some(now);
                parcel.checks += 1;
                parcel.empty_checks += 1;
                parcel.failures = 0;
            } else {
                // Also where nobody ever answers: the loop counts it as a check.
                parcel.checks += 1;
                parcel.failures += 1;
            }
            asked += 1;
            prop_assert!(asked < 5_000, "still asked at {now}");
        }
    }
}
