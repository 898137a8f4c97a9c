//! A parcel's state, computed from all its events: the same set gives the same parcel, in whatever order and
//! however often it arrived. Source: normalized tracking model section 4. Must never read a clock.

mod records;

use super::event::Event;
use super::status::{Reason, Status, Sub};
use super::when::CHINA;
use jiff::{SignedDuration, Timestamp, tz::Offset};
use records::{fill_in, merge, revoke, supersede_soft_duplicates, yield_to_last_mile};
use serde::{Deserialize, Serialize};

/// A lower rank counts only when it is this much later, or in another city (model 4.2).
const STEP_BACK: SignedDuration = SignedDuration::from_hours(6);
/// How long "delivered" can be taken back (model 4.4).
const REOPEN: SignedDuration = SignedDuration::from_hours(15 * 24);
/// Hub clean-up scans after delivery (model 4.4 c).
const CLEAN_UP: SignedDuration = SignedDuration::from_hours(24);
/// Events this much older than the shipping date belong to an earlier parcel (model 4.10).
const FOREIGN: SignedDuration = SignedDuration::from_hours(3 * 24);
/// An event from further ahead than this is sorted at the moment we heard it (model 4.6).
const AHEAD: SignedDuration = SignedDuration::from_mins(15);
const AHEAD_WITHOUT_ZONE: SignedDuration = SignedDuration::from_hours(26);

/// What follows from a set of events. Appended to, never reordered: it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Folded {
    /// The status now.
    pub status: Status,
    /// Its finer word.
    pub sub: Option<Sub>,
    /// The reason of an exception.
    pub reason: Option<Reason>,
    /// Highest rank reached on this leg, 0–6.
    pub progress: u8,
    /// Time of the event that set the status.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub since: Option<Timestamp>,
    /// Time of the newest event that counts.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub last_event: Option<Timestamp>,
    /// When it was handed over, while that stands.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub delivered_at: Option<Timestamp>,
    /// When the carrier first had it.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub picked_up_at: Option<Timestamp>,
    /// Who signed.
    pub signed_by: Option<String>,
    /// 0 on the way out, 1 on the way back.
    pub leg: u8,
    /// How often "delivered" was taken back.
    pub reopened: u8,
    /// Whether a person should look: taken back twice, or a clock far ahead.
    pub attention: bool,
    /// Failed attempts on this leg.
    pub attempts: u8,
}

impl Default for Folded {
    fn default() -> Self {
        Self {
            status: Status::Unknown,
            sub: None,
            reason: None,
            progress: 0,
            since: None,
            last_event: None,
            delivered_at: None,
            picked_up_at: None,
            signed_by: None,
            leg: 0,
            reopened: 0,
            attention: false,
            attempts: 0,
        }
    }
}

/// What the fold must know beside the events.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// When the merchant shipped: much older events belong to an earlier parcel of the same number.
    pub shipped_at: Option<Timestamp>,
    /// Zone of the destination, for times without any zone.
    pub destination: Offset,
}

impl Default for Known {
    fn default() -> Self {
        Self { shipped_at: None, destination: CHINA }
    }
}

/// Folds a set of events. Returns the state and the timeline: merged, sorted, with `seq`, `leg` and
/// `superseded` set. Events of an earlier parcel with the same number are left out.
pub fn fold(events: impl IntoIterator<Item = Event>, known: Known) -> (Folded, Vec<Event>) {
    let mut timeline = merge(events);
    if let Some(shipped_at) = known.shipped_at {
        timeline.retain(|event| {
            event
                .time
                .instant(known.destination)
                .is_none_or(|time| shipped_at.duration_since(time) <= FOREIGN)
        });
    }
    let mut timeline: Vec<(Timestamp, Event)> =
        timeline.into_iter().map(|event| (sort_time(&event, known.destination), event)).collect();
    timeline.sort_by(|(a_time, a), (b_time, b)| {
        (a_time, a.status.rank_tenths(), &a.id).cmp(&(b_time, b.status.rank_tenths(), &b.id))
    });
    let twins = supersede_soft_duplicates(&mut timeline);
    let undone = revoke(&mut timeline, &twins);
    yield_to_last_mile(&mut timeline);
    let mut state = Walk::over(&mut timeline, known.destination);
    state.reopened = state.reopened.saturating_add(undone);
    state.attention |= state.reopened >= 2;
    let mut events: Vec<Event> = timeline.into_iter().map(|(_, event)| event).collect();
    for (seq, event) in events.iter_mut().enumerate() {
        event.seq = seq as u32;
    }
    (state, events)
}

fn sort_time(event: &Event, destination: Offset) -> Timestamp {
    let time = event.time.instant(destination);
    let (Some(time), Some(received)) = (time, event.received) else {
        return time.or(event.received).unwrap_or(Timestamp::UNIX_EPOCH);
    };
    if is_ahead(event, time, received) { received } else { time }
}

fn is_ahead(event: &Event, time: Timestamp, received: Timestamp) -> bool {
    let limit = if event.time.utc.is_some() { AHEAD } else { AHEAD_WITHOUT_ZONE };
    time.duration_since(received) > limit
}

/// The walk through the sorted timeline that computes the state.
struct Walk {
    state: Folded,
    /// The event that set the status: its sort time and city.
    set_at: Option<Timestamp>,
    set_city: Option<String>,
    /// The deliveries that stand, to be marked when they are taken back.
    deliveries: Vec<usize>,
}

impl Walk {
    fn over(timeline: &mut [(Timestamp, Event)], destination: Offset) -> Folded {
        let mut walk =
            Self { state: Folded::default(), set_at: None, set_city: None, deliveries: Vec::new() };
        for at in 0..timeline.len() {
            let (time, event) = &timeline[at];
            let ahead = event
                .time
                .instant(destination)
                .zip(event.received)
                .is_some_and(|(time, received)| is_ahead(event, time, received));
            walk.state.attention |= ahead;
            if !event.superseded && event.status == Status::Unknown && walk.set_at.is_none() {
                walk.state.sub = event.sub;
            }
            let (time, counts) = (*time, !event.superseded && event.status != Status::Unknown);
            // Words that take a delivery back count even where the code is not known.
            let takes_back =
                walk.state.status == Status::Delivered && !event.superseded && is_correction(event);
            if counts || takes_back {
                walk.step(at, time, timeline);
            }
            timeline[at].1.leg = walk.state.leg;
        }
        if walk.state.status == Status::Unknown && walk.state.sub.is_none() {
            walk.state.sub = Some(if timeline.is_empty() { Sub::NotFound } else { Sub::Unmapped });
        }
        walk.state
    }

    fn step(&mut self, at: usize, time: Timestamp, timeline: &mut [(Timestamp, Event)]) {
        let mut event = timeline[at].1.clone();
        if event.status == Status::Unknown {
            (event.status, event.sub, event.reason) = (Status::Exception, None, Some(Reason::Other));
        }
        self.state.last_event = Some(time);
        if event.status == Status::PickedUp && self.state.picked_up_at.is_none() {
            self.state.picked_up_at = Some(time);
        }
        let turns_back = matches!(event.status, Status::Returning | Status::Returned) && self.state.leg == 0;
        if turns_back {
            self.open_return_leg();
        }
        if event.status == Status::AttemptFailed {
            self.state.attempts = self.state.attempts.saturating_add(1);
        }
        let follows = match self.state.status {
            // From wherever it was: a lost or cancelled parcel may still come back (model 4.2).
            _ if turns_back => true,
            _ if self.state.leg > 0 => self.follows_on_the_way_back(&event),
            Status::Delivered => self.follows_delivered(time, &event),
            _ => self.follows(time, &event),
        };
        if !follows {
            if event.status == Status::Delivered && self.state.status == Status::Delivered {
                fill_in(&mut self.state.signed_by, event.signed_by);
                self.deliveries.push(at);
            }
            return;
        }
        if self.state.status == Status::Delivered && event.status != Status::Delivered && self.state.leg == 0
        {
            self.reopen(timeline);
        }
        self.set(at, time, &event);
    }

    fn open_return_leg(&mut self) {
        self.state.leg = 1;
        self.state.progress = 0;
        self.state.attempts = 0;
        self.state.delivered_at = None;
        self.state.signed_by = None;
    }

    /// On the way back, moving is still "returning" and signed means the sender has it (model 4.8).
    fn follows_on_the_way_back(&self, event: &Event) -> bool {
        match event.status {
            Status::Returned | Status::Delivered => self.state.status != Status::Returned,
            Status::Lost | Status::Cancelled | Status::Exception => self.state.status != Status::Returned,
            _ => !matches!(self.state.status, Status::Returned | Status::Lost | Status::Cancelled),
        }
    }

    /// After "delivered" (model 4.4).
    fn follows_delivered(&self, time: Timestamp, event: &Event) -> bool {
        let Some(delivered) = self.set_at else { return true };
        let later = time.duration_since(delivered);
        match event.status {
            Status::Delivered => false,
            Status::Returning | Status::Returned | Status::Lost => true,
            _ if later > REOPEN => false,
            _ if is_correction(event) => true,
            Status::OutForDelivery | Status::AttemptFailed | Status::ReadyForPickup | Status::Exception => {
                later > SignedDuration::ZERO
            }
            Status::InTransit => later > CLEAN_UP,
            _ => false,
        }
    }

    /// Everywhere else (model 4.2).
    fn follows(&self, time: Timestamp, event: &Event) -> bool {
        let Some(set_at) = self.set_at else { return true };
        let now = self.state.status;
        if event.status == Status::Expired && now.is_final() {
            return false;
        }
        let may_fall = now == Status::Exception
            || matches!(event.status, Status::Exception | Status::Lost | Status::Cancelled);
        if may_fall || event.status.rank_tenths() >= now.rank_tenths() {
            return true;
        }
        let other_city = match (&self.set_city, &event.place.city) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        };
        time.duration_since(set_at) >= STEP_BACK || other_city
    }

    fn reopen(&mut self, timeline: &mut [(Timestamp, Event)]) {
        for index in self.deliveries.drain(..) {
            timeline[index].1.superseded = true;
        }
        self.state.reopened = self.state.reopened.saturating_add(1);
        self.state.attention |= self.state.reopened >= 2;
        self.state.delivered_at = None;
        self.state.signed_by = None;
    }

    fn set(&mut self, at: usize, time: Timestamp, event: &Event) {
        let (status, sub) = match (self.state.leg, event.status) {
            (0, status) => (status, event.sub),
            (_, Status::Delivered) => (Status::Returned, Some(Sub::ToSender)),
            (
                _,
                Status::Returning
                | Status::Returned
                | Status::Lost
                | Status::Cancelled
                | Status::Exception
                | Status::Expired,
            ) => (event.status, event.sub),
            _ => (Status::Returning, Some(Sub::OnTheWay)),
        };
        if status != self.state.status || self.state.since.is_none() {
            self.state.since = Some(time);
        }
        self.state.status = status;
        self.state.sub = sub.or_else(|| status.default_sub());
        self.state.reason = (status == Status::Exception).then(|| event.reason.unwrap_or(Reason::Other));
        self.state.progress = self.state.progress.max(status.progress());
        self.set_at = Some(time);
        if event.place.city.is_some() || status != Status::Exception {
            self.set_city = event.place.city.clone();
        }
        if status == Status::Delivered {
            self.state.delivered_at = Some(time);
            fill_in(&mut self.state.signed_by, event.signed_by.clone());
            self.deliveries.push(at);
        }
    }
}

/// Words by which a carrier takes "delivered" back.
fn is_correction(event: &Event) -> bool {
    const WORDS: [&str; 9] = [
        "误签",
        "签收失误",
        "撤销签收",
        "取消签收",
        "误扫",
        "correction",
        "mis-scan",
        "misscan",
        "undelivered",
    ];
    let text = super::event::canonical(event.description());
    WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
