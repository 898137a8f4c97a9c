//! Telegram: updates come by webhook or long poll, answers go out as calls, once, and wait where they are told to.

use crate::world::{JSON, Reply, TAIL, World, person, within};
use serde_json::{Value, json};
use std::time::Duration;
use yishi::simulator::keys;

const YTO: (&str, &str) = ("yto", "YT8816042739501");

fn message(update: u64, chat: u64, text: &str) -> Value {
    json!({"update_id": update, "message": {"message_id": update, "date": 1_772_414_040, "text": text,
        "chat": {"id": chat, "type": "private", "first_name": "Anna"},
        "from": {"id": chat, "is_bot": false, "first_name": "Anna", "language_code": "zh-hans"}}})
}

fn tap(update: u64, chat: u64, data: &str) -> Value {
    json!({"update_id": update, "callback_query": {"id": format!("q{update}"), "chat_instance": "c", "data": data,
        "from": {"id": chat, "is_bot": false, "first_name": "Anna", "language_code": "zh-hans"},
        "message": {"message_id": 1, "date": 1_772_414_040, "text": "?",
            "chat": {"id": chat, "type": "private", "first_name": "Anna"}}}})
}

async fn post(world: &World, update: &Value) -> Reply {
    let secret = ("x-telegram-bot-api-secret-token", keys::TELEGRAM_WEBHOOK_SECRET);
    world.door().post("/hooks/telegram/demo", &[JSON, secret], update.to_string()).await
}

/// Posts an update and waits for what the bot says to that.
async fn says(world: &World, update: Value) -> Vec<Value> {
    let before = world.telegram_sent("sendMessage").len();
    assert_eq!(post(world, &update).await.status, 200);
    world.until(|| (world.telegram_sent("sendMessage").len() > before).then_some(())).await;
    world.quiet().await;
    world.telegram_sent("sendMessage").split_off(before)
}

fn texts(calls: &[Value]) -> String {
    calls.iter().map(|call| call["params"]["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn buttons(calls: &[Value]) -> Vec<(String, String)> {
    let rows = calls.iter().filter_map(|call| call["params"]["reply_markup"]["inline_keyboard"].as_array());
    let text = |button: &Value, name: &str| button[name].as_str().unwrap().to_owned();
    let buttons = rows.flatten().flat_map(|row| row.as_array().unwrap());
    buttons.map(|button| (text(button, "callback_data"), text(button, "text"))).collect()
}

/// Anna's tea set, with a name that is markup if it is not escaped.
async fn one_order(world: &World) {
    let anna = person("telegram", "demo", "501");
    world.synced("demo", "A1001", "茶具 <b>&\"大\"", &[YTO], &[anna]).await;
}

async fn two_orders(world: &World) {
    one_order(world).await;
    let anna = person("telegram", "demo", "501");
    world.synced("demo", "A1002", "露营灯", &[("simulated", "SIMDOUBLE0001")], &[anna]).await;
}

#[tokio::test]
async fn a_question_is_answered_as_html_whose_arguments_are_escaped() {
    let world = World::new().await;
    one_order(&world).await;
    let sent = says(&world, message(1, 501, "我的快递到哪了")).await;
    let text = texts(&sent);
    assert!(text.contains("YT8816042739501"), "{text}");
    assert!(text.contains("茶具 &lt;b&gt;&amp;") && !text.contains("<b>&"), "{text}");
    let first = &sent[0]["params"];
    assert_eq!((&first["chat_id"], &first["parse_mode"]), (&json!(501), &json!("HTML")));
    // What the peer, which reads the markup as Telegram does, shows.
    assert!(sent[0]["result"]["text"].as_str().unwrap().contains("茶具 <b>&\"大\""), "{sent:?}");
}

#[tokio::test]
async fn the_same_update_again_says_nothing_more() {
    let world = World::new().await;
    two_orders(&world).await;
    let first = says(&world, message(1, 501, "催一下快递")).await;
    assert!(!first.is_empty());
    for _ in 0..3 {
        assert_eq!(post(&world, &message(1, 501, "催一下快递")).await.status, 200);
    }
    world.quiet().await;
    assert_eq!(world.telegram_sent("sendMessage").len(), first.len());
    assert_eq!(world.requests("demo", "urge").await, 1);
}

#[tokio::test]
async fn a_tapped_button_chooses_and_stops_spinning() {
    let world = World::new().await;
    two_orders(&world).await;
    let list = says(&world, message(1, 501, "我的订单")).await;
    let buttons = buttons(&list);
    let lamp = buttons
        .iter()
        .find(|(_, label)| label.contains("露营灯"))
        .unwrap_or_else(|| panic!("a button for the lamp: {list:?}"));
    assert!(lamp.0.len() <= 64, "Telegram's limit");
    let answer = says(&world, tap(2, 501, &lamp.0)).await;
    let text = texts(&answer);
    assert!(text.contains("SIMDOUBLE0001") && !text.contains("YT8816042739501"), "{text}");
    let stopped = world.telegram_sent("answerCallbackQuery");
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0]["params"]["callback_query_id"], "q2");
}

#[tokio::test]
async fn another_persons_button_shows_nothing() {
    let world = World::new().await;
    two_orders(&world).await;
    let answer = says(&world, tap(9, 777, "o:A1002")).await;
    let text = texts(&answer);
    assert!(!text.contains("SIMDOUBLE0001") && !text.contains("露营灯"), "{text}");
    let answer = says(&world, tap(10, 777, "p:A1002:SIMDOUBLE0001")).await;
    assert!(!texts(&answer).contains("SIMDOUBLE0001"), "{answer:?}");
}

#[tokio::test]
async fn too_many_requests_waits_as_told_and_then_says_it_once() {
    let world = World::new().await;
    one_order(&world).await;
    world.peer("/telegram/fail", json!({"method": "sendMessage", "error_code": 429, "retry_after": 30}));
    assert_eq!(post(&world, &message(1, 501, "催一下快递")).await.status, 200);
    // Refused, and put off.
    let due = |world: &World| {
        let (records, now) = (world.intake.records.clone(), yishi::wire::Clock::now(world.clock.as_ref()));
        async move { (records.outgoing().await.unwrap(), records.due(now, 10).await.unwrap().len()) }
    };
    within(async {
        loop {
            let (rows, due) = due(&world).await;
            if due == 0 && rows.first().is_some_and(|row| row.value.as_ref().unwrap().tries == 1) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(world.telegram_sent("sendMessage").is_empty());
    world.advance(Duration::from_secs(29));
    world.intake.outbox.notify_one();
    assert_eq!(due(&world).await.1, 0, "not a second before");
    world.advance(Duration::from_secs(2));
    world.intake.outbox.notify_one();
    world.until(|| (!world.telegram_sent("sendMessage").is_empty()).then_some(())).await;
    world.quiet().await;
    let sent = world.telegram_sent("sendMessage");
    assert_eq!(
        sent.iter().filter(|call| call["params"]["text"].as_str().unwrap().contains("茶具")).count(),
        1
    );
}

#[tokio::test]
async fn what_was_put_off_does_not_fall_behind_what_came_later() {
    let world = World::new().await;
    one_order(&world).await;
    world.peer("/telegram/fail", json!({"method": "sendMessage", "error_code": 429, "retry_after": 30}));
    post(&world, &message(1, 501, "催一下快递")).await;
    within(async {
        while world
            .intake
            .records
            .outgoing()
            .await
            .unwrap()
            .first()
            .is_none_or(|row| row.value.as_ref().unwrap().tries == 0)
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    post(&world, &message(2, 501, "谢谢")).await;
    world.advance(Duration::from_secs(31));
    world.intake.outbox.notify_one();
    world.quiet().await;
    let sent = texts(&world.telegram_sent("sendMessage"));
    let (urged, thanks) = (sent.find("茶具").expect("urged"), sent.find("不客气").expect("thanked"));
    assert!(urged < thanks, "in the order of the questions: {sent}");
}

#[tokio::test]
async fn an_unknown_outcome_is_never_sent_again_but_shown_to_the_merchant() {
    let world = World::new().await;
    two_orders(&world).await;
    world.peer(
        "/telegram/fail",
        json!({"method": "sendMessage", "error_code": 502, "description": "Bad Gateway"}),
    );
    post(&world, &message(1, 501, "谢谢")).await;
    within(async {
        while world.requests("demo", "outcome_unknown").await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.advance(Duration::from_secs(600));
    world.quiet().await;
    assert!(world.telegram_sent("sendMessage").is_empty());
}

#[tokio::test]
async fn without_the_secret_nobody_is_let_in() {
    let world = World::new().await;
    two_orders(&world).await;
    let update = message(1, 501, "催一下快递").to_string();
    let name = "x-telegram-bot-api-secret-token";
    for headers in [vec![JSON], vec![JSON, (name, "")], vec![JSON, (name, "demo-telegram-secreT")]] {
        let reply = world.door().post("/hooks/telegram/demo", &headers, update.clone()).await;
        assert!(matches!(reply.status, 401 | 403), "{}", reply.status);
        assert!(!reply.text().contains(keys::TELEGRAM_WEBHOOK_SECRET));
    }
    world.quiet().await;
    assert_eq!(world.requests("demo", "urge").await, 0);
    assert!(world.telegram_sent("sendMessage").is_empty());
}

#[tokio::test]
async fn long_polling_takes_each_update_once_and_confirms_it() {
    let mut world = World::with(|config| {
        config.store.engine = yishi::config::Engine::Sled;
        config.accounts.retain(|account| account.kind != "telegram" || account.id == "demo");
        for account in config.accounts.iter_mut().filter(|account| account.kind == "telegram") {
            account.settings.insert("updates".into(), "poll".into());
        }
    })
    .await;
    two_orders(&world).await;
    for (update, text) in [(41, "催一下快递"), (42, "谢谢")] {
        world.peer("/telegram/inject", message(update, 501, text));
    }
    world.until(|| texts(&world.telegram_sent("sendMessage")).contains("不客气").then_some(())).await;
    world.quiet().await;
    assert_eq!(world.requests("demo", "urge").await, 1);
    let before = world.telegram_sent("sendMessage").len();
    // A restart forgets where the poll stood; what comes again is known.
    world.restart().await;
    world.peer("/telegram/inject", message(42, 501, "谢谢"));
    let answer = says_by_poll(&world, message(43, 501, "你好"), before).await;
    assert!(texts(&answer).contains("小店 demo"), "{answer:?}");
    assert!(!texts(&answer).contains("不客气"), "{answer:?}");
}

async fn says_by_poll(world: &World, update: Value, before: usize) -> Vec<Value> {
    world.peer("/telegram/inject", update);
    world.until(|| (world.telegram_sent("sendMessage").len() > before).then_some(())).await;
    world.quiet().await;
    world.telegram_sent("sendMessage").split_off(before)
}

#[tokio::test]
async fn who_blocks_the_bot_is_forgotten() {
    let world = World::new().await;
    two_orders(&world).await;
    let member = |status: &str| json!({"user": {"id": 1_000_000_001_u64, "is_bot": true, "first_name": "Shop"}, "status": status, "until_date": 0});
    let blocked = json!({"update_id": 5, "my_chat_member": {"date": 1_772_414_040,
        "chat": {"id": 501, "type": "private", "first_name": "Anna"},
        "from": {"id": 501, "is_bot": false, "first_name": "Anna"},
        "old_chat_member": member("member"), "new_chat_member": member("kicked")}});
    assert_eq!(post(&world, &blocked).await.status, 200);
    let order = world.intake.records.order("demo", "A1001").await.unwrap().value.unwrap();
    assert_eq!(order.buyer, yishi::model::order::Buyer::default());
    let answer = says(&world, message(6, 501, "我的快递到哪了")).await;
    assert!(!texts(&answer).contains("YT8816042739501"), "{answer:?}");
    let answer = says(&world, message(7, 501, &format!("A1001 {TAIL}"))).await;
    assert!(
        !texts(&answer).contains("YT8816042739501"),
        "an order without a phone proves nobody: {answer:?}"
    );
}
