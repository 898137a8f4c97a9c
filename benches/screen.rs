//! From a carrier's push to the buyer's screen: a Kuaidi100-shaped, signed push of ten events arrives at the hook, the
//! notice comes out of the buyer's open event stream. Over loopback HTTP, every push for another parcel, on a store on
//! disk, each step durable (`durability = "power"`). `cargo bench --bench screen`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use common::acknowledged;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use yishi::app::{App, Parts};
use yishi::config::{Config, Durability, Engine, KeySource};
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{Account, ChatAddress, NoticeRules, Order, OrderStatus, Private, shop::Shop};
use yishi::simulator::{SimulatedTransport, Simulator};
use yishi::store::Batch;

/// Buyers with an open page.
const BUYERS: usize = 50;
/// Pushes that come one after the other, the next when the last one is on the screen.
const ALONE: usize = 500;
/// Pushes that come at a steady rate, whatever has become of those before.
const STEADY: usize = 2_000;
/// So many a second.
const RATE: u64 = 200;
const EVENTS: usize = 10;
const SALT: &str = "demo-kuaidi100-salt";

/// Who waits for which parcel's notice, by its number in the title.
type Waiting = Arc<Mutex<HashMap<usize, oneshot::Sender<Instant>>>>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = config(folder.path());
    // The background asks it too, and hears of nothing.
    let simulator = Arc::new(Simulator::new(Timestamp::now(), 1.0));
    let peers = SimulatedTransport::new(simulator, Arc::new(Timestamp::now));
    let parts = Parts { transport: Some(Arc::new(peers)), ..Parts::default() };
    let app = App::build(&config, None, parts).await.unwrap();
    let intake = app.intake.clone();
    let router = app.router.clone();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let waiting = Waiting::default();
    let mut owners = Vec::new();
    for _ in 0..BUYERS {
        owners.push(open_page(address, &waiting).await);
    }
    for at in 0..ALONE + STEADY {
        order(&intake.records, at, &owners[at % BUYERS]).await;
    }
    // Not before: a check that finds nothing would tell "shipped" by itself.
    app.start_background(&config).await.unwrap();

    let mut alone = Vec::new();
    let mut stream = connect(address).await;
    for at in 0..ALONE {
        let (request, seen) = (request(at), expect(&waiting, at));
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        acknowledged(&mut stream).await;
        alone.push(seen.await.unwrap() - sent);
    }
    report("one after the other", alone);

    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
    let mut steady = Vec::new();
    for at in ALONE..ALONE + STEADY {
        tick.tick().await;
        let (request, seen) = (request(at), expect(&waiting, at));
        steady.push(tokio::spawn(async move {
            let mut stream = connect(address).await;
            let sent = Instant::now();
            stream.write_all(&request).await.unwrap();
            acknowledged(&mut stream).await;
            seen.await.unwrap() - sent
        }));
    }
    let mut times = Vec::new();
    for push in steady {
        times.push(push.await.unwrap());
    }
    report(&format!("{RATE} a second"), times);
    intake.stop.cancel();
    server.abort();
}

fn report(how: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let millis = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "push to screen, {how}: {} pushes of {EVENTS} events, {BUYERS} open pages: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        times.len(),
        millis(times.len() / 2),
        millis(times.len() * 99 / 100),
        millis(times.len()),
    );
}

fn config(folder: &std::path::Path) -> Config {
    let mut config = Config::defaults();
    config.server.socket = None;
    config.store.engine = Engine::Sled;
    config.store.durability = Durability::Power;
    config.store.path = folder.join("store");
    config.store.min_free_disk = 0;
    config.vault_key = KeySource::Hex(Private::new("5a".repeat(32)));
    for own in [&mut config.folders.intents, &mut config.folders.locales, &mut config.folders.shops] {
        *own = folder.join("none");
    }
    config.shops = vec![Shop {
        id: "demo".into(),
        name: "茶店".into(),
        locale: "zh-CN".into(),
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        api_tokens: Vec::new(),
        chat_secret: None,
        allowed_origins: vec!["*".into()],
        hotline: None,
        // At any hour, and as many as there are parcels.
        notices: NoticeRules { quiet: None, most_a_day: 0, ..NoticeRules::default() },
    }];
    let accounts: Vec<Account> = Simulator::demo_accounts("http://peers");
    config.accounts = accounts.into_iter().filter(|account| account.kind == "kuaidi100").collect();
    config
}

fn number(at: usize) -> String {
    // The journey of which the carrier knows nothing when it is asked.
    format!("YT88{at:09}15")
}

fn title(at: usize) -> String {
    format!("茶具{at}号")
}

/// An order whose parcel is not due for a check.
async fn order(records: &yishi::store::records::Records, at: usize, owner: &ChatAddress) {
    let now = Timestamp::now();
    let order = Order {
        no: format!("S{at:06}"),
        status: OrderStatus::Shipped,
        buyer: Buyer { chat: vec![owner.clone()], ..Buyer::default() },
        items: vec![Item { title: title(at), sku: None, qty: 1 }],
        shipments: vec![Shipment {
            carrier: "yto".into(),
            number: number(at),
            shipped_at: Some(now - SignedDuration::from_hours(20)),
            items: Vec::new(),
        }],
        ..Order::default()
    };
    records.upsert_order("demo", &order, now).await.unwrap();
    loop {
        let read = records.parcel("demo", "yto", &number(at)).await.unwrap();
        let mut parcel = read.value.clone().unwrap();
        parcel.next_check = Some(now + SignedDuration::from_hours(6));
        let mut batch = Batch::default();
        records.put_parcel(&mut batch, "demo", &read, &parcel).unwrap();
        if records.store().commit(batch).await.unwrap() == yishi::store::Committed::Done {
            return;
        }
    }
}

fn expect(waiting: &Waiting, at: usize) -> oneshot::Receiver<Instant> {
    let (tell, told) = oneshot::channel();
    waiting.lock().unwrap().insert(at, tell);
    told
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A buyer opens the page: a session, and its event stream, read for ever.
async fn open_page(address: SocketAddr, waiting: &Waiting) -> ChatAddress {
    let client = reqwest::Client::new();
    let opened = client.post(format!("http://{address}/chat/demo/sessions")).json(&json!({})).send().await;
    let opened: Value = opened.unwrap().json().await.unwrap();
    let (session, token) = (opened["session"].as_str().unwrap(), opened["token"].as_str().unwrap());
    let mut stream = connect(address).await;
    let head = format!(
        "GET /chat/demo/events HTTP/1.1\r\nhost: yishi\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 4096];
    let read = stream.read(&mut first).await.unwrap();
    assert!(first[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first[..read]));
    let waiting = waiting.clone();
    tokio::spawn(async move {
        let (mut said, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            let now = Instant::now();
            if read == 0 {
                return;
            }
            said.extend_from_slice(&buffer[..read]);
            while let Some(end) = said.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = said.drain(..end + 2).collect();
                let event = String::from_utf8_lossy(&event);
                let Some((_, rest)) = event.split_once("茶具") else { continue };
                let at: usize = rest[..rest.find('号').unwrap()].parse().unwrap();
                let tell = waiting.lock().unwrap().remove(&at);
                tell.expect("each parcel is told once").send(now).unwrap();
            }
        }
    });
    ChatAddress { kind: "webchat".into(), account: "demo".into(), id: Private::new(session.to_owned()) }
}

/// Delivered a moment ago, after nine scans on the way.
fn request(at: usize) -> Vec<u8> {
    let china = jiff::tz::Offset::constant(8);
    let now = Timestamp::now();
    let data: Vec<Value> = (0..EVENTS)
        .map(|scan| {
            let time = now - SignedDuration::from_mins(scan as i64 * 97);
            let time = china.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string();
            let (code, words) = match scan {
                0 => ("301", "已签收，签收人：本人".to_owned()),
                scan => ("1002", format!("快件离开【{at}号转运中心】，发往【{scan}号转运中心】")),
            };
            json!({"time": time, "ftime": time, "status": "", "statusCode": code, "context": words})
        })
        .collect();
    let result = json!({"message": "ok", "state": "3", "status": "200", "ischeck": "1", "com": "yuantong",
        "nu": number(at), "data": data});
    let param = json!({"status": "shutdown", "lastResult": result}).to_string();
    let sign = yishi::wire::sign::md5_hex_upper(format!("{param}{SALT}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sign", sign.as_str()), ("param", param.as_str())])
        .finish();
    format!(
        "POST /hooks/kuaidi100/demo HTTP/1.1\r\nhost: yishi\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
