//! Reads one `.ftl` file of a merchant and says exactly what is wrong in it. Its text is untrusted: only sentences,
//! variables and functions that we know pass, and nothing that the resolver could print broken or choke on.
//! Must never panic, whatever the bytes.

use super::{functions, keys};
use fluent_syntax::ast;
use fluent_syntax::parser::{ErrorKind, parse_runtime};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

/// Longest file that is read, in bytes.
pub const MAX_FILE: usize = 256 * 1024;
/// Longest sentence, in bytes of its source.
const MAX_ENTRY: usize = 4096;
/// Deepest nesting of braces: the parser recurses.
const MAX_DEPTH: usize = 16;

/// One `.ftl` file with what its place says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path as the person knows it.
    pub path: String,
    /// `zh-CN`
    pub locale: String,
    /// The shop whose own texts these are; none: they speak for every shop.
    pub shop: Option<String>,
    /// The text.
    pub text: String,
}

impl Source {
    /// Reads locale and shop off the path: `locales/<locale>/x.ftl`, `shops/<shop>/locales/<locale>/x.ftl`.
    /// None where the path is not of that form.
    pub fn new(path: &Path, text: String) -> Option<Self> {
        let parts: Vec<&str> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        let file = parts.len().checked_sub(1)?;
        let at = parts.iter().rposition(|part| *part == "locales")?;
        // Files may lie in folders below the locale's.
        let locale = parts.get(at + 1).filter(|_| at + 1 < file)?;
        let shop = (at >= 2 && parts[at - 2] == "shops").then(|| parts[at - 1].to_owned());
        if !parts[file].ends_with(".ftl") {
            return None;
        }
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Some(Self { path: path.to_string_lossy().into_owned(), locale: (*locale).to_owned(), shop, text })
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Byte offset in the file.
    pub offset: usize,
    /// The sentence that it spoils.
    pub key: Option<String>,
    /// Whether the file does not parse.
    pub syntax: bool,
    /// What, and what to do.
    pub message: String,
}

/// A sentence as written: its id (terms with their dash) and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub key: &'a str,
    pub offset: usize,
    pub text: &'a str,
}

/// Cuts a file into its sentences. An entry starts at `id =` in the first column.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut found: Vec<Entry<'_>> = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let starts = entry_id(line);
        if starts.is_some() || line.starts_with('#') {
            if let Some((key, from)) = open.take() {
                found.push(Entry { key, offset: from, text: &text[from..offset] });
            }
            open = starts.map(|key| (key, offset));
        }
        offset += line.len();
    }
    if let Some((key, from)) = open {
        found.push(Entry { key, offset: from, text: &text[from..] });
    }
    found
}

/// The id of a line `id =`.
fn entry_id(line: &str) -> Option<&str> {
    let body = line.strip_prefix('-').unwrap_or(line);
    if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
    let id = &line[..line.len() - body.len() + end];
    body[end..].trim_start_matches(' ').starts_with('=').then_some(id)
}

/// Shared phrases (with their dash) that a file may refer to.
pub(super) type Names = BTreeSet<String>;

/// The shared phrases of every layer in every language.
pub(super) struct Phrases<'a>(BTreeMap<(&'a str, Option<&'a str>), Names>);

impl<'a> Phrases<'a> {
    /// Collects them.
    pub fn of_all(sources: &'a [Source]) -> Self {
        let mut found: BTreeMap<_, Names> = BTreeMap::new();
        for source in sources {
            let layer = (source.locale.as_str(), source.shop.as_deref());
            for entry in entries(&source.text).iter().filter(|entry| entry.key.starts_with('-')) {
                found.entry(layer).or_default().insert(entry.key.to_owned());
            }
        }
        Self(found)
    }

    /// Those of a file's own layer and of the one below it.
    pub fn of(&self, source: &'a Source) -> Names {
        let layers = [(source.locale.as_str(), None), (source.locale.as_str(), source.shop.as_deref())];
        layers.iter().filter_map(|layer| self.0.get(layer)).flatten().cloned().collect()
    }
}

/// Everything wrong in one file, in order of place.
pub(super) fn flaws(text: &str, names: &Names) -> Vec<Flaw> {
    if let Some(flaw) = unreadable(text) {
        return vec![flaw];
    }
    let written = entries(text);
    let owner = |offset: usize| {
        let at = written.partition_point(|entry| entry.offset <= offset);
        at.checked_sub(1).map(|at| written[at])
    };
    let (resource, errors) = match parse_runtime(text) {
        Ok(resource) => (resource, Vec::new()),
        Err((resource, errors)) => (resource, errors),
    };
    let mut found: Vec<Flaw> = errors
        .iter()
        .map(|error| {
            // The parser stumbles where it misses the "}": the person looks for the "{".
            let start = owner(error.pos.start).map_or(0, |entry| entry.offset);
            let open = match error.kind {
                ErrorKind::ExpectedToken('}') => open_brace(text, start, error.pos.start),
                _ => None,
            };
            let offset = open.unwrap_or(error.pos.start);
            let key = owner(offset).map(|entry| entry.key.to_owned());
            Flaw { offset, key, syntax: true, message: parse_message(&error.kind, open.is_some()) }
        })
        .collect();
    let mut seen = BTreeSet::new();
    for entry in &resource.body {
        let (id, value, term) = match entry {
            ast::Entry::Message(message) => (message.id.name, message.value.as_ref(), false),
            ast::Entry::Term(term) => (term.id.name, Some(&term.value), true),
            _ => continue,
        };
        let offset = position(text, id);
        let key = if term { format!("-{id}") } else { id.to_owned() };
        let mut walk = Walk { text, names, term, allowed: None, used: BTreeSet::new(), found: Vec::new() };
        if !seen.insert(key.clone()) {
            walk.found.push((offset, format!("\"{key}\" stands twice in this file; delete one")));
        }
        let length = owner(offset).map_or(0, |entry| entry.text.trim_end().len());
        if length > MAX_ENTRY {
            walk.found
                .push((offset, format!("\"{key}\" is {length} bytes long; at most {MAX_ENTRY} are allowed")));
        }
        let variables = if term { Some(Vec::new()) } else { keys::find(id) };
        match &variables {
            None => walk.found.push((offset, unknown_key(id))),
            Some(variables) => walk.allowed = Some(variables.iter().map(|variable| variable.name).collect()),
        }
        match value {
            None => walk.found.push((offset, format!("\"{key}\" has no text; write it after \"=\""))),
            Some(pattern) => walk.pattern(pattern),
        }
        if value.is_some() {
            for variable in variables.iter().flatten().filter(|variable| variable.required) {
                if !walk.used.contains(variable.name) && !walk.used.contains("*") {
                    let message = format!("\"{key}\" does not say {{ ${} }}; add it", variable.name);
                    walk.found.push((offset, message));
                }
            }
        }
        found.extend(walk.found.into_iter().map(|(offset, message)| Flaw {
            offset,
            key: Some(key.clone()),
            syntax: false,
            message,
        }));
    }
    found.sort_by_key(|flaw| flaw.offset);
    found
}

/// What must not even reach the parser.
fn unreadable(text: &str) -> Option<Flaw> {
    let refuse = |offset: usize, message: String| Some(Flaw { offset, key: None, syntax: true, message });
    if text.len() > MAX_FILE {
        return refuse(0, format!("the file is {} bytes long; at most {MAX_FILE} are read", text.len()));
    }
    let mut depth = 0usize;
    let mut line_start = true;
    for (offset, c) in text.char_indices() {
        // A new entry starts afresh, as for the parser.
        if line_start && (c.is_ascii_alphabetic() || c == '-' || c == '#') {
            depth = 0;
        }
        line_start = c == '\n';
        match c {
            '{' => depth += 1,
            '(' if depth > 0 => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                return refuse(offset, "an invisible direction mark stands here; delete it".into());
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return refuse(offset, format!("braces are nested deeper than {MAX_DEPTH}; close them"));
        }
    }
    None
}

/// The offset of a slice of the text in it.
fn position(text: &str, slice: &str) -> usize {
    (slice.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn unknown_key(id: &str) -> String {
    let near = keys::KEYS
        .keys()
        .map(|known| (strsim::damerau_levenshtein(known, id), known))
        .min()
        .filter(|(distance, _)| *distance <= 3 && *distance * 2 < id.len());
    match near {
        Some((_, known)) => format!("no sentence is called \"{id}\"; did you mean \"{known}\"?"),
        None => format!(
            "no sentence is called \"{id}\"; answers of your own intents start with \"answer-\", shared phrases with \"-\""
        ),
    }
}

/// The last brace in a range that nothing closes.
fn open_brace(text: &str, start: usize, end: usize) -> Option<usize> {
    let mut open = Vec::new();
    // It may have been opened by the sentence before, which then swallowed the start of this one.
    let start = text.get(..start)?.trim_end().rfind('\n').map_or(0, |at| at + 1);
    for (at, c) in text.get(start..end)?.char_indices() {
        match c {
            '{' => open.push(start + at),
            '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

fn parse_message(kind: &ErrorKind, found_open: bool) -> String {
    match kind {
        ErrorKind::ExpectedToken('}') if found_open => "this \"{\" is not closed; add a \"}\"".into(),
        ErrorKind::ExpectedToken('}') => "a brace is not closed; \"}\" was expected here".into(),
        ErrorKind::ExpectedToken(token) => {
            format!("\"{token}\" was expected here; further lines of a text are indented")
        }
        ErrorKind::UnbalancedClosingBrace => {
            "a \"}\" without its \"{\"; write {\"}\"} for the character itself".into()
        }
        ErrorKind::MissingDefaultVariant => "one variant must be the default: mark it with \"*\"".into(),
        ErrorKind::ExpectedMessageField { entry_id } => {
            format!("\"{entry_id}\" has no text; write it after \"=\"")
        }
        other => {
            let mut text = other.to_string();
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_lowercase();
            }
            text
        }
    }
}

/// The walk through one sentence.
struct Walk<'a> {
    text: &'a str,
    names: &'a Names,
    term: bool,
    allowed: Option<Vec<&'static str>>,
    used: BTreeSet<String>,
    found: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn pattern(&mut self, pattern: &ast::Pattern<&str>) {
        for element in &pattern.elements {
            if let ast::PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &ast::Expression<&str>) {
        match expression {
            ast::Expression::Inline(inline) => self.inline(inline),
            ast::Expression::Select { selector, variants } => {
                match selector {
                    ast::InlineExpression::StringLiteral { value }
                    | ast::InlineExpression::NumberLiteral { value } => {
                        let at = position(self.text, value);
                        self.found.push((at, "choose by a variable, not by a fixed value".into()));
                    }
                    selector => self.inline(selector),
                }
                for variant in variants {
                    self.pattern(&variant.value);
                }
            }
        }
    }

    fn inline(&mut self, inline: &ast::InlineExpression<&str>) {
        use ast::InlineExpression as Inline;
        match inline {
            Inline::StringLiteral { .. } | Inline::NumberLiteral { .. } => {}
            Inline::VariableReference { id } => self.variable(id.name),
            Inline::FunctionReference { id, arguments } => {
                if !functions::NAMES.contains(&id.name) {
                    let message = format!("no function is called {}; there are NUMBER and DATE", id.name);
                    self.found.push((position(self.text, id.name), message));
                }
                for argument in &arguments.positional {
                    self.inline(argument);
                }
            }
            Inline::MessageReference { id, .. } => {
                // It may say the required variables on this one's behalf.
                self.used.insert("*".into());
                if keys::find(id.name).is_none() && !self.names.contains(id.name) {
                    self.found.push((position(self.text, id.name), unknown_key(id.name)));
                }
            }
            Inline::TermReference { id, arguments, .. } => {
                if !self.names.contains(&format!("-{}", id.name)) {
                    let message = format!("the phrase \"-{0}\" is not there; write \"-{0} = …\"", id.name);
                    self.found.push((position(self.text, id.name), message));
                }
                if arguments.is_some() {
                    let message = "a shared phrase takes no arguments".into();
                    self.found.push((position(self.text, id.name), message));
                }
            }
            Inline::Placeable { expression } => {
                self.found.push((self.anchor(expression), "braces inside braces; one pair is enough".into()));
                self.expression(expression);
            }
        }
    }

    fn variable(&mut self, name: &str) {
        self.used.insert(name.to_owned());
        let at = position(self.text, name).saturating_sub(1);
        if self.term {
            self.found
                .push((at, format!("a shared phrase knows no variables; move ${name} into the sentence")));
            return;
        }
        let Some(allowed) = &self.allowed else { return };
        if !allowed.contains(&name) {
            let known = match allowed.as_slice() {
                [] => "this sentence has no variables".to_owned(),
                names => format!(
                    "known here: {}",
                    names.iter().map(|n| format!("${n}")).collect::<Vec<_>>().join(" ")
                ),
            };
            self.found.push((at, format!("${name} is not known here; {known}")));
        }
    }

    /// Some place inside an expression, to point at.
    fn anchor(&self, expression: &ast::Expression<&str>) -> usize {
        use ast::InlineExpression as Inline;
        match expression {
            ast::Expression::Select { selector, .. } => match selector {
                Inline::VariableReference { id } | Inline::FunctionReference { id, .. } => {
                    position(self.text, id.name)
                }
                _ => 0,
            },
            ast::Expression::Inline(inline) => match inline {
                Inline::StringLiteral { value } | Inline::NumberLiteral { value } => {
                    position(self.text, value)
                }
                Inline::VariableReference { id }
                | Inline::FunctionReference { id, .. }
                | Inline::MessageReference { id, .. }
                | Inline::TermReference { id, .. } => position(self.text, id.name),
                Inline::Placeable { expression } => self.anchor(expression),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mut flaws = flaws(text, &Names::new());
        flaws.iter_mut().map(|flaw| format!("{}: {}", flaw.offset, flaw.message)).collect()
    }

    #[test]
    fn the_path_tells_locale_and_shop() {
        let source = |path: &str| {
            Source::new(Path::new(path), String::new()).map(|source| (source.locale, source.shop))
        };
        assert_eq!(source("locales/zh-CN/track.ftl"), Some(("zh-CN".into(), None)));
        assert_eq!(source("a/shops/tea/locales/en/x.ftl"), Some(("en".into(), Some("tea".into()))));
        assert_eq!(source("locales/track.ftl"), None);
        assert_eq!(source("locales/zh-CN/notes.txt"), None);
        assert_eq!(source("track.ftl"), None);
    }

    #[test]
    fn sentences_are_cut_where_they_start() {
        let text = "# note\na = 1\n    2\n-b = x\n## group\nc =\n { $n ->\n[one] 1\n*[other] 2\n}\n";
        let cut: Vec<(&str, &str)> = entries(text).iter().map(|entry| (entry.key, entry.text)).collect();
        assert_eq!(
            cut,
            [("a", "a = 1\n    2\n"), ("-b", "-b = x\n"), ("c", "c =\n { $n ->\n[one] 1\n*[other] 2\n}\n")]
        );
    }

    #[test]
    fn each_flaw_is_named_where_it_stands() {
        assert_eq!(said("thanks = 不客气\n"), [""; 0]);
        assert_eq!(
            said("pickup-code = 码 { $cod }\n"),
            [
                "0: \"pickup-code\" does not say { $code }; add it",
                "20: $cod is not known here; known here: $code"
            ]
        );
        assert_eq!(
            said("greeting = 好 { $shop\nthanks = 好\n"),
            ["15: this \"{\" is not closed; add a \"}\""]
        );
        assert_eq!(said("greeting = 好 {\nthanks = 好\n"), ["15: this \"{\" is not closed; add a \"}\""]);
        assert!(said("thanks = 好 }\n")[0].contains("without its"));
        assert!(said("thank = 好\n")[0].contains("did you mean \"thanks\""));
        assert!(said("thanks = { SHOUT(1) }\n")[0].contains("no function"));
        assert!(said("thanks = { -brand }\n")[0].contains("-brand"));
        assert!(said("thanks = a\nthanks = b\n")[0].contains("twice"));
        assert!(said("thanks =\n")[0].contains("no text"));
        assert!(said("-brand = { $shop }\n")[0].contains("no variables"));
        assert!(said(&format!("thanks = {}", "{".repeat(100_000)))[0].contains("nested"));
        assert!(said("thanks = a\u{202e}b\n")[0].contains("direction mark"));
        assert_eq!(said("answer-invoice = { $shop } 可以开发票\n"), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "(\\PC|[{}()$\\-*>=\\[\\]\n \"#a-z]){0,120}") {
            let _ = flaws(&text, &Names::new());
            let cut: String = entries(&text).iter().map(|entry| entry.text).collect();
            proptest::prop_assert!(text.len() >= cut.len());
        }
    }
}
