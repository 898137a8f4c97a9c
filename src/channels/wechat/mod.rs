//! WeChat official accounts (微信公众号, 服务号): buyers write to the shop's account and are answered there.
//! Must never answer a message whose sender is not proved, nor take plain text where encrypted text is agreed.
//!
//! Source: Tencent's documentation of message push and customer messages, see `docs/channels/wechat.md`.

mod cipher;
mod errors;
mod json;
mod read;
mod send;
mod template;
#[cfg(test)]
mod tests;
mod xml;

use super::plain;
use super::{Channel, ChannelSpec, Inbound, Incoming, LimitUnit, Template};
use crate::model::{Account, Shown};
use crate::wire::{
    Answer, Call, Cure, Cx, Proof, Refusal, Reply, Request, TokenStep, Unverified, Verified, sign,
};
use cipher::Cipher;
use std::borrow::Cow;

/// The registry entry.
pub static WECHAT: WeChat = WeChat;

/// The channel.
#[derive(Debug)]
pub struct WeChat;

static SPEC: ChannelSpec = ChannelSpec {
    kind: "wechat",
    secrets: &["token", "encoding_aes_key", "appsecret"],
    settings: &["appid"],
    base_url: "https://api.weixin.qq.com",
    // The platform hangs up after 5 s; half a second is for the way.
    deadline_ms: 4_500,
    window_secs: 48 * 3600,
    window_quota: 5,
    text_limit: 2048,
    limit_unit: LimitUnit::Bytes,
};

/// Messages are below 10 KB; an encrypted one is a third longer.
const MAX_BODY: usize = 128 * 1024;

/// `echostr` is a decimal number above 2^53.
const MAX_ECHO: usize = 256;

/// Seconds that a request's timestamp may differ from now: the platform has no protection against replays.
const TOLERANCE: i64 = 300;

fn spec() -> &'static ChannelSpec {
    &SPEC
}

fn base_url(account: &Account) -> &str {
    account.setting("base_url", SPEC.base_url).trim_end_matches('/')
}

/// How messages travel, as chosen in WeChat's console (明文 / 兼容 / 安全模式).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    Compat,
    Safe,
}

impl Mode {
    /// Anything else than the two weaker names is the safe one.
    fn of(account: &Account) -> Self {
        match account.setting("mode", "safe") {
            "plain" => Self::Plain,
            "compat" => Self::Compat,
            _ => Self::Safe,
        }
    }

    /// Whether this request must be, or says that it is, encrypted.
    fn encrypted(self, request: &Request) -> bool {
        match self {
            Self::Plain => false,
            Self::Compat => {
                request.query("encrypt_type") == "aes" || !request.query("msg_signature").is_empty()
            }
            Self::Safe => true,
        }
    }
}

fn cipher(account: &Account) -> Option<Cipher> {
    Cipher::new(account.secret("encoding_aes_key"))
}

/// Proves `parts` (with the token, timestamp and nonce of the query) by the signature named `name`.
fn signed(
    account: &Account,
    request: &Request,
    name: &str,
    encrypt: Option<&str>,
) -> Result<Proof, Unverified> {
    let token = account.secret("token");
    // Without a token anybody could sign.
    if token.is_empty() {
        return Err(Unverified::BadSignature);
    }
    let (timestamp, nonce) = (request.query("timestamp"), request.query("nonce"));
    let expected = match encrypt {
        None => sign::sorted_sha1(&[token, timestamp, nonce]),
        Some(encrypt) => sign::sorted_sha1(&[token, timestamp, nonce, encrypt]),
    };
    sign::matches(expected.as_bytes(), request.query(name).as_bytes()).ok_or(Unverified::BadSignature)
}

/// Refuses a timestamp that is not of now; setting `timestamp_tolerance_secs` widens it, 0 switches it off.
fn fresh(cx: &Cx, request: &Request) -> Result<(), Unverified> {
    let setting = cx.account.setting("timestamp_tolerance_secs", "");
    let tolerance = setting.trim().parse().ok().filter(|seconds| *seconds >= 0).unwrap_or(TOLERANCE);
    if tolerance == 0 {
        return Ok(());
    }
    let sent: i64 = request.query("timestamp").parse().map_err(|_| Unverified::BadSignature)?;
    let apart = cx.now.as_second().saturating_sub(sent).saturating_abs();
    if apart <= tolerance { Ok(()) } else { Err(Unverified::BadSignature) }
}

/// Text that WeChat shows as it is: it makes links of `<a href…>` in any text, also one that came from a carrier.
fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return text.into();
    }
    text.replace("<a", "＜a").replace("<A", "＜A").into()
}

/// The fields of a body in either format.
fn fields(body: &[u8]) -> Result<xml::Fields<'_>, Unverified> {
    if json::is_json(body) { json::read(body) } else { xml::read(body) }
}

/// `shown` as one text that fits; empty where nothing is shown.
fn one_text(shown: &[Shown]) -> String {
    let paragraphs = plain::paragraphs(shown);
    let mut text = String::with_capacity(SPEC.text_limit);
    for (at, paragraph) in paragraphs.iter().enumerate() {
        for (line, words) in paragraph.iter().enumerate() {
            text.push_str(if line > 0 {
                "\n"
            } else if at > 0 {
                "\n\n"
            } else {
                ""
            });
            text.push_str(words);
        }
    }
    cut(&inert(&text), SPEC.text_limit)
}

/// Cuts a text to `limit` bytes: after a whole line where that keeps more than half, else between characters.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub(plain::ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let head = head.rfind('\n').filter(|at| at * 2 > end).map_or(head, |at| &head[..at]);
    format!("{}{}", head.trim_end(), plain::ELLIPSIS)
}

impl Channel for WeChat {
    fn spec(&self) -> &'static ChannelSpec {
        &SPEC
    }

    fn lacks(&self, account: &Account) -> Vec<&'static str> {
        let mode = Mode::of(account);
        let mut missing = Vec::new();
        if account.secret("token").is_empty() {
            missing.push("token");
        }
        if mode != Mode::Plain && cipher(account).is_none() {
            missing.push("encoding_aes_key");
        }
        if mode != Mode::Plain && account.setting("appid", "").is_empty() {
            missing.push("appid");
        }
        missing
    }

    fn options(&self) -> &'static [&'static str] {
        &[
            "mode",
            "timestamp_tolerance_secs",
            "msgmenu",
            "base_url",
            "template_id",
            "template_fields",
            "template_status",
            "template_kinds",
            "template_api",
            "template_url",
        ]
    }

    fn mistake(&self, account: &Account) -> Option<(&'static str, String)> {
        template::mistake(account)
    }

    /// A GET is proved by `signature`, also in safe mode; its age is not checked, for it changes nothing.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        if request.get {
            let proof = signed(cx.account, request, "signature", None)?;
            return Ok(Verified::new(request.query("echostr").as_bytes().to_vec(), proof));
        }
        if request.body.len() > MAX_BODY {
            return Err(Unverified::Malformed);
        }
        fresh(cx, request)?;
        if !Mode::of(cx.account).encrypted(request) {
            let proof = signed(cx.account, request, "signature", None)?;
            return Ok(Verified::new(request.body.clone(), proof));
        }
        // `signature` covers no body, so `msg_signature` is the one that counts: before anything is decrypted.
        if request.query("msg_signature").is_empty() {
            return Err(Unverified::BadSignature);
        }
        let fields = fields(&request.body)?;
        let encrypt = xml::text(&fields.encrypt);
        if encrypt.is_empty() {
            return Err(Unverified::BadSignature);
        }
        let proof = signed(cx.account, request, "msg_signature", Some(encrypt))?;
        let payload = cipher(cx.account)
            .and_then(|cipher| cipher.open(encrypt, cx.account.setting("appid", "")))
            .ok_or(Unverified::Malformed)?;
        Ok(Verified::new(payload, proof))
    }

    fn read(
        &self,
        _account: &Account,
        request: &Request,
        verified: &Verified,
    ) -> Result<Inbound, Unverified> {
        if request.get {
            let echo = verified.payload();
            if echo.is_empty() || echo.len() > MAX_ECHO || echo.iter().any(u8::is_ascii_control) {
                return Err(Unverified::Malformed);
            }
            return Ok(Inbound::Handshake(Reply::text(echo)));
        }
        let fields = fields(verified.payload())?;
        Ok(Inbound::Messages(read::incoming(&fields)?.into_iter().collect()))
    }

    /// Exactly this word, or the platform posts again and shows the buyer an error.
    fn acknowledge(&self) -> Reply {
        Reply::text("success")
    }

    fn write(
        &self,
        cx: &Cx,
        request: &Request,
        incoming: &Incoming,
        shown: &[Shown],
    ) -> Result<Reply, Refusal> {
        let content = one_text(shown);
        if content.is_empty() {
            return Ok(self.acknowledge());
        }
        let now = cx.now.as_second();
        // In the format in which the buyer's message came.
        let json = json::is_json(&request.body);
        let text_reply = if json { json::text_reply } else { xml::text_reply };
        let mut body = text_reply(&incoming.from, &incoming.reply_to, now, &content);
        if Mode::of(cx.account).encrypted(request) {
            let cipher = cipher(cx.account).ok_or(Refusal::FixAccount { cure: Cure("cure-aes-key") })?;
            let (head, tail) = cx.random.split_at(16);
            let mut random = [0; 16];
            random.copy_from_slice(head);
            let encrypt = cipher.seal(random, body.as_bytes(), cx.account.setting("appid", ""));
            let nonce = hex::encode(&tail[..8]);
            let signature =
                sign::sorted_sha1(&[cx.account.secret("token"), &now.to_string(), &nonce, &encrypt]);
            let encrypted_reply = if json { json::encrypted_reply } else { xml::encrypted_reply };
            body = encrypted_reply(&encrypt, &signature, now, &nonce);
        }
        let content_type =
            if json { "application/json; charset=utf-8" } else { "application/xml; charset=utf-8" };
        Ok(Reply { status: 200, content_type, body: body.into_bytes() })
    }

    fn send(
        &self,
        cx: &Cx,
        to: &str,
        _incoming: Option<&Incoming>,
        shown: &[Shown],
    ) -> Result<Vec<Call>, Refusal> {
        send::calls(cx, to, shown)
    }

    fn read_sent(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        send::read(cx, answer)
    }

    fn token(&self) -> Option<&dyn TokenStep> {
        Some(&send::StableToken)
    }

    fn template(&self) -> Option<&dyn Template> {
        Some(&template::Form)
    }
}
