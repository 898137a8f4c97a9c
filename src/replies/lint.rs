//! What a merchant is told about own texts before they speak: unknown and missing words, sentences that a language
//! lacks, braces, and texts too long for a channel. Must never change anything.

use super::catalog::{BUILT_IN, Catalog};
use super::keys;
use super::render::Context;
use super::syntax::{self, Phrases, Source};
use crate::model::status::Status;
use crate::model::{Arg, Block, Line, Problem, Shown};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// How much text a channel takes in one message.
#[derive(Clone, Copy)]
pub struct Limit<'a> {
    /// The channel, as the merchant knows it.
    pub channel: &'a str,
    /// The most.
    pub most: usize,
    /// How the channel counts: bytes, UTF-16 units, characters.
    pub length: fn(&str) -> usize,
}

impl std::fmt::Debug for Limit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.channel, self.most)
    }
}

/// Everything wrong in these files, in order of file and place.
pub fn lint(sources: &[Source], limits: &[Limit<'_>]) -> Vec<Problem> {
    let phrases = Phrases::of_all(sources);
    let mut problems = Vec::new();
    let mut spoilt: BTreeSet<(&str, String)> = BTreeSet::new();
    for source in sources {
        for flaw in syntax::flaws(&source.text, &phrases.of(source)) {
            problems.push(Problem::at(&source.path, &source.text, flaw.offset, flaw.message));
            spoilt.extend(flaw.key.map(|key| (source.path.as_str(), key)));
        }
    }
    let layers = layers(sources);
    for layer in layers.values() {
        twice(layer, &mut problems);
        missing(layer, &layers, &mut problems);
    }
    let (catalog, _) = Catalog::load(sources, None);
    for layer in layers.values() {
        spoken(&catalog, layer, limits, &spoilt, &mut problems);
    }
    problems.sort();
    problems.dedup();
    problems
}

/// The files that speak for one shop (or all) in one language.
struct Layer<'a> {
    locale: &'a str,
    shop: Option<&'a str>,
    /// The folder that holds the languages, to tell several `locales/` apart.
    root: &'a str,
    files: Vec<&'a Source>,
    /// Each sentence with where it stands first.
    said: BTreeMap<&'a str, (&'a Source, usize)>,
}

type Layers<'a> = BTreeMap<(&'a str, &'a str), Layer<'a>>;

fn layers(sources: &[Source]) -> Layers<'_> {
    let mut layers: Layers<'_> = BTreeMap::new();
    for source in sources {
        let marker = format!("{}/", source.locale);
        let root = source.path.replace('\\', "/").rfind(&marker).unwrap_or(0);
        let root = source.path.get(..root).unwrap_or("");
        let layer = layers.entry((root, &source.locale)).or_insert_with(|| Layer {
            locale: &source.locale,
            shop: source.shop.as_deref(),
            root,
            files: Vec::new(),
            said: BTreeMap::new(),
        });
        layer.files.push(source);
        for entry in syntax::entries(&source.text) {
            layer.said.entry(entry.key).or_insert((source, entry.offset));
        }
    }
    layers
}

/// The same sentence in two files of one folder.
fn twice(layer: &Layer<'_>, problems: &mut Vec<Problem>) {
    for source in &layer.files {
        let mut here = BTreeSet::new();
        for entry in syntax::entries(&source.text) {
            let Some((first, _)) = layer.said.get(entry.key) else { continue };
            if first.path != source.path && here.insert(entry.key) {
                let message = format!("\"{}\" stands in {} too; delete one", entry.key, first.path);
                problems.push(Problem::at(&source.path, &source.text, entry.offset, message));
            }
        }
    }
}

/// Sentences that a language lacks. A folder may override a few of ours: only a language that is meant to be whole (it
/// says at least half of them) must say all; and an own answer must be there in each language of its folder.
fn missing(layer: &Layer<'_>, layers: &Layers<'_>, problems: &mut Vec<Problem>) {
    let file_of = |key: &str| {
        let ours = BUILT_IN.iter().find(|(_, _, text)| text.lines().any(|line| starts(line, key)));
        let name = ours.map_or("", |(_, name, _)| name);
        let named = layer.files.iter().find(|source| source.path.ends_with(name) && !name.is_empty());
        named.or(layer.files.first()).copied()
    };
    let mut tell = |key: &str, why: &str| {
        let Some(source) = file_of(key) else { return };
        let message = format!("\"{key}\" is missing in {}{why}; add it", layer.locale);
        problems.push(Problem::at(&source.path, &source.text, source.text.len(), message));
    };
    let has = |key: &str| layer.said.contains_key(key);
    if layer.shop.is_none() && keys::KEYS.keys().filter(|key| has(key)).count() * 2 >= keys::KEYS.len() {
        let carriers = BUILT_IN.iter().flat_map(|(_, _, text)| text.lines()).filter_map(|line| {
            line.split_once(" = ").map(|(key, _)| key).filter(|key| key.starts_with("carrier-"))
        });
        let named: BTreeSet<&str> = carriers.chain(keys::KEYS.keys().map(String::as_str)).collect();
        for key in named.into_iter().filter(|key| !has(key)) {
            tell(key, "");
        }
    }
    let siblings = layers.values().filter(|other| other.root == layer.root && other.locale != layer.locale);
    let mut own: BTreeMap<&str, &str> = BTreeMap::new();
    for other in siblings {
        for key in other.said.keys().filter(|key| key.starts_with("answer-")) {
            own.entry(key).or_insert(other.locale);
        }
    }
    for (key, locale) in own.into_iter().filter(|(key, _)| !has(key)) {
        tell(key, &format!(" ({locale} has it)"));
    }
}

fn starts(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Says each sentence with samples: it must come out whole, and fit into every channel.
fn spoken(
    catalog: &Catalog,
    layer: &Layer<'_>,
    limits: &[Limit<'_>],
    spoilt: &BTreeSet<(&str, String)>,
    problems: &mut Vec<Problem>,
) {
    let now = sample_now();
    let zone = TimeZone::UTC;
    let ctx = Context { shop: layer.shop.unwrap_or(""), locale: layer.locale, zone: &zone, now };
    let mut at_fault = |key: &str, message: String| {
        let Some((source, offset)) = layer.said.get(key) else { return };
        if !spoilt.contains(&(source.path.as_str(), key.to_owned())) {
            problems.push(Problem::at(&source.path, &source.text, *offset, message));
        }
    };
    for key in layer.said.keys().filter(|key| !key.starts_with('-') && keys::find(key).is_some()) {
        let before = catalog.fallbacks();
        let text = catalog.line(&ctx, &keys::sample_line(key, now));
        if catalog.fallbacks() > before {
            let message = format!("\"{key}\" cannot be said with samples: it leans on what is not there");
            at_fault(key, message);
            continue;
        }
        for limit in limits {
            let length = (limit.length)(&text);
            if length > limit.most {
                let message = format!(
                    "\"{key}\" is {length} long with samples; {} takes {}; shorten it",
                    limit.channel, limit.most
                );
                at_fault(key, message);
            }
        }
    }
    for status in Status::ALL {
        let lines = typical_answer(*status, now);
        let blocks: Vec<Block> = lines.iter().cloned().map(Block::Text).collect();
        let shown = catalog.render(&ctx, &blocks);
        let Some(Shown::Text { text }) = shown.first() else { continue };
        for limit in limits.iter().filter(|limit| (limit.length)(text) > limit.most) {
            let longest = lines
                .iter()
                .filter(|line| layer.said.contains_key(line.key.as_str()))
                .max_by_key(|line| catalog.line(&ctx, line).len());
            if let Some(line) = longest {
                let message = format!(
                    "an answer about \"{status}\" is {} long with this; {} takes {}; shorten it",
                    (limit.length)(text),
                    limit.channel,
                    limit.most
                );
                at_fault(&line.key, message);
            }
        }
    }
}

/// A Monday morning.
fn sample_now() -> Timestamp {
    Timestamp::from_second(1_772_415_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The lines that an answer about a parcel of a status is made of: for lint and preview.
pub fn typical_answer(status: Status, now: Timestamp) -> Vec<Line> {
    let name = keys::dashes(status.name());
    let mut track = keys::sample_line(&format!("track-{name}"), now);
    for (argument, value) in &mut track.args {
        if *argument == "status" {
            *value = Arg::Status(status, status.default_sub(), None);
        }
    }
    let mut lines = vec![track];
    let mut add = |key: &str| lines.push(keys::sample_line(key, now));
    match status {
        Status::ReadyForPickup => add("pickup-code-place"),
        Status::OutForDelivery => add("courier"),
        Status::Delivered => add("signed-by"),
        _ => {}
    }
    match status {
        Status::Exception => add("advice-other"),
        _ => add(&format!("next-{name}")),
    }
    if !status.is_final() && status != Status::Unknown {
        add("eta-known");
    }
    add("fresh");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: [Limit<'static>; 2] = [
        Limit { channel: "wechat", most: 2048, length: str::len },
        Limit { channel: "telegram", most: 4096, length: |text| text.encode_utf16().count() },
    ];

    fn ours(change: impl Fn(&str, &str, String) -> String) -> Vec<Source> {
        BUILT_IN
            .iter()
            .filter_map(|(locale, file, text)| {
                let path = format!("locales/{locale}/{file}");
                Source::new(path.as_ref(), change(locale, file, (*text).to_owned()))
            })
            .collect()
    }

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::new((*path).as_ref(), (*text).to_owned()).unwrap())
            .collect();
        lint(&sources, &LIMITS).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn our_own_texts_pass() {
        assert_eq!(lint(&ours(|_, _, text| text), &LIMITS), []);
    }

    #[test]
    fn a_whole_language_must_say_everything() {
        let sources = ours(|locale, file, text| match (locale, file) {
            ("en", "track.ftl") => text.replace("track-lost =", "track-lots ="),
            _ => text,
        });
        let told: Vec<String> = lint(&sources, &LIMITS).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("did you mean \"track-lost\""));
        assert!(told[1].starts_with("locales/en/track.ftl:"), "{}", told[1]);
        assert!(told[1].ends_with("\"track-lost\" is missing in en; add it"), "{}", told[1]);
    }

    #[test]
    fn a_few_own_texts_are_welcome_but_own_answers_need_every_language() {
        assert_eq!(told(&[("locales/zh-CN/a.ftl", "thanks = 谢谢\n")]), [""; 0]);
        assert_eq!(
            told(&[
                ("shops/tea/locales/zh-CN/a.ftl", "answer-hours = 九点开门\n"),
                ("shops/tea/locales/en/a.ftl", "thanks = Thank you\n"),
            ]),
            [
                "shops/tea/locales/en/a.ftl:2:1: error: \"answer-hours\" is missing in en (zh-CN has it); add it"
            ]
        );
    }

    #[test]
    fn doubles_and_dead_ends_are_named() {
        assert_eq!(
            told(&[("locales/en/a.ftl", "thanks = A\n"), ("locales/en/b.ftl", "# b\nthanks = B\n")]),
            ["locales/en/b.ftl:2:1: error: \"thanks\" stands in locales/en/a.ftl too; delete one"]
        );
        let told = told(&[("locales/en/a.ftl", "thanks = { answer-gone }\n")]);
        assert!(told[0].contains("cannot be said"), "{told:?}");
    }

    #[test]
    fn a_text_too_long_for_wechat_is_named() {
        let (long, shorter) = ("很".repeat(683), "很".repeat(650));
        let file = format!("busy = {long}\nnext-ready-for-pickup = {shorter}\n");
        let told = told(&[("locales/zh-CN/a.ftl", &file)]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].contains("1:1: error: \"busy\" is 2049 long with samples; wechat takes 2048"),
            "{told:?}"
        );
        assert!(told[1].contains("2:1: error: an answer about \"ready_for_pickup\""), "{told:?}");
    }
}
