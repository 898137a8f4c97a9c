//! Shown blocks as plain text, for channels whose messages are text: paragraphs, a parcel's last scans, choices as
//! numbered lines that can be typed back. Must never add a word of its own, or cut inside a character.

use crate::model::{Shown, ShownEvent};
use std::borrow::Cow;

/// How many scans of a parcel a text message shows.
pub const SCANS: usize = 4;

/// Ends a text that was cut.
pub const ELLIPSIS: &str = "…";

/// A block as the lines of one paragraph; empty lines are dropped.
pub fn paragraph(block: &Shown) -> Vec<String> {
    let mut shown = Vec::new();
    match block {
        Shown::Text { text } => shown.extend(lines(text)),
        Shown::Parcel { number, status_text, events, carrier_text, .. } => {
            shown.extend(lines(&parcel_title(carrier_text, number, status_text)));
            for event in events.iter().take(SCANS) {
                shown.extend(lines(&scan(event)));
            }
        }
        Shown::Choices { text, choices } => {
            shown.extend(lines(text));
            for (at, choice) in choices.iter().enumerate() {
                shown.extend(lines(&format!("{}. {}", at + 1, one_line(&choice.label))));
            }
        }
        Shown::Link { text, url } => {
            shown.extend(lines(text));
            shown.extend(lines(url));
        }
    }
    shown
}

/// All blocks, one paragraph each; a block that shows nothing leaves none.
pub fn paragraphs(shown: &[Shown]) -> Vec<Vec<String>> {
    shown.iter().map(paragraph).filter(|lines| !lines.is_empty()).collect()
}

/// `carrier number · status`, as far as each is there.
pub fn parcel_title(carrier: &str, number: &str, status: &str) -> String {
    let parcel = joined(" ", [carrier, number]);
    joined(" · ", [parcel.as_str(), status])
}

/// A scan in one line: time, place (unless the sentence names it already), sentence.
pub fn scan(event: &ShownEvent) -> String {
    let wall: String;
    let at = if event.at_text.is_empty() {
        wall = event.at.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
        &wall
    } else {
        &event.at_text
    };
    let place = event.place.as_deref().filter(|place| !event.text.contains(*place)).unwrap_or("");
    let line = joined(" ", [at, place, &event.text]);
    match one_line(&line) {
        Cow::Borrowed(same) if same.len() == line.len() => line,
        changed => changed.into_owned(),
    }
}

/// Without control characters: they are not allowed in XML, and JSON would escape them. Keeps line ends and tabs.
pub fn clean(text: &str) -> Cow<'_, str> {
    let spoils = |c: char| match c {
        '\n' | '\t' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    };
    if text.chars().any(spoils) { text.chars().filter(|c| !spoils(*c)).collect() } else { text.into() }
}

/// Cuts a line into pieces of at most `limit`, where `cost` counts one character; after a space where one is near.
/// A character that alone is longer than `limit` still makes a piece: no text is lost, and none loops for ever.
pub fn pieces(line: &str, limit: usize, cost: impl Fn(char) -> usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut used, mut space, mut used_at_space) = (0, 0, None, 0);
    for (at, c) in line.char_indices() {
        let next = cost(c);
        // Twice where what a break after a space leaves over does not fit with a wide character.
        while used + next > limit && at > from {
            // A break after a space, unless that would waste more than half of the piece.
            let end = space.filter(|_| used_at_space * 2 >= limit).unwrap_or(at);
            pieces.push(&line[from..end]);
            used = line[end..at].chars().map(&cost).sum();
            from = end;
            space = None;
        }
        used += next;
        if c == ' ' {
            space = Some(at + 1);
            used_at_space = used;
        }
    }
    if from < line.len() {
        pieces.push(&line[from..]);
    }
    pieces
}

/// Packs paragraphs into messages of at most `limit`, as `len` counts a text. Breaks between paragraphs if it can, else
/// between lines. Lines must fit already (see [`pieces`]). Lines are joined by a line end, paragraphs by an empty line.
pub fn pack(paragraphs: &[Vec<String>], limit: usize, len: impl Fn(&str) -> usize) -> Vec<String> {
    let mut messages = Vec::new();
    let (mut message, mut used) = (String::new(), 0);
    for paragraph in paragraphs {
        let whole: usize = paragraph.iter().map(|line| len(line) + 1).sum::<usize>().saturating_sub(1);
        if used > 0 && used + 2 + whole > limit {
            messages.push(std::mem::take(&mut message));
            used = 0;
        }
        let mut gap = "\n\n";
        for line in paragraph {
            let next = len(line);
            if used > 0 && used + gap.len() + next > limit {
                messages.push(std::mem::take(&mut message));
                used = 0;
            }
            if used > 0 {
                message.push_str(gap);
                used += gap.len();
            }
            message.push_str(line);
            used += next;
            gap = "\n";
        }
    }
    if used > 0 {
        messages.push(message);
    }
    messages
}

/// Every line of `text`, cleaned, without empty ones at the paragraph's ends or in its middle.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    let cleaned = text.lines().map(|line| clean(line.trim_end()));
    cleaned.filter(|line| !line.is_empty()).map(Cow::into_owned)
}

/// Line ends become spaces.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.contains(['\n', '\r']) {
        return text.into();
    }
    joined(" ", text.split(['\n', '\r']).map(str::trim)).into()
}

/// What is not empty, with `by` between.
fn joined<'a>(by: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::with_capacity(128);
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push_str(by);
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ShownChoice, Status};

    fn event(at_text: &str, text: &str, place: Option<&str>) -> ShownEvent {
        ShownEvent {
            at: "2026-03-02T09:14:00+08:00".into(),
            text: text.into(),
            place: place.map(str::to_owned),
            at_text: at_text.into(),
        }
    }

    #[test]
    fn a_buyer_reads_the_parcel_and_types_a_number() {
        let shown = [
            Shown::Text { text: "您的包裹正在派送\n预计今天送达".into() },
            Shown::Parcel {
                carrier: "sf".into(),
                number: "SF0000000000018".into(),
                status: Status::OutForDelivery,
                status_text: "派送中".into(),
                eta: None,
                events: vec![
                    event("今天 09:14", "快件正在派送", Some("深圳市")),
                    event("", "到达【深圳市】转运中心", Some("深圳市")),
                ],
                carrier_text: "顺丰速运".into(),
            },
            Shown::Choices {
                text: "您想问的是哪一单?".into(),
                choices: vec![
                    ShownChoice { id: "o1".into(), label: "蓝色保温杯".into() },
                    ShownChoice { id: "o2".into(), label: "台灯".into() },
                ],
            },
            Shown::Link { text: "查看详情".into(), url: "https://shop.example/t/abc".into() },
        ];
        assert_eq!(
            pack(&paragraphs(&shown), 2048, str::len),
            ["您的包裹正在派送\n预计今天送达\n\n\
              顺丰速运 SF0000000000018 · 派送中\n今天 09:14 深圳市 快件正在派送\n2026-03-02 09:14 到达【深圳市】转运中心\n\n\
              您想问的是哪一单?\n1. 蓝色保温杯\n2. 台灯\n\n\
              查看详情\nhttps://shop.example/t/abc"]
        );
    }

    #[test]
    fn only_the_newest_scans_are_shown() {
        let events = (0..9).map(|n| event(&format!("{n}:00"), "moving", None)).collect();
        let parcel = Shown::Parcel {
            carrier: "x".into(),
            number: "N".into(),
            status: Status::InTransit,
            status_text: "In transit".into(),
            eta: None,
            events,
            carrier_text: String::new(),
        };
        assert_eq!(paragraph(&parcel).len(), 1 + SCANS);
        assert_eq!(paragraph(&parcel)[1], "0:00 moving");
    }

    #[test]
    fn messages_break_between_paragraphs_then_between_lines() {
        let a = vec!["aaaa".to_owned()];
        let b = vec!["bb".to_owned(), "bb".to_owned()];
        assert_eq!(pack(&[a.clone(), b.clone()], 9, str::len), ["aaaa", "bb\nbb"]);
        assert_eq!(pack(&[a, b], 4, str::len), ["aaaa", "bb", "bb"]);
        assert_eq!(pieces("aa bb cc", 6, char::len_utf8), ["aa bb ", "cc"]);
        assert_eq!(pieces("快递快递", 7, char::len_utf8), ["快递", "快递"]);
        assert_eq!(pieces("快", 1, char::len_utf8), ["快"]);
        assert!(pieces("", 5, char::len_utf8).is_empty());
    }

    #[test]
    fn control_characters_go_and_nothing_shown_says_nothing() {
        assert_eq!(clean("a\u{0}b\u{1b}[31m\tc\nd"), "ab[31m\tc\nd");
        assert!(paragraphs(&[Shown::Text { text: "\n \n".into() }]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn pieces_lose_nothing_and_fit(line in "[a-z 快递📦&]{0,80}", limit in 4usize..40) {
            let cut = pieces(&line, limit, char::len_utf8);
            proptest::prop_assert_eq!(cut.concat(), line.as_str());
            for piece in cut {
                proptest::prop_assert!(piece.len() <= limit);
            }
        }
    }
}
