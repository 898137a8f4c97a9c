//! What a buyer is told when a parcel's facts change: computed from the parcel before and after, and nothing else.
//! Must never tell what a late, undone or very old event says, nor what no longer holds when it is sent.

use crate::model::status::{Reason, Sub};
use crate::model::when::CHINA;
use crate::model::{Eta, EtaPrecision, Event, Folded, Notice, NoticeKind, Parcel, Status};
use crate::wire::sign;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// News of events that are older than this when we first hear of them is no news (model 4.14).
const STALE: SignedDuration = SignedDuration::from_hours(72);
/// "Out for delivery" of an earlier day is not said any more.
const ROUND: SignedDuration = SignedDuration::from_hours(24);
/// An event from further ahead than this counts as at the moment we heard it, as in the fold (model 4.6).
const AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// What was known of a parcel before an answer was added to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Before {
    /// What followed from its events.
    pub state: Folded,
    /// When it was expected, by the word of whoever carries it: a forecast is no promise.
    pub eta: Option<Eta>,
    /// The code to collect it with.
    pub pickup_code: Option<String>,
    /// Whether it had events at all.
    pub known: bool,
    /// Whether the buyer was told that it stands still: the next scan is then worth a word.
    pub stalled: bool,
    /// Counts re-used numbers: another generation is another parcel.
    pub generation: u8,
    /// Time of the event by which its status was told.
    told: Option<Timestamp>,
}

impl Before {
    /// Remembers what matters of a parcel.
    pub fn of(parcel: &Parcel) -> Self {
        Self {
            state: parcel.state.clone(),
            eta: parcel.own_eta().cloned(),
            pickup_code: pickup_code(parcel),
            known: !parcel.events.is_empty(),
            stalled: false,
            generation: parcel.generation,
            told: cause(parcel),
        }
    }

    /// The same, where the buyer was told that nothing moves.
    pub fn stalled(mut self, stalled: bool) -> Self {
        self.stalled = stalled;
        self
    }
}

/// What to tell after `before` became `after`, in the order in which it is told. `zone`: whose days count; `now`: when
/// the answer came. The same news may be found again later: its key is told once.
pub fn triggered(before: &Before, after: &Parcel, zone: &TimeZone, now: Timestamp) -> Vec<Notice> {
    let nothing = Before { generation: after.generation, ..Before::default() };
    let before = if before.generation == after.generation { before } else { &nothing };
    let mut notices = Vec::new();
    notices.extend(corrected(before, after));
    notices.extend(moving_again(before, after));
    notices.extend(status(before, after, zone));
    notices.extend(delayed(before, after, zone, now));
    notices.retain(|notice| still_true(notice, after, zone, now));
    notices
}

/// "Shipped", as soon as number and carrier are known, also while the carrier has said nothing yet. None where the
/// parcel is further already, or was shipped long ago.
pub fn shipped_notice(parcel: &Parcel, now: Timestamp) -> Option<Notice> {
    let at = parcel.shipped_at.map_or(now, |at| at.min(now));
    let early = parcel.state.leg == 0 && parcel.state.progress <= Status::InTransit.progress();
    let open = !parcel.state.status.is_final() && parcel.state.status != Status::Exception;
    (early && open && now.duration_since(at) <= STALE).then(|| notice(NoticeKind::Shipped, parcel, "", at))
}

/// The apology for a parcel that stands still, once for each leg.
pub fn stalled_notice(parcel: &Parcel, now: Timestamp) -> Notice {
    notice(NoticeKind::Stalled, parcel, "", now)
}

/// What a buyer was promised to hear by a moment.
pub fn promised_notice(kind: NoticeKind, parcel: &Parcel, by: Timestamp, now: Timestamp) -> Notice {
    notice(kind, parcel, by.to_string(), now)
}

/// Whether a notice may be said at this moment: it holds, it is not old, and nothing newer has taken its place.
pub fn still_true(notice: &Notice, parcel: &Parcel, zone: &TimeZone, now: Timestamp) -> bool {
    let state = &parcel.state;
    let age = now.duration_since(notice.at);
    if notice.generation != parcel.generation || notice.leg != state.leg || age > STALE {
        return false;
    }
    match notice.kind {
        NoticeKind::Shipped => {
            let early = [Status::Unknown, Status::InfoReceived, Status::PickedUp, Status::InTransit];
            early.contains(&state.status)
        }
        NoticeKind::Collected | NoticeKind::MovingAgain => {
            matches!(state.status, Status::PickedUp | Status::InTransit)
        }
        NoticeKind::OutForDelivery => state.status == Status::OutForDelivery && age <= ROUND,
        NoticeKind::ReadyForPickup => {
            state.status == Status::ReadyForPickup && notice.occasion == code_hash(pickup_code(parcel))
        }
        NoticeKind::Delivered => {
            let this = state.delivered_at == Some(notice.at) || notice.occasion == state.reopened.to_string();
            state.status == Status::Delivered && this
        }
        NoticeKind::AttemptFailed => state.status == Status::AttemptFailed,
        NoticeKind::Delayed => {
            let day = parcel.own_eta().map(|eta| eta_day(eta, zone));
            can_be_late(state)
                && day.is_some_and(|day| day.to_string() == notice.occasion)
                && day >= Some(zone.to_datetime(now).date())
        }
        NoticeKind::Exception => trouble(state) == Some((NoticeKind::Exception, notice.occasion.as_str())),
        NoticeKind::Stalled => {
            !state.status.is_final() && state.last_event.is_none_or(|last| last <= notice.at)
        }
        NoticeKind::Returning => state.status == Status::Returning,
        NoticeKind::Returned => state.status == Status::Returned,
        NoticeKind::Corrected => {
            state.status != Status::Delivered && notice.occasion == state.reopened.to_string()
        }
        NoticeKind::Answered => !parcel.events.is_empty(),
        NoticeKind::Unanswered => parcel.events.is_empty(),
    }
}

/// The code to collect a parcel with, from the newest round only: the code of an earlier locker opens nothing.
pub fn pickup_code(parcel: &Parcel) -> Option<String> {
    this_stop(parcel).find_map(|event| event.pickup.code.clone()).filter(|code| !code.is_empty())
}

/// The place to collect it at, from the newest round only.
pub fn pickup_place(parcel: &Parcel) -> Option<String> {
    this_stop(parcel).find_map(|event| event.pickup.place.clone()).filter(|place| !place.is_empty())
}

/// The newest events that count, down to the last one that says that the parcel was on the road.
fn this_stop(parcel: &Parcel) -> impl Iterator<Item = &Event> {
    let on_the_road = |event: &&Event| {
        let leaves =
            matches!(event.status, Status::OutForDelivery | Status::AttemptFailed | Status::Returning);
        leaves && event.pickup.code.is_none() && event.pickup.place.is_none()
    };
    let counted = parcel.events.iter().rev().filter(|event| !event.superseded);
    counted.take_while(move |event| !on_the_road(event))
}

/// The day on which an arrival is expected at the latest. A day that ends at midnight ends on the day before.
pub fn eta_day(eta: &Eta, zone: &TimeZone) -> Date {
    let to = zone.to_datetime(eta.to);
    let midnight = eta.precision == EtaPrecision::Day && to.time() == Time::midnight() && eta.from < eta.to;
    let to = if midnight { to.checked_sub(1.second()).unwrap_or(to) } else { to };
    to.date()
}

fn notice(kind: NoticeKind, parcel: &Parcel, occasion: impl Into<String>, at: Timestamp) -> Notice {
    let (generation, leg) = (parcel.generation, parcel.state.leg);
    Notice { kind, generation, leg, occasion: occasion.into(), at, heard: Vec::new() }
}

/// What a parcel's status is told as.
fn said(
    state: &Folded,
    at: Option<Timestamp>,
    code: Option<String>,
    zone: &TimeZone,
) -> Option<(NoticeKind, String)> {
    let day = || at.map(|at| zone.to_datetime(at).date().to_string()).unwrap_or_default();
    let (kind, occasion) = match state.status {
        Status::InfoReceived => (NoticeKind::Shipped, String::new()),
        Status::PickedUp | Status::InTransit if state.leg == 0 => (NoticeKind::Collected, String::new()),
        Status::OutForDelivery => (NoticeKind::OutForDelivery, day()),
        Status::AttemptFailed => (NoticeKind::AttemptFailed, day()),
        Status::ReadyForPickup => (NoticeKind::ReadyForPickup, code_hash(code)),
        Status::Delivered => (NoticeKind::Delivered, state.reopened.to_string()),
        Status::Returning => (NoticeKind::Returning, String::new()),
        Status::Returned => (NoticeKind::Returned, String::new()),
        _ => {
            let (kind, occasion) = trouble(state)?;
            (kind, occasion.to_owned())
        }
    };
    Some((kind, occasion))
}

/// An exception by its reason; a loss by its kind. That nothing moves is an apology of its own.
fn trouble(state: &Folded) -> Option<(NoticeKind, &'static str)> {
    match (state.status, state.reason) {
        (Status::Exception, Some(Reason::Stuck)) => Some((NoticeKind::Stalled, "")),
        (Status::Exception, reason) => Some((NoticeKind::Exception, reason.unwrap_or(Reason::Other).name())),
        (Status::Lost, _) => Some((NoticeKind::Exception, state.sub.unwrap_or(Sub::Lost).name())),
        _ => None,
    }
}

/// The status, where it is another one than before, or the same on another occasion.
fn status(before: &Before, after: &Parcel, zone: &TimeZone) -> Option<Notice> {
    let at = cause(after);
    let (kind, occasion) = said(&after.state, at, pickup_code(after), zone)?;
    let at = at.or(after.state.since)?;
    let passed = match kind {
        // A parcel that went on and comes back to moving was told as collected, or is past that.
        NoticeKind::Shipped => Status::InfoReceived.progress(),
        NoticeKind::Collected => Status::PickedUp.progress(),
        _ => u8::MAX,
    };
    let same_leg = before.state.leg == after.state.leg;
    let moves_again = kind == NoticeKind::Collected && before.state.status == Status::Exception;
    if same_leg && (before.state.progress >= passed || moves_again) {
        return None;
    }
    let earlier = said(&before.state, before.told, before.pickup_code.clone(), zone);
    if let Some((earlier_kind, earlier_occasion)) = earlier.filter(|_| before.known && same_leg)
        && earlier_kind == kind
    {
        // An event that came late may show the same status on an older occasion: that is no news.
        let newer = match kind {
            NoticeKind::ReadyForPickup | NoticeKind::Exception => before.told <= Some(at),
            _ => before.told < Some(at),
        };
        if earlier_occasion == occasion || !newer {
            return None;
        }
    }
    Some(notice(kind, after, occasion, at))
}

/// "Delivered" was said and does not hold any more.
fn corrected(before: &Before, after: &Parcel) -> Option<Notice> {
    let state = &after.state;
    let taken_back = before.state.status == Status::Delivered
        && state.status != Status::Delivered
        && (before.state.leg, state.leg) == (0, 0)
        && state.reopened > before.state.reopened;
    let newest = after.events.iter().map(time).max();
    let at = newest.or(state.last_event)?;
    taken_back.then(|| notice(NoticeKind::Corrected, after, state.reopened.to_string(), at))
}

/// A newer scan after an exception or a stall.
fn moving_again(before: &Before, after: &Parcel) -> Option<Notice> {
    let moves = matches!(after.state.status, Status::PickedUp | Status::InTransit) && after.state.leg == 0;
    let waited = before.stalled || before.state.status == Status::Exception;
    let at = after.state.last_event?;
    let newer = before.state.last_event.is_none_or(|last| at > last);
    (before.known && moves && waited && newer).then(|| notice(NoticeKind::MovingAgain, after, "", at))
}

/// The expected day moved back (model 4.13). Forecasts are compared with nothing: neither with each other, which move
/// daily, nor with what a carrier says.
fn delayed(before: &Before, after: &Parcel, zone: &TimeZone, now: Timestamp) -> Option<Notice> {
    let (was, is) = (eta_day(before.eta.as_ref()?, zone), eta_day(after.own_eta()?, zone));
    let ahead = is >= zone.to_datetime(now).date();
    (is > was && ahead && can_be_late(&after.state))
        .then(|| notice(NoticeKind::Delayed, after, is.to_string(), now))
}

/// Whether an expected day still means something to the buyer.
fn can_be_late(state: &Folded) -> bool {
    let here = matches!(state.status, Status::OutForDelivery | Status::ReadyForPickup);
    state.leg == 0 && !state.status.is_final() && !here
}

/// When the event happened by which the status is told: the newest one that says so.
fn cause(parcel: &Parcel) -> Option<Timestamp> {
    let state = &parcel.state;
    if state.status == Status::Delivered {
        return state.delivered_at;
    }
    let says = |event: &&Event| {
        event.status == state.status
            && event.leg == state.leg
            && event.reason.or(state.reason) == state.reason
    };
    let newest = parcel.events.iter().rev().filter(|event| !event.superseded).find(says);
    newest.map(time).or(state.since)
}

/// An event's time as the fold takes it.
fn time(event: &Event) -> Timestamp {
    let received = event.received.unwrap_or(Timestamp::UNIX_EPOCH);
    match event.time.instant(CHINA) {
        Some(time) if event.received.is_some() && time.duration_since(received) > AHEAD => received,
        Some(time) => time,
        None => received,
    }
}

/// 16 hex digits that tell codes apart and do not show them.
fn code_hash(code: Option<String>) -> String {
    code.map(|code| sign::sha256_hex(code.as_bytes())[..16].to_owned()).unwrap_or_default()
}

#[cfg(test)]
#[path = "triggers_tests.rs"]
mod tests;
