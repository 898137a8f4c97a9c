//! Telegram: buyers write to the shop's bot, in a private chat.
//! Must never speak in a group, where others would read about a parcel, nor take an update without the secret.
//!
//! There is no inline reply. Telegram would execute a `{"method": "sendMessage", …}` in our answer to its webhook, but
//! tells no result of it: whether the buyer blocked the bot, or the message was refused, would stay unknown. So an
//! update is acknowledged with 200 at once, and every answer is a call of its own with a result to read.
//!
//! Source: Bot API 10.1 and the server's own source, see `docs/channels/telegram.md`.

mod calls;
mod html;
mod read;
#[cfg(test)]
mod tests;

use super::{Channel, ChannelSpec, Inbound, Incoming, LimitUnit, LongPoll};
use crate::model::{Account, Shown};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};

/// The registry entry.
pub static TELEGRAM: Telegram = Telegram;

/// The channel.
#[derive(Debug)]
pub struct Telegram;

static SPEC: ChannelSpec = ChannelSpec {
    kind: "telegram",
    secrets: &["bot_token", "webhook_secret"],
    settings: &[],
    base_url: "https://api.telegram.org",
    deadline_ms: 0,
    window_secs: 0,
    window_quota: 0,
    text_limit: 4096,
    limit_unit: LimitUnit::Utf16,
};

/// Header that carries the webhook's secret.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Updates are some kilobytes.
const MAX_BODY: usize = 512 * 1024;

/// Whether the account's updates are fetched (`updates = "poll"`) instead of pushed.
fn polled(account: &Account) -> bool {
    account.setting("updates", "webhook") == "poll"
}

/// The form that `setWebhook` demands: 1–256 of `A-Za-z0-9_-`.
fn usable_secret(secret: &str) -> bool {
    (1..=256).contains(&secret.len())
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Channel for Telegram {
    fn spec(&self) -> &'static ChannelSpec {
        &SPEC
    }

    fn lacks(&self, account: &Account) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if account.secret("bot_token").is_empty() {
            missing.push("bot_token");
        }
        if !polled(account) && !usable_secret(account.secret("webhook_secret")) {
            missing.push("webhook_secret");
        }
        missing
    }

    fn options(&self) -> &'static [&'static str] {
        &["updates", "webhook_url", "base_url"]
    }

    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        if request.get {
            return Err(Unverified::BadSignature);
        }
        let secret = cx.account.secret("webhook_secret");
        let proof = sign::matches(secret.as_bytes(), request.header(SECRET_HEADER).as_bytes())
            .ok_or(Unverified::BadSignature)?;
        if request.body.len() > MAX_BODY {
            return Err(Unverified::Malformed);
        }
        Ok(Verified::new(request.body.clone(), proof))
    }

    fn read(
        &self,
        _account: &Account,
        _request: &Request,
        verified: &Verified,
    ) -> Result<Inbound, Unverified> {
        Ok(Inbound::Messages(read::update(verified.payload())?.into_iter().collect()))
    }

    /// Any 2xx; a body without `method` is not looked at.
    fn acknowledge(&self) -> Reply {
        Reply::text("")
    }

    fn write(
        &self,
        _cx: &Cx,
        _request: &Request,
        _incoming: &Incoming,
        shown: &[Shown],
    ) -> Result<Reply, Refusal> {
        if shown.is_empty() { Ok(self.acknowledge()) } else { Err(Refusal::Unsupported) }
    }

    fn send(
        &self,
        cx: &Cx,
        to: &str,
        incoming: Option<&Incoming>,
        shown: &[Shown],
    ) -> Result<Vec<Call>, Refusal> {
        calls::send(cx, to, incoming, shown)
    }

    fn read_sent(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        calls::read_sent(cx, answer)
    }

    fn poll(&self, account: &Account) -> Option<&dyn LongPoll> {
        polled(account).then_some(&Updates as &dyn LongPoll)
    }

    fn hello(&self, cx: &Cx, commands: &[(String, Vec<(String, String)>)]) -> Vec<Call> {
        calls::hello(cx, commands)
    }
}

/// Long polling by `getUpdates`, for shops without a public address.
struct Updates;

impl LongPoll for Updates {
    fn fetch(&self, cx: &Cx, cursor: Option<&str>) -> Result<Call, Refusal> {
        if !polled(cx.account) {
            return Err(Refusal::Unsupported);
        }
        calls::get_updates(cx, cursor)
    }

    fn wait_secs(&self) -> u64 {
        calls::POLL_SECS
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<(Vec<Incoming>, Option<String>), Refusal> {
        read::updates(calls::result(cx, answer)?.get())
    }
}
