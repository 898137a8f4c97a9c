//! One-click ship as a shop's own system uses it: one waybill for one id, whatever gets lost on the way.

use crate::api::{Client, client};
use crate::world::World;
use serde_json::{Value, json};
use yishi::config::Engine;
use yishi::simulator::Simulator;

const PEOPLE: [&str; 4] = ["张三丰", "李四光", "13800006688", "虚构路"];

/// A world whose shops have an account at every carrier.
async fn world() -> World {
    World::with(with_every_carrier).await
}

fn with_every_carrier(config: &mut yishi::config::Config) {
    for shop in ["demo", "other"] {
        for mut account in Simulator::accounts("http://peers") {
            if config.accounts.iter().any(|known| known.kind == account.kind) {
                continue;
            }
            account.shop = Some(shop.into());
            account.id = shop.into();
            config.accounts.push(account);
        }
    }
}

fn wish(carrier: &str, account: &str) -> Value {
    let party = |name: &str| {
        json!({"name": name, "phone": "+86 138-0000-6688", "province": "浙江省", "city": "杭州市", "district": "西湖区",
            "street": "虚构路1号"})
    };
    json!({"carrier": carrier, "account": account, "from": party(PEOPLE[0]), "to": party(PEOPLE[1]), "grams": 1200})
}

/// Each vendor that creates waybills, the carrier to ask it for, and its operation.
const VENDORS: [(&str, &str, &str); 8] = [
    ("sf", "sf", "sf.create_order"),
    ("zto", "zto", "zto.create_order"),
    ("yto", "yto", "yto.create_order"),
    ("jd", "jd", "jd.create_order"),
    ("ems", "ems", "ems.create_order"),
    ("cainiao", "yto", "cainiao.waybill_get"),
    ("kuaidi100", "yto", "kuaidi100.create_order"),
    ("kdniao", "yto", "kdniao.create_order"),
];

impl Client<'_> {
    async fn ship(&self, wish: &Value) -> crate::world::Reply {
        let reply = self.post("/api/v1/orders/A1/waybills", wish.clone()).await;
        for private in PEOPLE {
            assert!(!reply.text().contains(private), "{}", reply.text());
        }
        reply
    }
}

fn account_of(world: &World, kind: &str) -> String {
    let fits = |account: &&yishi::model::Account| account.kind == kind && account.serves_shop("demo");
    world.config.accounts.iter().find(fits).unwrap().name()
}

#[tokio::test]
async fn a_waybill_is_created_bound_and_asked_about() {
    let world = world().await;
    let shop = client(&world, "demo");
    shop.put("A1", json!({"items": [{"title": "青瓷茶具"}], "buyer": {"phone_last4": "6688"}})).await;
    let created = shop.ship(&wish("顺丰", &account_of(&world, "sf"))).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let waybill = created.json();
    assert_eq!((&waybill["id"], &waybill["carrier"]), (&json!("A1"), &json!("sf")));
    let number = waybill["number"].as_str().unwrap().to_owned();
    let order = shop.get("/api/v1/orders/A1").await.json();
    assert_eq!(order["shipments"][0]["tracking_no"], number);
    world.checked().await;
    world.intake.tracker.refresh("demo", "A1", "sf", &number).await;
    let parcel = shop.get(&format!("/api/v1/parcels/sf/{number}")).await.json();
    assert!(!parcel["events"].as_array().unwrap().is_empty(), "{parcel}");
    // The same again is the same.
    let again = shop.ship(&wish("sf", &account_of(&world, "sf"))).await;
    assert_eq!((again.status, &again.json()["number"]), (200, &json!(number)));
    assert_eq!(world.simulator.waybills().len(), 1);
    // A second parcel of the order has an id of its own.
    let mut second = wish("sf", &account_of(&world, "sf"));
    second["id"] = json!("A1-2");
    let second = shop.ship(&second).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.json()["number"], number);
}

#[tokio::test]
async fn a_lost_answer_never_makes_a_second_waybill() {
    for (kind, carrier, operation) in VENDORS {
        let world = world().await;
        let shop = client(&world, "demo");
        shop.put("A1", json!({"items": [{"title": "青瓷茶具"}]})).await;
        let wish = wish(carrier, &account_of(&world, kind));
        world.lose(Some(operation));
        let lost = shop.ship(&wish).await;
        assert_eq!(lost.status, 409, "{kind}: {}", lost.text());
        assert_eq!(world.simulator.waybills().len(), 1, "{kind}: the vendor did it");
        world.lose(None);
        let again = shop.ship(&wish).await;
        let given = world.simulator.waybills();
        assert_eq!(given.len(), 1, "{kind}");
        // The vendor tells what it did, or answers alike; else a person must look.
        let tells = ["sf", "jd", "cainiao", "kdniao"].contains(&kind);
        assert_eq!(again.status, if tells { 201 } else { 409 }, "{kind}: {}", again.text());
        if tells {
            assert_eq!(again.json()["number"], given[0].number, "{kind}");
            continue;
        }
        // Somebody was wrong about there being none: the vendor refuses, and still there is one.
        let mut forced = wish.clone();
        forced["again"] = json!(true);
        assert_eq!(shop.ship(&forced).await.status, 409, "{kind}");
        assert_eq!(world.simulator.waybills().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn what_was_ordered_is_known_after_a_restart() {
    let mut world = World::with(|config| {
        config.store.engine = Engine::Sled;
        with_every_carrier(config);
    })
    .await;
    let wish = wish("sf", &account_of(&world, "sf"));
    let zto = {
        let mut zto = self::wish("zto", &account_of(&world, "zto"));
        zto["id"] = json!("A1-ZTO");
        zto
    };
    let shop = client(&world, "demo");
    shop.put("A1", json!({"items": [{"title": "青瓷茶具"}]})).await;
    world.lose(Some("sf.create_order"));
    assert_eq!(shop.ship(&wish).await.status, 409);
    world.lose(Some("zto.create_order"));
    assert_eq!(shop.ship(&zto).await.status, 409);
    world.lose(None);
    world.restart().await;
    let shop = client(&world, "demo");
    assert_eq!(shop.ship(&wish).await.status, 201, "asked, and found");
    assert_eq!(shop.ship(&zto).await.status, 409, "nobody can tell");
    assert_eq!(world.simulator.waybills().len(), 2);
}

#[tokio::test]
async fn two_calls_at_once_create_one_waybill() {
    let world = world().await;
    let shop = client(&world, "demo");
    shop.put("A1", json!({"items": [{"title": "青瓷茶具"}]})).await;
    let wish = wish("zto", &account_of(&world, "zto"));
    let (one, two) = tokio::join!(shop.ship(&wish), shop.ship(&wish));
    assert_eq!(one.json()["number"], two.json()["number"]);
    assert_eq!(world.simulator.waybills().len(), 1);
}

#[tokio::test]
async fn what_the_vendor_refuses_is_said_with_its_cure_and_can_be_mended() {
    let world = world().await;
    let shop = client(&world, "demo");
    shop.put("A1", json!({"items": [{"title": "青瓷茶具"}]})).await;
    for (kind, carrier, _) in VENDORS {
        let mut wrong = wish(carrier, &account_of(&world, kind));
        wrong["id"] = json!(format!("A1-{kind}"));
        let whole = wrong["to"]["phone"].clone();
        wrong["to"]["phone"] = json!("1234567");
        let refused = shop.ship(&wrong).await;
        assert_eq!(refused.status, 422, "{kind}: {}", refused.text());
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("电话"), "{kind}: {detail}");
        wrong["to"]["phone"] = whole;
        assert_eq!(shop.ship(&wrong).await.status, 201, "{kind}: mended, it goes");
    }
    for (field, value) in [
        ("grams", json!(0)),
        ("grams", Value::Null),
        ("pieces", json!(308)),
        ("carrier", json!("nobody's")),
        ("to", json!("杭州")),
        ("from", json!({"name": "张三丰"})),
        ("goods", json!([{"count": 1}])),
        ("again", json!("yes")),
    ] {
        let mut bad = wish("sf", &account_of(&world, "sf"));
        bad[field] = value;
        let refused = shop.ship(&bad).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text());
        let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with(&format!("#/{field}")), "{field}: {pointer}");
    }
    let nobody = shop.ship(&wish("sto", &account_of(&world, "sto"))).await;
    assert_eq!((nobody.status, &nobody.json()["errors"][0]["pointer"]), (422, &json!("#/carrier")));
    assert_eq!(shop.post("/api/v1/orders/NONE/waybills", wish("sf", "sf")).await.status, 404);
}

#[tokio::test]
async fn a_waybill_is_cancelled_by_its_own_shop_once_and_its_parcel_says_so() {
    let world = world().await;
    let (shop, other) = (client(&world, "demo"), client(&world, "other"));
    shop.put("A1", json!({"items": [{"title": "青瓷茶具"}]})).await;
    let wish = wish("yto", &account_of(&world, "yto"));
    let number = shop.ship(&wish).await.json()["number"].as_str().unwrap().to_owned();
    let cancel = json!({"reason": "买家不要了"});
    assert_eq!(other.post("/api/v1/waybills/A1/cancel", cancel.clone()).await.status, 404);
    let cancelled = shop.post("/api/v1/waybills/A1/cancel", cancel.clone()).await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["cancelled"]),
        (200, &json!(true)),
        "{}",
        cancelled.text()
    );
    assert!(world.simulator.waybills()[0].cancelled);
    let parcel = shop.get(&format!("/api/v1/parcels/yto/{number}")).await.json();
    let told = parcel["events"].as_array().unwrap().iter().any(|event| event["status"] == "cancelled");
    assert!(told, "{parcel}");
    assert_eq!(shop.post("/api/v1/waybills/A1/cancel", cancel).await.status, 409);
    assert_eq!(shop.ship(&wish).await.status, 409, "another one needs another id");
    let mut ems = self::wish("ems", &account_of(&world, "ems"));
    ems["id"] = json!("A1-EMS");
    shop.ship(&ems).await;
    let unknown = shop.post("/api/v1/waybills/A1-EMS/cancel", json!({})).await;
    assert_eq!(unknown.status, 502, "{}", unknown.text());
}
