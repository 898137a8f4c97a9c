//! What follows from a parcel's new state for its buyers: notices to tell, each staged once. Pure; the telling comes
//! later. Must never stage a notice whose key was staged before.

use super::quiet;
use super::triggers::{Before, shipped_notice, stalled_notice, triggered};
use crate::model::{Notice, NoticeRules, Parcel};
use jiff::{Timestamp, tz::TimeZone};

/// Keys that are remembered: more than a parcel's life has notices.
const KEYS: usize = 64;

/// Stages what is to be told after `before` became `parcel`. `stalled`: it was just found to stand still.
pub fn announce(
    rules: &NoticeRules,
    zone: &TimeZone,
    before: Option<&Parcel>,
    parcel: &mut Parcel,
    stalled: bool,
    now: Timestamp,
) {
    let before = before.map(Before::of).unwrap_or_default();
    let mut notices = Vec::new();
    // Told of nothing yet: the first word is that it is on its way.
    if parcel.told.is_empty() {
        notices.extend(shipped_notice(parcel, now));
    }
    notices.extend(triggered(&before, parcel, zone, now));
    if stalled {
        notices.push(stalled_notice(parcel, now));
    }
    for notice in notices {
        stage(rules, parcel, notice, now);
    }
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
    if rules.off.contains(&notice.kind) {
        return;
    }
    let due = quiet::due(parcel.told_at, notice.kind, now);
    parcel.pending_due = Some(parcel.pending_due.map_or(due, |earlier| earlier.min(due)));
    parcel.pending.push(notice);
}
