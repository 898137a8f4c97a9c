//! What to say: pure functions from what is known to what is said, or to what must still be known.
//! Must never do I/O, read a clock, or put a fact in a sentence that no event supports.
//!
//! [`decide`] is the door. It answers with [`Decision::Say`], or with [`Decision::Need`]: what to look up or to ask
//! a carrier before it can answer; the caller (intake) fetches and calls again, at most four rounds.

mod builtin;
mod choose;
mod compose;
mod decide;
pub mod intents;
mod keywords;
mod lexicon;
pub mod matcher;
mod news;
mod prepare;
mod prove;
mod resolve;
mod scorer;
mod topics;

use crate::model::{Block, Chat, Order, Parcel};
pub use builtin::builtin;
pub use decide::{decide, hear};
pub use intents::{Intent, lint};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
pub use matcher::{Language, Matcher, Understood};

/// What the buyer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Wrote.
    Text(String),
    /// Took an offered choice by its id.
    Choice(String),
    /// Came in (followed the account, pressed Start); by a link of the shop's, with the order that it opens.
    Joined(Option<String>),
    /// Sent what cannot be read: a picture, a sticker.
    Other,
}

/// A message as heard: joined with the fragment before it, and understood.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What the buyer did.
    pub said: Said,
    /// Meaning of the text; for anything else, of an empty text.
    pub understood: Understood,
    /// Dedupe key of the inbound message.
    pub key: String,
    /// Whether the wait for the rest of a fragment is over.
    pub waited: bool,
    /// The platform's language of the person, where it tells.
    pub locale: Option<String>,
}

impl Heard {
    /// Whether the answer will need the orders of this chat: looked up beforehand, they save a round.
    pub fn is_about_orders(&self) -> bool {
        matches!(self.said, Said::Text(_)) && intents::is_about_a_parcel(&self.understood.intent)
    }
}

/// Everything beside the message and what was looked up.
pub struct Situation<'a> {
    /// The shop's name as buyers know it.
    pub shop: &'a str,
    /// The shop's language.
    pub locale: &'a str,
    /// The shop's zone.
    pub zone: &'a TimeZone,
    /// Now.
    pub now: Timestamp,
    /// The conversation so far.
    pub chat: &'a Chat,
    /// The limits.
    pub rules: &'a Rules,
    /// How many scans a card holds on this channel.
    pub scans: usize,
    /// A carrier's hotline by its code.
    pub hotline: fn(&str) -> Option<&'static str>,
}

/// Times and limits of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Facts younger than this are answered without asking the carrier.
    pub fresh: SignedDuration,
    /// How long an open question stays open.
    pub pending: SignedDuration,
    /// How long a fragment may be continued.
    pub fragment: SignedDuration,
    /// How long we stay silent for a person who does not come.
    pub human: SignedDuration,
    /// No news for this long is called stuck.
    pub stuck: SignedDuration,
    /// Failed proofs an hour, per chat user.
    pub misses_per_chat: usize,
    /// Failed proofs an hour, per claimed number.
    pub misses_per_claim: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            fresh: SignedDuration::from_mins(10),
            pending: SignedDuration::from_mins(30),
            fragment: SignedDuration::from_secs(20),
            human: SignedDuration::from_mins(10),
            stuck: SignedDuration::from_hours(72),
            misses_per_chat: 5,
            misses_per_claim: 10,
        }
    }
}

/// An order with its parcels, as stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Its parcels, in the order of its shipments.
    pub parcels: Vec<Parcel>,
}

/// What a claimed number led to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Orders with that order number or tracking number; empty where there is none.
    pub orders: Vec<OrderView>,
    /// Failed proofs for this claim in the last hour.
    pub misses: usize,
}

/// How asking a carrier went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It answered (perhaps with nothing new).
    Answered,
    /// It could not be asked or gave no usable answer.
    Failed,
    /// It wants the phone tail of sender or receiver.
    NeedsPhoneTail,
}

/// What was looked up so far in this turn.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The orders bound to this chat.
    pub mine: Option<Vec<OrderView>>,
    /// Claims and what they led to.
    pub claims: Vec<(String, Found)>,
    /// Tracking numbers that a carrier was asked about, and how that went.
    pub asked: Vec<(String, Asked)>,
}

impl Known {
    /// How asking about a number went, if it was asked.
    pub fn asked(&self, number: &str) -> Option<Asked> {
        self.asked.iter().find(|(asked, _)| asked == number).map(|(_, how)| *how)
    }

    /// What a claim led to, if it was looked up.
    pub fn claim(&self, claim: &str) -> Option<&Found> {
        self.claims.iter().find(|(looked, _)| looked == claim).map(|(_, found)| found)
    }
}

/// What must be known first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The orders bound to this chat.
    Mine,
    /// The orders with this order or tracking number.
    Claim(String),
    /// News from the carrier about this parcel of an order.
    Fresh {
        /// Order number.
        order: String,
        /// Yishi's carrier code.
        carrier: String,
        /// Tracking number.
        number: String,
    },
}

/// What follows from a turn beside the reply and the conversation's new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A proof failed: counts against the claim.
    Miss {
        /// As the buyer wrote it.
        claim: String,
    },
    /// The order now knows this chat.
    Bind {
        /// Order number.
        order: String,
    },
    /// The order no longer knows this chat.
    Unbind {
        /// Order number.
        order: String,
    },
    /// Something that the merchant should see: `urge`, `change_address`, `not_received`, `human`, …
    Request {
        /// The intent.
        kind: String,
        /// Order number, where one is meant.
        order: Option<String>,
    },
    /// The buyer was told that they would hear of a parcel whose carrier did not answer.
    Promise {
        /// Yishi's carrier code.
        carrier: String,
        /// Tracking number.
        number: String,
    },
    /// The buyer has nothing of what the carrier calls delivered.
    Dispute {
        /// Yishi's carrier code.
        carrier: String,
        /// Tracking number.
        number: String,
    },
    /// Everything about this person must go.
    Erase,
}

/// A reply to be, with all that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Say {
    /// What is said; empty: nothing, on purpose (a person handles it).
    pub blocks: Vec<Block>,
    /// The conversation afterwards.
    pub chat: Chat,
    /// What else follows.
    pub effects: Vec<Effect>,
    /// Language of the reply.
    pub locale: String,
    /// What it was taken for: metrics and the story.
    pub intent: String,
}

/// The outcome of [`decide`].
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Look these up, then decide again.
    Need(Vec<Need>),
    /// Say this.
    Say(Box<Say>),
    /// It says nothing by itself: keep this state and wait for the rest.
    Wait(Box<Chat>),
    /// A later message has taken this one over: say nothing.
    Silent,
}
