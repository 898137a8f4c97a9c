//! What a buyer, Telegram and an attacker get from the bot codec.

use super::*;
use crate::channels::What;
use crate::model::{Private, ShownChoice, ShownEvent, Status};
use crate::wire::Cure;
use jiff::Timestamp;
use serde_json::{Value, json};

fn account() -> Account {
    let mut account = Account { id: "demo".into(), kind: "telegram".into(), ..Account::default() };
    account.settings.insert("base_url".into(), "http://127.0.0.1:9/".into());
    for (name, value) in [("bot_token", "100:bot-token"), ("webhook_secret", "hook-secret_1")] {
        account.secrets.insert(name.into(), Private::new(value.into()));
    }
    account
}

fn cx(account: &Account) -> Cx<'_> {
    Cx { account, token: None, now: Timestamp::from_second(1_772_414_100).unwrap(), random: [7; 32] }
}

fn request(secret: &str, body: &[u8]) -> Request {
    let headers = vec![(SECRET_HEADER.to_owned(), secret.to_owned())];
    Request { headers, body: body.to_vec(), ..Request::default() }
}

fn trip(body: &[u8]) -> Result<Vec<Incoming>, Unverified> {
    let account = account();
    let request = request("hook-secret_1", body);
    let verified = TELEGRAM.verify(&cx(&account), &request)?;
    match TELEGRAM.read(&account, &request, &verified)? {
        Inbound::Messages(messages) => Ok(messages),
        Inbound::Handshake(_) => panic!("Telegram has no handshake"),
    }
}

fn heard(update: &Value) -> Option<Incoming> {
    trip(update.to_string().as_bytes()).unwrap().pop()
}

fn user() -> Value {
    json!({"id": 4242, "is_bot": false, "first_name": "李", "language_code": "zh-hans"})
}

fn chat() -> Value {
    json!({"id": 4242, "type": "private", "first_name": "李"})
}

fn text(text: &str) -> Value {
    json!({"update_id": 9001, "message": {
        "message_id": 5, "from": user(), "chat": chat(), "date": 1772414040, "text": text
    }})
}

fn what(update: &Value) -> Option<What> {
    heard(update).map(|incoming| incoming.what)
}

#[test]
fn only_the_webhooks_secret_opens_the_door() {
    let mut account = account();
    let body = text("x").to_string();
    let verify = |account: &Account, request: &Request| TELEGRAM.verify(&cx(account), request).map(|_| ());
    assert_eq!(verify(&account, &request("hook-secret_1", body.as_bytes())), Ok(()));
    for wrong in ["", "hook-secret_2", "hook-secret_", "HOOK-SECRET_1"] {
        assert_eq!(
            verify(&account, &request(wrong, body.as_bytes())),
            Err(Unverified::BadSignature),
            "{wrong}"
        );
    }
    assert_eq!(
        verify(&account, &Request { body: body.clone().into(), ..Request::default() }),
        Err(Unverified::BadSignature)
    );
    let get = Request { get: true, ..request("hook-secret_1", b"") };
    assert_eq!(verify(&account, &get), Err(Unverified::BadSignature));
    account.secrets.insert("webhook_secret".into(), Private::new(String::new()));
    assert_eq!(verify(&account, &request("", body.as_bytes())), Err(Unverified::BadSignature));
    assert_eq!(TELEGRAM.lacks(&account), ["webhook_secret"]);
    account.settings.insert("updates".into(), "poll".into());
    assert!(TELEGRAM.lacks(&account).is_empty());
}

#[test]
fn words_commands_and_links() {
    let incoming = heard(&text("我的快递到哪了")).unwrap();
    assert_eq!((incoming.key.as_str(), incoming.from.as_str()), ("9001", "4242"));
    assert_eq!(incoming.at, "2026-03-02T01:14:00Z".parse().ok());
    assert_eq!(incoming.locale.as_deref(), Some("zh-CN"));
    assert_eq!(incoming.reply_to, "");
    assert_eq!(incoming.what, What::Text("我的快递到哪了".into()));

    let choice = |id: &str| Some(What::Choice(id.into()));
    let words = |words: &str| Some(What::Text(words.into()));
    assert_eq!(what(&text("/start")), Some(What::Joined(None)));
    assert_eq!(what(&text("/start order-7")), Some(What::Joined(Some("order-7".into()))));
    assert_eq!(what(&text("/track")), choice("command:track"));
    assert_eq!(what(&text("/Help@shop_bot")), choice("command:help"));
    assert_eq!(what(&text("/human please")), choice("command:human"));
    assert_eq!(what(&text("/track SF0000000000018")), words("SF0000000000018"));
    assert_eq!(what(&text("/")), words("/"));
    assert_eq!(what(&text("/到哪了")), words("/到哪了"));
}

#[test]
fn pictures_are_other_and_their_captions_are_words() {
    let photo = |caption: Option<&str>| {
        let sizes = json!([{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 1}]);
        let mut message =
            json!({"message_id": 5, "from": user(), "chat": chat(), "date": 1772414040, "photo": sizes});
        if let Some(caption) = caption {
            message["caption"] = caption.into();
        }
        json!({"update_id": 9002, "message": message})
    };
    assert_eq!(what(&photo(None)), Some(What::Other));
    assert_eq!(what(&photo(Some("坏了"))), Some(What::Text("坏了".into())));
}

#[test]
fn a_tapped_button_is_its_choice_and_is_answered() {
    let update = json!({"update_id": 9003, "callback_query": {
        "id": "777000", "from": user(), "chat_instance": "1", "data": "o2",
        "message": {"message_id": 5, "chat": chat(), "date": 1772414040, "text": "哪一单?",
            "from": {"id": 100, "is_bot": true, "first_name": "Shop"}}
    }});
    let incoming = heard(&update).unwrap();
    assert_eq!(incoming.what, What::Choice("o2".into()));
    assert_eq!((incoming.from.as_str(), incoming.reply_to.as_str()), ("4242", "777000"));

    let account = account();
    let shown = [Shown::Text { text: "好".into() }];
    let calls = TELEGRAM.send(&cx(&account), &incoming.from, Some(&incoming), &shown).unwrap();
    assert_eq!(calls[0].url, "http://127.0.0.1:9/bot100:bot-token/answerCallbackQuery");
    assert_eq!(calls[0].body, br#"{"callback_query_id":"777000"}"#);
    assert_eq!((calls[0].repeatable, calls[1].repeatable), (true, false));
    // A message that is too old to be shown whole still tells its chat.
    let old = json!({"update_id": 1, "callback_query": {"id": "7", "from": user(), "chat_instance": "1", "data": "o2",
        "message": {"message_id": 5, "chat": chat(), "date": 0}}});
    assert_eq!(what(&old), Some(What::Choice("o2".into())));
}

#[test]
fn who_blocks_the_bot_left() {
    let change = |kind: &str, status: Value| {
        json!({"update_id": 9004, "my_chat_member": {
            "chat": {"id": 4242, "type": kind, "title": "t", "first_name": "李"}, "from": user(), "date": 1772414040,
            "old_chat_member": {"user": user(), "status": "member"},
            "new_chat_member": status
        }})
    };
    let kicked = json!({"user": user(), "status": "kicked", "until_date": 0});
    assert_eq!(what(&change("private", kicked.clone())), Some(What::Left));
    assert_eq!(what(&change("group", kicked)), None);
    assert_eq!(what(&change("private", json!({"user": user(), "status": "member"}))), None);
}

#[test]
fn groups_bots_edits_and_unknown_kinds_are_not_answered() {
    let mut group = text("到哪了");
    group["message"]["chat"] = json!({"id": -5, "type": "group", "title": "t"});
    assert_eq!(heard(&group), None);
    let mut bot = text("到哪了");
    bot["message"]["from"]["is_bot"] = true.into();
    assert_eq!(heard(&bot), None);
    let mut edited = text("到哪了");
    edited["edited_message"] = edited["message"].take();
    edited.as_object_mut().unwrap().remove("message");
    assert_eq!(heard(&edited), None);
    assert_eq!(heard(&json!({"update_id": 9005, "brand_new_kind": {"x": [1, 2]}})), None);
    let mut pinned = text("");
    pinned["message"].as_object_mut().unwrap().remove("text");
    pinned["message"]["group_chat_created"] = true.into();
    assert_eq!(heard(&pinned), None);
}

#[test]
fn a_message_with_something_new_in_it_is_still_heard() {
    let mut update = text("/track SF0000000000018");
    update["message"]["entities"] = json!([{"type": "hologram", "offset": "far", "length": []}]);
    update["message"]["from"].as_object_mut().unwrap().remove("first_name");
    let incoming = heard(&update).unwrap();
    assert_eq!(incoming.what, What::Text("SF0000000000018".into()));
    assert_eq!((incoming.from.as_str(), incoming.key.as_str()), ("4242", "9001"));
    assert_eq!(incoming.locale.as_deref(), Some("zh-CN"));
    update["message"]["chat"]["type"] = "supergroup".into();
    assert_eq!(heard(&update), None);
}

#[test]
fn broken_bodies_are_malformed() {
    let whole = text("到哪了").to_string();
    for end in 0..whole.len() {
        assert_eq!(trip(&whole.as_bytes()[..end]), Err(Unverified::Malformed), "{end}");
    }
    let deep = format!("{{\"update_id\":1,\"message\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(trip(deep.as_bytes()), Err(Unverified::Malformed));
    assert_eq!(trip(&vec![b' '; MAX_BODY + 1]), Err(Unverified::Malformed));
    for bad in [b"[]".as_slice(), b"null", b"1", b"{}", b"\xce\xd2", b"{\"update_id\":\"x\"}"] {
        assert_eq!(trip(bad), Err(Unverified::Malformed), "{bad:?}");
    }
}

fn sent(shown: &[Shown]) -> Vec<Value> {
    let account = account();
    let calls = TELEGRAM.send(&cx(&account), "4242", None, shown).unwrap();
    for call in &calls {
        assert_eq!(call.url, "http://127.0.0.1:9/bot100:bot-token/sendMessage");
        assert!(!call.repeatable, "a message to a person is sent at most once");
    }
    calls.iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect()
}

fn say(text: &str) -> Shown {
    Shown::Text { text: text.into() }
}

#[test]
fn a_buyer_sees_a_bold_status_line_and_buttons() {
    let event = ShownEvent {
        at: "2026-03-02T09:14:00+08:00".into(),
        text: "<快件> & \"派送\"".into(),
        place: None,
        at_text: "今天 09:14".into(),
    };
    let parcel = Shown::Parcel {
        carrier: "sf".into(),
        number: "SF0000000000018".into(),
        status: Status::OutForDelivery,
        status_text: "派送中".into(),
        eta: None,
        events: vec![event],
        carrier_text: "顺丰<速运>".into(),
    };
    let choices = vec![
        ShownChoice { id: "o1".into(), label: "保温杯 & 盖".into() },
        ShownChoice { id: "x".repeat(65), label: "台灯".into() },
        ShownChoice { id: "o3".into(), label: "长".repeat(80) },
    ];
    let question = Shown::Choices { text: "哪一单?".into(), choices };
    let link = Shown::Link { text: "详情 <>".into(), url: "https://shop.example/t/a?b=\"&c=1".into() };
    let bodies = sent(&[say("您的包裹正在派送"), parcel, question, link]);
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["chat_id"], 4242);
    assert_eq!(bodies[0]["parse_mode"], "HTML");
    assert_eq!(
        bodies[0]["text"],
        "您的包裹正在派送\n\n<b>顺丰&lt;速运&gt; <code>SF0000000000018</code> · 派送中</b>\n\
         今天 09:14 &lt;快件&gt; &amp; \"派送\"\n\n哪一单?\n2. 台灯"
    );
    let short = format!("{}…", "长".repeat(63));
    assert_eq!(
        bodies[0]["reply_markup"],
        json!({"inline_keyboard": [
            [{"text": "保温杯 & 盖", "callback_data": "o1"}], [{"text": short, "callback_data": "o3"}]
        ]})
    );
    assert_eq!(bodies[1]["text"], "<a href=\"https://shop.example/t/a?b=&quot;&amp;c=1\">详情 &lt;&gt;</a>");
    assert_eq!(bodies[1]["link_preview_options"]["is_disabled"], true);
    assert!(bodies[1].get("reply_markup").is_none());
}

#[test]
fn what_cannot_be_a_link_is_text_and_nothing_is_sent_for_nothing() {
    let script = Shown::Link { text: "x".into(), url: "javascript:alert(1)".into() };
    assert_eq!(sent(&[script])[0]["text"], "x\njavascript:alert(1)");
    assert!(sent(&[]).is_empty());
    let lonely = Shown::Choices {
        text: String::new(),
        choices: vec![ShownChoice { id: "a".into(), label: "A".into() }],
    };
    assert_eq!(sent(&[lonely])[0]["text"], "…");
    assert_eq!(TELEGRAM.send(&cx(&account()), "not-a-chat", None, &[say("x")]), Err(Refusal::Unreachable));
}

#[test]
fn long_texts_are_split_where_a_reader_would() {
    let paragraph = "包裹在路上。".repeat(300);
    let bodies = sent(&[say(&paragraph), say(&paragraph), say(&paragraph)]);
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[1]["text"].as_str().unwrap(), paragraph);

    let emoji = "📦".repeat(3000);
    let whole: String =
        sent(&[say(&emoji)]).iter().map(|body| body["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(whole, emoji);
    let ands = "&".repeat(3000);
    for body in sent(&[say(&ands)]) {
        let text = body["text"].as_str().unwrap();
        assert!(text.len() <= 4096 && text.len() % 5 == 0, "no entity is cut");
    }
}

#[test]
fn answers_to_a_send_say_what_to_do() {
    let account = account();
    let read =
        |status, body: Value| TELEGRAM.read_sent(&cx(&account), &Answer::new(status, body.to_string()));
    let no =
        |code: u16, words: &str| read(code, json!({"ok": false, "error_code": code, "description": words}));
    assert_eq!(read(200, json!({"ok": true, "result": {"message_id": 6}})), Ok(()));
    assert_eq!(read(200, json!({"ok": true, "result": true})), Ok(()));
    let throttled = json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 30",
        "parameters": {"retry_after": 30}});
    let until = Timestamp::from_second(1_772_414_130).ok();
    assert_eq!(read(429, throttled), Err(Refusal::Throttled { until }));
    assert_eq!(no(403, "Forbidden: bot was blocked by the user"), Err(Refusal::Unreachable));
    assert_eq!(no(400, "Bad Request: chat not found"), Err(Refusal::Unreachable));
    assert_eq!(no(400, "Bad Request: message is not modified: same"), Ok(()));
    assert_eq!(no(400, "Bad Request: query is too old and response timeout expired"), Ok(()));
    for words in ["message is too long", "can't parse entities: x", "BUTTON_DATA_INVALID"] {
        assert_eq!(no(400, &format!("Bad Request: {words}")), Err(Refusal::Unsupported), "{words}");
    }
    let fix = |cure| Err(Refusal::FixAccount { cure: Cure(cure) });
    assert_eq!(no(401, "Unauthorized"), fix("cure-token"));
    assert_eq!(no(404, "Not Found"), fix("cure-token"));
    assert_eq!(no(409, "Conflict: terminated by other getUpdates request"), fix("cure-polling-conflict"));
    assert_eq!(no(500, "Internal Server Error"), Err(Refusal::Retry { after: None }));
    let broken = |status, body: &str| TELEGRAM.read_sent(&cx(&account), &Answer::new(status, body));
    assert_eq!(broken(502, "<html>"), Err(Refusal::Retry { after: None }));
    for body in ["", "{", "[]", "[true,1]", "<html>", "{\"ok\":true}"] {
        assert_eq!(broken(200, body), Err(Refusal::Unreadable), "{body}");
    }
}

#[test]
fn long_polling_confirms_what_it_read_and_skips_what_it_cannot() {
    let mut account = account();
    assert!(TELEGRAM.poll(&account).is_none(), "an account with a webhook is never polled");
    account.settings.insert("updates".into(), "poll".into());
    let poll = TELEGRAM.poll(&account).unwrap();
    let call = poll.fetch(&cx(&account), Some("9002")).unwrap();
    assert_eq!(call.url, "http://127.0.0.1:9/bot100:bot-token/getUpdates");
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!((body["offset"].as_u64(), body["timeout"].as_u64()), (Some(9002), Some(25)));
    assert_eq!(body["allowed_updates"], json!(["message", "callback_query", "my_chat_member"]));

    let result = json!([text("到哪了"), {"update_id": 9007, "poll": 1}, {"update_id": 9008, "message": []}]);
    let answer = Answer::new(200, json!({"ok": true, "result": result}).to_string());
    let (messages, cursor) = poll.read(&cx(&account), &answer).unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].what, What::Text("到哪了".into()));
    assert_eq!(cursor.as_deref(), Some("9009"));
    let empty = Answer::new(200, r#"{"ok":true,"result":[]}"#);
    assert_eq!(poll.read(&cx(&account), &empty), Ok((Vec::new(), None)));
}

#[test]
fn hello_sets_commands_per_language_and_the_webhook() {
    let mut account = account();
    account.settings.insert("webhook_url".into(), "https://shop.example/hooks/telegram/x".into());
    let list =
        |about: &str| vec![("track".to_owned(), about.to_owned()), ("Bad Name".to_owned(), "x".to_owned())];
    let commands = [
        ("zh-CN".to_owned(), list("查快递")),
        ("zh-TW".to_owned(), list("查快遞")),
        ("en".to_owned(), list("Track")),
    ];
    let calls = TELEGRAM.hello(&cx(&account), &commands);
    let bodies: Vec<Value> = calls.iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect();
    let command = |about: &str| json!([{"command": "track", "description": about}]);
    assert_eq!(
        bodies,
        [
            json!({"commands": command("查快递")}),
            json!({"commands": command("查快递"), "language_code": "zh"}),
            json!({"commands": command("Track"), "language_code": "en"}),
            json!({"url": "https://shop.example/hooks/telegram/x", "secret_token": "hook-secret_1",
                "allowed_updates": ["message", "callback_query", "my_chat_member"]}),
        ]
    );
    account.settings.insert("updates".into(), "poll".into());
    let calls = TELEGRAM.hello(&cx(&account), &[]);
    assert_eq!(calls.iter().map(|call| call.operation).collect::<Vec<_>>(), ["telegram.delete_webhook"]);
}

proptest::proptest! {
    #[test]
    fn any_body_is_read_or_refused(body: Vec<u8>, json in "[\\[\\]{}\":,a-z0-9]{0,60}") {
        let _ = trip(&body);
        let _ = trip(json.as_bytes());
        let _ = read::updates(&json);
        let _ = calls::read_sent(&cx(&account()), &Answer::new(200, json.into_bytes()));
    }

    #[test]
    fn every_message_is_balanced_and_fits(texts in proptest::collection::vec("[<>&\"a 快📦\\n]{0,900}", 0..8)) {
        for body in sent(&texts.iter().map(|text| say(text)).collect::<Vec<_>>()) {
            let text = body["text"].as_str().unwrap();
            proptest::prop_assert!(text.encode_utf16().count() <= 4096);
            proptest::prop_assert!(!text.contains(['<', '>']));
            let entities = ["&amp;", "&lt;", "&gt;"].iter().map(|entity| text.matches(entity).count()).sum::<usize>();
            proptest::prop_assert_eq!(text.matches('&').count(), entities);
        }
    }
}
