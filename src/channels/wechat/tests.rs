//! What a buyer, WeChat and an attacker get from the official-account codec.

use super::*;
use crate::channels::What;
use crate::model::{Private, ShownChoice};
use crate::wire::Token;
use jiff::Timestamp;

const TOKEN: &str = "AAAAA";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APPID: &str = "wxb11529c136998cb6";
const NOW: i64 = 1_772_414_100;

fn account(mode: &str) -> Account {
    let mut account = Account { id: "demo".into(), kind: "wechat".into(), ..Account::default() };
    for (name, value) in [("mode", mode), ("appid", APPID), ("base_url", "http://127.0.0.1:9/")] {
        account.settings.insert(name.into(), value.into());
    }
    for (name, value) in [("token", TOKEN), ("encoding_aes_key", KEY), ("appsecret", "app-secret-1")] {
        account.secrets.insert(name.into(), Private::new(value.into()));
    }
    account
}

fn cx(account: &Account) -> Cx<'_> {
    Cx {
        account,
        token: None,
        now: Timestamp::from_second(NOW).unwrap(),
        random: *b"0123456789abcdefABCDEFGHIJKLMNOP",
    }
}

fn request(query: &[(&str, &str)], body: &str) -> Request {
    Request {
        get: false,
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: Vec::new(),
        body: body.into(),
    }
}

fn message(content: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><FromUserName><![CDATA[o-buyer]]></FromUserName>\
         <CreateTime>{NOW}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
         <Content><![CDATA[{content}]]></Content><MsgId>7</MsgId></xml>"
    )
}

fn plain(timestamp: i64, body: &str) -> Request {
    let timestamp = timestamp.to_string();
    let signature = sign::sorted_sha1(&[TOKEN, &timestamp, "n1"]);
    request(&[("signature", &signature), ("timestamp", &timestamp), ("nonce", "n1")], body)
}

fn sealed(message: &str, with_plain_fields: bool) -> Request {
    let encrypt = Cipher::new(KEY).unwrap().seal(*b"aaaabbbbccccdddd", message.as_bytes(), APPID);
    let timestamp = NOW.to_string();
    let msg_signature = sign::sorted_sha1(&[TOKEN, &timestamp, "n1", &encrypt]);
    let signature = sign::sorted_sha1(&[TOKEN, &timestamp, "n1"]);
    let fields = if with_plain_fields { "<MsgType>text</MsgType><Content>plain</Content>" } else { "" };
    request(
        &[
            ("signature", &signature),
            ("timestamp", &timestamp),
            ("nonce", "n1"),
            ("encrypt_type", "aes"),
            ("msg_signature", &msg_signature),
        ],
        &format!(
            "<xml><ToUserName>gh_shop</ToUserName>{fields}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
        ),
    )
}

fn without(mut request: Request, name: &str) -> Request {
    request.query.retain(|(key, _)| key != name);
    request
}

fn trip(account: &Account, request: &Request) -> Result<Inbound, Unverified> {
    WECHAT.verify(&cx(account), request).and_then(|verified| WECHAT.read(account, request, &verified))
}

fn heard(account: &Account, request: &Request) -> Result<String, Unverified> {
    trip(account, request).map(|inbound| match inbound {
        Inbound::Messages(messages) => match &messages[0].what {
            What::Text(text) => text.clone(),
            other => format!("{other:?}"),
        },
        Inbound::Handshake(reply) => String::from_utf8(reply.body).unwrap(),
    })
}

fn incoming() -> Incoming {
    Incoming {
        key: "7".into(),
        from: "o-buyer".into(),
        at: None,
        what: What::Text("?".into()),
        locale: None,
        reply_to: "gh_shop".into(),
    }
}

fn say(text: &str) -> Shown {
    Shown::Text { text: text.into() }
}

#[test]
fn the_official_handshake_is_answered_exactly_in_every_mode_and_at_any_age() {
    for mode in ["plain", "compat", "safe"] {
        let mut request = request(
            &[
                ("signature", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
                ("timestamp", "1714036504"),
                ("nonce", "1514711492"),
                ("echostr", "4375120948345356249"),
            ],
            "",
        );
        request.get = true;
        let account = account(mode);
        let Ok(Inbound::Handshake(reply)) = trip(&account, &request) else { panic!("{mode}") };
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"4375120948345356249".as_slice()));
        assert_eq!(reply.content_type, "text/plain; charset=utf-8");
        request.query[0].1.replace_range(0..1, "0");
        assert_eq!(trip(&account, &request), Err(Unverified::BadSignature));
        request.query.clear();
        assert_eq!(trip(&account, &request), Err(Unverified::BadSignature));
    }
}

#[test]
fn a_plain_message_is_heard_while_it_is_fresh() {
    let mut account = account("plain");
    assert_eq!(heard(&account, &plain(NOW, &message("到哪了"))).as_deref(), Ok("到哪了"));
    for age in [-300, 300] {
        assert!(heard(&account, &plain(NOW + age, &message("x"))).is_ok(), "{age}");
    }
    for age in [-301, 301, 86_400] {
        let old = plain(NOW - age, &message("x"));
        assert_eq!(heard(&account, &old), Err(Unverified::BadSignature), "{age}");
    }
    // The official sample of a plain POST is of 2024: heard where the check is switched off.
    let official = request(
        &[
            ("signature", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
            ("timestamp", "1714037059"),
            ("nonce", "486452656"),
        ],
        &message("x"),
    );
    assert_eq!(heard(&account, &official), Err(Unverified::BadSignature));
    account.settings.insert("timestamp_tolerance_secs".into(), "0".into());
    assert!(heard(&account, &official).is_ok());
    account.settings.insert("timestamp_tolerance_secs".into(), "soon".into());
    assert_eq!(heard(&account, &official), Err(Unverified::BadSignature));
}

#[test]
fn safe_mode_takes_encrypted_messages_only() {
    let account = account("safe");
    let good = sealed(&message("到哪了"), false);
    assert_eq!(heard(&account, &good).as_deref(), Ok("到哪了"));
    assert_eq!(heard(&account, &without(good.clone(), "encrypt_type")).as_deref(), Ok("到哪了"));
    // The downgrade: a valid plain signature, seen once, with a body of one's own.
    assert_eq!(heard(&account, &plain(NOW, &message("x"))), Err(Unverified::BadSignature));
    assert_eq!(heard(&account, &without(good.clone(), "msg_signature")), Err(Unverified::BadSignature));
    let mut forged = good.clone();
    forged.body = message("x").into();
    assert_eq!(heard(&account, &forged), Err(Unverified::BadSignature));
    let mut swapped = good.clone();
    swapped.body = sealed(&message("y"), false).body;
    assert_eq!(heard(&account, &swapped), Err(Unverified::BadSignature));
    // No mode set, or a misspelt one, is safe mode.
    for mode in ["", "Plain", "none"] {
        let mut account = account.clone();
        account.settings.insert("mode".into(), mode.into());
        assert_eq!(heard(&account, &plain(NOW, &message("x"))), Err(Unverified::BadSignature), "{mode}");
    }
    // Meant for another account.
    let mut other = account.clone();
    other.settings.insert("appid".into(), "wxother".into());
    assert_eq!(heard(&other, &good), Err(Unverified::Malformed));
}

#[test]
fn compat_mode_reads_what_was_encrypted_not_what_stands_beside_it() {
    let account = account("compat");
    assert_eq!(heard(&account, &sealed(&message("到哪了"), true)).as_deref(), Ok("到哪了"));
    assert_eq!(heard(&account, &plain(NOW, &message("x"))).as_deref(), Ok("x"));
    let mut wrong = sealed(&message("y"), true);
    wrong
        .query
        .iter_mut()
        .filter(|(name, _)| name == "msg_signature")
        .for_each(|(_, value)| *value = "0".repeat(40));
    assert_eq!(heard(&account, &wrong), Err(Unverified::BadSignature));
}

#[test]
fn without_a_token_or_key_nobody_is_let_in() {
    let mut plain_account = account("plain");
    plain_account.secrets.insert("token".into(), Private::new(String::new()));
    let timestamp = NOW.to_string();
    let signature = sign::sorted_sha1(&["", &timestamp, "n1"]);
    let request =
        request(&[("signature", &signature), ("timestamp", &timestamp), ("nonce", "n1")], &message("x"));
    assert_eq!(heard(&plain_account, &request), Err(Unverified::BadSignature));
    assert_eq!(WECHAT.lacks(&plain_account), ["token"]);

    let mut safe = account("safe");
    assert!(WECHAT.lacks(&safe).is_empty());
    safe.secrets.insert("encoding_aes_key".into(), Private::new("too-short".into()));
    safe.settings.remove("appid");
    assert_eq!(WECHAT.lacks(&safe), ["encoding_aes_key", "appid"]);
    assert_eq!(heard(&safe, &sealed(&message("x"), false)), Err(Unverified::Malformed));
}

#[test]
fn a_passive_reply_goes_back_to_the_buyer() {
    let account = account("plain");
    let request = plain(NOW, &message("x"));
    let reply = WECHAT.write(&cx(&account), &request, &incoming(), &[say("派送中 ]]> <b>")]).unwrap();
    assert_eq!(
        String::from_utf8(reply.body).unwrap(),
        "<xml><ToUserName><![CDATA[o-buyer]]></ToUserName><FromUserName><![CDATA[gh_shop]]></FromUserName>\
         <CreateTime>1772414100</CreateTime><MsgType><![CDATA[text]]></MsgType>\
         <Content><![CDATA[派送中 ]]]]><![CDATA[> <b>]]></Content></xml>"
    );
    let nothing = WECHAT.write(&cx(&account), &request, &incoming(), &[]).unwrap();
    assert_eq!((nothing.status, nothing.body.as_slice()), (200, b"success".as_slice()));
}

#[test]
fn an_encrypted_message_gets_an_encrypted_reply() {
    for mode in ["compat", "safe"] {
        let account = account(mode);
        let request = sealed(&message("x"), mode == "compat");
        let reply = WECHAT.write(&cx(&account), &request, &incoming(), &[say("派送中")]).unwrap();
        let envelope = xml::read(&reply.body).unwrap();
        let encrypt = xml::text(&envelope.encrypt).to_owned();
        let body = String::from_utf8(reply.body.clone()).unwrap();
        let between =
            |from: &str, to: &str| body.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        let (timestamp, nonce) = (between("<TimeStamp>", "<"), between("<Nonce><![CDATA[", "]]"));
        assert_eq!(timestamp, NOW.to_string());
        assert_eq!(
            between("<MsgSignature><![CDATA[", "]]"),
            sign::sorted_sha1(&[TOKEN, &timestamp, &nonce, &encrypt]),
            "{mode}"
        );
        let inner = Cipher::new(KEY).unwrap().open(&encrypt, APPID).unwrap();
        assert_eq!(xml::text(&xml::read(&inner).unwrap().content), "派送中");
    }
    // Compat without encryption stays plain.
    let account = account("compat");
    let reply = WECHAT.write(&cx(&account), &plain(NOW, ""), &incoming(), &[say("派送中")]).unwrap();
    assert!(xml::read(&reply.body).unwrap().encrypt.is_none());
}

#[test]
fn an_account_that_chose_json_is_answered_in_json() {
    let account = account("safe");
    let message = r#"{"ToUserName":"gh_shop","FromUserName":"o-buyer","CreateTime":1772414100,"MsgType":"text","Content":"到哪了","MsgId":7}"#;
    let mut request = sealed(message, false);
    let encrypt = xml::text(&xml::read(&request.body).unwrap().encrypt).to_owned();
    request.body =
        serde_json::json!({ "ToUserName": "gh_shop", "Encrypt": encrypt }).to_string().into_bytes();
    assert_eq!(heard(&account, &request).as_deref(), Ok("到哪了"));
    let reply = WECHAT.write(&cx(&account), &request, &incoming(), &[say("派送中")]).unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(envelope["TimeStamp"], NOW);
    let word = |name: &str| envelope[name].as_str().unwrap();
    let parts = [TOKEN, &NOW.to_string(), word("Nonce"), word("Encrypt")];
    assert_eq!(word("MsgSignature"), sign::sorted_sha1(&parts));
    let inner = Cipher::new(KEY).unwrap().open(word("Encrypt"), APPID).unwrap();
    let inner: serde_json::Value = serde_json::from_slice(&inner).unwrap();
    assert_eq!((&inner["Content"], &inner["ToUserName"]), (&"派送中".into(), &"o-buyer".into()));
}

#[test]
fn a_reply_fits_into_2048_bytes_and_is_cut_at_a_line() {
    assert_eq!(cut("short", 2048), "short");
    let lines = "快递在路上\n".repeat(300);
    let cut_text = cut(&lines, 2048);
    assert!(cut_text.len() <= 2048 && cut_text.len() > 1900);
    assert!(cut_text.ends_with("快递在路上…"));
    let line = "快".repeat(1000);
    assert_eq!(cut(&line, 2048).chars().count(), 682);
    assert_eq!(cut("快递", 3), "…");
}

fn bodies(account: &Account, shown: &[Shown]) -> Vec<serde_json::Value> {
    let token = Token { text: Private::new("tok/en".into()), expires: Timestamp::from_second(NOW).unwrap() };
    let cx = Cx { token: Some(&token), ..cx(account) };
    let calls = WECHAT.send(&cx, "o-buyer", None, shown).unwrap();
    for call in &calls {
        assert_eq!(call.url, "http://127.0.0.1:9/cgi-bin/message/custom/send?access_token=tok%2Fen");
        assert!(!call.repeatable, "a message to a person is sent at most once");
        assert!(!String::from_utf8_lossy(&call.body).contains("\\u"), "WeChat refuses escapes");
    }
    calls.iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect()
}

fn question() -> Shown {
    let choice = |id: &str, label: &str| ShownChoice { id: id.into(), label: label.into() };
    Shown::Choices {
        text: "哪一单?".into(), choices: vec![choice("o1", "保温杯"), choice("o2", "台灯")]
    }
}

#[test]
fn a_message_after_the_reply_is_sent_as_customer_service() {
    let account = account("plain");
    assert_eq!(
        bodies(&account, &[say("您好\u{7}"), question()]),
        [serde_json::json!({
            "touser": "o-buyer", "msgtype": "text", "text": {"content": "您好\n\n哪一单?\n1. 保温杯\n2. 台灯"}
        })]
    );
    let long = bodies(&account, &[say(&"快递在路上。\n".repeat(200)), say(&"长".repeat(900))]);
    assert_eq!(long.len(), 4);
    for body in &long {
        assert!(body["text"]["content"].as_str().unwrap().len() <= 2048);
    }
    assert!(bodies(&account, &[]).is_empty());
    assert_eq!(WECHAT.send(&cx(&account), "o-buyer", None, &[say("x")]), Err(Refusal::TokenExpired));
}

#[test]
fn a_carriers_words_never_become_a_link() {
    let account = account("plain");
    let evil = say("<a href=\"https://evil.example\">点此领取</a>");
    let reply =
        WECHAT.write(&cx(&account), &plain(NOW, ""), &incoming(), std::slice::from_ref(&evil)).unwrap();
    assert!(!String::from_utf8(reply.body).unwrap().contains("<a "));
    assert!(!bodies(&account, &[evil])[0]["text"]["content"].as_str().unwrap().contains("<a "));
}

#[test]
fn choices_are_a_menu_where_the_account_may() {
    let mut account = account("plain");
    account.settings.insert("msgmenu".into(), "on".into());
    let list = serde_json::json!([{"id": "o1", "content": "保温杯"}, {"id": "o2", "content": "台灯"}]);
    assert_eq!(
        bodies(&account, &[say("您好"), question(), say("谢谢")]),
        [
            serde_json::json!({
                "touser": "o-buyer", "msgtype": "msgmenu",
                "msgmenu": {"head_content": "您好\n\n哪一单?", "list": list}
            }),
            serde_json::json!({"touser": "o-buyer", "msgtype": "text", "text": {"content": "谢谢"}}),
        ]
    );
    let long = bodies(&account, &[say(&"长".repeat(400)), question()]);
    assert_eq!(long.len(), 2);
    assert_eq!(long[1]["msgmenu"]["head_content"], "哪一单?");
}

#[test]
fn answers_to_a_send_say_what_to_do() {
    let account = account("plain");
    let read = |status, body: &str| WECHAT.read_sent(&cx(&account), &Answer::new(status, body));
    assert_eq!(read(200, r#"{"errcode":0,"errmsg":"ok"}"#), Ok(()));
    assert_eq!(
        read(200, r#"{"errcode":40001,"errmsg":"invalid credential rid: 1"}"#),
        Err(Refusal::TokenExpired)
    );
    assert_eq!(read(200, r#"{"errcode":45015,"errmsg":"out of time"}"#), Err(Refusal::WindowShut));
    assert_eq!(read(200, r#"{"errcode":43004,"errmsg":"require subscribe"}"#), Err(Refusal::Unreachable));
    assert_eq!(read(502, "<html>"), Err(Refusal::Retry { after: None }));
    for broken in ["", "<html>", "[]", "[0]", "{", "{}", r#"{"errcode":"x"}"#] {
        assert_eq!(read(200, broken), Err(Refusal::Unreadable), "{broken}");
    }
}

#[test]
fn the_token_is_fetched_in_the_way_that_ends_nobody_elses() {
    let account = account("plain");
    let step = WECHAT.token().unwrap();
    let call = step.fetch(&cx(&account)).unwrap();
    assert_eq!(call.url, "http://127.0.0.1:9/cgi-bin/stable_token");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&call.body).unwrap(),
        serde_json::json!({
            "grant_type": "client_credential", "appid": APPID, "secret": "app-secret-1", "force_refresh": false
        })
    );
    let read = |body: &str| step.read(&cx(&account), &Answer::new(200, body));
    let token = read(r#"{"access_token":"T","expires_in":7200}"#).unwrap();
    assert_eq!(token.text.reveal(), "T");
    assert_eq!(token.expires.as_second(), NOW + 7200);
    let wrong = |cure| Err(Refusal::FixAccount { cure: Cure(cure) });
    assert_eq!(read(r#"{"errcode":40001,"errmsg":"invalid credential"}"#), wrong("cure-appsecret"));
    assert_eq!(read(r#"{"errcode":40125,"errmsg":"invalid appsecret"}"#), wrong("cure-appsecret"));
    assert_eq!(read(r#"{"errcode":40164,"errmsg":"invalid ip 10.0.0.1"}"#), wrong("cure-ip-list"));
    assert_eq!(read(r#"{"expires_in":7200}"#), Err(Refusal::Unreadable));
    let mut empty = account.clone();
    empty.secrets.remove("appsecret");
    assert_eq!(step.fetch(&cx(&empty)), Err(Refusal::FixAccount { cure: Cure("cure-appsecret") }));
}

proptest::proptest! {
    #[test]
    fn any_signed_body_is_read_or_refused(body: Vec<u8>, markup in "[<>/a-zA-Z!\\[\\]CDATA&;0-9]{0,80}") {
        for mode in ["plain", "compat", "safe"] {
            let account = account(mode);
            for body in [&body, markup.as_bytes()] {
                let mut request = plain(NOW, "");
                request.body = body.to_vec();
                let _ = trip(&account, &request);
            }
        }
    }

    #[test]
    fn a_cut_text_fits(text in "[a-z\\n快递📦]{0,200}", limit in 4usize..200) {
        let short = cut(&text, limit);
        proptest::prop_assert!(short.len() <= limit);
    }
}
