//! Reads rule files for scan sentences and applies them, first hit first. Must never accept a rule whose status,
//! sub-status or reason the model does not know.

use super::sieve::Sieve;
use crate::model::{Meaning, Reason, Status, Sub};
use regex::Regex;
use serde::Deserialize;
use std::collections::HashMap;

/// What is wrong in a rule file.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, or an unknown key.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A name that the model does not know.
    #[error("rule `{rule}`: `{name}` is no status, sub-status or reason of the model")]
    UnknownName {
        /// The rule.
        rule: String,
        /// The unknown word.
        name: String,
    },
    /// A pattern that cannot be compiled, or a word list that does not exist.
    #[error("rule `{rule}`: the pattern list cannot be read: {why}")]
    Pattern {
        /// The rule.
        rule: String,
        /// What the pattern compiler says.
        why: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    words: HashMap<String, Vec<String>>,
    #[serde(default)]
    rule: Vec<RuleText>,
    movement: Option<Movement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Movement {
    any: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: String,
    /// Yishi's carrier codes; empty: all.
    #[serde(default)]
    carriers: Vec<String>,
    any: Vec<String>,
    #[serde(default)]
    and: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    status: String,
    sub: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    refine: Vec<Refinement>,
    #[serde(default)]
    examples: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refinement {
    any: Vec<String>,
    status: Option<String>,
    sub: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    carriers: Vec<String>,
    any: Regex,
    and: Option<Regex>,
    none: Option<Regex>,
    meaning: Meaning,
    refine: Vec<(Regex, Meaning)>,
    examples: Vec<String>,
}

/// An ordered set of rules.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    movement: Option<Regex>,
    /// Over two patterns for each rule: `any` and `and`. The words of the others are so common that looking for them
    /// costs more than it saves.
    sieve: Option<Sieve>,
}

impl Rules {
    /// Reads a rule file; its form is described at the top of the built-in one. Errors name the rule.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let file: File = toml::from_str(text)?;
        let rules = file.rule.iter().map(|rule| compile_rule(rule, &file.words)).collect::<Result<_, _>>()?;
        let movement =
            file.movement.map(|movement| compile("movement", &movement.any, &file.words)).transpose()?;
        Ok(Self::of(rules, movement))
    }

    /// These rules with a merchant's own in front.
    pub fn with_first(&self, own: &Self) -> Self {
        let rules = own.rules.iter().chain(&self.rules).cloned().collect();
        Self::of(rules, self.movement.clone().or_else(|| own.movement.clone()))
    }

    fn of(rules: Vec<Rule>, movement: Option<Regex>) -> Self {
        let sieve = Sieve::new(rules.iter().flat_map(|rule| {
            let and = rule.and.as_ref().map_or("", Regex::as_str);
            [rule.any.as_str(), and]
        }));
        Self { rules, movement, sieve }
    }

    /// The meaning of a folded sentence; `None` where no rule hits.
    pub fn meaning(&self, folded: &str, carrier: Option<&str>) -> Option<Meaning> {
        self.rule_for(folded, carrier).map(|rule| rule.meaning_of(folded))
    }

    /// Whether a folded sentence speaks of movement at all.
    pub fn moves(&self, folded: &str) -> bool {
        self.movement.as_ref().is_some_and(|movement| movement.is_match(folded))
    }

    /// The name of the rule that hits, for whoever writes rules.
    pub fn hit(&self, folded: &str, carrier: Option<&str>) -> Option<&str> {
        self.rule_for(folded, carrier).map(|rule| rule.name.as_str())
    }

    /// Every example: rule, sentence, expected words.
    pub fn examples(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.rules.iter().flat_map(|rule| {
            let split = |example: &'_ String| -> Option<(usize, usize)> {
                example.rfind("=>").map(|at| (at, at + 2))
            };
            rule.examples.iter().filter_map(move |example| {
                split(example)
                    .map(|(end, start)| (rule.name.as_str(), example[..end].trim(), example[start..].trim()))
            })
        })
    }

    fn rule_for(&self, folded: &str, carrier: Option<&str>) -> Option<&Rule> {
        let through = self.sieve.as_ref().map(|sieve| sieve.let_through(folded));
        let may = |at: usize| {
            through.as_ref().is_none_or(|through| through.holds(2 * at) && through.holds(2 * at + 1))
        };
        let mut rules = self.rules.iter().enumerate();
        rules.find(|(at, rule)| may(*at) && rule.hits(folded, carrier)).map(|(_, rule)| rule)
    }
}

impl Rule {
    fn hits(&self, folded: &str, carrier: Option<&str>) -> bool {
        let for_carrier = self.carriers.is_empty()
            || carrier.is_some_and(|carrier| self.carriers.iter().any(|own| own == carrier));
        for_carrier
            && self.any.is_match(folded)
            && self.and.as_ref().is_none_or(|and| and.is_match(folded))
            && !self.none.as_ref().is_some_and(|none| none.is_match(folded))
    }

    fn meaning_of(&self, folded: &str) -> Meaning {
        let refined = self.refine.iter().find(|(pattern, _)| pattern.is_match(folded));
        refined.map_or(self.meaning, |(_, meaning)| *meaning)
    }
}

fn compile_rule(text: &RuleText, words: &HashMap<String, Vec<String>>) -> Result<Rule, RulesError> {
    let list = |patterns: &[String]| compile(&text.name, patterns, words);
    let optional = |patterns: &[String]| (!patterns.is_empty()).then(|| list(patterns)).transpose();
    let meaning = meaning_of(&text.name, &text.status, text.sub.as_deref(), text.reason.as_deref())?;
    let refine = text.refine.iter().map(|refinement| {
        let status = refinement.status.as_deref().unwrap_or(&text.status);
        let meaning =
            meaning_of(&text.name, status, refinement.sub.as_deref(), refinement.reason.as_deref())?;
        Ok((list(&refinement.any)?, meaning))
    });
    Ok(Rule {
        name: text.name.clone(),
        carriers: text.carriers.clone(),
        any: list(&text.any)?,
        and: optional(&text.and)?,
        none: optional(&text.none)?,
        meaning,
        refine: refine.collect::<Result<_, RulesError>>()?,
        examples: text.examples.clone(),
    })
}

fn meaning_of(
    rule: &str,
    status: &str,
    sub: Option<&str>,
    reason: Option<&str>,
) -> Result<Meaning, RulesError> {
    let unknown = |name: &str| RulesError::UnknownName { rule: rule.to_owned(), name: name.to_owned() };
    let status = Status::named(status).ok_or_else(|| unknown(status))?;
    let sub = match sub {
        Some(name) => {
            Some(Sub::named(name).filter(|sub| sub.status() == status).ok_or_else(|| unknown(name))?)
        }
        None => status.default_sub(),
    };
    let reason = match reason {
        Some(name) => Some(Reason::named(name).ok_or_else(|| unknown(name))?),
        None => (status == Status::Exception).then_some(Reason::Other),
    };
    Ok(Meaning { status, sub, reason })
}

/// One regular expression out of a list of patterns.
fn compile(
    rule: &str,
    patterns: &[String],
    words: &HashMap<String, Vec<String>>,
) -> Result<Regex, RulesError> {
    let broken = |why: String| RulesError::Pattern { rule: rule.to_owned(), why };
    let mut alternatives = Vec::new();
    for pattern in patterns {
        if let Some(name) = pattern.strip_prefix('@') {
            let list = words.get(name).ok_or_else(|| broken(format!("no word list `{name}`")))?;
            alternatives.extend(list.iter().map(|pattern| expression(pattern)));
        } else {
            alternatives.push(expression(pattern));
        }
    }
    Regex::new(&alternatives.join("|")).map_err(|error| broken(error.to_string()))
}

/// Word boundaries are ASCII's: Unicode's would take the search off its fast road in every Chinese sentence.
fn expression(pattern: &str) -> String {
    match pattern.strip_prefix('~') {
        Some(regex) => format!("(?:{})", regex.replace(r"\b", r"(?-u:\b)")),
        None => pattern.split('*').map(regex::escape).collect::<Vec<_>>().join("[^,。;!?]{0,30}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{built_in, fold_sentence};

    #[test]
    fn the_sieve_changes_no_answer() {
        let whole = super::Rules { sieve: None, ..built_in().clone() };
        let recorded =
            include_str!("../scan_text_cases.tsv").lines().filter_map(|line| line.split('\t').next());
        let examples = built_in().examples().map(|(_, sentence, _)| sentence);
        let mut seen = 0;
        for sentence in recorded.chain(examples) {
            let folded = fold_sentence(sentence);
            assert_eq!(built_in().hit(&folded, None), whole.hit(&folded, None), "{sentence}");
            assert_eq!(built_in().meaning(&folded, None), whole.meaning(&folded, None), "{sentence}");
            seen += 1;
        }
        assert!(seen > 300, "{seen}");
    }
}
