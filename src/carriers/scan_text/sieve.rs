//! Says which rules can hit a sentence at all, by one pass over it: each pattern needs one of a few words. Must never
//! leave out a rule that could hit; a pattern that needs no word lets its rule through always.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex_syntax::hir::{Hir, HirKind};

/// Words, each with the rules that wait for it.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    words: AhoCorasick,
    /// By word: the rules.
    waiting: Vec<Vec<u16>>,
    /// Rules that wait for no word.
    always: Vec<u16>,
    rules: usize,
}

/// The rules that a sentence lets through, by their position.
pub(super) struct Through(Vec<bool>);

impl Through {
    pub(super) fn holds(&self, rule: usize) -> bool {
        self.0.get(rule).copied().unwrap_or(true)
    }
}

impl Sieve {
    /// For rules given by the patterns of which one must match. `None` where it cannot be built: all are tried then.
    pub(super) fn new<'p>(rules: impl Iterator<Item = &'p str>) -> Option<Self> {
        let (mut words, mut waiting, mut always) = (Vec::<String>::new(), Vec::<Vec<u16>>::new(), Vec::new());
        let mut count = 0;
        for pattern in rules {
            let rule = u16::try_from(count).ok()?;
            count += 1;
            match regex_syntax::parse(pattern).ok().as_ref().and_then(needed) {
                None => always.push(rule),
                Some(needed) => {
                    for word in needed {
                        match words.iter().position(|known| *known == word) {
                            Some(at) => waiting[at].push(rule),
                            None => {
                                words.push(word);
                                waiting.push(vec![rule]);
                            }
                        }
                    }
                }
            }
        }
        let words = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&words).ok()?;
        Some(Self { words, waiting, always, rules: count })
    }

    /// What a sentence lets through.
    pub(super) fn let_through(&self, sentence: &str) -> Through {
        let mut through = vec![false; self.rules];
        for rule in &self.always {
            through[usize::from(*rule)] = true;
        }
        for found in self.words.find_overlapping_iter(sentence) {
            for rule in &self.waiting[found.pattern().as_usize()] {
                through[usize::from(*rule)] = true;
            }
        }
        Through(through)
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
    fn only_rules_whose_word_stands_there_are_let_through() {
        let sieve = Sieve::new(["已签收|妥投", "派送中", ".*"].into_iter()).unwrap();
        let through = sieve.let_through("快件正在派送中");
        assert_eq!([0, 1, 2].map(|rule| through.holds(rule)), [false, true, true]);
    }
}
