//! What is said: [`Block`]s of template keys and arguments until the last step, [`Shown`] blocks once in words.
//! The JSON of [`Shown`] is promised to web chat clients.

use super::event::Event;
use super::parcel::{Eta, EtaPrecision};
use super::status::{Reason, Status, Sub};
use super::when::When;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A sentence to be: a template's key and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Key of a message in `locales/<lang>/*.ftl`.
    pub key: String,
    /// Named arguments.
    pub args: Vec<(&'static str, Arg)>,
}

impl Line {
    /// A sentence without arguments.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), args: Vec::new() }
    }

    /// The same with one more argument.
    pub fn with(mut self, name: &'static str, arg: Arg) -> Self {
        self.args.push((name, arg));
        self
    }
}

/// An argument, typed: `replies` formats it by language and the shop's time zone.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// As it is: item titles, order numbers, codes.
    Text(String),
    /// A count: plural rules apply.
    Number(i64),
    /// Day and time of day, as close to today as that is natural ("今天 09:14", "3月2日 09:14").
    Moment(Timestamp),
    /// A day only ("明天", "3月5日").
    Day(Timestamp),
    /// How long ago ("6 分钟前").
    Age(Timestamp),
    /// An expected arrival in words ("明天", "周五 14:00–18:00").
    Eta(Eta),
    /// A carrier's name by Yishi's code.
    Carrier(String),
    /// A status in words.
    Status(Status, Option<Sub>, Option<Reason>),
    /// A scan in words: the carrier's own sentence where the language fits, else the normalized wording.
    Scan(Box<Scan>),
    /// Another sentence inside this one.
    Line(Box<Line>),
}

/// What is told of an event: the rest of it stays where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// When.
    pub time: When,
    /// What it means.
    pub status: Status,
    /// Finer meaning.
    pub sub: Option<Sub>,
    /// Why, for an exception.
    pub reason: Option<Reason>,
    /// The carrier's own sentence, or nothing.
    pub description: String,
    /// Where, in the carrier's words.
    pub place: Option<String>,
}

impl std::convert::From<&Event> for Scan {
    fn from(event: &Event) -> Self {
        let places = [&event.place.text, &event.place.city];
        let place = places.into_iter().flatten().map(|text| text.trim()).find(|text| !text.is_empty());
        Self {
            time: event.time.clone(),
            status: event.status,
            sub: event.sub,
            reason: event.reason,
            description: event.description().to_owned(),
            place: place.map(str::to_owned),
        }
    }
}

/// One choice offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Short and stable: Telegram gives 64 bytes.
    pub id: String,
    /// What the buyer sees and may type.
    pub label: Line,
}

/// One part of what is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A sentence or two.
    Text(Line),
    /// A parcel with its timeline.
    Parcel(Box<Card>),
    /// A question with answers to tap.
    Choices(Line, Vec<Choice>),
    /// A link with its text.
    Link(Line, String),
}

/// A parcel as it is shown: events newest first, already cut and masked for the asker.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Card {
    pub carrier: String,
    pub number: String,
    pub status: Status,
    pub sub: Option<Sub>,
    pub reason: Option<Reason>,
    pub eta: Option<Eta>,
    pub events: Vec<Scan>,
}

/// A block in words: the promised JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Shown {
    Text {
        text: String,
    },
    Parcel {
        carrier: String,
        number: String,
        status: Status,
        status_text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eta: Option<ShownEta>,
        events: Vec<ShownEvent>,
        /// The carrier's name in the buyer's language.
        #[serde(default)]
        carrier_text: String,
    },
    Choices {
        text: String,
        choices: Vec<ShownChoice>,
    },
    Link {
        text: String,
        url: String,
    },
}

/// An expected arrival as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ShownEta {
    pub from: Timestamp,
    pub to: Timestamp,
    pub precision: EtaPrecision,
    /// In words.
    #[serde(default)]
    pub text: String,
}

/// A scan as shown. `at`: RFC 3339 where the zone is known, else the wall time as the carrier gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ShownEvent {
    pub at: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The time in words, in the shop's zone.
    #[serde(default)]
    pub at_text: String,
}

/// A choice as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ShownChoice {
    pub id: String,
    pub label: String,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum From {
    Buyer,
    Bot,
    Staff,
}

/// One message of a conversation: the promised JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ChatMessage {
    pub id: String,
    pub at: Timestamp,
    pub from: From,
    pub blocks: Vec<Shown>,
}
