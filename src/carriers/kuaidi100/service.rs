//! Kuaidi100's newer services (family C), which live at another address than the questions and are signed with their time.
//! Source: facts/aggregators 1.1 and 1.2. Must never be called without the account's `secret`.

use crate::carriers::body::CURE_SETTINGS;
use crate::wire::{Call, Cx, Refusal, sign};

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
