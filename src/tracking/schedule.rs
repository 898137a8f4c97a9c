//! When a carrier is asked about a parcel again: often while much happens, seldom while nothing does, never when it is
//! over. Pure. Must never go below an account's least interval, and must come to an end for every parcel.
//! Source: normalized tracking model section 6.

use crate::model::status::Sub;
use crate::model::{Parcel, Status};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Nobody asks about a parcel that is older.
pub const OLDEST: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long a number without any scan is asked about.
const NOTHING_KNOWN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a parcel is watched after its end: "delivered" is sometimes taken back.
const AFTER_THE_END: SignedDuration = SignedDuration::from_hours(72);
/// With news that come by themselves.
const PUSHED: f64 = 4.0;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The first wait after a failed question; doubled each time, up to the usual interval.
const FAILED: SignedDuration = SignedDuration::from_mins(30);

/// What the schedule must know beside the parcel.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Least time between two questions for one number (the account's floor); wins over all else.
    pub min_interval: SignedDuration,
    /// Whether the account has pushed anything in the last day: then polling only guards against a lost push.
    pub pushes: bool,
    /// Whether the parcel travels between countries.
    pub cross_border: bool,
    /// A demo divides all intervals by it; 1 in production. The floor stays.
    pub speed: f64,
    /// Local hours of the buyer, as far as the shop's zone tells them.
    pub zone: TimeZone,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            min_interval: SignedDuration::from_mins(30),
            pushes: false,
            cross_border: false,
            speed: 1.0,
            zone: TimeZone::fixed(crate::model::when::CHINA),
        }
    }
}

/// When to ask next; never before `now`. None: asking ends, until a push or a buyer's question brings news.
pub fn next_check(parcel: &Parcel, rules: &Rules, now: Timestamp) -> Option<Timestamp> {
    let age = now.duration_since(started(parcel, now));
    if age > OLDEST {
        return None;
    }
    let usual = interval(parcel, rules, age, now)?;
    let pushed = if rules.pushes { times(usual, PUSHED).min(DAY).max(usual) } else { usual };
    let speed = if rules.speed.is_finite() && rules.speed > 0.0 { rules.speed } else { 1.0 };
    let mut wait = times(pushed, 1.0 / speed);
    if parcel.failures > 0 {
        let retry = times(FAILED, f64::from(1_u32 << (parcel.failures - 1).min(10)) / speed);
        wait = wait.min(retry);
    }
    let dice = dice(parcel);
    // A clock that was ahead for a while has left times behind that are still to come.
    let asked = parcel.last_asked.max(parcel.last_checked).map(|asked| asked.min(now));
    let planned = match asked {
        // Ten per cent up or down, always the same for the same question: a thousand parcels that were imported in one
        // second are not asked about in one second.
        Some(asked) => asked.saturating_add(times(wait, 0.9 + 0.2 * dice)).unwrap_or(now),
        None => now,
    };
    // After a pause of the service everything is due at once: spread that, too.
    let soonest = if planned <= now { now + times(wait.min(FAILED), 0.1 * dice) } else { planned };
    let floor = asked.map_or(now, |asked| asked.saturating_add(rules.min_interval).unwrap_or(now));
    Some(soonest.max(floor).max(now))
}

/// Why nobody asks any more although the carrier called nothing final: too old, or never scanned. None: it goes on, or
/// is over by the carrier's word.
pub fn expired(parcel: &Parcel, now: Timestamp) -> Option<Sub> {
    let age = now.duration_since(started(parcel, now));
    let nothing = parcel.state.status == Status::Unknown && parcel.events.is_empty();
    if parcel.state.status.is_final() {
        None
    } else if nothing && age >= NOTHING_KNOWN {
        Some(Sub::NoUpdate)
    } else {
        (age > OLDEST).then_some(Sub::Age)
    }
}

/// Who is asked about first where an account's budget is short; a buyer who asks now goes before all. Lower is sooner.
pub fn rank(parcel: &Parcel) -> u8 {
    match parcel.state.status {
        Status::OutForDelivery => 1,
        Status::Exception | Status::AttemptFailed => 2,
        status if status.is_final() => 4,
        _ => 3,
    }
}

/// When its life began, as far as we know. A parcel of which nothing at all is known counts each check as three hours.
fn started(parcel: &Parcel, now: Timestamp) -> Timestamp {
    let told = || parcel.events.iter().filter_map(|event| event.received).min();
    parcel
        .shipped_at
        .or(parcel.first_seen)
        .or_else(told)
        .unwrap_or_else(|| now - SignedDuration::from_hours(3 * i64::from(parcel.checks.min(10_000))))
        .min(now)
}

/// Section 6's table: the wait by phase of life, before pushes, speed and jitter.
fn interval(parcel: &Parcel, rules: &Rules, age: SignedDuration, now: Timestamp) -> Option<SignedDuration> {
    let hours = SignedDuration::from_hours;
    let state = &parcel.state;
    let lasts = state.since.or(state.last_event).map_or(age, |since| now.duration_since(since));
    let most = hours(if rules.cross_border { 24 } else { 6 });
    let backing_off = |first: SignedDuration| {
        let factor = 1.5_f64.powi(parcel.empty_checks.min(20).cast_signed());
        times(first, factor).min(most).max(first)
    };
    Some(match state.status {
        Status::Expired => return None,
        Status::Delivered | Status::Returned | Status::Lost | Status::Cancelled => {
            if lasts >= AFTER_THE_END {
                return None;
            }
            DAY
        }
        // Scans that nobody can read are a life sign all the same.
        Status::Unknown if parcel.events.is_empty() => {
            if age >= NOTHING_KNOWN {
                return None;
            } else if age >= hours(7 * 24) {
                DAY
            } else if age >= hours(72) {
                hours(6)
            } else if age >= hours(6) {
                hours(3)
            } else {
                times(SignedDuration::from_mins(30), f64::from(1_u32 << parcel.empty_checks.min(8)))
                    .min(hours(3))
            }
        }
        Status::InfoReceived => hours(if lasts >= hours(48) { 6 } else { 3 }),
        Status::InTransit
            if matches!(state.sub, Some(Sub::ArrivedDestinationCity | Sub::CustomsReleased)) =>
        {
            backing_off(hours(1))
        }
        Status::Unknown | Status::PickedUp | Status::InTransit => backing_off(hours(2)),
        // A courier who has been on the way for more than a day is a courier whose scans stopped.
        Status::OutForDelivery if lasts >= DAY => backing_off(hours(2)),
        Status::OutForDelivery => {
            let hour = rules.zone.to_datetime(now).hour();
            if (7..22).contains(&hour) { SignedDuration::from_mins(30) } else { hours(3) }
        }
        Status::ReadyForPickup => hours(3),
        Status::AttemptFailed | Status::Exception => hours(if lasts >= DAY { 6 } else { 2 }),
        Status::Returning => hours(6),
    })
}

fn times(time: SignedDuration, factor: f64) -> SignedDuration {
    SignedDuration::from_millis((time.as_millis() as f64 * factor) as i64)
}

/// From 0 to 1, the same for the same carrier, number and count of checks (FNV-1a, then mixed).
fn dice(parcel: &Parcel) -> f64 {
    let checks = parcel.checks.to_be_bytes();
    let bytes = parcel.carrier.bytes().chain([0x1f]).chain(parcel.number.bytes()).chain(checks);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f64 / (1_u64 << 24) as f64
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
