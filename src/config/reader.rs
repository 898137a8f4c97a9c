//! Reads one settings file with the place of every value, and collects all that is wrong instead of stopping at the
//! first. Must never put a value into a message: it could be a secret written in the wrong place.

use crate::model::Problem;
use serde_spanned::Spanned;
use std::cell::RefCell;
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// A file's text and what was found wrong in it.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    /// The whole file; a broken one gives what could still be read, and problems.
    pub(super) fn document(&self) -> DeTable<'a> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            self.problem(at, error.message().to_owned());
        }
        table.into_inner()
    }

    pub(super) fn problem(&self, at: usize, message: String) {
        self.problems.borrow_mut().push((at, Problem::at(self.file, self.text, at, message)));
    }

    /// In the order of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        problems.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// An entry of a table: its key's place, and its value.
pub(super) fn entry<'t, 'a>(table: &'t DeTable<'a>, key: &str) -> Option<(usize, &'t Spanned<DeValue<'a>>)> {
    table
        .iter()
        .find(|(name, _)| name.get_ref().as_ref() == key)
        .map(|(name, value)| (name.span().start, value))
}

/// One table of the file over its defaults. Every key that is asked for is known; [`Section::finish`] reports the
/// others.
pub(super) struct Section<'r, 'a> {
    reader: &'r Reader<'a>,
    /// `chat`, `accounts.sf1`: for messages.
    pub(super) path: String,
    /// Where the table stands, for what is missing in it.
    pub(super) at: usize,
    own: Option<&'r DeTable<'a>>,
    defaults: Option<&'r DeTable<'r>>,
    known: RefCell<Vec<&'r str>>,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn new(
        reader: &'r Reader<'a>,
        path: String,
        at: usize,
        own: Option<&'r DeTable<'a>>,
        defaults: Option<&'r DeTable<'r>>,
    ) -> Self {
        Self { reader, path, at, own, defaults, known: RefCell::default() }
    }

    /// Says what is wrong, at a place of the file.
    pub(super) fn problem(&self, at: usize, message: String) {
        self.reader.problem(at, message);
    }

    /// Where a key's value stands, or the table itself where the key is missing.
    pub(super) fn place(&self, key: &str) -> usize {
        self.own.and_then(|own| entry(own, key)).map_or(self.at, |(_, value)| value.span().start)
    }

    /// The value of a key: the file's own, else the default.
    fn value(&self, key: &'r str) -> Option<(Option<usize>, Plain)> {
        self.known.borrow_mut().push(key);
        if let Some((_, value)) = self.own.and_then(|own| entry(own, key)) {
            return Some((Some(value.span().start), Plain::of(value.get_ref())));
        }
        let (_, value) = entry(self.defaults?, key)?;
        Some((None, Plain::of(value.get_ref())))
    }

    fn wrong(&self, key: &str, at: Option<usize>, form: &str) {
        self.problem(at.unwrap_or(self.at), format!("`{}.{key}` must be {form}", self.path));
    }

    /// Says that a required key is missing.
    pub(super) fn missing(&self, key: &str, form: &str) {
        self.problem(self.at, format!("`{}` lacks `{key}`: add {form}", self.path));
    }

    /// Whether the file itself sets the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.own.is_some_and(|own| entry(own, key).is_some())
    }

    /// A text; `None` where it is missing or (reported) not a text.
    pub(super) fn text(&self, key: &'r str) -> Option<String> {
        match self.value(key)? {
            (_, Plain::Text(text)) => Some(text),
            (at, _) => {
                self.wrong(key, at, "a text in quotes");
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, key: &'r str, form: &str) -> String {
        let missing_before = !self.has(key);
        match self.text(key) {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) => {
                self.wrong(key, Some(self.place(key)), form);
                String::new()
            }
            None => {
                if missing_before {
                    self.missing(key, form);
                }
                String::new()
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, key: &'r str, words: &[(&str, T)]) -> Option<T> {
        let form = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        match self.value(key)? {
            (at, Plain::Text(text)) => {
                let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
                if found.is_none() {
                    self.wrong(key, at, &form());
                }
                found
            }
            (at, _) => {
                self.wrong(key, at, &form());
                None
            }
        }
    }

    /// true or false.
    pub(super) fn flag(&self, key: &'r str) -> Option<bool> {
        match self.value(key)? {
            (_, Plain::Flag(flag)) => Some(flag),
            (at, _) => {
                self.wrong(key, at, "true or false");
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, key: &'r str, bounds: RangeInclusive<u64>) -> Option<u64> {
        match self.value(key)? {
            (_, Plain::Whole(number)) if bounds.contains(&number) => Some(number),
            (at, _) => {
                let form = format!("a whole number from {} to {}", bounds.start(), bounds.end());
                self.wrong(key, at, &form);
                None
            }
        }
    }

    /// A size: whole bytes, or "64KB", "1MB", "2GB".
    pub(super) fn size(&self, key: &'r str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let (at, value) = self.value(key)?;
        let bytes = match value {
            Plain::Whole(bytes) => Some(bytes),
            Plain::Text(text) => read_size(&text),
            _ => None,
        };
        let bytes = bytes.filter(|bytes| bounds.contains(bytes));
        if bytes.is_none() {
            let form = format!(
                "a size from {} to {} bytes, such as 65536, \"64KB\", \"1MB\" or \"2GB\"",
                bounds.start(),
                bounds.end()
            );
            self.wrong(key, at, &form);
        }
        bytes
    }

    /// A list of texts with their places; empty where missing.
    pub(super) fn list(&self, key: &'r str) -> Vec<(usize, String)> {
        self.known.borrow_mut().push(key);
        let Some((_, value)) = self.own.and_then(|own| entry(own, key)) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(key, Some(value.span().start), "a list of texts, such as [\"a\", \"b\"]");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push((item.span().start, text.to_string())),
                _ => self.wrong(key, Some(item.span().start), "a list of texts, such as [\"a\", \"b\"]"),
            }
        }
        texts
    }

    /// A setting that an adapter reads as text, whatever its form in the file.
    pub(super) fn plain(&self, key: &'r str) -> Option<String> {
        match self.value(key)? {
            (_, Plain::Text(text)) => Some(text),
            (_, Plain::Whole(number)) => Some(number.to_string()),
            (_, Plain::Flag(flag)) => Some(flag.to_string()),
            (at, Plain::Other) => {
                self.wrong(key, at, "a text, a whole number, true or false");
                None
            }
        }
    }

    /// Reports keys that nobody asked for, naming the nearest known one.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.own.into_iter().flat_map(DeTable::iter) {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let message =
                    format!("unknown key `{}.{}`{}", self.path, printable(name), hint(name, &known));
                self.problem(key.span().start, message);
            }
        }
    }
}

/// "; did you mean …?", or the keys that may stand here.
pub(super) fn hint(name: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|key| (strsim::damerau_levenshtein(name, key), key)).min();
    match nearest {
        Some((distance, key)) if distance <= 2 && distance < key.len() => format!("; did you mean `{key}`?"),
        _ => {
            let mut keys: Vec<&str> = known.to_vec();
            keys.sort_unstable();
            keys.dedup();
            format!("; known here: {}", keys.join(", "))
        }
    }
}

/// A key as it may be printed: short, without control characters.
pub(super) fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// `64KB` → 65,536. Units count in steps of 1,024.
fn read_size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor = match unit.trim() {
        "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A value without its place.
enum Plain {
    Text(String),
    Whole(u64),
    Flag(bool),
    Other,
}

impl Plain {
    fn of(value: &DeValue) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(number) => {
                u64::from_str_radix(number.as_str(), number.radix()).map_or(Self::Other, Self::Whole)
            }
            _ => Self::Other,
        }
    }
}
