//! Reads a carrier's scan sentence where its code says too little: what it means, and who, where and which code it
//! names. Source: normalized tracking model 3.4. Must never take a promise, a condition or a failure for a delivery.
//!
//! The rules are data (`scan_rules.toml`, each with examples that are tests); a merchant adds rules of his own per
//! carrier, which are tried first.

mod details;
mod folding;
mod rules;
mod sieve;

use crate::model::{Meaning, Sub};
pub use folding::fold_sentence;
pub use rules::{Rules, RulesError};
use std::sync::LazyLock;

/// What a sentence says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// Its meaning; `None` where no rule hits, and the code's own meaning stands.
    pub meaning: Option<Meaning>,
    /// The code that opens the locker or is shown at the station: a bearer secret.
    pub pickup_code: Option<String>,
    /// The courier's phone, as written.
    pub courier_phone: Option<String>,
    /// The courier's name, as written.
    pub courier_name: Option<String>,
    /// The locker, station or shop where it waits.
    pub pickup_place: Option<String>,
    /// Who signed, in the carrier's words.
    pub signed_by: Option<String>,
}

/// The rules that are built in. Empty where they are broken; a test keeps them whole.
static BUILT_IN: LazyLock<Rules> =
    LazyLock::new(|| Rules::parse(include_str!("scan_rules.toml")).unwrap_or_default());

/// The rules that are built in, to put a merchant's own in front of.
pub fn built_in() -> &'static Rules {
    &BUILT_IN
}

/// Reads a sentence by the built-in rules. `carrier` is Yishi's code, where known.
pub fn read(text: &str, carrier: Option<&str>) -> Read {
    read_by(&BUILT_IN, text, carrier)
}

/// Reads a sentence by these rules.
pub fn read_by(rules: &Rules, text: &str, carrier: Option<&str>) -> Read {
    let meaning = rules.meaning(&fold_sentence(text), carrier);
    details::read(text, meaning)
}

/// Who, where and which code a sentence names, where the meaning is known already. Much cheaper than [`read`].
pub fn details(text: &str, meaning: Meaning) -> Read {
    details::read(text, Some(meaning))
}

/// The meaning of a sentence that comes without any code: a rule's, else moving where a word of movement stands in
/// it, else unmapped.
pub fn meaning_without_code(text: &str, carrier: Option<&str>) -> Meaning {
    let folded = fold_sentence(text);
    BUILT_IN
        .meaning(&folded, carrier)
        .unwrap_or_else(|| Meaning::sub(if BUILT_IN.moves(&folded) { Sub::Moving } else { Sub::Unmapped }))
}

/// Whether so many digits, dashes and stars stand there at all, as they do in phones: counted in one quick pass, where
/// the first byte of a character that may be a foreign digit counts too.
fn may_hold_number(text: &str, length: usize) -> bool {
    let counts = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'*' | 0xc2..=0xe2 | 0xea..);
    text.as_bytes().iter().filter(|byte| counts(byte)).count() >= length
}

#[cfg(test)]
#[path = "scan_text_tests.rs"]
mod tests;
