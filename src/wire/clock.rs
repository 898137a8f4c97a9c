//! The one wall clock, passed in wherever "now" matters. Tests and simulated days hold its hands.

use jiff::Timestamp;
use std::sync::Mutex;
use std::time::Duration;

/// What time it is, and how to wait.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits by this clock.
    async fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// A clock that moves only by hand, and when somebody sleeps by it: a sleep jumps to its end.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// Starts at a time.
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Jumps anywhere, as a machine's clock does when it is put right.
    pub fn jump(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
    }

    /// Moves forward.
    pub fn advance(&self, time: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = later(*now, time);
    }
}

#[async_trait::async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn sleep(&self, time: Duration) {
        let end = later(self.now(), time);
        // Others that wait have their turn first, as they would while time passes.
        tokio::task::yield_now().await;
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = end.max(*now);
    }
}

/// `at + time`, stopping at the end of the calendar.
pub fn later(at: Timestamp, time: Duration) -> Timestamp {
    at.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// How long from `now` until `at`; nothing where that is past.
pub fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
