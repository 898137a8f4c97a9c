//! Leaves a vendor alone that is down: after five failures in a row nobody calls for a minute, then one call tries;
//! each failed try doubles the rest, up to half an hour. Must never count a vendor's "no" as a failure.

use super::clock::later;
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// The first rest.
const FIRST_REST: Duration = Duration::from_secs(60);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(30 * 60);
/// When to come again while the one try is under way.
const WHILE_TRYING: Duration = Duration::from_secs(5);

/// One account's breaker.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Clone, Copy)]
enum State {
    /// Calls pass; so many failed in a row.
    Closed { failures: u32 },
    /// Nobody passes before `until`; then one.
    Open { until: Timestamp, rest: Duration },
    /// One call tries.
    Trying { rest: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Leave to make one call. Dropped without a report (the asker went away), it counts for nothing.
#[derive(Debug)]
#[must_use]
pub struct Pass<'b> {
    breaker: &'b Breaker,
    trying: Option<(Duration, Timestamp)>,
}

/// What a report changed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nobody calls before this.
    Opened(Timestamp),
    /// The vendor is back.
    Closed,
}

impl Breaker {
    /// Leave to call, or when to come again.
    pub fn enter(&self, now: Timestamp) -> Result<Pass<'_>, Timestamp> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Ok(Pass { breaker: self, trying: None }),
            // Opened by a clock that was ahead and was put back: it rests once more, from now on.
            State::Open { until, rest } if until > later(now, rest) => {
                let until = later(now, rest);
                *state = State::Open { until, rest };
                Err(until)
            }
            State::Open { until, .. } if now < until => Err(until),
            State::Open { rest, .. } => {
                *state = State::Trying { rest };
                Ok(Pass { breaker: self, trying: Some((rest, now)) })
            }
            State::Trying { .. } => Err(later(now, WHILE_TRYING)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// How the call went: `well` is any answer that is not the vendor's own fault.
    pub fn report(mut self, well: bool, now: Timestamp) -> Option<Change> {
        let trying = self.trying.take();
        let mut state = self.breaker.state();
        match (*state, well) {
            (State::Trying { .. }, true) if trying.is_some() => {
                *state = State::default();
                Some(Change::Closed)
            }
            (State::Trying { rest }, false) if trying.is_some() => {
                let rest = (rest * 2).min(LONGEST_REST);
                *state = State::Open { until: later(now, rest), rest };
                Some(Change::Opened(later(now, rest)))
            }
            (State::Closed { .. }, true) => {
                *state = State::default();
                None
            }
            (State::Closed { failures }, false) if failures + 1 < FAILURES => {
                *state = State::Closed { failures: failures + 1 };
                None
            }
            (State::Closed { .. }, false) => {
                *state = State::Open { until: later(now, FIRST_REST), rest: FIRST_REST };
                Some(Change::Opened(later(now, FIRST_REST)))
            }
            // A call that was under way when it opened says nothing new.
            (State::Open { .. } | State::Trying { .. }, _) => None,
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some((rest, since)) = self.trying.take() {
            // The try was given up: the next one may try at once.
            *self.breaker.state() = State::Open { until: since, rest };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + seconds).unwrap()
    }

    fn fail(breaker: &Breaker, now: i64) -> Option<Change> {
        breaker.enter(at(now)).unwrap().report(false, at(now))
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_rests_longer_each_time() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(fail(&breaker, 0), None);
        }
        assert_eq!(breaker.enter(at(0)).unwrap().report(true, at(0)), None);
        for _ in 0..4 {
            assert_eq!(fail(&breaker, 0), None);
        }
        assert_eq!(fail(&breaker, 0), Some(Change::Opened(at(60))));
        assert_eq!(breaker.enter(at(59)).unwrap_err(), at(60));
        let mut now = 60;
        for rest in [120, 240, 480, 960, 1_800, 1_800] {
            assert_eq!(fail(&breaker, now), Some(Change::Opened(at(now + rest))));
            now += rest;
        }
        assert_eq!(breaker.enter(at(now)).unwrap().report(true, at(now)), Some(Change::Closed));
        for _ in 0..4 {
            assert_eq!(fail(&breaker, now), None);
        }
        assert_eq!(fail(&breaker, now), Some(Change::Opened(at(now + 60))));
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_make_the_rest_longer() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            let _ = fail(&breaker, 1_000_000);
        }
        assert_eq!(breaker.enter(at(0)).unwrap_err(), at(60));
        assert_eq!(breaker.enter(at(10)).unwrap_err(), at(60));
        assert_eq!(breaker.enter(at(60)).unwrap().report(true, at(60)), Some(Change::Closed));
    }

    #[test]
    fn one_call_tries_and_a_given_up_try_blocks_nobody() {
        let breaker = Breaker::default();
        let late = breaker.enter(at(0)).unwrap();
        for _ in 0..5 {
            let _ = fail(&breaker, 0);
        }
        assert_eq!(late.report(true, at(1)), None);
        let trying = breaker.enter(at(60)).unwrap();
        assert_eq!(breaker.enter(at(60)).unwrap_err(), at(65));
        drop(trying);
        let again = breaker.enter(at(61)).unwrap();
        assert_eq!(again.report(true, at(61)), Some(Change::Closed));
    }
}
