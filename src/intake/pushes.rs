//! The door for carriers' and aggregators' pushes: proved, applied or kept, and only then acknowledged in the vendor's
//! exact words. What cannot be read is kept whole and can be replayed. Knows vendors by their trait only.

use super::{Door, Intake};
use crate::carriers::{Carrier, Push, Told};
use crate::model::Account;
use crate::store::StoreError;
use crate::store::records::{DeadLetter, Read};
use crate::wire::{Refusal, Request};
use std::sync::Arc;

/// What a replay of dead letters came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Read now, and applied.
    pub applied: usize,
    /// Still not readable: kept.
    pub kept: usize,
}

impl Intake {
    /// One push at `/hooks/{kind}/{account}`.
    pub(super) async fn pushed(
        self: &Arc<Self>,
        carrier: &'static dyn Carrier,
        account: &Arc<Account>,
        request: &Request,
    ) -> Door {
        let Some(push) = carrier.push() else { return Door::NotFound };
        let cx = self.cx(account);
        if let Some(reply) = push.handshake(&cx, request) {
            return Door::Reply(reply);
        }
        let verified = match push.verify(&cx, request) {
            Ok(verified) => verified,
            Err(refused) => {
                count(&account.kind, "refused");
                return Door::Refused(refused);
            }
        };
        let stored = self.take_push(push, account, verified.payload()).await;
        if let Err(error) = &stored {
            tracing::error!(account = %account.id, %error, "a push could not be stored");
        }
        Door::Reply(push.acknowledge(&cx, request, stored.is_ok()))
    }

    /// Applies a push, or keeps it as a dead letter. Durable when this returns.
    async fn take_push(
        self: &Arc<Self>,
        push: &'static dyn Push,
        account: &Arc<Account>,
        payload: &[u8],
    ) -> Result<(), StoreError> {
        match push.read(&self.cx(account), payload) {
            Ok(told) => {
                count(&account.kind, "read");
                self.apply_push(account, told).await
            }
            Err(refusal) => {
                count(&account.kind, "dead_letter");
                tracing::warn!(account = %account.id, "a push could not be read; `yishi journal replay` tries again");
                let letter = DeadLetter {
                    at: self.clock.now(),
                    kind: account.kind.clone(),
                    account: account.id.clone(),
                    cause: cause(&refusal).to_owned(),
                    length: payload.len(),
                };
                self.records.put_dead_letter(&letter, payload).await
            }
        }
    }

    async fn apply_push(self: &Arc<Self>, account: &Arc<Account>, told: Told) -> Result<(), StoreError> {
        for news in &told.parcels {
            self.tracker.take(account, news).await?;
        }
        for ready in &told.codes {
            self.tracker.code_ready(account, ready).await?;
        }
        if !told.next_calls.is_empty() {
            let (intake, account) = (self.clone(), account.clone());
            self.tasks.spawn(async move {
                if let Err(error) = intake.tracker.follow_up(&account, told.next_calls).await {
                    tracing::error!(account = %account.id, %error, "what followed from a push could not be stored");
                }
            });
        }
        Ok(())
    }

    /// Tries every dead letter again: after an update, or once an account is mended.
    pub async fn replay(self: &Arc<Self>) -> Result<Replayed, StoreError> {
        const MOST: usize = 10_000;
        let mut replayed = Replayed::default();
        for letter in self.records.dead_letters(MOST).await? {
            match self.replay_one(&letter).await? {
                true => replayed.applied += 1,
                false => replayed.kept += 1,
            }
        }
        Ok(replayed)
    }

    async fn replay_one(self: &Arc<Self>, letter: &Read<DeadLetter>) -> Result<bool, StoreError> {
        let Some(value) = &letter.value else { return Ok(false) };
        let Some(account) = self.tracker.account(&value.kind, &value.account).cloned() else {
            return Ok(false);
        };
        let Some(push) = crate::carriers::carrier(&value.kind).and_then(|carrier| carrier.push()) else {
            return Ok(false);
        };
        let payload = self.records.payload_of(letter).await?;
        let Ok(told) = push.read(&self.cx(&account), &payload) else { return Ok(false) };
        self.apply_push(&account, told).await?;
        self.records.drop_dead_letter(letter).await?;
        Ok(true)
    }
}

/// A short label of why a push could not be read.
fn cause(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unreadable => "unreadable",
        Refusal::FixAccount { .. } => "account",
        Refusal::BadNumber => "bad_number",
        _ => "refused",
    }
}

fn count(kind: &str, what: &'static str) {
    metrics::counter!("yishi_pushes_total", "kind" => kind.to_owned(), "what" => what).increment(1);
}
