//! Lets a Chinese template be written with a space around each variable and read as a person would type it:
//! "预计今天 14:00–18:00 送达" and "预计明天送达" from one text. Must never touch a space inside a variable's value.

use std::borrow::Cow;

/// Stands for a space of the template until both neighbours are known. Private use: no text has it.
const GAP: char = '\u{e000}';

/// Marks the spaces at the ends of a piece of template text: a variable stands beyond them.
pub(super) fn mark(text: &str) -> Cow<'_, str> {
    let inner = text.strip_prefix(' ').unwrap_or(text);
    let inner = inner.strip_suffix(' ').unwrap_or(inner);
    if inner.len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mut marked = String::with_capacity(text.len() + 4);
    if text.starts_with(' ') {
        marked.push(GAP);
    }
    marked.push_str(inner);
    // A lone space is both ends at once.
    if text.len() > 1 && text.ends_with(' ') {
        marked.push(GAP);
    }
    Cow::Owned(marked)
}

/// Turns the marks from `start` on into spaces or nothing.
pub(super) fn settle(out: &mut String, start: usize) {
    let Some(first) = out[start..].find(GAP) else { return };
    let marked = out.split_off(start + first);
    let mut rest = marked.as_str();
    while let Some(at) = rest.find(GAP) {
        out.push_str(&rest[..at]);
        rest = rest[at..].trim_start_matches(GAP);
        let before = out[start..].chars().next_back();
        if before.zip(rest.chars().next()).is_some_and(|(before, after)| wants_space(before, after)) {
            out.push(' ');
        }
    }
    out.push_str(rest);
}

fn wants_space(before: char, after: char) -> bool {
    let wide = |c: char| han(c) || punctuation(c);
    let word = |c: char| wide(c) || c.is_alphanumeric();
    let closed = (wide(before) && wide(after))
        || (punctuation(before) && word(after))
        || (word(before) && punctuation(after));
    !(closed || before.is_whitespace() || after.is_whitespace())
}

/// Whether a character is a Chinese one.
pub(super) fn han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Punctuation that carries its own space.
fn punctuation(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff1f}' | '“' | '”' | '‘' | '’' | '…')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&str]) -> String {
        let mut out = String::from("前 文");
        let start = out.len();
        for (at, piece) in pieces.iter().enumerate() {
            // Every second piece is a variable.
            match at % 2 {
                0 => out.push_str(&mark(piece)),
                _ => out.push_str(piece),
            }
        }
        settle(&mut out, start);
        out.split_off(start)
    }

    #[test]
    fn spaces_stand_only_between_chinese_and_other_script() {
        for (pieces, expected) in [
            (&["预计 ", "明天", " 送达"][..], "预计明天送达"),
            (&["预计 ", "今天 14:00–18:00", " 送达"], "预计今天 14:00–18:00 送达"),
            (&["您的 ", "“棉 被”", " 到了"], "您的“棉 被”到了"),
            (&["您的 ", "订单 A1", " 到了"], "您的订单 A1 到了"),
            (&["", "周五（3月6日）", " ", "09:30", "–", "13:30"], "周五（3月6日）09:30–13:30"),
            (&["", "3", ". ", "“棉被”"], "3. “棉被”"),
            (&["", "棉被", " · ", "运输中"], "棉被 · 运输中"),
            (&["由 ", "DHL", " ，"], "由 DHL，"),
            (&["电话 ", ""], "电话"),
            (&["无变量"], "无变量"),
        ] {
            assert_eq!(typed(pieces), expected);
        }
    }
}
