//! Turns what is to be said into words of one language, in the shop's time zone. Must never show a key, a brace or a
//! half sentence: what cannot be said in one language is said in the next.

use super::catalog::{Catalog, Language, write};
use super::functions::Dated;
use super::spacing::han;
use super::{keys, when};
use crate::model::status::{Reason, Status, Sub};
use crate::model::{Arg, Block, Card, Choice, Line, Scan, Shown, ShownChoice, ShownEta, ShownEvent};
use fluent_bundle::{FluentArgs, FluentValue};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::LazyLock;

/// For whom, where and when something is said.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose own texts come first.
    pub shop: &'a str,
    /// The language, best from [`Catalog::negotiate`]; one that we lack is negotiated again.
    pub locale: &'a str,
    /// The shop's zone.
    pub zone: &'a TimeZone,
    /// Now.
    pub now: Timestamp,
}

/// Sentences inside sentences: no deeper than this.
const MAX_DEPTH: u8 = 4;
/// Bytes that most phrases inside a sentence fit into.
const USUAL_PHRASE: usize = 64;
/// Longest carrier's sentence that is shown, in characters.
const MAX_SCAN: usize = 200;

impl Catalog {
    /// Blocks in words. Text blocks that follow each other become one text, a line each.
    pub fn render(&self, ctx: &Context<'_>, blocks: &[Block]) -> Vec<Shown> {
        let voice = Voice::new(self, ctx);
        let mut shown: Vec<Shown> = Vec::with_capacity(blocks.len());
        let mut joins = false;
        for block in blocks {
            match block {
                Block::Text(line) => match shown.last_mut() {
                    Some(Shown::Text { text }) if joins => {
                        let end = text.len();
                        text.push('\n');
                        voice.line(text, line);
                        if text.len() == end + 1 {
                            text.truncate(end);
                        }
                    }
                    _ => {
                        let mut text = String::with_capacity(512);
                        voice.line(&mut text, line);
                        if !text.is_empty() {
                            shown.push(Shown::Text { text });
                        }
                    }
                },
                Block::Parcel(card) => shown.push(voice.card(card)),
                Block::Choices(line, choices) => shown.push(Shown::Choices {
                    text: voice.text(line),
                    choices: choices.iter().map(|choice| voice.choice(choice)).collect(),
                }),
                Block::Link(line, url) => {
                    shown.push(Shown::Link { text: voice.text(line), url: url.clone() });
                }
            }
            joins = matches!(block, Block::Text(_));
        }
        shown
    }

    /// One sentence. Empty where no language says it.
    pub fn line(&self, ctx: &Context<'_>, line: &Line) -> String {
        Voice::new(self, ctx).text(line)
    }

    /// Every sentence whose key starts with `prefix`, in order of key: the words of a page. `$shop` is filled with
    /// `shop_name`; other variables come as `{name}` for the page to fill in.
    pub fn texts(&self, ctx: &Context<'_>, prefix: &str, shop_name: &str) -> Vec<(String, String)> {
        let voice = Voice::new(self, ctx);
        let named = keys::KEYS.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        named
            .map(|(name, key)| {
                let line = key.variables.iter().fold(Line::new(name.clone()), |line, variable| {
                    let value = match variable.name {
                        "shop" => shop_name.to_owned(),
                        other => format!("{{{other}}}"),
                    };
                    line.with(variable.name, Arg::Text(value))
                });
                (name.clone(), voice.text(&line))
            })
            .collect()
    }
}

/// One language speaking, with those that help out after it.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    catalog: &'a Catalog,
    chain: &'a [usize],
    shop: &'a str,
    pub(super) zone: &'a TimeZone,
    pub(super) now: Timestamp,
    pub(super) today: Date,
    depth: u8,
}

impl<'a> Voice<'a> {
    fn new(catalog: &'a Catalog, ctx: &Context<'a>) -> Self {
        Self {
            catalog,
            chain: catalog.chain(ctx.locale),
            shop: ctx.shop,
            zone: ctx.zone,
            now: ctx.now,
            today: ctx.zone.to_datetime(ctx.now).date(),
            depth: 0,
        }
    }

    /// The language that speaks.
    pub(super) fn language(&self) -> Option<&'a Language> {
        self.chain.first().map(|at| &self.catalog.languages[*at])
    }

    /// Appends a sentence; its arguments are put into words in the very language that says it.
    pub(super) fn line(&self, out: &mut String, line: &Line) {
        for at in 0..self.chain.len() {
            let voice = Voice { chain: &self.chain[at..], ..*self };
            let Some(language) = voice.language() else { return };
            let mut args = None;
            let mut broken = false;
            for bundle in language.layers(self.shop) {
                if !bundle.has_message(&line.key) {
                    continue;
                }
                let args = args.get_or_insert_with(|| voice.args(line));
                match write(out, bundle, &line.key, args) {
                    Some(true) => return,
                    Some(false) => {
                        broken = true;
                        self.catalog.count_fallback(language, &line.key, "broken");
                    }
                    None => {}
                }
            }
            if !broken {
                self.catalog.count_fallback(language, &line.key, "missing");
            }
        }
    }

    /// The same with arguments that are ready: the words of times and places.
    pub(super) fn speak(&self, out: &mut String, key: &str, args: &FluentArgs<'_>) {
        if self.try_speak(out, key, args) {
            return;
        }
        if let Some(language) = self.language() {
            self.catalog.count_fallback(language, key, "missing");
        }
    }

    fn try_speak(&self, out: &mut String, key: &str, args: &FluentArgs<'_>) -> bool {
        self.chain.iter().any(|at| {
            let mut layers = self.catalog.languages[*at].layers(self.shop);
            layers.any(|bundle| write(out, bundle, key, args) == Some(true))
        })
    }

    fn text(&self, line: &Line) -> String {
        let mut text = String::new();
        self.line(&mut text, line);
        text
    }

    fn args<'l>(&self, line: &'l Line) -> FluentArgs<'l> {
        let mut args = FluentArgs::with_capacity(line.args.len());
        for (name, arg) in &line.args {
            args.set(*name, self.value(name, arg));
        }
        args
    }

    fn value<'l>(&self, name: &str, arg: &'l Arg) -> FluentValue<'l> {
        let mut text = String::new();
        if !matches!(arg, Arg::Text(_) | Arg::Number(_)) {
            text.reserve(USUAL_PHRASE);
        }
        match arg {
            Arg::Text(text) if text.is_empty() && keys::OPTIONAL.contains(&name) => return "none".into(),
            Arg::Text(text) => return text.as_str().into(),
            Arg::Number(number) => return (*number).into(),
            Arg::Moment(at) => {
                let at = self.civil(*at);
                self.moment(&mut text, at);
                return FluentValue::Custom(Box::new(Dated { words: text, at }));
            }
            Arg::Day(at) => {
                let at = self.civil(*at);
                self.day(&mut text, at.date());
                return FluentValue::Custom(Box::new(Dated { words: text, at }));
            }
            Arg::Age(at) => self.age(&mut text, *at),
            Arg::Eta(eta) => self.eta(&mut text, eta),
            Arg::Carrier(code) => self.carrier(&mut text, code),
            Arg::Status(status, sub, reason) => self.status(&mut text, *status, *sub, *reason),
            Arg::Scan(scan) => self.scan(&mut text, scan),
            Arg::Line(inner) if self.depth < MAX_DEPTH => {
                Voice { depth: self.depth + 1, ..*self }.line(&mut text, inner);
            }
            Arg::Line(_) => {}
        }
        text.into()
    }

    /// A carrier's name; one without a name is called by its code in capitals.
    fn carrier(&self, out: &mut String, code: &str) {
        let key = format!("carrier-{code}");
        if !self.try_speak(out, &key, &FluentArgs::new()) {
            out.push_str(&code.to_uppercase());
        }
    }

    /// A status in words: the finest that is known.
    fn status(&self, out: &mut String, status: Status, sub: Option<Sub>, reason: Option<Reason>) {
        let none = FluentArgs::new();
        if let (Status::Exception, Some(reason)) = (status, reason) {
            self.speak(out, &REASONS[reason as usize], &none);
        } else if let Some(sub) = sub.filter(|sub| sub.status() == status) {
            self.speak(out, &SUBS[sub as usize], &none);
        } else {
            self.speak(out, &STATUSES[status as usize], &none);
        }
    }

    /// A scan in words: the carrier's own sentence where the language fits, else our words and the place.
    fn scan(&self, out: &mut String, scan: &Scan) {
        let own = scan.description.as_str();
        let chinese = self.language().is_some_and(|language| language.chinese);
        let known = scan.sub != Some(Sub::Unmapped) && scan.status != Status::Unknown;
        let readable = own.chars().any(char::is_alphanumeric);
        // Nothing of ours would say more than an unmapped scan's own words, in whatever language.
        if readable && (own.chars().any(han) == chinese || !known) {
            return clean(out, own);
        }
        let mut status = String::new();
        self.status(&mut status, scan.status, scan.sub, scan.reason);
        match &scan.place {
            Some(place) if !status.is_empty() => {
                let mut args = FluentArgs::with_capacity(2);
                args.set("status", status);
                args.set("place", place.as_str());
                self.speak(out, "scan-place", &args);
            }
            _ => out.push_str(&status),
        }
    }

    fn choice(&self, choice: &Choice) -> ShownChoice {
        ShownChoice { id: choice.id.clone(), label: self.text(&choice.label) }
    }

    fn card(&self, card: &Card) -> Shown {
        let mut status_text = String::new();
        self.status(&mut status_text, card.status, card.sub, card.reason);
        let mut carrier_text = String::new();
        self.carrier(&mut carrier_text, &card.carrier);
        Shown::Parcel {
            carrier: card.carrier.clone(),
            number: card.number.clone(),
            status: card.status,
            status_text,
            eta: card.eta.as_ref().map(|eta| {
                let mut text = String::new();
                self.eta(&mut text, eta);
                ShownEta { from: eta.from, to: eta.to, precision: eta.precision, text }
            }),
            events: card.events.iter().map(|scan| self.event(scan)).collect(),
            carrier_text,
        }
    }

    fn event(&self, scan: &Scan) -> ShownEvent {
        let (mut text, mut at_text) = (String::new(), String::with_capacity(USUAL_PHRASE));
        self.scan(&mut text, scan);
        self.scanned(&mut at_text, &scan.time);
        ShownEvent { at: when::rfc3339(&scan.time), text, place: scan.place.clone(), at_text }
    }
}

/// A carrier's sentence on one line: white space folded, no invisible marks, not endless.
fn clean(out: &mut String, text: &str) {
    let text = text.trim();
    let common = |c: char| han(c) || ('!'..='~').contains(&c) || ('\u{ff01}'..='\u{ff5e}').contains(&c);
    if text.len() <= MAX_SCAN && text.chars().all(common) {
        return out.push_str(text);
    }
    out.reserve(text.len().min(MAX_SCAN * 4));
    let (mut count, mut gap) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = true;
            continue;
        }
        if matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            continue;
        }
        if count >= MAX_SCAN {
            out.push('…');
            return;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(c);
        count += 1;
    }
}

/// Keys by enum position, so that a status in words costs no text work.
static STATUSES: LazyLock<Vec<String>> =
    LazyLock::new(|| Status::ALL.iter().map(|s| format!("status-{}", keys::dashes(s.name()))).collect());
static SUBS: LazyLock<Vec<String>> =
    LazyLock::new(|| Sub::ALL.iter().map(|s| format!("sub-{}", keys::dashes(s.name()))).collect());
static REASONS: LazyLock<Vec<String>> =
    LazyLock::new(|| Reason::ALL.iter().map(|r| format!("reason-{}", keys::dashes(r.name()))).collect());
