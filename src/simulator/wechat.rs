//! A WeChat peer (公众号): gives out tokens, takes customer messages and keeps them to be looked at.
//! Source: facts/channels 1.6–1.8. `POST /wechat/fail {"errcode":45015,"times":1}` breaks the next sends;
//! `GET /wechat/sent` lists what was taken, oldest first. Must never use the adapter.

use super::{Asked, Simulator, keys, lock};
use crate::wire::Answer;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Only so many messages are kept.
const KEPT: usize = 10_000;
const LIFE: SignedDuration = SignedDuration::from_secs(7_200);
/// A stable token is replaced in its last five minutes, and both work until it ends.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// What the peer remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    serial: u32,
    tokens: VecDeque<(String, Timestamp)>,
    sent: VecDeque<Value>,
    failures: VecDeque<i64>,
}

impl Simulator {
    pub(super) fn wechat(&self, asked: &Asked) -> Answer {
        let mut state = lock(&self.wechat);
        match asked.path.trim_start_matches("/wechat") {
            "/cgi-bin/stable_token" => {
                let given = asked.json();
                let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
                let force = given.get("force_refresh").and_then(Value::as_bool).unwrap_or(false);
                state.token(&text("grant_type"), &text("appid"), &text("secret"), force, asked.now)
            }
            "/cgi-bin/token" => {
                let text = |name: &str| asked.query(name).unwrap_or_default();
                state.token(&text("grant_type"), &text("appid"), &text("secret"), true, asked.now)
            }
            "/cgi-bin/message/custom/send" => state.send(asked),
            "/cgi-bin/message/template/send" => state.announce(asked, true),
            "/cgi-bin/message/subscribe/bizsend" => state.announce(asked, false),
            "/cgi-bin/message/custom/typing" => state.check(asked).unwrap_or_else(|| error(0, "ok")),
            "/sent" => Answer::new(200, json!(state.sent).to_string()),
            "/fail" => state.fail(&asked.json()),
            _ => Answer::new(404, ""),
        }
    }
}

impl State {
    fn token(&mut self, grant: &str, appid: &str, secret: &str, force: bool, now: Timestamp) -> Answer {
        if grant != "client_credential" {
            return error(40002, "invalid grant_type");
        }
        if appid != keys::WECHAT_APPID {
            return error(40013, "invalid appid");
        }
        if secret != keys::WECHAT_SECRET {
            return error(40125, "invalid appsecret");
        }
        let current = self.tokens.back().filter(|(_, ends)| ends.duration_since(now) > OVERLAP);
        if let Some((token, ends)) = current.filter(|_| !force) {
            let left = ends.duration_since(now).as_secs();
            return Answer::new(200, json!({"access_token": token, "expires_in": left}).to_string());
        }
        if force {
            self.tokens.clear();
        }
        self.serial += 1;
        let token = format!("SIMULATED-{:04}-{}", self.serial, "a".repeat(120));
        self.tokens.push_back((token.clone(), now.saturating_add(LIFE).unwrap_or(now)));
        while self.tokens.len() > 2 {
            self.tokens.pop_front();
        }
        Answer::new(200, json!({"access_token": token, "expires_in": LIFE.as_secs()}).to_string())
    }

    /// Token and injected faults; `None` where the call may go on.
    fn check(&mut self, asked: &Asked) -> Option<Answer> {
        let given = asked.query("access_token").unwrap_or_default();
        if given.is_empty() {
            return Some(error(41001, "access_token missing"));
        }
        match self.tokens.iter().find(|(token, _)| *token == given) {
            None => return Some(error(40001, "invalid credential, access_token is invalid or not latest")),
            Some((_, ends)) if *ends <= asked.now => return Some(error(42001, "access_token expired")),
            Some(_) => {}
        }
        let code = self.failures.pop_front()?;
        if matches!(code, 40001 | 40014 | 42001) {
            // The token that was told to be bad stays bad.
            self.tokens.clear();
        }
        Some(error(code, "injected"))
    }

    fn send(&mut self, asked: &Asked) -> Answer {
        if let Some(refused) = self.check(asked) {
            return refused;
        }
        let Ok(message) = serde_json::from_slice::<Value>(asked.body) else {
            return error(47001, "data format error");
        };
        // WeChat shows escapes as they stand, so it refuses them.
        if String::from_utf8_lossy(asked.body).contains("\\u") {
            return error(
                40033,
                "invalid charset. please check your request, if include \\uxxxx will create fail!",
            );
        }
        let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or("");
        if text("touser").is_empty() {
            return error(40003, "invalid openid");
        }
        let content = message.pointer("/text/content").and_then(Value::as_str).unwrap_or("");
        match text("msgtype") {
            "text" if content.is_empty() => return error(44004, "empty content"),
            "text" if content.len() > 2_048 => return error(45002, "content size out of limit"),
            "text" | "image" | "voice" | "link" | "miniprogrampage" => {}
            "news" => {
                let articles =
                    message.pointer("/news/articles").and_then(Value::as_array).map_or(0, Vec::len);
                if articles != 1 {
                    return error(45008, "article size out of limit");
                }
            }
            "msgmenu" => {
                if message.pointer("/msgmenu/list").and_then(Value::as_array).is_none_or(Vec::is_empty) {
                    return error(47001, "data format error");
                }
            }
            _ => return error(40008, "invalid message type"),
        }
        self.sent.push_back(message);
        if self.sent.len() > KEPT {
            self.sent.pop_front();
        }
        error(0, "ok")
    }

    /// A template message or a subscribe notice: values are held to the kind of their field.
    fn announce(&mut self, asked: &Asked, deduplicated: bool) -> Answer {
        if let Some(refused) = self.check(asked) {
            return refused;
        }
        let Ok(mut message) = serde_json::from_slice::<Value>(asked.body) else {
            return error(47001, "data format error");
        };
        let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        if text("touser").is_empty() {
            return error(40003, "invalid openid");
        }
        if text("template_id") != "DEMO-TEMPLATE" {
            return error(40037, "invalid template_id");
        }
        let fits = |(key, value): (&String, &Value)| {
            let value = value.get("value").and_then(Value::as_str).unwrap_or("");
            let count = value.chars().count();
            match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
                "character_string" => (1..=32).contains(&count) && value.is_ascii(),
                "phrase" | "short_thing" => (1..=5).contains(&count),
                _ => (1..=20).contains(&count),
            }
        };
        let data = message.get("data").and_then(Value::as_object);
        if !data.is_some_and(|data| !data.is_empty() && data.iter().all(fits)) {
            return error(47003, "argument invalid! data.thing1.value is invalid");
        }
        let id = text("client_msg_id");
        let known = |sent: &Value| !id.is_empty() && sent["client_msg_id"] == id.as_str();
        if !(deduplicated && self.sent.iter().any(known)) {
            message["msgtype"] = "template".into();
            self.sent.push_back(message);
        }
        error(0, "ok")
    }

    /// `{"errcode":45015,"times":2}`
    fn fail(&mut self, order: &Value) -> Answer {
        let Some(code) = order.get("errcode").and_then(Value::as_i64) else {
            return Answer::new(400, r#"{"error":"errcode is missing"}"#);
        };
        let times = order.get("times").and_then(Value::as_u64).unwrap_or(1).min(1_000);
        self.failures.extend((0..times).map(|_| code));
        Answer::new(200, "{}")
    }
}

/// HTTP 200 also for errors, as the platform does.
fn error(code: i64, message: &str) -> Answer {
    let message =
        if code == 0 { message.to_owned() } else { format!("{message} rid: 00000000-00000000-00000000") };
    Answer::new(200, json!({"errcode": code, "errmsg": message}).to_string())
}
