//! A recipe: how a service that Yishi has no code for is asked, and how its answer is read. Two are built in, a merchant
//! may write more (docs/recipes.md). Must never be half understood: an unknown word is a mistake with its place.

use crate::carriers::body::{CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA, CURE_SETTINGS};
use crate::carriers::names;
use crate::model::when::read_offset;
use crate::model::{Meaning, Reason, Sub};
use crate::wire::{Method, Refusal};
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, de::Error};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The recipes that come with Yishi, by name.
pub(super) const BUILT_IN: [(&str, &str); 2] =
    [("alapi", include_str!("alapi.toml")), ("aliyun-kdi", include_str!("aliyun-kdi.toml"))];

static READY: LazyLock<BTreeMap<&str, Recipe>> = LazyLock::new(|| {
    let read = |(name, text): (&'static str, &str)| Some((name, Recipe::read(text).ok()?));
    BUILT_IN.into_iter().filter_map(read).collect()
});

/// A built-in recipe.
pub(super) fn ready(name: &str) -> Option<&'static Recipe> {
    READY.get(name)
}

/// One service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// Without a slash at its end.
    pub base_url: String,
    #[serde(deserialize_with = "method")]
    pub method: Method,
    pub path: String,
    pub send: Send,
    /// Whose names of carriers the service uses.
    pub carrier_names: CarrierNames,
    /// The service's own names where those do not fit, by Yishi's code.
    #[serde(default)]
    pub carriers: BTreeMap<String, String>,
    /// Zone of times that have none; none: unknown.
    #[serde(default, deserialize_with = "zone")]
    pub zone: Option<Offset>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// How the number is written, by Yishi's code of the carrier.
    #[serde(default)]
    pub numbers: BTreeMap<String, String>,
    /// A digest of a text, for `{sign}`.
    #[serde(default)]
    pub sign: Option<Sign>,
    pub answer: Paths,
    /// By the answer's code.
    #[serde(default)]
    pub refusals: BTreeMap<String, Advice>,
    /// By HTTP status.
    #[serde(default)]
    pub http: BTreeMap<String, Advice>,
    /// By the code of a scan.
    #[serde(default)]
    pub statuses: BTreeMap<String, Word>,
    /// By the code of the whole parcel.
    #[serde(default)]
    pub whole: BTreeMap<String, Word>,
}

/// Where the fields of a question go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Send {
    Query,
    Form,
    Json,
}

/// Whose names of carriers a service uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CarrierNames {
    /// It finds out by itself.
    None,
    Yishi,
    Kuaidi100,
    Kdniao,
}

/// `digest` of `text`, whose placeholders are filled first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    pub digest: Digest,
    pub text: String,
}

/// All in lower-case hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Digest {
    Md5,
    Sha256,
}

/// Where things stand in an answer: names joined by dots. Those of a scan begin at the scan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paths {
    pub code: String,
    /// Codes of an answer that was understood.
    pub ok: Vec<String>,
    #[serde(default)]
    pub number: Option<String>,
    pub scans: String,
    pub time: String,
    pub text: String,
    #[serde(default)]
    pub scan_code: Option<String>,
    #[serde(default)]
    pub place: Option<String>,
    #[serde(default)]
    pub whole: Option<String>,
    #[serde(default)]
    pub courier_name: Option<String>,
    #[serde(default)]
    pub courier_phone: Option<String>,
}

/// What a refusal asks us to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Advice {
    Nothing,
    BadNumber,
    WrongCarrier,
    PhoneTail,
    Credentials,
    Permission,
    Quota,
    Settings,
    Throttled,
    Retry,
}

impl Advice {
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Nothing => Refusal::NoDataYet,
            Self::BadNumber => Refusal::BadNumber,
            Self::WrongCarrier => Refusal::WrongCarrier,
            Self::PhoneTail => Refusal::NeedPhoneTail,
            Self::Credentials => Refusal::FixAccount { cure: CURE_CREDENTIALS },
            Self::Permission => Refusal::FixAccount { cure: CURE_PERMISSION },
            Self::Quota => Refusal::FixAccount { cure: CURE_QUOTA },
            Self::Settings => Refusal::FixAccount { cure: CURE_SETTINGS },
            Self::Throttled => Refusal::Throttled { until: None },
            Self::Retry => Refusal::Retry { after: None },
        }
    }
}

/// A sub-status (`on_vehicle`) or an exception with its reason (`exception/refused`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub Meaning);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let meaning = match text.strip_prefix("exception/") {
            Some(reason) => Reason::named(reason).map(Meaning::exception),
            None => Sub::named(&text).map(Meaning::sub),
        };
        meaning.map(Self).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is no sub-status, nor `exception/` with a reason"))
        })
    }
}

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        other => Err(D::Error::custom(format!("`{other}` is neither GET nor POST"))),
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Offset>, D::Error> {
    let text = String::deserialize(deserializer)?;
    read_offset(&text)
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("`{text}` is no zone such as +08:00")))
}

/// What a template may name in braces.
const PLACEHOLDERS: [&str; 7] =
    ["{key}", "{key_id}", "{number}", "{carrier}", "{phone_tail}", "{millis}", "{sign}"];

impl Recipe {
    /// Reads a recipe; a mistake is told with its line.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let recipe: Self = toml::from_str(text).map_err(|mistake| {
            let before = mistake.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            format!("line {}: {}", before.lines().count().max(1), mistake.message())
        })?;
        if !recipe.base_url.starts_with("https://") || recipe.base_url.ends_with('/') {
            return Err("`base_url` must begin with https:// and end without a slash".into());
        }
        if !recipe.path.starts_with('/') {
            return Err("`path` must begin with a slash".into());
        }
        if recipe.method == Method::Get && recipe.send != Send::Query {
            return Err("`send` must be \"query\" where `method` is GET".into());
        }
        let signed = recipe.sign.iter().map(|sign| &sign.text);
        let templates = recipe.headers.values().chain(recipe.fields.values()).chain(recipe.numbers.values());
        for template in templates.chain(signed) {
            let rest = PLACEHOLDERS.iter().fold(template.clone(), |rest, known| rest.replace(known, ""));
            if rest.contains('{') {
                return Err(format!("`{template}` names something other than {}", PLACEHOLDERS.join(", ")));
            }
        }
        if recipe.answer.ok.is_empty() {
            return Err("`answer.ok` must name at least one code".into());
        }
        Ok(recipe)
    }

    /// The service's name of a carrier; none where it cannot be asked about it.
    pub(super) fn carrier(&self, code: &str) -> Option<String> {
        if let Some(own) = self.carriers.get(code) {
            return Some(own.clone());
        }
        let known = names::by_code(code)?;
        let name = match self.carrier_names {
            CarrierNames::None => return Some(String::new()),
            CarrierNames::Yishi => known.code,
            CarrierNames::Kuaidi100 => known.kuaidi100,
            CarrierNames::Kdniao => known.kdniao,
        };
        (!name.is_empty()).then(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_is_understood() {
        for (name, text) in BUILT_IN {
            assert_eq!(Recipe::read(text).map(|_| ()), Ok(()), "{name}");
            assert!(ready(name).is_some());
        }
        assert_eq!(ready("alapi").unwrap().zone, Some(Offset::constant(8)));
        assert_eq!(ready("alapi").unwrap().carrier("sf").as_deref(), Some("shunfeng"));
        assert_eq!(ready("aliyun-kdi").unwrap().carrier("sf").as_deref(), Some(""));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let good = BUILT_IN[0].1;
        for (from, to, said) in [
            ("method = \"POST\"", "method = \"PUT\"", "neither GET nor POST"),
            ("send = \"form\"", "sent = \"form\"", "unknown field `sent`"),
            ("SIGN = \"signed\"", "SIGN = \"handed over\"", "`handed over` is no sub-status"),
            ("\"{key}\"", "\"{token}\"", "names something other than"),
            ("zone = \"+08:00\"", "zone = \"Beijing\"", "`Beijing` is no zone"),
            ("https://v2", "http://v2", "must begin with https://"),
            ("ok = [\"200\"]", "ok = []", "at least one code"),
            ("method = \"POST\"", "method = \"GET\"", "must be \"query\""),
        ] {
            let mistake = Recipe::read(&good.replacen(from, to, 1)).unwrap_err();
            assert!(mistake.contains(said), "{said}: {mistake}");
        }
        let mistake = Recipe::read("base_url = 1\n").unwrap_err();
        assert!(mistake.contains("line 1"), "{mistake}");
    }
}
