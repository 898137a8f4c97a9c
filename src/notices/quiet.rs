//! When a notice may reach its buyer: not at night, not too many a day, and not two where one message will do.
//! Must never hold back a pickup code or a delivery to join it with other news.

use crate::model::{NoticeKind, NoticeRules, QuietHours};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Further news of a parcel within this time after a message is joined into one (model 4.14).
pub const JOIN: SignedDuration = SignedDuration::from_mins(10);

/// When a notice of a parcel is due, hours aside: at once, but no sooner than [`JOIN`] after the parcel's last message,
/// so that news in quick succession becomes one message. `last_told`: when this buyer was last told of this parcel.
pub fn due(last_told: Option<Timestamp>, kind: NoticeKind, now: Timestamp) -> Timestamp {
    match last_told {
        // A clock that was ahead for a while has left times behind that are still to come.
        Some(told) if !kind.never_held_back() => now.max(told.min(now) + JOIN),
        _ => now,
    }
}

/// The first moment from `due` on at which the buyer may be told: outside of quiet hours in their zone, unless the shop
/// calls the kind urgent. Never before `now`.
pub fn when(
    now: Timestamp,
    due: Timestamp,
    zone: &TimeZone,
    rules: &NoticeRules,
    kind: NoticeKind,
) -> Timestamp {
    let at = due.max(now);
    match rules.quiet {
        Some(quiet) if !rules.urgent.contains(&kind) => after_quiet(at, zone, quiet),
        _ => at,
    }
}

/// The first moment from `at` on at which the day's number of messages is not used up: `at` itself, or when the next
/// day may begin. `told`: when this buyer was told something, at least of this day. What a buyer acts on always goes.
pub fn within_the_day(
    told: &[Timestamp],
    at: Timestamp,
    zone: &TimeZone,
    rules: &NoticeRules,
    kind: NoticeKind,
) -> Timestamp {
    let day = zone.to_datetime(at).date();
    let today = told.iter().filter(|told| zone.to_datetime(**told).date() == day).count();
    let full = rules.most_a_day > 0 && today >= rules.most_a_day as usize;
    if !full || kind.never_held_back() || rules.urgent.contains(&kind) {
        return at;
    }
    let Some(tomorrow) = day.tomorrow().ok().and_then(|day| moment(day, Time::midnight(), zone)) else {
        return at;
    };
    rules.quiet.map_or(tomorrow, |quiet| after_quiet(tomorrow, zone, quiet))
}

/// `at`, or the end of the quiet hours that it falls into.
fn after_quiet(at: Timestamp, zone: &TimeZone, quiet: QuietHours) -> Timestamp {
    let local = zone.to_datetime(at);
    let (time, over_midnight) = (local.time(), quiet.from > quiet.to);
    let evening = over_midnight && time >= quiet.from;
    let is_quiet = match over_midnight {
        true => evening || time < quiet.to,
        false => quiet.from <= time && time < quiet.to,
    };
    if !is_quiet {
        return at;
    }
    let day = if evening { local.date().tomorrow().ok() } else { Some(local.date()) };
    // A clock that is set back makes an hour come twice: the end must still lie ahead.
    day.and_then(|day| moment(day, quiet.to, zone)).map_or(at, |end| end.max(at))
}

fn moment(day: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(day.to_datetime(time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai(text: &str) -> Timestamp {
        format!("{}+08:00", text.replace(' ', "T")).parse().unwrap()
    }

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn told_at(now: &str, rules: &NoticeRules, kind: NoticeKind) -> Timestamp {
        let now = shanghai(now);
        when(now, now, &zone(), rules, kind)
    }

    #[test]
    fn nobody_is_woken_unless_the_shop_says_so() {
        let rules = NoticeRules { urgent: vec![NoticeKind::ReadyForPickup], ..NoticeRules::default() };
        let kind = NoticeKind::Delivered;
        assert_eq!(told_at("2026-03-02 21:59:59", &rules, kind), shanghai("2026-03-02 21:59:59"));
        assert_eq!(told_at("2026-03-02 22:00:00", &rules, kind), shanghai("2026-03-03 08:00:00"));
        assert_eq!(told_at("2026-03-03 03:00:00", &rules, kind), shanghai("2026-03-03 08:00:00"));
        assert_eq!(told_at("2026-03-03 08:00:00", &rules, kind), shanghai("2026-03-03 08:00:00"));
        let urgent = NoticeKind::ReadyForPickup;
        assert_eq!(told_at("2026-03-02 23:00:00", &rules, urgent), shanghai("2026-03-02 23:00:00"));
        let never = NoticeRules { quiet: None, ..rules };
        assert_eq!(told_at("2026-03-02 23:00:00", &never, kind), shanghai("2026-03-02 23:00:00"));
    }

    #[test]
    fn a_midday_rest_is_one_of_the_same_day_and_a_whole_day_is_none() {
        let rest = |from, to| NoticeRules {
            quiet: Some(QuietHours { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0) }),
            ..NoticeRules::default()
        };
        let kind = NoticeKind::Collected;
        assert_eq!(told_at("2026-03-02 12:30:00", &rest(12, 14), kind), shanghai("2026-03-02 14:00:00"));
        assert_eq!(told_at("2026-03-02 23:30:00", &rest(12, 14), kind), shanghai("2026-03-02 23:30:00"));
        assert_eq!(told_at("2026-03-02 09:00:00", &rest(9, 9), kind), shanghai("2026-03-02 09:00:00"));
    }

    #[test]
    fn the_first_news_goes_at_once_and_further_news_of_ten_minutes_is_joined() {
        let told = shanghai("2026-03-02 10:00:00");
        let now = shanghai("2026-03-02 10:04:00");
        assert_eq!(due(None, NoticeKind::Collected, now), now);
        assert_eq!(due(Some(told), NoticeKind::OutForDelivery, now), shanghai("2026-03-02 10:10:00"));
        assert_eq!(due(Some(told), NoticeKind::Delivered, now), now);
        assert_eq!(due(Some(told), NoticeKind::ReadyForPickup, now), now);
        let later = shanghai("2026-03-02 10:30:00");
        assert_eq!(due(Some(told), NoticeKind::OutForDelivery, later), later);
    }

    #[test]
    fn the_seventh_message_of_a_day_waits_for_the_next_morning_but_a_delivery_does_not() {
        let rules = NoticeRules::default();
        let told: Vec<Timestamp> =
            (9..15).map(|hour| shanghai(&format!("2026-03-02 {hour:02}:00:00"))).collect();
        let now = shanghai("2026-03-02 16:00:00");
        let at = |told: &[Timestamp], kind| within_the_day(told, now, &zone(), &rules, kind);
        assert_eq!(at(&told[1..], NoticeKind::Delayed), now);
        assert_eq!(at(&told, NoticeKind::Delayed), shanghai("2026-03-03 08:00:00"));
        assert_eq!(at(&told, NoticeKind::Delivered), now);
        let morning = shanghai("2026-03-03 08:00:00");
        assert_eq!(within_the_day(&told, morning, &zone(), &rules, NoticeKind::Delayed), morning);
    }

    proptest::proptest! {
        #[test]
        fn what_waits_comes_out_of_quiet_within_a_day(
            second in 1_700_000_000_i64..1_900_000_000,
            from in 0..24_i8,
            to in 0..24_i8,
            name in proptest::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
        ) {
            let zone = TimeZone::get(name).unwrap();
            let hours = QuietHours { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0) };
            let rules = NoticeRules { quiet: Some(hours), ..NoticeRules::default() };
            let now = Timestamp::from_second(second).unwrap();
            let at = when(now, now, &zone, &rules, NoticeKind::Collected);
            proptest::prop_assert!(at >= now && at.duration_since(now) <= SignedDuration::from_hours(25));
            let again = when(at, at, &zone, &rules, NoticeKind::Collected);
            // Where the clock is set back, quiet hours may end twice.
            proptest::prop_assert!(again.duration_since(at) <= SignedDuration::from_hours(1));
        }
    }
}
