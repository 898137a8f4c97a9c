//! The one way out: every call to a vendor goes through [`Wire::exchange`], which keeps its time limit, pace,
//! budgets, breaker, token and journal, so that no adapter can forget one. Must never send what was refused here,
//! send twice what must be sent once, or log more than operation, account, status and time.

use super::breaker::{Change, Pass};
use super::clock::{Clock, later, until};
use super::desk::{Desk, Desks, holds};
use super::ledger::{Ledger, Note, Reservation, Reserved};
use super::{Answer, Call, CallError, Cx, Refusal, Step, Token, TokenStep, Transport};
use crate::model::Account;
use jiff::{SignedDuration, Timestamp, tz::Offset};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Calls for one question, repetitions included.
const TRIES: u32 = 3;
/// Further calls (paging, register-then-ask) for one question.
const FOLLOW_UPS: u32 = 5;
/// The first wait before a repetition; it doubles, and each is shortened at random by up to a half.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// A vendor was not given time to answer within this: its silence says nothing about it.
const FAIR_TIME: Duration = Duration::from_secs(2);
/// A throttled account rests at most so long before one call looks whether it is over.
const LONGEST_HOLD: Duration = Duration::from_secs(60);
/// A new token may take this long, whoever still waits for it.
const TOKEN_TIME: Duration = Duration::from_secs(10);

/// What an account's calls must keep. Zero means: no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls a second.
    pub per_second: u32,
    /// Calls a day.
    pub per_day: u32,
    /// Where the day of `per_day` begins at midnight.
    pub zone: Offset,
    /// Between two asks for one number.
    pub min_interval: Duration,
    /// Asks for one number in a rolling day.
    pub per_number_day: u32,
    /// Calls at once; fixed by an account's first call.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 0,
            per_day: 0,
            zone: crate::model::when::CHINA,
            min_interval: Duration::ZERO,
            per_number_day: 0,
            concurrency: 0,
        }
    }
}

impl Limits {
    /// The same under the account's own ceilings (settings `per_day`, `cost_per_day` with `cost_per_call`).
    pub fn under(mut self, account: &Account) -> Self {
        if let Ok(own) = account.setting("per_day", "").parse::<u32>() {
            self.per_day = if self.per_day == 0 { own } else { self.per_day.min(own) };
        }
        // What may be spent on a day, in calls.
        let amount =
            |name: &str| account.setting(name, "").parse::<f64>().ok().filter(|amount| *amount > 0.0);
        if let Some((most, each)) = amount("cost_per_day").zip(amount("cost_per_call")) {
            let calls = (most / each).clamp(1.0, f64::from(u32::MAX)) as u32;
            self.per_day = if self.per_day == 0 { calls } else { self.per_day.min(calls) };
        }
        self
    }

    /// Four fifths of the day's calls: what background checks may use, so that a buyer's question has the rest.
    pub fn for_background(mut self) -> Self {
        self.per_day = if self.per_day == 0 { 0 } else { (self.per_day / 5 * 4).max(1) };
        self
    }
}

/// Who asks whom, and within what.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Who we are to the vendor.
    pub account: &'a Account,
    /// What its calls must keep.
    pub limits: Limits,
    /// `carrier/number`, where a number is asked about: its interval and cap hold.
    pub number: Option<&'a str>,
    /// How the account gets its token, where it needs one.
    pub token: Option<&'static dyn TokenStep>,
    /// Everything together: waiting for a turn, repetitions, follow-ups.
    pub limit: Duration,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The vendor said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No answer to read.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Builds the call; asked again for a repetition, with a fresh token, time and nonce.
pub type Build<'f> = &'f (dyn Fn(&Cx) -> Result<Call, Refusal> + Send + Sync);

/// Reads an answer: the result, or one more call to make.
pub type Read<'f, T> = &'f (dyn Fn(&Cx, &Answer) -> Result<Step<T>, Refusal> + Send + Sync);

/// The client of all adapters. Cheap to clone.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    desks: Desks,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

/// What came of one call, for the books.
struct Said {
    status: Option<u16>,
    took: Duration,
    outcome: &'static str,
    cure: Option<&'static str>,
}

const NOT_NOW: Failure = Failure::Call(CallError::NotSent { until: None });

impl Wire {
    /// Over a transport, with a book of calls and a clock.
    pub fn new(transport: Arc<dyn Transport>, ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { transport, ledger, clock, desks: Desks::default() }))
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Asks the vendor and reads its answer, with everything around it.
    ///
    /// # Errors
    /// What the vendor refused, or why no answer came; `NotSent` carries when it may be tried again.
    pub async fn exchange<T>(
        &self,
        ask: &Exchange<'_>,
        build: Build<'_>,
        read: Read<'_, T>,
    ) -> Result<T, Failure> {
        let clock = &self.0.clock;
        let deadline = later(clock.now(), ask.limit);
        let desk = self.0.desks.of(ask.account, ask.limits.concurrency);
        let patience = until(clock.now(), deadline);
        let Ok(Ok(_place)) = tokio::time::timeout(patience, desk.places.acquire()).await else {
            count(ask.account, "none", "held_places");
            return Err(NOT_NOW);
        };
        let mut token = self.token(ask, &desk, None, deadline).await?;
        let (mut tries, mut follow_ups, mut renewed) = (0, 0, false);
        // The call to make where it is not the first one, built by `build`.
        let mut next: Option<Call> = None;
        loop {
            let cx = self.cx(ask.account, token.as_ref());
            let call = match &next {
                Some(call) => call.clone(),
                None => build(&cx)?,
            };
            let repeatable = call.repeatable;
            let number = ask.number.filter(|_| next.is_none());
            let once =
                Once { ask, desk: &desk, number, again: tries > 0 || renewed, deadline, counted: true };
            let failure = match self.once(&once, call, &|answer| read(&cx, answer)).await {
                Ok(Step::Done(result)) => return Ok(result),
                Ok(Step::Then(call)) => {
                    follow_ups += 1;
                    if follow_ups > FOLLOW_UPS {
                        return Err(Refusal::Unreadable.into());
                    }
                    next = Some(call);
                    tries = 0;
                    continue;
                }
                Err(failure) => failure,
            };
            if failure == Failure::Refused(Refusal::TokenExpired) && ask.token.is_some() && !renewed {
                // Refused for its token, so it did nothing: built anew, it may be sent once more.
                renewed = true;
                token = self.token(ask, &desk, token.as_ref(), deadline).await?;
                next = None;
                continue;
            }
            tries += 1;
            let Some(wait) = wait_before_repeating(&failure, repeatable, tries) else { return Err(failure) };
            if later(clock.now(), wait) >= deadline {
                return Err(failure);
            }
            clock.sleep(wait).await;
        }
    }

    fn cx<'c>(&self, account: &'c Account, token: Option<&'c Token>) -> Cx<'c> {
        Cx { account, token, now: self.0.clock.now(), random: rand::random() }
    }

    /// One call: leave of breaker, budget and pace, then out, then the books.
    async fn once<T>(
        &self,
        once: &Once<'_>,
        call: Call,
        read: &(dyn Fn(&Answer) -> Result<T, Refusal> + Sync),
    ) -> Result<T, Failure> {
        let (clock, account) = (&self.0.clock, once.ask.account);
        let operation = call.operation;
        let held = |outcome: &'static str, until: Option<Timestamp>| {
            count(account, operation, outcome);
            tracing::debug!(operation, account = %account.id, outcome, "call held back");
            Failure::Call(CallError::NotSent { until })
        };
        let pass = match once.desk.breaker.enter(clock.now()) {
            Ok(pass) => pass,
            Err(until) => return Err(held("held_breaker", Some(until))),
        };
        let reservation = once.reservation(clock.now());
        if let Some(reservation) = &reservation {
            match self.0.ledger.reserve(reservation).await {
                Ok(Reserved::Yes) => {}
                Ok(Reserved::Not { until }) => return Err(held("held_budget", Some(until))),
                Err(error) => {
                    tracing::error!(operation, account = %account.id, %error, "the ledger refused");
                    return Err(held("held_ledger", None));
                }
            }
        }
        let turn = match once.desk.pace.take(clock.now(), once.deadline, once.ask.limits.per_second) {
            Ok(turn) => turn,
            Err(until) => {
                self.settle(reservation.as_ref(), None).await;
                return Err(held("held_pace", Some(until)));
            }
        };
        let wait = until(clock.now(), turn);
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        let began = clock.now();
        let limit = until(began, once.deadline);
        if limit.is_zero() {
            self.settle(reservation.as_ref(), None).await;
            return Err(held("held_pace", None));
        }
        let clocked = std::time::Instant::now();
        let sent = self.0.transport.send(call, limit);
        let sent = tokio::time::timeout(limit, sent).await.unwrap_or(Err(CallError::Unknown));
        let (result, status) = match sent {
            Ok(answer) => (judge(&answer, read(&answer), clock.now()), Some(answer.status)),
            Err(error) => (Err(Failure::Call(error)), None),
        };
        let unsent = matches!(result, Err(Failure::Call(CallError::NotSent { .. })));
        if unsent {
            self.settle(reservation.as_ref(), None).await;
        } else if !wait.is_zero() {
            self.settle(reservation.as_ref(), Some(began)).await;
        }
        let unfair = status.is_none() && !unsent && limit < FAIR_TIME;
        if !unfair {
            report(account, pass, status.is_some_and(|status| status < 500), clock.now());
        }
        if let Err(Failure::Refused(Refusal::Throttled { until })) = &result {
            let longest = later(clock.now(), LONGEST_HOLD);
            // Where no number was asked about, the account itself was told to wait.
            if let (Some(until), None) = (until, once.number) {
                once.desk.pace.hold(longest.min(*until));
            }
        }
        let cure = match &result {
            Err(Failure::Refused(Refusal::FixAccount { cure })) => Some(cure.0),
            _ => None,
        };
        let outcome = result.as_ref().map_or_else(Failure::label, |_| "ok");
        let said = Said { status, took: clocked.elapsed(), outcome, cure };
        self.write_down(once, operation, began, said).await;
        result
    }

    /// Figures, log and journal of one call.
    async fn write_down(
        &self,
        once: &Once<'_>,
        operation: &'static str,
        at: Timestamp,
        Said { status, took, outcome, cure }: Said,
    ) {
        let account = once.ask.account;
        count(account, operation, outcome);
        let labels = [("account_kind", account.kind.clone()), ("operation", operation.to_owned())];
        metrics::histogram!("yishi_call_seconds", &labels).record(took.as_secs_f64());
        let millis = took.as_millis() as u64;
        let status_shown = status.unwrap_or_default();
        tracing::info!(operation, account = %account.id, status = status_shown, ms = millis, outcome, "call");
        let note = Note {
            at,
            account: account.name(),
            kind: account.kind.clone(),
            operation,
            number: once.number.map(str::to_owned),
            status,
            millis,
            outcome,
            cure,
        };
        self.0.ledger.note(note).await;
    }

    async fn settle(&self, reservation: Option<&Reservation>, made: Option<Timestamp>) {
        let Some(reservation) = reservation else { return };
        if let Err(error) = self.0.ledger.settle(reservation, made).await {
            // The count stays too high: on the safe side.
            tracing::error!(account = %reservation.account, %error, "the ledger was not put right");
        }
    }

    /// The account's token; with `stale`, one that is not that. At most one fetch at a time per account, and it
    /// runs to its end whoever waits: a vendor may have ended the old token by then.
    async fn token(
        &self,
        ask: &Exchange<'_>,
        desk: &Arc<Desk>,
        stale: Option<&Token>,
        deadline: Timestamp,
    ) -> Result<Option<Token>, Failure> {
        let Some(step) = ask.token else { return Ok(None) };
        if let Some(token) = desk.token(self.0.clock.now()).filter(|token| Some(token) != stale) {
            return Ok(Some(token));
        }
        let (wire, desk, account) = (self.clone(), desk.clone(), ask.account.clone());
        let (limits, stale) = (ask.limits, stale.cloned());
        let renewal = async move { wire.renew(&account, limits, step, &desk, stale).await };
        let renewal = tokio::spawn(renewal.instrument(tracing::Span::current()));
        match tokio::time::timeout(until(self.0.clock.now(), deadline), renewal).await {
            Ok(Ok(renewed)) => renewed.map(Some),
            // Out of time, or the process is stopping.
            Ok(Err(_)) | Err(_) => Err(NOT_NOW),
        }
    }

    async fn renew(
        &self,
        account: &Account,
        limits: Limits,
        step: &'static dyn TokenStep,
        desk: &Desk,
        stale: Option<Token>,
    ) -> Result<Token, Failure> {
        let _turn = desk.renewal.lock().await;
        let now = self.0.clock.now();
        // Somebody fetched one while we waited, or it is kept from before the restart.
        let fits = |token: &Token| holds(token, now) && Some(token) != stale.as_ref();
        if let Some(token) = desk.token(now).filter(fits) {
            return Ok(token);
        }
        let kept = self.0.ledger.token(&account.name()).await.map_err(|error| {
            tracing::error!(account = %account.id, %error, "the token cannot be read");
            NOT_NOW
        })?;
        if let Some(token) = kept.clone().filter(fits) {
            desk.keep_token(&token);
            return Ok(token);
        }
        // Some vendors renew a token by the old one.
        let old = stale.or(kept);
        let ask = Exchange { account, limits, number: None, token: None, limit: TOKEN_TIME };
        let deadline = later(now, TOKEN_TIME);
        let mut tries = 0;
        let token = loop {
            let cx = self.cx(account, old.as_ref());
            let once = Once { ask: &ask, desk, number: None, again: false, deadline, counted: false };
            let call = step.fetch(&cx)?;
            let repeatable = call.repeatable;
            let failure = match self.once(&once, call, &|answer| step.read(&cx, answer)).await {
                Ok(token) => break token,
                Err(failure) => failure,
            };
            tries += 1;
            let Some(wait) = wait_before_repeating(&failure, repeatable, tries) else { return Err(failure) };
            if later(self.0.clock.now(), wait) >= deadline {
                return Err(failure);
            }
            self.0.clock.sleep(wait).await;
        };
        self.0.ledger.put_token(&account.name(), &token).await.map_err(|error| {
            tracing::error!(account = %account.id, %error, "the token cannot be kept and is not used");
            NOT_NOW
        })?;
        desk.keep_token(&token);
        Ok(token)
    }
}

/// One call of an exchange.
struct Once<'a> {
    ask: &'a Exchange<'a>,
    desk: &'a Desk,
    number: Option<&'a str>,
    again: bool,
    deadline: Timestamp,
    /// Whether it counts against the day's budget (a token's fetch does not).
    counted: bool,
}

impl Once<'_> {
    /// What to count; nothing where no limit asks for it.
    fn reservation(&self, at: Timestamp) -> Option<Reservation> {
        let limits = &self.ask.limits;
        let limited = !limits.min_interval.is_zero() || limits.per_number_day > 0;
        let number = self.number.filter(|_| limited);
        if !self.counted || (limits.per_day == 0 && number.is_none()) {
            return None;
        }
        let day = limits.zone.to_datetime(at).date();
        let midnight = day.tomorrow().ok().map(|next| next.to_datetime(jiff::civil::Time::midnight()));
        let day_ends = midnight.and_then(|midnight| limits.zone.to_timestamp(midnight).ok());
        Some(Reservation {
            account: self.ask.account.name(),
            number: number.map(str::to_owned),
            at,
            per_day: (limits.per_day > 0).then_some(limits.per_day),
            day,
            day_ends: day_ends.unwrap_or(Timestamp::MAX),
            min_interval: limits.min_interval,
            per_number_day: (limits.per_number_day > 0).then_some(limits.per_number_day),
            again: self.again,
        })
    }
}

/// What HTTP says where the codec could not read the body: a page of a gateway, as a rule.
fn judge<T>(answer: &Answer, read: Result<T, Refusal>, now: Timestamp) -> Result<T, Failure> {
    read.map_err(|refusal| {
        let after = || answer.header("retry-after").and_then(|value| retry_after(value, now));
        Failure::Refused(match (refusal, answer.status) {
            (Refusal::Unreadable, 429) => {
                Refusal::Throttled { until: after().map(|after| later(now, after)) }
            }
            (Refusal::Unreadable, 500..) => {
                Refusal::Retry { after: after().and_then(|after| SignedDuration::try_from(after).ok()) }
            }
            (refusal, _) => refusal,
        })
    })
}

/// Seconds, or an HTTP date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    Some(until(now, date.timestamp()))
}

/// How long to wait before making a failed call again; none where it must not or need not be made again.
fn wait_before_repeating(failure: &Failure, repeatable: bool, tries: u32) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let asked = match failure {
        // It never left, and no time is named: a connection that failed.
        Failure::Call(CallError::NotSent { until: None }) => Duration::ZERO,
        Failure::Call(CallError::Unknown) if repeatable => Duration::ZERO,
        Failure::Refused(Refusal::Retry { after }) if repeatable => {
            after.and_then(|after| Duration::try_from(after).ok()).unwrap_or_default()
        }
        _ => return None,
    };
    let wait = FIRST_WAIT * 2u32.pow(tries - 1);
    Some(asked.max(wait.mul_f64(1.0 - rand::random::<f64>() / 2.0)))
}

fn report(account: &Account, pass: Pass, well: bool, now: Timestamp) {
    match pass.report(well, now) {
        Some(Change::Opened(until)) => {
            let labels = [("account_kind", account.kind.clone())];
            metrics::counter!("yishi_breaker_opened_total", &labels).increment(1);
            tracing::warn!(account = %account.id, kind = %account.kind, %until, "breaker opened");
        }
        Some(Change::Closed) => {
            tracing::info!(account = %account.id, kind = %account.kind, "breaker closed");
        }
        None => {}
    }
}

fn count(account: &Account, operation: &'static str, outcome: &'static str) {
    let labels = [
        ("account_kind", account.kind.clone()),
        ("operation", operation.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    metrics::counter!("yishi_calls_total", &labels).increment(1);
}

impl Failure {
    /// A label for figures and the journal.
    pub fn label(&self) -> &'static str {
        match self {
            Failure::Call(CallError::NotSent { .. }) => "not_sent",
            Failure::Call(CallError::Unknown) => "unknown",
            Failure::Refused(refusal) => match refusal {
                Refusal::Retry { .. } => "retry",
                Refusal::Throttled { .. } => "throttled",
                Refusal::TokenExpired => "token_expired",
                Refusal::FixAccount { .. } => "fix_account",
                Refusal::FixOrder { .. } => "fix_order",
                Refusal::NeedPhoneTail => "need_phone_tail",
                Refusal::NoDataYet => "no_data_yet",
                Refusal::BadNumber => "bad_number",
                Refusal::WrongCarrier => "wrong_carrier",
                Refusal::NotRegistered => "not_registered",
                Refusal::AlreadyDone => "already_done",
                Refusal::Unreachable => "unreachable",
                Refusal::WindowShut => "window_shut",
                Refusal::ConsentSpent => "consent_spent",
                Refusal::Unsupported => "unsupported",
                Refusal::Unreadable => "unreadable",
            },
        }
    }
}
