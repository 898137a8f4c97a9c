//! A Telegram peer: the Bot API's calls that Yishi makes, with its checks and its errors.
//! Source: facts/channels 3. `POST /telegram/inject` puts an update into the queue, `POST /telegram/fail
//! {"method":"sendMessage","error_code":429,"retry_after":3,"times":1}` breaks calls, `GET /telegram/sent` lists
//! what the bot did, oldest first. Must never use the adapter.

use super::{Asked, Simulated, Simulator, at_once, keys, lock};
use crate::wire::Answer;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// Only so many calls and updates are kept.
const KEPT: usize = 10_000;
/// Tags that HTML mode knows.
const TAGS: [&str; 14] =
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "code", "pre"];

/// What the peer remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    last_update: i64,
    last_message: i64,
    updates: VecDeque<Value>,
    sent: VecDeque<Value>,
    failures: Vec<Failure>,
    webhook: Option<Value>,
    pub(super) pollers: u64,
}

#[derive(Debug)]
struct Failure {
    method: String,
    code: u16,
    description: String,
    retry_after: Option<u64>,
    times: u64,
}

/// A refusal: the error code, and its description.
type Refused = (u16, String);

/// Whether a path is a long poll.
pub(super) fn is_poll(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    path.starts_with("/telegram/bot") && path.to_ascii_lowercase().ends_with("/getupdates")
}

/// What the older of two pollers hears.
pub(super) fn conflict() -> Answer {
    refuse(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
}

impl Simulator {
    pub(super) fn telegram(&self, asked: &Asked) -> Simulated {
        let path = asked.path.trim_start_matches("/telegram/");
        if let Some(rest) = path.strip_prefix("bot") {
            let (token, method) = rest.split_once('/').unwrap_or((rest, ""));
            if token != keys::TELEGRAM_TOKEN {
                return at_once(refuse(401, "Unauthorized"));
            }
            return lock(&self.telegram).call(&method.to_ascii_lowercase(), asked);
        }
        let answer = match path {
            "inject" => lock(&self.telegram).inject(asked.json()),
            "fail" => lock(&self.telegram).fail(&asked.json()),
            "sent" => Answer::new(200, json!(lock(&self.telegram).sent).to_string()),
            _ => Answer::new(404, ""),
        };
        self.news.notify_waiters();
        at_once(answer)
    }
}

impl State {
    fn call(&mut self, method: &str, asked: &Asked) -> Simulated {
        if let Some(answer) = self.injected(method) {
            return at_once(answer);
        }
        let given = Given::read(asked);
        if method == "getupdates" {
            return self.get_updates(&given);
        }
        let done = match method {
            "getme" => Ok(me()),
            "setwebhook" => self.set_webhook(&given),
            "deletewebhook" => {
                self.webhook = None;
                Ok(json!(true))
            }
            "getwebhookinfo" => Ok(json!({"url": self.webhook_url(), "has_custom_certificate": false,
                "pending_update_count": self.updates.len()})),
            "sendmessage" => self.send_message(&given, asked),
            "answercallbackquery" => answer_callback(&given),
            "setmycommands" => set_my_commands(&given),
            "sendchataction" | "setmydescription" | "setmyshortdescription" | "deletemycommands" => {
                Ok(json!(true))
            }
            "editmessagetext" | "editmessagereplymarkup" => Ok(json!(true)),
            _ => Err((404, "Not Found".to_owned())),
        };
        at_once(match done {
            Ok(result) => {
                if !matches!(method, "getme" | "getwebhookinfo") {
                    self.keep(json!({"method": method, "params": given.0, "result": result}));
                }
                Answer::new(200, json!({"ok": true, "result": result}).to_string())
            }
            Err((code, description)) => refuse(code, &description),
        })
    }

    fn keep(&mut self, call: Value) {
        self.sent.push_back(call);
        if self.sent.len() > KEPT {
            self.sent.pop_front();
        }
    }

    fn injected(&mut self, method: &str) -> Option<Answer> {
        let at =
            self.failures.iter().position(|failure| failure.method.is_empty() || failure.method == method)?;
        let failure = &mut self.failures[at];
        let mut body = json!({"ok": false, "error_code": failure.code, "description": failure.description});
        if let Some(seconds) = failure.retry_after {
            body["parameters"] = json!({"retry_after": seconds});
        }
        let answer = Answer::new(failure.code, body.to_string());
        failure.times -= 1;
        if failure.times == 0 {
            self.failures.remove(at);
        }
        Some(answer)
    }

    fn fail(&mut self, order: &Value) -> Answer {
        let text = |name: &str| order.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| order.get(name).and_then(Value::as_u64);
        let code = number("error_code").and_then(|code| u16::try_from(code).ok()).unwrap_or(429);
        let retry_after = number("retry_after").or((code == 429).then_some(1));
        let description = text("description").unwrap_or_else(|| match retry_after {
            Some(seconds) => format!("Too Many Requests: retry after {seconds}"),
            None => "Injected".to_owned(),
        });
        let method = text("method").unwrap_or_default().to_ascii_lowercase();
        let times = number("times").unwrap_or(1).max(1);
        self.failures.push(Failure { method, code, description, retry_after, times });
        Answer::new(200, "{}")
    }

    /// Takes an update, with or without its number.
    fn inject(&mut self, mut update: Value) -> Answer {
        let Some(fields) = update.as_object_mut() else {
            return Answer::new(400, r#"{"error":"not an update"}"#);
        };
        let id = fields.get("update_id").and_then(Value::as_i64).unwrap_or(self.last_update.max(100_000) + 1);
        fields.insert("update_id".to_owned(), id.into());
        self.last_update = self.last_update.max(id);
        self.updates.push_back(update);
        if self.updates.len() > KEPT {
            self.updates.pop_front();
        }
        let told = json!({"update_id": id, "webhook": self.webhook_url()});
        Answer::new(200, told.to_string())
    }

    fn get_updates(&mut self, given: &Given) -> Simulated {
        if self.webhook.is_some() {
            let text = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return at_once(refuse(409, text));
        }
        let limit = given.number("limit").unwrap_or(100).clamp(1, 100) as usize;
        let timeout = given.number("timeout").unwrap_or(0).clamp(0, 50) as u64;
        match given.number("offset").unwrap_or(0) {
            // An offset confirms everything before it; a negative one counts from the end and forgets the rest.
            offset if offset > 0 => self.updates.retain(|update| update_id(update) >= offset),
            0 => {}
            offset => {
                let keep = usize::try_from(-offset).unwrap_or(usize::MAX);
                while self.updates.len() > keep {
                    self.updates.pop_front();
                }
            }
        }
        let told: Vec<&Value> = self.updates.iter().take(limit).collect();
        let delay = if told.is_empty() { Duration::from_secs(timeout) } else { Duration::ZERO };
        Simulated { answer: Answer::new(200, json!({"ok": true, "result": told}).to_string()), delay }
    }

    fn webhook_url(&self) -> &str {
        self.webhook.as_ref().and_then(|hook| hook.get("url")).and_then(Value::as_str).unwrap_or("")
    }

    fn set_webhook(&mut self, given: &Given) -> Result<Value, Refused> {
        let url = given.text("url").unwrap_or_default();
        if url.is_empty() {
            self.webhook = None;
            return Ok(json!(true));
        }
        if !url.starts_with("https://") {
            return bad("bad webhook: An HTTPS URL must be provided for webhook");
        }
        let secret = given.text("secret_token").unwrap_or_default();
        if secret.len() > 256
            || !secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        {
            return bad("secret token contains unallowed characters");
        }
        self.webhook = Some(json!({"url": url, "secret_token": secret}));
        Ok(json!(true))
    }

    fn send_message(&mut self, given: &Given, asked: &Asked) -> Result<Value, Refused> {
        let chat = given.text("chat_id").and_then(|id| id.parse::<i64>().ok());
        let Some(chat) = chat.filter(|id| *id != 0) else { return bad("chat not found") };
        let text = given.text("text").unwrap_or_default();
        let shown = match given.text("parse_mode").as_deref() {
            Some("HTML") => plain_text(&text).or_else(|why| bad(&format!("can't parse entities: {why}")))?,
            None | Some("") => text,
            Some(_) => return bad("unsupported parse_mode"),
        };
        if shown.trim().is_empty() {
            return bad("message text is empty");
        }
        if shown.encode_utf16().count() > 4_096 {
            return bad("message is too long");
        }
        let markup = given.value("reply_markup");
        check_buttons(&markup)?;
        self.last_message += 1;
        let mut message = json!({"message_id": self.last_message, "from": bot(), "date": asked.now.as_second(),
            "chat": {"id": chat, "type": "private", "first_name": "Demo"}, "text": shown});
        if markup.get("inline_keyboard").is_some() {
            message["reply_markup"] = markup;
        }
        Ok(message)
    }
}

/// Parameters: JSON, or a form whose nested values are JSON texts.
struct Given(Map<String, Value>);

impl Given {
    fn read(asked: &Asked) -> Self {
        let mut fields: Map<String, Value> = form_urlencoded::parse(asked.query.as_bytes())
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
        match asked.json() {
            Value::Object(body) => fields.extend(body),
            _ => fields.extend(asked.form().into_iter().map(|(key, value)| (key, Value::String(value)))),
        }
        Self(fields)
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A nested value.
    fn value(&self, name: &str) -> Value {
        match self.0.get(name) {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            Some(value) => value.clone(),
            None => Value::Null,
        }
    }
}

fn update_id(update: &Value) -> i64 {
    update.get("update_id").and_then(Value::as_i64).unwrap_or(0)
}

fn bad<T>(why: &str) -> Result<T, Refused> {
    Err((400, format!("Bad Request: {why}")))
}

fn refuse(code: u16, description: &str) -> Answer {
    Answer::new(code, json!({"ok": false, "error_code": code, "description": description}).to_string())
}

fn bot() -> Value {
    json!({"id": 1_000_000_001, "is_bot": true, "first_name": "Yishi 驿使", "username": "yishi_demo_bot"})
}

/// `getMe` with every field that strict clients ask for.
fn me() -> Value {
    let mut me = bot();
    for (name, can) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[name] = can.into();
    }
    me
}

fn answer_callback(given: &Given) -> Result<Value, Refused> {
    if given.text("callback_query_id").is_none_or(|id| id.is_empty()) {
        return bad("query is too old and response timeout expired or query ID is invalid");
    }
    if given.text("text").is_some_and(|text| text.chars().count() > 200) {
        return bad("MESSAGE_TOO_LONG");
    }
    Ok(json!(true))
}

fn set_my_commands(given: &Given) -> Result<Value, Refused> {
    let commands = given.value("commands");
    let Some(commands) = commands.as_array().filter(|list| list.len() <= 100) else {
        return bad("can't parse BotCommand");
    };
    for command in commands {
        let text = |name: &str| command.get(name).and_then(Value::as_str).unwrap_or("");
        let name = text("command").trim_start_matches('/');
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !(1..=32).contains(&name.len()) || !letters {
            return bad("BOT_COMMAND_INVALID");
        }
        if !(1..=256).contains(&text("description").chars().count()) {
            return bad("BOT_COMMAND_DESCRIPTION_INVALID");
        }
    }
    let language = given.text("language_code").unwrap_or_default();
    if !(language.is_empty() || (language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase()))) {
        return bad("LANG_CODE_INVALID");
    }
    Ok(json!(true))
}

/// Callback data is 1–64 bytes.
fn check_buttons(markup: &Value) -> Result<(), Refused> {
    let rows = markup.get("inline_keyboard").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        let text = |name: &str| button.get(name).and_then(Value::as_str);
        if text("text").is_none_or(str::is_empty) {
            return bad("BUTTON_TEXT_INVALID");
        }
        if text("callback_data").is_some_and(|data| !(1..=64).contains(&data.len())) {
            return bad("BUTTON_DATA_INVALID");
        }
    }
    Ok(())
}

/// Text after the entities are taken out, or why they cannot be: unknown tag, no end, no start.
fn plain_text(html: &str) -> Result<String, String> {
    let mut open: Vec<String> = Vec::new();
    let mut shown = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        shown.push_str(&html_escape::decode_html_entities(&rest[..at]));
        let offset = html.len() - rest.len() + at;
        let Some(end) = rest[at..].find('>').map(|end| at + end) else {
            return Err(format!("unclosed start tag at byte offset {offset}"));
        };
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let name = name.trim().to_ascii_lowercase();
            match open.pop() {
                Some(expected) if expected == name => {}
                Some(expected) => {
                    return Err(format!(
                        "unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                None => return Err(format!("unexpected end tag at byte offset {offset}")),
            }
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        if !TAGS.contains(&name.as_str()) && !matches!(name.as_str(), "blockquote" | "tg-emoji") {
            return Err(format!("unsupported start tag \"{name}\" at byte offset {offset}"));
        }
        open.push(name);
    }
    shown.push_str(&html_escape::decode_html_entities(rest));
    match open.pop() {
        Some(name) => Err(format!("can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_parsed_as_strictly_as_there() {
        assert_eq!(plain_text("<b>圆通</b> a &lt; b &amp; c").as_deref(), Ok("圆通 a < b & c"));
        assert_eq!(plain_text("<a href=\"https://x.example/\">x</a>").as_deref(), Ok("x"));
        for broken in
            ["a < b", "<b>x", "x</b>", "<b><i>x</b></i>", "<div>x</div>", "<script>x</script>", "<b"]
        {
            assert!(plain_text(broken).is_err(), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[<>/a-b&; \"=中]{0,40}") {
            let _ = plain_text(&text);
        }
    }
}
