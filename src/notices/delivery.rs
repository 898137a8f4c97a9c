//! Sends what stands in the outbox. A row is marked before its call; a call whose outcome stays unknown is never
//! made again, but shown to the merchant. Must never send twice, nor out of order to one person.

use crate::channels::alerts::{Alert, alert};
use crate::channels::{Channel, Incoming, What, channel, has_form, is_logged};
use crate::model::chat::Mode;
use crate::model::{Account, ChatAddress, ChatMessage, From, Shown};
use crate::store::records::{Outgoing, OutgoingState, Read, Records};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Call, CallError, Cx, Exchange, Failure, Limits, Refusal, Step, Wire};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest time for one call.
const LIMIT: Duration = Duration::from_secs(10);
/// Tries of a message that certainly did not arrive.
const TRIES: u32 = 8;
/// Tries of an alert whose receiver tells repetitions apart.
const PATIENT_TRIES: u32 = 22;
/// Rows taken at once.
const TAKEN: usize = 256;
/// The outbox is looked at least this often.
const IDLE: Duration = Duration::from_secs(1);

/// Sends the outbox.
#[derive(Clone)]
pub struct Delivery {
    /// The records.
    pub records: Records,
    /// The way out.
    pub wire: Wire,
    /// Accounts by kind and id.
    pub accounts: Arc<HashMap<(String, String), Arc<Account>>>,
    /// Told when something new is there.
    pub news: Arc<Notify>,
    /// Told when a web chat's log has grown.
    pub logged: Logged,
    /// What became of rows whose end could not be kept yet, by their keys: the disk was nearly full.
    pub unkept: Unkept,
}

/// Ends of rows that the store did not take yet.
pub type Unkept = Arc<Mutex<HashMap<Vec<u8>, Sent>>>;

/// Hears whose log has grown.
pub type Logged = Arc<dyn Fn(&ChatAddress) + Send + Sync>;

/// What became of one row.
#[derive(Debug)]
pub enum Sent {
    /// It arrived.
    Done,
    /// It certainly did not arrive: try again then.
    Again(Timestamp),
    /// It cannot arrive this way, or nobody knows whether it did.
    Ended(&'static str),
}

impl Delivery {
    /// Runs until `stop`. What a crash left marked `sending` has an unknown outcome and is not sent again.
    pub async fn run(self, stop: CancellationToken) {
        if let Err(error) = self.settle_unknown().await {
            tracing::error!(%error, "the outbox could not be read");
        }
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(StoreError::Closed) => return,
                Err(error) => tracing::error!(%error, "the outbox could not be worked off"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.news.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    async fn settle_unknown(&self) -> Result<(), StoreError> {
        for row in self.records.outgoing().await? {
            if let Some(outgoing) = &row.value
                && outgoing.state == OutgoingState::Sending
            {
                self.end(&row, "outcome_unknown").await?;
            }
        }
        Ok(())
    }

    /// Sends what is due: people side by side, each person's messages in order. Returns how many rows it handled.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let now = self.wire.clock().now();
        let rows = self.records.due(now, TAKEN).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        // Whoever has a message that was put off hears nothing newer before it.
        let mut put_off: HashMap<String, Timestamp> = HashMap::new();
        for row in self.records.not_due(now, TAKEN).await? {
            let Some(outgoing) = row.value.filter(|outgoing| outgoing.tries > 0) else { continue };
            let made = put_off.entry(person(&outgoing)).or_insert(outgoing.made);
            *made = outgoing.made.min(*made);
        }
        let mut people: BTreeMap<String, Vec<Read<Outgoing>>> = BTreeMap::new();
        for row in rows {
            let Some(outgoing) = &row.value else { continue };
            let person = person(outgoing);
            if put_off.get(&person).is_none_or(|made| outgoing.made < *made) {
                people.entry(person).or_default().push(row);
            }
        }
        for rows in people.values_mut() {
            let place = |outgoing: &Outgoing| (outgoing.made, std::cmp::Reverse(outgoing.tries));
            rows.sort_by_key(|row| row.value.as_ref().map(place));
        }
        let count = people.values().map(Vec::len).sum();
        let sends = people.into_values().map(|rows| async move {
            for row in rows {
                if !self.send(row).await? {
                    break;
                }
            }
            Ok::<(), StoreError>(())
        });
        // All of them to their end: one that could not be kept must not cut off another in the middle of its call.
        let ended = futures_util::future::join_all(sends).await;
        ended.into_iter().collect::<Result<(), StoreError>>()?;
        Ok(count)
    }

    /// Sends one row. `false`: later rows of the same person wait.
    async fn send(&self, row: Read<Outgoing>) -> Result<bool, StoreError> {
        let Some(outgoing) = row.value.clone() else { return Ok(true) };
        if let Some(since) = outgoing.while_waiting {
            return self.come_back(row, outgoing, since).await;
        }
        if outgoing.state == OutgoingState::Sending {
            // Nothing is under way between two rounds: its call was made, and only its end is not kept.
            let sent = self.unkept().remove(&row.key).unwrap_or(Sent::Ended("outcome_unknown"));
            return self.settle(row, outgoing, sent).await;
        }
        let marked = Outgoing { state: OutgoingState::Sending, ..outgoing.clone() };
        let mut batch = Batch::default();
        self.records.replace(&mut batch, &row, &marked)?;
        if self.records.store().commit(batch).await? == Committed::Lost {
            return Ok(true);
        }
        let row: Read<Outgoing> = self.records.read(row.key).await?;
        let sent = self.deliver(&outgoing).await;
        self.settle(row, outgoing, sent).await
    }

    /// Keeps what became of a row. Where the store takes nothing now, it is remembered and kept later: a row that was
    /// sent is never sent again for that. `false`: later rows of the same person wait.
    async fn settle(&self, row: Read<Outgoing>, outgoing: Outgoing, sent: Sent) -> Result<bool, StoreError> {
        let (kept, goes_on) = match &sent {
            Sent::Done => {
                let mut batch = Batch::default();
                batch.delete(row.key.clone());
                (self.records.store().commit(batch).await.map(|_| ()), true)
            }
            Sent::Again(due) if outgoing.tries + 1 < tries_of(&outgoing) => {
                let tries = outgoing.tries + 1;
                let again = Outgoing { state: OutgoingState::Due, tries, ..outgoing };
                let mut batch = Batch::default();
                batch.delete(row.key.clone());
                self.records.put_outgoing(&mut batch, *due, &again)?;
                (self.records.store().commit(batch).await.map(|_| ()), false)
            }
            Sent::Again(_) => (self.end(&row, "not_delivered").await, true),
            // The window was shut after all: what the platform's form can say goes out in that form.
            Sent::Ended("window_shut") if !outgoing.by_template && self.has_form(&outgoing) => {
                let state = OutgoingState::Due;
                let formal = Outgoing { by_template: true, state, tries: 0, ..outgoing };
                let mut batch = Batch::default();
                batch.delete(row.key.clone());
                self.records.put_outgoing(&mut batch, self.wire.clock().now(), &formal)?;
                (self.records.store().commit(batch).await.map(|_| ()), false)
            }
            Sent::Ended(why) => (self.end(&row, why).await, true),
        };
        if let Err(error) = kept {
            self.unkept().insert(row.key, sent);
            return Err(error);
        }
        Ok(goes_on)
    }

    fn unkept(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Sent>> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bot comes back to a buyer for whom no person came; if one did, or the buyer has gone on, nothing is said.
    async fn come_back(
        &self,
        row: Read<Outgoing>,
        outgoing: Outgoing,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let (shop, address) = (outgoing.shop.clone(), outgoing.address.clone());
        loop {
            let read = self.records.chat(&shop, &address).await?;
            let mut batch = Batch::default();
            batch.expect(row.key.clone(), row.raw.clone()).delete(row.key.clone());
            let logged = is_logged(&address.kind);
            let waits = read.value.as_ref().is_some_and(|chat| chat.mode == Mode::Waiting { since });
            if waits {
                let mut chat = read.value.clone().unwrap_or_default();
                chat.mode = Mode::Bot;
                let now = self.wire.clock().now();
                if logged {
                    chat.seq += 1;
                    let blocks = serde_json::from_str(&outgoing.shown).unwrap_or_default();
                    let message =
                        ChatMessage { id: format!("b{}", chat.seq), at: now, from: From::Bot, blocks };
                    self.records.put_message(&mut batch, &shop, &address, chat.seq, &message)?;
                } else {
                    let plain = Outgoing { while_waiting: None, ..outgoing.clone() };
                    self.records.put_outgoing(&mut batch, now, &plain)?;
                }
                self.records.replace(&mut batch, &read, &chat)?;
            }
            if self.records.store().commit(batch).await? == Committed::Done {
                if waits && logged {
                    (self.logged)(&address);
                }
                return Ok(true);
            }
            // The row itself is gone: it was told, or erased.
            if self.records.read::<Outgoing>(row.key.clone()).await?.value.is_none() {
                return Ok(true);
            }
        }
    }

    /// Whether the account has an approved form for this news.
    fn has_form(&self, outgoing: &Outgoing) -> bool {
        let kind = outgoing.address.kind.as_str();
        let account = self.accounts.get(&(kind.to_owned(), outgoing.account.clone()));
        account.zip(outgoing.headline.as_ref()).is_some_and(|(account, news)| has_form(account, news.kind))
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Sent {
        let kind = outgoing.address.kind.as_str();
        let account = self.accounts.get(&(kind.to_owned(), outgoing.account.clone()));
        let Some(account) = account else { return Sent::Ended("no_account") };
        if let Some(alert) = alert(kind) {
            return self.warn(alert, account, outgoing).await;
        }
        let Some(channel) = channel(kind) else { return Sent::Ended("no_account") };
        if outgoing.by_template {
            return self.announce(channel, account, outgoing).await;
        }
        let shown: Vec<Shown> = serde_json::from_str(&outgoing.shown).unwrap_or_default();
        let answers = outgoing.reply_to.as_ref().map(|reply_to| answered(&outgoing.address, reply_to));
        let to = outgoing.address.id.reveal();
        let exchange = Exchange {
            account,
            limits: Limits::default(),
            number: None,
            token: channel.token(),
            limit: LIMIT,
        };
        let pick = |cx: &Cx, at: usize| -> Result<Option<Call>, Refusal> {
            let mut calls = channel.send(cx, to, answers.as_ref(), &shown)?;
            Ok((at < calls.len()).then(|| calls.swap_remove(at)))
        };
        let now = self.wire.clock().now();
        for at in 0.. {
            let probe = Cx { account, token: Some(&NO_TOKEN), now, random: [0; 32] };
            match pick(&probe, at) {
                Ok(None) => break,
                Ok(Some(_)) => {}
                Err(refusal) => return self.refused(&refusal, at, outgoing.tries),
            }
            let build = |cx: &Cx| pick(cx, at)?.ok_or(Refusal::Unsupported);
            let broken = AtomicBool::new(false);
            let read = |cx: &Cx, answer: &crate::wire::Answer| {
                broken.store(answer.status >= 500, Ordering::Relaxed);
                channel.read_sent(cx, answer).map(Step::Done)
            };
            match self.wire.exchange(&exchange, &build, &read).await {
                Ok(()) | Err(Failure::Refused(Refusal::AlreadyDone)) => {}
                // A server that broke may have sent it before.
                Err(Failure::Refused(_)) if broken.load(Ordering::Relaxed) => {
                    return Sent::Ended("outcome_unknown");
                }
                Err(Failure::Refused(refusal)) => return self.refused(&refusal, at, outgoing.tries),
                Err(Failure::Call(CallError::NotSent { until })) if at == 0 => {
                    return Sent::Again(until.unwrap_or_else(|| self.later(outgoing.tries)));
                }
                Err(Failure::Call(_)) => return Sent::Ended("outcome_unknown"),
            }
        }
        metrics::counter!("yishi_messages_sent_total", "channel" => kind.to_owned()).increment(1);
        Sent::Done
    }

    /// News in the form that the platform approved.
    async fn announce(&self, channel: &'static dyn Channel, account: &Account, outgoing: &Outgoing) -> Sent {
        let Some((template, news)) = channel.template().zip(outgoing.headline.as_ref()) else {
            return Sent::Ended("window_shut");
        };
        let to = outgoing.address.id.reveal();
        // The same at each try of this message, and no other one's.
        let id = hex::encode(&Sha256::digest(format!("{to}\n{}\n{}", outgoing.made, outgoing.shown))[..16]);
        let exchange = Exchange {
            account,
            limits: Limits::default(),
            number: None,
            token: channel.token(),
            limit: LIMIT,
        };
        let broken = AtomicBool::new(false);
        let read = |cx: &Cx, answer: &crate::wire::Answer| {
            broken.store(answer.status >= 500, Ordering::Relaxed);
            template.read(cx, answer).map(Step::Done)
        };
        let sent = self.wire.exchange(&exchange, &|cx| template.call(cx, to, &id, news), &read).await;
        match sent {
            Ok(()) | Err(Failure::Refused(Refusal::AlreadyDone)) => {
                let labels = [("channel", account.kind.clone())];
                metrics::counter!("yishi_messages_sent_total", &labels).increment(1);
                Sent::Done
            }
            Err(Failure::Refused(_)) if broken.load(Ordering::Relaxed) => Sent::Ended("outcome_unknown"),
            Err(Failure::Call(CallError::NotSent { until })) => {
                Sent::Again(until.unwrap_or_else(|| self.later(outgoing.tries)))
            }
            Err(Failure::Call(CallError::Unknown)) => Sent::Ended("outcome_unknown"),
            // What no form can say waits for the buyer's next message.
            Err(Failure::Refused(Refusal::FixAccount { .. } | Refusal::Unsupported)) => {
                Sent::Ended("window_shut")
            }
            Err(Failure::Refused(refusal)) => self.refused(&refusal, 0, outgoing.tries),
        }
    }

    /// One alert to a merchant. Receivers that tell repetitions apart are tried for days.
    async fn warn(&self, alert: &'static dyn Alert, account: &Account, outgoing: &Outgoing) -> Sent {
        let shown: Vec<Shown> = serde_json::from_str(&outgoing.shown).unwrap_or_default();
        let text = crate::channels::plain::paragraphs(&shown).concat().join("\n");
        let id = outgoing.address.id.reveal();
        let exchange =
            Exchange { account, limits: Limits::default(), number: None, token: None, limit: LIMIT };
        let sent: Result<(), Failure> = self
            .wire
            .exchange(&exchange, &|cx| alert.call(cx, id, &text), &|_, answer| {
                alert.read(answer).map(Step::Done)
            })
            .await;
        let patient = alert.spec().repeatable;
        match sent {
            Ok(()) => Sent::Done,
            Err(Failure::Call(CallError::Unknown)) if !patient => Sent::Ended("outcome_unknown"),
            Err(Failure::Call(CallError::NotSent { until: Some(until) })) => Sent::Again(until),
            Err(Failure::Refused(Refusal::Unreachable)) => Sent::Ended("unreachable"),
            Err(Failure::Refused(Refusal::FixAccount { .. })) if !patient => Sent::Ended("refused"),
            Err(_) => Sent::Again(self.wire.clock().now() + patience(outgoing.tries)),
        }
    }

    /// By what the refusal means. Once a part of a message arrived, the whole is not sent again.
    fn refused(&self, refusal: &Refusal, part: usize, tries: u32) -> Sent {
        match refusal {
            _ if part > 0 => Sent::Ended("partly_delivered"),
            Refusal::Retry { after } => {
                let wait = after.unwrap_or_else(|| backoff(tries));
                Sent::Again(self.wire.clock().now() + wait)
            }
            Refusal::Throttled { until } => Sent::Again(until.unwrap_or_else(|| self.later(tries))),
            Refusal::Unreachable => Sent::Ended("unreachable"),
            Refusal::WindowShut | Refusal::ConsentSpent => Sent::Ended("window_shut"),
            _ => Sent::Ended("refused"),
        }
    }

    fn later(&self, tries: u32) -> Timestamp {
        self.wire.clock().now() + backoff(tries)
    }

    /// The row ends here; the merchant can see why.
    async fn end(&self, row: &Read<Outgoing>, why: &str) -> Result<(), StoreError> {
        metrics::counter!("yishi_messages_ended_total", "why" => why.to_owned()).increment(1);
        if why == "window_shut" && row.value.as_ref().is_some_and(|outgoing| outgoing.notice) {
            return self.keep(row).await;
        }
        self.records.hold_back(row, why, self.wire.clock().now()).await
    }
}

impl Delivery {
    /// The buyer could not be told: they hear it with the next answer. What did not arrive can be said again.
    async fn keep(&self, row: &Read<Outgoing>) -> Result<(), StoreError> {
        let Some(outgoing) = &row.value else { return Ok(()) };
        loop {
            let read = self.records.chat(&outgoing.shop, &outgoing.address).await?;
            let mut chat = read.value.clone().unwrap_or_default();
            chat.kept.push(outgoing.shown.clone());
            let mut batch = Batch::default();
            batch.expect(row.key.clone(), row.raw.clone()).delete(row.key.clone());
            self.records.replace(&mut batch, &read, &chat)?;
            if self.records.store().commit(batch).await? == Committed::Done
                || self.records.read::<Outgoing>(row.key.clone()).await?.value.is_none()
            {
                return Ok(());
            }
        }
    }
}

/// An alert that can be told apart at the other end is tried for days.
fn tries_of(outgoing: &Outgoing) -> u32 {
    let patient = alert(&outgoing.address.kind).is_some_and(|alert| alert.spec().repeatable);
    if patient { PATIENT_TRIES } else { TRIES }
}

/// 5 s, doubled each time, at most 12 h: sixteen tries take more than three days.
fn patience(tries: u32) -> SignedDuration {
    SignedDuration::from_secs((5_i64 << tries.min(16)).min(12 * 3600))
}

/// One person of one account.
fn person(outgoing: &Outgoing) -> String {
    format!("{}/{}/{}", outgoing.address.kind, outgoing.account, outgoing.address.id.reveal())
}

/// Only to count calls before the first one is made.
static NO_TOKEN: std::sync::LazyLock<crate::wire::Token> = std::sync::LazyLock::new(|| crate::wire::Token {
    text: crate::model::Private::new(String::new()),
    expires: Timestamp::MAX,
});

fn answered(address: &ChatAddress, reply_to: &str) -> Incoming {
    Incoming {
        key: String::new(),
        from: address.id.reveal().clone(),
        at: None,
        what: What::Other,
        locale: None,
        reply_to: reply_to.to_owned(),
    }
}

fn backoff(tries: u32) -> SignedDuration {
    SignedDuration::from_secs(2_i64.saturating_pow(tries.min(9)))
}
