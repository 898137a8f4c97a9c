//! Each rule of the model's section 4 with its case, and the laws that hold for any set of events.

use super::*;
use crate::model::status::Meaning;
use crate::model::{Raw, Source, When};
use proptest::prelude::*;

fn event(at: &str, status: Status, text: &str) -> Event {
    let sub = status.default_sub();
    let time = When::parse(at, Some(CHINA)).unwrap();
    let received = time.utc.unwrap() + SignedDuration::from_hours(1);
    let raw = Raw { code: None, status: None, description: Some(text.into()) };
    Event::new("sf", "SF0000000000018", "sf", time, Meaning { status, sub, reason: None }, raw, received)
}

fn in_city(mut event: Event, city: &str) -> Event {
    event.place.city = Some(city.into());
    event
}

fn state(events: &[Event]) -> Folded {
    fold(events.to_vec(), Known::default()).0
}

fn at(text: &str) -> Option<Timestamp> {
    When::parse(text, Some(CHINA)).unwrap().utc
}

#[test]
fn rule_4_1_a_late_older_event_does_not_move_the_status() {
    let events = [
        event("2026-03-02 11:50:00", Status::OutForDelivery, "out"),
        event("2026-03-02 11:40:00", Status::InTransit, "arrived"),
    ];
    let (state, timeline) = fold(events, Known::default());
    assert_eq!(state.status, Status::OutForDelivery);
    assert_eq!(timeline.iter().map(|e| e.description()).collect::<Vec<_>>(), ["arrived", "out"]);
}

#[test]
fn rule_4_2_a_lower_rank_counts_only_after_six_hours_or_in_another_city() {
    let out = event("2026-03-02 08:00:00", Status::OutForDelivery, "out");
    let soon = event("2026-03-02 08:05:00", Status::InTransit, "arrived at facility");
    let next_day = event("2026-03-03 07:00:00", Status::InTransit, "arrived at facility");
    assert_eq!(state(&[out.clone(), soon.clone()]).status, Status::OutForDelivery);
    let later = state(&[out.clone(), next_day]);
    assert_eq!((later.status, later.progress), (Status::InTransit, 4));
    let elsewhere = [in_city(out, "深圳"), in_city(soon, "广州")];
    assert_eq!(state(&elsewhere).status, Status::InTransit);
}

#[test]
fn rule_4_2_an_exception_overlays_and_ends_with_the_next_scan() {
    let mut events = vec![
        event("2026-03-02 08:00:00", Status::InTransit, "moving"),
        event("2026-03-02 09:00:00", Status::Exception, "held"),
    ];
    let held = state(&events);
    assert_eq!((held.status, held.progress, held.reason), (Status::Exception, 3, Some(Reason::Other)));
    events.push(event("2026-03-02 09:10:00", Status::InTransit, "goes on"));
    assert_eq!(state(&events).status, Status::InTransit);
}

#[test]
fn rule_4_4_clean_up_scans_leave_delivered_alone_and_a_new_round_reopens_it() {
    let delivered = event("2026-03-02 10:00:00", Status::Delivered, "signed");
    let scan = event("2026-03-02 10:30:00", Status::InTransit, "hub scan");
    assert_eq!(state(&[delivered.clone(), scan]).status, Status::Delivered);

    let again = [
        delivered,
        event("2026-03-02 14:00:00", Status::OutForDelivery, "out again"),
        event("2026-03-02 15:10:00", Status::Delivered, "signed again"),
    ];
    let (folded, timeline) = fold(again, Known::default());
    assert_eq!((folded.status, folded.reopened), (Status::Delivered, 1));
    assert_eq!(folded.delivered_at, at("2026-03-02 15:10:00"));
    assert_eq!(timeline.iter().map(|e| e.superseded).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn rule_4_4_a_second_delivered_keeps_the_first_time() {
    let mut second = event("2026-03-02 18:00:00", Status::Delivered, "signed, confirmed");
    second.signed_by = Some("前台".into());
    let folded = state(&[event("2026-03-02 10:00:00", Status::Delivered, "signed"), second]);
    assert_eq!(folded.delivered_at, at("2026-03-02 10:00:00"));
    assert_eq!(folded.signed_by.as_deref(), Some("前台"));
}

#[test]
fn rule_4_4_a_correction_in_words_reopens_and_the_second_asks_for_a_person() {
    let mut events = vec![
        event("2026-03-02 10:00:00", Status::Delivered, "signed"),
        event("2026-03-02 11:00:00", Status::InTransit, "快件误签,更正"),
    ];
    assert_eq!(state(&events).status, Status::InTransit);
    events.push(event("2026-03-02 12:00:00", Status::Delivered, "signed 2"));
    events.push(event("2026-03-02 13:00:00", Status::AttemptFailed, "nobody"));
    let folded = state(&events);
    assert_eq!((folded.status, folded.reopened, folded.attention), (Status::AttemptFailed, 2, true));
}

#[test]
fn rule_4_5_the_same_answer_three_times_pushed_and_once_polled_is_one_event() {
    let pushed = Event { source: Source::Push, ..event("2026-03-02 10:00:00", Status::PickedUp, "got") };
    let polled = event("2026-03-02 10:00:00", Status::PickedUp, "got");
    let (_, timeline) = fold([pushed.clone(), pushed.clone(), pushed, polled], Known::default());
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0].source, Source::Both);
}

#[test]
fn rule_4_6_order_is_by_instant_not_by_wall_time_and_a_clock_ahead_is_clamped() {
    let mut shenzhen = event("2026-03-01T20:02:00+08:00", Status::PickedUp, "picked up");
    let mut leipzig = event("2026-03-01T14:30:00+01:00", Status::InTransit, "clearance");
    shenzhen.received = at("2026-03-02 09:00:00");
    leipzig.received = at("2026-03-02 09:00:00");
    let (_, timeline) = fold([leipzig, shenzhen], Known::default());
    assert_eq!(timeline[1].description(), "clearance");

    let mut ahead = event("2026-03-05 10:00:00", Status::InTransit, "from tomorrow");
    ahead.received = at("2026-03-02 10:00:00");
    let folded = state(&[ahead]);
    assert!(folded.attention);
    assert_eq!(folded.last_event, at("2026-03-02 10:00:00"));
}

#[test]
fn rule_4_8_signed_on_the_way_back_is_returned() {
    let mut refused = event("2026-03-02 10:00:00", Status::Exception, "refused");
    refused.reason = Some(Reason::Refused);
    let events = [
        refused,
        event("2026-03-02 12:00:00", Status::Returning, "going back"),
        event("2026-03-03 02:00:00", Status::InTransit, "hub"),
        event("2026-03-03 12:00:00", Status::Delivered, "signed"),
    ];
    assert_eq!(state(&events[..3]).status, Status::Returning);
    let (folded, timeline) = fold(events, Known::default());
    assert_eq!((folded.status, folded.delivered_at), (Status::Returned, None));
    assert_eq!(timeline.iter().map(|e| e.leg).collect::<Vec<_>>(), [0, 1, 1, 1]);
}

#[test]
fn rule_4_10_events_of_an_earlier_parcel_are_foreign() {
    let known = Known { shipped_at: at("2026-02-10 00:00:00"), ..Known::default() };
    let (folded, timeline) = fold([event("2025-01-05 10:00:00", Status::Delivered, "signed")], known);
    assert_eq!((folded.status, timeline.len()), (Status::Unknown, 0));
}

#[test]
fn a_parcel_that_was_shipped_at_the_edge_of_time_is_folded() {
    for (edge, told) in [(Timestamp::MIN, 1), (Timestamp::MAX, 0)] {
        let known = Known { shipped_at: Some(edge), ..Known::default() };
        let (_, timeline) = fold([event("2026-03-02 10:00:00", Status::Delivered, "signed")], known);
        assert_eq!(timeline.len(), told);
    }
}

#[test]
fn a_revoking_event_steps_back_from_delivered() {
    let mut delivered = event("2026-03-02 10:00:00", Status::Delivered, "signed");
    delivered.raw.code = Some("704".into());
    delivered.id = delivered.compute_id();
    let mut undo = event("2026-03-02 11:00:00", Status::Unknown, "revoked");
    undo.revokes = vec!["704".into()];
    let events = [event("2026-03-02 08:00:00", Status::OutForDelivery, "out"), delivered, undo];
    assert_eq!(state(&events).status, Status::OutForDelivery);
}

#[test]
fn two_providers_tell_one_scan_and_the_richer_record_stays() {
    let mut other = event("2026-03-02 10:01:00", Status::PickedUp, "collected by the courier");
    other.provider = "kuaidi100".into();
    let (_, timeline) =
        fold([event("2026-03-02 10:00:00", Status::PickedUp, "got"), other], Known::default());
    assert_eq!(timeline.iter().map(|e| e.superseded).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn two_scans_of_one_answer_are_two_scans() {
    let mut a = event("2026-03-02 10:00:00", Status::InTransit, "arrived");
    let mut b = event("2026-03-02 10:01:00", Status::InTransit, "left");
    a.received = at("2026-03-02 11:00:00");
    b.received = a.received;
    a.last_heard = a.received;
    b.last_heard = b.received;
    let (_, timeline) = fold([a, b], Known::default());
    assert!(timeline.iter().all(|e| !e.superseded));
}

#[test]
fn unmapped_events_are_kept_and_never_move_the_status() {
    let events = [
        event("2026-03-02 10:00:00", Status::PickedUp, "got"),
        event("2026-03-02 11:00:00", Status::Unknown, "??"),
    ];
    let (folded, timeline) = fold(events, Known::default());
    assert_eq!((folded.status, timeline.len()), (Status::PickedUp, 2));
}

#[test]
fn rule_4_1_a_header_status_counts_where_no_scan_says_so() {
    let mut header = event("2026-03-02 12:00:00", Status::Delivered, "");
    header.header = true;
    header.id = header.compute_id();
    let scan = event("2026-03-02 12:00:00", Status::OutForDelivery, "out");
    assert_eq!(state(&[scan.clone(), header.clone()]).status, Status::Delivered);
    let mut earlier = event("2026-03-02 12:00:00", Status::InTransit, "");
    earlier.header = true;
    assert_eq!(state(&[scan, earlier]).status, Status::OutForDelivery);
}

#[test]
fn of_one_scan_in_two_wordings_the_one_with_a_code_stays() {
    let scan = event("2026-03-02 12:00:10", Status::ReadyForPickup, "您的快件已送达【幸福驿站】，请及时领取");
    let mut code = event("2026-03-02 12:00:00", Status::ReadyForPickup, "");
    code.provider = "another".into();
    code.pickup.code = Some("6-2-1034".into());
    for events in [[scan.clone(), code.clone()], [code, scan]] {
        let (_, timeline) = fold(events, Known::default());
        let told: Vec<_> = timeline.iter().filter(|event| !event.superseded).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].pickup.code.as_deref(), Some("6-2-1034"));
    }
}

#[test]
fn rule_4_3_a_late_pickup_fills_the_gap_and_changes_nothing_else() {
    let out = event("2026-03-02 11:00:00", Status::OutForDelivery, "out");
    let before = state(std::slice::from_ref(&out));
    let after = state(&[out, event("2026-03-01 18:00:00", Status::PickedUp, "got")]);
    assert_eq!(after.picked_up_at, at("2026-03-01 18:00:00"));
    assert_eq!((after.status, after.since, after.progress), (before.status, before.since, before.progress));
}

#[test]
fn rule_4_4_only_within_fifteen_days() {
    let delivered = event("2026-03-02 10:00:00", Status::Delivered, "signed");
    for (late, status) in
        [("2026-03-17 09:00:00", Status::OutForDelivery), ("2026-03-17 11:00:00", Status::Delivered)]
    {
        assert_eq!(
            state(&[delivered.clone(), event(late, Status::OutForDelivery, "out")]).status,
            status,
            "{late}"
        );
    }
    let scan = |time| state(&[delivered.clone(), event(time, Status::InTransit, "hub")]).status;
    assert_eq!(scan("2026-03-03 10:00:00"), Status::Delivered);
    assert_eq!(scan("2026-03-03 10:00:01"), Status::InTransit);
}

#[test]
fn rule_4_4_b_returning_after_delivered_opens_the_way_back() {
    let folded = state(&[
        event("2026-03-02 10:00:00", Status::Delivered, "signed"),
        event("2026-03-03 10:00:00", Status::Returning, "back"),
    ]);
    assert_eq!((folded.status, folded.leg, folded.delivered_at), (Status::Returning, 1, None));
}

#[test]
fn rule_4_4_a_correction_marks_every_delivery_before_it() {
    let mut undo = event("2026-03-02 12:00:00", Status::Unknown, "误签收，更正");
    undo.sub = None;
    let (folded, timeline) = fold(
        [
            event("2026-03-02 10:00:00", Status::Delivered, "signed"),
            event("2026-03-02 11:00:00", Status::Delivered, "signed, picture"),
            undo,
        ],
        Known::default(),
    );
    assert_ne!(folded.status, Status::Delivered);
    assert_eq!((folded.delivered_at, folded.reopened), (None, 1));
    assert_eq!(timeline.iter().map(|e| e.superseded).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn rule_4_8_a_lost_parcel_may_come_back_and_keeps_its_progress_whole() {
    let folded = state(&[
        event("2026-03-02 10:00:00", Status::Lost, "lost"),
        event("2026-03-02 12:00:00", Status::Returning, "found, going back"),
    ]);
    assert_eq!((folded.status, folded.progress), (Status::Returning, 5));
}

#[test]
fn rule_4_10_nothing_of_this_parcel_is_not_found() {
    assert_eq!(state(&[]).sub, Some(Sub::NotFound));
    let known = Known { shipped_at: at("2026-02-10 00:00:00"), ..Known::default() };
    let (folded, _) = fold([event("2025-01-05 10:00:00", Status::Delivered, "signed")], known);
    assert_eq!(folded.sub, Some(Sub::NotFound));
}

#[test]
fn rule_4_11_after_a_hand_over_the_last_miles_word_counts() {
    let mut handed = event("2026-03-02 08:00:00", Status::InTransit, "handed over");
    handed.sub = Some(Sub::HandedToPartner);
    let theirs = event("2026-03-02 09:00:00", Status::Delivered, "delivered to partner");
    let mut ours = event("2026-03-02 10:00:00", Status::InTransit, "arrived at depot");
    ours.carrier = "usps".into();
    assert_eq!(state(&[handed.clone(), theirs.clone()]).status, Status::Delivered);
    assert_eq!(state(&[handed, theirs, ours]).status, Status::InTransit);
}

#[test]
fn we_stopped_asking_never_hides_an_end() {
    let expired = event("2026-04-20 10:00:00", Status::Expired, "no information");
    for end in [Status::Delivered, Status::Returned, Status::Lost, Status::Cancelled] {
        let folded = state(&[event("2026-03-02 10:00:00", end, "end"), expired.clone()]);
        assert_eq!(folded.status, end);
    }
    let folded = state(&[event("2026-03-02 10:00:00", Status::InTransit, "moving"), expired]);
    assert_eq!((folded.status, folded.progress), (Status::Expired, 3));
}

#[test]
fn a_revoked_delivery_is_gone_in_every_wording() {
    let mut delivered = event("2026-03-02 10:00:00", Status::Delivered, "signed");
    delivered.raw.code = Some("704".into());
    delivered.id = delivered.compute_id();
    let mut twin = event("2026-03-02 10:01:00", Status::Delivered, "the parcel was signed for");
    twin.provider = "kuaidi100".into();
    let mut undo = event("2026-03-02 10:30:00", Status::Unknown, "revoked");
    undo.revokes = vec!["704".into()];
    let out = event("2026-03-02 08:00:00", Status::OutForDelivery, "out");
    let folded = state(&[out, delivered, twin, undo]);
    assert_eq!((folded.status, folded.delivered_at, folded.reopened), (Status::OutForDelivery, None, 1));
}

fn any_event() -> impl Strategy<Value = Event> {
    let statuses = proptest::sample::select(Status::ALL);
    let providers = proptest::sample::select(vec!["sf", "kuaidi100", "kdniao"]);
    (0i64..40, statuses, 0usize..4, providers, 0i64..5, any::<bool>()).prop_map(
        |(minutes, status, words, provider, heard, push)| {
            let base: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
            let time = base + SignedDuration::from_mins(minutes * 97 / 3);
            let mut event = event(&time.to_string(), status, ["甲", "乙 到达", "离开 丙", "签收"][words]);
            event.provider = provider.into();
            event.received = Some(base + SignedDuration::from_hours(30 + heard));
            event.last_heard = event.received;
            event.source = if push { Source::Push } else { Source::Poll };
            if words == 1 {
                event.place.city = Some("深圳".into());
            }
            // Copies of one event that know different things.
            match heard {
                0 => event.courier.phone = Some("13800000000".into()),
                1 => event.signed_by = Some("门卫".into()),
                2 => event.place.text = Some(format!("站{words}")),
                3 if words == 3 => event.revokes = vec!["704".into()],
                _ => event.raw.code = Some("704".into()),
            }
            if words == 2 && status == Status::InTransit {
                event.sub = Some(Sub::HandedToPartner);
            }
            if words == 0 && heard == 4 {
                event.carrier = "usps".into();
                event.raw.description = Some("误签".into());
            }
            event.id = event.compute_id();
            event
        },
    )
}

proptest! {
    #[test]
    fn any_order_any_number_of_times_any_split(
        events in proptest::collection::vec(any_event(), 0..25),
        seed in any::<u64>(),
        cut in 0usize..25,
    ) {
        let expected = fold(events.clone(), Known::default());
        let mut shuffled = events.clone();
        shuffled.extend(events.iter().take(cut).cloned());
        let mut random = seed | 1;
        for at in (1..shuffled.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            shuffled.swap(at, (random % (at as u64 + 1)) as usize);
        }
        prop_assert_eq!(&fold(shuffled, Known::default()), &expected);
        let (first, second) = events.split_at(cut.min(events.len()));
        let (_, stored) = fold(first.to_vec(), Known::default());
        prop_assert_eq!(&fold(stored.into_iter().chain(second.to_vec()), Known::default()), &expected);
        // Two halves folded apart and put together are the whole, and folding again changes nothing.
        let (_, first) = fold(first.to_vec(), Known::default());
        let (_, second) = fold(second.to_vec(), Known::default());
        prop_assert_eq!(&fold(second.into_iter().chain(first), Known::default()), &expected);
        prop_assert_eq!(&fold(expected.1.clone(), Known::default()), &expected);
    }

    #[test]
    fn progress_covers_the_status_and_delivered_has_its_time(events in proptest::collection::vec(any_event(), 0..25)) {
        let (state, _) = fold(events, Known::default());
        prop_assert!(state.progress >= state.status.progress());
        prop_assert_eq!(state.delivered_at.is_some(), state.status == Status::Delivered);
    }
}
