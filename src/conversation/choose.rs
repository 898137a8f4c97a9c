//! Which offered choice is meant: by its id, its label, its place in the list, the item's name or tail digits.

use super::OrderView;
use crate::model::Chat;
use crate::model::chat::{Pending, Question};

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// A quick question.
    Intent(String),
    /// An order, for the intent that was asked.
    Order(String),
    /// An order, with a new question about it.
    OrderFor { order: String, intent: String },
    /// A parcel of an order.
    Parcel { order: String, number: String },
    /// A reply language.
    Language(String),
    /// Yes or no to deleting everything.
    Delete(bool),
    /// Undo every binding.
    UnbindAll,
    /// A button of a question that is gone.
    Stale,
}

/// The id of an order's choice.
pub(super) fn order_id(order: &str) -> String {
    format!("o:{order}")
}

/// The id of a parcel's choice.
pub(super) fn parcel_id(order: &str, number: &str) -> String {
    format!("p:{order}:{number}")
}

/// Reads a choice's id. Whether the order is the buyer's own is checked where it is used.
pub(super) fn by_id(id: &str) -> Chosen {
    let Some((kind, rest)) = id.split_once(':') else { return Chosen::Stale };
    match kind {
        "i" => Chosen::Intent(rest.to_owned()),
        "command" => Chosen::Intent(command(rest).to_owned()),
        "o" => Chosen::Order(rest.to_owned()),
        "p" => match rest.rsplit_once(':') {
            Some((order, number)) => Chosen::Parcel { order: order.to_owned(), number: number.to_owned() },
            None => Chosen::Stale,
        },
        "l" => Chosen::Language(rest.to_owned()),
        "d" => Chosen::Delete(rest == "yes"),
        "u" => Chosen::UnbindAll,
        _ => Chosen::Stale,
    }
}

/// A menu's or bot's command names a question.
fn command(name: &str) -> &str {
    match name {
        "list" | "orders" => "list_orders",
        "help" | "start" => "greeting",
        "stop" => "stop_notifications",
        "resume" => "resume_notifications",
        "delete" => "delete_my_data",
        other => other,
    }
}

/// Finds the choice that a text means: label, ordinal, then the item's name or tail digits of an offered order.
pub(super) fn by_words(text: &str, chat: &Chat, mine: &[OrderView]) -> Option<Chosen> {
    let text = plain(text);
    if text.is_empty() {
        return None;
    }
    if let Some((id, _)) = chat.offered.iter().find(|(_, label)| plain(label) == text) {
        return Some(by_id(id));
    }
    if let Some(place) = ordinal(&text) {
        let at = if place < 0 { chat.offered.len().checked_sub(1)? } else { place as usize - 1 };
        // A bare "2" where nothing was offered is not a choice.
        return chat.offered.get(at).map(|(id, _)| by_id(id));
    }
    match &chat.pending.as_ref()?.question {
        Question::WhichOrder { orders } | Question::Unbind { orders } => {
            by_name_or_tail(&text, orders, mine).map(Chosen::Order)
        }
        Question::WhichParcel { order, numbers } => {
            let number = by_tail(&text, numbers)?;
            Some(Chosen::Parcel { order: order.clone(), number })
        }
        Question::Delete => yes_or_no(&text).map(Chosen::Delete),
        Question::Language => language(&text).map(|tag| Chosen::Language(tag.to_owned())),
        Question::PhoneTail { .. } | Question::OrderNumber { .. } => None,
    }
}

/// Whether an open question waits for a proof.
pub(super) fn asks_for_proof(pending: &Option<Pending>) -> bool {
    matches!(
        pending,
        Some(Pending { question: Question::PhoneTail { .. } | Question::OrderNumber { .. }, .. })
    )
}

fn plain(text: &str) -> String {
    crate::text::normalize::normalize(text).trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// 1-based place; −1 is the last. Reads "2", "第二个", "2号", "二", "the second one", "last".
fn ordinal(text: &str) -> Option<i32> {
    const WORDS: [(&str, i32); 20] = [
        ("一", 1),
        ("二", 2),
        ("两", 2),
        ("三", 3),
        ("四", 4),
        ("五", 5),
        ("六", 6),
        ("首", 1),
        ("first", 1),
        ("second", 2),
        ("third", 3),
        ("fourth", 4),
        ("fifth", 5),
        ("1st", 1),
        ("2nd", 2),
        ("3rd", 3),
        ("4th", 4),
        ("最后一", -1),
        ("最后", -1),
        ("last", -1),
    ];
    let core = text
        .trim_start_matches("the ")
        .trim_start_matches("number ")
        .trim_start_matches("no. ")
        .trim_start_matches('第')
        .trim_start_matches("选")
        .trim_end_matches(" one")
        .trim_end_matches(" please")
        .trim_end_matches(['个', '单', '号', '件', '条', '项', '吧', '的', '订']);
    if let Ok(number) = core.parse::<i32>() {
        return (1..=9).contains(&number).then_some(number);
    }
    WORDS.iter().find(|(word, _)| *word == core).map(|(_, place)| *place)
}

fn by_name_or_tail(text: &str, orders: &[String], mine: &[OrderView]) -> Option<String> {
    if let Some(order) = by_tail(text, orders) {
        return Some(order);
    }
    let offered = mine.iter().filter(|view| orders.contains(&view.order.no));
    let mut best: Option<(usize, &str)> = None;
    let mut tie = false;
    for view in offered {
        let score = view.order.items.iter().map(|item| overlap(text, &plain(&item.title))).max().unwrap_or(0);
        match best {
            Some((top, _)) if score == top => tie = true,
            Some((top, _)) if score < top => {}
            _ => (best, tie) = (Some((score, view.order.no.as_str())), false),
        }
    }
    best.filter(|(score, _)| *score >= 2 && !tie).map(|(_, order)| order.to_owned())
}

/// At least three digits that end exactly one of the numbers.
fn by_tail(text: &str, numbers: &[String]) -> Option<String> {
    let tail = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let tail = tail.trim_start_matches("尾号").trim_start_matches("ending in ").trim();
    if tail.len() < 3 || !tail.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return None;
    }
    let mut hits = numbers.iter().filter(|number| number.to_lowercase().ends_with(tail));
    match (hits.next(), hits.next()) {
        (Some(number), None) => Some(number.clone()),
        _ => None,
    }
}

/// Length in characters of the longest run that both texts share; Latin runs count from whole words of 4 letters.
pub(super) fn overlap(text: &str, title: &str) -> usize {
    let text: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let title: Vec<char> = title.chars().filter(|c| !c.is_whitespace()).collect();
    let mut best = 0;
    for from in 0..title.len() {
        for start in 0..text.len() {
            let run = title[from..].iter().zip(&text[start..]).take_while(|(a, b)| a == b).count();
            let latin = title[from..from + run].iter().all(char::is_ascii);
            let needed = if latin { 4 } else { 2 };
            if run >= needed {
                best = best.max(if latin { run / 2 } else { run });
            }
        }
    }
    best
}

fn yes_or_no(text: &str) -> Option<bool> {
    const YES: [&str; 13] =
        ["是", "是的", "对", "确认", "确定", "删除", "删", "好", "好的", "yes", "y", "confirm", "delete"];
    const NO: [&str; 10] = ["否", "不", "不要", "不用", "取消", "算了", "保留", "no", "n", "keep"];
    if YES.contains(&text) {
        return Some(true);
    }
    NO.contains(&text).then_some(false)
}

fn language(text: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 10] = [
        ("繁", "zh-TW"),
        ("traditional", "zh-TW"),
        ("zh-tw", "zh-TW"),
        ("简", "zh-CN"),
        ("simplified", "zh-CN"),
        ("中文", "zh-CN"),
        ("chinese", "zh-CN"),
        ("english", "en"),
        ("英", "en"),
        ("en", "en"),
    ];
    NAMES.iter().find(|(name, _)| text.contains(name)).map(|(_, tag)| *tag)
}
