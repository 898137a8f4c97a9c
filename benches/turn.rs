//! One WeChat question inside the process, without HTTP and disk: what reading, deciding, wording and sealing cost.
//! `cargo bench --bench turn`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;
use yishi::app::{App, Parts};
use yishi::config::{Config, Engine};
use yishi::model::order::{Buyer, Shipment};
use yishi::model::{ChatAddress, Order, OrderStatus, Private, Shop};
use yishi::simulator::Simulator;
use yishi::store::Batch;
use yishi::wire::Request;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BUYERS: u64 = 2_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.store.engine = Engine::Memory;
        config.vault_key = yishi::config::KeySource::File(folder.path().join("key"));
        config.shops = vec![Shop {
            id: "demo".into(),
            name: "驿使小铺".into(),
            locale: "zh-CN".into(),
            zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
            api_tokens: Vec::new(),
            chat_secret: None,
            allowed_origins: Vec::new(),
            hotline: None,
            notices: Default::default(),
        }];
        config.accounts = Simulator::demo_accounts("http://127.0.0.1:9");
        for account in config.accounts.iter_mut().filter(|account| account.kind == "wechat") {
            account.settings.insert("timestamp_tolerance_secs".into(), "0".into());
        }
        let app = App::build(&config, None, Parts::default()).await.unwrap();
        let intake = Arc::clone(&app.intake);
        let records = &intake.records;
        let now = jiff::Timestamp::now();
        let simulator = Simulator::new(now, 1.0);
        for i in 0..BUYERS {
            let told = simulator.ordinary(i);
            let address = ChatAddress {
                kind: "wechat".into(),
                account: "demo".into(),
                id: Private::new(format!("buyer{i:06}")),
            };
            let order = Order {
                no: told.order.clone(),
                status: OrderStatus::Shipped,
                buyer: Buyer { chat: vec![address], ..Buyer::default() },
                shipments: vec![Shipment {
                    carrier: told.carrier.into(),
                    number: told.number.clone(),
                    shipped_at: Some(told.shipped_at),
                    ..Shipment::default()
                }],
                ..Order::default()
            };
            records.upsert_order("demo", &order, now).await.unwrap();
            let read = records.parcel("demo", told.carrier, &told.number).await.unwrap();
            let mut parcel = read.value.clone().unwrap();
            let (events, eta) = simulator.events_of(&told, now);
            parcel.add(events);
            (parcel.eta, parcel.last_checked, parcel.answered_by) =
                (eta, Some(now), Some(told.provider.into()));
            let mut batch = Batch::default();
            records.put_parcel(&mut batch, "demo", &read, &parcel).unwrap();
            let _ = records.store().commit(batch).await.unwrap();
        }
        for round in 0..8u64 {
            let requests: Vec<Request> = (0..BUYERS).map(|i| request(round, i)).collect();
            let started = Instant::now();
            for request in &requests {
                let door = intake.hook("wechat", "demo", request).await;
                std::hint::black_box(&door);
            }
            println!("{:.1} µs a turn", started.elapsed().as_secs_f64() * 1e6 / BUYERS as f64);
        }
    });
}

fn request(round: u64, i: u64) -> Request {
    let (timestamp, nonce) = ("1772326900", "415670741");
    let signature = yishi::wire::sign::sorted_sha1(&["demo-token", timestamp, nonce]);
    let body = format!(
        "<xml><ToUserName><![CDATA[gh_demo]]></ToUserName><FromUserName><![CDATA[buyer{i:06}]]></FromUserName>\
         <CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
         <Content><![CDATA[我的快递到哪了]]></Content><MsgId>{}</MsgId></xml>",
        round * 1_000_000 + i
    );
    Request {
        get: false,
        query: vec![
            ("signature".into(), signature),
            ("timestamp".into(), timestamp.into()),
            ("nonce".into(), nonce.into()),
        ],
        headers: Vec::new(),
        body: body.into_bytes(),
    }
}
