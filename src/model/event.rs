//! One thing that a carrier said about a parcel, kept as it was said.
//! Source: normalized tracking model 2.4 and 2.5. Must never be changed after it was stored, only merged.

use super::status::{Meaning, Reason, Status, Sub};
use super::when::When;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// By which door an event came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Source {
    #[default]
    Poll,
    Push,
    Both,
}

/// Where it happened, as far as the carrier told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[allow(missing_docs)]
#[serde(default)]
pub struct Place {
    pub text: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
    pub postal: Option<String>,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

/// The vendor's own words and codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[allow(missing_docs)]
#[serde(default)]
pub struct Raw {
    pub code: Option<String>,
    pub status: Option<String>,
    pub description: Option<String>,
}

/// The courier, for the proved buyer only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[allow(missing_docs)]
#[serde(default)]
pub struct Courier {
    pub name: Option<String>,
    pub phone: Option<String>,
}

/// Where and with which code to collect. The code is a bearer secret: proved buyer only, never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[allow(missing_docs)]
#[serde(default)]
pub struct Pickup {
    pub code: Option<String>,
    pub place: Option<String>,
    pub until: Option<String>,
}

/// One scan. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// First 32 hex digits of SHA-256, see [`Event::compute_id`].
    #[serde(default)]
    pub id: String,
    /// Position in the folded timeline, oldest 0. An output of the fold.
    #[serde(default)]
    pub seq: u32,
    /// When.
    pub time: When,
    /// What it means.
    pub status: Status,
    /// Finer meaning.
    #[serde(default)]
    pub sub: Option<Sub>,
    /// Why, for an exception.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Where.
    #[serde(default)]
    pub place: Place,
    /// The vendor's own words.
    #[serde(default)]
    pub raw: Raw,
    /// Who delivers.
    #[serde(default)]
    pub courier: Courier,
    /// Where to collect.
    #[serde(default)]
    pub pickup: Pickup,
    /// Yishi's code of the carrier.
    pub carrier: String,
    /// The tracking number, normalized.
    pub number: String,
    /// 0 on the way out, 1 on the way back. An output of the fold.
    #[serde(default)]
    pub leg: u8,
    /// Poll, push or both.
    #[serde(default)]
    pub source: Source,
    /// Who told us: a carrier's or aggregator's code.
    #[serde(default)]
    pub provider: String,
    /// When we first heard it; the earliest of all copies.
    #[serde(default)]
    pub received: Option<Timestamp>,
    /// When we last heard it: two events of one provider with overlapping spans stood in one answer.
    #[serde(default)]
    pub last_heard: Option<Timestamp>,
    /// A duplicate in other words, or undone by a later event. An output of the fold.
    #[serde(default)]
    pub superseded: bool,
    /// Who signed, in the carrier's words.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Made from the header status of an answer, not from one of its scans.
    #[serde(default)]
    pub header: bool,
    /// Vendor codes that this event undoes: the newest earlier event with one of them no longer counts.
    #[serde(default)]
    pub revokes: Vec<String>,
    /// The parcel goes on under this number.
    #[serde(default)]
    pub renumbered: Option<String>,
}

impl Event {
    /// A new event with its id. Description is kept as received (NFC).
    pub fn new(
        carrier: &str,
        number: &str,
        provider: &str,
        time: When,
        meaning: Meaning,
        raw: Raw,
        received: Timestamp,
    ) -> Self {
        let mut event = Self {
            id: String::new(),
            seq: 0,
            time,
            status: meaning.status,
            sub: meaning.sub,
            reason: meaning.reason,
            place: Place::default(),
            raw: Raw { description: raw.description.map(composed), ..raw },
            courier: Courier::default(),
            pickup: Pickup::default(),
            carrier: carrier.to_owned(),
            number: number.to_owned(),
            leg: 0,
            source: Source::Poll,
            provider: provider.to_owned(),
            received: Some(received),
            last_heard: Some(received),
            superseded: false,
            signed_by: None,
            header: false,
            revokes: Vec::new(),
            renumbered: None,
        };
        event.id = event.compute_id();
        event
    }

    /// SHA-256 over carrier, number, time key, raw code, canonical description, joined by U+001F (model 2.5).
    pub fn compute_id(&self) -> String {
        let description = canonical(self.raw.description.as_deref().unwrap_or(""));
        let text = [
            self.carrier.as_str(),
            self.number.as_str(),
            &self.time.key(),
            self.raw.code.as_deref().unwrap_or(""),
            &description,
        ]
        .join("\u{1f}");
        let mut id = String::with_capacity(32);
        for byte in &Sha256::digest(text.as_bytes())[..16] {
            for half in [byte >> 4, byte & 15] {
                id.push(char::from(b"0123456789abcdef"[usize::from(half)]));
            }
        }
        id
    }

    /// The vendor's sentence, or nothing.
    pub fn description(&self) -> &str {
        self.raw.description.as_deref().unwrap_or("")
    }
}

/// NFC. Carriers' sentences nearly always are, and then nothing is copied.
fn composed(text: String) -> String {
    if text.chars().all(is_plain) { text } else { text.nfc().collect() }
}

/// Characters that NFC and NFKC leave as they are and that no mark composes with: ASCII, Chinese ideographs and their
/// punctuation, and the full-width forms of ASCII (which NFKC folds one by one).
fn is_plain(c: char) -> bool {
    matches!(c, '\0'..='\u{7f}' | '\u{3000}'..='\u{3029}' | '\u{4e00}'..='\u{9fff}' | '\u{ff01}'..='\u{ff5e}')
}

/// Canonical description: NFKC, white space collapsed and trimmed, lower-cased (model 2.5).
pub fn canonical(text: &str) -> String {
    // Nearly every sentence goes in one pass.
    let mut canonical = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        let c = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from((c as u32 - 0xfee0) as u8),
            '\u{3000}' => ' ',
            other if is_plain(other) => other,
            _ => return canonical_the_long_way(text),
        };
        if c.is_whitespace() {
            space = !canonical.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            canonical.push(' ');
        }
        canonical.push(c.to_ascii_lowercase());
    }
    canonical
}

fn canonical_the_long_way(text: &str) -> String {
    let folded: String = text.nfkc().collect::<String>().to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::when::CHINA;

    #[test]
    fn the_id_is_the_models_golden_value() {
        let event = Event::new(
            "sf",
            "SF0000000000018",
            "kuaidi100",
            When::parse("2026-03-02 09:14:00", Some(CHINA)).unwrap(),
            Meaning::sub(Sub::Accepted),
            Raw {
                code: Some("50".into()), status: None, description: Some("顺丰速运  已收取快件".into())
            },
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(event.id, "eb3f40faad5a809af6e2dbea4329e0f3");
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_gives_the_same(text in "[ \t\n\u{0}-\u{7f}\u{3000}-\u{3029}一-龥！-～]{0,40}", any in "\\PC{0,20}") {
            for text in [text.as_str(), any.as_str()] {
                proptest::prop_assert_eq!(canonical(text), canonical_the_long_way(text));
                proptest::prop_assert_eq!(composed(text.to_owned()), text.nfc().collect::<String>());
            }
        }
    }
}
