//! What the service does towards channels by itself: introduces itself at the start (menus, webhooks), and fetches
//! messages where they are not pushed (long polling). A batch is confirmed to the platform only after every message
//! in it is durable.

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

/// Longest time for one call of an introduction.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// Tells every channel account what it should know of us: commands in each language, the webhook's address.
pub fn introduce(intake: &Arc<Intake>, wire: &Wire) {
    for account in intake.accounts.values() {
        intake.tasks.spawn(hello(intake.clone(), wire.clone(), account.clone()));
    }
}

async fn hello(intake: Arc<Intake>, wire: Wire, account: Arc<Account>) {
    let (Some(channel), Some(shop)) =
        (channel(&account.kind), account.shop.as_deref().and_then(|shop| intake.shop(shop)))
    else {
        return;
    };
    let commands = commands(&intake, shop);
    let exchange = Exchange {
        account: &account,
        limits: Limits::default(),
        number: None,
        token: channel.token(),
        limit: HELLO_LIMIT,
    };
    for at in 0.. {
        let probe =
            crate::wire::Cx { account: &account, token: None, now: intake.clock.now(), random: [0; 32] };
        if at >= channel.hello(&probe, &commands).len() {
            return;
        }
        let build = |cx: &crate::wire::Cx| {
            channel.hello(cx, &commands).into_iter().nth(at).ok_or(crate::wire::Refusal::Unsupported)
        };
        let read = |cx: &crate::wire::Cx, answer: &crate::wire::Answer| {
            channel.read_sent(cx, answer).map(Step::Done)
        };
        if let Err(error) = wire.exchange(&exchange, &build, &read).await {
            tracing::warn!(account = %account.id, %error, "the channel did not take our introduction");
            return;
        }
    }
}

/// The bot's commands: in the shop's language for everybody, and in each language that we speak.
fn commands(intake: &Intake, shop: &crate::model::shop::Shop) -> Vec<(String, Vec<(String, String)>)> {
    let catalog = intake.words.catalog();
    let in_language = |locale: &str| -> Vec<(String, String)> {
        let context =
            crate::replies::Context { shop: &shop.id, locale, zone: &shop.zone, now: intake.clock.now() };
        let texts = catalog.texts(&context, "command-", &shop.name);
        texts.into_iter().map(|(key, text)| (key.replacen("command-", "", 1), text)).collect()
    };
    // Telegram tells languages apart by two letters.
    let mut commands = vec![(String::new(), in_language(&shop.locale))];
    commands
        .extend([("zh", "zh-CN"), ("en", "en")].map(|(code, locale)| (code.to_owned(), in_language(locale))));
    commands
}

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
