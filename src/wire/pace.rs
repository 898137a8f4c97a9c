//! Spaces an account's calls evenly, so that no second ever holds more than the vendor allows. Callers are told at
//! once when their turn comes, and leave without waiting where that is too late. Must never sleep itself.

use super::clock::later;
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No turn and no quiet lies further ahead; what does was given by a clock that was ahead and was put back.
const FARTHEST: Duration = Duration::from_secs(120);

/// One account's turns.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Option<Timestamp>>);

impl Pace {
    /// The next free turn, taken; or, where it comes after `latest`, when it would have been, not taken.
    /// `per_second` 0: no limit.
    pub fn take(&self, now: Timestamp, latest: Timestamp, per_second: u32) -> Result<Timestamp, Timestamp> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let believed = next.filter(|next| *next <= later(now, FARTHEST));
        let turn = believed.map_or(now, |next| next.max(now));
        if turn > latest {
            return Err(turn);
        }
        // Rounded up: a vendor that allows three a second is not asked a fourth time within it.
        let spacing = Duration::from_secs(1).as_nanos().div_ceil(u128::from(per_second.max(1))) as u64;
        if per_second > 0 {
            *next = Some(later(turn, Duration::from_nanos(spacing)));
        }
        Ok(turn)
    }

    /// Nobody goes before `until`: the vendor asked for quiet.
    pub fn hold(&self, until: Timestamp) {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_770_000_000_000 + millis).unwrap()
    }

    #[test]
    fn turns_are_evenly_spaced_and_late_ones_are_not_taken() {
        let pace = Pace::default();
        assert_eq!(pace.take(at(0), at(1_000), 4), Ok(at(0)));
        assert_eq!(pace.take(at(0), at(1_000), 4), Ok(at(250)));
        assert_eq!(pace.take(at(0), at(400), 4), Err(at(500)));
        assert_eq!(pace.take(at(0), at(1_000), 4), Ok(at(500)));
        assert_eq!(pace.take(at(9_000), at(9_000), 4), Ok(at(9_000)));
    }

    #[test]
    fn without_a_limit_nobody_waits_until_the_vendor_asks_for_quiet() {
        let pace = Pace::default();
        assert_eq!(pace.take(at(0), at(0), 0), Ok(at(0)));
        assert_eq!(pace.take(at(0), at(0), 0), Ok(at(0)));
        pace.hold(at(5_000));
        pace.hold(at(3_000));
        assert_eq!(pace.take(at(0), at(1_000), 0), Err(at(5_000)));
        assert_eq!(pace.take(at(6_000), at(6_000), 0), Ok(at(6_000)));
    }

    #[test]
    fn a_clock_that_was_put_back_holds_nobody_up() {
        let pace = Pace::default();
        assert_eq!(pace.take(at(9_000_000), at(9_000_000), 4), Ok(at(9_000_000)));
        assert_eq!(pace.take(at(0), at(1_000), 4), Ok(at(0)));
        assert_eq!(pace.take(at(0), at(1_000), 4), Ok(at(250)));
    }

    proptest::proptest! {
        #[test]
        fn no_second_holds_more_than_allowed(steps in proptest::collection::vec(0i64..300, 1..200), per_second in 1u32..50) {
            let pace = Pace::default();
            let mut now = 0;
            let mut turns = Vec::new();
            for step in steps {
                now += step;
                turns.extend(pace.take(at(now), at(now + 60_000), per_second));
            }
            for (index, turn) in turns.iter().enumerate() {
                let second = later(*turn, Duration::from_secs(1));
                let within = turns[index..].iter().filter(|other| **other < second).count();
                proptest::prop_assert!(within <= per_second as usize);
            }
        }
    }
}
