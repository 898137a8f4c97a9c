//! Reads `[accounts.ID]` and checks each against what its adapter says it needs. Must never let an account through
//! that lacks a secret: it would fail on the first buyer.

use super::reader::{Reader, Section, printable};
use super::secrets::{FORM, Secrets};
use super::{Named, is_web_address};
use crate::carriers::Carrier;
use crate::channels::Channel;
use crate::model::Account;
use crate::{carriers, channels};

/// What the configuration must know of an adapter.
#[derive(Clone, Copy)]
pub struct KindSpec {
    /// Secrets that an account must name.
    pub secrets: &'static [&'static str],
    /// Settings that an account must have.
    pub settings: &'static [&'static str],
    /// Secrets and settings that it may have; a name that ends in `?` in this list is a secret.
    pub options: &'static [&'static str],
    /// Whether a carrier can be asked about; none: a channel.
    pub serves: Option<fn(&str) -> bool>,
    /// The production address; empty: it calls nobody, or an address that the account must name (in `settings`).
    pub base_url: &'static str,
    /// The carrier, which knows what of an account cannot be used.
    pub carrier: Option<&'static dyn Carrier>,
    /// The channel, which knows what a mode of an account makes needless; none: everything above is needed.
    pub channel: Option<&'static dyn Channel>,
}

/// What `base_url` must be.
const ADDRESS: &str = "an address such as \"https://vendor.example\", without query";

/// What the registries know of a kind.
pub fn registered(kind: &str) -> Option<KindSpec> {
    if let Some(carrier) = carriers::carrier(kind) {
        let spec = carrier.spec();
        return Some(KindSpec {
            secrets: spec.secrets,
            settings: spec.settings,
            options: carrier.options(),
            serves: Some(spec.serves),
            base_url: spec.base_url,
            carrier: Some(carrier),
            channel: None,
        });
    }
    if let Some(alert) = channels::alerts::alert(kind) {
        let spec = alert.spec();
        return Some(KindSpec {
            secrets: spec.secrets,
            settings: spec.settings,
            options: spec.options,
            serves: None,
            base_url: spec.base_url,
            carrier: None,
            channel: None,
        });
    }
    let channel = channels::channel(kind)?;
    let spec = channel.spec();
    Some(KindSpec {
        secrets: spec.secrets,
        settings: spec.settings,
        options: channel.options(),
        serves: None,
        base_url: spec.base_url,
        carrier: None,
        channel: Some(channel),
    })
}

pub(super) fn read(
    reader: &Reader,
    tables: &Named,
    secrets: &Secrets,
    shops: &[&str],
    kinds: &dyn Fn(&str) -> Option<KindSpec>,
) -> Vec<Account> {
    let mut accounts = Vec::new();
    for (id, at, table) in tables {
        let section = Section::new(reader, format!("accounts.{}", printable(id)), *at, Some(table), None);
        let right = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(right) {
            section.problem(*at, "an account's id must be 1 to 64 of a-z, A-Z, 0-9, - and _".into());
        }
        let kind = section.required("kind", "the channel or carrier, such as \"wechat\" or \"kuaidi100\"");
        let Some(spec) = kinds(&kind) else {
            if !kind.is_empty() {
                let known =
                    "no channel or carrier of that name; docs/carriers.md and docs/channels/ list them";
                section.problem(section.place("kind"), format!("`{}.kind`: {known}", section.path));
            }
            // What else it may hold, nobody can say.
            continue;
        };
        let mut account = Account { id: (*id).to_owned(), kind, ..Account::default() };
        read_shops(&section, &spec, shops, &mut account);
        read_general(&section, &spec, &mut account);
        read_own(&section, &spec, secrets, &mut account);
        section.finish();
        accounts.push(account);
    }
    accounts
}

/// `shop` or `shops`; a channel has exactly one.
fn read_shops(section: &Section, spec: &KindSpec, shops: &[&str], account: &mut Account) {
    let known = |at: usize, shop: &str| {
        let found = shops.contains(&shop);
        if !found {
            let message = format!("`{}`: there is no shop `{}`", section.path, printable(shop));
            section.problem(at, format!("{message}; add `[shops.{}]`", printable(shop)));
        }
        found
    };
    account.shop = section.text("shop").filter(|shop| known(section.place("shop"), shop));
    if spec.serves.is_none() {
        if !section.has("shop") {
            section.missing("shop", "the id of the shop that it serves");
        }
        return;
    }
    let listed = section.list("shops");
    if section.has("shop") && section.has("shops") {
        section.problem(section.place("shops"), format!("`{}` has both `shop` and `shops`", section.path));
    } else if !section.has("shop") && listed.is_empty() {
        section.missing("shop", "the id of the shop that it serves, or `shops` for several");
    }
    let listed: Vec<String> =
        listed.into_iter().filter(|(at, shop)| known(*at, shop)).map(|(_, shop)| shop).collect();
    if !listed.is_empty() {
        account.settings.insert("shops".into(), listed.join(","));
    }
}

/// What every account may have.
fn read_general(section: &Section, spec: &KindSpec, account: &mut Account) {
    if !spec.base_url.is_empty() || spec.settings.contains(&"base_url") {
        let base_url = section.text("base_url").map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = base_url {
            if is_web_address(&url) {
                account.settings.insert("base_url".into(), url);
            } else {
                let message = format!("`{}.base_url` must be {ADDRESS}", section.path);
                section.problem(section.place("base_url"), message);
            }
        }
        if section.has("per_day") {
            let per_day = section.whole("per_day", 1..=u64::from(u32::MAX));
            account.settings.extend(per_day.map(|calls| ("per_day".into(), calls.to_string())));
        }
        for name in ["cost_per_call", "cost_per_day"] {
            let Some(text) = section.text(name) else { continue };
            if text.parse::<f64>().is_ok_and(|cost| cost.is_finite() && cost > 0.0) {
                account.settings.insert(name.into(), text);
            } else {
                let message =
                    format!("`{}.{name}` must be an amount in quotes such as \"0.05\"", section.path);
                section.problem(section.place(name), message);
            }
        }
    }
    let Some(can_serve) = spec.serves else { return };
    let mut carriers = Vec::new();
    for (at, carrier) in section.list("carriers") {
        if can_serve(&carrier) {
            carriers.push(carrier);
        } else {
            let name = printable(&carrier);
            let kind = &account.kind;
            section
                .problem(at, format!("`{}.carriers`: `{kind}` cannot be asked about `{name}`", section.path));
        }
    }
    if !carriers.is_empty() {
        account.settings.insert("carriers".into(), carriers.join(","));
    }
}

/// What the adapter of this kind asks for.
fn read_own(section: &Section, spec: &KindSpec, secrets: &Secrets, account: &mut Account) {
    read_options(section, spec, secrets, account);
    for key in spec.secrets {
        account.secrets.extend(secrets.read(section, key).map(|secret| ((*key).to_owned(), secret)));
    }
    // `base_url` has been read with what every account may have.
    for key in spec.settings.iter().filter(|key| **key != "base_url") {
        let value = section.plain(key);
        if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
            section.problem(section.place(key), format!("`{}.{key}` must not be empty", section.path));
        }
        account.settings.extend(value.map(|value| ((*key).to_owned(), value)));
    }
    let lacks = spec.channel.map(|channel| channel.lacks(account));
    let needed = |key: &&&str| lacks.as_ref().is_none_or(|lacks| lacks.contains(*key));
    for key in spec.secrets.iter().filter(needed) {
        if !section.has(key) {
            section.missing(key, &format!("the secret, as {FORM}"));
        } else if lacks.is_some() && !account.secret(key).is_empty() {
            let message = "does not have the form that the platform gives it";
            section.problem(section.place(key), format!("`{}.{key}` {message}", section.path));
        }
    }
    for key in spec.settings.iter().filter(needed) {
        if !section.has(key) {
            section.missing(key, if *key == "base_url" { ADDRESS } else { "its value" });
        }
    }
    let whole = spec.secrets.iter().chain(spec.settings).all(|key| section.has(key));
    let mistake = match (spec.carrier, spec.channel) {
        (Some(carrier), _) => carrier.mistake(account),
        (None, Some(channel)) => channel.mistake(account),
        (None, None) => None,
    };
    if let Some((key, why)) = mistake.filter(|_| whole) {
        section.problem(section.place(key), format!("`{}.{key}`: {why}", section.path));
    }
}

fn read_options(section: &Section, spec: &KindSpec, secrets: &Secrets, account: &mut Account) {
    for option in spec.options {
        match option.strip_suffix('?') {
            Some(key) => {
                account.secrets.extend(secrets.read(section, key).map(|secret| (key.to_owned(), secret)));
            }
            None => {
                account.settings.extend(section.plain(option).map(|value| ((*option).to_owned(), value)));
            }
        }
    }
}
