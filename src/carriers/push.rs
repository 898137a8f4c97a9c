//! News that a vendor sends by itself: proved, read, acknowledged in the vendor's exact words; and how a number is
//! subscribed where news comes only of subscribed numbers. Must never acknowledge by itself: that follows storing.

use super::{Ask, CodeReady, Tracked};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified};

/// A vendor that sends news to `/hooks/{kind}/{account}`.
pub trait Push: Send + Sync {
    /// A request that only tests or opens the door (a challenge), with its answer. Nothing of it is kept.
    fn handshake(&self, _cx: &Cx, _request: &Request) -> Option<Reply> {
        None
    }
    /// Proves the sender. A wrong, missing or too old signature is refused at the door, and nothing is kept of it.
    /// The payload is what [`Push::read`] needs, in the clear, and all of it: it is what is kept and replayed.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified>;
    /// Reads a verified payload. Numbers that nobody here knows are told like any other.
    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal>;
    /// What the vendor must hear: `stored` once the push is durable, else its own "try again".
    fn acknowledge(&self, cx: &Cx, request: &Request, stored: bool) -> Reply;
    /// How a number is subscribed; none where news comes without asking.
    fn subscription(&self) -> Option<&dyn Subscription> {
        None
    }
    /// Reads the answer to one of [`Told::next_calls`].
    fn read_follow_up(&self, _cx: &Cx, _answer: &Answer) -> Result<Told, Refusal> {
        Err(Refusal::Unsupported)
    }
}

/// Asks a vendor to send news of a number.
pub trait Subscription: Send + Sync {
    /// The call. `callback` is the public address of this account's hook.
    fn subscribe(&self, cx: &Cx, ask: &Ask, callback: &str) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::AlreadyDone`] where the vendor watches the number already.
    fn read_subscribed(&self, cx: &Cx, ask: &Ask, answer: &Answer) -> Result<(), Refusal>;
    /// Days after which a subscription must be renewed; none: it lasts as long as the parcel.
    fn days(&self) -> Option<u16> {
        None
    }
    /// Most subscriptions of one number in a month; zero: no such cap.
    fn per_number_month(&self) -> u16 {
        0
    }
}

/// A vendor at which a number stands under one carrier, so that a wrong one must be changed there.
pub trait Enrolled: Send + Sync {
    /// Moves a number from one carrier of ours to another.
    fn change_carrier(&self, cx: &Cx, number: &str, from: &str, to: &str) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::NotRegistered`] where it does not stand under `from`.
    fn read_changed(&self, cx: &Cx, number: &str, answer: &Answer) -> Result<(), Refusal>;
}

/// For vendors that look at the HTTP status alone.
pub(super) fn plain_acknowledgement(stored: bool, word: &str) -> Reply {
    match stored {
        true => Reply::text(word),
        false => Reply { status: 503, ..Reply::text("busy") },
    }
}

/// What one push told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// One for each number in it.
    pub parcels: Vec<News>,
    /// Calls to make next, whose answers [`Push::read_follow_up`] reads.
    pub next_calls: Vec<Call>,
    /// Parcels whose pickup code can be fetched now, where it was registered for.
    pub codes: Vec<CodeReady>,
}

/// What a push told of one number.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The events, as an answer to a question would tell them.
    pub tracked: Tracked,
    /// Whether the vendor goes on watching.
    pub watch: Watch,
    /// The carrier under which it was subscribed, where the vendor found that it is another one
    /// ([`Tracked::carrier`]).
    pub instead_of: Option<String>,
}

impl News {
    /// Plain news of a number that is watched on.
    pub fn of(tracked: Tracked) -> Self {
        Self { tracked, watch: Watch::On, instead_of: None }
    }
}

/// What a push says about the subscription itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Watch {
    /// Goes on.
    #[default]
    On,
    /// Over, because the parcel arrived.
    Ended,
    /// Given up without an end (no record for days): to be subscribed again, or polled.
    Lapsed,
}
