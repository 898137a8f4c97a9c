//! One person's conversation with one shop: who they proved to be, what was asked, what is still open.
//! Everything that a turn reads and writes beside the orders; sealed at rest. Must never hold a carrier's facts.

use super::account::ChatAddress;
use super::message::Shown;
use super::notice::NoticeGroup;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How an order came to belong to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The merchant's system said so when the order came.
    #[default]
    Told,
    /// A token signed by the shop.
    Link,
    /// Order number and phone tail.
    OrderAndTail,
    /// Tracking number and phone tail.
    NumberAndTail,
}

/// One order that this person may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Bound {
    /// Order number.
    pub order: String,
    /// How it was proved.
    pub how: How,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub at: Option<Timestamp>,
}

/// What we asked and still wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Which of these orders; the intent is what will be answered then.
    WhichOrder {
        /// Order numbers as offered.
        orders: Vec<String>,
    },
    /// Which parcel of the order.
    WhichParcel {
        /// Order number.
        order: String,
        /// Tracking numbers as offered.
        numbers: Vec<String>,
    },
    /// The phone tail that goes with this claim (order or tracking number).
    PhoneTail {
        /// As the buyer wrote it.
        claim: String,
    },
    /// The order or tracking number that goes with this tail (none given yet: empty).
    OrderNumber {
        /// Four digits or empty.
        tail: String,
    },
    /// Really delete everything?
    Delete,
    /// Which language.
    Language,
    /// Which binding to undo.
    Unbind {
        /// Order numbers as offered.
        orders: Vec<String>,
    },
}

/// An open question with the intent that it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What was asked.
    pub question: Question,
    /// What to answer once it is clear.
    pub intent: String,
    /// When it was asked.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub asked: Timestamp,
}

/// Who talks to the buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// We do.
    #[default]
    Bot,
    /// A person was asked for and has not answered yet.
    Waiting {
        /// Since when.
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        since: Timestamp,
    },
    /// A person has taken over.
    Person {
        /// Their last word.
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        since: Timestamp,
    },
}

/// A message that said nothing by itself and waits for its rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// What was written so far.
    pub text: String,
    /// Key of the newest inbound message in it: only that turn may answer it.
    pub key: String,
    /// When the newest part came.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
}

/// One line of the story that a person sees at hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether the buyer said it.
    pub buyer: bool,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
    /// The words, cut.
    pub text: String,
}

/// The newest lines of a conversation, oldest first, as bytes: every turn carries them along, only a hand-over reads
/// them. Each is its length (`u16`) and what `rmp_serde` makes of a [`Told`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Story(Bytes);

impl Story {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines.
    pub fn lines(&self) -> Vec<Told> {
        self.encoded().filter_map(|line| rmp_serde::from_slice(line).ok()).collect()
    }

    fn encoded(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (line, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = after;
            Some(line)
        })
    }

    fn add(&mut self, told: &[Told]) {
        let before = self.encoded().count();
        let gone: usize =
            self.encoded().take((before + told.len()).saturating_sub(STORY)).map(|line| line.len() + 2).sum();
        let mut bytes = Vec::with_capacity(self.0.len() + 512);
        bytes.extend_from_slice(&self.0[gone..]);
        for line in told {
            let line = rmp_serde::to_vec(line).unwrap_or_default();
            bytes.extend_from_slice(&(line.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&line);
        }
        self.0 = bytes.into();
    }
}

/// What a message was answered with in its own reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Answered {
    /// As in [`Chat::answered`].
    pub key: u64,
    /// The shown blocks, as bytes: only a platform's retry reads them.
    pub shown: Bytes,
}

/// How many answered messages are remembered: more than a person writes in the day in which a platform may repeat.
pub const ANSWERED: usize = 48;
/// How many of them keep their inline answer: a platform repeats a message within seconds.
pub const ANSWERS: usize = 2;

/// How many orders of a person are kept.
pub const BOUND: usize = 150;

/// How many lines of the story are kept.
pub const STORY: usize = 10;
/// Each line is cut to this many characters.
pub const STORY_LINE: usize = 80;

/// A conversation. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Chat {
    /// The person and the account where we meet.
    pub address: Option<ChatAddress>,
    /// Reply language; chosen by the buyer where `language_fixed`, else seen in what they write.
    pub language: Option<String>,
    /// Whether the buyer chose it.
    pub language_fixed: bool,
    /// Orders of this person, newest proof last.
    pub bound: Vec<Bound>,
    /// The open question.
    pub pending: Option<Pending>,
    /// What the newest reply offered: id and label as shown.
    pub offered: Vec<(String, String)>,
    /// Order that was last spoken of.
    pub focus: Option<String>,
    /// Failed proofs of the last hour.
    pub misses: Vec<Timestamp>,
    /// Who talks.
    pub mode: Mode,
    /// No notices wanted.
    pub muted: bool,
    /// Waiting for its rest.
    pub fragment: Option<Fragment>,
    /// The newest lines.
    pub story: Story,
    /// When the buyer last wrote: opens the channel's reply window.
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub last_inbound: Option<Timestamp>,
    /// Free-form messages sent in the open window.
    pub window_used: u32,
    /// Messages in the web chat's log.
    pub seq: u64,
    /// How often in a row we did not understand.
    pub puzzled: u8,
    /// Messages that were answered, oldest first: the first 8 bytes of the SHA-256 of each dedupe key. A platform's
    /// retry of one of them changes nothing.
    pub answered: Vec<u64>,
    /// The newest inline answers, for such a retry.
    pub answers: Vec<Answered>,
    /// When notices went out in the last day.
    pub notified: Vec<Timestamp>,
    /// Notices that could not be sent: shown blocks as JSON, said with the next answer.
    pub kept: Vec<String>,
    /// News that is not wanted, where some is.
    pub unwanted: Vec<NoticeGroup>,
}

/// Dedupe keys are told apart by 64 bits: among the few dozen of one person that is enough.
fn short(key: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl Chat {
    /// What a message was answered with, if it was: empty where the answer went another way.
    pub fn answer_to(&self, key: &str) -> Option<Vec<Shown>> {
        let key = short(key);
        match self.answers.iter().rev().find(|answer| answer.key == key) {
            Some(answer) => Some(rmp_serde::from_slice(&answer.shown).unwrap_or_default()),
            None => self.answered.contains(&key).then(Vec::new),
        }
    }

    /// Remembers that a message was answered, and with what where the answer goes inline.
    pub fn answer(&mut self, key: &str, inline: &[Shown]) {
        let key = short(key);
        if self.answered.len() >= ANSWERED {
            self.answered.remove(0);
        }
        self.answered.push(key);
        if !inline.is_empty() {
            if self.answers.len() >= ANSWERS {
                self.answers.remove(0);
            }
            let mut shown = Vec::with_capacity(2_048);
            if rmp_serde::encode::write_named(&mut shown, inline).is_ok() {
                self.answers.push(Answered { key, shown: shown.into() });
            }
        }
    }

    /// Whether this person may see the order.
    pub fn owns(&self, order: &str) -> bool {
        self.bound.iter().any(|bound| bound.order == order)
    }

    /// Lets this person see the order. Says whether that is new.
    pub fn bind(&mut self, order: &str, how: How, at: Timestamp) -> bool {
        if self.owns(order) {
            return false;
        }
        // The newest stay: a loyal buyer's record must not grow without end.
        if self.bound.len() >= BOUND {
            self.bound.remove(0);
        }
        self.bound.push(Bound { order: order.to_owned(), how, at: Some(at) });
        true
    }

    /// Adds what the buyer said and what they were told, cut to [`STORY_LINE`].
    pub fn tell(&mut self, buyer: Option<(Timestamp, &str)>, bot: Option<(Timestamp, &str)>) {
        let line = |buyer: bool, (at, text): (Timestamp, &str)| Told {
            buyer,
            at,
            text: text.chars().take(STORY_LINE).collect(),
        };
        let lines = [buyer.map(|said| line(true, said)), bot.map(|said| line(false, said))];
        self.story.add(lines.into_iter().flatten().collect::<Vec<_>>().as_slice());
    }
}
