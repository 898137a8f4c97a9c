//! Personal data is sealed at rest and never logged: what we know of a buyer is looked for in every file of the store
//! and in everything that was logged, down to the finest level.

use crate::logs::Logs;
use crate::trips::wechat::follower;
use crate::world::{JSON, Session, World, person};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{Order, OrderStatus, Private};
use yishi::simulator::{Simulator, keys};

const NAME: &str = "欧阳试验";
const PHONE: &str = "13900016688";
const STREET: &str = "试验路 969 弄";
const OPENID: &str = "o-openid-of-anna-0001";
const TELEGRAM: &str = "880011223344";
const NUMBER: &str = "YT8816042739501";
const WORDS: &str = "楼下的小黄狗";

/// Everything that must not be seen.
const PRIVATE: [&str; 7] = [NAME, PHONE, STREET, OPENID, TELEGRAM, NUMBER, WORDS];

async fn one_order(world: &World) {
    let now = yishi::wire::Clock::now(world.clock.as_ref());
    let order = Order {
        no: "A1001".into(),
        status: OrderStatus::Shipped,
        buyer: Buyer {
            name: Some(Private::new(NAME.into())),
            phone: Some(Private::new(PHONE.into())),
            phone_last4: Some(Private::new("6688".into())),
            address: Some(Private::new(STREET.into())),
            chat: vec![person("wechat", "demo", OPENID), person("telegram", "demo", TELEGRAM)],
            ..Buyer::default()
        },
        items: vec![Item { title: "青瓷茶具".into(), sku: None, qty: 1 }],
        shipments: vec![Shipment { carrier: "yto".into(), number: NUMBER.into(), ..Shipment::default() }],
        ..Order::default()
    };
    world.intake.records.upsert_order("demo", &order, now).await.unwrap();
}

/// Conversations that tell and make known everything.
async fn conversations(world: &World) {
    let buyer = follower(world, "demo", OPENID);
    for (id, text) in [
        (1, format!("我是{NAME} 电话{PHONE} 快递到哪了")),
        (2, format!("送到{STREET}，{WORDS}会叫")),
        (3, "我要改地址".to_owned()),
        (4, "我想问下".to_owned()),
    ] {
        buyer.says(id, &text).await;
    }
    buyer.says(5, &format!("转人工 {WORDS}")).await;
    let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 1_772_414_040, "text": "where is my parcel",
        "chat": {"id": TELEGRAM.parse::<u64>().unwrap(), "type": "private", "first_name": NAME},
        "from": {"id": TELEGRAM.parse::<u64>().unwrap(), "is_bot": false, "first_name": NAME}}});
    let secret = ("x-telegram-bot-api-secret-token", keys::TELEGRAM_WEBHOOK_SECRET);
    world.door().post("/hooks/telegram/demo", &[JSON, secret], update.to_string()).await;
    world.quiet().await;
    assert!(!world.telegram_sent("sendMessage").is_empty());
    let mut stranger = Session::stranger(world).await;
    stranger.says(&format!("{NUMBER} {PHONE}")).await.has(NUMBER);
    stranger.says(&format!("{NUMBER} 尾号1111 {WORDS}")).await;
    // A carrier that fails, and one that refuses.
    world.simulator.set_outage(Some(yishi::simulator::Outage::Down));
    world.advance(Duration::from_secs(3_600));
    stranger.says("我的快递到哪了").await.has(NUMBER);
    world.peer(
        "/telegram/fail",
        json!({"method": "sendMessage", "error_code": 403, "description": "Forbidden"}),
    );
    let again = update.to_string().replace("\"update_id\":1", "\"update_id\":2");
    world.door().post("/hooks/telegram/demo", &[JSON, secret], again).await;
    world.quiet().await;
}

#[tokio::test]
async fn nothing_of_a_buyer_stands_in_the_files_or_in_the_log() {
    let (logs, _guard) = Logs::listen();
    let mut world = World::on_disk().await;
    one_order(&world).await;
    conversations(&world).await;
    world.restart().await;
    let said = follower(&world, "demo", OPENID).says(99, "我的快递到哪了").await;
    assert!(said.is_empty() || said.contains(NUMBER), "{said}");
    world.intake.records.store().close().await;

    let mut files = Vec::new();
    read_all(&world.folder().join("store"), &mut files);
    assert!(holds(&files, b"\0format"), "rows that are not sealed are found by this search");
    for private in PRIVATE {
        assert!(!holds(&files, private.as_bytes()), "{private} stands in the store's files");
        let wide: Vec<u8> = private.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(!holds(&files, &wide), "{private} stands in the store's files, in UTF-16");
    }

    let log = logs.text();
    assert!(log.contains("\"call\""), "the log was listened to: {log}");
    for private in PRIVATE {
        assert!(!log.contains(private), "{private} is logged: {}", line_with(&log, private));
    }
    for secret in secrets() {
        assert!(!log.contains(&secret), "a secret is logged: {}", line_with(&log, &secret));
    }
}

/// Every secret of the test's accounts and shops.
pub fn secrets() -> Vec<String> {
    let accounts = Simulator::accounts("");
    let mut secrets: Vec<String> =
        accounts.iter().flat_map(|account| account.secrets.values()).map(|s| s.reveal().clone()).collect();
    secrets.push(crate::world::AES_KEY.to_owned());
    secrets.extend(crate::world::CHAT_SECRETS.map(|(_, secret)| secret.to_owned()));
    secrets.extend(crate::world::API_TOKENS.map(|(_, token)| token.to_owned()));
    secrets
}

pub fn line_with<'a>(log: &'a str, text: &str) -> &'a str {
    log.lines().find(|line| line.contains(text)).unwrap_or("")
}

fn read_all(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.extend(std::fs::read(path).unwrap());
        }
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
