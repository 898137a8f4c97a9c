//! The clock of the scripts: which scans a carrier would tell now, and at what time they happened.
//! What lay behind at the start happened in real time; what came after runs at the simulator's speed.

use super::journeys::{Journey, draw};
use super::script::{Scan, write};
use crate::model::when::CHINA;
use jiff::{SignedDuration, Timestamp};

/// When the simulator began, and how fast scripts run since then.
#[derive(Debug, Clone, Copy)]
pub struct ScriptClock {
    started: Timestamp,
    speed: f64,
}

/// A scan that has happened.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its wall time.
    pub time: Timestamp,
    /// What the script says.
    pub scan: Scan,
}

/// What a carrier knows of one number now.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The number's journey.
    pub journey: Journey,
    /// When the merchant shipped.
    pub shipped_at: Timestamp,
    /// Its scans so far, oldest first.
    pub seen: Vec<Seen>,
    /// When the carrier expects to deliver; none once it is over or where it promises nothing.
    pub eta: Option<Timestamp>,
}

impl ScriptClock {
    /// `speed` 1 is real time, 60 makes an hour of a minute. Nonsense is taken as 1.
    pub fn new(started: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed.clamp(0.001, 1_000_000.0) } else { 1.0 };
        // Vendors' times have no fraction, so none may arise here.
        let started = Timestamp::from_second(started.as_second()).unwrap_or(started);
        Self { started, speed }
    }

    /// Wall time of a moment of a script.
    fn wall(&self, seconds: i64, lead: i64) -> Timestamp {
        let past = seconds - lead;
        let real = if past <= 0 { past } else { (past as f64 / self.speed) as i64 };
        self.started.saturating_add(SignedDuration::from_secs(real)).unwrap_or(self.started)
    }

    /// What is known of a number at `now`.
    pub fn timeline(&self, number: &str, now: Timestamp) -> Timeline {
        let journey = Journey::of(number);
        let script = write(journey, number);
        let lead = script.lead * 60 + 17;
        let shipped_at = self.wall(0, lead);
        let seen: Vec<Seen> = script
            .scans
            .into_iter()
            .enumerate()
            .map(|(at, scan)| {
                // Real scans never stand at the full minute.
                let seconds = scan.at * 60 + draw(number, 100 + at as u64, 59) as i64 - 42;
                Seen { time: self.wall(seconds.max(0), lead), scan }
            })
            .filter(|seen| seen.time <= now)
            .collect();
        let over = seen.last().is_some_and(|seen| seen.scan.meaning.status.is_final());
        let eta = script
            .arrives
            .filter(|_| !over && !seen.is_empty())
            .and_then(|minutes| in_working_hours(self.wall(minutes * 60, lead), now));
        Timeline { journey, shipped_at, seen, eta }
    }
}

/// Carriers promise daytime hours: an early one becomes noon, a late one noon of the next day. Never in the past.
fn in_working_hours(time: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let local = CHINA.to_datetime(time.max(now));
    let promised = match local.hour() {
        0..=9 => local.date().at(12, 0, 0, 0),
        10..=18 => local.date().at(local.hour() + 1, 0, 0, 0),
        _ => local.date().tomorrow().ok()?.at(12, 0, 0, 0),
    };
    CHINA.to_timestamp(promised).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    fn started() -> Timestamp {
        "2026-03-02T04:00:00Z".parse().unwrap()
    }

    fn after(minutes: i64) -> Timestamp {
        started() + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn the_past_is_in_real_time_and_the_future_runs_at_speed() {
        let slow = ScriptClock::new(started(), 1.0);
        let fast = ScriptClock::new(started(), 60.0);
        let at_start = fast.timeline("SIMNORMAL0001", started());
        assert_eq!(at_start.seen.len(), slow.timeline("SIMNORMAL0001", started()).seen.len());
        assert!(started().duration_since(at_start.shipped_at) > SignedDuration::from_hours(30));
        assert_eq!(at_start.seen.last().unwrap().scan.meaning.status, Status::InTransit);
        // 35 minutes of script to the courier, 200 more to the door.
        assert_eq!(fast.timeline("SIMNORMAL0001", after(1)).seen.len(), at_start.seen.len() + 1);
        let done = fast.timeline("SIMNORMAL0001", after(5));
        assert_eq!(done.seen.last().unwrap().scan.meaning.status, Status::Delivered);
        assert!(done.seen.iter().all(|seen| seen.time <= after(5)) && done.eta.is_none());
        assert_eq!(slow.timeline("SIMNORMAL0001", after(5)).seen.len(), at_start.seen.len());
    }

    #[test]
    fn scans_keep_their_time_however_often_one_asks() {
        let clock = ScriptClock::new(started(), 30.0);
        let early: Vec<_> =
            clock.timeline("SIMPICKUP0001", started()).seen.iter().map(|seen| seen.time).collect();
        let late: Vec<_> =
            clock.timeline("SIMPICKUP0001", after(600)).seen.iter().map(|seen| seen.time).collect();
        assert_eq!(early, late[..early.len()]);
        assert!(late.is_sorted() && late.len() > early.len());
    }

    #[test]
    fn an_expected_arrival_is_ahead_and_by_day() {
        for hour in 0..24 {
            let now = started() + SignedDuration::from_hours(hour);
            let eta = ScriptClock::new(now, 1.0).timeline("SIMNORMAL0001", now).eta.unwrap();
            assert!(eta > now && eta - now < SignedDuration::from_hours(24), "{now} {eta}");
            assert!((10..=19).contains(&CHINA.to_datetime(eta).hour()), "{eta}");
        }
    }

    #[test]
    fn a_stalled_parcel_has_said_nothing_for_four_days() {
        let timeline = ScriptClock::new(started(), 1.0).timeline("SIMSTALLED0001", started());
        let silent = started().duration_since(timeline.seen.last().unwrap().time);
        assert!(silent > SignedDuration::from_hours(96) && silent < SignedDuration::from_hours(120));
    }

    #[test]
    fn nonsense_speeds_are_real_time() {
        for speed in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ScriptClock::new(started(), speed).speed, 1.0);
        }
    }
}
