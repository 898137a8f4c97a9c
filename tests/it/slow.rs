//! Slow and dead carriers hurt only those who asked about them, and everybody is answered exactly once.

use crate::trips::wechat::follower;
use crate::world::{JSON, Session, World, person};
use serde_json::json;
use std::time::{Duration, Instant};
use yishi::simulator::{Outage, keys};

const SLOW: (&str, &str) = ("deppon", "DPK3620194837517");
const TEA: (&str, &str) = ("yto", "YT8816042739501");

#[tokio::test]
async fn everybody_who_asks_about_one_slow_parcel_shares_one_question() {
    let world = World::new().await;
    let owners = [person("wechat", "demo", "o-one"), person("telegram", "demo", "501")];
    world.order("demo", "A1001", "折叠椅", &[SLOW], &owners).await;
    let mut web = Session::known(&world, "anna", &["A1001"]).await;
    let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 1_772_414_040, "text": "快递到哪了",
        "chat": {"id": 501, "type": "private", "first_name": "B"}, "from": {"id": 501, "is_bot": false, "first_name": "B"}}});
    let headers = [JSON, ("x-telegram-bot-api-secret-token", keys::TELEGRAM_WEBHOOK_SECRET)];
    let asked = Instant::now();
    world.door().post("/hooks/telegram/demo", &headers, update.to_string()).await;
    let wechat = follower(&world, "demo", "o-one");
    let (inline, answer) = tokio::join!(wechat.says(1, "快递到哪了"), web.says("快递到哪了"));
    assert_eq!(inline, "", "not ready in time");
    answer.has(SLOW.1);
    assert!(asked.elapsed() > Duration::from_secs(11), "{:?}", asked.elapsed());
    world.quiet().await;
    assert_eq!(world.simulator.times_asked(SLOW.1), 1);
    assert_eq!(world.wechat_sent("o-one").len(), 1);
    assert_eq!(world.telegram_sent("sendMessage").len(), 1);
    assert_eq!(web.log().await.len(), 2);
}

#[tokio::test]
async fn a_slow_carrier_delays_nobody_else() {
    let world = World::new().await;
    world.synced("demo", "A1002", "青瓷茶具", &[TEA], &[]).await;
    let mut waiting = Vec::new();
    for at in 0..20 {
        let no = format!("A2{at:03}");
        world.order("demo", &no, "折叠椅", &[("deppon", &format!("DPK36201948{at:03}17"))], &[]).await;
        let mut buyer = Session::known(&world, &no, &[&no]).await;
        buyer.sends("快递到哪了").await;
        waiting.push(buyer);
    }
    let mut quick = Session::known(&world, "quick", &["A1002"]).await;
    let asked = Instant::now();
    quick.says("快递到哪了").await.has(TEA.1);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    world.quiet().await;
    for mut buyer in waiting {
        buyer.answer().await.has("DPK36201948");
        assert_eq!(buyer.log().await.len(), 2, "one answer");
    }
}

#[tokio::test]
async fn with_nothing_stored_and_every_carrier_down_it_says_so_at_once() {
    let world = World::new().await;
    world.order("demo", "A1001", "青瓷茶具", &[TEA], &[]).await;
    world.simulator.set_outage(Some(Outage::Down));
    let mut buyer = Session::known(&world, "anna", &["A1001"]).await;
    let asked = Instant::now();
    buyer.says("快递到哪了").await.has(TEA.1).has("联系不上").lacks("运输中");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    world.simulator.set_outage(None);
    world.advance(Duration::from_secs(1_800));
    buyer.says("快递到哪了").await.has("运输中").has("刚刚更新");
}
