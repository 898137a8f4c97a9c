//! An account at a channel, a carrier or a platform: who we are to them.

use super::secret::{self, Private};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One configured account. Secrets are private; adapters read settings by name.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The unguessable (in production) path segment of its webhook, and its name in the configuration.
    pub id: String,
    /// The adapter: `wechat`, `telegram`, `kuaidi100`, `sf`, `simulated`, …
    pub kind: String,
    /// The shop that it serves; none for a house account that serves several.
    pub shop: Option<String>,
    /// Open settings: `appid`, `mode`, `base_url`, …
    pub settings: BTreeMap<String, String>,
    /// Secrets: `token`, `key`, `checkword`, …
    pub secrets: BTreeMap<String, Private<String>>,
}

impl Account {
    /// `kind/id`: two kinds may have accounts of one id.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    /// An open setting, or the default.
    pub fn setting<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.settings.get(name).map_or(default, String::as_str)
    }

    /// Whether it works for a shop: its own, or one of those that a house account lists.
    pub fn serves_shop(&self, shop: &str) -> bool {
        match &self.shop {
            Some(own) => own == shop,
            None => self.setting("shops", "").split(',').any(|listed| listed.trim() == shop),
        }
    }

    /// Whether the merchant wants it used for a carrier's parcels: it lists the carrier, or lists none.
    pub fn takes_carrier(&self, code: &str) -> bool {
        let listed = self.setting("carriers", "");
        listed.is_empty() || listed.split(',').any(|one| one.trim() == code)
    }

    /// A secret by name; an empty string where it is missing (configuration checks that it is there).
    pub fn secret(&self, name: &str) -> &str {
        self.secrets.get(name).map_or("", |secret| secret.reveal().as_str())
    }
}

/// One person in one channel account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChatAddress {
    /// The channel: `wechat`, `telegram`, `webchat`.
    pub kind: String,
    /// The channel account's id.
    pub account: String,
    /// The person there: openid, chat id, session.
    #[serde(with = "secret::sealed")]
    pub id: Private<String>,
}
