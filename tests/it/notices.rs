//! News that buyers are told before they ask: each once, in their language and chat, at a decent hour, and never what
//! no longer holds. Over the real router; the simulated carrier pushes.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::trips::wechat::follower;
use crate::world::{JSON, Session, World, person};
use jiff::SignedDuration;
use std::time::Duration;
use yishi::model::{ChatAddress, Parcel};
use yishi::simulator::Outage;
use yishi::wire::Clock as _;

const NUMBER: &str = "SIMNORMAL7001";

/// An order that was shipped just now, as the scripts begin.
async fn shipped(world: &World, no: &str, number: &str, owners: &[ChatAddress]) {
    world.order("demo", no, "青瓷茶具", &[("simulated", number)], owners).await;
}

async fn parcel(world: &World, number: &str) -> Parcel {
    world.intake.records.parcel("demo", "simulated", number).await.unwrap().value.unwrap()
}

/// The carrier pushes what it knows after so many hours from now, and it arrives then.
async fn later(world: &World, number: &str, hours: f64) {
    world.advance(Duration::from_secs_f64(hours * 3600.0));
    let pushed = world.simulator.push("simulated", "simulated", number, world.clock.now()).unwrap();
    let signature = pushed.headers[0].1.clone();
    let headers = [JSON, ("x-signature", signature.as_str())];
    let reply = world.door().post("/hooks/simulated/demo", &headers, pushed.body).await;
    assert_eq!(reply.status, 200);
    world.told().await;
}

#[tokio::test]
async fn a_buyer_in_the_web_chat_hears_each_step_once_without_asking() {
    let world = World::that_tells_news().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    for _ in 0..3 {
        later(&world, NUMBER, 1.0).await;
        // The same push again, and a poll of the same: nothing new.
        later(&world, NUMBER, 0.0).await;
    }
    later(&world, NUMBER, 6.0).await;
    later(&world, NUMBER, 20.0).await;
    let said: Vec<String> = buyer.log().await.into_iter().map(|message| message.text()).collect();
    let count = |text: &str| said.iter().filter(|message| message.contains(text)).count();
    assert_eq!(count("开始派送了"), 1, "{said:#?}");
    assert_eq!(count("已签收"), 1, "{said:#?}");
    assert!(said.last().unwrap().contains("没收到"), "what the buyer can do: {said:#?}");
}

#[tokio::test]
async fn news_at_night_waits_for_the_morning_and_is_one_message() {
    let world = World::that_tells_news().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    let before = buyer.log().await.len();
    // From noon to eleven at night.
    later(&world, NUMBER, 11.0).await;
    assert_eq!(buyer.log().await.len(), before, "nobody is told anything at 23:00");
    let due = parcel(&world, NUMBER).await.pending_due.unwrap();
    let local = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap().to_datetime(due);
    assert_eq!((local.hour(), local.minute()), (8, 0));
    world.advance(Duration::from_secs(9 * 3600 + 60));
    world.told().await;
    assert_eq!(buyer.log().await.len(), before + 1);
}

#[tokio::test]
async fn whoever_wants_no_news_gets_none_and_still_gets_answers() {
    let world = World::that_tells_news().await;
    let mut buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    buyer.sends("不要再给我发通知了").await;
    while !buyer.answer().await.text().contains("不再主动") {}
    let before = buyer.log().await.len();
    later(&world, NUMBER, 4.0).await;
    assert_eq!(buyer.log().await.len(), before);
    buyer.says("快递到哪了").await.has("青瓷茶具");
}

#[tokio::test]
async fn whoever_wants_to_hear_of_the_arrival_only_hears_of_it_only() {
    let world = World::that_tells_news().await;
    let mut buyer = Session::known(&world, "anna", &["A1"]).await;
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    world.checked().await;
    world.told().await;
    buyer.sends("不用告诉我到哪了，签收再说").await;
    let answer = loop {
        let answer = buyer.answer().await;
        if answer.text().contains("只在这些时候") {
            break answer;
        }
    };
    answer.has("可以取件、已签收").has("恢复通知").lacks("开始派送").lacks("意外");
    let before = buyer.log().await.len();
    // Out for delivery, and signed the next day.
    for hours in [1.0, 2.0, 6.0, 20.0] {
        later(&world, NUMBER, hours).await;
    }
    let said: Vec<String> =
        buyer.log().await.into_iter().skip(before).map(|message| message.text()).collect();
    assert!(matches!(&said[..], [signed] if signed.contains("已签收")), "{said:#?}");
    assert!(parcel(&world, NUMBER).await.pending.is_empty(), "what nobody wants does not wait");
    buyer.sends("恢复通知").await;
    while !buyer.answer().await.text().contains("已恢复") {}
}

#[tokio::test]
async fn what_wechat_does_not_let_us_send_is_said_with_the_next_answer() {
    let world = World::that_tells_news().await;
    let address = person("wechat", "demo", "o-anna");
    shipped(&world, "A1", NUMBER, std::slice::from_ref(&address)).await;
    world.checked().await;
    world.told().await;
    // She has never written: the window is shut.
    assert!(world.wechat_sent("o-anna").is_empty());
    let kept = world.intake.records.chat("demo", &address).await.unwrap().value.unwrap().kept;
    assert_eq!(kept.len(), 1);
    let anna = follower(&world, "demo", "o-anna");
    let reply = anna.says(1, "在吗").await;
    assert!(reply.contains(NUMBER), "{reply}");
    // Now it is open: the next news comes by itself.
    later(&world, NUMBER, 2.0).await;
    world.quiet().await;
    let messages = world.wechat_sent("o-anna");
    assert!(messages.iter().any(|text| text.contains("派送")), "{messages:?}");
}

/// A world whose WeChat accounts have an approved form for news.
async fn with_a_form(id: &str) -> World {
    let id = id.to_owned();
    World::with(move |config| {
        for shop in &mut config.shops {
            shop.notices = Default::default();
        }
        for account in config.accounts.iter_mut().filter(|account| account.kind == "wechat") {
            account.settings.insert("template_id".into(), id.clone());
            let fields = "thing1=text, character_string2=number, phrase3=status, time4=time";
            account.settings.insert("template_fields".into(), fields.into());
        }
    })
    .await
}

/// Template messages that arrived at WeChat for this person, each with its values.
fn forms(world: &World, openid: &str) -> Vec<serde_json::Value> {
    let sent = world.peer("/wechat/sent", serde_json::Value::Null);
    let mine = sent.as_array().unwrap().iter();
    mine.filter(|one| one["touser"] == openid && one["msgtype"] == "template").cloned().collect()
}

#[tokio::test]
async fn where_no_window_is_open_news_goes_out_in_the_approved_form_once() {
    let world = with_a_form("DEMO-TEMPLATE").await;
    let address = person("wechat", "demo", "o-anna");
    shipped(&world, "A1", NUMBER, std::slice::from_ref(&address)).await;
    world.checked().await;
    world.told().await;
    world.quiet().await;
    let told = forms(&world, "o-anna");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["character_string2"]["value"], NUMBER);
    assert!(told[0]["data"]["thing1"]["value"].as_str().unwrap().contains("茶具"), "{}", told[0]);
    later(&world, NUMBER, 0.0).await;
    world.quiet().await;
    assert_eq!(forms(&world, "o-anna").len(), 1, "the same push again is no news");
    let chat = world.intake.records.chat("demo", &address).await.unwrap().value.unwrap();
    assert_eq!((chat.kept.len(), chat.window_used), (0, 0));
}

#[tokio::test]
async fn a_window_that_turns_out_shut_is_no_loss() {
    let world = with_a_form("DEMO-TEMPLATE").await;
    let anna = follower(&world, "demo", "o-anna");
    anna.says(1, "在吗").await;
    shipped(&world, "A1", NUMBER, &[person("wechat", "demo", "o-anna")]).await;
    // WeChat counts otherwise than we do.
    world.peer("/wechat/fail", serde_json::json!({"errcode": 45047, "times": 1}));
    world.checked().await;
    world.told().await;
    world.quiet().await;
    assert!(world.wechat_sent("o-anna").iter().all(|text| text.is_empty()), "nothing else was said");
    assert_eq!(forms(&world, "o-anna").len(), 1);
}

#[tokio::test]
async fn what_no_form_can_say_waits_for_the_buyers_next_message() {
    for (form, refused) in [("WRONG", None), ("DEMO-TEMPLATE", Some(43101))] {
        let world = with_a_form(form).await;
        let address = person("wechat", "demo", "o-anna");
        if let Some(code) = refused {
            world.peer("/wechat/fail", serde_json::json!({"errcode": code, "times": 1}));
        }
        shipped(&world, "A1", NUMBER, std::slice::from_ref(&address)).await;
        world.checked().await;
        world.told().await;
        world.quiet().await;
        assert!(forms(&world, "o-anna").is_empty(), "{form}");
        let reply = follower(&world, "demo", "o-anna").says(1, "在吗").await;
        assert!(reply.contains(NUMBER), "{form}: {reply}");
    }
}

#[tokio::test]
async fn an_old_history_is_no_news() {
    let world = World::that_tells_news().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    let long_ago = world.clock.now() - SignedDuration::from_hours(24 * 20);
    let order = yishi::model::Order {
        no: "A1".into(),
        shipments: vec![yishi::model::Shipment {
            carrier: "simulated".into(),
            number: "SIMSTALLED7001".into(),
            shipped_at: Some(long_ago),
            ..Default::default()
        }],
        buyer: yishi::model::Buyer { chat: vec![buyer.address()], ..Default::default() },
        ..Default::default()
    };
    world.intake.records.upsert_order("demo", &order, world.clock.now()).await.unwrap();
    world.advance(Duration::from_secs(7 * 3600));
    world.checked().await;
    world.told().await;
    let told = parcel(&world, "SIMSTALLED7001").await;
    assert!(!told.events.is_empty());
    let said: Vec<String> = buyer.log().await.into_iter().map(|message| message.text()).collect();
    assert!(said.iter().all(|text| !text.contains("揽收") && !text.contains("已经发货")), "{said:?}");
}

#[tokio::test]
async fn a_stalled_parcel_is_one_alarm_and_one_apology() {
    const STALLED: &str = "SIMSTALLED7001";
    let world = World::with(|config| {
        for shop in &mut config.shops {
            shop.notices = Default::default();
        }
        config.accounts.push(yishi::model::Account {
            id: "team".into(),
            kind: "wecom-robot".into(),
            shop: Some("demo".into()),
            settings: [("base_url".to_owned(), "http://127.0.0.1:9/alerts".to_owned())].into(),
            secrets: [("key".to_owned(), yishi::model::Private::new("k".to_owned()))].into(),
        });
    })
    .await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    let now = world.clock.now();
    let order = yishi::model::Order {
        no: "A1".into(),
        shipments: vec![yishi::model::Shipment {
            carrier: "simulated".into(),
            number: STALLED.into(),
            shipped_at: Some(now - SignedDuration::from_hours(60)),
            ..Default::default()
        }],
        buyer: yishi::model::Buyer { chat: vec![buyer.address()], ..Default::default() },
        ..Default::default()
    };
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
    world.checked().await;
    world.told().await;
    let alarm = || world.simulator.alerts();
    world.until(|| (!alarm().is_empty()).then_some(())).await;
    let text = alarm()[0]["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("物流停滞") && text.contains(STALLED) && text.contains("A1"), "{text}");
    let said: Vec<String> = buyer.log().await.into_iter().map(|message| message.text()).collect();
    assert_eq!(said.iter().filter(|text| text.contains("有一阵没更新")).count(), 1, "{said:?}");
    // Hours later, still nothing: neither is told again.
    world.advance(Duration::from_secs(5 * 3600));
    world.checked().await;
    world.told().await;
    let stuck = |all: Vec<serde_json::Value>| {
        all.iter().filter(|alert| alert.to_string().contains("需要留意")).count()
    };
    assert_eq!(stuck(alarm()), 1);
    let again: Vec<String> = buyer.log().await.into_iter().map(|message| message.text()).collect();
    assert_eq!(again.iter().filter(|text| text.contains("有一阵没更新")).count(), 1);
}

/// What the bot says when nobody can be asked is a promise: kept, or explained.
#[tokio::test]
async fn who_asked_in_vain_hears_as_soon_as_it_is_known() {
    let world = World::new().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    world.simulator.set_outage(Some(Outage::Down));
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    let mut buyer = buyer;
    buyer.says("快递到哪了").await.has(NUMBER).has("一查到我就告诉您");
    let told =
        |log: &[crate::world::Said], text: &str| log.iter().filter(|said| said.text().contains(text)).count();
    world.advance(Duration::from_secs(3600));
    world.checked().await;
    world.told().await;
    assert_eq!(told(&buyer.log().await, "查到了"), 0, "nobody has answered yet");
    world.simulator.set_outage(None);
    for _ in 0..3 {
        world.advance(Duration::from_secs(3 * 3600));
        world.checked().await;
        world.told().await;
    }
    let log = buyer.log().await;
    // The shop tells no other news: this was asked for.
    assert_eq!(told(&log, "您问的“青瓷茶具”查到了"), 1, "{log:#?}");
    assert_eq!(told(&log, "还是没有查到"), 0);
    assert!(parcel(&world, NUMBER).await.promised.is_none());
}

#[tokio::test]
async fn who_asked_in_vain_hears_at_last_that_nothing_is_known() {
    let world = World::new().await;
    let buyer = Session::known(&world, "anna", &["A1"]).await;
    world.simulator.set_outage(Some(Outage::Down));
    shipped(&world, "A1", NUMBER, &[buyer.address()]).await;
    let mut buyer = buyer;
    buyer.says("快递到哪了").await.has("一查到我就告诉您");
    // Asked again, it is the same promise.
    world.advance(Duration::from_secs(1800));
    buyer.says("快递到哪了").await.has("一查到我就告诉您");
    for _ in 0..8 {
        world.advance(Duration::from_secs(4 * 3600));
        world.checked().await;
        world.told().await;
    }
    let log = buyer.log().await;
    let count = log.iter().filter(|said| said.text().contains("还是没有查到")).count();
    assert_eq!(count, 1, "{log:#?}");
}
