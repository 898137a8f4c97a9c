//! The pages that are read by people: `docs/carriers.md` is written from the registry, the two READMEs say the same,
//! and no link leads nowhere. To renew what is written: `YISHI_WRITE_DOCS=1 cargo test --test it pages::`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use yishi::carriers::{CARRIERS, Carrier, abilities};
use yishi::config::Config;

const CARRIERS_PAGE: &str = "docs/carriers.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Code and name of each carrier that has a name, in the language of a folder of `locales/`.
fn names(language: &str) -> Vec<(String, String)> {
    page(&format!("locales/{language}/carriers.ftl"))
        .lines()
        .filter_map(|line| line.strip_prefix("carrier-")?.split_once(" = "))
        .map(|(code, name)| (code.to_owned(), name.to_owned()))
        .collect()
}

fn code_list(names: &[&'static str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A whole number with a comma at each thousand.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn or_none(list: String) -> String {
    if list.is_empty() { "none".into() } else { list }
}

/// What works, at a glance.
fn overview() -> String {
    let mut out = String::from("\n## What works\n\n| kind |");
    let columns = abilities(CARRIERS[0]).map(|(name, _)| name);
    for name in columns {
        let _ = write!(out, " {name} |");
    }
    let _ = writeln!(out, "\n|---|{}", "---|".repeat(columns.len()));
    for carrier in CARRIERS {
        let cells = abilities(*carrier).map(|(_, able)| if able { " yes |" } else { "  |" });
        let _ = writeln!(out, "| `{}` |{}", carrier.spec().code, cells.concat());
    }
    out
}

fn section(carrier: &dyn Carrier) -> String {
    let spec = carrier.spec();
    let mut out = String::new();
    let what = if spec.aggregator { "an aggregator" } else { "a carrier" };
    let _ = writeln!(out, "\n## `{}`\n", spec.code);
    let _ = writeln!(out, "{}: `kind = \"{}\"` in `yishi.toml`.\n", capital(what), spec.code);
    let secrets: Vec<&str> = carrier.options().iter().filter_map(|name| name.strip_suffix('?')).collect();
    let settings: Vec<&str> = carrier.options().iter().copied().filter(|name| !name.ends_with('?')).collect();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "| {name} | {value} |");
    };
    row("account", "is".into());
    row("---", "---".into());
    row("secrets that it needs", or_none(code_list(spec.secrets)));
    row("settings that it needs", or_none(code_list(spec.settings)));
    row("further secrets", or_none(code_list(&secrets)));
    row("further settings", or_none(code_list(&settings)));
    row("address", format!("`{}`", spec.base_url));
    row("numbers in one call", grouped(spec.batch.try_into().unwrap()));
    row("calls a second, at most", grouped(spec.per_second));
    row("calls a day, at most", grouped(spec.per_day));
    row("least time between two questions for one number", format!("{} s", grouped(spec.min_interval_secs)));
    row("questions for one number in a day, at most", grouped(spec.per_number_day));
    let codes = spec.codes.len();
    row("codes in its status table", if codes == 0 { "Yishi's own names".into() } else { codes.to_string() });
    row("how sure the wire facts are", spec.sureness.into());
    if let Some(waybill) = carrier.waybill() {
        row("creating waybills", waybill.sureness().into());
    }
    if spec.aggregator {
        let english = names("en");
        let chinese = names("zh-CN");
        let _ = writeln!(
            out,
            "\nIt can be asked about:\n\n| code | carrier | 承运商 | phone tail needed |\n|---|---|---|---|"
        );
        for (code, name) in english.iter().filter(|(code, _)| (spec.serves)(code)) {
            let local = chinese.iter().find(|(other, _)| other == code).map_or("", |(_, name)| name.as_str());
            let tail = if (spec.needs_phone_tail)(code) { "yes" } else { "" };
            let _ = writeln!(out, "| `{code}` | {name} | {local} | {tail} |");
        }
    }
    out
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn carriers_page() -> String {
    let mut out = String::from(
        "# Carriers\n\nWritten from the registry `CARRIERS` by `tests/it/pages.rs`, which keeps the two in step. How to \
         write an account down: [operating.md](operating.md); every setting: [config.md](config.md); how to add a \
         carrier: [CONTRIBUTING.md](../CONTRIBUTING.md).\n\nThe least time and the calls a day are what the vendor \
         allows. Yishi counts them for each account across restarts and does not ask beyond them. Waybills: \
         [shipping.md](shipping.md).\n",
    );
    out.push_str(&overview());
    for carrier in CARRIERS {
        out.push_str(&section(*carrier));
    }
    out
}

#[test]
fn the_page_of_carriers_is_fresh() {
    let fresh = carriers_page();
    if std::env::var_os("YISHI_WRITE_DOCS").is_some() {
        std::fs::write(root().join(CARRIERS_PAGE), &fresh).unwrap();
    }
    assert!(
        page(CARRIERS_PAGE) == fresh,
        "{CARRIERS_PAGE} is old; renew it with YISHI_WRITE_DOCS=1 cargo test --test it pages::"
    );
    assert!(fresh.contains("| `zto` | ZTO Express | 中通快递 | yes |"), "{fresh}");
}

/// What stands between fences, without comments.
fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside && !line.trim_start().starts_with('#') {
            found.push(line.to_owned());
        }
    }
    found
}

#[test]
fn both_readmes_give_the_same_commands() {
    assert_eq!(commands(&page("README.zh-CN.md")), commands(&page("README.md")));
    assert!(commands(&page("README.md")).iter().any(|line| line == "./scripts/test"));
}

/// The examples of a page that begin with this fence, without the indent of a list around them.
fn examples(text: &str, fence: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match inside {
            None if line.trim() == fence => {
                inside = Some(indent);
                found.push(String::new());
            }
            Some(outer) if line.trim() == "```" && indent == outer => inside = None,
            Some(outer) => {
                let last = found.last_mut().unwrap();
                last.push_str(line.get(outer..).unwrap_or(""));
                last.push('\n');
            }
            None => {}
        }
    }
    found
}

#[test]
fn the_configurations_that_are_shown_are_right() {
    for name in ["README.md", "README.zh-CN.md", "docs/operating.md"] {
        let shown = examples(&page(name), "```toml");
        assert_eq!(shown.len(), 1, "{name}");
        let secret = |name: &str| {
            let key =
                name.ends_with("AES_KEY").then(|| "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned());
            key.or_else(|| Some(format!("secret-of-{}", name.replace('_', "-"))))
        };
        let config = Config::parse("yishi.toml", &shown[0], &secret)
            .unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        assert_eq!(config.shops.len(), 1);
        assert!(!config.accounts.is_empty());
    }
}

fn pages_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
}

#[test]
fn no_link_leads_nowhere() {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages_below(&root().join("docs"), &mut pages);
    let mut broken = Vec::new();
    let mut seen = 0;
    for path in pages {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            seen += 1;
            if !path.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(seen > 10, "the links are not where they are looked for");
    assert_eq!(broken, [""; 0]);
}
