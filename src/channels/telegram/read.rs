//! What a Telegram update means to us: somebody wrote, tapped, came by a link, or blocked the bot.
//! Must never take a message from a group, from a bot, or lose a buyer's words because Telegram grew a new field.

use crate::channels::{Incoming, What};
use crate::wire::{Refusal, Unverified};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use teloxide::types::{ChatMemberKind, MessageKind, Update, UpdateKind, User};

/// Commands whose words say all that is needed: `/track SF…` is read as `SF…`.
const WITH_WORDS: &[&str] = &["track", "language"];

/// Prefix of a [`What::Choice`] that a command makes: `/human` → `command:human`.
pub const COMMAND: &str = "command:";

/// The message in an update; `None` where there is nothing for us in it.
pub fn update(body: &[u8]) -> Result<Option<Incoming>, Unverified> {
    // An `Update` is 2 KB: boxed, so that it does not grow every future that holds one.
    let update: Box<Update> = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
    let key = update.id.0.to_string();
    match update.kind {
        UpdateKind::Message(message) => {
            let Some(user) = message.from.as_ref().filter(|_| message.chat.is_private()) else {
                return Ok(None);
            };
            let what = match (message.text().or(message.caption()), &message.kind) {
                (Some(text), _) => words(text),
                // The library reads a message with a new sort of entity as an empty one: its words may still be there.
                (None, kind) => match lean(key.clone(), body) {
                    Some(incoming) => return Ok(Some(incoming)),
                    None if matches!(kind, MessageKind::Common(_) | MessageKind::Dice(_)) => What::Other,
                    // Service messages: a pinned message, a set timer, …
                    None => return Ok(None),
                },
            };
            let at = Timestamp::from_second(message.date.timestamp()).ok();
            Ok(incoming(key, user, at, what, String::new()))
        }
        UpdateKind::CallbackQuery(query) => {
            let private = query.message.as_ref().is_none_or(|message| message.chat().is_private());
            let Some(data) = query.data.filter(|_| private) else { return Ok(None) };
            Ok(incoming(key, &query.from, None, What::Choice(data), query.id.0))
        }
        UpdateKind::MyChatMember(change) => {
            let blocked = matches!(change.new_chat_member.kind, ChatMemberKind::Banned(_));
            if !blocked || !change.chat.is_private() {
                return Ok(None);
            }
            let at = Timestamp::from_second(change.date.timestamp()).ok();
            Ok(incoming(key, &change.from, at, What::Left, String::new()))
        }
        // A kind that the library does not know, or a known one with something new in it that it cannot read.
        UpdateKind::Error(_) => Ok(lean(key, body)),
        _ => Ok(None),
    }
}

/// The messages of a `getUpdates` result, and the offset that confirms them all.
pub fn updates(result: &str) -> Result<(Vec<Incoming>, Option<String>), Refusal> {
    #[derive(Deserialize)]
    struct Id {
        update_id: u64,
    }
    let raw: Vec<&RawValue> = serde_json::from_str(result).map_err(|_| Refusal::Unreadable)?;
    let (mut messages, mut next) = (Vec::new(), None);
    for raw in raw {
        // One that cannot be read is confirmed too: it would come again for ever and block those behind it.
        if let Ok(Id { update_id }) = serde_json::from_str(raw.get()) {
            next = next.max(Some(update_id.saturating_add(1)));
        }
        messages.extend(update(raw.get().as_bytes()).ok().flatten());
    }
    Ok((messages, next.map(|offset| offset.to_string())))
}

fn incoming(
    key: String,
    user: &User,
    at: Option<Timestamp>,
    what: What,
    reply_to: String,
) -> Option<Incoming> {
    let locale = user.language_code.as_deref().map(locale);
    // In a private chat the chat's id is the person's.
    (!user.is_bot).then(|| Incoming { key, from: user.id.0.to_string(), at, what, locale, reply_to })
}

/// Telegram's clients tell `zh-hans` and `zh-hant`; all else is a language tag already.
fn locale(code: &str) -> String {
    match code.to_ascii_lowercase().as_str() {
        "zh-hans" => "zh-CN".to_owned(),
        "zh-hant" => "zh-TW".to_owned(),
        _ => code.to_owned(),
    }
}

/// `/start` comes in, with the payload of its link; other commands choose; all else is text.
fn words(text: &str) -> What {
    let text = text.trim();
    if text.is_empty() {
        return What::Other;
    }
    let Some(command) = text.strip_prefix('/') else { return What::Text(text.to_owned()) };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let name = name.split('@').next().unwrap_or("").to_ascii_lowercase();
    let rest = rest.trim();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return What::Text(text.to_owned());
    }
    match name.as_str() {
        "start" => What::Joined((!rest.is_empty()).then(|| rest.to_owned())),
        name if WITH_WORDS.contains(&name) && !rest.is_empty() => What::Text(rest.to_owned()),
        _ => What::Choice(format!("{COMMAND}{name}")),
    }
}

#[derive(Deserialize)]
struct LeanUpdate {
    message: Option<LeanMessage>,
    callback_query: Option<LeanQuery>,
    my_chat_member: Option<LeanChange>,
}

#[derive(Deserialize)]
struct LeanMessage {
    from: Option<LeanUser>,
    chat: LeanChat,
    date: Option<i64>,
    text: Option<String>,
    caption: Option<String>,
}

#[derive(Deserialize)]
struct LeanUser {
    id: u64,
    #[serde(default)]
    is_bot: bool,
    language_code: Option<String>,
}

#[derive(Deserialize)]
struct LeanChat {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct LeanQuery {
    id: String,
    from: LeanUser,
    message: Option<LeanMessage>,
    data: Option<String>,
}

#[derive(Deserialize)]
struct LeanChange {
    from: LeanUser,
    chat: LeanChat,
    new_chat_member: LeanMember,
}

#[derive(Deserialize)]
struct LeanMember {
    status: String,
}

/// The few fields that we need of an update which the library cannot read: it reads strictly, and a message with a new
/// sort of entity in it is still a buyer's question.
fn lean(key: String, body: &[u8]) -> Option<Incoming> {
    let update: LeanUpdate = serde_json::from_slice(body).ok()?;
    let private = |chat: &LeanChat| chat.kind == "private";
    let (user, at, what, reply_to) = if let Some(message) = update.message {
        let text = message.text.or(message.caption).filter(|_| private(&message.chat));
        (message.from?, message.date, words(&text?), String::new())
    } else if let Some(query) = update.callback_query {
        if query.message.is_some_and(|message| !private(&message.chat)) {
            return None;
        }
        (query.from, None, What::Choice(query.data?), query.id)
    } else {
        let change = update.my_chat_member.filter(|change| private(&change.chat))?;
        if change.new_chat_member.status != "kicked" {
            return None;
        }
        (change.from, None, What::Left, String::new())
    };
    if user.is_bot {
        return None;
    }
    let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let locale = user.language_code.as_deref().map(locale);
    Some(Incoming { key, from: user.id.to_string(), at, what, locale, reply_to })
}
