//! Calls to the Bot API and what its answers mean, by what to do.
//! Must never send a message twice, or show the token, which is part of every address, in an error.

use super::{SPEC, html, polled, usable_secret};
use crate::channels::Incoming;
use crate::model::Shown;
use crate::wire::{Answer, Call, Cure, Cx, Refusal};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

/// How long `getUpdates` waits for the next update, in seconds; Telegram allows 50.
pub const POLL_SECS: u64 = 25;

/// Kinds of update that we read. Telegram remembers the list, so it is named in each call that takes it.
const ALLOWED_UPDATES: &[&str] = &["message", "callback_query", "my_chat_member"];

/// Longest pause that is believed, in seconds.
const MAX_RETRY_AFTER: u64 = 86_400;

fn fix(cure: &'static str) -> Refusal {
    Refusal::FixAccount { cure: Cure(cure) }
}

fn call(cx: &Cx, operation: &'static str, method: &str, body: &serde_json::Value) -> Result<Call, Refusal> {
    let token = cx.account.secret("bot_token");
    if token.is_empty() {
        return Err(fix("cure-token"));
    }
    let base = cx.account.setting("base_url", SPEC.base_url).trim_end_matches('/');
    Ok(Call::json(operation, format!("{base}/bot{token}/{method}"), body.to_string().into_bytes()))
}

/// The calls that say `shown`: a tap is acknowledged first, or its button would go on spinning.
pub fn send(cx: &Cx, to: &str, incoming: Option<&Incoming>, shown: &[Shown]) -> Result<Vec<Call>, Refusal> {
    let chat: i64 = to.parse().map_err(|_| Refusal::Unreachable)?;
    let mut calls = Vec::new();
    if let Some(query) = incoming.map(|incoming| &incoming.reply_to).filter(|query| !query.is_empty()) {
        let body = json!({ "callback_query_id": query });
        calls.push(call(cx, "telegram.answer_callback_query", "answerCallbackQuery", &body)?);
    }
    for message in html::messages(shown) {
        let mut body = json!({
            "chat_id": chat,
            "text": message.text,
            "parse_mode": "HTML",
            // A preview would make Telegram's servers fetch the buyer's own tracking page.
            "link_preview_options": { "is_disabled": true },
        });
        if !message.buttons.is_empty() {
            let rows: Vec<_> = message
                .buttons
                .iter()
                .map(|(label, data)| json!([{ "text": label, "callback_data": data }]))
                .collect();
            body["reply_markup"] = json!({ "inline_keyboard": rows });
        }
        calls.push(call(cx, "telegram.send_message", "sendMessage", &body)?.once());
    }
    Ok(calls)
}

/// Waits for updates from `cursor` on, which confirms all before it.
pub fn get_updates(cx: &Cx, cursor: Option<&str>) -> Result<Call, Refusal> {
    let mut body = json!({ "timeout": POLL_SECS, "limit": 100, "allowed_updates": ALLOWED_UPDATES });
    if let Some(offset) = cursor.and_then(|cursor| cursor.parse::<u64>().ok()) {
        body["offset"] = offset.into();
    }
    call(cx, "telegram.get_updates", "getUpdates", &body)
}

/// The menu of commands for each language, and where updates go. `commands`: (language, [(command, description)]);
/// an empty language is everybody else's; where there is none, the first one is.
pub fn hello(cx: &Cx, commands: &[(String, Vec<(String, String)>)]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut menus: Vec<(&str, &[(String, String)])> = Vec::new();
    if let Some((_, first)) = commands.first()
        && !commands.iter().any(|(language, _)| language.is_empty())
    {
        menus.push(("", first));
    }
    for (language, list) in commands {
        // Two letters without region: zh-CN and zh-TW are one here, the first named wins.
        let short = language.split(['-', '_']).next().unwrap_or("");
        if (short.is_empty() || short.len() == 2) && !menus.iter().any(|(known, _)| *known == short) {
            menus.push((short, list));
        }
    }
    for (language, list) in menus {
        let commands: Vec<_> = list
            .iter()
            .filter(|(name, about)| usable_command(name) && !about.is_empty())
            .take(100)
            .map(|(name, about)| {
                let about: String = about.chars().take(256).collect();
                json!({ "command": name, "description": about })
            })
            .collect();
        let mut body = json!({ "commands": commands });
        if !language.is_empty() {
            body["language_code"] = language.into();
        }
        calls.extend(call(cx, "telegram.set_my_commands", "setMyCommands", &body));
    }
    let (url, secret) = (cx.account.setting("webhook_url", ""), cx.account.secret("webhook_secret"));
    if polled(cx.account) {
        // A webhook left from before would make every getUpdates a 409.
        calls.extend(call(cx, "telegram.delete_webhook", "deleteWebhook", &json!({})));
    } else if !url.is_empty() && usable_secret(secret) {
        let body = json!({ "url": url, "secret_token": secret, "allowed_updates": ALLOWED_UPDATES });
        calls.extend(call(cx, "telegram.set_webhook", "setWebhook", &body));
    }
    calls
}

/// 1–32 of a–z, 0–9 and `_`.
fn usable_command(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[derive(Deserialize)]
struct Envelope<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<u64>,
}

/// The result of a call, or what to do about its refusal.
pub fn result<'a>(cx: &Cx, answer: &'a Answer) -> Result<&'a RawValue, Refusal> {
    // serde would also take an array for a struct.
    let object = answer.body.trim_ascii_start().first() == Some(&b'{');
    let Some(envelope) = serde_json::from_slice::<Envelope>(&answer.body).ok().filter(|_| object) else {
        return Err(match answer.status {
            429 | 500..=599 => Refusal::Retry { after: None },
            _ => Refusal::Unreadable,
        });
    };
    if envelope.ok {
        return envelope.result.ok_or(Refusal::Unreadable);
    }
    let until = |seconds: u64| {
        cx.now.checked_add(SignedDuration::from_secs(seconds.min(MAX_RETRY_AFTER) as i64)).ok()
    };
    let words = envelope.description.to_ascii_lowercase();
    let gone = ["chat not found", "user not found", "peer_id_invalid", "user is deactivated"];
    Err(match envelope.error_code.unwrap_or(answer.status) {
        429 => Refusal::Throttled { until: envelope.parameters.retry_after.and_then(until) },
        403 => Refusal::Unreachable,
        // Said by a 400, though nothing is wrong.
        400 if words.contains("message is not modified") => Refusal::AlreadyDone,
        // Too late to stop the button's spinning: it stopped by itself.
        400 if words.contains("query is too old") => Refusal::AlreadyDone,
        400 if gone.iter().any(|gone| words.contains(gone)) => Refusal::Unreachable,
        401 | 404 => fix("cure-token"),
        409 => fix("cure-polling-conflict"),
        500..=599 => Refusal::Retry { after: None },
        // Too long, unreadable markup, bad button: the same message will not get better.
        _ => Refusal::Unsupported,
    })
}

/// Reads the answer to a send.
pub fn read_sent(cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
    match result(cx, answer) {
        Ok(_) | Err(Refusal::AlreadyDone) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}
