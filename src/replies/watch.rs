//! Sees within a second that a merchant changed a text on disk, and lets it speak; a broken edit leaves the last good
//! one speaking and says what is wrong. Knows nothing of what the files mean: intents use it too. Must never block a
//! reply: readers take the current catalog and go on with it.

use super::catalog::Catalog;
use super::syntax::{MAX_FILE, Source};
use crate::model::Problem;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How often the folders are looked at.
const PERIOD: Duration = Duration::from_millis(300);
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 6;
/// Most files that are looked at.
const MAX_FILES: usize = 20_000;

/// The catalog in force; a reload swaps it.
#[derive(Debug)]
pub struct LiveCatalog(RwLock<Arc<Catalog>>);

impl LiveCatalog {
    /// Starts with the built-in texts.
    pub fn builtin() -> Self {
        Self(RwLock::new(Arc::new(Catalog::builtin())))
    }

    /// The catalog in force: keep it for one answer, not longer.
    pub fn get(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the files as they are now on disk; says what is wrong in them.
    pub fn reload(&self, files: &[(PathBuf, String)]) -> Vec<Problem> {
        let sources: Vec<Source> =
            files.iter().filter_map(|(path, text)| Source::new(path, text.clone())).collect();
        let (catalog, problems) = Catalog::load(&sources, Some(&self.get()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        problems
    }
}

/// Looks at folders until it is dropped.
#[derive(Debug)]
pub struct Watch {
    problems: Arc<Mutex<Vec<Problem>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Reads all files with this ending (`ftl`) in the folders, now, and again whenever one of them changed, came or
    /// went; `reload` takes them all (path and text, by path) and says what is wrong. A folder may be missing.
    /// Must be called inside a Tokio runtime.
    pub fn start(
        folders: Vec<PathBuf>,
        ending: &'static str,
        reload: impl Fn(&[(PathBuf, String)]) -> Vec<Problem> + Send + 'static,
    ) -> Self {
        let problems = Arc::new(Mutex::new(Vec::new()));
        let mut look = Look {
            folders,
            ending,
            seen: BTreeMap::new(),
            texts: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            reload: Box::new(reload),
            problems: Arc::clone(&problems),
        };
        look.once();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                // The disk may be slow: never on a thread that answers buyers.
                let looking = tokio::task::spawn_blocking(move || {
                    look.once();
                    look
                });
                match looking.await {
                    Ok(back) => look = back,
                    Err(error) => {
                        tracing::error!(%error, "a watcher of files ended; changes are seen after a restart");
                        return;
                    }
                }
            }
        });
        Self { problems, task }
    }

    /// What is wrong in the files as they are on disk; empty when all of them are in force.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Reload = Box<dyn Fn(&[(PathBuf, String)]) -> Vec<Problem> + Send>;
type Stamp = (Option<SystemTime>, u64);

struct Look {
    folders: Vec<PathBuf>,
    ending: &'static str,
    /// Every file with its stamp at the last look.
    seen: BTreeMap<PathBuf, Stamp>,
    /// The last readable text of each file.
    texts: BTreeMap<PathBuf, String>,
    /// Files that could not be read, until they change.
    unreadable: BTreeMap<PathBuf, Problem>,
    reload: Reload,
    problems: Arc<Mutex<Vec<Problem>>>,
}

impl Look {
    /// One look: cheap while nothing changed.
    fn once(&mut self) {
        let mut found = BTreeMap::new();
        for folder in &self.folders {
            walk(folder, self.ending, 0, &mut found);
        }
        if found == self.seen {
            return;
        }
        for (path, stamp) in &found {
            if self.seen.get(path) == Some(stamp) {
                continue;
            }
            self.unreadable.remove(path);
            match read(path, stamp.1) {
                Ok(text) => {
                    self.texts.insert(path.clone(), text);
                }
                Err(error) => {
                    let kept =
                        if self.texts.contains_key(path) { "; the last good text stays in use" } else { "" };
                    let problem = Problem::at(&path.to_string_lossy(), "", 0, format!("{error}{kept}"));
                    self.unreadable.insert(path.clone(), problem);
                }
            }
        }
        self.texts.retain(|path, _| found.contains_key(path));
        self.unreadable.retain(|path, _| found.contains_key(path));
        self.seen = found;
        let mut problems: Vec<Problem> = self.unreadable.values().cloned().collect();
        let files: Vec<(PathBuf, String)> =
            self.texts.iter().map(|(path, text)| (path.clone(), text.clone())).collect();
        problems.extend((self.reload)(&files));
        let mut known = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in problems.iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!(file = problem.file, line = problem.line, "{problem}");
        }
        tracing::info!(files = files.len(), problems = problems.len(), kind = self.ending, "files read");
        *known = problems;
    }
}

fn walk(folder: &Path, ending: &str, depth: usize, found: &mut BTreeMap<PathBuf, Stamp>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        // Follows links: configuration is often mounted as such.
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, ending, depth + 1, found);
            }
        } else if path.extension().is_some_and(|have| have == ending) && found.len() < MAX_FILES {
            found.insert(path, (about.modified().ok(), about.len()));
        }
    }
}

/// Reads a file whole; an error says what to do.
fn read(path: &Path, size: u64) -> io::Result<String> {
    if size > MAX_FILE as u64 {
        return Err(io::Error::other(format!("the file is {size} bytes long; at most {MAX_FILE} are read")));
    }
    String::from_utf8(std::fs::read(path)?)
        .map_err(|_| io::Error::other("the file is not UTF-8; save it as UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::super::{Context, keys};
    use super::*;
    use std::fs;

    fn say(live: &LiveCatalog, key: &str) -> String {
        let zone = jiff::tz::TimeZone::UTC;
        let ctx = Context { shop: "tea", locale: "zh-CN", zone: &zone, now: jiff::Timestamp::UNIX_EPOCH };
        live.get().line(&ctx, &keys::sample_line(key, ctx.now))
    }

    /// A watcher that is looked at by hand.
    fn by_hand(folders: Vec<PathBuf>, live: &Arc<LiveCatalog>) -> Look {
        let live = Arc::clone(live);
        Look {
            folders,
            ending: "ftl",
            seen: BTreeMap::new(),
            texts: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            reload: Box::new(move |files| live.reload(files)),
            problems: Arc::default(),
        }
    }

    #[test]
    fn an_edit_speaks_at_the_next_look_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("locales/zh-CN/own.ftl");
        let shop = folder.path().join("shops/tea/locales/zh-CN/own.ftl");
        for path in [&file, &shop] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        let live = Arc::new(LiveCatalog::builtin());
        let mut look = by_hand(vec![folder.path().join("locales"), folder.path().join("shops")], &live);
        look.once();
        assert_eq!(say(&live, "thanks"), "不客气，有需要随时找我。");

        fs::write(&file, "thanks = 谢谢\n").unwrap();
        look.once();
        assert_eq!(say(&live, "thanks"), "谢谢");
        fs::write(&shop, "thanks = 茶店谢谢您\n").unwrap();
        look.once();
        assert_eq!(say(&live, "thanks"), "茶店谢谢您");

        let good = fs::read(&shop).unwrap();
        for broken in [&b"thanks = { $\n"[..], b"thanks = \xff\xfe\n", &vec![b'#'; MAX_FILE + 1]] {
            fs::write(&shop, broken).unwrap();
            look.once();
            assert_eq!(say(&live, "thanks"), "茶店谢谢您");
            let problems = look.problems.lock().unwrap().clone();
            assert_eq!(problems.len(), 1);
            assert!(problems[0].message.ends_with("the last good text stays in use"), "{problems:?}");
            fs::write(&shop, &good).unwrap();
            look.once();
            assert_eq!(*look.problems.lock().unwrap(), []);
        }

        fs::write(&shop, "thanks = 茶店多谢您\n").unwrap();
        look.once();
        assert_eq!(say(&live, "thanks"), "茶店多谢您");
        assert_eq!(*look.problems.lock().unwrap(), []);
        fs::remove_file(&shop).unwrap();
        look.once();
        assert_eq!(say(&live, "thanks"), "谢谢");
    }

    #[tokio::test]
    async fn a_watcher_sees_a_change_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let watch = Watch::start(vec![folder.path().to_owned()], "toml", move |files| {
            let _ = told.send(files.len());
            files.iter().map(|(path, text)| Problem::at(&path.to_string_lossy(), text, 0, "x")).collect()
        });
        fs::write(folder.path().join("a.toml"), "a").unwrap();
        let next = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await;
        assert_eq!(next, Ok(Some(1)));
        fs::write(folder.path().join("b.toml"), "b").unwrap();
        let next = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await;
        assert_eq!(next, Ok(Some(2)));
        assert!(!watch.problems().is_empty());
    }
}
