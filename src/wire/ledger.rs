//! The book of calls: daily budgets, each number's last asks, tokens and the journal. They survive a restart,
//! because the store keeps them; the rules are here, pure, so that every store keeps the same book.

use super::Token;
use super::clock::later;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A number's day: caps count over a rolling one.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// One call that somebody wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The account.
    pub account: String,
    /// `carrier/number`, where the call asks about one.
    pub number: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Most calls a day for the account; none: no budget.
    pub per_day: Option<u32>,
    /// The budget's day, in the vendor's zone.
    pub day: Date,
    /// When that day ends.
    pub day_ends: Timestamp,
    /// Least time between two asks for one number.
    pub min_interval: Duration,
    /// Most asks for one number in a rolling day; none: no cap.
    pub per_number_day: Option<u32>,
    /// A repetition of an ask that just failed: it counts, but need not wait for the interval.
    pub again: bool,
}

/// The ledger could not be read or written: nothing may be sent on its word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger cannot be used: {0}")]
pub struct LedgerDown(pub String);

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Reserved {
    /// Counted; the call may be made.
    Yes,
    /// Not counted; come again then.
    Not {
        /// When it may be tried again.
        until: Timestamp,
    },
}

/// One line of the journal. Holds no body, no address, no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When the call began.
    pub at: Timestamp,
    /// The account.
    pub account: String,
    /// Its adapter.
    pub kind: String,
    /// `kuaidi100.query`
    pub operation: &'static str,
    /// `carrier/number`, where it asked about one.
    pub number: Option<String>,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// `ok`, or what was refused or failed: a label.
    pub outcome: &'static str,
    /// Key of the words that say what to do, where a person must.
    pub cure: Option<&'static str>,
}

/// Keeps the book. The store implements it.
#[async_trait::async_trait]
pub trait Ledger: Send + Sync {
    /// Counts a call against the account's day and the number's interval and cap, all or nothing, before it is
    /// made. Two at once are counted one after the other.
    async fn reserve(&self, ask: &Reservation) -> Result<Reserved, LedgerDown>;
    /// Puts a counted call right: it was made later than said (`Some`), or never left (`None`: the count is given
    /// back). Calls that were made as reserved are not settled.
    async fn settle(&self, ask: &Reservation, made: Option<Timestamp>) -> Result<(), LedgerDown>;
    /// The account's token, as last put.
    async fn token(&self, account: &str) -> Result<Option<Token>, LedgerDown>;
    /// Keeps a token; durable when this returns, for the vendor may have ended the one before.
    async fn put_token(&self, account: &str, token: &Token) -> Result<(), LedgerDown>;
    /// Writes a line of the journal. Losing one is no reason to fail.
    async fn note(&self, note: Note);
}

/// A call may be counted so much ahead of when it was reserved: it waited for its turn. What lies further ahead was
/// counted while the clock was wrong.
const AHEAD: Duration = Duration::from_secs(60);

/// An account's calls of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayBook {
    /// The day counted, in the vendor's zone.
    pub day: Option<Date>,
    /// Calls on it.
    pub used: u32,
}

impl DayBook {
    /// Where the clock was ahead and was put back, the calls of the days to come count as today's: rather too many
    /// than too few. Whether that changed anything; then it must be kept, whatever is admitted.
    pub fn mend(&mut self, ask: &Reservation) -> bool {
        let ahead = ask.day.tomorrow().is_ok_and(|tomorrow| self.day.is_some_and(|day| day > tomorrow));
        if ahead {
            self.day = Some(ask.day);
        }
        ahead
    }

    /// Counts one more, or says when the next day begins.
    pub fn admit(&mut self, ask: &Reservation) -> Result<(), Timestamp> {
        let Some(most) = ask.per_day else { return Ok(()) };
        if self.day.is_none_or(|day| day < ask.day) {
            *self = Self { day: Some(ask.day), used: 0 };
        }
        if self.used >= most {
            return Err(ask.day_ends);
        }
        self.used += 1;
        Ok(())
    }

    /// Gives one back.
    pub fn give_back(&mut self, ask: &Reservation) {
        if ask.per_day.is_some() && self.day == Some(ask.day) {
            self.used = self.used.saturating_sub(1);
        }
    }
}

/// A number's asks of the last day, at one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberBook {
    /// Oldest first; never more than the cap.
    pub asks: Vec<Timestamp>,
}

impl NumberBook {
    /// As [`DayBook::mend`]: asks of a time to come count as made now.
    pub fn mend(&mut self, ask: &Reservation) -> bool {
        let ahead = later(ask.at, AHEAD);
        let mended = self.asks.iter().any(|at| *at > ahead);
        for at in self.asks.iter_mut().filter(|at| **at > ahead) {
            *at = ask.at;
        }
        mended
    }

    /// Counts one more, or says when it may be asked again.
    pub fn admit(&mut self, ask: &Reservation) -> Result<(), Timestamp> {
        self.asks.retain(|at| later(*at, DAY.max(ask.min_interval)) > ask.at);
        if let (Some(last), false) = (self.asks.last(), ask.again) {
            let free = later(*last, ask.min_interval);
            if free > ask.at {
                return Err(free);
            }
        }
        if let Some(most) = ask.per_number_day.map(|most| most.max(1) as usize) {
            let today: Vec<Timestamp> =
                self.asks.iter().copied().filter(|at| later(*at, DAY) > ask.at).collect();
            if today.len() >= most {
                return Err(later(today[today.len() - most], DAY));
            }
        } else if !self.asks.is_empty() {
            // Without a cap only the last one matters.
            self.asks.clear();
        }
        self.asks.push(ask.at);
        Ok(())
    }

    /// Moves one to when it was made, or takes it out.
    pub fn settle(&mut self, ask: &Reservation, made: Option<Timestamp>) {
        if let Some(index) = self.asks.iter().rposition(|at| *at == ask.at) {
            self.asks.remove(index);
            self.asks.extend(made);
            self.asks.sort_unstable();
        }
    }

    /// Whether nothing in it can matter any more.
    pub fn is_idle(&self, now: Timestamp, min_interval: Duration) -> bool {
        self.asks.iter().all(|at| later(*at, DAY.max(min_interval)) <= now)
    }
}

/// A ledger in memory, for tests and for a store in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    days: HashMap<String, DayBook>,
    numbers: HashMap<(String, String), NumberBook>,
    tokens: HashMap<String, Token>,
    notes: Vec<Note>,
}

impl MemoryLedger {
    /// The newest lines of the journal, oldest first.
    pub fn notes(&self) -> Vec<Note> {
        self.books().notes.clone()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines of the journal that are kept in memory.
const NOTES: usize = 10_000;
/// Numbers kept in memory before idle ones are dropped.
const NUMBERS: usize = 100_000;

#[async_trait::async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(&self, ask: &Reservation) -> Result<Reserved, LedgerDown> {
        let mut books = self.books();
        if books.numbers.len() >= NUMBERS {
            books.numbers.retain(|_, book| !book.is_idle(ask.at, ask.min_interval));
        }
        let day = books.days.entry(ask.account.clone()).or_default();
        day.mend(ask);
        if let Err(until) = day.admit(ask) {
            return Ok(Reserved::Not { until });
        }
        let Some(number) = &ask.number else { return Ok(Reserved::Yes) };
        let book = books.numbers.entry((ask.account.clone(), number.clone())).or_default();
        book.mend(ask);
        if let Err(until) = book.admit(ask) {
            books.days.entry(ask.account.clone()).or_default().give_back(ask);
            return Ok(Reserved::Not { until });
        }
        Ok(Reserved::Yes)
    }

    async fn settle(&self, ask: &Reservation, made: Option<Timestamp>) -> Result<(), LedgerDown> {
        let mut books = self.books();
        if let (None, Some(day)) = (made, books.days.get_mut(&ask.account)) {
            day.give_back(ask);
        }
        if let Some(number) = &ask.number
            && let Some(book) = books.numbers.get_mut(&(ask.account.clone(), number.clone()))
        {
            book.settle(ask, made);
        }
        Ok(())
    }

    async fn token(&self, account: &str) -> Result<Option<Token>, LedgerDown> {
        Ok(self.books().tokens.get(account).cloned())
    }

    async fn put_token(&self, account: &str, token: &Token) -> Result<(), LedgerDown> {
        self.books().tokens.insert(account.to_owned(), token.clone());
        Ok(())
    }

    async fn note(&self, note: Note) {
        let mut books = self.books();
        if books.notes.len() >= NOTES {
            books.notes.drain(..NOTES / 2);
        }
        books.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + minutes * 60).unwrap()
    }

    fn ask(minutes: i64) -> Reservation {
        Reservation {
            account: "kd".into(),
            number: Some("zto/1".into()),
            at: at(minutes),
            per_day: Some(3),
            day: Date::constant(2026, 2, 2),
            day_ends: at(600),
            min_interval: Duration::from_secs(30 * 60),
            per_number_day: Some(2),
            again: false,
        }
    }

    #[tokio::test]
    async fn a_number_is_asked_once_in_its_interval_and_so_often_in_a_rolling_day() {
        let ledger = MemoryLedger::default();
        assert_eq!(ledger.reserve(&ask(0)).await, Ok(Reserved::Yes));
        assert_eq!(ledger.reserve(&ask(29)).await, Ok(Reserved::Not { until: at(30) }));
        let repetition = Reservation { again: true, ..ask(1) };
        assert_eq!(ledger.reserve(&repetition).await, Ok(Reserved::Yes));
        // The cap is reached: free again a day after the older of the two.
        assert_eq!(ledger.reserve(&ask(60)).await, Ok(Reserved::Not { until: at(24 * 60) }));
        // A refused ask took nothing from the day's three.
        let other = Reservation { number: Some("zto/2".into()), ..ask(60) };
        assert_eq!(ledger.reserve(&other).await, Ok(Reserved::Yes));
        let third = Reservation { number: Some("zto/3".into()), ..ask(60) };
        assert_eq!(ledger.reserve(&third).await, Ok(Reserved::Not { until: at(600) }));
        let tomorrow = Reservation { day: Date::constant(2026, 2, 3), day_ends: at(2_040), ..third };
        assert_eq!(ledger.reserve(&tomorrow).await, Ok(Reserved::Yes));
    }

    #[tokio::test]
    async fn what_never_left_is_given_back_and_what_left_late_counts_from_then() {
        let ledger = MemoryLedger::default();
        assert_eq!(ledger.reserve(&ask(0)).await, Ok(Reserved::Yes));
        ledger.settle(&ask(0), None).await.unwrap();
        assert_eq!(ledger.reserve(&ask(1)).await, Ok(Reserved::Yes));
        ledger.settle(&ask(1), Some(at(3))).await.unwrap();
        assert_eq!(ledger.reserve(&ask(31)).await, Ok(Reserved::Not { until: at(33) }));
    }

    #[tokio::test]
    async fn a_clock_that_was_ahead_for_a_while_stops_nothing_for_longer_than_a_usual_wait() {
        let ledger = MemoryLedger::default();
        let year = 365 * 24 * 60;
        let ahead = Reservation { day: Date::constant(2027, 2, 2), day_ends: at(year + 600), ..ask(year) };
        assert_eq!(ledger.reserve(&ahead).await, Ok(Reserved::Yes));
        // Back: what was asked then counts as asked now, and is waited for once.
        assert_eq!(ledger.reserve(&ask(0)).await, Ok(Reserved::Not { until: at(30) }));
        assert_eq!(ledger.reserve(&ask(29)).await, Ok(Reserved::Not { until: at(30) }));
        assert_eq!(ledger.reserve(&ask(30)).await, Ok(Reserved::Yes));
        // And the account's day holds the calls of both.
        let other = |number: &str| Reservation { number: Some(number.into()), ..ask(31) };
        assert_eq!(ledger.reserve(&other("zto/2")).await, Ok(Reserved::Yes));
        assert_eq!(ledger.reserve(&other("zto/3")).await, Ok(Reserved::Not { until: at(600) }));
        let tomorrow = Reservation { day: Date::constant(2026, 2, 3), ..other("zto/3") };
        assert_eq!(ledger.reserve(&tomorrow).await, Ok(Reserved::Yes));
    }

    proptest::proptest! {
        #[test]
        fn no_rolling_day_holds_more_than_the_cap(steps in proptest::collection::vec((0i64..200, proptest::bool::ANY), 1..200), most in 1u32..10) {
            let mut book = NumberBook::default();
            let mut now = 0;
            let mut made = Vec::new();
            for (step, again) in steps {
                now += step;
                let ask = Reservation { per_number_day: Some(most), again, ..ask(now) };
                if book.admit(&ask).is_ok() {
                    made.push(now);
                }
                proptest::prop_assert!(book.asks.len() <= most as usize);
            }
            for (index, first) in made.iter().enumerate() {
                let within = made[index..].iter().filter(|other| **other < first + 24 * 60).count();
                proptest::prop_assert!(within <= most as usize);
            }
        }
    }
}
