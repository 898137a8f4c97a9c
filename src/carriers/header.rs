//! An answer's header status ("signed", "problem") beside its scans. Must never overrule a scan that says more.

use crate::model::when::CHINA;
use crate::model::{Event, Meaning, Raw, Status, When};
use jiff::{SignedDuration, Timestamp};

/// Adds the header to the scans, where its code has a meaning that says more than they do.
pub(super) fn add_header(
    events: &mut Vec<Event>,
    code: Option<&str>,
    meaning: impl Fn(&str) -> Option<Meaning>,
    now: Timestamp,
) {
    let said = code.and_then(|code| Some((meaning(code)?, code)));
    let added = said.and_then(|(meaning, code)| header(meaning, code, events, now));
    events.extend(added);
}

/// The header as an event, where it says more than the newest scan. It has no time of its own: it stands with
/// that scan, or just after it where it would otherwise sort before (a problem inferred from silence; a parcel that
/// waits although its last scan says "out for delivery"). A header that is behind the scans says nothing.
pub(super) fn header(said: Meaning, code: &str, events: &[Event], now: Timestamp) -> Option<Event> {
    let newest = events.iter().max_by_key(|event| (event.time.utc, event.status.rank_tenths()))?;
    let problem = said.status == Status::Exception && !newest.status.is_final();
    let behind = said.status.rank_tenths() < newest.status.rank_tenths() && !problem;
    if said.status == Status::Unknown || said.status == newest.status || behind {
        return None;
    }
    let after = problem || said.status.rank_tenths() == newest.status.rank_tenths();
    let later = newest.time.utc.and_then(|utc| utc.checked_add(SignedDuration::from_secs(1)).ok());
    let time = match later.filter(|_| after) {
        Some(utc) => When::at(utc, CHINA, newest.time.zone_source),
        None => newest.time.clone(),
    };
    let raw = Raw { code: Some(code.to_owned()), status: None, description: None };
    let mut event = Event::new(&newest.carrier, &newest.number, &newest.provider, time, said, raw, now);
    event.header = true;
    Some(event)
}
