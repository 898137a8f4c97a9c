//! In which script and language a message is written, to answer in the same. Must never guess from a name or number.

use super::traditional::{is_simplified_only, is_traditional};

/// The language to answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Chinese, simplified script.
    #[default]
    Chinese,
    /// Chinese, traditional script.
    TraditionalChinese,
    /// English.
    English,
}

impl Language {
    /// `zh`, `zh-Hant`, `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::TraditionalChinese => "zh-Hant",
            Self::English => "en",
        }
    }
}

/// Which kind of script a text is mostly in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Characters without spaces.
    Han,
    /// Words.
    Latin,
}

/// A few Chinese characters outweigh English words beside them: 「我的 parcel 到哪了」.
pub fn of(text: &str) -> Script {
    let (mut han, mut latin) = (0usize, 0usize);
    for c in text.chars().take(300) {
        match c {
            'a'..='z' | 'A'..='Z' => latin += 1,
            '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => han += 1,
            _ => {}
        }
    }
    if han * 5 >= latin && (han > 0 || latin == 0) { Script::Han } else { Script::Latin }
}

/// `text` as typed, `words` the buyer's own words in it, without cards and numbers.
pub fn language(text: &str, words: &str) -> Language {
    let judged = if words.chars().any(char::is_alphabetic) { words } else { text };
    if of(judged) == Script::Latin && judged.chars().any(|c| c.is_ascii_alphabetic()) {
        return if words.chars().any(char::is_alphabetic) { Language::English } else { Language::Chinese };
    }
    let (mut traditional, mut simplified) = (0usize, 0usize);
    for c in text.chars().take(super::normalize::LIMIT) {
        traditional += usize::from(is_traditional(c));
        simplified += usize::from(is_simplified_only(c));
    }
    if traditional > simplified { Language::TraditionalChinese } else { Language::Chinese }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_words() {
        for (text, expected) in [
            ("我的快递到哪了", "zh"),
            ("我的包裹到哪裡了", "zh-Hant"),
            ("請問什麼時候到貨", "zh-Hant"),
            ("where is my parcel", "en"),
            ("我的 parcel 到哪了", "zh"),
            ("你好", "zh"),
            ("", "zh"),
        ] {
            assert_eq!(language(text, text).tag(), expected, "{text}");
        }
    }
}
