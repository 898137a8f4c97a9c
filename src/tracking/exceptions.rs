//! What is wrong with a parcel now, and when the next thing could be wrong without any news: silence, delay and waiting
//! are judged by the clock, the rest by what the carrier or the buyer said. Pure; a trouble that is not named any more
//! has cleared. Must never call silence what nobody asked about.
//! Source: normalized tracking model section 5.

use super::calendar::{Calendar, Pace};
use crate::model::event::canonical;
use crate::model::status::Sub;
use crate::model::when::CHINA;
use crate::model::{Eta, EtaPrecision, Event, Parcel, Reason, Status, Thresholds, Trouble, TroubleKind};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Silence counts where somebody told us anything, if only "nothing new", so shortly before the time was up. A carrier
/// that cannot be reached is no silent carrier.
const LISTENED: SignedDuration = SignedDuration::from_hours(24);
/// Beyond what is usual on a lane (model 5: p90 and a day).
const BEYOND_USUAL: SignedDuration = SignedDuration::from_hours(24);

/// What a parcel is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Those of its carrier and shop.
    pub thresholds: &'a Thresholds,
    /// Holidays and sales.
    pub calendar: &'a Calendar,
    /// The shop's zone: its days are counted.
    pub zone: &'a TimeZone,
    /// How long nine of ten parcels take on this lane, where that is known: for parcels without an expected day.
    pub usual: Option<SignedDuration>,
}

/// Everything that is wrong now, at most one of each kind.
pub fn troubles(parcel: &Parcel, terms: &Terms, now: Timestamp) -> Vec<Trouble> {
    let mut found = told(parcel, terms);
    let heard = parcel.last_heard();
    for limit in limits(parcel, terms) {
        let listened = heard.is_some_and(|heard| heard.duration_since(limit.due) >= -LISTENED);
        if limit.due > now || !listened {
            continue;
        }
        let trouble = Trouble {
            kind: limit.kind,
            reason: None,
            since: limit.since,
            leg: parcel.state.leg,
            alert: limit.alert,
        };
        match found.iter_mut().find(|known| known.kind == limit.kind) {
            Some(known) => known.alert |= limit.alert,
            None => found.push(trouble),
        }
    }
    found.sort_by_key(|trouble| trouble.kind);
    found
}

/// When the next trouble could begin, or grow, without any news; then it is worth a look. None: only news can.
pub fn next_look(parcel: &Parcel, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
    let dues = limits(parcel, terms).into_iter().map(|limit| limit.due);
    dues.chain(remind_buyer_at(parcel, terms)).filter(|due| *due > now).min()
}

/// When the buyer should be reminded to collect a parcel that waits.
pub fn remind_buyer_at(parcel: &Parcel, terms: &Terms) -> Option<Timestamp> {
    let since = parcel.state.since.filter(|_| parcel.state.status == Status::ReadyForPickup)?;
    since.checked_add(terms.thresholds.collect_reminder).ok()
}

/// A trouble that begins by itself.
struct Limit {
    kind: TroubleKind,
    since: Timestamp,
    due: Timestamp,
    alert: bool,
}

fn limits(parcel: &Parcel, terms: &Terms) -> Vec<Limit> {
    let state = &parcel.state;
    let limits = terms.thresholds;
    let after = |since, wait, pace| terms.calendar.after(since, wait, pace, terms.zone);
    let mut found = Vec::new();
    let mut add = |kind, since, due, alert| found.push(Limit { kind, since, due, alert });
    match state.status {
        Status::Delivered | Status::Returned | Status::Lost | Status::Cancelled | Status::Expired => {}
        Status::ReadyForPickup => {
            if let Some(since) = state.since {
                let kind = TroubleKind::NotCollected;
                let at = |wait| since.saturating_add(wait).unwrap_or(since);
                add(kind, since, at(limits.not_collected), false);
                add(kind, since, at(limits.not_collected_alert), true);
            }
        }
        Status::InfoReceived => {
            if let Some(since) = parcel.shipped_at.or(state.since) {
                add(TroubleKind::NoPickup, since, after(since, limits.no_pickup, Pace::Merchant), true);
            }
        }
        Status::Unknown if parcel.events.is_empty() => {
            if let Some(since) = parcel.shipped_at {
                add(TroubleKind::NoPickup, since, after(since, limits.no_pickup, Pace::Merchant), true);
            }
        }
        _ => {
            let newest = || parcel.newest().and_then(|event| event.time.instant(CHINA));
            if let Some(since) = state.last_event.or_else(newest) {
                let due = match silence(parcel, limits) {
                    // Customs and the ways between countries keep no calendar of ours.
                    (wait, false) => since.saturating_add(wait).unwrap_or(since),
                    (wait, true) => after(since, wait, Pace::Carrier),
                };
                add(TroubleKind::Stuck, since, due, true);
            }
        }
    }
    if let Some((since, due)) = late(parcel, terms) {
        add(TroubleKind::Overdue, since, due, true);
    }
    found
}

/// How long a parcel may be silent where it is, and whether holidays and sales lengthen that.
fn silence(parcel: &Parcel, limits: &Thresholds) -> (SignedDuration, bool) {
    let state = &parcel.state;
    let customs = matches!(state.sub, Some(Sub::CustomsPresented | Sub::CustomsInspection))
        || state.reason.is_some_and(|reason| TroubleKind::of(reason) == TroubleKind::Customs);
    if customs {
        (limits.stuck_customs, false)
    } else if state.status == Status::OutForDelivery || state.sub == Some(Sub::ArrivedDestinationCity) {
        (limits.stuck_near, true)
    } else if parcel.crosses_borders() {
        (limits.stuck_abroad, false)
    } else {
        (limits.stuck, true)
    }
}

/// The time that passed without the parcel, and when that counts as too late. On its way out only. A forecast is no
/// promise: it does not make a parcel late.
fn late(parcel: &Parcel, terms: &Terms) -> Option<(Timestamp, Timestamp)> {
    let state = &parcel.state;
    let over = state.status.is_final() || matches!(state.status, Status::ReadyForPickup | Status::Returning);
    if over || state.leg > 0 {
        return None;
    }
    let (end, grace) = match (parcel.own_eta(), terms.usual) {
        (Some(eta), _) => (end_of(eta, terms.zone), terms.thresholds.overdue),
        (None, Some(usual)) => {
            let start = state.picked_up_at.or(parcel.shipped_at)?;
            (terms.calendar.after(start, usual, Pace::Carrier, terms.zone), BEYOND_USUAL)
        }
        (None, None) => return None,
    };
    Some((end, end.checked_add(grace).ok()?))
}

/// A day ends at midnight of the buyer's day, a window at its end (model 4.13).
fn end_of(eta: &Eta, zone: &TimeZone) -> Timestamp {
    if eta.precision != EtaPrecision::Day {
        return eta.to;
    }
    let day = zone.to_datetime(eta.to).date();
    let midnight = day.tomorrow().ok().map(|next| next.to_datetime(jiff::civil::Time::midnight()));
    midnight.and_then(|midnight| zone.to_timestamp(midnight).ok()).unwrap_or(eta.to)
}

/// What follows from words: the carrier's, the buyer's.
fn told(parcel: &Parcel, terms: &Terms) -> Vec<Trouble> {
    let state = &parcel.state;
    let since = state.since.or(state.last_event).unwrap_or(Timestamp::UNIX_EPOCH);
    let plain = |kind, since| Trouble { kind, reason: None, since, leg: state.leg, alert: true };
    let mut found = Vec::new();
    match (state.status, state.reason) {
        (Status::Exception, reason) => {
            found.push(Trouble::reported(reason.unwrap_or(Reason::Other), since, state.leg));
        }
        (Status::Lost, _) => found.push(plain(TroubleKind::Lost, since)),
        (Status::Returning, _) => found.push(plain(TroubleKind::Returning, since)),
        (Status::Delivered, _) => {
            // A second delivery answers what was said of the first.
            let disputed = parcel.disputed_at.filter(|said| state.delivered_at.is_none_or(|at| *said >= at));
            found.extend(disputed.map(|said| Trouble::disputed(said, state.leg)));
        }
        _ => {}
    }
    let failed = matches!(state.status, Status::AttemptFailed | Status::Exception);
    if failed && state.attempts >= terms.thresholds.attempts.max(1) {
        found.push(plain(TroubleKind::Attempts, since));
    }
    if !state.status.is_final()
        && let Some(since) = to_and_fro(parcel, terms.thresholds.loop_moves)
    {
        found.push(plain(TroubleKind::Loop, since));
    }
    found
}

/// Since when a parcel goes to and fro between the same two places, where it has done so often enough.
fn to_and_fro(parcel: &Parcel, moves: u8) -> Option<Timestamp> {
    let mut places: Vec<(String, Timestamp)> = Vec::new();
    for event in &parcel.events {
        let hub = matches!(event.status, Status::PickedUp | Status::InTransit);
        if event.superseded || !hub || event.leg != parcel.state.leg {
            continue;
        }
        let (Some(place), Some(time)) = (place_of(event), event.time.instant(CHINA)) else { continue };
        let place = canonical(&place);
        if places.last().is_none_or(|(last, _)| *last != place) {
            places.push((place, time));
        }
    }
    // From the end back, as long as each place is the one before the last.
    let backwards: Vec<&(String, Timestamp)> = places.iter().rev().collect();
    let run = 2 + backwards.windows(3).take_while(|three| three[0].0 == three[2].0).count();
    (backwards.len() >= run && run > usize::from(moves.max(2))).then(|| backwards[run - 1].1)
}

/// Where a scan was made, in the shortest words that two scans of one hub share.
fn place_of(event: &Event) -> Option<String> {
    let place = event.place.city.as_deref().or(event.place.text.as_deref())?.trim();
    (!place.is_empty()).then(|| place.to_owned())
}

#[cfg(test)]
#[path = "exceptions_tests.rs"]
mod tests;
