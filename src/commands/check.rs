//! `yishi check`: says what is wrong in templates, intents and configuration before it goes live. Findings go to
//! stdout, one a line (`file:line:column: error: …`), the summary to stderr. Must never change a file.

use crate::channels::CHANNELS;
use crate::model::Problem;
use crate::replies::{self, Limit, MAX_FILE, Source};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The command line of `yishi check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files (.ftl, .toml) and folders (locales, intents, shops, or one that holds them); none: the working folder
    paths: Vec<PathBuf>,
}

/// A file as it is given to the linters.
pub struct Checked {
    /// Path as the person knows it.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Everything that looks at files. A linter takes what is its own and leaves the rest.
const LINTERS: &[Linter] = &[templates, intents, configuration];
type Linter = fn(&[Checked]) -> Vec<Problem>;

/// Folders that are looked into where a folder is named that holds them.
const FOLDERS: &[&str] = &["locales", "intents", "shops"];
/// Files that are looked at there.
const FILES: &[&str] = &["yishi.toml"];
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 8;

/// Checks; exit status 1 where something is wrong.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let mut problems = Vec::new();
    let mut paths = BTreeSet::new();
    let here = vec![PathBuf::from(".")];
    for path in if args.paths.is_empty() { &here } else { &args.paths } {
        if !path.exists() {
            problems.push(whole(path, "there is no such file or folder; check the path"));
        }
        collect(path, &mut paths);
    }
    let mut files = Vec::new();
    for path in paths {
        match read(&path) {
            Ok(text) => files.push(Checked { path, text }),
            Err(message) => problems.push(whole(&path, &message)),
        }
    }
    problems.extend(LINTERS.iter().flat_map(|linter| linter(&files)));
    problems.sort();
    problems.dedup();
    let mut out = std::io::stdout().lock();
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    let count = files.len();
    if problems.is_empty() {
        writeln!(out, "ok: {count} {}", plural(count, "file"))?;
        return Ok(0);
    }
    out.flush()?;
    let found = problems.len();
    writeln!(
        std::io::stderr(),
        "error: {found} {} in {count} {}; mend what is listed, then check again",
        plural(found, "problem"),
        plural(count, "file")
    )?;
    Ok(1)
}

/// The intents among the files; each folder of intents is looked at together with the built-in ones.
fn intents(files: &[Checked]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut all = crate::conversation::builtin().unwrap_or_default();
    for file in files {
        let in_folder = file.path.parent().is_some_and(|folder| folder.ends_with("intents"));
        let is_intent = file.path.extension().is_some_and(|ending| ending == "toml") && in_folder;
        if !is_intent {
            continue;
        }
        match crate::conversation::intents::parse(&file.path.to_string_lossy(), &file.text) {
            Ok(intent) => match all.iter_mut().find(|known| known.name == intent.name) {
                Some(known) => *known = intent,
                None => all.push(intent),
            },
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(crate::conversation::lint(&all));
    problems
}

/// The configurations among the files.
fn configuration(files: &[Checked]) -> Vec<Problem> {
    let named = |file: &&Checked| file.path.file_name().is_some_and(|name| name == "yishi.toml");
    files
        .iter()
        .filter(named)
        .flat_map(|file| crate::config::lint(&file.path.to_string_lossy(), &file.text))
        .collect()
}

/// The templates among the files.
fn templates(files: &[Checked]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| ends_with(&file.path, "ftl")) {
        match Source::new(&file.path, file.text.clone()) {
            Some(source) => sources.push(source),
            // A single file, named from inside its folder: its place does not tell the language.
            None => match std::fs::canonicalize(&file.path)
                .ok()
                .and_then(|path| Source::new(&path, file.text.clone()))
            {
                Some(source) => sources.push(Source { path: shown(&file.path), ..source }),
                None => problems
                    .push(whole(&file.path, "templates stand in locales/<language>/; move the file there")),
            },
        }
    }
    let length = |unit| -> fn(&str) -> usize {
        use crate::channels::LimitUnit;
        match unit {
            LimitUnit::Bytes => |text| LimitUnit::Bytes.len(text),
            LimitUnit::Utf16 => |text| LimitUnit::Utf16.len(text),
            LimitUnit::Chars => |text| LimitUnit::Chars.len(text),
        }
    };
    let limits: Vec<Limit<'_>> = CHANNELS
        .iter()
        .map(|channel| channel.spec())
        .map(|spec| Limit { channel: spec.kind, most: spec.text_limit, length: length(spec.limit_unit) })
        .filter(|limit| limit.most > 0)
        .collect();
    problems.extend(replies::lint(&sources, &limits));
    problems
}

/// Every file below a path that a linter may want. In a folder that holds `locales` and its like only those count.
fn collect(path: &Path, found: &mut BTreeSet<PathBuf>) {
    if !path.is_dir() {
        if path.exists() {
            found.insert(plain(path));
        }
        return;
    }
    let parts = FOLDERS.iter().map(|name| path.join(name)).filter(|part| part.is_dir());
    let files = FILES.iter().map(|name| path.join(name)).filter(|file| file.is_file());
    let parts: Vec<PathBuf> = parts.chain(files).collect();
    let inside = path.file_name().is_some_and(|name| FOLDERS.iter().any(|folder| name == *folder));
    if parts.is_empty() || inside {
        return walk(path, 0, found);
    }
    for part in parts {
        walk(&part, 0, found);
    }
}

fn walk(path: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    if path.is_file() {
        if ends_with(path, "ftl") || ends_with(path, "toml") {
            found.insert(plain(path));
        }
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten().filter(|_| depth < MAX_DEPTH) {
        // `target`, `.git` and their like hold nothing of a merchant's.
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with('.') && name != "target" {
            walk(&entry.path(), depth + 1, found);
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MAX_FILE as u64 {
        return Err(format!("the file is {size} bytes long; at most {MAX_FILE} are read"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8; save it as UTF-8".to_owned())
}

/// Without a leading `./`.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|have| have == ending)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn whole(path: &Path, message: &str) -> Problem {
    Problem::at(&shown(path), "", 0, message)
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn status(paths: &[PathBuf]) -> u8 {
        run(Args { paths: paths.to_vec() }).unwrap()
    }

    #[test]
    fn a_folder_is_checked_by_its_parts() {
        let good = folder(&[
            ("locales/zh-CN/a.ftl", "thanks = 谢谢\n"),
            ("shops/tea/locales/en/a.ftl", "thanks = Thanks\n"),
            ("target/locales/en/a.ftl", "not = { a template\n"),
            ("Cargo.toml", "[package]\n"),
        ]);
        let mut found = BTreeSet::new();
        collect(good.path(), &mut found);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(status(&[good.path().to_owned()]), 0);
        assert_eq!(status(&[good.path().join("shops")]), 0);
        assert_eq!(status(&[good.path().join("shops/tea")]), 0);
        assert_eq!(status(&[good.path().join("locales/zh-CN/a.ftl")]), 0);
        assert_eq!(status(&[good.path().join("nothing")]), 1);
    }

    #[test]
    fn a_flaw_is_exit_status_1() {
        let bad = folder(&[
            ("shops/tea/locales/en/a.ftl", "thanks = { $shop\n"),
            ("stray.ftl", "thanks = Thanks\n"),
        ]);
        assert_eq!(status(&[bad.path().to_owned()]), 1);
        assert_eq!(status(&[bad.path().join("stray.ftl")]), 1);
        fs::write(bad.path().join("shops/tea/locales/en/a.ftl"), b"thanks = \xff\n").unwrap();
        assert_eq!(status(&[bad.path().join("shops")]), 1);
    }
}
