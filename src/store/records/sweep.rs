//! Rows whose time is over go, a page at a time, so that nobody waits for it. How long each kind is kept stands here,
//! and in `docs/operating.md`. Must never take what somebody still waits for: dead letters, open cases, what is to be
//! sent, orders, parcels and conversations are not swept.

use super::{Case, Kind, Records, Request};
use crate::store::{Batch, Committed, StoreError, prefix_end};
use crate::wire::ledger::NumberBook;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// News of a number that nobody knows.
const STRAY: SignedDuration = days(14);
/// A line of an account's journal.
const JOURNAL: SignedDuration = days(14);
/// A case, after it was settled or had cleared.
const PAST_CASE: SignedDuration = days(180);
/// A request that the shop called settled, after it was made.
const SETTLED_REQUEST: SignedDuration = days(90);
/// Any request.
const REQUEST: SignedDuration = days(365);
/// A part of a dead letter that was never finished: the process was killed while it wrote.
const LETTER_PART: SignedDuration = days(1);
/// Failed proofs count for an hour.
const GUESSES: SignedDuration = days(1);
/// When a number was asked about: longer than any account's least interval.
const ASKED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Rows of one page: its batch stays under [`crate::store::MAX_KEYS`].
const PAGE: usize = 32;
/// `kind ‖ owner`
const OWNER: usize = 9;

/// Kinds of rows that are kept for a stated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// News of numbers that nobody knows.
    Strays,
    /// What was asked of accounts.
    Journal,
    /// Cases that were settled or have cleared.
    PastCases,
    /// What the merchant was shown.
    Requests,
    /// Parts of dead letters that were never finished.
    LetterParts,
    /// Failed proofs.
    Guesses,
    /// When numbers were asked about.
    Asked,
}

impl Sweep {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::Strays,
        Self::Journal,
        Self::PastCases,
        Self::Requests,
        Self::LetterParts,
        Self::Guesses,
        Self::Asked,
    ];

    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strays => "strays",
            Self::Journal => "journal",
            Self::PastCases => "past_cases",
            Self::Requests => "requests",
            Self::LetterParts => "letter_parts",
            Self::Guesses => "guesses",
            Self::Asked => "asked",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Strays => Kind::Stray,
            Self::Journal => Kind::Journal,
            Self::PastCases => Kind::PastCase,
            Self::Requests => Kind::Request,
            Self::LetterParts => Kind::LetterPart,
            Self::Guesses => Kind::Guesses,
            Self::Asked => Kind::Asked,
        }
    }
}

/// What became of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Where the next page begins; none: that was the last.
    pub next: Option<Vec<u8>>,
    /// Rows that went.
    pub gone: usize,
}

/// Whether a row's time is over.
enum Fate {
    Goes,
    Stays,
    /// So does all that its owner has after it: rows stand in order of time.
    StaysWithTheRest,
}

impl Records {
    /// Sweeps one page, `from` where the last one said.
    pub async fn sweep(
        &self,
        sweep: Sweep,
        from: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Swept, StoreError> {
        let kind = sweep.kind() as u8;
        let from = from.unwrap_or_else(|| vec![kind]);
        let rows = self.store().scan(&from, &prefix_end(&[kind]), PAGE).await?;
        let Some((last, _)) = rows.last() else { return Ok(Swept { next: None, gone: 0 }) };
        let mut next = (rows.len() >= PAGE).then(|| [last.as_slice(), &[0]].concat());
        let (mut batch, mut gone) = (Batch::default(), 0);
        for (key, raw) in rows {
            match self.fate(sweep, &key, &raw, now).await? {
                Fate::Goes if sweep == Sweep::Strays => {
                    // It has pages of its own.
                    self.drop_stray(&self.parcel_at(key).await?).await?;
                    gone += 1;
                }
                Fate::Goes => {
                    batch.expect(key.clone(), Some(raw)).delete(key);
                }
                Fate::Stays => {}
                Fate::StaysWithTheRest => {
                    next = Some(prefix_end(&key[..OWNER]));
                    break;
                }
            }
        }
        let rows = batch.writes.len();
        // Lost: one of them was just written to. The next sweep looks again.
        if rows > 0 && self.store().commit(batch).await? == Committed::Done {
            gone += rows;
        }
        Ok(Swept { next, gone })
    }

    async fn fate(
        &self,
        sweep: Sweep,
        key: &[u8],
        raw: &bytes::Bytes,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        let older = |at: Timestamp, life: SignedDuration| now.duration_since(at) > life;
        let goes = match sweep {
            Sweep::Strays => {
                let stray = self.parcel_at(key.to_vec()).await?.value;
                stray.and_then(|stray| stray.last_push).is_none_or(|heard| older(heard, STRAY))
            }
            Sweep::Journal => match journal_time(key) {
                Some(at) if !older(at, JOURNAL) => return Ok(Fate::StaysWithTheRest),
                _ => true,
            },
            Sweep::PastCases => {
                let case: Case = self.open(key, raw)?;
                older(case.done_at.max(case.cleared_at).unwrap_or(case.opened), PAST_CASE)
            }
            Sweep::Requests => {
                let request: Request = self.open(key, raw)?;
                older(request.at, if request.done { SETTLED_REQUEST } else { REQUEST })
            }
            Sweep::LetterParts => {
                let began = letter_time(key).is_none_or(|at| older(at, LETTER_PART));
                began && self.store().get(&super::letters::letter_of(key)).await?.is_none()
            }
            Sweep::Guesses => {
                let misses: Vec<Timestamp> = self.open(key, raw)?;
                misses.iter().all(|miss| older(*miss, GUESSES))
            }
            Sweep::Asked => self.open::<NumberBook>(key, raw)?.is_idle(now, ASKED),
        };
        Ok(if goes { Fate::Goes } else { Fate::Stays })
    }

    /// Since when the clock has been going without a jump, as far as this store has seen: `(since, last seen)`.
    pub async fn clock_seen(&self) -> Result<super::Read<(Timestamp, Timestamp)>, StoreError> {
        self.read(self.key(Kind::Budget, "", "clock")).await
    }
}

/// `kind ‖ owner ‖ milliseconds ‖ …`
fn journal_time(key: &[u8]) -> Option<Timestamp> {
    let millis = key.get(OWNER..OWNER + 8)?.first_chunk::<8>().copied()?;
    Timestamp::from_millisecond(u64::from_be_bytes(millis) as i64).ok()
}

/// `kind ‖ owner ‖ UUID of version 7, which begins with milliseconds ‖ …`
fn letter_time(key: &[u8]) -> Option<Timestamp> {
    let [a, b, c, d, e, f] = *key.get(OWNER..OWNER + 6)?.first_chunk::<6>()?;
    Timestamp::from_millisecond(i64::from_be_bytes([0, 0, a, b, c, d, e, f])).ok()
}
