//! Once an hour, in small steps beside everything else: rows whose time is over go (`store/records/sweep.rs` says which
//! and when), and what a wrong clock left behind is put right. Must never hold up a turn, nor take anything away while
//! the clock may be wrong.

use crate::store::records::{Records, Sweep};
use crate::store::{Batch, StoreError};
use crate::tracking::Tracker;
use crate::wire::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two rounds, a tenth more or less.
const EVERY: Duration = Duration::from_secs(3600);
/// The first round, at the soonest: a start has other things to do.
const FIRST: Duration = Duration::from_secs(120);
/// Between two pages.
const BREATH: Duration = Duration::from_millis(5);
/// A clock that moved by more than this between two rounds has jumped, or the service was off: nothing goes for as
/// long as this, so that a wrong clock can be seen and put right before anything is lost by it.
const CAUTION: SignedDuration = SignedDuration::from_hours(24);
/// A clock is put right by this much every day: no reason to look through all parcels.
const SMALL: SignedDuration = SignedDuration::from_mins(10);

/// What one round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Rows that went.
    pub gone: usize,
    /// Parcels whose plan was put right.
    pub mended: usize,
}

/// Keeps the house.
#[derive(Clone)]
pub struct Housekeeping {
    /// The records.
    pub records: Records,
    /// Plans checks.
    pub tracker: Arc<Tracker>,
    /// Shops.
    pub shops: Vec<String>,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = jittered(FIRST);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = jittered(EVERY);
            tokio::select! {
                () = stop.cancelled() => return,
                kept = self.round() => match kept {
                    Ok(Kept { gone: 0, mended: 0 }) => {}
                    Ok(kept) => tracing::info!(gone = kept.gone, mended = kept.mended, "the house is kept"),
                    Err(StoreError::Closed) => return,
                    Err(error) => tracing::warn!(%error, "the house was not kept; again in an hour"),
                },
            }
        }
    }

    /// One round. A dropped one did what it did: each page is one commit.
    pub async fn round(&self) -> Result<Kept, StoreError> {
        let now = self.clock.now();
        self.tracker.learn_habits().await?;
        let steady = self.look_at_the_clock(now).await?;
        let mut kept = Kept { gone: 0, mended: self.tracker.mend_schedule().await? };
        if !steady {
            return Ok(kept);
        }
        for sweep in Sweep::ALL {
            let mut from = None;
            loop {
                let swept = match self.records.sweep(sweep, from, now).await {
                    Ok(swept) => swept,
                    // One row that cannot be read is no reason to keep all others for ever.
                    Err(error @ StoreError::Unusable(_)) => {
                        tracing::warn!(%error, what = sweep.name(), "these rows were not swept");
                        break;
                    }
                    Err(error) => return Err(error),
                };
                kept.gone += swept.gone;
                metrics::counter!("yishi_swept_total", "what" => sweep.name()).increment(swept.gone as u64);
                from = swept.next;
                if from.is_none() {
                    break;
                }
                tokio::time::sleep(BREATH).await;
            }
        }
        Ok(kept)
    }

    /// Whether the clock has gone without a jump for long enough. Where it was put back, parcels that were given up as
    /// too old meanwhile are taken up again.
    async fn look_at_the_clock(&self, now: Timestamp) -> Result<bool, StoreError> {
        let read = self.records.clock_seen().await?;
        let (since, last) = read.value.unwrap_or((now, now));
        let back = last.duration_since(now) > SMALL;
        if back {
            tracing::warn!("the clock was put back: what was planned by it is planned again");
            for shop in &self.shops {
                let mut after = None;
                loop {
                    after = self.tracker.take_up_again(shop, after.as_deref()).await?;
                    if after.is_none() {
                        break;
                    }
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        let jumped = back || now.duration_since(last) > CAUTION;
        let since = if jumped { now } else { since };
        let mut batch = Batch::default();
        self.records.replace(&mut batch, &read, &(since, now))?;
        let _ = self.records.store().commit(batch).await?;
        Ok(now.duration_since(since) >= CAUTION)
    }
}

/// A tenth more or less: many services are not busy in the same minute.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(rand::random_range(0.9..1.1))
}
