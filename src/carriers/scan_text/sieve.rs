//! Says which patterns can hit a sentence at all, by one pass over it: each needs one of a few words. Must never leave
//! out a pattern that could hit; one that needs no word is let through always.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use regex_syntax::hir::{Hir, HirKind};

/// Words, each with the patterns that wait for it.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    words: DFA,
    start: StateID,
    /// By word.
    waiting: Vec<Through>,
    /// Those that wait for no word.
    always: Through,
}

/// The patterns that a sentence lets through: a bit for each of the first 128; those behind them pass always.
#[derive(Debug, Clone, Copy)]
pub(super) struct Through(u128);

impl Through {
    /// One pattern by its position.
    fn one(at: usize) -> Self {
        Self(u32::try_from(at).ok().and_then(|at| 1_u128.checked_shl(at)).unwrap_or(0))
    }

    pub(super) fn holds(self, at: usize) -> bool {
        let Self(bit) = Self::one(at);
        bit == 0 || self.0 & bit != 0
    }

    fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

impl Sieve {
    /// `None` where it cannot be built: all are tried then.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Self> {
        let (mut words, mut waiting, mut always) = (Vec::<String>::new(), Vec::<Through>::new(), Through(0));
        for (at, pattern) in patterns.enumerate() {
            let one = Through::one(at);
            let Some(needed) = regex_syntax::parse(pattern).ok().as_ref().and_then(needed) else {
                always.add(one);
                continue;
            };
            for word in needed {
                match words.iter().position(|known| *known == word) {
                    Some(known) => waiting[known].add(one),
                    None => {
                        words.push(word);
                        waiting.push(one);
                    }
                }
            }
        }
        let words = DFA::builder().prefilter(false).build(&words).ok()?;
        let start = words.start_state(Anchored::No).ok()?;
        Some(Self { words, start, waiting, always })
    }

    /// What a sentence lets through.
    pub(super) fn let_through(&self, sentence: &str) -> Through {
        let (mut through, mut state) = (self.always, self.start);
        for byte in sentence.bytes() {
            state = self.words.next_state(Anchored::No, state, byte);
            if self.words.is_match(state) {
                for found in 0..self.words.match_len(state) {
                    through.add(self.waiting[self.words.match_pattern(state, found).as_usize()]);
                }
            }
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
        assert_eq!([0, 1, 2, 500].map(|at| through.holds(at)), [false, true, true, true]);
    }
}
