//! Whose tracking number is this? Every carrier that fits, best first, each with its reason.
//! Sources: facts on Chinese carriers, section 11; on international carriers, section 8. Must never take a Chinese
//! mobile number for a waybill, and never offer a family whose check digit is wrong.
//!
//! Order of belief: the order's own carrier, the shop's accounts, a naming prefix, then shape; a check digit that fits
//! lifts a bare digit string, since one in ten fits by chance.

mod checksum;
mod families;
mod s10;

use families::{FAMILIES, Family};
use regex::{Regex, RegexSet};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// What is known beside the number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The carrier that the merchant's order names (Yishi's code).
    pub order_carrier: Option<&'a str>,
    /// Carriers that the shop has accounts with or has shipped by, most used first.
    pub shop_carriers: &'a [&'a str],
}

/// Whether a check digit speaks for the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The family has a check rule and the number keeps it.
    Valid,
    /// The family has none.
    None,
}

impl Check {
    /// The promised name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::None => "none",
        }
    }
}

/// One carrier that the number may belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Yishi's carrier code; `upu` for a post that has no code.
    pub carrier: String,
    /// 0–1: a rank, not a probability.
    pub confidence: f32,
    /// Whether a check digit fits.
    pub check: Check,
    /// Why, in words for machines: `sf-prefix` (letters name the carrier), `zto-shape` (length and first digits),
    /// `sto-legacy` (older numbers), `s10-check-digit` and `…-check-digit` (the rule that fits), `order-carrier` (only
    /// the order says so).
    pub reason: &'static str,
}

/// Longest number that is looked at; families end at 41 characters.
const LONGEST: usize = 48;

/// Which families fit, in one pass. An empty set where the table is broken; a test keeps it whole.
static SHAPES: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = FAMILIES.iter().map(|family| format!("^(?:{})$", family.pattern));
    RegexSet::new(patterns).unwrap_or_else(|_| RegexSet::empty())
});

/// Numbers that need their dashes: JD's package suffix, and one of LaserShip's.
static DASHED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(JD[A-Z0-9]{12,15}(-[0-9]+){2}-?|1LS7[0-9A-Z]+-1)$").ok());

/// The form in which a number is stored and asked for: half width, upper case, no spaces or invisible characters, no
/// dashes except where they belong to the number.
pub fn normalize_number(text: &str) -> String {
    let folded: String = text
        .nfkc()
        .filter(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(*c))
        .map(|c| if is_dash(c) { '-' } else { c.to_ascii_uppercase() })
        .collect();
    // What stood apart may join now that the spaces are gone, and once more without the dashes.
    let folded: String = folded.nfkc().collect();
    let keeps = DASHED.as_ref().is_some_and(|pattern| pattern.is_match(&folded));
    if keeps { folded } else { folded.replace('-', "").nfkc().collect() }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '-')
}

/// Whether it is a Chinese mobile number, with or without the country code.
pub fn is_chinese_mobile(number: &str) -> bool {
    let local = match number.len() {
        13 => number.strip_prefix("86"),
        14 => number.strip_prefix("+86"),
        15 => number.strip_prefix("0086"),
        _ => Some(number),
    };
    local.is_some_and(|local| {
        let bytes = local.as_bytes();
        bytes.len() == 11
            && bytes[0] == b'1'
            && (b'3'..=b'9').contains(&bytes[1])
            && bytes.iter().all(u8::is_ascii_digit)
    })
}

/// Every carrier that the number may belong to, best first. Empty where nothing fits.
pub fn recognize(number: &str, hints: Hints) -> Vec<Candidate> {
    let number = normalize_number(number);
    let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || number.len() < 6 || number.len() > LONGEST || is_chinese_mobile(&number) {
        return Vec::new();
    }
    let mut found = if s10::is_shape(&number) { postal(&number) } else { by_shape(&number, hints) };
    weigh(&mut found, &number, hints);
    if let Some(carrier) = hints.order_carrier
        && found.iter().all(|candidate| candidate.carrier != carrier)
        && !has_check_rule(carrier)
        && !s10::is_shape(&number)
        && number.bytes().any(|byte| byte.is_ascii_digit())
    {
        found.push(candidate(carrier, 60, Check::None, "order-carrier"));
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found
}

fn candidate(carrier: &str, weight: u8, check: Check, reason: &'static str) -> Candidate {
    Candidate { carrier: carrier.to_owned(), confidence: f32::from(weight) / 100.0, check, reason }
}

fn postal(number: &str) -> Vec<Candidate> {
    let weights = [95, 60, 40];
    let posts = s10::posts(number).iter().zip(weights);
    posts.map(|(carrier, weight)| candidate(carrier, weight, Check::Valid, "s10-check-digit")).collect()
}

fn by_shape(number: &str, hints: Hints) -> Vec<Candidate> {
    let matches = SHAPES.matches(number);
    let fits = |family: &&Family| family.check.is_none_or(|check| check(number));
    let mut fitting: Vec<&Family> = matches.iter().filter_map(|at| FAMILIES.get(at)).filter(fits).collect();
    let named =
        fitting.iter().any(|family| family.weight >= 80 && number.starts_with(|c: char| !c.is_ascii_digit()));
    let alone = fitting.iter().all(|family| family.weak);
    fitting.retain(|family| {
        let hinted =
            hints.order_carrier == Some(family.carrier) || hints.shop_carriers.contains(&family.carrier);
        // A naming prefix leaves no room for look-alikes of its own shape, save those that say so by weight.
        hinted || !(family.weak && (named || alone))
    });
    let mut found: Vec<Candidate> = Vec::with_capacity(fitting.len());
    for family in fitting {
        let check = if family.check.is_some() { Check::Valid } else { Check::None };
        let new = candidate(family.carrier, family.weight, check, family.reason);
        match found.iter_mut().find(|old| old.carrier == new.carrier) {
            None => found.push(new),
            Some(old) if new.confidence > old.confidence => *old = new,
            Some(_) => {}
        }
    }
    found
}

/// The order's carrier first, then the shop's; only bare digits push the others down.
fn weigh(found: &mut [Candidate], number: &str, hints: Hints) {
    let bare = number.bytes().all(|byte| byte.is_ascii_digit());
    let hinted =
        |carrier: &str| hints.order_carrier == Some(carrier) || hints.shop_carriers.contains(&carrier);
    let any_hinted = found.iter().any(|candidate| hinted(&candidate.carrier));
    for candidate in found {
        if hints.order_carrier == Some(candidate.carrier.as_str()) {
            candidate.confidence = 0.99;
        } else if let Some(at) = hints.shop_carriers.iter().position(|code| *code == candidate.carrier) {
            // Of two that fit alike, the one that the shop uses more.
            let weight = 0.6 - 0.02 * at.min(10) as f32;
            candidate.confidence += (0.98 - candidate.confidence).max(0.0) * weight;
        } else if bare && any_hinted {
            candidate.confidence *= 0.5;
        }
    }
}

fn has_check_rule(carrier: &str) -> bool {
    FAMILIES.iter().any(|family| family.carrier == carrier && family.check.is_some())
}

#[cfg(test)]
#[path = "recognize_tests.rs"]
mod tests;
