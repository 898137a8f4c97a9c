//! Reads `[shops.ID]`. Must never let two shops share an API token: the token alone says whose data is asked for.

use super::reader::{Reader, Section, printable};
use super::secrets::Secrets;
use super::{Named, is_web_address};
use crate::model::{NoticeKind, NoticeRules, Private, QuietHours, Shop};
use crate::wire::sign;
use jiff::civil::Time;
use jiff::tz::TimeZone;

pub(super) fn read(reader: &Reader, tables: &Named, secrets: &Secrets) -> Vec<Shop> {
    let mut shops: Vec<Shop> = Vec::new();
    for (id, at, table) in tables {
        let section = Section::new(reader, format!("shops.{}", printable(id)), *at, Some(table), None);
        let right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if id.is_empty() || id.len() > 32 || !id.bytes().all(right) {
            section.problem(*at, "a shop's id must be 1 to 32 of a-z, 0-9, - and _".into());
        }
        let shop = Shop {
            id: (*id).to_owned(),
            name: section.required("name", "the shop's name as buyers know it"),
            locale: locale(&section),
            zone: zone(&section),
            api_tokens: secrets.read(&section, "api_token").iter().map(hash).collect(),
            chat_secret: secrets.read(&section, "chat_secret"),
            allowed_origins: origins(&section),
            hotline: section.text("hotline").filter(|text| !text.trim().is_empty()),
            notices: notices(&section),
        };
        let resolved = matches!(secrets, Secrets::Resolve { .. });
        let taken = |other: &&Shop| shop.api_tokens.iter().any(|token| other.api_tokens.contains(token));
        if let Some(other) = shops.iter().find(taken).filter(|_| resolved) {
            let message = format!("`{}.api_token` is also the token of shop `{}`", section.path, other.id);
            section.problem(section.place("api_token"), message);
        }
        section.finish();
        shops.push(shop);
    }
    shops
}

fn hash(token: &Private<String>) -> [u8; 32] {
    sign::sha256(token.reveal().as_bytes())
}

fn locale(section: &Section) -> String {
    let form = "a language such as \"zh-CN\", \"zh-TW\" or \"en\"";
    let text = section.required("locale", form);
    if !text.is_empty() && text.parse::<unic_langid::LanguageIdentifier>().is_err() {
        section.problem(section.place("locale"), format!("`{}.locale` must be {form}", section.path));
    }
    text
}

fn zone(section: &Section) -> TimeZone {
    let form = "a time zone such as \"Asia/Shanghai\"";
    let text = section.required("zone", form);
    if text.is_empty() {
        return TimeZone::UTC;
    }
    TimeZone::get(&text).unwrap_or_else(|_| {
        section.problem(section.place("zone"), format!("`{}.zone` must be {form}", section.path));
        TimeZone::UTC
    })
}

/// What buyers are told before they ask, and when.
fn notices(section: &Section) -> NoticeRules {
    let mut rules = NoticeRules { off: kinds(section, "notices_off"), ..NoticeRules::default() };
    rules.urgent = kinds(section, "notices_urgent");
    if let Some(text) = section.text("quiet_hours") {
        rules.quiet = quiet(&text);
        if rules.quiet.is_none() && !text.is_empty() {
            let form = "hours such as \"22:00-08:00\", or empty";
            section.problem(
                section.place("quiet_hours"),
                format!("`{}.quiet_hours` must be {form}", section.path),
            );
        }
    }
    if let Some(most) = section.whole("notices_a_day", 0..=1_000) {
        rules.most_a_day = most as u32;
    }
    rules
}

fn kinds(section: &Section, name: &'static str) -> Vec<NoticeKind> {
    let mut kinds = Vec::new();
    for (at, text) in section.list(name) {
        match NoticeKind::named(&text) {
            Some(kind) => kinds.push(kind),
            None => {
                let known: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.name()).collect();
                let message = format!("`{}.{name}` may hold {}", section.path, known.join(", "));
                section.problem(at, message);
            }
        }
    }
    kinds
}

/// `22:00-08:00`
fn quiet(text: &str) -> Option<QuietHours> {
    let (from, to) = text.split_once('-')?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    Some(QuietHours { from: time(from)?, to: time(to)? })
}

/// `https://shop.example`: scheme, host, perhaps a port, no path.
fn origins(section: &Section) -> Vec<String> {
    let mut origins = Vec::new();
    for (at, origin) in section.list("allowed_origins") {
        let plain = origin.trim_end_matches('/').to_ascii_lowercase();
        if is_web_address(&plain) && plain.matches('/').count() == 2 {
            origins.push(plain);
        } else {
            let form = "origins such as \"https://shop.example\", without a path";
            section.problem(at, format!("`{}.allowed_origins` must hold {form}", section.path));
        }
    }
    origins
}
