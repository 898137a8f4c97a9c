//! The words of the moment: how messages are understood and how replies are said, per shop, exchanged as a whole
//! when a file on disk changes. Must never show a broken template or lose a good one.

use crate::conversation::matcher::Matcher;
use crate::model::{Block, Problem, Shown, shop::Shop};
use crate::replies::{Catalog, Context};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Matchers of shops with intents of their own; the empty name is for all others.
pub type Matchers = HashMap<String, Arc<Matcher>>;

/// Matchers and templates, as they are now.
pub struct Words {
    catalog: RwLock<Arc<Catalog>>,
    matchers: RwLock<Matchers>,
    builtin: Arc<Matcher>,
    problems: RwLock<HashMap<&'static str, Vec<Problem>>>,
}

impl Words {
    /// With the templates and the matcher of the moment.
    pub fn new(catalog: Catalog, builtin: Arc<Matcher>) -> Self {
        Self {
            catalog: RwLock::new(Arc::new(catalog)),
            matchers: RwLock::default(),
            builtin,
            problems: RwLock::default(),
        }
    }

    /// The templates.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How a shop's messages are understood.
    pub fn matcher(&self, shop: &str) -> Arc<Matcher> {
        let matchers = self.matchers.read().unwrap_or_else(PoisonError::into_inner);
        matchers.get(shop).or_else(|| matchers.get("")).unwrap_or(&self.builtin).clone()
    }

    /// New templates, with what is wrong in their files.
    pub fn set_catalog(&self, catalog: Arc<Catalog>, problems: Vec<Problem>) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = catalog;
        self.set_problems("locales", problems);
    }

    /// New matchers, with what is wrong in their files.
    pub fn set_matchers(&self, matchers: Option<Matchers>, problems: Vec<Problem>) {
        if let Some(matchers) = matchers {
            *self.matchers.write().unwrap_or_else(PoisonError::into_inner) = matchers;
        }
        self.set_problems("intents", problems);
    }

    fn set_problems(&self, what: &'static str, problems: Vec<Problem>) {
        for problem in &problems {
            tracing::warn!(%problem, "a file on disk is broken; its last good version stays");
        }
        self.problems.write().unwrap_or_else(PoisonError::into_inner).insert(what, problems);
    }

    /// What is wrong in files on disk now.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.problems.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Problem> = problems.values().flatten().cloned().collect();
        all.sort();
        all
    }

    /// Says blocks in a language.
    pub fn render(&self, shop: &Shop, locale: &str, now: Timestamp, blocks: &[Block]) -> Vec<Shown> {
        let context = Context { shop: &shop.id, locale, zone: &shop.zone, now };
        self.catalog().render(&context, blocks)
    }
}
