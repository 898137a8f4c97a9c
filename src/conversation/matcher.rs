//! Reads what a buyer means: keywords and patterns first, then a scorer that learned from the intents' examples.
//! The cost of a message does not grow with the number of phrases. Must never answer small talk with a parcel:
//! what nobody understands is `other`.

use super::intents::{self, Intent};
use super::keywords::Keywords;
use super::lexicon;
use super::prepare::prepare;
use super::scorer::{Features, Scorer, Script};
use crate::model::Problem;
use crate::text::normalize::normalize;
use crate::text::numbers::{self, Slots};
use crate::text::script;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub use crate::text::script::Language;

/// A clause or a second class needs this much to be named beside the first.
const ALSO: f32 = 0.55;
/// Below this, what would be about a parcel is `other`.
const DOUBTFUL: f32 = 0.45;
/// Thanks that are surer than this are not overruled by what they are said for.
const SURE_THANKS: f32 = 0.7;
/// In doubt `other` counts this much more: a parcel told to one who asked for none is worse than a question back.
const OTHER: f32 = 1.5;
/// A merchant's own phrase was said.
const SAID: f32 = 0.95;

/// What was understood of one message.
#[derive(Debug, Clone)]
pub struct Understood {
    /// A name of `intents::NAMES`, or a merchant's own.
    pub intent: Arc<str>,
    /// 0 to 1.
    pub confidence: f32,
    /// A second intent in the same line.
    pub also: Option<Arc<str>>,
    /// The language to answer in.
    pub language: Language,
    /// Numbers in the text.
    pub slots: Slots,
    /// The template of a merchant's own intent.
    pub answer: Option<Arc<str>>,
    /// Whether it says something by itself; `false` for 「那个」, 「我想问下」, half a number: wait for the rest.
    pub alone: bool,
}

/// All intents, ready to read messages. Costs some tens of milliseconds to build; then share it.
pub struct Matcher {
    names: Vec<Arc<str>>,
    answers: Vec<Option<Arc<str>>>,
    own: Vec<bool>,
    yields: Vec<Vec<usize>>,
    keywords: Keywords,
    /// Whole examples by hash: what a file shows as an example is always read as that file's intent.
    examples: HashMap<u64, usize>,
    han: Scorer,
    latin: Scorer,
    other: usize,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("intents", &self.names.len()).finish_non_exhaustive()
    }
}

impl Matcher {
    /// Learns the intents. All that [`intents::lint`] finds is an error.
    pub fn new(intents: &[Intent]) -> Result<Self, Vec<Problem>> {
        let problems = intents::lint(intents);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut names: Vec<Arc<str>> = intents.iter().map(|intent| intent.name.clone()).collect();
        if !names.iter().any(|name| &**name == "other") {
            names.push(Arc::from("other"));
        }
        let class = |name: &str| names.iter().position(|known| &**known == name).unwrap_or(0);
        let keywords = Keywords::new(intents).map_err(|problem| vec![problem])?;
        let (mut han, mut latin) = (Vec::new(), Vec::new());
        let mut examples = HashMap::new();
        for (at, intent) in intents.iter().enumerate() {
            for (_, text) in intent.examples() {
                let prepared = prepare(&normalize(text));
                examples.entry(key(&prepared)).or_insert(at);
                let script = script::of(&prepared);
                let hits = keywords.hits(&prepared).classes;
                let features = Features::of(script, &prepared, &hits);
                match script {
                    Script::Han => han.push((features, at)),
                    Script::Latin => latin.push((features, at)),
                }
            }
        }
        let classes = names.len();
        let (han_scorer, latin_scorer) = std::thread::scope(|scope| {
            let other = scope.spawn(|| Scorer::train(classes, &latin));
            let han = Scorer::train(classes, &han);
            let latin = other.join().unwrap_or_else(|_| Scorer::train(classes, &latin));
            (han, latin)
        });
        Ok(Self {
            answers: {
                let mut answers: Vec<_> = intents.iter().map(|intent| intent.answer.clone()).collect();
                answers.resize(names.len(), None);
                answers
            },
            own: names.iter().map(|name| !intents::is_builtin(name)).collect(),
            yields: intents
                .iter()
                .map(|intent| intent.yields_to.iter().map(|spot| class(&spot.text)).collect())
                .chain(std::iter::once(Vec::new()))
                .collect(),
            other: class("other"),
            han: han_scorer,
            latin: latin_scorer,
            keywords,
            examples,
            names,
        })
    }

    /// Reads one message. Takes any text; looks at its first 2,000 characters.
    pub fn read(&self, text: &str) -> Understood {
        let normalized = normalize(text);
        let slots = numbers::find(text);
        let prepared = prepare(&normalized);
        let language = script::language(text, &prepared);
        let alone = says_something(&prepared) && !(prepared == "#" && slots.is_empty());
        let mut understood = Understood {
            intent: self.names[self.other].clone(),
            confidence: 1.0,
            also: None,
            language,
            answer: None,
            alone,
            slots,
        };
        if let Some(name) = proof(&prepared, &understood.slots) {
            if let Some(class) = self.names.iter().position(|known| &**known == name) {
                understood.intent = self.names[class].clone();
                understood.confidence = 0.9;
            }
            return understood;
        }
        if !alone {
            return understood;
        }
        let (class, confidence, second) = self.judge(&prepared);
        understood.intent = self.names[class].clone();
        understood.answer = self.answers[class].clone();
        understood.confidence = confidence;
        understood.also = second.map(|class| self.names[class].clone());
        understood
    }

    /// The class of a prepared text, how sure, and a second one.
    fn judge(&self, prepared: &str) -> (usize, f32, Option<usize>) {
        let example = self.examples.get(&key(prepared)).copied();
        // Only a merchant's own phrase wins over what an example says in so many words.
        if let Some(class) = example
            && !self.own.contains(&true)
        {
            return (class, SAID, None);
        }
        let hits = self.keywords.hits(prepared);
        if let Some(class) = example
            && hits.own.is_none_or(|own| own == class)
        {
            return (class, SAID, None);
        }
        let scores = self.scores(prepared, &hits.classes);
        let (mut class, mut confidence) = best(&scores);
        let mut second = None;
        let clauses = clauses(prepared);
        let courtesy = |class: usize| matches!(&*self.names[class], "greeting" | "thanks");
        if clauses.len() > 1 && clauses.len() <= 6 {
            let mut found: Vec<(usize, f32)> = Vec::new();
            for clause in &clauses {
                // What an example says already needs no scoring.
                let (class, sure) = match self.examples.get(&key(clause)) {
                    Some(class) => (*class, SAID),
                    None => best(&self.scores(clause, &self.keywords.hits(clause).classes)),
                };
                if sure >= ALSO && class != self.other && !courtesy(class) && &*self.names[class] != "verify"
                {
                    found.push((class, sure));
                }
            }
            // "你好 …": the question wins over the courtesy around it, but "it arrived, thanks" is no question.
            if (&*self.names[class] == "greeting" || courtesy(class) && confidence < SURE_THANKS)
                && let Some((inner, sure)) = found.first()
            {
                (class, confidence) = (*inner, *sure);
            }
            second = found.iter().map(|(class, _)| *class).find(|found| *found != class);
        }
        if second.is_none() {
            let runner_up = (0..scores.len())
                .filter(|at| {
                    *at != class && *at != self.other && !courtesy(*at) && &*self.names[*at] != "verify"
                })
                .max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            second = runner_up.filter(|at| scores[*at] >= 0.3 && !courtesy(class) && class != self.other);
        }
        if confidence < DOUBTFUL && !courtesy(class) {
            (class, confidence, second) = (self.other, 1.0 - confidence, None);
        }
        // A merchant's own phrase was said in so many words.
        if let Some(own) = hits.own
            && !self.yields[own].contains(&class)
            && class != own
        {
            let asked = !courtesy(class) && class != self.other && confidence >= ALSO;
            return (own, SAID, asked.then_some(class));
        }
        if self.own[class] && hits.own != Some(class) && confidence < ALSO {
            return (self.other, 1.0 - confidence, None);
        }
        (class, confidence, second.filter(|second| *second != class))
    }

    fn scores(&self, prepared: &str, hits: &[usize]) -> Vec<f32> {
        let script = script::of(prepared);
        let features = Features::of(script, prepared, hits);
        let mut scores = match script {
            Script::Han => self.han.score(&features),
            Script::Latin => self.latin.score(&features),
        };
        scores[self.other] *= OTHER;
        let sum: f32 = scores.iter().sum();
        scores.iter_mut().for_each(|score| *score /= sum);
        scores
    }
}

/// A text without what stands around its words.
fn key(prepared: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    prepared.trim_matches(|c: char| !c.is_alphanumeric() && c != '?').hash(&mut hasher);
    hasher.finish()
}

fn best(scores: &[f32]) -> (usize, f32) {
    scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

/// What commas, stops, (between characters) spaces, and words that begin a second wish divide; pieces of at least
/// two characters.
fn clauses(prepared: &str) -> Vec<&str> {
    let han = script::of(prepared) == Script::Han;
    let mut pieces = Vec::new();
    for piece in prepared.split(|c: char| {
        matches!(c, ',' | '。' | '?' | '!' | ';' | '、' | '.' | '\n' | '~') || (han && c == ' ')
    }) {
        let mut rest = piece;
        while let Some(at) = second_wish(rest, han) {
            pieces.push(&rest[..at]);
            rest = &rest[at..];
        }
        pieces.push(rest);
    }
    pieces.retain(|piece| piece.chars().filter(|c| c.is_alphanumeric()).count() >= 2);
    pieces.into_iter().map(str::trim).collect()
}

/// Where a second wish begins in a line without stops: 「到哪了|怎么还不送」, 「发货了吗|能改地址吗」.
fn second_wish(text: &str, han: bool) -> Option<usize> {
    if !han {
        return [" and also ", " also ", " and can ", " and please ", " and when ", " and where "]
            .iter()
            .filter_map(|word| text.find(word).filter(|at| *at > 0))
            .min();
    }
    const JOINTS: [&str; 14] = [
        "了怎么",
        "了咋",
        "了能",
        "了可以",
        "了帮",
        "了什么时候",
        "了麻烦",
        "吗能",
        "吗可以",
        "吗帮",
        "吗怎么",
        "吗什么",
        "吗麻烦",
        "呢能",
    ];
    let joint = JOINTS.iter().filter_map(|joint| text.find(joint).map(|at| at + '了'.len_utf8()));
    let word = ["顺便", "另外", "再帮我"].iter().filter_map(|word| text.find(word).filter(|at| *at > 0));
    joint.chain(word).filter(|at| *at > '我'.len_utf8()).min()
}

/// Whether a message can be answered by itself.
fn says_something(prepared: &str) -> bool {
    let text = prepared.trim_matches(|c: char| !c.is_alphanumeric() && c != '#' && c != '?');
    if text.is_empty() {
        return false;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.len() <= 3;
    }
    !lexicon::is_fragment(text, script::of(text) == Script::Han)
}

/// Nothing but numbers and the words that name them: an offer of proof, or a number to look up.
fn proof(prepared: &str, slots: &Slots) -> Option<&'static str> {
    if slots.is_empty() {
        return None;
    }
    const WORDS: [&str; 44] = [
        "订单编号",
        "订单号码",
        "订单号",
        "订单",
        "快递单号",
        "运单号",
        "物流单号",
        "单号",
        "手机尾号",
        "手机号码",
        "手机号",
        "手机",
        "电话号码",
        "电话",
        "尾号",
        "后四位",
        "后4位",
        "末四位",
        "号码",
        "编号",
        "我的",
        "是",
        "的",
        "我",
        "和",
        "为",
        "order number",
        "order",
        "phone number",
        "phone",
        "mobile",
        "number",
        "ending in",
        "ends in",
        "ending",
        "last four digits",
        "last 4 digits",
        "last four",
        "last 4",
        "digits",
        "tail",
        "and",
        "my",
        "are",
    ];
    let mut rest = prepared.replace('#', " ");
    for word in WORDS {
        if rest.contains(word) {
            rest = rest.replace(word, " ");
        }
    }
    let left: String = rest
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| {
            !matches!(*word, "is" | "no" | "id" | "the" | "of" | "it" | "s" | "in" | "with" | "here")
        })
        .collect();
    if !left.is_empty() && !slots.phones.contains(&left) {
        return None;
    }
    if !slots.phone_tails.is_empty() || !slots.phones.is_empty() {
        return Some("verify");
    }
    Some("track")
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
