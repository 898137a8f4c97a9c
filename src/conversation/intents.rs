//! Intents as files: what buyers may want, how they say it, and what answers it. A merchant's own file gives phrases
//! and the template that answers them, without code. Must never accept a file that it understands only in part.

use crate::model::Problem;
use regex::RegexBuilder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;

pub use super::builtin::{FILES, builtin};

/// Longest phrase, pattern or example, in characters.
const LONGEST: usize = 300;
/// Compiled size of one pattern, in bytes: a merchant's pattern must not eat the memory of all.
const PATTERN_SIZE: usize = 64 * 1024;
/// Patterns of one file and language.
const MOST_PATTERNS: usize = 50;
/// Phrases or examples of one file and language.
const MOST_PHRASES: usize = 20_000;

/// What has to be known before an intent can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Needs {
    #[default]
    Nothing,
    Buyer,
    Order,
    Parcel,
}

/// What serves an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Says the template named by `answer`, or the built-in sentence of this name.
    #[default]
    Say,
    /// Looks up facts about orders and parcels and tells them.
    LookUp,
    /// Notes a wish for the merchant.
    Note,
    /// Hands over to a person.
    HandOver,
    /// Changes what Yishi keeps about this buyer: bindings, notifications, language, data.
    Settings,
}

/// One language's part of an intent.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// `zh`, `en`, …
    pub language: String,
    /// Words that speak for the intent wherever they stand.
    pub phrases: Vec<Spot>,
    /// Regular expressions over the normalized text.
    pub patterns: Vec<Spot>,
    /// Sentences that must be read as this intent: tests, and what the scorer learns from.
    pub examples: Vec<Spot>,
    /// Sentences that must not be read as this intent.
    pub not: Vec<Spot>,
}

/// A text with the place where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// As written.
    pub text: String,
    /// Byte offset in the file.
    pub offset: usize,
}

/// One file.
#[derive(Debug, Clone)]
pub struct Intent {
    /// `track`, or a merchant's own.
    pub name: Arc<str>,
    /// Its file, for messages.
    pub file: String,
    /// The file's text, to tell lines from offsets.
    pub source: Arc<str>,
    /// Where the name stands.
    pub at: usize,
    /// What must be known first.
    pub needs: Needs,
    /// What serves it.
    pub does: Does,
    /// The template that answers a merchant's own intent.
    pub answer: Option<Arc<str>>,
    /// Intents that win over this one where both are meant.
    pub yields_to: Vec<Spot>,
    /// Its words, per language.
    pub wordings: Vec<Wording>,
}

impl Intent {
    /// Every example, with its language.
    pub fn examples(&self) -> impl Iterator<Item = (&str, &str)> {
        self.wordings.iter().flat_map(|wording| {
            wording.examples.iter().map(|spot| (wording.language.as_str(), spot.text.as_str()))
        })
    }

    fn problem(&self, offset: usize, message: impl Into<String>) -> Problem {
        Problem::at(&self.file, &self.source, offset, message)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIntent {
    name: Spanned<String>,
    /// For people.
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    needs: Needs,
    #[serde(default)]
    does: Does,
    answer: Option<Spanned<String>>,
    #[serde(default)]
    yields_to: Vec<Spanned<String>>,
    #[serde(default)]
    words: BTreeMap<String, Spanned<RawWording>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawWording {
    phrases: Vec<Spanned<String>>,
    patterns: Vec<Spanned<String>>,
    examples: Vec<Spanned<String>>,
    not: Vec<Spanned<String>>,
}

/// Reads intent files, given as path and text; all problems of all files, or all intents.
pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Intent>, Vec<Problem>> {
    let mut intents = Vec::new();
    let mut problems = Vec::new();
    for (file, text) in files {
        match parse(file, text) {
            Ok(intent) => intents.push(intent),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(lint(&intents));
    if problems.is_empty() { Ok(intents) } else { Err(problems) }
}

/// Reads one file without looking at others.
pub fn parse(file: &str, text: &str) -> Result<Intent, Problem> {
    let raw: RawIntent = toml::from_str(text).map_err(|error| {
        Problem::at(file, text, error.span().map_or(0, |span| span.start), error.message().to_owned())
    })?;
    let spots = |list: Vec<Spanned<String>>| -> Vec<Spot> {
        list.into_iter().map(|item| Spot { offset: item.span().start, text: item.into_inner() }).collect()
    };
    Ok(Intent {
        at: raw.name.span().start,
        name: Arc::from(raw.name.into_inner()),
        file: file.to_owned(),
        source: Arc::from(text),
        needs: raw.needs,
        does: raw.does,
        answer: raw.answer.map(|answer| Arc::from(answer.into_inner())),
        yields_to: spots(raw.yields_to),
        wordings: raw
            .words
            .into_iter()
            .map(|(language, wording)| {
                let wording = wording.into_inner();
                Wording {
                    language,
                    phrases: spots(wording.phrases),
                    patterns: spots(wording.patterns),
                    examples: spots(wording.examples),
                    not: spots(wording.not),
                }
            })
            .collect(),
    })
}

/// Compiles a pattern under the limits.
pub(super) fn compile(pattern: &str) -> Result<regex::Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(4 * PATTERN_SIZE)
        .nest_limit(30)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this pattern is too large: write it shorter".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                format!("this pattern is not a regular expression: {last}")
            }
        })
}

/// What is wrong among intents that were read: two with one name, a phrase claimed twice, a reference to nothing,
/// a bad pattern, an intent that nobody can say or that answers nothing.
pub fn lint(intents: &[Intent]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names: BTreeMap<&str, &Intent> = BTreeMap::new();
    for intent in intents {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if intent.name.is_empty() || intent.name.len() > 60 || !intent.name.chars().all(plain) {
            problems.push(intent.problem(intent.at, "an intent's name is 1 to 60 of a-z, 0-9, _ and -"));
        }
        if let Some(first) = names.insert(&intent.name, intent) {
            problems.push(
                intent.problem(intent.at, format!("{} has an intent of this name already", first.file)),
            );
        }
    }
    let mut owners: BTreeMap<String, &Intent> = BTreeMap::new();
    for intent in intents {
        for reference in &intent.yields_to {
            if !names.contains_key(reference.text.as_str()) {
                problems.push(
                    intent.problem(reference.offset, format!("no intent is called “{}”", reference.text)),
                );
            }
        }
        let own = !is_builtin(&intent.name);
        if own && intent.does == Does::Say && intent.answer.as_ref().is_none_or(|answer| answer.is_empty()) {
            problems.push(intent.problem(
                intent.at,
                "an intent of your own needs `answer`, the key of the template that answers it",
            ));
        }
        if intent.wordings.iter().all(|wording| {
            wording.phrases.is_empty() && wording.patterns.is_empty() && wording.examples.is_empty()
        }) {
            problems.push(
                intent
                    .problem(intent.at, "nobody can say this intent: give it phrases, patterns or examples"),
            );
        }
        for wording in &intent.wordings {
            lint_wording(intent, wording, &mut owners, &mut problems);
        }
    }
    problems
}

fn lint_wording<'a>(
    intent: &'a Intent,
    wording: &Wording,
    owners: &mut BTreeMap<String, &'a Intent>,
    problems: &mut Vec<Problem>,
) {
    for (list, most) in [
        (&wording.phrases, MOST_PHRASES),
        (&wording.patterns, MOST_PATTERNS),
        (&wording.examples, MOST_PHRASES),
        (&wording.not, MOST_PHRASES),
    ] {
        if let Some(spot) = list.get(most) {
            problems.push(intent.problem(spot.offset, format!("at most {most} of these in one file")));
        }
        for spot in list {
            if spot.text.trim().is_empty() {
                problems.push(intent.problem(spot.offset, "this is empty"));
            } else if spot.text.chars().count() > LONGEST {
                problems.push(intent.problem(spot.offset, format!("longer than {LONGEST} characters")));
            }
        }
    }
    for phrase in &wording.phrases {
        let key = crate::text::normalize::normalize(&phrase.text);
        if key.is_empty() {
            continue;
        }
        match owners.get(&key) {
            Some(owner) if owner.name != intent.name => problems.push(intent.problem(
                phrase.offset,
                format!("the phrase “{}” belongs to the intent “{}” already", phrase.text, owner.name),
            )),
            _ => {
                owners.insert(key, intent);
            }
        }
    }
    for pattern in &wording.patterns {
        if let Err(message) = compile(&pattern.text) {
            problems.push(intent.problem(pattern.offset, message));
        }
    }
}

/// The names that Yishi serves itself; the first [`ABOUT_A_PARCEL`] are about an order or a parcel.
pub const NAMES: [&str; 21] = [
    "track",
    "when_ship",
    "eta",
    "delayed",
    "stuck",
    "not_received",
    "change_address",
    "urge",
    "intercept",
    "return_status",
    "list_orders",
    "fee",
    "human",
    "verify",
    "stop_notifications",
    "resume_notifications",
    "delete_my_data",
    "language",
    "greeting",
    "thanks",
    "other",
];

const ABOUT_A_PARCEL: usize = 10;

/// Whether an intent is about an order or a parcel.
pub fn is_about_a_parcel(name: &str) -> bool {
    NAMES[..ABOUT_A_PARCEL].contains(&name)
}

/// Whether an intent is one that Yishi serves itself.
pub fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}
