//! Says which patterns can hit a sentence at all, by one pass over it: each needs one of a few words. Must never leave
//! out a pattern that could hit; one that needs no word is let through always.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex_syntax::hir::{Hir, HirKind};

/// Words, each with the patterns that wait for it.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    words: AhoCorasick,
    /// By word.
    waiting: Vec<Through>,
    /// Those that wait for no word.
    always: Through,
}

/// The patterns that a sentence lets through: a bit for each of the first 512; those behind them pass always.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Through([u64; 8]);

impl Through {
    pub(super) fn holds(&self, at: usize) -> bool {
        self.0.get(at / 64).is_none_or(|bits| bits >> (at % 64) & 1 == 1)
    }

    fn add(&mut self, at: usize) {
        if let Some(bits) = self.0.get_mut(at / 64) {
            *bits |= 1 << (at % 64);
        }
    }

    fn add_all(&mut self, others: &Self) {
        self.0.iter_mut().zip(others.0).for_each(|(bits, other)| *bits |= other);
    }
}

impl Sieve {
    /// `None` where it cannot be built: all are tried then.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Self> {
        let (mut words, mut waiting) = (Vec::<String>::new(), Vec::<Through>::new());
        let mut always = Through::default();
        for (at, pattern) in patterns.enumerate() {
            let Some(needed) = regex_syntax::parse(pattern).ok().as_ref().and_then(needed) else {
                always.add(at);
                continue;
            };
            for word in needed {
                let known = words.iter().position(|known| *known == word).unwrap_or_else(|| {
                    words.push(word);
                    waiting.push(Through::default());
                    words.len() - 1
                });
                waiting[known].add(at);
            }
        }
        let words = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&words).ok()?;
        Some(Self { words, waiting, always })
    }

    /// What a sentence lets through.
    pub(super) fn let_through(&self, sentence: &str) -> Through {
        let mut through = self.always;
        for found in self.words.find_overlapping_iter(sentence) {
            through.add_all(&self.waiting[found.pattern().as_usize()]);
        }
        through
    }
}

/// Words of which every match holds at least one; `None` where there are no such words.
fn needed(pattern: &Hir) -> Option<Vec<String>> {
    match pattern.kind() {
        HirKind::Literal(literal) => {
            let word = std::str::from_utf8(&literal.0).ok()?;
            (!word.is_empty()).then(|| vec![word.to_owned()])
        }
        // A few letters stand for as many words.
        HirKind::Class(class) => {
            let hir = Hir::class(class.clone());
            let extracted = regex_syntax::hir::literal::Extractor::new().extract(&hir);
            let literals = extracted.literals().filter(|all| (1..=8).contains(&all.len()))?;
            literals.iter().map(|one| std::str::from_utf8(one.as_bytes()).ok().map(str::to_owned)).collect()
        }
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => needed(&repetition.sub),
        // The part whose shortest word is longest is the rarest.
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(needed)
            .max_by_key(|words| words.iter().map(String::len).min().unwrap_or(0)),
        HirKind::Alternation(parts) => {
            let each: Option<Vec<Vec<String>>> = parts.iter().map(needed).collect();
            each.map(|all| all.into_iter().flatten().collect())
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pattern: &str) -> Option<Vec<String>> {
        needed(&regex_syntax::parse(pattern).unwrap()).map(|mut words| {
            words.sort();
            words
        })
    }

    #[test]
    fn the_words_that_a_pattern_needs() {
        for (pattern, expected) in [
            ("已签收", Some(vec!["已签收"])),
            ("(?:退(?:回|件)[^,。]{0,12}已签收)", Some(vec!["已签收"])),
            ("丢失|遗失", Some(vec!["丢失", "遗失"])),
            (r"(?-u:\b)lost(?-u:\b)", Some(vec!["lost"])),
            ("a+b?", Some(vec!["a"])),
            ("x|.*", None),
            ("[^a]?", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn only_patterns_whose_word_stands_there_are_let_through() {
        let sieve = Sieve::new(["已签收|妥投", "派送中", ".*"].into_iter()).unwrap();
        let through = sieve.let_through("快件正在派送中");
        assert_eq!([0, 1, 2, 512].map(|at| through.holds(at)), [false, true, true, true]);
    }
}
