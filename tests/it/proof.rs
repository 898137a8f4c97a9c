//! Who may see a parcel: what proves it, what refusals give away (nothing), and how long somebody can guess.

use crate::trips::wechat::follower;
use crate::world::{Session, TAIL, World, person};
use serde_json::json;
use std::time::Duration;

const TEA: (&str, &str) = ("yto", "YT8816042739501");
const LAMP: (&str, &str) = ("simulated", "SIMDOUBLE0001");
const HOUR: Duration = Duration::from_secs(3_600);

async fn shop() -> World {
    let world = World::new().await;
    world.synced("demo", "A1001", "青瓷茶具", &[TEA], &[]).await;
    world.synced("demo", "A1002", "露营灯", &[LAMP], &[]).await;
    world
}

#[tokio::test]
async fn order_number_and_tail_prove_in_one_message_or_in_two_in_any_order() {
    let world = shop().await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("订单A1001 尾号6688 到哪了").await.has(TEA.1).lacks("露营灯");

    let mut buyer = Session::stranger(&world).await;
    buyer.says("我的快递到哪了").await.has("订单号").lacks("茶具");
    buyer.says("A1001").await.has("后四位").lacks("茶具");
    buyer.says(TAIL).await.has(TEA.1).lacks("露营灯");

    let mut buyer = Session::stranger(&world).await;
    buyer.says("我的快递到哪了").await;
    buyer.says("尾号6688").await.has("订单号").lacks("茶具").lacks("露营灯");
    buyer.says("A1002").await.has(LAMP.1).lacks("茶具");
}

#[tokio::test]
async fn tracking_number_and_tail_prove() {
    let world = shop().await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("YT8816042739501 到哪了").await.has("后四位").lacks("茶具").lacks("运输中");
    buyer.says("6688").await.has(TEA.1).has("茶具");
    // Proved once, asked again without a number.
    buyer.says("什么时候能到").await.has(TEA.1);
    let mut buyer = Session::stranger(&world).await;
    buyer.says("YT8816042739501 6688").await.has(TEA.1);
}

#[tokio::test]
async fn a_whole_phone_number_proves_by_its_tail() {
    let world = shop().await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("A1001").await.has("后四位");
    buyer.says("13900006688").await.has(TEA.1);
}

#[tokio::test]
async fn wrong_and_unknown_are_refused_in_the_same_bytes() {
    let world = shop().await;
    let mut refusals = Vec::new();
    for (claim, tail) in [
        ("A1001", "1234"),
        ("A1999", "1234"),
        ("A1999", TAIL),
        ("YT8816042739501", "1234"),
        ("YT8816042739599", "1234"),
        ("YT8816042739599", TAIL),
    ] {
        // What is asked back names the claim; that apart, it is the same.
        let mut buyer = Session::stranger(&world).await;
        let asked = buyer.says(claim).await;
        let refused = buyer.says(tail).await;
        let asked = asked.blocks().to_string().replace(claim, "#");
        refusals.push((format!("{claim}/{tail}"), format!("{asked} {}", refused.blocks())));

        let mut buyer = Session::stranger(&world).await;
        let refused = buyer.says(&format!("{claim} 尾号{tail}")).await;
        refusals.push((format!("{claim} {tail}"), refused.blocks().to_string()));
    }
    for pair in [0, 1] {
        let same: Vec<&(String, String)> = refusals.iter().skip(pair).step_by(2).collect();
        for (name, text) in &same {
            assert_eq!(*text, same[0].1, "{name} is told apart from {}", same[0].0);
        }
    }
}

#[tokio::test]
async fn five_misses_an_hour_lock_the_one_who_guesses_and_nobody_else() {
    let world = shop().await;
    let mut guesser = Session::stranger(&world).await;
    for guess in 0..5 {
        guesser.says(&format!("A1001 尾号100{guess}")).await.has("没有核对上");
    }
    let locked = guesser.says("A1001 尾号6688").await;
    locked.has("一小时后").lacks(TEA.1);
    // Not even for another order, nor by waiting a little.
    world.advance(HOUR / 2);
    guesser.says("A1002 尾号6688").await.has("一小时后").lacks(LAMP.1);
    // Whoever is bound notices nothing, and neither does another stranger with another order.
    Session::known(&world, "anna", &["A1001"]).await.says("我的快递到哪了").await.has(TEA.1);
    Session::stranger(&world).await.says("A1002 尾号6688").await.has(LAMP.1);
    world.advance(HOUR / 2 + Duration::from_secs(1));
    guesser.says("A1001 尾号6688").await.has(TEA.1);
}

#[tokio::test]
async fn a_buyer_who_is_bound_is_answered_even_after_many_misses_of_their_own() {
    let world = shop().await;
    let mut anna = Session::known(&world, "anna", &["A1001"]).await;
    for guess in 0..6 {
        anna.says(&format!("A1002 尾号100{guess}")).await.lacks(LAMP.1);
    }
    anna.says("A1002 尾号6688").await.lacks(LAMP.1);
    anna.says("A1001 到哪了").await.has(TEA.1);
    anna.says("我的快递到哪了").await.has(TEA.1);
}

#[tokio::test]
async fn ten_misses_an_hour_shut_a_number_for_strangers_whether_it_exists_or_not() {
    let world = shop().await;
    let mut last = Vec::new();
    for claim in ["A1001", "A1999"] {
        for guesser in 0..2 {
            let mut guesser_chat = Session::stranger(&world).await;
            for guess in 0..5 {
                guesser_chat.says(&format!("{claim} 尾号1{guesser}0{guess}")).await.has("没有核对上");
            }
        }
        let mut stranger = Session::stranger(&world).await;
        let shut = stranger.says(&format!("{claim} 尾号6688")).await;
        shut.lacks(TEA.1);
        last.push(shut.blocks().to_string());
    }
    assert_eq!(last[0], last[1]);
    // The owner is bound: nothing changes. Other numbers are open.
    Session::known(&world, "anna", &["A1001"]).await.says("A1001 到哪了").await.has(TEA.1);
    Session::stranger(&world).await.says("A1002 尾号6688").await.has(LAMP.1);
    world.advance(HOUR + Duration::from_secs(1));
    Session::stranger(&world).await.says("A1001 尾号6688").await.has(TEA.1);
}

#[tokio::test]
async fn a_number_cannot_be_guessed_behind_another_one() {
    let world = shop().await;
    // Each message names the number that is meant second, so that the first one takes the blame.
    for guesser in 0..3 {
        let mut chat = Session::stranger(&world).await;
        for guess in 0..5 {
            chat.says(&format!("订单 B{guesser}{guess}55 A1001 尾号1{guesser}0{guess}")).await.lacks(TEA.1);
        }
    }
    Session::stranger(&world).await.says("A1001 尾号6688").await.lacks(TEA.1);
}

#[tokio::test]
async fn an_order_without_a_phone_can_be_proved_by_nobody() {
    let world = shop().await;
    let order = yishi::model::Order { no: "A1003".into(), ..yishi::model::Order::default() };
    let now = yishi::wire::Clock::now(world.clock.as_ref());
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
    for tail in ["0000", "6688", ""] {
        let mut buyer = Session::stranger(&world).await;
        buyer.says(&format!("A1003 尾号{tail}")).await.lacks("还没有发货");
    }
}

#[tokio::test]
async fn a_binding_is_listed_and_undone_by_the_buyer() {
    let world = shop().await;
    let mut buyer = Session::stranger(&world).await;
    buyer.says("A1001 尾号6688").await.has(TEA.1);
    buyer.says("A1002 尾号6688").await.has(LAMP.1);
    let list = buyer.says("解绑").await;
    list.has("茶具").has("露营灯");
    buyer.takes("o:A1001").await.has("已解除");
    buyer.says("我的快递到哪了").await.has(LAMP.1).lacks(TEA.1);
    buyer.says("A1001 到哪了").await.has("后四位").lacks(TEA.1);
    buyer.says("解绑").await.has("露营灯").lacks("茶具");
    buyer.takes("u:all").await.has("已解除");
    buyer.says("我的快递到哪了").await.lacks(LAMP.1).lacks(TEA.1);
    let order = world.intake.records.order("demo", "A1001").await.unwrap().value.unwrap();
    assert!(order.buyer.chat.is_empty(), "the order forgot the chat too");
}

#[tokio::test]
async fn nobody_sees_a_parcel_by_its_number_its_choice_or_its_neighbours_openid() {
    let world = World::new().await;
    let anna = person("wechat", "demo", "o-anna");
    world.synced("demo", "A1001", "青瓷茶具", &[TEA], &[anna]).await;
    let thief = follower(&world, "demo", "o-thief");
    let tries = [
        "YT8816042739501",
        "A1001",
        "YT8816042739501到哪了",
        "o:A1001",
        "p:A1001:YT8816042739501",
        "青瓷茶具到哪了",
        "第一个",
    ];
    for (id, text) in tries.iter().enumerate() {
        let answer = thief.says(id as u64, text).await;
        assert!(!answer.contains("运输中") && !answer.contains("圆通"), "{text}: {answer}");
        assert!(!answer.contains("青瓷"), "{text}: {answer}");
    }
    // The same openid at another shop's account is another person.
    let elsewhere = follower(&world, "other", "o-anna");
    let answer = elsewhere.says(1, "我的快递到哪了").await;
    assert!(!answer.contains(TEA.1) && !answer.contains("茶具"), "{answer}");
    let answer = elsewhere.says(2, "A1001 尾号6688").await;
    assert!(!answer.contains(TEA.1), "another shop's order: {answer}");
    assert!(follower(&world, "demo", "o-anna").says(1, "我的快递到哪了").await.contains(TEA.1));
}

#[tokio::test]
async fn choices_that_were_never_offered_open_nothing() {
    let world = shop().await;
    let mut thief = Session::known(&world, "thief", &["A1002"]).await;
    for choice in [
        "o:A1001",
        "p:A1001:YT8816042739501",
        "p:A1002:YT8816042739501",
        "o:a1001",
        "u:all",
        "d:yes",
        "i:track",
        "i:",
        "o:",
        "p::",
        "l:xx",
        "l:../../etc",
        "nonsense",
        "command:track",
    ] {
        thief.takes(choice).await.lacks(TEA.1).lacks("茶具");
    }
}

#[tokio::test]
async fn another_shops_buyer_session_and_order_stay_apart() {
    let world = shop().await;
    world.synced("other", "A1001", "别家的花瓶", &[("zto", "75613820947702")], &[]).await;
    let mut here = Session::stranger(&world).await;
    here.says("A1001 尾号6688").await.has(TEA.1).lacks("花瓶");
    let mut there = Session::open(world.door(), "other", json!({})).await;
    there.says("A1001 尾号6688").await.has("75613820947702").lacks("茶具");
    there.says("A1002 尾号6688").await.lacks(LAMP.1).lacks("露营灯");
}
