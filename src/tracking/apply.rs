//! Keeping what a vendor said, whichever door it came by: events are added, never replaced; the state is folded anew
//! from all of them; what follows (the next check, notices) is stored in the same commit. Must never count one fact
//! twice, nor let a repeated answer change anything.

use super::Tracker;
use super::exceptions::{Terms, troubles};
use crate::carriers::{Tracked, carrier};
use crate::model::fold::{Known, fold};
use crate::model::{AwaitedCode, CodeState, Eta, Event, Parcel, Source, Sub, Trouble, TroubleKind};
use crate::store::records::Read;
use crate::store::{Batch, Committed, StoreError};
use jiff::{SignedDuration, Timestamp};

/// The newest events stay foldable.
const MOST_EVENTS: usize = 500;
/// A push that repeats what is known is not written down more often than this.
const REPEATED: SignedDuration = SignedDuration::from_mins(1);

/// By which door an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// We asked.
    Asked,
    /// The vendor sent it by itself.
    Pushed,
}

/// What a vendor said of one parcel.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// `kind/id` of the account.
    pub by: &'a str,
    /// How it came.
    pub door: Door,
    /// Its events.
    pub events: Vec<Event>,
    /// When the vendor expects it, where it says so.
    pub eta: Option<Eta>,
}

impl<'a> Said<'a> {
    /// One vendor's word on a number; no word at all is a check that brought nothing.
    pub fn of(by: &'a str, door: Door, number: &str, told: Vec<Tracked>) -> Self {
        let mut said = Self { by, door, events: Vec::new(), eta: None };
        for tracked in told.into_iter().filter(|tracked| tracked.number.eq_ignore_ascii_case(number)) {
            said.events.extend(tracked.events);
            said.eta = said.eta.or(tracked.eta);
        }
        if door == Door::Pushed {
            for event in &mut said.events {
                event.source = Source::Push;
            }
        }
        said
    }
}

impl Tracker {
    /// Adds what a vendor said to its parcel. Returns how many events were new.
    pub async fn apply(
        &self,
        shop: &str,
        carrier: &str,
        number: &str,
        said: &Said<'_>,
    ) -> Result<usize, StoreError> {
        loop {
            let read = self.records.parcel(shop, carrier, number).await?;
            let now = self.wire.clock().now();
            let mut parcel = read.value.clone().unwrap_or_else(|| new_parcel(carrier, number));
            let news = parcel.hear(said, now);
            if news == 0 && said.repeats(read.value.as_ref(), now) {
                return Ok(0);
            }
            if news > 0 || parcel.journal.is_empty() {
                let what = if said.door == Door::Pushed { "push" } else { "query" };
                parcel.note(now, said.by, what, "ok", news);
            }
            if self.store(shop, &read, parcel, now).await? == Committed::Done {
                let unknown = said.unknown_codes(read.value.as_ref());
                if unknown > 0 {
                    metrics::counter!("yishi_unknown_codes_total", "kind" => said.kind().to_owned())
                        .increment(unknown);
                }
                return Ok(news);
            }
        }
    }

    /// Notes that a question brought nothing: the parcel is asked about again later, at `until` at the soonest.
    pub(super) async fn failed(
        &self,
        shop: &str,
        carrier: &str,
        number: &str,
        outcome: &str,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        loop {
            let read = self.records.parcel(shop, carrier, number).await?;
            let Some(mut parcel) = read.value.clone() else { return Ok(()) };
            let now = self.wire.clock().now();
            parcel.failures = parcel.failures.saturating_add(1);
            // The same failure again says nothing new.
            if parcel.journal.last().is_none_or(|line| line.outcome != outcome) {
                parcel.note(now, "", "query", outcome, 0);
            }
            parcel.last_asked = Some(now);
            let mut batch = Batch::default();
            self.judge(&mut batch, shop, &mut parcel, now).await?;
            self.plan(shop, &mut parcel, now);
            if let (Some(next), Some(until)) = (parcel.next_check, until) {
                parcel.next_check = Some(next.max(until));
            }
            if parcel.promised.is_some_and(|by| by <= now) {
                (self.announce)(shop, read.value.as_ref(), &mut parcel, false, now);
            }
            self.records.put_parcel(&mut batch, shop, &read, &parcel)?;
            if self.records.store().commit(batch).await? == Committed::Done {
                if parcel.pending_due.is_some_and(|due| due <= now) {
                    self.news.notify_one();
                }
                return Ok(());
            }
        }
    }

    /// Finds what is wrong with a parcel now; what that changes for the merchant goes into the batch. Says whether it was
    /// just found to stand still.
    async fn judge(
        &self,
        batch: &mut Batch,
        shop: &str,
        parcel: &mut Parcel,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(known) = self.shops.get(shop) else { return Ok(false) };
        let thresholds = (self.thresholds)(shop, &parcel.carrier);
        let terms =
            Terms { thresholds: &thresholds, calendar: &self.calendar, zone: &known.zone, usual: None };
        let troubles = troubles(parcel, &terms, now);
        self.records.stage_cases(batch, shop, parcel, &troubles, now).await?;
        let stuck = |troubles: &[Trouble]| troubles.iter().any(|trouble| trouble.kind == TroubleKind::Stuck);
        let stalled = stuck(&troubles) && !stuck(&parcel.troubles);
        parcel.troubles = troubles;
        Ok(stalled)
    }

    /// Stores a parcel with all that follows from its new state.
    pub(super) async fn store(
        &self,
        shop: &str,
        read: &Read<Parcel>,
        mut parcel: Parcel,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let mut batch = Batch::default();
        let stalled = self.judge(&mut batch, shop, &mut parcel, now).await?;
        let before = parcel.next_check;
        self.plan(shop, &mut parcel, now);
        // A check that is due sooner stays where it is: when its time comes it sees what was heard in between. That
        // spares a push two rows.
        let pushed = parcel.last_push == Some(now);
        if let (true, Some(sooner), Some(later)) = (pushed, before, parcel.next_check)
            && sooner <= later
        {
            parcel.next_check = before;
        }
        (self.announce)(shop, read.value.as_ref(), &mut parcel, stalled, now);
        self.records.put_parcel(&mut batch, shop, read, &parcel)?;
        let committed = self.records.store().commit(batch).await?;
        if committed == Committed::Done && parcel.pending_due.is_some_and(|due| due <= now) {
            self.news.notify_one();
        }
        Ok(committed)
    }
}

impl Said<'_> {
    /// The kind of account that said it.
    fn kind(&self) -> &str {
        self.by.split('/').next().unwrap_or(self.by)
    }

    /// How many scans it tells anew whose code has no row in the vendor's table.
    fn unknown_codes(&self, known: Option<&Parcel>) -> u64 {
        let told =
            |event: &Event| known.is_some_and(|parcel| parcel.events.iter().any(|old| old.id == event.id));
        let listed = |code: &str| carrier(self.kind()).is_some_and(|adapter| adapter.spec().lists(code));
        let unknown = |event: &&Event| {
            let code = event.raw.code.as_deref().filter(|_| event.sub == Some(Sub::Unmapped));
            code.is_some_and(|code| !listed(code)) && !told(event)
        };
        self.events.iter().filter(unknown).count() as u64
    }

    /// Whether a push says nothing that the parcel does not know, just after another one.
    fn repeats(&self, known: Option<&Parcel>, now: Timestamp) -> bool {
        let Some(known) = known.filter(|_| self.door == Door::Pushed) else { return false };
        let same_eta = self.eta.is_none() || known.own_eta() == self.eta.as_ref();
        same_eta && known.last_push.is_some_and(|last| now.duration_since(last) < REPEATED)
    }
}

fn new_parcel(carrier: &str, number: &str) -> Parcel {
    Parcel { carrier: carrier.to_owned(), number: number.to_owned(), ..Parcel::default() }
}

impl Parcel {
    /// Adds what a vendor said. Returns how many events were new.
    fn hear(&mut self, said: &Said<'_>, now: Timestamp) -> usize {
        let known: std::collections::HashSet<&str> =
            self.events.iter().map(|event| event.id.as_str()).collect();
        let news = said.events.iter().filter(|event| !known.contains(event.id.as_str())).count();
        self.add(said.events.clone());
        let has_code = |event: &Event| event.pickup.code.as_ref().is_some_and(|code| !code.is_empty());
        if let Some(code) = self.awaited_code.as_mut().filter(|_| said.events.iter().any(has_code)) {
            // Whoever told it.
            *code =
                AwaitedCode { account: code.account.clone(), state: CodeState::Told, ..Default::default() };
        }
        if said.eta.is_some() {
            self.drop_forecast();
            self.eta.clone_from(&said.eta);
        }
        if self.state.leg > 0 {
            // It was reckoned for the way to the buyer.
            self.drop_forecast();
        }
        self.last_checked = Some(now);
        self.first_seen = self.first_seen.or(Some(now));
        self.answered_by = Some(said.kind().to_owned());
        self.failures = 0;
        match said.door {
            Door::Pushed => {
                self.last_push = Some(now);
                self.empty_checks = 0;
            }
            Door::Asked => {
                self.last_asked = Some(now);
                self.checks = self.checks.saturating_add(1);
                self.empty_checks = if news > 0 { 0 } else { self.empty_checks.saturating_add(1) };
            }
        }
        news
    }

    /// Adds events and folds the whole set anew.
    pub fn add(&mut self, told: Vec<Event>) {
        let known = Known { shipped_at: self.shipped_at, ..Known::default() };
        let all = std::mem::take(&mut self.events).into_iter().chain(told);
        let (state, mut events) = fold(all, known);
        if events.len() > MOST_EVENTS {
            events.drain(..events.len() - MOST_EVENTS);
        }
        self.state = state;
        self.events = events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Meaning, Raw, When};

    fn scan(code: Option<&str>, words: &str, meaning: Meaning) -> Event {
        let raw = Raw { code: code.map(str::to_owned), status: None, description: Some(words.to_owned()) };
        Event::new("yunda", "3100000000017", "yunda", When::default(), meaning, raw, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_code_without_a_row_is_counted_when_it_is_new() {
        let new = scan(Some("TELEPORTED"), "a", Meaning::UNMAPPED);
        let known = Parcel { events: vec![new.clone()], ..Parcel::default() };
        let events = vec![
            new,
            // It has a row, which says nothing.
            scan(Some("OTHER"), "b", Meaning::UNMAPPED),
            scan(None, "c", Meaning::UNMAPPED),
            scan(Some("GOT"), "d", Meaning::sub(Sub::Accepted)),
        ];
        let said = Said { by: "yunda/main", door: Door::Asked, events, eta: None };
        assert_eq!(said.unknown_codes(None), 1);
        assert_eq!(said.unknown_codes(Some(&known)), 0);
    }
}
