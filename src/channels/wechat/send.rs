//! Messages outside of a reply: customer-service messages (客服消息), and the access token that they need.
//! Must never be repeated: WeChat has no key that would make a second send harmless.

use super::errors;
use super::spec;
use crate::channels::plain;
use crate::model::{Private, Shown, ShownChoice};
use crate::wire::{Answer, Call, Cure, Cx, Refusal, Token, TokenStep, sign};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Longest text above a menu; longer texts go before it as a message of their own.
const MENU_HEAD: usize = 1024;

#[derive(Serialize)]
#[serde(rename_all = "lowercase", tag = "msgtype")]
enum Body<'a> {
    Text { touser: &'a str, text: Content<'a> },
    Msgmenu { touser: &'a str, msgmenu: Menu<'a> },
}

#[derive(Serialize)]
struct Content<'a> {
    content: &'a str,
}

#[derive(Serialize)]
struct Menu<'a> {
    head_content: &'a str,
    list: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    content: String,
}

/// The calls that say `shown`, in order; as few as fit, because a window holds only five.
pub fn calls(cx: &Cx, to: &str, shown: &[Shown]) -> Result<Vec<Call>, Refusal> {
    let token = cx.token.ok_or(Refusal::TokenExpired)?;
    let url = format!(
        "{}/cgi-bin/message/custom/send?access_token={}",
        super::base_url(cx.account),
        sign::form_encode(token.text.reveal())
    );
    let menus = cx.account.setting("msgmenu", "off") == "on";
    let mut calls = Vec::new();
    let mut push = |body: Body| -> Result<(), Refusal> {
        // serde_json writes UTF-8 as it is: WeChat refuses \u escapes (40033).
        let body = serde_json::to_vec(&body).map_err(|_| Refusal::Unsupported)?;
        calls.push(Call::json("wechat.custom_send", url.clone(), body).once());
        Ok(())
    };
    let mut before: Vec<Vec<String>> = Vec::new();
    for block in shown {
        match block {
            Shown::Choices { text, choices } if menus && !choices.is_empty() => {
                before.push(plain::lines(text).collect());
                let whole = messages(&before).concat();
                let head = if messages(&before).len() == 1 && whole.len() <= MENU_HEAD {
                    whole
                } else {
                    let last = before.pop().unwrap_or_default();
                    for content in &messages(&before) {
                        push(Body::Text { touser: to, text: Content { content } })?;
                    }
                    super::cut(&super::inert(&last.join("\n")), MENU_HEAD)
                };
                push(Body::Msgmenu { touser: to, msgmenu: menu(&head, choices) })?;
                before.clear();
            }
            _ => before.push(plain::paragraph(block)),
        }
    }
    for content in &messages(&before) {
        push(Body::Text { touser: to, text: Content { content } })?;
    }
    Ok(calls)
}

fn menu<'a>(head: &'a str, choices: &'a [ShownChoice]) -> Menu<'a> {
    let item = |choice: &'a ShownChoice| Item {
        id: &choice.id,
        content: super::inert(&plain::clean(&plain::one_line(&choice.label))).into_owned(),
    };
    Menu { head_content: head, list: choices.iter().map(item).collect() }
}

/// Paragraphs as texts that fit.
fn messages(paragraphs: &[Vec<String>]) -> Vec<String> {
    let limit = spec().text_limit;
    let fit = |line: &String| -> Vec<String> {
        let line = super::inert(line);
        plain::pieces(&line, limit, char::len_utf8).into_iter().map(str::to_owned).collect()
    };
    let filled = paragraphs.iter().filter(|lines| !lines.is_empty());
    let fitting: Vec<Vec<String>> = filled.map(|lines| lines.iter().flat_map(fit).collect()).collect();
    plain::pack(&fitting, limit, str::len)
}

/// Reads the answer to a send.
pub fn read(cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
    /// An answer without a code is none of WeChat's.
    #[derive(Deserialize)]
    struct Sent {
        #[serde(rename = "errcode")]
        _errcode: i64,
    }
    errors::read::<Sent>(cx, answer).map(|_| ())
}

/// `stable_token`: unlike the classic one, fetching it again does not end the token that another process holds.
pub struct StableToken;

impl TokenStep for StableToken {
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal> {
        #[derive(Serialize)]
        struct Fetch<'a> {
            grant_type: &'a str,
            appid: &'a str,
            secret: &'a str,
            force_refresh: bool,
        }
        let (appid, secret) = (cx.account.setting("appid", ""), cx.account.secret("appsecret"));
        for (value, cure) in [(appid, "cure-appid"), (secret, "cure-appsecret")] {
            if value.is_empty() {
                return Err(Refusal::FixAccount { cure: Cure(cure) });
            }
        }
        let fetch = Fetch { grant_type: "client_credential", appid, secret, force_refresh: false };
        let body = serde_json::to_vec(&fetch).map_err(|_| Refusal::Unsupported)?;
        let url = format!("{}/cgi-bin/stable_token", super::base_url(cx.account));
        Ok(Call::json("wechat.stable_token", url, body))
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        #[derive(Deserialize)]
        struct Fetched {
            access_token: Private<String>,
            expires_in: i64,
        }
        let fetched: Fetched = match errors::read(cx, answer) {
            // Here the same code means the secret: a new try would not help.
            Err(Refusal::TokenExpired) => {
                return Err(Refusal::FixAccount { cure: Cure("cure-appsecret") });
            }
            other => other?,
        };
        let life = SignedDuration::from_secs(fetched.expires_in.clamp(0, 86_400));
        let expires = cx.now.checked_add(life).map_err(|_| Refusal::Unreadable)?;
        if fetched.access_token.reveal().is_empty() {
            return Err(Refusal::Unreadable);
        }
        Ok(Token { text: fetched.access_token, expires })
    }
}
