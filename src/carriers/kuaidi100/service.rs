//! Kuaidi100's newer services (family C), which live at another address than the questions and are signed with their time.
//! Source: facts/aggregators 1.1 and 1.2. Must never be called without the account's `secret`.

use crate::carriers::body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA, CURE_SETTINGS};
use crate::wire::{Call, Cx, Refusal, sign};
use serde::Deserialize;

/// Family C: `UPPER(MD5(param + t + key + secret))`, `t` in milliseconds.
pub(super) fn service_signature(param: &str, time: &str, key: &str, secret: &str) -> String {
    sign::md5_hex_upper([param, time, key, secret].concat().as_bytes())
}

/// A call of one of the newer services (family C), which live at another address than the questions.
pub(super) fn service(
    cx: &Cx,
    operation: &'static str,
    path: &str,
    method: &str,
    param: &str,
) -> Result<Call, Refusal> {
    let (key, secret) = (cx.account.secret("key"), cx.account.secret("secret"));
    if secret.is_empty() {
        return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
    }
    let time = cx.now.as_millisecond().to_string();
    let sign = service_signature(param, &time, key, secret);
    let url = format!("{}{path}", cx.account.setting("service_url", "https://api.kuaidi100.com"));
    let fields = [("method", method), ("key", key), ("t", &time), ("sign", &sign), ("param", param)];
    Ok(Call::form(operation, url, &fields))
}

/// What each of them answers.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Said<T> {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default)]
    pub(super) data: Option<T>,
}

impl<T> Said<T> {
    /// 200 is good; the other codes are hardly known, so refusals are told apart by their words: those that all services
    /// share, then the service's own, the first that fits.
    pub(super) fn refusal(&self, own: &[(&[&str], Refusal)]) -> Result<(), Refusal> {
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let fix = |cure| Err(Refusal::FixAccount { cure });
        match self.code.as_deref() {
            Some("200") => Ok(()),
            None => Err(Refusal::Unreadable),
            _ if has(&["签名", "sign", "key"]) => fix(CURE_CREDENTIALS),
            _ if has(&["余额", "充值", "单量不足"]) => fix(CURE_QUOTA),
            _ if has(&["未开通", "权限", "授权"]) => fix(CURE_PERMISSION),
            _ => {
                let fits = own.iter().find(|(words, _)| has(words));
                Err(fits.map_or(Refusal::Retry { after: None }, |(_, refusal)| refusal.clone()))
            }
        }
    }
}

/// Too many calls, in the words of these services.
pub(super) const THROTTLED: (&[&str], Refusal) = (&["频繁", "频率"], Refusal::Throttled { until: None });
