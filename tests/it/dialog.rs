//! A conversation as its buyer has it: questions of ours that stay open, choices in the buyer's own words, halves that
//! belong together, a person who takes over, and the buyer's own settings.

use crate::world::{Session, World};
use std::time::Duration;

const TEA: (&str, &str) = ("yto", "YT8816042739501");
const LAMP: (&str, &str) = ("simulated", "SIMDOUBLE0001");
const MINUTE: Duration = Duration::from_secs(60);

async fn two_orders(world: &World) -> Session {
    world.synced("demo", "A1001", "青瓷茶具", &[TEA], &[]).await;
    world.synced("demo", "A1002", "露营灯", &[LAMP], &[]).await;
    Session::known(world, "anna", &["A1001", "A1002"]).await
}

const SPLIT: [(&str, &str); 3] =
    [("sf", "SF1409283746509"), ("sf", "SF1409283746510"), ("sf", "SF1409283746511")];

#[tokio::test]
async fn an_open_question_survives_a_restart_and_needs_no_keyword() {
    let mut world = World::on_disk().await;
    world.synced("demo", "A1001", "青瓷茶具", &[TEA], &[]).await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("A1001 到哪了").await.has("后四位");
    world.restart().await;
    buyer.moved_to(&world);
    buyer.says("6688").await.has(TEA.1);
    assert_eq!(buyer.log().await.len(), 4, "the log is whole");
}

#[tokio::test]
async fn an_open_question_expires() {
    let world = World::new().await;
    world.synced("demo", "A1001", "青瓷茶具", &[TEA], &[]).await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("A1001 到哪了").await.has("后四位");
    world.advance(31 * MINUTE);
    buyer.says("6688").await.lacks(TEA.1);
}

#[tokio::test]
async fn a_new_question_wins_over_an_open_one() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    buyer.says("删除我的资料").await.has("确定");
    buyer.says("我的快递到哪了").await.has("运输中");
    // What was asked before is not answered by a later yes.
    buyer.says("是的").await.lacks("已经删除");
    buyer.says("我的订单").await.has("茶具").has("露营灯");

    let mut stranger = Session::stranger(&world).await;
    stranger.says("A1001 到哪了").await.has("后四位");
    stranger.says("你好").await.has("小店 demo");
    stranger.says("转人工").await.has("客服");
}

#[tokio::test]
async fn a_choice_is_taken_by_tap_place_label_item_or_tail_digits() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    let list = buyer.says("我的订单").await;
    let choices = list.choices();
    assert_eq!(choices.len(), 2, "{choices:?}");
    let (second, label) = choices[1].clone();
    let number = if second == "o:A1001" { TEA.1 } else { LAMP.1 };
    let digits = second.trim_start_matches("o:A").to_owned();
    let item = if second == "o:A1001" { "茶具那个" } else { "露营灯那个" };
    for words in
        ["第二个", "2", "２", "二", "the second one", "最后一个", label.as_str(), item, digits.as_str()]
    {
        buyer.says("我的订单").await;
        let answer = buyer.says(words).await;
        assert_eq!(answer.numbers(), [number], "{words}: {}", answer.text());
    }
    buyer.says("我的订单").await;
    assert_eq!(buyer.takes(&second).await.numbers(), [number]);
}

#[tokio::test]
async fn an_order_in_three_parcels_is_told_as_one_of_three() {
    let world = World::new().await;
    world.synced("demo", "A1004", "四件套床品", &SPLIT, &[]).await;
    let mut buyer = Session::known(&world, "anna", &["A1004"]).await;
    let answer = buyer.says("我的快递到哪了").await;
    answer.has("共分 3 个包裹，已送达 1 个");
    for (_, number) in SPLIT {
        answer.has(number);
    }
    let choices = answer.choices();
    assert_eq!(choices.len(), 3, "{choices:?}");
    let one = buyer.takes(&choices[2].0).await;
    assert_eq!(one.numbers(), [SPLIT[2].1]);
    buyer.says("我的快递到哪了").await;
    let one = buyer.says("746510").await;
    assert_eq!(one.numbers(), [SPLIT[1].1], "{}", one.text());
    let mut english = Session::known(&world, "bob", &["A1004"]).await;
    english.says("where is my parcel").await.has("3 parcels, 1 delivered");
}

#[tokio::test]
async fn halves_are_read_together_and_a_lone_half_is_answered_after_a_moment() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    buyer.sends("我想问下").await;
    buyer.sends("快递到哪了").await;
    buyer.answer().await.has("运输中");
    world.quiet().await;
    let log = buyer.log().await;
    let from: Vec<&str> = log.iter().map(|said| said.from()).collect();
    assert_eq!(from, ["buyer", "buyer", "bot"], "both halves stand in the log, one answer");
    let alone = buyer.says("那个").await;
    assert!(!alone.text().is_empty());
    assert_eq!(buyer.log().await.len(), 5);
}

#[tokio::test]
async fn a_half_that_waits_survives_a_restart() {
    let mut world = World::on_disk().await;
    let mut buyer = two_orders(&world).await;
    buyer.sends("我想问下").await;
    world.restart().await;
    buyer.moved_to(&world);
    let answer = buyer.answer().await;
    assert!(!answer.text().is_empty());
    world.quiet().await;
    assert_eq!(buyer.log().await.len(), 2, "one answer");
}

#[tokio::test]
async fn while_a_person_handles_it_the_bot_is_silent_and_comes_back_with_an_apology() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    buyer.says("我的快递到哪了").await;
    buyer.says("转人工").await.has("客服");
    assert_eq!(world.requests("demo", "human").await, 1);
    let (_, request) = world.intake.records.requests("demo", 10).await.unwrap().remove(0);
    assert!(request.story.iter().any(|told| told.text.contains("我的快递到哪了")), "the story goes with it");
    let before = buyer.log().await.len();
    buyer.sends("在吗").await;
    buyer.sends("我的快递到哪了").await;
    world.quiet().await;
    assert_eq!(buyer.log().await.len(), before + 2, "only the buyer's own lines");
    world.advance(16 * MINUTE);
    world.intake.outbox.notify_one();
    buyer.answer().await.has("抱歉");
    buyer.says("我的快递到哪了").await.has("信息来自").lacks("没能回复您");
    // Nobody was called again, and the bot comes back once.
    world.advance(60 * MINUTE);
    world.intake.outbox.notify_one();
    world.quiet().await;
    let log = buyer.log().await;
    assert_eq!(log.iter().filter(|said| said.text().contains("没能回复您")).count(), 1);
}

#[tokio::test]
async fn delete_my_data_asks_then_forgets_everything() {
    let world = World::on_disk().await;
    let mut buyer = two_orders(&world).await;
    buyer.says("我的快递到哪了").await;
    buyer.says("转人工").await;
    world.advance(16 * MINUTE);
    world.intake.outbox.notify_one();
    buyer.answer().await.has("抱歉");
    buyer.says("删除我的资料").await.has("确定");
    buyer.says("不删了").await.has("没有改动");
    buyer.says("我的订单").await.has("茶具");
    buyer.says("删除我的资料").await;
    buyer.takes("d:yes").await.has("已经删除");
    let records = &world.intake.records;
    for no in ["A1001", "A1002"] {
        let order = records.order("demo", no).await.unwrap().value.unwrap();
        assert_eq!(order.buyer, yishi::model::order::Buyer::default(), "{no}");
    }
    let log = buyer.log().await;
    assert_eq!(log.len(), 1, "only the word that it is done: {log:?}");
    let chat = records.chat("demo", &buyer.address()).await.unwrap().value.unwrap();
    assert!(
        chat.bound.is_empty() && chat.story.is_empty() && chat.offered.is_empty() && chat.misses.is_empty()
    );
    for (_, request) in records.requests("demo", 100).await.unwrap() {
        assert!(request.address != Some(buyer.address()), "what the merchant saw of them is gone too");
    }
    buyer.says("我的快递到哪了").await.lacks(TEA.1).lacks("茶具");
}

#[tokio::test]
async fn messages_stop_and_come_back_as_told() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    let muted = async |buyer: &Session| {
        world.intake.records.chat("demo", &buyer.address()).await.unwrap().value.unwrap().muted
    };
    buyer.says("不要再给我发消息了").await.has("恢复通知");
    assert!(muted(&buyer).await);
    buyer.says("我的快递到哪了").await.has("运输中");
    buyer.says("恢复通知").await.has("已恢复");
    assert!(!muted(&buyer).await);
}

#[tokio::test]
async fn each_question_is_answered_in_its_language_until_one_is_chosen() {
    let world = World::new().await;
    let mut buyer = two_orders(&world).await;
    buyer.says("我的快递到哪了").await.has("更新");
    buyer.says("where is my parcel").await.has("Updated").lacks("更新，");
    buyer.says("我的快遞到哪了").await.has("更新");
    // A number says nothing about the language.
    buyer.says("where is my parcel").await.has("Updated");
    buyer.says("A1001").await.has("Updated");
    buyer.says("切换语言").await;
    buyer.takes("l:en").await.has("English");
    buyer.says("我的快递到哪了").await.has("Updated");
}

#[tokio::test]
async fn delivered_but_nothing_here_is_told_in_detail_and_becomes_work_for_the_shop() {
    let world = World::new().await;
    let parcel = ("sf", "SF1409283746509");
    world.synced("demo", "A1001", "青瓷茶具", &[parcel], &[]).await;
    let records = &world.intake.records;
    let stored = records.parcel("demo", parcel.0, parcel.1).await.unwrap().value.unwrap();
    assert!(stored.state.delivered_at.is_some());
    let mut buyer = Session::known(&world, "anna", &["A1001"]).await;
    let answer = buyer.says("显示签收了但是我没收到").await;
    let answer = answer.has("签收").has("邻居").has("已经记下");
    answer.has("签收人");
    let cases = records.cases("demo", 10).await.unwrap();
    let [(_, case)] = &cases[..] else { panic!("one case: {cases:?}") };
    assert_eq!(
        (case.kind.name(), case.number.as_str(), &case.orders[..]),
        ("disputed", parcel.1, &["A1001".to_owned()][..])
    );
    let disputed = records.parcel("demo", parcel.0, parcel.1).await.unwrap().value.unwrap();
    assert_eq!(disputed.disputed_at, Some(case.opened));
    assert_eq!(disputed.troubles.len(), 1);
    world.advance(MINUTE);
    buyer.says("还是没收到").await;
    assert_eq!(records.cases("demo", 10).await.unwrap(), cases, "said twice is one case");
    let parcel = records.parcel("demo", parcel.0, parcel.1).await.unwrap().value.unwrap();
    assert_eq!(parcel.disputed_at, disputed.disputed_at);
}
