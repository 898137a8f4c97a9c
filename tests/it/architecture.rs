//! The rules of `docs/ARCHITECTURE.md`, held by reading the sources: who may know whom, which library lives where,
//! and what a file may look like. Must never depend on what the code does, only on what it says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use yishi::carriers::CARRIERS;
use yishi::channels::CHANNELS;

/// From the outside in. A module may use what stands in a later row, never its own row or an earlier one.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["commands"],
    &["app"],
    &["http"],
    &["intake"],
    &["tracking", "notices"],
    &["conversation", "replies", "channels", "carriers", "platforms", "store"],
    &["wire", "vault", "text"],
    &["model"],
];

/// Modules that may use less than their row would allow, and those that stand beside the rows.
const NARROW: &[(&str, &[&str])] = &[
    // Decisions are pure: what is said is computed from what is known.
    ("conversation", &["text", "model"]),
    ("replies", &["text", "model"]),
    // Adapters are codecs: no store, no HTTP, no catalog, no vault.
    ("channels", &["wire", "text", "model"]),
    ("carriers", &["wire", "text", "model"]),
    ("platforms", &["wire", "text", "model"]),
    // The ledger of `wire` is kept in the store.
    ("store", &["wire", "vault", "model"]),
    // Beside the rows: read by `app` and `commands` alone.
    ("config", &["carriers", "channels", "platforms", "wire", "vault", "model"]),
    ("telemetry", &[]),
    // The simulator writes each vendor's side itself: a bug of an adapter must not be shared.
    ("simulator", &["wire", "model"]),
];

/// Who may use the modules that stand beside the rows.
const BESIDE: &[(&str, &[&str])] =
    &[("config", &["app", "commands"]), ("telemetry", &["app", "commands"]), ("simulator", &["commands"])];

/// A library lives in one home; elsewhere its types are not known. A home is a file or a folder of `src/`.
const HOMES: &[(&str, &[&str])] = &[
    ("axum", &["http/", "simulator/", "app.rs", "app/", "commands/"]),
    ("tower_http", &["http/"]),
    ("maud", &["http/"]),
    ("reqwest", &["wire/client.rs"]),
    ("lettre", &["wire/mail.rs"]),
    ("teloxide", &["channels/telegram/"]),
    ("quick_xml", &["channels/", "carriers/", "platforms/"]),
    ("fluent_bundle", &["replies/"]),
    ("fluent_syntax", &["replies/"]),
    // The configuration refuses what the library would not read.
    ("unic_langid", &["replies/", "config/"]),
    ("calamine", &["platforms/"]),
    ("csv", &["platforms/"]),
    ("zip", &["platforms/"]),
    ("aes_gcm", &["vault/"]),
    ("hmac", &["wire/sign.rs", "vault/"]),
    ("md5", &["wire/sign.rs"]),
    ("sm4", &["carriers/ems/", "simulator/ems.rs"]),
    ("sha1", &["wire/sign.rs"]),
    ("rustix", &["store/sled/", "main.rs"]),
    ("metrics_exporter_prometheus", &["telemetry.rs"]),
    ("tracing_subscriber", &["telemetry.rs", "config.rs"]),
    ("clap", &["commands/"]),
    ("anyhow", &["commands/", "app.rs", "app/"]),
];

/// sled's own names; `sled::` alone may also be our module of that name.
const SLED: &[&str] = &[
    "::sled::",
    "use sled",
    "sled::Db",
    "sled::Tree",
    "sled::Config",
    "sled::Batch",
    "sled::IVec",
    "sled::open",
];

/// Longest file, in lines. A vendor's table of codes is data and may be as long as the vendor made it.
const LONGEST: usize = 700;

/// Files whose Chinese is data to compare with or to send back, never a sentence of ours: what buyers, carriers and
/// platforms write. A path is a prefix under `src/`.
const CHINESE_IS_DATA: &[&str] = &[
    // What people type: words to be recognized.
    "text/",
    "conversation/",
    // What carriers write: names in their code tables and words in their scans.
    "carriers/",
    "model/fold",
    "channels/wechat/read.rs",
    // Column names of the platforms' own exports.
    "platforms/",
    // Parcels and people that are made up: the scripted vendors, the demo's shop, the lint's samples.
    "simulator/",
    "commands/demo.rs",
    "replies/keys.rs",
];

/// One source file without comments and without what is compiled for tests only.
struct Source {
    /// Under `src/`, with `/`.
    path: String,
    /// As it stands.
    text: String,
    /// Line by line, with the empty string for what is left out.
    code: Vec<String>,
}

impl Source {
    /// The module below the crate root that it belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many `super::` lead to the crate root.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().map(|(at, line)| (at + 1, line.as_str()))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

/// Leaves comments, and items under `#[cfg(test)]`, out. Files that are modules for tests are told by name.
fn without_tests(text: &str) -> (Vec<String>, Vec<String>) {
    let mut code = Vec::new();
    let mut test_files = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed != "#[cfg(test)]" {
            let cut = if trimmed.starts_with("//") { "" } else { line.split(" // ").next().unwrap() };
            code.push(cut.to_owned());
            continue;
        }
        code.push(String::new());
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut path = None;
        let mut inside = false;
        for line in lines.by_ref() {
            code.push(String::new());
            let trimmed = line.trim();
            if inside {
                if line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('}')) {
                    break;
                }
            } else if let Some(named) = trimmed.strip_prefix("#[path = \"") {
                path = named.strip_suffix("\"]").map(str::to_owned);
            } else if trimmed.starts_with("#[") {
                // A further attribute of the same item.
            } else if let Some(name) = trimmed.strip_suffix(';') {
                if let Some((_, name)) = name.rsplit_once("mod ") {
                    test_files.push(path.unwrap_or_else(|| format!("{name}.rs")));
                }
                break;
            } else {
                inside = true;
            }
        }
    }
    (code, test_files)
}

/// Every source file that is compiled into the binary.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    files_below(&src, ".rs", &mut files);
    let mut for_tests = BTreeSet::new();
    let mut sources = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (code, test_files) = without_tests(&text);
        let inside = file.with_extension("");
        let folder = file.parent().unwrap();
        for name in test_files {
            for_tests.insert(folder.join(&name));
            for_tests.insert(inside.join(&name));
        }
        let path = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        sources.push((file, Source { path, text, code }));
    }
    sources.retain(|(file, _)| !for_tests.contains(file));
    assert!(sources.len() > 50, "the sources are not where they are looked for");
    sources.into_iter().map(|(_, source)| source).collect()
}

/// The first names of a path's tail: `a::b` gives `a`; `{a::b, c::{d, e}}` gives `a` and `c`.
fn heads(tail: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = tail.strip_prefix('{') else { return vec![name(tail)] };
    let mut found = vec![name(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => found.push(name(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The modules below the root that a file names: by `crate::`, and by `super::` as often as leads there.
fn uses(source: &Source) -> BTreeSet<String> {
    let code = source.code.join("\n");
    let up = "super::".repeat(source.depth());
    let mut found = BTreeSet::new();
    for start in ["crate::", "yishi::", up.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            found.extend(heads(&code[at + start.len()..]));
        }
    }
    found.retain(|name| is_module(name) && name != source.module());
    found
}

fn is_module(name: &str) -> bool {
    layer(name).is_some() || NARROW.iter().any(|(module, _)| *module == name)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// Whether one module may use another.
fn may_use(from: &str, to: &str) -> bool {
    if let Some((_, allowed)) = BESIDE.iter().find(|(module, _)| *module == to) {
        return allowed.contains(&from);
    }
    if let Some((_, allowed)) = NARROW.iter().find(|(module, _)| *module == from) {
        return allowed.contains(&to);
    }
    match (layer(from), layer(to)) {
        (Some(from), Some(to)) => from < to,
        _ => false,
    }
}

/// Fails with all that was found, one a line.
fn none(found: Vec<String>, rule: &str) {
    let mut list = String::new();
    for one in &found {
        let _ = writeln!(list, "  {one}");
    }
    assert!(found.is_empty(), "{rule}:\n{list}");
}

#[test]
fn modules_know_only_what_stands_to_their_right() {
    let mut found = Vec::new();
    for source in sources() {
        let from = source.module();
        if from == "lib" {
            continue;
        }
        assert!(is_module(from), "src/{}: give the module `{from}` a place in LAYERS or NARROW", source.path);
        for to in uses(&source) {
            if !may_use(from, &to) {
                found.push(format!("src/{} uses `{to}`", source.path));
            }
        }
    }
    none(found, "who may know whom (docs/ARCHITECTURE.md)");
}

#[test]
fn adapters_do_not_know_each_other() {
    let mut found = Vec::new();
    for (family, adapters) in [("carriers", carriers()), ("channels", channels())] {
        for source in sources().iter().filter(|source| source.path.starts_with(&format!("{family}/"))) {
            let rest = &source.path[family.len() + 1..];
            let own = rest.split(['/', '.']).next().unwrap();
            let code = source.code.join("\n");
            for other in adapters.iter().filter(|other| other.as_str() != own && own != "mod") {
                let names = [format!("super::{other}"), format!("{family}::{other}")];
                if adapters.contains(own) && names.iter().any(|name| code.contains(name.as_str())) {
                    found.push(format!("src/{} uses `{other}`", source.path));
                }
            }
        }
    }
    none(found, "an adapter never knows another one");
}

fn carriers() -> BTreeSet<String> {
    CARRIERS.iter().map(|carrier| carrier.spec().code.replace('-', "_")).collect()
}

fn channels() -> BTreeSet<String> {
    CHANNELS.iter().map(|channel| channel.spec().kind.to_owned()).collect()
}

#[test]
fn every_adapter_is_registered_and_has_fixtures() {
    for (family, implements, registered) in
        [("carriers", " Carrier for ", carriers()), ("channels", " Channel for ", channels())]
    {
        let mut written = BTreeSet::new();
        for source in sources().iter().filter(|source| source.path.starts_with(&format!("{family}/"))) {
            if source.code.iter().any(|line| line.starts_with("impl") && line.contains(implements)) {
                let rest = &source.path[family.len() + 1..];
                written.insert(rest.split(['/', '.']).next().unwrap().to_owned());
            }
        }
        assert_eq!(
            written, registered,
            "src/{family}/: one file an adapter, named by its code, in the registry"
        );
        for name in registered {
            let folder = root().join("tests/fixtures").join(family).join(name.replace('_', "-"));
            let cases = std::fs::read_dir(&folder).map(Iterator::count).unwrap_or_default();
            assert!(cases > 0, "{} holds no fixture", folder.display());
        }
    }
}

#[test]
fn a_library_lives_in_one_home() {
    let mut found = Vec::new();
    for source in sources() {
        for (library, homes) in HOMES {
            if homes.iter().any(|home| source.path.starts_with(home)) {
                continue;
            }
            for (line, code) in source.numbered() {
                for (at, _) in code.match_indices(&format!("{library}::")) {
                    let before = code[..at].chars().next_back();
                    if !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') {
                        found.push(format!("src/{}:{line}: {library}", source.path));
                    }
                }
            }
        }
        if !source.path.starts_with("store/sled/") {
            let lines = source.numbered().filter(|(_, code)| SLED.iter().any(|name| code.contains(name)));
            found.extend(lines.map(|(line, _)| format!("src/{}:{line}: sled", source.path)));
        }
    }
    none(found, "a library lives in one home");
}

#[test]
fn the_engine_names_no_vendor() {
    // Beside the registries: names under which a vendor could slip in.
    let further =
        ["weixin", "jingdong", "taobao", "shopify", "pinduoduo", "douyin", "fengqiao", "kdniao", "17track"];
    let names: BTreeSet<String> =
        carriers().into_iter().chain(channels()).chain(further.map(str::to_owned)).collect();
    let mut found = Vec::new();
    for source in sources() {
        if !["intake", "tracking", "notices"].contains(&source.module()) {
            continue;
        }
        for (line, code) in source.numbered() {
            let code = code.to_ascii_lowercase();
            let words = || code.split(|c: char| !c.is_ascii_alphanumeric());
            for name in &names {
                // A short code is a word or nothing; a long one counts inside a word too.
                if words().any(|word| word == name || (name.len() > 4 && word.contains(name.as_str()))) {
                    found.push(format!("src/{}:{line}: {name}", source.path));
                }
            }
        }
    }
    none(found, "intake, tracking and notices never name a vendor");
}

#[test]
fn a_file_says_what_it_does_and_is_not_long() {
    let mut found = Vec::new();
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        files_below(&root().join(folder), ".rs", &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        if !text.starts_with("//! ") {
            found.push(format!("{name}: the first line must be a //! that says what the file does"));
        }
        let lines = text.lines().filter(|line| !is_table_row(line)).count();
        if lines > LONGEST {
            found.push(format!("{name}: {lines} lines, {LONGEST} is the limit"));
        }
    }
    none(found, "one file, one thing");
}

/// A line of a vendor's code table.
fn is_table_row(line: &str) -> bool {
    line.trim_start().starts_with("row(") && line.trim_end().ends_with("),")
}

#[test]
fn what_people_read_is_not_in_the_code() {
    let mut found = Vec::new();
    for source in sources() {
        if CHINESE_IS_DATA.iter().any(|prefix| source.path.starts_with(prefix)) {
            continue;
        }
        for (line, code) in source.numbered() {
            let mut run = 0;
            let longest = code.chars().fold(0, |longest, c| {
                run = if ('\u{4e00}'..='\u{9fff}').contains(&c) { run + 1 } else { 0 };
                longest.max(run)
            });
            if longest >= 4 {
                found.push(format!("src/{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    none(found, "sentences belong into locales/");
}

#[test]
fn nothing_is_left_unfinished() {
    let words = ["todo!", "unimplemented!", "TODO", "FIXME", "XXX", "#[ignore"];
    let mut found = Vec::new();
    for source in sources() {
        for (at, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("src/{}:{}: {}", source.path, at + 1, line.trim()));
            }
        }
    }
    none(found, "finished or not there");
}

/// The scanner itself: what it must see, and what it must not.
#[test]
fn the_reader_of_sources_is_right() {
    let text = "use crate::{model::Event, wire::{self, Call}, text};\n// use crate::store;\n\
                use super::super::vault::Key;\n#[cfg(test)]\nmod tests {\n    use crate::app::App;\n    fn g() {}\n}\n\
                fn f() {} // crate::http\n#[cfg(test)]\n#[path = \"sf_tests.rs\"]\nmod tests;\nuse crate::intake::Door;\n";
    let (code, test_files) = without_tests(text);
    assert_eq!(test_files, ["sf_tests.rs"]);
    assert_eq!(code.len(), text.lines().count());
    let source = Source { path: "carriers/sf.rs".into(), text: text.into(), code };
    let found: Vec<String> = uses(&source).into_iter().collect();
    assert_eq!(found, ["intake", "model", "text", "vault", "wire"]);
    assert!(may_use("intake", "tracking") && may_use("http", "store") && may_use("commands", "simulator"));
    assert!(!may_use("model", "text") && !may_use("carriers", "store") && !may_use("tracking", "notices"));
    assert!(!may_use("simulator", "carriers") && !may_use("intake", "config"));
}
