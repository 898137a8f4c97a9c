//! The words of the moment: how messages are understood and how replies are said, per shop, exchanged as a whole
//! when a file on disk changes. Must never show a broken template or lose a good one.

use crate::conversation::{Intent, Matcher, intents};
use crate::model::{Block, Line, Problem, Shown, shop::Shop};
use crate::replies::{Catalog, Context, LiveCatalog, Watch};
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// Matchers of shops with intents of their own; the empty name is for all others.
type Matchers = HashMap<String, Arc<Matcher>>;

/// Matchers and templates, as they are now.
pub struct Words {
    catalog: LiveCatalog,
    builtin: Vec<Intent>,
    matchers: RwLock<Matchers>,
    fallback: Arc<Matcher>,
    /// Last good version of each intent file.
    good: Mutex<HashMap<PathBuf, Intent>>,
    watches: RwLock<Vec<Watch>>,
}

impl Words {
    /// The words that are built in. They are learned once in a process: that takes a while, and never differs.
    pub fn builtin() -> Result<Self, Vec<Problem>> {
        static LEARNED: OnceLock<(Vec<Intent>, Arc<Matcher>)> = OnceLock::new();
        let (builtin, fallback) = match LEARNED.get() {
            Some(learned) => learned.clone(),
            None => {
                let builtin = crate::conversation::builtin()?;
                let fallback = Arc::new(Matcher::new(&builtin)?);
                LEARNED.get_or_init(|| (builtin, fallback)).clone()
            }
        };
        Ok(Self {
            catalog: LiveCatalog::builtin(),
            builtin,
            matchers: RwLock::default(),
            fallback,
            good: Mutex::default(),
            watches: RwLock::default(),
        })
    }

    /// Reads the merchant's folders now, and again whenever a file in them changes.
    pub fn watch(self: &Arc<Self>, intents: &Path, locales: &Path, shops: &Path) {
        let (words, templates) = (self.clone(), self.clone());
        let intents = Watch::start(vec![intents.to_owned(), shops.to_owned()], "toml", move |files| {
            words.reload_intents(files)
        });
        let locales = Watch::start(vec![locales.to_owned(), shops.to_owned()], "ftl", move |files| {
            templates.catalog.reload(files)
        });
        *self.watches.write().unwrap_or_else(PoisonError::into_inner) = vec![intents, locales];
    }

    /// Stops looking at the folders.
    pub fn stop_watching(&self) {
        self.watches.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The templates.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.get()
    }

    /// How a shop's messages are understood.
    pub fn matcher(&self, shop: &str) -> Arc<Matcher> {
        let matchers = self.matchers.read().unwrap_or_else(PoisonError::into_inner);
        matchers.get(shop).or_else(|| matchers.get("")).unwrap_or(&self.fallback).clone()
    }

    /// What is wrong in files on disk now.
    pub fn problems(&self) -> Vec<Problem> {
        let watches = self.watches.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Problem> = watches.iter().flat_map(Watch::problems).collect();
        all.sort();
        all
    }

    /// Says blocks in a language.
    pub fn render(&self, shop: &Shop, locale: &str, now: Timestamp, blocks: &[Block]) -> Vec<Shown> {
        let context = Context { shop: &shop.id, locale, zone: &shop.zone, now };
        self.catalog().render(&context, blocks)
    }

    /// One sentence in a shop's own language, for whoever runs it.
    pub fn sentence(&self, shop: &Shop, now: Timestamp, line: &Line) -> String {
        let context = Context { shop: &shop.id, locale: &shop.locale, zone: &shop.zone, now };
        self.catalog().line(&context, line)
    }

    /// Takes the intent files as they are on disk. A file of a built-in intent's name replaces it; a broken one keeps
    /// its last good version.
    fn reload_intents(&self, files: &[(PathBuf, String)]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|path, _| files.iter().any(|(known, _)| known == path));
        for (path, text) in files {
            match intents::parse(&path.to_string_lossy(), text) {
                Ok(intent) => {
                    good.insert(path.clone(), intent);
                }
                Err(problem) => problems.push(problem),
            }
        }
        let mut shops: HashMap<String, Vec<Intent>> = HashMap::new();
        for (path, intent) in good.iter() {
            shops.entry(shop_of(path).unwrap_or_default()).or_default().push(intent.clone());
        }
        let house = laid_over(&self.builtin, shops.remove("").unwrap_or_default());
        let mut matchers = Matchers::new();
        let unchanged = house.iter().zip(&self.builtin).all(|(now, built)| now.source == built.source);
        if house.len() != self.builtin.len() || !unchanged {
            self.learn(&house, "", &mut matchers, &mut problems);
        }
        for (shop, own) in shops {
            self.learn(&laid_over(&house, own), &shop, &mut matchers, &mut problems);
        }
        *self.matchers.write().unwrap_or_else(PoisonError::into_inner) = matchers;
        for problem in &problems {
            tracing::warn!(%problem, "an intent file is broken; its last good version stays");
        }
        problems
    }

    fn learn(&self, intents: &[Intent], shop: &str, matchers: &mut Matchers, problems: &mut Vec<Problem>) {
        problems.extend(intents::lint(intents));
        match Matcher::new(intents) {
            Ok(matcher) => {
                matchers.insert(shop.to_owned(), Arc::new(matcher));
            }
            Err(wrong) => {
                problems.extend(wrong);
                let before = self.matchers.read().unwrap_or_else(PoisonError::into_inner).get(shop).cloned();
                if let Some(before) = before {
                    matchers.insert(shop.to_owned(), before);
                }
            }
        }
    }
}

/// `shops/<shop>/intents/x.toml` is the shop's own.
fn shop_of(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let at = parts.iter().rposition(|part| *part == "intents")?;
    (at >= 2 && parts[at - 2] == "shops").then(|| parts[at - 1].to_owned())
}

/// Intents of one name are replaced, others added.
fn laid_over(below: &[Intent], above: Vec<Intent>) -> Vec<Intent> {
    let mut all = below.to_vec();
    for intent in above {
        match all.iter_mut().find(|known| known.name == intent.name) {
            Some(known) => *known = intent,
            None => all.push(intent),
        }
    }
    all
}
