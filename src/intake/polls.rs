//! Channels whose messages are fetched instead of pushed (long polling): each batch is confirmed to the platform
//! only after every message in it is durable.

use super::Intake;
use crate::channels::{LongPoll, channel};
use crate::model::Account;
use crate::wire::{Exchange, Limits, Step, Wire};
use std::sync::Arc;
use std::time::Duration;

/// A poll may wait this long for something to come.
const LIMIT: Duration = Duration::from_secs(40);
/// After a failure.
const REST: Duration = Duration::from_secs(3);

/// Starts a poll for every account that wants one.
pub fn start(intake: &Arc<Intake>, wire: &Wire) {
    for account in intake.accounts.values() {
        let Some(channel) = channel(&account.kind) else { continue };
        if let Some(poll) = channel.poll(account) {
            let task = run(intake.clone(), wire.clone(), account.clone(), poll);
            intake.tasks.spawn(task);
        }
    }
}

async fn run(intake: Arc<Intake>, wire: Wire, account: Arc<Account>, poll: &'static dyn LongPoll) {
    let Some(channel) = channel(&account.kind) else { return };
    let exchange = Exchange {
        account: &account,
        limits: Limits::default(),
        number: None,
        token: channel.token(),
        limit: LIMIT,
    };
    let mut cursor: Option<String> = None;
    loop {
        let build = |cx: &crate::wire::Cx| poll.fetch(cx, cursor.as_deref());
        let read = |cx: &crate::wire::Cx, answer: &crate::wire::Answer| poll.read(cx, answer).map(Step::Done);
        let fetched = tokio::select! {
            () = intake.stop.cancelled() => return,
            fetched = wire.exchange(&exchange, &build, &read) => fetched,
        };
        let kept = match fetched {
            Ok((messages, next)) => {
                let mut kept = true;
                for incoming in &messages {
                    kept &= intake.incoming(channel, &account, incoming, Duration::ZERO).await.is_ok();
                }
                if kept && next.is_some() {
                    cursor = next;
                }
                kept
            }
            Err(error) => {
                tracing::warn!(account = %account.id, %error, "messages could not be fetched");
                false
            }
        };
        if !kept {
            tokio::select! {
                () = intake.stop.cancelled() => return,
                () = tokio::time::sleep(REST) => {}
            }
        }
    }
}
