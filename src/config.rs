//! `yishi.toml` over `yishi.default.toml`: what the operator wants, checked as a whole before anything starts, with
//! file, line, column, key and expected form for each thing that is wrong. Must never print a secret, guess one, or
//! start with half of a file.

mod accounts;
mod document;
mod reader;
mod secrets;
mod shops;
#[cfg(test)]
mod tests;
mod tracking;

use crate::model::{Account, Private, Problem, Shop, Thresholds};
pub use accounts::{KindSpec, registered};
pub use document::reference;
use reader::{Reader, Section, entry, hint, printable};
use secrets::Secrets;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// The documented defaults, as they are built in.
pub const DEFAULTS: &str = include_str!("../yishi.default.toml");

/// Its table. A test holds that it parses; nothing else could be done about it at run time.
static DEFAULT_TABLE: LazyLock<DeTable<'static>> =
    LazyLock::new(|| DeTable::parse(DEFAULTS).map(|table| table.into_inner()).unwrap_or_default());

/// Everything that the operator decides.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Config {
    pub server: Server,
    pub log: Log,
    pub store: Store,
    /// Where the key that seals personal data comes from.
    pub vault_key: KeySource,
    pub folders: Folders,
    pub chat: Chat,
    pub tracking: Tracking,
    /// In the order of the file.
    pub shops: Vec<Shop>,
    /// In the order of the file: of several that can ask about a parcel, the first is asked first.
    pub accounts: Vec<Account>,
}

/// The listening side.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// Without a slash at the end; empty: nobody configured one, links use the address that is really listened on.
    pub public_url: String,
    /// Largest inbound body, in bytes.
    pub max_body: usize,
    /// Longest graceful stop.
    pub shutdown: Duration,
    /// The owner-only Unix socket for commands; none: commands that need the serving process are refused.
    pub socket: Option<PathBuf>,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line.
    pub json: bool,
    /// An `EnvFilter` directive list.
    pub filter: String,
}

/// Which store, and how safe.
#[derive(Debug, Clone)]
pub struct Store {
    /// What keeps the records.
    pub engine: Engine,
    /// Folder.
    pub path: PathBuf,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Bytes that must stay free on the disk.
    pub min_free_disk: u64,
    /// Bytes of page cache.
    pub cache: u64,
}

/// What keeps the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Engine {
    Sled,
    Memory,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    Power,
    /// A killed process.
    Process,
}

/// Where the sealing key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// This file; made at first start.
    File(PathBuf),
    /// The environment gave it: 64 hex digits.
    Hex(Private<String>),
}

/// Folders that the merchant edits.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Folders {
    pub intents: PathBuf,
    pub locales: PathBuf,
    /// One folder per shop in it.
    pub shops: PathBuf,
}

/// Times of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Chat {
    /// How long an empty message waits for its continuation.
    pub fragment_wait: Duration,
    /// How long an answer from old facts waits for news.
    pub news_wait: Duration,
    /// How long a question with nothing stored waits for the carrier.
    pub carrier_wait: Duration,
    /// Facts younger than this are fresh.
    pub facts_fresh: Duration,
    /// How long a question of ours stays open.
    pub pending_ttl: Duration,
    /// How long a person of the shop has to answer.
    pub human_timeout: Duration,
    /// How long a web chat session lives after its last message.
    pub session_ttl: Duration,
}

/// When something is wrong with a parcel. [`Tracking::thresholds`] gives what holds for one.
#[derive(Debug, Clone)]
pub struct Tracking {
    thresholds: Thresholds,
    special: Vec<tracking::Special>,
    /// Whether China's holidays and big sales lengthen the thresholds.
    pub holidays: bool,
}

impl Config {
    /// Reads a configuration with the secrets that it names. All problems at once, in the order of the file.
    /// `file` is the path as the person knows it: relative paths inside count from its folder.
    pub fn parse(file: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let base = Path::new(file).parent().unwrap_or(Path::new("")).to_owned();
        let secrets = Secrets::Resolve { env, base: &base };
        let (config, problems) = read(file, text, &secrets, &registered);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Reads a file with this process's environment.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot be read ({error}); write one or name another by --config");
            vec![Problem { file: file.clone(), line: 1, column: 1, message }]
        })?;
        Self::parse(&file, &text, &|name| std::env::var(name).ok())
    }

    /// The defaults alone: no shop, no account. The demo builds on these in code.
    pub fn defaults() -> Self {
        read("yishi.default.toml", "", &Secrets::Skip, &registered).0
    }

    /// A shop by its id.
    pub fn shop(&self, id: &str) -> Option<&Shop> {
        self.shops.iter().find(|shop| shop.id == id)
    }

    /// The accounts that serve a shop, its own and the house's, in the order of preference.
    pub fn accounts_of<'c>(&'c self, shop: &'c str) -> impl Iterator<Item = &'c Account> {
        self.accounts.iter().filter(move |account| account.serves_shop(shop))
    }
}

/// What is wrong with a configuration, without looking at the environment or at secret files: for `yishi check`.
pub fn lint(file: &str, text: &str) -> Vec<Problem> {
    read(file, text, &Secrets::Skip, &registered).1
}

const SECTIONS: &[&str] =
    &["server", "log", "store", "vault", "folders", "chat", "tracking", "thresholds", "shops", "accounts"];
/// A year: no wait is longer.
const YEAR: u64 = 366 * 24 * 3600;

/// The whole reading; the configuration is only worth something where there are no problems.
fn read(
    file: &str,
    text: &str,
    secrets: &Secrets,
    kinds: &dyn Fn(&str) -> Option<KindSpec>,
) -> (Config, Vec<Problem>) {
    let reader = Reader::new(file, text);
    let document = reader.document();
    let defaults: &DeTable = &DEFAULT_TABLE;
    for (key, _) in document.iter() {
        let name = key.get_ref().as_ref();
        if !SECTIONS.contains(&name) {
            let message = format!("unknown section `[{}]`{}", printable(name), hint(name, SECTIONS));
            reader.problem(key.span().start, message);
        }
    }
    let section = |name: &str| {
        let found = entry(&document, name);
        let own = found.and_then(|(_, value)| value.get_ref().as_table());
        if let (Some((at, _)), None) = (found, own) {
            reader.problem(at, format!("`{name}` must be a table: write it as `[{name}]`"));
        }
        let fallback = entry(defaults, name).and_then(|(_, value)| value.get_ref().as_table());
        Section::new(&reader, name.to_owned(), found.map_or(0, |(at, _)| at), own, fallback)
    };
    let base = Path::new(file).parent().unwrap_or(Path::new(""));

    let store = read_store(section("store"), base);
    let vault_key = read_vault(section("vault"), secrets, base, &store.path);
    let shops = shops::read(&reader, &tables(&reader, &document, "shops"), secrets);
    let shop_ids: Vec<&str> = shops.iter().map(|shop| shop.id.as_str()).collect();
    let accounts =
        accounts::read(&reader, &tables(&reader, &document, "accounts"), secrets, &shop_ids, kinds);
    let config = Config {
        server: read_server(section("server"), base),
        log: read_log(section("log")),
        vault_key,
        store,
        folders: read_folders(section("folders"), base),
        chat: read_chat(section("chat")),
        tracking: tracking::read(
            &reader,
            section("tracking"),
            &tables(&reader, &document, "thresholds"),
            &shop_ids,
        ),
        shops,
        accounts,
    };
    (config, reader.into_problems())
}

/// The tables `[name.ID]` in the order of the file: id, place, table.
type Named<'t, 'a> = Vec<(&'t str, usize, &'t DeTable<'a>)>;

fn tables<'t, 'a>(reader: &Reader, document: &'t DeTable<'a>, name: &str) -> Named<'t, 'a> {
    let Some((_, value)) = entry(document, name) else { return Vec::new() };
    // Not a table at all: said already.
    let DeValue::Table(all) = value.get_ref() else {
        reader.problem(value.span().start, format!("`{name}` must hold tables: write `[{name}.ID]`"));
        return Vec::new();
    };
    let mut found: Named = Vec::new();
    for (key, value) in all.iter() {
        match value.get_ref() {
            DeValue::Table(table) => found.push((key.get_ref().as_ref(), key.span().start, table)),
            _ => reader.problem(
                key.span().start,
                format!("`{name}.{}` must be a table: write `[{name}.ID]`", printable(key.get_ref())),
            ),
        }
    }
    found.sort_by_key(|(_, at, _)| *at);
    found
}

fn read_server(section: Section, base: &Path) -> Server {
    let listen = section.text("listen").unwrap_or_default();
    let listen = listen.parse().unwrap_or_else(|_| {
        let form = "an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
        section.problem(section.place("listen"), format!("`server.listen` must be {form}"));
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    let public_url = section.text("public_url").unwrap_or_default().trim_end_matches('/').to_owned();
    if !public_url.is_empty() && !is_web_address(&public_url) {
        let form = "an address such as \"https://parcels.example\", without query";
        section.problem(section.place("public_url"), format!("`server.public_url` must be {form}"));
    }
    let socket = section.text("socket").unwrap_or_default();
    let socket = (!socket.is_empty()).then(|| base.join(socket));
    // The kernel's limit for the name of a Unix socket is 107 bytes and an end mark.
    if socket.as_ref().is_some_and(|path| path.as_os_str().len() > 107) {
        section
            .problem(section.place("socket"), "`server.socket` must be a path of at most 107 bytes".into());
    }
    let server = Server {
        listen,
        public_url,
        max_body: section.size("max_body", 1024..=64 << 20).unwrap_or_default() as usize,
        shutdown: seconds(&section, "shutdown_secs", 1..=600),
        socket,
    };
    section.finish();
    server
}

fn read_log(section: Section) -> Log {
    let json = section.flag("json").unwrap_or(true);
    let filter = section.text("filter").unwrap_or_default();
    if filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
        let form = "a filter such as \"info\" or \"info,yishi::wire=debug\"";
        section.problem(section.place("filter"), format!("`log.filter` must be {form}"));
    }
    section.finish();
    Log { json, filter }
}

fn read_store(section: Section, base: &Path) -> Store {
    let engines = [("sled", Engine::Sled), ("memory", Engine::Memory)];
    let durabilities = [("power", Durability::Power), ("process", Durability::Process)];
    let store = Store {
        engine: section.word("engine", &engines).unwrap_or(Engine::Sled),
        path: path(&section, "path", base),
        durability: section.word("durability", &durabilities).unwrap_or(Durability::Power),
        min_free_disk: section.size("min_free_disk", 0..=1 << 50).unwrap_or_default(),
        cache: section.whole("cache_mb", 1..=65_536).unwrap_or_default() << 20,
    };
    section.finish();
    store
}

fn read_vault(section: Section, secrets: &Secrets, base: &Path, store: &Path) -> KeySource {
    let named = section.text("key").unwrap_or_default();
    let key = if let Some(path) = named.strip_prefix("file:").filter(|path| !path.trim().is_empty()) {
        // Not read here: it is made at first start.
        KeySource::File(base.join(path.trim()))
    } else if named.is_empty() {
        KeySource::File(store.parent().unwrap_or(Path::new("")).join("yishi.key"))
    } else {
        let key = secrets.read(&section, "key").unwrap_or_default();
        let right = key.reveal().len() == 64 && key.reveal().bytes().all(|byte| byte.is_ascii_hexdigit());
        if !key.reveal().is_empty() && !right {
            let message = "the variable named by `vault.key` must hold 64 hex digits (32 bytes)";
            section.problem(section.place("key"), message.into());
        }
        KeySource::Hex(key)
    };
    section.finish();
    key
}

fn read_folders(section: Section, base: &Path) -> Folders {
    let folders = Folders {
        intents: path(&section, "intents", base),
        locales: path(&section, "locales", base),
        shops: path(&section, "shops", base),
    };
    section.finish();
    folders
}

fn read_chat(section: Section) -> Chat {
    let millis = |key| Duration::from_millis(section.whole(key, 0..=4_000).unwrap_or_default());
    let chat = Chat {
        fragment_wait: millis("fragment_wait_ms"),
        news_wait: millis("news_wait_ms"),
        carrier_wait: seconds(&section, "carrier_wait_secs", 1..=60),
        facts_fresh: seconds(&section, "facts_fresh_secs", 0..=86_400),
        pending_ttl: seconds(&section, "pending_ttl_secs", 30..=604_800),
        human_timeout: seconds(&section, "human_timeout_secs", 10..=604_800),
        session_ttl: seconds(&section, "session_ttl_secs", 3_600..=YEAR),
    };
    section.finish();
    chat
}

fn seconds<'r>(section: &Section<'r, '_>, key: &'r str, bounds: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_secs(section.whole(key, bounds).unwrap_or_default())
}

fn path<'r>(section: &Section<'r, '_>, key: &'r str, base: &Path) -> PathBuf {
    let text = section.text(key);
    if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        section.problem(section.place(key), format!("`{}.{key}` must be a path", section.path));
    }
    base.join(text.unwrap_or_default())
}

/// `https://host[:port][/path]`, without query, fragment, user or spaces.
fn is_web_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte))
}
