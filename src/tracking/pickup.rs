//! Pickup codes from a vendor that tells them to whoever names the receiver's phone: registered once while a parcel is on
//! its way, fetched when the vendor says that there is one. Must never fetch a code that was not registered for, log
//! phone or code, or go on asking for ever.

use super::{ACCOUNT_LIMIT, Asker, Door, Said, Tracker};
use crate::carriers::{Carrier, CodeReady, PickupCodes, Receiver};
use crate::model::{Account, AwaitedCode, CodeState, Noted, Parcel, Status};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Answer, CallError, Cx, Failure, Refusal};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// The first wait after a call that brought nothing; doubled each time.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// Calls for one parcel that bring nothing, in each state: the last is about five hours after the first.
const TRIES: u8 = 6;
/// In a parcel's journal.
const WHAT: &str = "pickup_code";
/// A vendor's clock is believed this far back.
const BELIEVED: SignedDuration = SignedDuration::from_hours(48);

/// An account that tells codes.
struct Teller {
    carrier: &'static dyn Carrier,
    codes: &'static dyn PickupCodes,
    account: Arc<Account>,
}

impl Teller {
    fn at(&self) -> (&'static dyn Carrier, &Account) {
        (self.carrier, &self.account)
    }
}

impl Tracker {
    /// Registers for a parcel's code, where that is wanted and still to be done: once it is on its way, before it
    /// waits anywhere.
    pub(super) async fn await_code(&self, shop: &str, carrier: &str, number: &str) -> Result<(), StoreError> {
        let Some(teller) = self.teller(shop, carrier, None).filter(|_| !self.callback.is_empty()) else {
            return Ok(());
        };
        let read = self.records.parcel(shop, carrier, number).await?;
        let Some(parcel) = read.value.clone().filter(is_on_its_way) else { return Ok(()) };
        let now = self.wire.clock().now();
        let before = parcel.awaited_code.clone();
        if before.as_ref().is_some_and(|code| code.state != CodeState::Asked || !code.is_due(now)) {
            return Ok(());
        }
        let Some(receiver) = self.receiver(shop, &parcel).await? else { return Ok(()) };
        // On record before the call: news that there is a code may come before the call's answer.
        let name = teller.account.name();
        let before = before.filter(|code| code.account == name).unwrap_or_default();
        let asked = AwaitedCode { account: name.clone(), ..before }.tried(now);
        let mut batch = Batch::default();
        let noted = Parcel { awaited_code: Some(asked), ..parcel };
        self.records.put_parcel(&mut batch, shop, &read, &noted)?;
        if self.records.store().commit(batch).await? != Committed::Done {
            return Ok(());
        }
        let callback = format!("{}/hooks/{}/{}", self.callback, teller.account.kind, teller.account.id);
        let build = |cx: &Cx| teller.codes.register(cx, &receiver, &callback);
        let read = |cx: &Cx, answer: &Answer| teller.codes.read_registered(cx, answer);
        let answered = self.call(teller.at(), Asker::Schedule, ACCOUNT_LIMIT, &build, read).await;
        let state = match &answered {
            Ok(()) | Err(Failure::Refused(Refusal::AlreadyDone)) => CodeState::Registered,
            Err(other) if is_final(other) => CodeState::GivenUp,
            Err(_) => CodeState::Asked,
        };
        let outcome = if state == CodeState::Registered { "registered" } else { label(&answered) };
        self.note_code(shop, &noted, outcome, |code| {
            // It may be ready already.
            if code.state == CodeState::Asked && state != CodeState::Asked {
                *code = AwaitedCode { account: code.account.clone(), state, ..AwaitedCode::default() };
            }
        })
        .await
    }

    /// A vendor says that a code can be fetched: written down for each parcel that was registered for there. What
    /// follows is a check that is due now. Durable when this returns.
    pub async fn code_ready(&self, account: &Account, ready: &CodeReady) -> Result<(), StoreError> {
        let by = account.name();
        for shop in self.shops.keys().filter(|shop| account.serves_shop(shop)) {
            let row = self.records.number(shop, &ready.number).await?.value.unwrap_or_default();
            for carrier in &row.carriers {
                let Some(parcel) = self.records.parcel(shop, carrier, &ready.number).await?.value else {
                    continue;
                };
                let now = self.wire.clock().now();
                let near = |since: &Timestamp| *since <= now && now.duration_since(*since) <= BELIEVED;
                let since = ready.since.filter(near).unwrap_or(now);
                self.note_code(shop, &parcel, "ready", |code| {
                    let waits = matches!(code.state, CodeState::Asked | CodeState::Registered);
                    if waits && code.account == by {
                        let state = CodeState::Ready;
                        *code = AwaitedCode {
                            state,
                            ready_at: Some(since),
                            account: by.clone(),
                            ..Default::default()
                        };
                    }
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Fetches a code that is ready, and applies it like any other news. Returns whether that was to be done now.
    pub(super) async fn fetch_code(&self, shop: &str, parcel: &Parcel) -> Result<bool, StoreError> {
        let now = self.wire.clock().now();
        let Some(awaited) =
            parcel.awaited_code.as_ref().filter(|_| parcel.code_due().is_some_and(|at| at <= now))
        else {
            return Ok(false);
        };
        let teller = self.teller(shop, &parcel.carrier, Some(&awaited.account));
        let (Some(teller), Some(receiver)) = (teller, self.receiver(shop, parcel).await?) else {
            // The account is gone, or the buyer's data were erased.
            self.note_code(shop, parcel, "given_up", |code| code.state = CodeState::GivenUp).await?;
            return Ok(true);
        };
        let ready = awaited.ready_at.unwrap_or(now);
        let build = |cx: &Cx| teller.codes.fetch(cx, &receiver);
        let read = |cx: &Cx, answer: &Answer| teller.codes.read_code(cx, &receiver, ready, answer);
        let answered = self.call(teller.at(), Asker::Buyer, ACCOUNT_LIMIT, &build, read).await;
        match answered {
            Ok(tracked) => {
                let said = Said::of(&awaited.account, Door::Pushed, &parcel.number, vec![tracked]);
                self.apply(shop, &parcel.carrier, &parcel.number, &said).await?;
                // Where it was known already, nothing was applied.
                self.note_code(shop, parcel, "known", |code| {
                    if code.state == CodeState::Ready {
                        code.state = CodeState::Told;
                    }
                })
                .await?;
            }
            Err(failure) => {
                self.note_code(shop, parcel, failure.label(), |code| code.failed(&failure, now)).await?;
            }
        }
        Ok(true)
    }

    /// The first account of a parcel's chain that tells codes, where the merchant wants them; or the one of this name.
    fn teller(&self, shop: &str, carrier: &str, name: Option<&str>) -> Option<Teller> {
        let mut chain = self.chain(shop, carrier).into_iter();
        chain.find_map(|(carrier, account)| {
            let wanted = account.setting("pickup_codes", "false") == "true";
            let is_this = name.is_none_or(|name| account.name() == name);
            let codes = carrier.pickup_codes().filter(|_| wanted && is_this)?;
            Some(Teller { carrier, codes, account })
        })
    }

    /// The parcel with the whole phone of the first of its orders that has one.
    async fn receiver(&self, shop: &str, parcel: &Parcel) -> Result<Option<Receiver>, StoreError> {
        for no in &parcel.orders {
            let order = self.records.order(shop, no).await?.value;
            if let Some(phone) = order.and_then(|order| order.buyer.phone) {
                let (carrier, number) = (parcel.carrier.clone(), parcel.number.clone());
                return Ok(Some(Receiver { carrier, number, phone }));
            }
        }
        Ok(None)
    }

    /// Changes what is known of a parcel's code, and plans its next check by it. Nothing happens where nothing changes.
    async fn note_code(
        &self,
        shop: &str,
        parcel: &Parcel,
        outcome: &str,
        change: impl Fn(&mut AwaitedCode) + Send + Sync,
    ) -> Result<(), StoreError> {
        self.change(shop, &parcel.carrier, &parcel.number, |parcel, now| {
            let Some(mut code) = parcel.awaited_code.clone() else { return false };
            change(&mut code);
            if parcel.awaited_code.as_ref() == Some(&code) {
                return false;
            }
            let by = code.account.clone();
            parcel.awaited_code = Some(code);
            // The same again says nothing new.
            let same = |line: &Noted| line.what == WHAT && line.outcome == outcome;
            if !parcel.journal.last().is_some_and(same) {
                parcel.note(now, &by, WHAT, outcome, 0);
            }
            // A check that lies ahead is only ever moved to sooner; one that is due is being made.
            match parcel.next_check {
                Some(next) if next <= now => self.plan(shop, parcel, now),
                next => parcel.next_check = sooner(next, parcel.code_due()),
            }
            true
        })
        .await
    }
}

/// The earlier of two times, of which either may be missing.
pub(super) fn sooner(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().min()
}

/// With the carrier, and not waiting anywhere yet: later, registering is of no use.
pub(super) fn is_on_its_way(parcel: &Parcel) -> bool {
    let state = &parcel.state;
    let moves = matches!(
        state.status,
        Status::PickedUp | Status::InTransit | Status::OutForDelivery | Status::AttemptFailed
    );
    moves && state.leg == 0
}

/// Whether asking again would bring the same.
fn is_final(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused(
            Refusal::FixOrder { .. } | Refusal::Unsupported | Refusal::BadNumber | Refusal::WrongCarrier
        )
    )
}

fn label<T>(answered: &Result<T, Failure>) -> &'static str {
    answered.as_ref().map_or_else(Failure::label, |_| "ok")
}

impl AwaitedCode {
    /// After one more call, whatever comes of it.
    fn tried(mut self, now: Timestamp) -> Self {
        let wait = AGAIN * (1_i32 << self.tries.min(8));
        self.tries = self.tries.saturating_add(1);
        self.again = now.checked_add(wait).ok();
        self
    }

    /// After a fetch that brought nothing. Whoever says that there is a code may be wrong: the vendor may say it again.
    fn failed(&mut self, failure: &Failure, now: Timestamp) {
        let account = self.account.clone();
        *self = match failure {
            Failure::Call(CallError::NotSent { until }) => {
                let soonest = now.checked_add(SignedDuration::from_mins(1)).ok();
                Self { again: soonest.max(*until), ..self.clone() }
            }
            _ if is_final(failure) => Self { account, state: CodeState::GivenUp, ..Self::default() },
            _ if self.tries + 1 >= TRIES => Self { account, state: CodeState::Registered, ..Self::default() },
            _ => self.clone().tried(now),
        };
    }

    /// Whether the next call may be made.
    fn is_due(&self, now: Timestamp) -> bool {
        self.tries < TRIES && self.again.is_none_or(|again| again <= now)
    }
}

impl Parcel {
    /// When its code is to be fetched; none: there is nothing to fetch, or nobody who needs it any more.
    pub(super) fn code_due(&self) -> Option<Timestamp> {
        let code = self.awaited_code.as_ref().filter(|code| code.state == CodeState::Ready)?;
        let of_use = !self.state.status.is_final() && self.state.leg == 0;
        code.again.or(code.ready_at).filter(|_| of_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn ready() -> AwaitedCode {
        let (account, state) = ("kind/one".into(), CodeState::Ready);
        AwaitedCode { account, state, ready_at: Some(at(0)), ..AwaitedCode::default() }
    }

    #[test]
    fn a_code_that_never_comes_is_asked_for_ever_less_and_then_waited_for_again() {
        let (mut code, mut now, mut calls) = (ready(), at(0), 0);
        while code.state == CodeState::Ready {
            code.failed(&Failure::Refused(Refusal::NoDataYet), now);
            calls += 1;
            now = code.again.unwrap_or(now);
        }
        assert_eq!((code.state, calls, now), (CodeState::Registered, TRIES, at(10 + 20 + 40 + 80 + 160)));
        let mut wrong = ready();
        wrong.failed(&Failure::Refused(Refusal::Unsupported), at(0));
        assert_eq!(wrong.state, CodeState::GivenUp);
    }

    #[test]
    fn what_was_not_sent_does_not_count() {
        for (until, again) in [(None, at(1)), (Some(at(0)), at(1)), (Some(at(90)), at(90))] {
            let mut code = ready();
            code.failed(&Failure::Call(CallError::NotSent { until }), at(0));
            assert_eq!((code.state, code.tries, code.again), (CodeState::Ready, 0, Some(again)));
        }
    }

    #[test]
    fn nobody_fetches_a_code_that_is_of_no_use() {
        let mut parcel = Parcel { awaited_code: Some(ready()), ..Parcel::default() };
        assert_eq!(parcel.code_due(), Some(at(0)));
        parcel.state.status = Status::Delivered;
        assert_eq!(parcel.code_due(), None);
    }
}
