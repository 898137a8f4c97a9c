//! The web chat over real HTTP: a page's calls, from the session to the answer in its stream.

use crate::world::{Door, JSON, Said, Session, World, identity, signed_identity};
use serde_json::json;
use std::time::Duration;

const YTO: (&str, &str) = ("yto", "YT8816042739501");
const LAMP: (&str, &str) = ("simulated", "SIMDOUBLE0001");

/// The service on a loopback address, until the end of the test.
async fn listening(world: &World) -> Door {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Door::http(&format!("http://{address}"))
}

async fn known(world: &World, door: &Door, buyer: &str, orders: &[&str]) -> Session {
    let exp = yishi::wire::Clock::now(world.clock.as_ref()).as_second() + 3600;
    let identity = identity("demo", &json!({"sub": buyer, "exp": exp, "orders": orders}));
    Session::open(door.clone(), "demo", json!({"identity": identity})).await
}

async fn two_orders(world: &World) {
    world.synced("demo", "A1001", "青瓷茶具", &[YTO], &[]).await;
    world.synced("demo", "A1002", "露营灯", &[LAMP], &[]).await;
}

#[tokio::test]
async fn a_visit_from_the_first_question_to_the_chosen_parcel() {
    let world = World::new().await;
    two_orders(&world).await;
    let door = listening(&world).await;
    let page = door.get("/chat/demo", &[]).await;
    assert_eq!(page.status, 200);
    let mut buyer = known(&world, &door, "anna", &["A1001", "A1002"]).await;
    world.advance(Duration::from_secs(120));

    let answer = buyer.says("我的快递到哪了").await;
    answer.has("2 分钟前");
    assert_eq!(answer.numbers().len(), 1, "the likeliest one first");
    let (other, label) =
        answer.choices().into_iter().find(|(id, _)| id.starts_with("o:")).expect("the other one");
    let answer = buyer.takes(&other).await;
    let expected = if label.contains("露营灯") { LAMP.1 } else { YTO.1 };
    assert_eq!(answer.numbers(), [expected]);

    // The page shows a tap as its label.
    let log = buyer.log().await;
    let words: Vec<(&str, String)> = log.iter().map(|said| (said.from(), said.text())).collect();
    assert_eq!(words.len(), 4, "{words:?}");
    assert_eq!(words[0], ("buyer", "我的快递到哪了".to_owned()));
    assert_eq!(words[2], ("buyer", label));
}

#[tokio::test]
async fn the_same_id_again_changes_nothing() {
    let world = World::new().await;
    two_orders(&world).await;
    let door = listening(&world).await;
    let mut buyer = known(&world, &door, "anna", &["A1001"]).await;
    buyer.says("帮我催一下").await;
    let log = buyer.log().await;
    for body in [json!({"id": "m1", "text": "帮我催一下"}), json!({"id": "m1", "text": "something else"})]
    {
        let reply = buyer.post(body).await;
        assert_eq!((reply.status, reply.json()), (202, json!({"id": "m1"})));
    }
    world.quiet().await;
    assert_eq!(buyer.log().await, log);
    assert_eq!(world.requests("demo", "urge").await, 1);
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_cut() {
    let world = World::new().await;
    two_orders(&world).await;
    let door = listening(&world).await;
    let mut buyer = known(&world, &door, "anna", &["A1001"]).await;
    let mut stream = door.events("demo", &buyer.token, None).await;
    buyer.says("你好").await;
    let mut last = String::new();
    for from in ["buyer", "bot"] {
        let event = stream.message().await.unwrap();
        assert_eq!(event.data["from"], from);
        last = event.id;
    }
    drop(stream);
    buyer.says("谢谢").await;
    let mut resumed = door.events("demo", &buyer.token, Some(&last)).await;
    let (question, answer) = (resumed.message().await.unwrap(), resumed.message().await.unwrap());
    assert_eq!(Said(question.data).text(), "谢谢");
    Said(answer.data).has("不客气");
    // And what comes next comes without asking again.
    buyer.says("我的快递到哪了").await;
    assert_eq!(resumed.message().await.unwrap().data["from"], "buyer");
    Said(resumed.message().await.unwrap().data).has(YTO.1);
}

#[tokio::test]
async fn a_session_sees_only_its_own_log() {
    let world = World::new().await;
    two_orders(&world).await;
    let door = listening(&world).await;
    let mut anna = known(&world, &door, "anna", &["A1001"]).await;
    anna.says("我的快递到哪了").await.has(YTO.1);
    let mut berta = Session::open(door.clone(), "demo", json!({})).await;
    assert!(berta.log().await.is_empty());
    berta.says("我的快递到哪了").await.lacks(YTO.1).lacks("茶具");
    berta.takes("o:A1001").await.lacks(YTO.1).lacks("茶具");
    // Neither with a token changed by hand, nor at another shop's door.
    let bearer = |token: &str| format!("Bearer {token}");
    let (body, signature) = anna.token.split_once('.').unwrap();
    let (_, foreign) = berta.token.split_once('.').unwrap();
    for token in [format!("{body}.{foreign}"), format!("x{body}.{signature}"), body.to_owned(), String::new()]
    {
        let reply = door.get("/chat/demo/events", &[("authorization", &bearer(&token))]).await;
        assert_eq!(reply.status, 401, "{token}");
    }
    let reply = door.get("/chat/other/events", &[("authorization", &bearer(&anna.token))]).await;
    assert_eq!(reply.status, 401);
    let headers = [JSON, ("authorization", &*bearer(&anna.token))];
    let reply = door.post("/chat/other/messages", &headers, r#"{"id":"1","text":"hi"}"#).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn an_identity_opens_exactly_its_orders() {
    let world = World::new().await;
    two_orders(&world).await;
    world.synced("other", "A1001", "别家的花瓶", &[("zto", "75613820947702")], &[]).await;
    let door = listening(&world).await;
    let mut anna = known(&world, &door, "anna", &["A1002"]).await;
    anna.says("我的快递到哪了").await.has(LAMP.1).lacks(YTO.1);
    anna.says("我的订单").await.has("露营灯").lacks("茶具").lacks("花瓶");
    anna.says("A1001 到哪了").await.lacks(YTO.1).lacks("茶具");
    // The same buyer comes back to the same conversation, on another device.
    let again = known(&world, &door, "anna", &[]).await;
    assert_eq!(again.log().await.len(), anna.log().await.len());
    let berta = known(&world, &door, "berta", &[]).await;
    assert!(berta.log().await.is_empty());
}

#[tokio::test]
async fn forged_expired_and_foreign_identities_are_refused() {
    let world = World::new().await;
    two_orders(&world).await;
    let door = listening(&world).await;
    let now = yishi::wire::Clock::now(world.clock.as_ref()).as_second();
    let payload = json!({"sub": "anna", "exp": now + 3600, "orders": ["A1001"]});
    let good = identity("demo", &payload);
    let (body, signature) = good.split_once('.').unwrap();
    for (name, token) in [
        ("another key", signed_identity("guessed", &payload)),
        ("another shop's key", identity("other", &payload)),
        ("an empty key", "x.".to_owned()),
        ("expired", identity("demo", &json!({"sub": "anna", "exp": now, "orders": ["A1001"]}))),
        ("endless", identity("demo", &json!({"sub": "anna", "exp": now + 40 * 86_400}))),
        ("changed", format!("{}.{signature}", body.replace('A', "B"))),
        ("unsigned", body.to_owned()),
    ] {
        let reply = door.post("/chat/demo/sessions", &[JSON], json!({"identity": token}).to_string()).await;
        assert_eq!(reply.status, 401, "{name}");
        assert_eq!(reply.json()["type"], "urn:yishi:problem:identity-refused", "{name}");
        assert!(!reply.text().contains("chat-secret"), "{name}");
    }
}

#[tokio::test]
async fn a_slow_carrier_is_waited_for_and_answered_once() {
    let world = World::with(|config| config.chat.carrier_wait = Duration::from_millis(700)).await;
    world.order("demo", "A1003", "折叠椅", &[("deppon", "DPK3620194837517")], &[]).await;
    let door = listening(&world).await;
    let mut buyer = known(&world, &door, "carla", &["A1003"]).await;
    buyer.says("我的快递到哪了").await.has("DPK3620194837517").has("联系不上");
    world.quiet().await;
    assert_eq!(buyer.log().await.len(), 2, "one question, one answer");
}
