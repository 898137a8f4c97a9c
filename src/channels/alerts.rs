//! Where merchants are warned: the robots of their group chats (企业微信, 钉钉, 飞书), a Telegram chat, mail, or an address
//! of their own that gets a signed post. One way only: nothing comes in here. Must never show a buyer's data.
//!
//! Sources: the robots' own documentation pages (developer.work.weixin.qq.com, open.dingtalk.com, open.feishu.cn,
//! core.telegram.org/bots/api), from memory where they could not be read again: addresses are configuration.

use crate::wire::{Answer, Call, Cure, Cx, Method, Refusal, sign};
use serde::{Deserialize, Serialize};

/// Facts of one kind of receiver.
#[derive(Debug)]
pub struct AlertSpec {
    /// `wecom-robot`, `dingtalk-robot`, …: the `kind` of its account.
    pub kind: &'static str,
    /// Secrets that an account needs.
    pub secrets: &'static [&'static str],
    /// Secrets (`name?`) and settings that it may have.
    pub options: &'static [&'static str],
    /// Settings that it needs.
    pub settings: &'static [&'static str],
    /// Production address, the default of setting `base_url`; empty: the account must name one.
    pub base_url: &'static str,
    /// Whether the receiver tells two posts of one message apart, so that an unknown outcome may be sent again.
    pub repeatable: bool,
}

/// One kind of receiver.
pub trait Alert: Send + Sync {
    /// Its fixed facts.
    fn spec(&self) -> &'static AlertSpec;
    /// The call that says `text`; `id` is the same at each try of one message.
    fn call(&self, cx: &Cx, id: &str, text: &str) -> Result<Call, Refusal>;
    /// Reads the answer.
    fn read(&self, answer: &Answer) -> Result<(), Refusal>;
}

/// Every kind of receiver.
pub static ALERTS: &[&dyn Alert] = &[&WeCom, &DingTalk, &Feishu, &TelegramChat, &Mail, &Hook];

/// A kind by its name.
pub fn alert(kind: &str) -> Option<&'static dyn Alert> {
    ALERTS.iter().copied().find(|alert| alert.spec().kind == kind)
}

const CURE_CREDENTIALS: Cure = Cure("cure-credentials");
const CURE_SETTINGS: Cure = Cure("cure-settings");
// What a group robot's own page lets its owner demand of each message.
const CURE_KEYWORD: Cure = Cure("cure-robot-keyword");
const CURE_SIGN: Cure = Cure("cure-robot-sign");
const CURE_ADDRESS: Cure = Cure("cure-robot-address");
const CURE_MAIL_LOGIN: Cure = Cure("cure-mail-login");
const CURE_MAIL_REFUSED: Cure = Cure("cure-mail-refused");

fn base<'a>(cx: &'a Cx, spec: &AlertSpec) -> &'a str {
    cx.account.setting("base_url", spec.base_url)
}

fn post(operation: &'static str, url: String, body: &impl Serialize) -> Result<Call, Refusal> {
    let body = serde_json::to_vec(body).map_err(|_| Refusal::Unsupported)?;
    Ok(Call::json(operation, url, body).once())
}

fn encoded(text: &str) -> String {
    sign::form_encode(text)
}

/// What a JSON answer says; a broken server may have taken the message.
fn said(answer: &Answer) -> Result<serde_json::Value, Refusal> {
    match answer.status {
        200..=299 => {}
        429 => return Err(Refusal::Throttled { until: None }),
        401 | 403 | 404 => return Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        _ => return Err(Refusal::Retry { after: None }),
    }
    serde_json::from_slice(&answer.body).map_err(|_| Refusal::Unreadable)
}

/// Its code.
fn code(answer: &Answer, name: &str) -> Result<i64, Refusal> {
    said(answer)?.get(name).and_then(serde_json::Value::as_i64).ok_or(Refusal::Unreadable)
}

#[derive(Serialize)]
struct Text<'a> {
    msgtype: &'static str,
    text: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    content: &'a str,
}

fn text(content: &str) -> Text<'_> {
    Text { msgtype: "text", text: Content { content } }
}

/// WeCom's group robot 企业微信群机器人: 20 messages a minute, 2,048 bytes each.
struct WeCom;

impl Alert for WeCom {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "wecom-robot",
            secrets: &["key"],
            options: &[],
            settings: &[],
            base_url: "https://qyapi.weixin.qq.com",
            repeatable: false,
        }
    }

    fn call(&self, cx: &Cx, _id: &str, words: &str) -> Result<Call, Refusal> {
        let key = encoded(cx.account.secret("key"));
        let url = format!("{}/cgi-bin/webhook/send?key={key}", base(cx, self.spec()));
        post("wecom-robot.send", url, &text(cut(words, 2_048)))
    }

    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        match code(answer, "errcode")? {
            0 => Ok(()),
            // System busy: not taken.
            -1 => Err(Refusal::Retry { after: None }),
            45009 => Err(Refusal::Throttled { until: None }),
            _ => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        }
    }
}

/// DingTalk's group robot 钉钉自定义机器人, with its signature where the account has a `secret`.
struct DingTalk;

impl DingTalk {
    /// `urlencode(base64(HMAC-SHA256(secret, timestamp + "\n" + secret)))`, timestamp in milliseconds.
    fn signature(millis: i64, secret: &str) -> String {
        let text = format!("{millis}\n{secret}");
        encoded(&sign::base64(&sign::hmac_sha256(secret.as_bytes(), text.as_bytes())))
    }

    /// 310000 is said of all three demands of a robot; only the words tell which: "keywords not in content", "sign not
    /// match", "invalid timestamp", "ip 1.2.3.4 not in whitelist", since 2022 in Chinese.
    fn cure(words: &str) -> Cure {
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        if says(&["keyword", "关键词"]) {
            CURE_KEYWORD
        } else if says(&["whitelist", "白名单"]) {
            CURE_ADDRESS
        } else if says(&["sign", "timestamp", "签名", "时间戳"]) {
            CURE_SIGN
        } else {
            CURE_CREDENTIALS
        }
    }
}

impl Alert for DingTalk {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "dingtalk-robot",
            secrets: &["access_token"],
            options: &["secret?"],
            settings: &[],
            base_url: "https://oapi.dingtalk.com",
            repeatable: false,
        }
    }

    fn call(&self, cx: &Cx, _id: &str, words: &str) -> Result<Call, Refusal> {
        let token = encoded(cx.account.secret("access_token"));
        let mut url = format!("{}/robot/send?access_token={token}", base(cx, self.spec()));
        let secret = cx.account.secret("secret");
        if !secret.is_empty() {
            let millis = cx.now.as_millisecond();
            url.push_str(&format!("&timestamp={millis}&sign={}", Self::signature(millis, secret)));
        }
        post("dingtalk-robot.send", url, &text(words))
    }

    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        match code(answer, "errcode")? {
            0 => Ok(()),
            // System busy: not taken.
            -1 => Err(Refusal::Retry { after: None }),
            130101 | 410100 => Err(Refusal::Throttled { until: None }),
            310000 => {
                let words = said(answer)?.get("errmsg").and_then(|words| words.as_str().map(str::to_owned));
                Err(Refusal::FixAccount { cure: Self::cure(&words.unwrap_or_default()) })
            }
            _ => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        }
    }
}

/// Feishu's group robot 飞书自定义机器人, with its signature where the account has a `secret`.
struct Feishu;

impl Feishu {
    /// `base64(HMAC-SHA256(key = timestamp + "\n" + secret, data = ""))`, timestamp in seconds: the text is the key.
    fn signature(seconds: i64, secret: &str) -> String {
        sign::base64(&sign::hmac_sha256(format!("{seconds}\n{secret}").as_bytes(), b""))
    }
}

#[derive(Serialize)]
struct FeishuText<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<String>,
    msg_type: &'static str,
    content: FeishuContent<'a>,
}

#[derive(Serialize)]
struct FeishuContent<'a> {
    text: &'a str,
}

impl Alert for Feishu {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "feishu-robot",
            secrets: &["token"],
            options: &["secret?"],
            settings: &[],
            base_url: "https://open.feishu.cn",
            repeatable: false,
        }
    }

    fn call(&self, cx: &Cx, _id: &str, words: &str) -> Result<Call, Refusal> {
        let url = format!(
            "{}/open-apis/bot/v2/hook/{}",
            base(cx, self.spec()),
            encoded(cx.account.secret("token"))
        );
        let secret = cx.account.secret("secret");
        let signed = (!secret.is_empty()).then(|| cx.now.as_second());
        let body = FeishuText {
            timestamp: signed.map(|seconds| seconds.to_string()),
            sign: signed.map(|seconds| Self::signature(seconds, secret)),
            msg_type: "text",
            content: FeishuContent { text: words },
        };
        post("feishu-robot.send", url, &body)
    }

    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        match code(answer, "code")? {
            0 => Ok(()),
            9499 | 11232 => Err(Refusal::Throttled { until: None }),
            19021 => Err(Refusal::FixAccount { cure: CURE_SIGN }),
            19022 => Err(Refusal::FixAccount { cure: CURE_ADDRESS }),
            19024 => Err(Refusal::FixAccount { cure: CURE_KEYWORD }),
            _ => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        }
    }
}

/// A Telegram chat or group that a bot writes to.
struct TelegramChat;

#[derive(Serialize)]
struct TelegramText<'a> {
    chat_id: &'a str,
    text: &'a str,
}

impl Alert for TelegramChat {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "telegram-alert",
            secrets: &["bot_token"],
            options: &[],
            settings: &["chat_id"],
            base_url: "https://api.telegram.org",
            repeatable: false,
        }
    }

    fn call(&self, cx: &Cx, _id: &str, words: &str) -> Result<Call, Refusal> {
        let url = format!("{}/bot{}/sendMessage", base(cx, self.spec()), cx.account.secret("bot_token"));
        let body = TelegramText { chat_id: cx.account.setting("chat_id", ""), text: cut(words, 4_096) };
        post("telegram-alert.send", url, &body)
    }

    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        #[derive(Deserialize)]
        struct Said {
            ok: bool,
        }
        match (answer.status, serde_json::from_slice::<Said>(&answer.body)) {
            (200, Ok(Said { ok: true })) => Ok(()),
            (429, _) => Err(Refusal::Throttled { until: None }),
            (500.., _) => Err(Refusal::Retry { after: None }),
            (400, _) => Err(Refusal::FixAccount { cure: CURE_SETTINGS }),
            _ => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        }
    }
}

/// Mail over the merchant's own mail server: `server` is `smtps://host:465` or `smtp://host:587`, `to` one address or
/// several with commas. The alert's first line is the subject.
struct Mail;

impl Alert for Mail {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "mail",
            secrets: &["password"],
            options: &["user"],
            settings: &["server", "from", "to"],
            base_url: "",
            repeatable: false,
        }
    }

    fn call(&self, cx: &Cx, id: &str, words: &str) -> Result<Call, Refusal> {
        let setting = |name: &str| cx.account.setting(name, "").to_owned();
        let url = setting("server");
        if !url.starts_with("smtps://") && !url.starts_with("smtp://") {
            return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
        }
        let headers = vec![
            ("user", setting("user")),
            ("password", cx.account.secret("password").to_owned()),
            ("from", setting("from")),
            ("to", setting("to")),
            ("subject", words.lines().next().unwrap_or_default().to_owned()),
            ("message-id", format!("{id}@yishi")),
            ("date", cx.now.as_second().to_string()),
        ];
        let body = words.as_bytes().to_vec();
        Ok(Call { operation: "mail.send", method: Method::Post, url, headers, body, repeatable: false })
    }

    /// Reply codes of RFC 5321 and RFC 4954.
    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        match answer.status {
            200..=299 => Ok(()),
            530 | 534 | 535 | 538 => Err(Refusal::FixAccount { cure: CURE_MAIL_LOGIN }),
            501 | 550..=559 => Err(Refusal::FixAccount { cure: CURE_MAIL_REFUSED }),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

/// A post to an address of the merchant's own, signed: `x-yishi-signature: v1=` and the hex of
/// HMAC-SHA256(secret, id + "." + timestamp + "." + body). The id stays the same at each try.
struct Hook;

#[derive(Serialize)]
struct Posted<'a> {
    id: &'a str,
    text: &'a str,
}

impl Hook {
    fn signature(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
        let text = [format!("{id}.{seconds}.").as_bytes(), body].concat();
        format!("v1={}", hex::encode(sign::hmac_sha256(secret.as_bytes(), &text)))
    }
}

impl Alert for Hook {
    fn spec(&self) -> &'static AlertSpec {
        &AlertSpec {
            kind: "alert-hook",
            secrets: &["secret"],
            options: &[],
            settings: &["base_url", "path"],
            base_url: "",
            repeatable: true,
        }
    }

    fn call(&self, cx: &Cx, id: &str, words: &str) -> Result<Call, Refusal> {
        let url = format!("{}{}", cx.account.setting("base_url", ""), cx.account.setting("path", "/"));
        let mut call = post("alert-hook.send", url, &Posted { id, text: words })?;
        let seconds = cx.now.as_second();
        call.headers.push(("x-yishi-id", id.to_owned()));
        call.headers.push(("x-yishi-timestamp", seconds.to_string()));
        let signature = Self::signature(cx.account.secret("secret"), id, seconds, &call.body);
        call.headers.push(("x-yishi-signature", signature));
        Ok(call)
    }

    fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        match answer.status {
            200..=299 => Ok(()),
            410 => Err(Refusal::Unreachable),
            429 => Err(Refusal::Throttled { until: None }),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

/// At most so many bytes, whole characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Private};

    fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
        let secrets = ["key", "access_token", "secret", "token", "bot_token"];
        let account = Account {
            settings: [
                ("chat_id", "-100"),
                ("path", "/in"),
                ("base_url", "https://robot.example"),
                ("server", "smtps://mail.example"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            secrets: secrets.map(|name| (name.to_owned(), Private::new(format!("{name}-1")))).into(),
            ..Account::default()
        };
        run(&Cx {
            account: &account,
            token: None,
            now: "2026-03-03T04:00:00Z".parse().unwrap(),
            random: [7; 32],
        })
    }

    /// Computed with Python's hmac, hashlib and base64 from the documented formulas.
    #[test]
    fn signatures_are_those_of_the_formulas() {
        assert_eq!(
            DingTalk::signature(1_772_510_400_000, "SECexample"),
            "UTRIyRTY6UmGdD4Eq0N53lpJ%2FnL1eaRvAdaI7RHZ9Is%3D"
        );
        assert_eq!(
            Feishu::signature(1_772_510_400, "example"),
            "V5GHwXsWB+gaCx4so+k/FBHYK2A3xuW57Bow65OE52M="
        );
        assert_eq!(
            Hook::signature("s", "id", 1, b"{}"),
            "v1=141850bd4c704591303e41ef26560febc7f370f787053b9125d6929ead4bb720"
        );
    }

    #[test]
    fn every_receiver_is_called_once_and_reads_its_refusals() {
        for alert in ALERTS {
            let call = with_cx(|cx| alert.call(cx, "m1", "物流停滞")).unwrap();
            let sealed = ["https://", "smtps://"].iter().any(|scheme| call.url.starts_with(scheme));
            assert!(!call.repeatable && sealed, "{}", alert.spec().kind);
            assert!(String::from_utf8(call.body).unwrap().contains("物流停滞"));
            assert!(alert.read(&Answer::new(500, "")).is_err());
            assert!(alert.read(&Answer::new(429, "")).is_err());
        }
        let read = |kind: &str, body: &str| alert(kind).unwrap().read(&Answer::new(200, body));
        assert_eq!(read("wecom-robot", r#"{"errcode":0,"errmsg":"ok"}"#), Ok(()));
        assert_eq!(read("wecom-robot", r#"{"errcode":45009}"#), Err(Refusal::Throttled { until: None }));
        assert!(matches!(read("dingtalk-robot", r#"{"errcode":310000}"#), Err(Refusal::FixAccount { .. })));
        assert_eq!(read("feishu-robot", r#"{"code":0}"#), Ok(()));
        assert_eq!(read("telegram-alert", r#"{"ok":true}"#), Ok(()));
    }

    #[test]
    fn a_robot_that_refuses_says_which_of_its_demands_was_not_met() {
        let read = |kind: &str, body: &str| alert(kind).unwrap().read(&Answer::new(200, body));
        for kind in ["wecom-robot", "dingtalk-robot"] {
            assert_eq!(read(kind, r#"{"errcode":-1}"#), Err(Refusal::Retry { after: None }), "{kind}");
        }
        let dingtalk = |words: &str| {
            let body = serde_json::json!({"errcode": 310_000, "errmsg": words}).to_string();
            read("dingtalk-robot", &body)
        };
        let feishu = |code: i64| read("feishu-robot", &format!(r#"{{"code":{code}}}"#));
        let needs = |cure| Err(Refusal::FixAccount { cure });
        assert_eq!(dingtalk("keywords not in content"), needs(CURE_KEYWORD));
        assert_eq!(dingtalk("description:关键词不匹配;solution:…"), needs(CURE_KEYWORD));
        assert_eq!(dingtalk("sign not match, more: [https://…]"), needs(CURE_SIGN));
        assert_eq!(dingtalk("invalid timestamp"), needs(CURE_SIGN));
        assert_eq!(
            dingtalk("description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳…"),
            needs(CURE_SIGN)
        );
        assert_eq!(dingtalk("ip 203.0.113.7 not in whitelist"), needs(CURE_ADDRESS));
        assert_eq!(dingtalk("token is not exist"), needs(CURE_CREDENTIALS));
        assert_eq!(read("dingtalk-robot", r#"{"errcode":310000}"#), needs(CURE_CREDENTIALS));
        assert_eq!([19021, 19022, 19024].map(feishu), [CURE_SIGN, CURE_ADDRESS, CURE_KEYWORD].map(needs));
        assert_eq!(feishu(19_001), needs(CURE_CREDENTIALS));
    }

    #[test]
    fn a_mail_server_that_refuses_is_told_by_what_to_mend() {
        let read = |status| alert("mail").unwrap().read(&Answer::new(status, ""));
        assert_eq!(read(250), Ok(()));
        assert_eq!(read(535), Err(Refusal::FixAccount { cure: CURE_MAIL_LOGIN }));
        assert_eq!(
            [501, 550, 553].map(read),
            [(); 3].map(|()| Err(Refusal::FixAccount { cure: CURE_MAIL_REFUSED }))
        );
        assert_eq!([421, 451].map(read), [(); 2].map(|()| Err(Refusal::Retry { after: None })));
        let account = Account {
            settings: [("server".to_owned(), "mail.example".to_owned())].into(),
            ..Account::default()
        };
        let cx = Cx { account: &account, token: None, now: jiff::Timestamp::UNIX_EPOCH, random: [0; 32] };
        let call = alert("mail").unwrap().call(&cx, "m1", "x");
        assert_eq!(call, Err(Refusal::FixAccount { cure: CURE_SETTINGS }), "a server without its scheme");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("物流停滞", 7), "物流");
        assert_eq!(cut("abc", 7), "abc");
    }
}
