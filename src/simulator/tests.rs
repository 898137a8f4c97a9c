//! The scripted vendors: what they answer, and whom they refuse.
use super::*;
use crate::wire::sign;
use serde_json::{Value, json};
use std::sync::Arc;

fn started() -> Timestamp {
    "2026-03-02T04:00:00Z".parse().unwrap()
}

fn simulator() -> Simulator {
    Simulator::new(started(), 1.0)
}

fn ask(simulator: &Simulator, path: &str, body: impl AsRef<[u8]>) -> Value {
    let simulated = simulator.answer(path, &[], body.as_ref(), started());
    serde_json::from_slice(&simulated.answer.body).unwrap_or_default()
}

/// Built by hand from the vendor's text, as the simulator itself must not lean on the adapter.
fn kuaidi100(simulator: &Simulator, com: &str, number: &str, phone: &str, key: &str) -> Value {
    let param = json!({"com": com, "num": number, "phone": phone, "resultv2": "4"}).to_string();
    let sign = sign::md5_hex_upper(format!("{param}{key}{}", kuaidi100::CUSTOMER).as_bytes());
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("customer", kuaidi100::CUSTOMER), ("sign", sign.as_str()), ("param", param.as_str())])
        .finish();
    ask(simulator, "/kuaidi100/poll/query.do", form)
}

#[test]
fn kuaidi100_checks_signature_phone_and_carrier() {
    let simulator = simulator();
    let number = "YT8816042739501";
    assert_eq!(kuaidi100(&simulator, "yuantong", number, "", "wrong")["returnCode"], "503");
    assert_eq!(kuaidi100(&simulator, "shentong", number, "", kuaidi100::KEY)["returnCode"], "500");
    assert_eq!(
        kuaidi100(&simulator, "zhongtong", "75613820947702", "1234", kuaidi100::KEY)["returnCode"],
        "408"
    );
    assert_eq!(
        kuaidi100(&simulator, "zhongtong", "75613820947702", PHONE_TAIL, kuaidi100::KEY)["status"],
        "200"
    );
    let told = kuaidi100(&simulator, "yuantong", number, "", kuaidi100::KEY);
    assert_eq!((told["status"].as_str(), told["nu"].as_str()), (Some("200"), Some(number)));
    assert!(told["data"].as_array().unwrap().len() >= 5 && told["arrivalTime"].is_string());
    assert_eq!(simulator.times_asked(number), 2);
}

#[test]
fn an_outage_breaks_carriers_and_leaves_chats_alone() {
    let simulator = simulator();
    ask(&simulator, "/simulated/outage", r#"{"mode":"down"}"#);
    assert_eq!(simulator.answer("/sf/std/service", &[], b"", started()).answer.status, 503);
    assert_eq!(simulator.answer("/wechat/sent", &[], b"", started()).answer.status, 200);
    ask(&simulator, "/simulated/outage", r#"{"mode":"slow"}"#);
    assert_eq!(simulator.answer("/sf/std/service", &[], b"", started()).delay, SLOW);
    ask(&simulator, "/simulated/outage", r#"{"mode":"up"}"#);
    assert_eq!(ask(&simulator, "/sf/std/service", "")["apiResultCode"], "A1004");
    assert_eq!(simulator.answer("/nowhere", &[], b"", started()).answer.status, 404);
}

fn wechat_token(simulator: &Simulator, at: Timestamp) -> String {
    let body = json!({"grant_type": "client_credential", "appid": keys::WECHAT_APPID, "secret": keys::WECHAT_SECRET});
    let simulated = simulator.answer("/wechat/cgi-bin/stable_token", &[], body.to_string().as_bytes(), at);
    let told: Value = serde_json::from_slice(&simulated.answer.body).unwrap();
    told["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn wechat_gives_a_stable_token_and_takes_messages_with_it() {
    let simulator = simulator();
    let token = wechat_token(&simulator, started());
    assert_eq!(wechat_token(&simulator, started()), token, "not forced: the same");
    let late = started() + jiff::SignedDuration::from_secs(7_000);
    assert_ne!(wechat_token(&simulator, late), token, "its last five minutes: a new one");
    let send = |token: &str, content: &str| {
        let body = format!(r#"{{"touser":"buyer000001","msgtype":"text","text":{{"content":"{content}"}}}}"#);
        ask(&simulator, &format!("/wechat/cgi-bin/message/custom/send?access_token={token}"), body)["errcode"]
            .clone()
    };
    assert_eq!(send(&token, "您的快件"), 0);
    assert_eq!(send("nonsense", "x"), 40001);
    assert_eq!(send("", "x"), 41001);
    assert_eq!(send(&token, "\\u4f60"), 40033);
    assert_eq!(send(&token, &"驿".repeat(700)), 45002);
    ask(&simulator, "/wechat/fail", r#"{"errcode":45015,"times":1}"#);
    assert_eq!(send(&token, "y"), 45015);
    assert_eq!(send(&token, "y"), 0);
    let sent = ask(&simulator, "/wechat/sent", "");
    assert_eq!(sent.as_array().unwrap().len(), 2);
    assert_eq!(sent[0]["text"]["content"], "您的快件");
}

fn telegram(simulator: &Simulator, method: &str, body: Value) -> (u16, Value) {
    let path = format!("/telegram/bot{}/{method}", keys::TELEGRAM_TOKEN);
    let simulated = simulator.answer(&path, &[], body.to_string().as_bytes(), started());
    (simulated.answer.status, serde_json::from_slice(&simulated.answer.body).unwrap())
}

#[test]
fn telegram_checks_what_the_bot_sends() {
    let simulator = simulator();
    let send = |body: Value| telegram(&simulator, "SendMessage", body);
    let (status, told) = send(json!({"chat_id": 7, "text": "<b>圆通</b> &lt;3", "parse_mode": "HTML"}));
    assert_eq!((status, told["result"]["text"].as_str()), (200, Some("圆通 <3")));
    assert_eq!(send(json!({"chat_id": 7, "text": "a < b", "parse_mode": "HTML"})).0, 400);
    assert_eq!(
        send(json!({"chat_id": 7, "text": "字".repeat(4_097)})).1["description"],
        "Bad Request: message is too long"
    );
    assert_eq!(send(json!({"chat_id": 7, "text": "字".repeat(4_096)})).0, 200);
    assert_eq!(send(json!({"text": "x"})).1["description"], "Bad Request: chat not found");
    let data =
        |length: usize| json!({"inline_keyboard": [[{"text": "1", "callback_data": "x".repeat(length)}]]});
    assert_eq!(send(json!({"chat_id": 7, "text": "x", "reply_markup": data(64)})).0, 200);
    assert_eq!(send(json!({"chat_id": 7, "text": "x", "reply_markup": data(65)})).0, 400);
    ask(&simulator, "/telegram/fail", r#"{"method":"sendMessage","error_code":429,"retry_after":3}"#);
    let (status, told) = send(json!({"chat_id": 7, "text": "x"}));
    assert_eq!((status, told["parameters"]["retry_after"].as_i64()), (429, Some(3)));
    assert_eq!(send(json!({"chat_id": 7, "text": "x"})).0, 200);
    assert_eq!(ask(&simulator, "/telegram/sent", "").as_array().unwrap().len(), 4);
    assert_eq!(telegram(&simulator, "nonsense", json!({})).0, 404);
    assert_eq!(ask(&simulator, "/telegram/botwrong/GetMe", "{}")["error_code"], 401);
    assert_eq!(telegram(&simulator, "GetMe", json!({})).1["result"]["has_main_web_app"], false);
}

#[test]
fn telegram_keeps_updates_until_they_are_confirmed() {
    let simulator = simulator();
    for text in ["一", "二"] {
        ask(&simulator, "/telegram/inject", json!({"message": {"text": text}}).to_string());
    }
    let first = telegram(&simulator, "getUpdates", json!({"offset": 0})).1;
    let ids: Vec<i64> = first["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|update| update["update_id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    let rest = telegram(&simulator, "getUpdates", json!({"offset": ids[0] + 1})).1;
    assert_eq!(rest["result"][0]["message"]["text"], "二");
    assert_eq!(telegram(&simulator, "setWebhook", json!({"url": "http://x"})).0, 400);
    assert_eq!(
        telegram(&simulator, "setWebhook", json!({"url": "https://x", "secret_token": "a_-1"})).1["result"],
        true
    );
    assert_eq!(telegram(&simulator, "getUpdates", json!({})).0, 409);
    assert_eq!(telegram(&simulator, "deleteWebhook", json!({})).1["result"], true);
    assert_eq!(telegram(&simulator, "getUpdates", json!({"offset": ids[1] + 1})).1["result"], json!([]));
}

#[tokio::test]
async fn a_long_poll_wakes_for_an_update_and_yields_to_a_newer_one() {
    let simulator = Arc::new(simulator());
    let clock: Clock = Arc::new(started);
    let path = format!("/telegram/bot{}/GetUpdates", keys::TELEGRAM_TOKEN);
    let poll = || {
        let (simulator, clock, path) = (simulator.clone(), clock.clone(), path.clone());
        tokio::spawn(async move { simulator.respond(&path, &[], br#"{"timeout":50}"#, &clock).await })
    };
    let older = poll();
    // The older one runs until it waits.
    tokio::task::yield_now().await;
    let newer = poll();
    assert_eq!(older.await.unwrap().status, 409);
    ask(&simulator, "/telegram/inject", r#"{"update_id":7,"message":{"text":"到哪了"}}"#);
    let told = newer.await.unwrap();
    assert!(String::from_utf8(told.body).unwrap().contains("到哪了"));
}

proptest::proptest! {
    #[test]
    fn no_request_breaks_a_peer(path in "/(kuaidi100/poll/query.do|sf/std/service|simulated/track|wechat/[a-z_/]{0,20}|telegram/[a-zA-Z/]{0,20}|[a-z/]{0,9})(\\?\\PC{0,20})?", body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
        let _ = simulator().answer(&path, &[], &body, started());
    }
}
