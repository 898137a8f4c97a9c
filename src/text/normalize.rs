//! Makes what people type comparable: 「ＳＦ１２３　到哪裡了😂」 becomes 「sf123 到哪里了」. For matching only: what is shown
//! or stored stays as it was typed. Must never fail or grow a text beyond its limit.

use super::traditional;
use unicode_normalization::UnicodeNormalization;

/// Characters of a message that are looked at; the rest is ignored.
pub const LIMIT: usize = 2_000;

/// NFKC, lower case, simplified characters, no emoji or zero-width characters, single spaces, at most [`LIMIT`].
pub fn normalize(text: &str) -> String {
    if text.len() <= LIMIT && text.is_ascii() {
        return collapse(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())), text.len());
    }
    let capped = text.chars().take(LIMIT);
    if text.chars().all(is_plain) {
        return collapse(capped.map(fold_plain), text.len());
    }
    let folded = capped.nfkc().map(keep_visible).flat_map(char::to_lowercase).map(traditional::simplified);
    collapse(folded, text.len())
}

/// Width folded only, letters' case and script kept: for reading numbers in the form in which they were typed.
pub fn fold_width(text: &str) -> String {
    text.chars()
        .take(LIMIT)
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
            c => c,
        })
        .filter(|c| !is_invisible(*c))
        .collect()
}

/// Characters that need no NFKC: ASCII, common Han, and the usual Chinese punctuation.
fn is_plain(c: char) -> bool {
    c.is_ascii()
        || matches!(
            c,
            '\u{4E00}'
                ..='\u{9FFF}'
                    | '，'
                    | '。'
                    | '？'
                    | '！'
                    | '、'
                    | '；'
                    | '：'
                    | '（'
                    | '）'
                    | '“'
                    | '”'
                    | '‘'
                    | '’'
                    | '《'
                    | '》'
                    | '【'
                    | '】'
                    | '「'
                    | '」'
                    | '～'
                    | '…'
                    | '\u{3000}'
        )
}

fn fold_plain(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '，' => ',',
        '？' => '?',
        '！' => '!',
        '；' => ';',
        '：' => ':',
        '（' => '(',
        '）' => ')',
        '～' => '~',
        '‘' | '’' => '\'',
        '…' | '\u{3000}' => ' ',
        c if c.is_ascii() => c,
        c => traditional::simplified(c),
    }
}

/// Emoji and what only steers their look become a space or nothing (as U+200B, dropped by `collapse`).
fn keep_visible(c: char) -> char {
    match c {
        '\'' | '\u{2018}' | '\u{2019}' | '\u{02BC}' => '\'',
        '\u{1F000}'..='\u{1FAFF}'
        | '\u{2600}'..='\u{27BF}'
        | '\u{2B00}'..='\u{2BFF}'
        | '\u{E000}'..='\u{F8FF}' => ' ',
        c => c,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{00AD}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
}

fn collapse(characters: impl Iterator<Item = char>, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity.min(4 * LIMIT));
    let mut count = 0;
    let mut space = false;
    for c in characters {
        if c.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if is_invisible(c) {
            continue;
        }
        if count + 2 > LIMIT {
            break;
        }
        if space {
            out.push(' ');
            count += 1;
            space = false;
        }
        out.push(c);
        count += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_case_script_emoji_and_spaces_are_folded() {
        assert_eq!(normalize("ＳＦ１２３　到哪裡了😂"), "sf123 到哪里了");
        assert_eq!(normalize("  Where\tIS   my\n parcel?  "), "where is my parcel?");
        assert_eq!(normalize("物流\u{200B}到哪了？？"), "物流到哪了??");
        assert_eq!(normalize("Où est mon colis ❤️"), "où est mon colis");
        assert_eq!(normalize("where’s it"), "where's it");
        assert_eq!(normalize("我的訂單什麼時候發貨"), "我的订单什么时候发货");
        assert_eq!(normalize("…"), "");
    }

    #[test]
    fn long_messages_are_cut() {
        assert!(normalize(&"快递".repeat(5_000)).chars().count() <= LIMIT);
        assert!(normalize(&"\u{FDFA}".repeat(2_000)).chars().count() <= LIMIT);
        assert!(normalize(&"a".repeat(5_000)).chars().count() <= LIMIT);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_normalized_once_and_for_all(text in "\\PC{0,80}") {
            let once = normalize(&text);
            proptest::prop_assert_eq!(normalize(&once), once.clone());
            let _ = fold_width(&text);
        }
    }
}
