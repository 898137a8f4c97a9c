//! The REST API as a shop's own system uses it: orders in, parcels and requests out, and nothing of anybody else.

use crate::trips::wechat::follower;
use crate::world::{API_TOKENS, JSON, Reply, Session, World, within};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use yishi::http::api::ROUTES;
use yishi::model::when::CHINA;
use yishi::model::{Event, Meaning, Place, Raw, Sub, Trouble, TroubleKind, When, ZoneSource};
use yishi::store::{Batch, Committed};

const YTO: &str = "YT8816042739501";
const PHONE: &str = "13812346688";

/// A shop's system.
pub(crate) struct Client<'a> {
    world: &'a World,
    bearer: String,
}

pub(crate) fn client<'a>(world: &'a World, shop: &str) -> Client<'a> {
    let token = API_TOKENS.iter().find(|(id, _)| *id == shop).unwrap().1;
    Client { world, bearer: format!("Bearer {token}") }
}

impl Client<'_> {
    async fn raw(&self, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Reply {
        let headers = [JSON, ("authorization", self.bearer.as_str())];
        let reply = self.world.door().call(method, path, &headers, body.into()).await.unwrap();
        assert!(!reply.text().contains(PHONE), "a full phone: {}", reply.text());
        if reply.status >= 400 {
            assert_eq!(reply.headers["content-type"], "application/problem+json", "{path}");
            assert!(reply.json()["type"].as_str().unwrap().starts_with("urn:yishi:problem:"));
        }
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.raw(Method::GET, path, "").await
    }

    pub(crate) async fn put(&self, no: &str, body: Value) -> Reply {
        self.raw(Method::PUT, &format!("/api/v1/orders/{no}"), body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.raw(Method::POST, path, body.to_string()).await
    }
}

fn order() -> Value {
    json!({
        "order_no": "A1001", "status": "shipped", "updated_at": "2026-03-01T08:00:00+08:00",
        "created_at": "2026-02-27 10:00:00", "paid_at": null,
        "buyer": {"external_id": "u-77", "name": "王小明", "phone": "+86 138-1234-6688", "address": "某路 1 号"},
        "items": [{"name": "青瓷茶具", "sku": 7, "qty": "2"}],
        "shipments": [{"carrier": "圆通速递", "tracking_no": YTO, "shipped_at": "2026-02-28 18:00:00"}],
    })
}

#[track_caller]
fn refused(reply: &Reply, status: u16, pointer: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{}", reply.text());
}

#[tokio::test]
async fn an_order_comes_in_and_goes_out_with_its_people_masked() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    let created = shop.put("A1001", order()).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let stored = created.json();
    assert_eq!(stored["status"], "shipped");
    assert_eq!(stored["updated_at"], "2026-03-01T00:00:00Z");
    assert_eq!(stored["created_at"], "2026-02-27T02:00:00Z", "in the shop's zone");
    assert_eq!(stored["buyer"]["name"], "王**");
    assert_eq!(stored["buyer"]["phone"], "138****6688");
    assert_eq!(stored["items"], json!([{"title": "青瓷茶具", "sku": "7", "qty": 2}]));
    assert_eq!(stored["shipments"][0]["carrier"], "yto");
    assert!(!created.text().contains("小明") && !created.text().contains("某路"));

    assert_eq!(shop.get("/api/v1/orders/a1001").await.json(), stored);
    let found = shop.get("/api/v1/orders?phone=138%201234%206688").await.json();
    assert_eq!(found["orders"], json!([stored]));
    assert_eq!(shop.get("/api/v1/orders?phone=13900000000").await.json()["orders"], json!([]));

    let again = shop.put("A1001", json!({"event": "order.upsert", "order": {"refund": "running"}})).await;
    assert_eq!(again.status, 200);
    let again = again.json();
    assert_eq!((&again["refund"], &again["status"]), (&json!("running"), &json!("shipped")));
    assert_eq!(again["items"], stored["items"], "what is left out stays");
    let kept = world.intake.records.order("demo", "A1001").await.unwrap().value.unwrap();
    assert_eq!(kept.buyer.phone.unwrap().reveal(), PHONE);
    assert_eq!(kept.buyer.name.unwrap().reveal(), "王小明");
}

#[tokio::test]
async fn an_older_order_changes_nothing_and_says_so() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    shop.put("A1001", order()).await;
    let older = shop.put("A1001", json!({"status": "paid", "updated_at": "2026-02-28T00:00:00Z"})).await;
    assert_eq!((older.status, &older.json()["stale"]), (200, &json!(true)));
    assert_eq!(older.json()["status"], "shipped");
    let newer = shop.put("A1001", json!({"status": "completed", "updated_at": "2026-03-05T00:00:00Z"})).await;
    assert_eq!((newer.status, newer.json().get("stale")), (200, None));
    assert_eq!(newer.json()["status"], "completed");
}

#[tokio::test]
async fn a_token_opens_its_own_shop_and_no_other() {
    let world = World::new().await;
    let (demo, other) = (client(&world, "demo"), client(&world, "other"));
    demo.put("A1001", order()).await;
    for (method, path) in ROUTES.iter().filter(|(_, path)| path.starts_with("/api/v1/")) {
        let method: Method = method.to_uppercase().parse().unwrap();
        let wrong = ["", "Bearer ", "Bearer wrong", "Basic api-token-of-demo", "Bearer api-token-of-dem"];
        for bearer in wrong {
            let headers = [JSON, ("authorization", bearer)];
            let reply = world.door().call(method.clone(), path, &headers, b"{}".to_vec()).await.unwrap();
            assert_eq!(reply.status, 401, "{method} {path} {bearer}");
            assert_eq!(reply.json()["type"], "urn:yishi:problem:unauthenticated");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(other.get("/api/v1/orders/A1001").await.status, 404);
    assert_eq!(other.get(&format!("/api/v1/parcels/yto/{YTO}")).await.status, 404);
    assert_eq!(other.get("/api/v1/orders").await.json()["orders"], json!([]));
    assert_eq!(other.post("/api/v1/orders/A1001/parcels", json!({"number": YTO})).await.status, 404);
    assert_eq!(other.put("A1001", order()).await.status, 201, "the same number is another order there");
    assert_eq!(demo.get("/api/v1/nothing").await.status, 404);
    assert_eq!(demo.raw(Method::DELETE, "/api/v1/orders", "").await.status, 405);
}

#[tokio::test]
async fn pages_end_and_a_cursor_leads_to_no_other_shop() {
    let world = World::new().await;
    let (demo, other) = (client(&world, "demo"), client(&world, "other"));
    let many: Vec<Value> = (0..5).map(|i| json!({"order_no": format!("P{i}")})).collect();
    demo.post("/api/v1/orders", json!(many)).await;
    other.put("Q1", json!({})).await;
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let page = demo.get(&format!("/api/v1/orders?limit=2{cursor}")).await.json();
        let orders = page["orders"].as_array().unwrap();
        seen.extend(orders.iter().map(|order| order["order_no"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((seen.len(), pages), (5, 3));
    let low = other.get(&format!("/api/v1/orders?cursor={}", "00".repeat(16))).await.json();
    assert!(low["orders"].as_array().unwrap().iter().all(|order| order["order_no"] == "Q1"));
    for query in ["cursor=", "cursor=zz", "cursor=00", "limit=0", "limit=201", "limit=x", "phone=abc"] {
        assert_eq!(demo.get(&format!("/api/v1/orders?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_batch_tells_of_each_order_what_became_of_it() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    shop.put("A1001", order()).await;
    let batch = json!({"orders": [
        {"order_no": "B1"},
        {"order": {"order_no": "A1001", "status": "paid", "updated_at": "2020-01-01T00:00:00Z"}},
        {"order_no": "A1001", "status": "delivered"},
        {"order_no": "B2", "status": "flying"},
        {"status": "paid"},
        7,
    ]});
    let results = shop.post("/api/v1/orders", batch).await.json()["results"].clone();
    let statuses: Vec<&str> =
        results.as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["created", "stale", "updated", "rejected", "rejected", "rejected"]);
    assert_eq!(results[3]["order_no"], "B2");
    assert_eq!(results[3]["problem"]["errors"][0]["pointer"], "#/orders/3/status");
    assert_eq!(shop.get("/api/v1/orders/B2").await.status, 404);
    let many: Vec<Value> = (0..501).map(|i| json!({"order_no": format!("P{i}")})).collect();
    assert_eq!(shop.post("/api/v1/orders", json!(many)).await.status, 413);
    assert_eq!(shop.post("/api/v1/orders", json!({"order_no": "x"})).await.status, 422);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_by_kind() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    let path = "/api/v1/orders/A1001";
    let whole = order().to_string();
    for cut in (0..whole.len()).step_by(37) {
        let reply = shop.raw(Method::PUT, path, whole.as_bytes()[..cut].to_vec()).await;
        assert_eq!(reply.status, 400, "cut at {cut}");
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(shop.raw(Method::PUT, path, deep).await.status, 400);
    assert_eq!(shop.raw(Method::PUT, path, vec![0xff, 0xfe]).await.status, 400);
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
    assert_eq!(shop.raw(Method::PUT, path, large).await.status, 413);
    let items: Vec<Value> = (0..100).map(|_| json!({"title": "字".repeat(300)})).collect();
    assert_eq!(shop.put("A1001", json!({ "items": items })).await.status, 413, "one order is too long");
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""] {
        let headers = [("content-type", kind), ("authorization", shop.bearer.as_str())];
        let reply = world.door().call(Method::PUT, path, &headers, b"{}".to_vec()).await.unwrap();
        assert_eq!(reply.status, 415, "{kind}");
    }
    let headers = [("content-type", "application/json; charset=utf-8"), ("authorization", &shop.bearer)];
    let reply = world.door().call(Method::PUT, path, &headers, b"{}".to_vec()).await.unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(shop.get("/api/v1/orders/%FF").await.status, 400);
}

#[tokio::test]
async fn a_wrong_field_is_named_and_stores_nothing() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    for (body, pointer) in [
        (json!({"status": "flying"}), "#/status"),
        (json!({"order_no": "B7"}), "#/order_no"),
        (json!({"order_no": (1_u64 << 53) + 1}), "#/order_no"),
        (json!({"order_no": 1.5}), "#/order_no"),
        (json!({"updated_at": "yesterday"}), "#/updated_at"),
        (json!({"buyer": []}), "#/buyer"),
        (json!({"buyer": {"phone": "ring me"}}), "#/buyer/phone"),
        (json!({"buyer": {"phone_last4": "12345"}}), "#/buyer/phone_last4"),
        (json!({"buyer": {"chat": [{"kind": "wechat", "account": "demo"}]}}), "#/buyer/chat/0/id"),
        (
            json!({"buyer": {"chat": [{"kind": "wechat", "account": "other", "id": "x"}]}}),
            "#/buyer/chat/0/account",
        ),
        (json!({"items": [{"qty": -1}]}), "#/items/0/qty"),
        (json!({"items": {}}), "#/items"),
        (json!({"shipments": [{"tracking_no": "??"}]}), "#/shipments/0/tracking_no"),
        (json!({"shipments": [{"tracking_no": "QQQQQQQQQQ"}]}), "#/shipments/0/carrier"),
        (json!({"order": {"status": 5}}), "#/order/status"),
        (json!([]), "#"),
    ] {
        refused(&shop.put("A1001", body).await, 422, pointer);
    }
    let huge = r#"{"order_no": 123456789012345678901234567890}"#;
    refused(&shop.raw(Method::PUT, "/api/v1/orders/1", huge).await, 422, "#/order_no");
    assert_eq!(shop.get("/api/v1/orders").await.json()["orders"], json!([]));
    let reply = shop.put("9007199254740992", json!({"order_no": 1_u64 << 53})).await;
    assert_eq!(reply.json()["order_no"], "9007199254740992");
}

#[tokio::test]
async fn a_carrier_is_known_by_any_of_its_names_or_by_the_number() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    for (at, carrier) in
        [json!("yto"), json!("yuantong"), json!("YTO"), json!("圆通"), Value::Null].iter().enumerate()
    {
        let body = json!({"shipments": [{"carrier": carrier, "number": "yt 8816042739501"}]});
        let stored = shop.put(&format!("C{at}"), body).await.json();
        assert_eq!(stored["shipments"][0]["carrier"], "yto", "{carrier}");
        assert_eq!(stored["shipments"][0]["tracking_no"], YTO);
    }
}

#[tokio::test]
async fn a_parcel_is_bound_recognized_and_fetched() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    shop.put("A1001", json!({"buyer": {"phone": PHONE}})).await;
    let path = "/api/v1/orders/A1001/parcels";
    let bound = shop.post(path, json!({"number": "YT 8816042739501"})).await;
    assert_eq!(bound.status, 201, "{}", bound.text());
    assert_eq!(bound.json(), json!({"carrier": "yto", "number": YTO, "order": "A1001"}));
    let again = shop.post(path, json!({"number": YTO, "carrier": "yuantong"})).await;
    assert_eq!((again.status, again.json()), (200, bound.json()));
    refused(&shop.post(path, json!({"number": "QQQQQQQQQQ"})).await, 422, "#/carrier");
    refused(&shop.post(path, json!({})).await, 422, "#/number");
    assert_eq!(shop.post("/api/v1/orders/NONE/parcels", json!({"number": YTO})).await.status, 404);
    assert_eq!(shop.get("/api/v1/orders/A1001").await.json()["shipments"][0]["tracking_no"], YTO);

    // The news is asked for in the background.
    within(async {
        loop {
            let read = world.intake.records.parcel("demo", "yto", YTO).await.unwrap();
            if read.value.is_some_and(|parcel| parcel.last_checked.is_some()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let parcel = shop.get(&format!("/api/v1/parcels/yuantong/{}", YTO.to_lowercase())).await;
    assert_eq!(parcel.status, 200, "{}", parcel.text());
    let parcel = parcel.json();
    assert_eq!(
        (&parcel["carrier"], &parcel["number"], &parcel["orders"]),
        (&json!("yto"), &json!(YTO), &json!(["A1001"]))
    );
    for name in
        ["status", "sub", "reason", "progress", "since", "delivered_at", "eta", "last_checked", "answered_by"]
    {
        assert!(parcel.get(name).is_some(), "{name}");
    }
    assert_eq!(shop.get("/api/v1/parcels/sto/YT8816042739501").await.status, 404);
}

#[tokio::test]
async fn a_timeline_shows_no_phone_and_no_pickup_code() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    world.synced("demo", "A1001", "青瓷茶具", &[("yto", YTO)], &[]).await;
    let records = &world.intake.records;
    let read = records.parcel("demo", "yto", YTO).await.unwrap();
    let mut parcel = read.value.clone().unwrap();
    assert!(!parcel.events.is_empty());
    let event = json!({
        "time": {"utc": "2026-03-02T01:14:00Z", "local": "2026-03-02T09:14:00", "offset": "+08:00"},
        "status": "ready_for_pickup", "carrier": "yto", "number": YTO, "signed_by": "李小四",
        "place": {"text": "幸福驿站 13812346688"},
        "raw": {"description": "快递员：张小三，电话13812346688，凭取件码6-3-1024到幸福驿站取件"},
        "courier": {"name": "张小三", "phone": "13812346688"},
        "pickup": {"code": "6-3-1024", "place": "幸福驿站，码6-3-1024"},
    });
    parcel.events.push(serde_json::from_value(event).unwrap());
    let mut batch = yishi::store::Batch::default();
    records.put_parcel(&mut batch, "tea", &read, &parcel).unwrap();
    assert_eq!(records.store().commit(batch).await.unwrap(), yishi::store::Committed::Done);

    let reply = shop.get(&format!("/api/v1/parcels/yto/{YTO}")).await;
    for secret in ["6-3-1024", "张小三", "李小四"] {
        assert!(!reply.text().contains(secret), "{secret}: {}", reply.text());
    }
    let events = reply.json()["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), parcel.events.len());
    let shown = &events[parcel.events.len() - 1];
    assert_eq!(shown["courier"], json!({"name": "张**", "phone": "138****6688"}));
    assert_eq!(shown["raw"]["description"], "快递员：张**，电话138****6688，凭取件码****到幸福驿站取件");
    assert_eq!((&shown["time"]["offset"], &shown["pickup"].get("code")), (&json!("+08:00"), &None));
}

#[tokio::test]
async fn a_chat_told_with_the_order_may_ask_for_it() {
    let world = World::new().await;
    let mut told = order();
    told["buyer"]["chat"] = json!([{"kind": "wechat", "account": "demo", "id": "o-anna"}]);
    let stored = client(&world, "demo").put("A1001", told).await;
    assert_eq!(
        stored.json()["buyer"]["chat"],
        json!([{"kind": "wechat", "account": "demo", "id": "o-****"}])
    );
    world.intake.tracker.refresh("demo", "A1001", "yto", YTO).await;
    let answer = follower(&world, "demo", "o-anna").says(1, "我的快递到哪了").await;
    assert!(answer.contains(YTO) && answer.contains("青瓷茶具"), "{answer}");
    let stranger = follower(&world, "demo", "o-bob").says(2, "我的快递到哪了").await;
    assert!(!stranger.contains(YTO), "{stranger}");
}

#[tokio::test]
async fn a_request_is_seen_taken_and_settled() {
    let world = World::new().await;
    let (demo, other) = (client(&world, "demo"), client(&world, "other"));
    let mut buyer = Session::stranger(&world).await;
    buyer.says("转人工，我的电话13812346688").await;
    let all = demo.get("/api/v1/requests").await.json();
    let request = &all["requests"][0];
    assert_eq!((&request["kind"], &request["done"]), (&json!("human"), &json!(false)), "{all}");
    assert!(!all.to_string().contains(&buyer.session));
    assert_eq!(other.get("/api/v1/requests").await.json()["requests"], json!([]));

    let id = request["id"].as_str().unwrap();
    let chat = json!({"kind": "webchat", "account": "demo", "id": buyer.session});
    for body in [chat.clone(), json!({"request": id})] {
        assert_eq!(other.post("/api/v1/chats/take", body.clone()).await.status, 404);
        let taken = demo.post("/api/v1/chats/take", body).await;
        assert_eq!((taken.status, &taken.json()["mode"]), (200, &json!("person")), "{}", taken.text());
    }
    let stored = world.intake.records.chat("demo", &buyer.address()).await.unwrap().value.unwrap();
    assert_eq!(
        stored.mode,
        yishi::model::chat::Mode::Person { since: yishi::wire::Clock::now(&*world.clock) }
    );
    assert_eq!(demo.post("/api/v1/chats/release", chat).await.json()["mode"], "bot");
    let nobody = json!({"kind": "webchat", "account": "demo", "id": "nobody"});
    assert_eq!(demo.post("/api/v1/chats/take", nobody).await.status, 404);
    refused(&demo.post("/api/v1/chats/take", json!({"kind": "webchat"})).await, 422, "#/account");

    let path = format!("/api/v1/requests/{id}/done");
    assert_eq!(other.post(&path, json!({})).await.status, 404);
    for _ in 0..2 {
        assert_eq!(demo.raw(Method::POST, &path, "").await.json()["done"], true);
    }
    assert_eq!(demo.get("/api/v1/requests").await.json()["requests"][0]["done"], true);
    assert_eq!(demo.post("/api/v1/requests/zz/done", json!({})).await.status, 404);
}

/// Writes what `apply` would find wrong with a parcel.
async fn goes_wrong(world: &World, number: &str, city: &str, kinds: &[TroubleKind]) {
    let records = &world.intake.records;
    let now = yishi::wire::Clock::now(&*world.clock);
    let read = records.parcel("demo", "yto", number).await.unwrap();
    let mut parcel = read.value.clone().unwrap_or_default();
    (parcel.carrier, parcel.number) = ("yto".into(), number.into());
    let place = Place { city: Some(city.into()), ..Place::default() };
    let event = Event::new(
        "yto",
        number,
        "yto",
        When::at(now, CHINA, ZoneSource::CarrierDefault),
        Meaning::sub(Sub::ArrivedHub),
        Raw::default(),
        now,
    );
    parcel.events = vec![Event { place, ..event }];
    let troubles: Vec<Trouble> = kinds
        .iter()
        .map(|kind| Trouble { kind: *kind, reason: None, since: now, leg: 0, alert: true })
        .collect();
    let mut batch = Batch::default();
    records.stage_cases(&mut batch, "demo", &parcel, &troubles, now).await.unwrap();
    parcel.troubles = troubles;
    records.put_parcel(&mut batch, "demo", &read, &parcel).unwrap();
    assert_eq!(records.store().commit(batch).await.unwrap(), Committed::Done);
}

#[tokio::test]
async fn exceptions_are_listed_taken_put_off_and_settled() {
    let world = World::new().await;
    let (demo, other) = (client(&world, "demo"), client(&world, "other"));
    let list = async |query: &str| demo.get(&format!("/api/v1/exceptions{query}")).await.json();
    let kinds = |page: &Value| -> Vec<String> {
        page["exceptions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["kind"].as_str().unwrap().into())
            .collect()
    };
    demo.put("A1001", order()).await;
    goes_wrong(&world, YTO, "杭州", &[TroubleKind::Stuck, TroubleKind::Lost]).await;
    let page = list("").await;
    assert_eq!(kinds(&page), ["lost", "stuck"], "the soonest due first: {page}");
    let lost = &page["exceptions"][0];
    assert_eq!((&lost["orders"], &lost["carrier"]), (&json!(["A1001"]), &json!("yto")));
    assert_eq!((&lost["due"], &lost["place"]), (&json!("2026-03-03T04:00:00Z"), &json!("杭州")));
    assert_eq!((&page["next"], &page["whole"], &page["incidents"]), (&Value::Null, &json!(true), &json!([])));
    assert_eq!(other.get("/api/v1/exceptions").await.json()["exceptions"], json!([]));

    let id = lost["id"].as_str().unwrap();
    let path = format!("/api/v1/exceptions/{id}");
    assert_eq!(other.post(&path, json!({"done": true})).await.status, 404);
    let taken = demo.post(&path, json!({"owner": "小陈"})).await;
    assert_eq!((taken.status, &taken.json()["owner"]), (200, &json!("小陈")), "{}", taken.text());
    assert_eq!(kinds(&list("?owner=").await), ["stuck"], "nobody has it");
    assert_eq!(kinds(&list("?owner=%E5%B0%8F%E9%99%88").await), ["lost"]);
    assert_eq!(kinds(&list("?kind=stuck").await), ["stuck"]);

    // In the shop's zone: two hours from now.
    let off =
        demo.post(&path, json!({"snooze_until": "2026-03-02 14:00:00", "outcome": "赔付中"})).await.json();
    assert_eq!((&off["snoozed_until"], &off["owner"]), (&json!("2026-03-02T06:00:00Z"), &json!("小陈")));
    assert_eq!(
        (kinds(&list("").await), kinds(&list("?state=snoozed").await)),
        (vec!["stuck".into()], vec!["lost".into()])
    );
    world.advance(Duration::from_secs(7200));
    assert_eq!(kinds(&list("").await), ["lost", "stuck"]);
    let free = demo.post(&path, json!({"owner": null, "snooze_until": null})).await.json();
    assert_eq!(
        (&free["owner"], &free["snoozed_until"], &free["outcome"]),
        (&Value::Null, &Value::Null, &json!("赔付中"))
    );

    for _ in 0..2 {
        let done = demo.post(&path, json!({"done": true})).await.json();
        assert_eq!(done["done_at"], json!("2026-03-02T06:00:00Z"));
    }
    assert_eq!(
        (kinds(&list("?state=all").await), kinds(&list("?state=past").await)),
        (vec!["stuck".into()], vec!["lost".into()])
    );
    goes_wrong(&world, YTO, "杭州", &[]).await;
    assert_eq!(
        (kinds(&list("").await).len(), kinds(&list("?state=past").await).len()),
        (0, 2),
        "cleared by itself"
    );

    for (body, pointer) in [
        (json!([]), "#"),
        (json!({"done": "yes"}), "#/done"),
        (json!({"snooze_until": "soon"}), "#/snooze_until"),
        (json!({"owner": "x".repeat(65)}), "#/owner"),
    ] {
        refused(&demo.post(&path, body).await, 422, pointer);
    }
    for query in ["?state=new", "?kind=new", "?cursor=x", "?cursor=1-zz", "?limit=0"] {
        assert_eq!(demo.get(&format!("/api/v1/exceptions{query}")).await.status, 422, "{query}");
    }
    assert_eq!(demo.post("/api/v1/exceptions/zz", json!({})).await.status, 404);
}

#[tokio::test]
async fn parcels_at_one_hub_are_one_incident_and_pages_end() {
    let world = World::new().await;
    let demo = client(&world, "demo");
    for n in 0..6 {
        let city = if n == 5 { "杭州" } else { "义乌" };
        goes_wrong(&world, &format!("YT88160427395{n:02}"), city, &[TroubleKind::Stuck]).await;
        world.advance(Duration::from_secs(60));
    }
    let (mut seen, mut cursor, mut joined) = (BTreeSet::new(), String::new(), 0);
    for pages in 1.. {
        let page = demo.get(&format!("/api/v1/exceptions?limit=4{cursor}")).await.json();
        assert_eq!(page["incidents"][0]["parcels"], 5, "{page}");
        assert_eq!(page["incidents"][0]["place"], "义乌");
        let rows = page["exceptions"].as_array().unwrap();
        joined += rows.iter().filter(|row| row["incident"] == page["incidents"][0]["id"]).count();
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(pages, 2);
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((seen.len(), joined), (6, 5));
}

#[tokio::test]
async fn every_route_is_described_and_every_description_has_its_route() {
    let world = World::new().await;
    let reply = world.door().get("/api/openapi.json", &[]).await;
    assert_eq!((reply.status, &reply.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let document = reply.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
        described.extend(methods.map(|method| (method.clone(), path.clone())));
    }
    let chat = [
        ("post", "/chat/{shop}/sessions"),
        ("post", "/chat/{shop}/messages"),
        ("get", "/chat/{shop}/events"),
    ];
    let routes = ROUTES.iter().chain(&chat).map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(described, routes.collect());
    for (method, path) in &described {
        let path = path.replace("{shop}", "demo");
        let reply =
            world.door().call(method.to_uppercase().parse().unwrap(), &path, &[JSON], Vec::new()).await;
        assert!(![404, 405].contains(&reply.unwrap().status), "{method} {path}");
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[tokio::test]
async fn an_order_of_many_parcels_and_chats_fits() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    for parcels in [15, 17, 18, 50] {
        let shipments: Vec<Value> = (0..parcels)
            .map(|i| json!({"carrier": "yto", "tracking_no": format!("YT88{parcels:02}000000{i:03}")}))
            .collect();
        let chats: Vec<Value> = (0..10)
            .map(|i| json!({"kind": "wechat", "account": "demo", "id": format!("o-{parcels}-{i}")}))
            .collect();
        let body = json!({"buyer": {"phone": PHONE, "chat": chats}, "shipments": shipments});
        let reply = shop.put(&format!("M{parcels}"), body).await;
        assert_eq!(reply.status, 201, "{parcels} parcels: {}", reply.text());
        let kept = world.intake.records.order("demo", &format!("M{parcels}")).await.unwrap().value.unwrap();
        assert_eq!((kept.shipments.len(), kept.buyer.chat.len()), (parcels, 10));
    }
}

#[tokio::test]
async fn an_atomic_batch_is_stored_whole_or_not_at_all() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    let long: Vec<Value> = (0..100).map(|_| json!({"title": "字".repeat(300)})).collect();
    let mixed = json!([
        {"order_no": "T1"},
        {"order_no": "T2", "status": "flying"},
        {"order_no": "T3", "items": long},
        {"order": {"order_no": "T4", "buyer": {"phone": "ring me"}}},
    ]);
    let reply = shop.post("/api/v1/orders?atomic=true", mixed.clone()).await;
    assert_eq!((reply.status, &reply.json()["type"]), (422, &json!("urn:yishi:problem:invalid")));
    let pointers: Vec<Value> =
        reply.json()["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["#/1/status", "#/2", "#/3/order/buyer/phone"]);
    assert_eq!(shop.get("/api/v1/orders").await.json()["orders"], json!([]), "nothing of it is stored");

    let each = shop.post("/api/v1/orders?atomic=false", mixed).await.json()["results"].clone();
    let statuses: Vec<&Value> = each.as_array().unwrap().iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, ["created", "rejected", "rejected", "rejected"]);
    assert_eq!(each[2]["problem"]["status"], 413);

    let good: Vec<Value> = (0..500).map(|i| json!({"order_no": format!("T{i}")})).collect();
    let results = shop.post("/api/v1/orders?atomic=true", json!(good)).await.json()["results"].clone();
    let results = results.as_array().unwrap();
    assert!(
        results
            .iter()
            .enumerate()
            .all(|(at, result)| result["index"] == at && result["order_no"] == format!("T{at}"))
    );
    assert_eq!((&results[1]["status"], &results[2]["status"]), (&json!("updated"), &json!("created")));
    assert_eq!(shop.post("/api/v1/orders?atomic=maybe", json!([])).await.status, 422);
}

#[tokio::test]
async fn an_order_that_comes_twice_in_a_batch_ends_as_it_came_last() {
    let world = World::new().await;
    let shop = client(&world, "demo");
    let states = ["created", "paid", "partially_shipped", "shipped", "delivered", "completed"];
    let batch: Vec<Value> = (0..300)
        .map(|i| json!({"order_no": if i % 2 == 0 { "d-1" } else { "D-1" }, "status": states[i * 6 / 300]}))
        .collect();
    let results = shop.post("/api/v1/orders", json!(batch)).await.json()["results"].clone();
    assert_eq!((&results[0]["status"], &results[299]["status"]), (&json!("created"), &json!("updated")));
    assert_eq!(shop.get("/api/v1/orders/D-1").await.json()["status"], "completed");
}

/// A bare number means what the shop usually ships by.
#[tokio::test]
async fn a_number_without_a_carrier_is_taken_for_the_shops_usual_one() {
    const BARE: &str = "777031922725111";
    let world = World::new().await;
    let (demo, other) = (client(&world, "demo"), client(&world, "other"));
    for at in 0..20 {
        let shipment = json!({"carrier": "yunda", "tracking_no": format!("31000000000{at:02}")});
        demo.put(&format!("H{at}"), json!({"status": "shipped", "shipments": [shipment]})).await;
    }
    world.intake.tracker.learn_habits().await.unwrap();
    assert_eq!(world.intake.tracker.usual_carriers("demo")[0], "yunda");
    for (shop, carrier) in [(&demo, "yunda"), (&other, "sto")] {
        shop.put("N1", json!({})).await;
        let bound = shop.post("/api/v1/orders/N1/parcels", json!({"number": BARE})).await;
        assert_eq!(bound.json()["carrier"], carrier, "{}", bound.text());
    }
}
