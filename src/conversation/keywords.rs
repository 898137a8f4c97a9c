//! Stage one of reading: every phrase and the literal parts of every pattern in one automaton, so that ten thousand
//! phrases cost as much as twenty. A pattern runs only where a literal of its own was seen.

use super::intents::{self, Intent};
use crate::model::Problem;
use crate::text::normalize::normalize;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

/// What a text in the automaton stands for.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Phrase(usize),
    Trigger(usize),
}

/// What was seen in one message.
#[derive(Debug, Default)]
pub struct Hits {
    /// Intents by class, ascending, without repeats: Yishi's own and merchants'.
    pub classes: Vec<usize>,
    /// The merchant's own intent whose phrase was longest.
    pub own: Option<usize>,
}

/// All phrases and patterns of all intents.
pub struct Keywords {
    automaton: AhoCorasick,
    entries: Vec<Entry>,
    patterns: Vec<(Regex, usize)>,
    /// Patterns without a literal: they run on every message.
    always: Vec<usize>,
    own: Vec<bool>,
}

impl Keywords {
    /// Classes are the positions of the intents.
    pub fn new(intents: &[Intent]) -> Result<Self, Problem> {
        let (mut texts, mut entries): (Vec<String>, Vec<Entry>) = (Vec::new(), Vec::new());
        let (mut patterns, mut always) = (Vec::new(), Vec::new());
        for (class, intent) in intents.iter().enumerate() {
            for wording in &intent.wordings {
                for phrase in &wording.phrases {
                    let text = normalize(&phrase.text);
                    if !text.is_empty() {
                        texts.push(text);
                        entries.push(Entry::Phrase(class));
                    }
                }
                for pattern in &wording.patterns {
                    let regex = intents::compile(&pattern.text).map_err(|message| {
                        Problem::at(&intent.file, &intent.source, pattern.offset, message)
                    })?;
                    let at = patterns.len();
                    match literals(&pattern.text) {
                        Some(found) => {
                            entries.extend(found.iter().map(|_| Entry::Trigger(at)));
                            texts.extend(found);
                        }
                        None => always.push(at),
                    }
                    patterns.push((regex, class));
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&texts)
            .map_err(|error| Problem::at("intents", "", 0, error.to_string()))?;
        let own = intents.iter().map(|intent| !intents::is_builtin(&intent.name)).collect();
        Ok(Self { automaton, entries, patterns, always, own })
    }

    /// Reads prepared text.
    pub fn hits(&self, text: &str) -> Hits {
        let mut hits = Hits::default();
        let mut longest = 0;
        let mut run: Vec<usize> = self.always.clone();
        for found in self.automaton.find_overlapping_iter(text) {
            match self.entries[found.pattern().as_usize()] {
                Entry::Trigger(at) => run.push(at),
                Entry::Phrase(class) => {
                    if !whole_words(text, found.start(), found.end()) {
                        continue;
                    }
                    if self.own[class] && found.len() > longest {
                        longest = found.len();
                        hits.own = Some(class);
                    }
                    hits.classes.push(class);
                }
            }
        }
        run.sort_unstable();
        run.dedup();
        for at in run {
            let (regex, class) = &self.patterns[at];
            if !hits.classes.contains(class) && regex.is_match(text) {
                hits.classes.push(*class);
                if self.own[*class] && hits.own.is_none() {
                    hits.own = Some(*class);
                }
            }
        }
        hits.classes.sort_unstable();
        hits.classes.dedup();
        hits
    }
}

/// Latin phrases match whole words only; Chinese has no word breaks.
fn whole_words(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let begins_inside = start > 0 && word(start) && word(start - 1);
    let ends_inside = word(end - 1) && word(end);
    !begins_inside && !ends_inside
}

/// For each top-level branch of a pattern, a literal that every match of it must hold; none where a branch has none.
fn literals(pattern: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for branch in branches(pattern) {
        found.push(longest_literal(&branch)?);
    }
    (!found.is_empty()).then_some(found)
}

/// A pattern cut at its top-level `|`.
fn branches(pattern: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut depth, mut class) = (0u32, false);
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                    last.extend(characters.next());
                }
                continue;
            }
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '|' if depth == 0 && !class => {
                out.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

/// The longest run of plain characters outside groups and classes, none of them optional.
fn longest_literal(branch: &str) -> Option<String> {
    // Flags change what letters mean: such patterns always run.
    if branch.contains("(?") && !branch.contains("(?:") {
        return None;
    }
    let mut best = String::new();
    let mut run = String::new();
    let (mut depth, mut class) = (0u32, false);
    let mut characters = branch.chars().peekable();
    let mut keep = |run: &mut String| {
        if run.len() > best.len() {
            best.clone_from(run);
        }
        run.clear();
    };
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
                keep(&mut run);
            }
            '[' if !class => {
                class = true;
                keep(&mut run);
            }
            ']' if class => class = false,
            '(' if !class => {
                depth += 1;
                keep(&mut run);
            }
            ')' if !class => depth = depth.saturating_sub(1),
            '?' | '*' | '{' if !class && depth == 0 => {
                // The character before may be absent.
                run.pop();
                keep(&mut run);
                if c == '{' {
                    for inner in characters.by_ref() {
                        if inner == '}' {
                            break;
                        }
                    }
                }
            }
            '.' | '^' | '$' | '+' => keep(&mut run),
            c if !class && depth == 0 => run.push(c),
            _ => {}
        }
    }
    keep(&mut run);
    (!best.trim().is_empty()).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_runs_only_where_its_literal_stands() {
        assert_eq!(literals("改.*地址"), Some(vec!["地址".into()]));
        assert_eq!(literals("到哪(了|儿)?"), Some(vec!["到哪".into()]));
        assert_eq!(literals("发货?了吗"), Some(vec!["了吗".into()]));
        assert_eq!(literals("a+b|cd"), Some(vec!["a".into(), "cd".into()]));
        assert_eq!(literals("(a|b)c*"), None);
        assert_eq!(literals("[a-z]{3}"), None);
    }
}
