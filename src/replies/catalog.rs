//! All sentences in all languages, in layers: a shop's own text, then the merchant's, then ours, key by key; then the
//! next language. A broken text is never shown: the next layer speaks instead, and it is counted.

use super::syntax::{self, Names, Source};
use super::{functions, negotiate, spacing};
use crate::model::Problem;
use fluent_bundle::{FluentArgs, FluentResource};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// Messages of one layer in one language.
pub(super) type Bundle = fluent_bundle::concurrent::FluentBundle<Arc<FluentResource>>;
type Texts = Vec<Arc<FluentResource>>;

macro_rules! built_in {
    ($($locale:literal: [$($file:literal)+])+) => {
        /// The texts in the binary: locale, file name, text.
        pub const BUILT_IN: &[(&str, &str, &str)] = &[$($((
            $locale,
            concat!($file, ".ftl"),
            include_str!(concat!("../../locales/", $locale, "/", $file, ".ftl")),
        )),+),+];
    };
}

built_in! {
    "zh-CN": ["names" "track" "advice" "statuses" "time" "verify" "choices" "dialog" "orders" "exceptions" "notices" "alerts" "commands" "chat" "cures" "carriers"]
    "zh-TW": ["names" "track" "advice" "statuses" "time" "verify" "choices" "dialog" "orders" "exceptions" "notices" "alerts" "commands" "chat" "cures" "carriers"]
    "en": ["names" "track" "advice" "statuses" "time" "verify" "choices" "dialog" "orders" "exceptions" "notices" "alerts" "commands" "chat" "cures" "carriers"]
}

/// Our own texts, parsed once for all catalogs.
static OURS: LazyLock<BTreeMap<&'static str, (Arc<Bundle>, Texts)>> = LazyLock::new(|| {
    let mut resources: BTreeMap<&str, Texts> = BTreeMap::new();
    for (locale, _, text) in BUILT_IN {
        resources.entry(locale).or_default().push(parse((*text).to_owned()));
    }
    resources
        .into_iter()
        .map(|(locale, resources)| (locale, (Arc::new(bundle(locale, &resources)), resources)))
        .collect()
});

fn parse(text: String) -> Arc<FluentResource> {
    // What does not parse was taken out before; ours is held by a test.
    Arc::new(FluentResource::try_new(text).unwrap_or_else(|(rest, _)| rest))
}

fn bundle(locale: &str, resources: &[Arc<FluentResource>]) -> Bundle {
    // An unknown tag counts by English rules.
    let mut bundle = Bundle::new_concurrent(vec![locale.parse().unwrap_or_default()]);
    bundle.set_use_isolating(false);
    if locale.starts_with("zh") {
        bundle.set_transform(Some(spacing::mark));
    }
    functions::register(&mut bundle);
    for resource in resources {
        bundle.add_resource_overriding(Arc::clone(resource));
    }
    bundle
}

/// One language with its layers.
pub(super) struct Language {
    pub name: String,
    /// Chinese sentences of carriers are shown as they are.
    pub chinese: bool,
    ours: Option<Arc<Bundle>>,
    merchant: Option<Bundle>,
    shops: HashMap<String, Bundle>,
    pub months: Vec<String>,
    pub weekdays: Vec<String>,
}

impl Language {
    /// The layers that speak for a shop, first to last.
    pub fn layers(&self, shop: &str) -> impl Iterator<Item = &Bundle> {
        self.shops.get(shop).into_iter().chain(&self.merchant).chain(self.ours.as_deref())
    }
}

/// The last good text of one file.
#[derive(Debug)]
struct Kept {
    locale: String,
    shop: Option<String>,
    /// Key and source of each sentence.
    entries: Vec<(String, String)>,
    /// Whether it is our own text, unchanged.
    ours: bool,
    /// Whether a sentence leans on another one.
    refers: bool,
}

/// Every sentence. Immutable: a changed file makes a new one.
pub struct Catalog {
    pub(super) languages: Vec<Language>,
    /// Per language, the languages to try, itself first.
    chains: Vec<Vec<usize>>,
    kept: BTreeMap<String, Arc<Kept>>,
    fallbacks: AtomicU64,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.locales();
        f.debug_struct("Catalog").field("locales", &names).field("files", &self.kept.len()).finish()
    }
}

impl Catalog {
    /// The texts in the binary alone.
    pub fn builtin() -> Self {
        Self::load(&[], None).0
    }

    /// Lays files over the built-in texts. Where a file is broken, its last good version in `previous` stays (a file
    /// that does not parse: the whole file; a sentence that is wrong: that sentence), else the layer below speaks.
    /// Says everything that is wrong.
    pub fn load(sources: &[Source], previous: Option<&Catalog>) -> (Self, Vec<Problem>) {
        let names = syntax::Phrases::of_all(sources);
        let mut problems = Vec::new();
        let mut kept: BTreeMap<String, Arc<Kept>> = BTreeMap::new();
        for source in sources {
            let before = previous.and_then(|catalog| catalog.kept.get(&source.path));
            let flaws = syntax::flaws(&source.text, &names.of(source));
            for flaw in &flaws {
                let kept =
                    if before.is_some() { "the last good text stays in use" } else { "it is not used" };
                let message = format!("{}; {kept}", flaw.message);
                problems.push(Problem::at(&source.path, &source.text, flaw.offset, message));
            }
            let version = match before {
                Some(before) if flaws.iter().any(|flaw| flaw.syntax) => Arc::clone(before),
                before => Arc::new(keep(source, &flaws, before.map(Arc::as_ref))),
            };
            kept.insert(source.path.clone(), version);
        }
        (Self::build(kept), problems)
    }

    fn build(kept: BTreeMap<String, Arc<Kept>>) -> Self {
        type Layer = (Texts, bool);
        let mut merchant: BTreeMap<&str, Layer> = BTreeMap::new();
        let mut shops: BTreeMap<&str, BTreeMap<&str, Layer>> = BTreeMap::new();
        for file in kept.values().filter(|file| !file.ours && !file.entries.is_empty()) {
            let layer = match &file.shop {
                None => merchant.entry(&file.locale).or_default(),
                Some(shop) => shops.entry(&file.locale).or_default().entry(shop).or_default(),
            };
            layer.0.push(parse(file.entries.iter().map(|(_, text)| text.as_str()).collect()));
            layer.1 |= file.refers;
        }
        let mut names: Vec<&str> = OURS.keys().copied().collect();
        names.extend(merchant.keys().chain(shops.keys()));
        names.sort_unstable();
        names.dedup();
        let languages: Vec<Language> = names
            .iter()
            .map(|name| {
                let (ours, our_texts) =
                    OURS.get(name).map_or((None, &[][..]), |(b, r)| (Some(b), r.as_slice()));
                let over = merchant.get(name);
                // A layer needs those below it only where one of its sentences leans on another.
                let stack = |layer: &Layer, below: &[&[Arc<FluentResource>]]| {
                    let below = if layer.1 { below.concat() } else { Vec::new() };
                    bundle(name, &[below.as_slice(), &layer.0].concat())
                };
                let over_texts = over.map_or(&[][..], |layer| layer.0.as_slice());
                let mut language = Language {
                    name: (*name).to_owned(),
                    chinese: name.starts_with("zh"),
                    ours: ours.map(Arc::clone),
                    merchant: over.map(|layer| stack(layer, &[our_texts])),
                    shops: shops.get(name).map_or_else(HashMap::new, |shops| {
                        let build = |(shop, layer): (&&str, &Layer)| {
                            ((*shop).to_owned(), stack(layer, &[our_texts, over_texts]))
                        };
                        shops.iter().map(build).collect()
                    }),
                    months: Vec::new(),
                    weekdays: Vec::new(),
                };
                let word = |key: String| plain(&language, &key).unwrap_or_default();
                let months = (1..=12).map(|month| word(format!("time-month-{month}"))).collect();
                let weekdays = (1..=7).map(|day| word(format!("time-weekday-{day}"))).collect();
                language.months = months;
                language.weekdays = weekdays;
                language
            })
            .collect();
        let at = |name: &str| languages.iter().position(|language| language.name == name);
        let chains = (0..languages.len())
            .map(|own| {
                let mut chain = vec![own];
                for next in negotiate::fallbacks(&languages[own].name).iter().filter_map(|name| at(name)) {
                    if !chain.contains(&next) {
                        chain.push(next);
                    }
                }
                chain
            })
            .collect();
        Self { languages, chains, kept, fallbacks: AtomicU64::new(0) }
    }

    /// The languages that there are.
    pub fn locales(&self) -> Vec<&str> {
        self.languages.iter().map(|language| language.name.as_str()).collect()
    }

    /// The language to speak: the first wish (the buyer's choice, the channel's hint, the shop's own) that we have,
    /// else simplified Chinese.
    pub fn negotiate<'a>(&'a self, wishes: &[&str]) -> &'a str {
        let have = self.locales();
        let found = wishes.iter().find_map(|wish| negotiate::best(wish, &have));
        found.or_else(|| negotiate::best("zh-CN", &have)).unwrap_or("zh-CN")
    }

    /// How often a text was missing or broken and another one had to speak, since this catalog was made.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Ordering::Relaxed)
    }

    /// The languages to try for a locale, best first.
    pub(super) fn chain(&self, locale: &str) -> &[usize] {
        let exact = self.languages.iter().position(|language| language.name == locale);
        let found = exact.or_else(|| {
            let name = self.negotiate(&[locale]);
            self.languages.iter().position(|language| language.name == name)
        });
        found.map_or(&[], |at| self.chains[at].as_slice())
    }

    pub(super) fn count_fallback(&self, language: &Language, key: &str, why: &'static str) {
        self.fallbacks.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("yishi_template_fallbacks_total", "locale" => language.name.clone(), "why" => why)
            .increment(1);
        tracing::debug!(key, locale = language.name, why, "another text speaks");
    }

    /// Whether a shop, the merchant or we say this key in this very language.
    pub fn has(&self, shop: &str, locale: &str, key: &str) -> bool {
        let language = self.languages.iter().find(|language| language.name == locale);
        language.is_some_and(|language| language.layers(shop).any(|bundle| bundle.has_message(key)))
    }
}

/// Appends a message of one bundle. `None`: it has no such message; `Some(false)`: it is broken, nothing was written.
pub(super) fn write(out: &mut String, bundle: &Bundle, key: &str, args: &FluentArgs<'_>) -> Option<bool> {
    let message = bundle.get_message(key)?;
    let pattern = message.value()?;
    let start = out.len();
    let mut errors = Vec::new();
    let written = bundle.write_pattern(out, pattern, Some(args), &mut errors);
    let good = written.is_ok() && errors.is_empty();
    if good {
        spacing::settle(out, start);
    } else {
        out.truncate(start);
    }
    Some(good)
}

/// A message without arguments of the layers that speak for every shop.
fn plain(language: &Language, key: &str) -> Option<String> {
    let mut out = String::new();
    let none = FluentArgs::new();
    let said = |bundle: &Bundle| write(&mut out, bundle, key, &none) == Some(true);
    language.layers("").any(said).then_some(out)
}

/// The good sentences of a file; a spoilt one stays as it was before.
fn keep(source: &Source, flaws: &[syntax::Flaw], before: Option<&Kept>) -> Kept {
    let whole = flaws.is_empty();
    let unreadable =
        flaws.iter().any(|flaw| flaw.syntax && flaw.key.is_none() && source.text.len() > syntax::MAX_FILE);
    let bad = |key: &str| flaws.iter().any(|flaw| flaw.key.as_deref() == Some(key));
    // The parser may recover late: where it stumbled, each sentence proves itself alone.
    let alone = |entry: &syntax::Entry<'_>| {
        whole || syntax::flaws(entry.text, &Names::new()).iter().all(|flaw| !flaw.syntax)
    };
    let mut entries: Vec<(String, String)> = Vec::new();
    for entry in syntax::entries(&source.text).iter().filter(|_| !unreadable) {
        if !bad(entry.key) && alone(entry) {
            let newline = if entry.text.ends_with('\n') { "" } else { "\n" };
            entries.push((entry.key.to_owned(), format!("{}{newline}", entry.text)));
        } else if let Some(good) =
            before.and_then(|kept| kept.entries.iter().find(|(key, _)| key == entry.key))
        {
            entries.push(good.clone());
        }
    }
    let file = source.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let ours = source.shop.is_none()
        && BUILT_IN
            .iter()
            .any(|(locale, name, text)| *locale == source.locale && *name == file && *text == source.text);
    let refers = entries.iter().any(|(key, text)| key.starts_with('-') || refers(text));
    Kept { locale: source.locale.clone(), shop: source.shop.clone(), entries, ours, refers }
}

/// Whether a sentence names another one or a shared phrase: a brace followed by neither `$`, a quote nor a digit.
fn refers(text: &str) -> bool {
    text.split('{')
        .skip(1)
        .any(|rest| !rest.trim_start().starts_with(|c: char| matches!(c, '$' | '"' | '0'..='9')))
}
