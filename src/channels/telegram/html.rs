//! Shown blocks as Telegram messages: HTML with every argument escaped, a keyboard under a question.
//! Must never let a buyer's or carrier's text become markup, or cut inside an entity, a tag or a surrogate pair.

use crate::channels::{LimitUnit, plain};
use crate::model::{Shown, ShownChoice};
use html_escape::{encode_double_quoted_attribute, encode_text};

/// Longest message. Telegram counts after reading the markup; counting before is stricter and never wrong.
const LIMIT: usize = 4096;

/// Longest `callback_data`, in bytes.
const DATA: usize = 64;

/// Longest label of a button, in characters.
const LABEL: usize = 64;

/// Longest argument in a line with markup, in characters: such a line is never cut.
const ARGUMENT: usize = 160;

/// Longest address that is made a link, in bytes.
const URL: usize = 1024;

/// One `sendMessage`: its text, and buttons as (label, data).
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// HTML.
    pub text: String,
    /// One a row.
    pub buttons: Vec<(String, String)>,
}

/// The messages that say `shown`. A message ends below a question, whose answers are its buttons.
pub fn messages(shown: &[Shown]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut open: Vec<Vec<String>> = Vec::new();
    for block in shown {
        let lines = lines(block);
        if !lines.is_empty() {
            open.push(lines);
        }
        if let Shown::Choices { choices, .. } = block
            && !open.is_empty()
        {
            let buttons = choices.iter().filter(|choice| has_button(choice)).map(button).collect();
            close(&mut messages, &mut open, buttons);
        }
    }
    if !open.is_empty() {
        close(&mut messages, &mut open, Vec::new());
    }
    messages
}

/// Packs what is open; the buttons go below its last message.
fn close(messages: &mut Vec<Message>, open: &mut Vec<Vec<String>>, buttons: Vec<(String, String)>) {
    let texts = plain::pack(open, LIMIT, |line| LimitUnit::Utf16.len(line));
    messages.extend(texts.into_iter().map(|text| Message { text, buttons: Vec::new() }));
    if let Some(last) = messages.last_mut() {
        last.buttons = buttons;
    }
    open.clear();
}

/// A block as HTML lines that each fit.
fn lines(block: &Shown) -> Vec<String> {
    match block {
        Shown::Text { text } => text.lines().flat_map(escaped).collect(),
        Shown::Parcel { number, status_text, events, carrier_text, .. } => {
            let mut lines = vec![title(carrier_text, number, status_text)];
            lines.extend(events.iter().take(plain::SCANS).flat_map(|event| escaped(&plain::scan(event))));
            lines.retain(|line| !line.is_empty());
            lines
        }
        Shown::Choices { text, choices } => {
            let mut lines: Vec<String> = text.lines().flat_map(escaped).collect();
            // Numbered as they can be typed, for one that no button can carry.
            for (at, choice) in choices.iter().enumerate().filter(|(_, choice)| !has_button(choice)) {
                lines.extend(escaped(&format!("{}. {}", at + 1, plain::one_line(&choice.label))));
            }
            // Buttons need a text above them.
            if lines.is_empty() && !choices.is_empty() {
                lines.push(plain::ELLIPSIS.to_owned());
            }
            lines
        }
        Shown::Link { text, url } => link(text, url),
    }
}

/// The bold line of a parcel; its number is copied by a tap.
fn title(carrier: &str, number: &str, status: &str) -> String {
    let number = argument(number);
    let number = if number.is_empty() { number } else { format!("<code>{number}</code>") };
    match plain::parcel_title(&argument(carrier), &number, &argument(status)) {
        title if title.is_empty() => title,
        title => format!("<b>{title}</b>"),
    }
}

/// A link, where Telegram can make one of it; else its parts as text.
fn link(text: &str, url: &str) -> Vec<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web || url.len() > URL || text.trim().is_empty() {
        return [text, url].into_iter().flat_map(escaped).collect();
    }
    let url = plain::clean(url);
    vec![format!("<a href=\"{}\">{}</a>", encode_double_quoted_attribute(&url), argument(text))]
}

/// A text line, escaped, in pieces that fit.
fn escaped(line: &str) -> Vec<String> {
    let line = plain::clean(line.trim_end());
    plain::pieces(&line, LIMIT, cost).into_iter().map(|piece| encode_text(piece).into_owned()).collect()
}

/// UTF-16 units of a character once it is escaped.
fn cost(c: char) -> usize {
    match c {
        '&' => 5,
        '<' | '>' => 4,
        other => other.len_utf16(),
    }
}

/// A short argument for a line with markup.
fn argument(text: &str) -> String {
    encode_text(&shorten(text, ARGUMENT)).into_owned()
}

/// One line of at most `limit` characters.
fn shorten(text: &str, limit: usize) -> String {
    let line = plain::one_line(text);
    let line = plain::clean(&line);
    if line.chars().count() <= limit {
        return line.into_owned();
    }
    line.chars().take(limit - 1).chain(plain::ELLIPSIS.chars()).collect()
}

fn has_button(choice: &ShownChoice) -> bool {
    (1..=DATA).contains(&choice.id.len()) && !choice.label.trim().is_empty()
}

fn button(choice: &ShownChoice) -> (String, String) {
    (shorten(&choice.label, LABEL), choice.id.clone())
}
