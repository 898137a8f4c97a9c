//! Chat channels: one file each, a pure codec between a platform's bytes and Yishi's messages.
//! A new one is a file, its fixtures, and two lines here. Must never open a socket, read a clock or know a store.

pub mod alerts;
pub mod plain;
pub mod telegram;
pub mod wechat;

use crate::model::{Account, Headline, NoticeKind, Shown};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, TokenStep, Unverified, Verified};
use jiff::Timestamp;

/// What must be known of a channel without asking it.
#[derive(Debug)]
pub struct ChannelSpec {
    /// `wechat`, `telegram`, `webchat`.
    pub kind: &'static str,
    /// Names of secrets that an account needs.
    pub secrets: &'static [&'static str],
    /// Names of further settings that an account needs.
    pub settings: &'static [&'static str],
    /// Production address, the default of setting `base_url`.
    pub base_url: &'static str,
    /// How long the platform waits for the inline reply, in milliseconds; 0: there is no inline reply.
    pub deadline_ms: u64,
    /// How long after a buyer's message free-form messages may be sent, in seconds; 0: without end.
    pub window_secs: u64,
    /// How many free-form messages a window holds; 0: without bound.
    pub window_quota: u32,
    /// Longest text in `limit_unit`s; longer ones are split or cut by the codec.
    pub text_limit: usize,
    /// How the limit counts.
    pub limit_unit: LimitUnit,
}

/// How a channel counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitUnit {
    /// UTF-8 bytes (WeChat).
    Bytes,
    /// UTF-16 code units (Telegram).
    Utf16,
    /// Characters.
    Chars,
}

impl LimitUnit {
    /// Length of a text in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Chars => text.chars().count(),
        }
    }
}

/// What a verified request brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// A handshake with its exact answer.
    Handshake(Reply),
    /// Messages of people, oldest first; empty: nothing for us, acknowledge it.
    Messages(Vec<Incoming>),
}

/// One thing that one person did.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    /// Dedupe key within the account: the same for each retry of the platform.
    pub key: String,
    /// The person: openid, chat id, session.
    pub from: String,
    /// When, by the platform's clock.
    pub at: Option<Timestamp>,
    /// What.
    pub what: What,
    /// The platform's language of the person (`zh-CN`, `en`), where it tells.
    pub locale: Option<String>,
    /// What the codec needs to answer this one (WeChat: our gh id; Telegram: callback id), opaque to all others.
    pub reply_to: String,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming({:?})", std::mem::discriminant(&self.what))
    }
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Wrote (or said, where the platform recognizes speech).
    Text(String),
    /// Took a choice by its id.
    Choice(String),
    /// Came in: followed the account, pressed Start, scanned a code (with its scene).
    Joined(Option<String>),
    /// Left: their data must go.
    Left,
    /// Sent what we cannot read: a picture, a sticker, voice without text.
    Other,
}

/// A channel.
pub trait Channel: Send + Sync {
    /// Its fixed facts.
    fn spec(&self) -> &'static ChannelSpec;
    /// Secrets and settings that this account still needs, by name: those of [`Channel::spec`] that are empty, unless a
    /// mode of the account makes some needless (WeChat's plain mode needs no key) or a form is impossible.
    fn lacks(&self, account: &Account) -> Vec<&'static str> {
        let spec = self.spec();
        let secrets = spec.secrets.iter().filter(|name| account.secret(name).is_empty());
        let settings = spec.settings.iter().filter(|name| account.setting(name, "").is_empty());
        secrets.chain(settings).copied().collect()
    }
    /// Proves the sender and gives the clear payload.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified>;
    /// Reads the payload. What is sound and not for us is an empty list; `Err` is refused and counted.
    fn read(&self, account: &Account, request: &Request, verified: &Verified) -> Result<Inbound, Unverified>;
    /// "Received, nothing to say now."
    fn acknowledge(&self) -> Reply;
    /// The inline reply that says `shown`. `incoming` is what is answered.
    fn write(
        &self,
        cx: &Cx,
        request: &Request,
        incoming: &Incoming,
        shown: &[Shown],
    ) -> Result<Reply, Refusal>;
    /// Calls that say `shown` to a person outside of a reply, in order. `incoming`: what it answers, if anything.
    fn send(
        &self,
        cx: &Cx,
        to: &str,
        incoming: Option<&Incoming>,
        shown: &[Shown],
    ) -> Result<Vec<Call>, Refusal>;
    /// Reads the answer to one of [`Channel::send`]'s calls.
    fn read_sent(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal>;
    /// Names of settings that an account may have beside the needed ones; a name ending in `?` is a secret.
    fn options(&self) -> &'static [&'static str] {
        &[]
    }
    /// A setting of an account that is there but cannot be used, with the reason.
    fn mistake(&self, _account: &Account) -> Option<(&'static str, String)> {
        None
    }
    /// How its token is fetched, where it needs one.
    fn token(&self) -> Option<&dyn TokenStep> {
        None
    }
    /// How news is told where no free-form message may be sent; none where that is never so.
    fn template(&self) -> Option<&dyn Template> {
        None
    }
    /// Long polling, for accounts that fetch their messages.
    fn poll(&self, _account: &Account) -> Option<&dyn LongPoll> {
        None
    }
    /// Calls to make once when the service starts (commands, webhook), where settings ask for them.
    fn hello(&self, _cx: &Cx, _commands: &[(String, Vec<(String, String)>)]) -> Vec<Call> {
        Vec::new()
    }
}

/// A channel that takes news in a form that its platform approved, also when no window is open.
pub trait Template: Send + Sync {
    /// Whether the account has such a form for this news.
    fn has(&self, account: &Account, kind: NoticeKind) -> bool;
    /// The call that tells it. `id` is the same at each try of one message.
    fn call(&self, cx: &Cx, to: &str, id: &str, news: &Headline) -> Result<Call, Refusal>;
    /// Reads the answer.
    fn read(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal>;
}

/// A channel whose messages are fetched instead of pushed.
pub trait LongPoll: Send + Sync {
    /// The call that waits for what comes after `cursor`; allow it [`LongPoll::wait_secs`] and some more.
    /// `Unsupported`: this account is not set to be polled.
    fn fetch(&self, cx: &Cx, cursor: Option<&str>) -> Result<Call, Refusal>;
    /// How long the platform holds the call open when there is nothing, in seconds.
    fn wait_secs(&self) -> u64;
    /// Its messages, and the cursor that confirms them: store it after they are stored. `None`: it stays.
    fn read(&self, cx: &Cx, answer: &Answer) -> Result<(Vec<Incoming>, Option<String>), Refusal>;
}

/// Every channel.
pub static CHANNELS: &[&dyn Channel] = &[&wechat::WECHAT, &telegram::TELEGRAM];

/// A channel by its kind.
pub fn channel(kind: &str) -> Option<&'static dyn Channel> {
    CHANNELS.iter().copied().find(|channel| channel.spec().kind == kind)
}

/// Whether an account has an approved form for news of a kind.
pub fn has_form(account: &Account, kind: NoticeKind) -> bool {
    let template = channel(&account.kind).and_then(Channel::template);
    template.is_some_and(|template| template.has(account, kind))
}

/// Whether a channel shows a log of our own instead of being sent messages (web chat).
pub fn is_logged(kind: &str) -> bool {
    kind == "webchat"
}
