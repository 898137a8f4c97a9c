//! What follows from a parcel's new state for its buyers: notices to tell, each staged once. Pure; the telling comes
//! later. Must never stage a notice whose key was staged before.

use super::quiet;
use super::triggers::{Before, promised_notice, shipped_notice, stalled_notice, triggered};
use crate::model::trouble::TroubleKind;
use crate::model::{Notice, NoticeKind, NoticeRules, Parcel};
use jiff::{Timestamp, tz::TimeZone};

/// Keys that are remembered: more than a parcel's life has notices.
const KEYS: usize = 64;

/// Stages what is to be told after `before` became `parcel`. `stalled`: it was just found to stand still. A stall that
/// was found while the carrier did not answer is excused with the next answer, if it still stands.
pub fn announce(
    rules: &NoticeRules,
    zone: &TimeZone,
    before: Option<&Parcel>,
    parcel: &mut Parcel,
    stalled: bool,
    now: Timestamp,
) {
    let before = before.map(|before| Before::of(before).stalled(is_stuck(before))).unwrap_or_default();
    let mut notices = Vec::new();
    // Told of nothing yet: the first word is that it is on its way.
    if parcel.told.is_empty() {
        notices.extend(shipped_notice(parcel, now));
    }
    notices.extend(triggered(&before, parcel, zone, now));
    if stalled || is_stuck(parcel) {
        notices.push(stalled_notice(parcel, now));
    }
    for notice in notices {
        stage(rules, parcel, notice, now);
    }
    keep_promise(rules, parcel, now);
}

/// Whoever asked in vain hears what is known now, or at last that nothing is. News of this very moment says it too.
fn keep_promise(rules: &NoticeRules, parcel: &mut Parcel, now: Timestamp) {
    let Some(by) = parcel.promised else { return };
    let known = !parcel.events.is_empty();
    if !known && now < by {
        return;
    }
    parcel.promised = None;
    if !known || parcel.pending.is_empty() {
        let kind = if known { NoticeKind::Answered } else { NoticeKind::Unanswered };
        stage(rules, parcel, promised_notice(kind, parcel, by, now), now);
    }
}

fn is_stuck(parcel: &Parcel) -> bool {
    parcel.troubles.iter().any(|trouble| trouble.kind == TroubleKind::Stuck)
}

fn stage(rules: &NoticeRules, parcel: &mut Parcel, notice: Notice, now: Timestamp) {
    let key = notice.key();
    if parcel.told.contains(&key) {
        return;
    }
    if parcel.told.len() >= KEYS {
        parcel.told.remove(0);
    }
    parcel.told.push(key);
    if rules.off.contains(&notice.kind) && !notice.kind.is_promised() {
        return;
    }
    let due = quiet::due(parcel.told_at, notice.kind, now);
    parcel.pending_due = Some(parcel.pending_due.map_or(due, |earlier| earlier.min(due)));
    parcel.pending.push(notice);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fold::{Known, fold};
    use crate::model::trouble::Trouble;
    use crate::model::when::CHINA;
    use crate::model::{Event, Meaning, NoticeKind, Raw, Status, When};
    use jiff::SignedDuration;

    fn moving(scans: &[&str]) -> Parcel {
        let events = scans.iter().map(|at| {
            let time = When::parse(at, Some(CHINA)).unwrap();
            let received = time.utc.unwrap();
            let meaning = Meaning { status: Status::InTransit, sub: None, reason: None };
            Event::new("sf", "SF0000000000018", "sf", time, meaning, Raw::default(), received)
        });
        let (state, events) = fold(events, Known::default());
        Parcel { carrier: "sf".into(), number: "SF0000000000018".into(), state, events, ..Parcel::default() }
    }

    fn stuck(mut parcel: Parcel) -> Parcel {
        let since = parcel.state.last_event.unwrap();
        parcel.troubles =
            vec![Trouble { kind: TroubleKind::Stuck, reason: None, since, leg: 0, alert: true }];
        parcel
    }

    fn kinds(parcel: &Parcel) -> Vec<NoticeKind> {
        parcel.pending.iter().map(|notice| notice.kind).collect()
    }

    #[test]
    fn a_stall_is_excused_once_also_where_it_was_found_while_nobody_answered_and_its_end_is_told() {
        let (rules, zone) = (NoticeRules::default(), TimeZone::get("Asia/Shanghai").unwrap());
        let now: Timestamp = "2026-03-06T02:00:00Z".parse().unwrap();
        let before = Parcel { told: vec![1], ..stuck(moving(&["2026-03-02 09:00"])) };
        let mut parcel = before.clone();
        announce(&rules, &zone, Some(&before), &mut parcel, false, now);
        assert_eq!(kinds(&parcel), [NoticeKind::Stalled]);
        let before = parcel.clone();
        announce(&rules, &zone, Some(&before), &mut parcel, true, now);
        assert_eq!(kinds(&parcel), [NoticeKind::Stalled]);

        let scans = moving(&["2026-03-02 09:00", "2026-03-06 12:00"]);
        let mut after = Parcel { told: parcel.told.clone(), ..scans };
        let now = now + SignedDuration::from_hours(3);
        announce(&rules, &zone, Some(&parcel), &mut after, false, now);
        assert_eq!(kinds(&after), [NoticeKind::MovingAgain]);
    }
}
