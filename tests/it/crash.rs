//! The real binary, killed at random moments under load. What was acknowledged is there afterwards, once, and is
//! answered once; every order that was taken in is there with its parcel. `YISHI_KILLS` sets how often it is killed (10 without it).

mod news;

use crate::trips::wechat::{Follower, content};
use crate::world::{Door, Said, Session};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use yishi::model::{ChatAddress, Private};
use yishi::store::records::Records;
use yishi::store::sled::{Durability, SledOptions, SledStore};
use yishi::vault::Vault;

/// Longest start of the binary: a debug build on a busy machine learns its intents first.
const START: Duration = Duration::from_secs(60);
/// Everything is answered within this after the last start: the slow carrier's 15 s, and room.
const ANSWERED: Duration = Duration::from_secs(40);

/// In every answer to an urge that the merchant hears of.
const NOTED: &str = "已经记下";

/// How often each process is killed.
fn kills(usual: u32) -> u32 {
    std::env::var("YISHI_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(usual)
}

/// The demo as a process of its own.
struct Demo {
    child: Child,
    door: Door,
    api_token: String,
}

impl Demo {
    fn command(data: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yishi"));
        command.args(["demo", "--listen", "127.0.0.1:0", "--orders", "20", "--data"]).arg(data);
        // Not in our own folder, whose intents and locales it would watch.
        command.current_dir(data).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Starts it and reads its address from what it prints.
    async fn start(data: &Path) -> Self {
        let mut child = Self::command(data).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let (mut base, mut token) = (None, None);
            // To the last line: a closed pipe would end it.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("web chat  ") {
                    base = rest.trim().strip_suffix("/chat/demo").map(str::to_owned);
                }
                if let Some((_, rest)) = line.split_once("(bearer ") {
                    token = rest.strip_suffix(')').map(str::to_owned);
                }
                if line.contains("Ctrl-C") {
                    break;
                }
            }
            base.zip(token)
        });
        let read = tokio::time::timeout(START, read).await.expect("it starts in time").unwrap();
        let Some((base, api_token)) = read else {
            panic!("it ended before it listened: {:?}", child.wait());
        };
        Self { child, door: Door::http(&base), api_token }
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A buyer in the web chat who never gives up: what was not acknowledged is sent again under its id.
struct Buyer {
    session: Session,
    texts: &'static [&'static str],
    sent: u32,
    acknowledged: BTreeSet<String>,
    open: Option<(String, &'static str)>,
}

impl Buyer {
    /// Writes until the service is gone, or `most` messages are acknowledged.
    async fn write(&mut self, door: Door, most: u32) {
        self.session.door = door;
        for _ in 0..most {
            let (id, text) = self.open.take().unwrap_or_else(|| {
                self.sent += 1;
                (format!("c{}", self.sent), self.texts[self.sent as usize % self.texts.len()])
            });
            self.open = Some((id.clone(), text));
            match self.try_post(&id, text).await {
                Some(202) => {
                    self.acknowledged.insert(id);
                    self.open = None;
                }
                // Writes faster than a person may.
                Some(429) => tokio::time::sleep(Duration::from_millis(100)).await,
                Some(status) => panic!("{status} for {text}"),
                None => return,
            }
        }
    }

    async fn try_post(&self, id: &str, text: &str) -> Option<u16> {
        let bearer = format!("Bearer {}", self.session.token);
        let headers = [crate::world::JSON, ("authorization", bearer.as_str())];
        let body = json!({"id": id, "text": text}).to_string().into_bytes();
        let path = format!("/chat/{}/messages", self.session.shop);
        Some(self.session.door.call(axum::http::Method::POST, &path, &headers, body).await?.status)
    }
}

/// WeChat's server for one follower: a message without a reply is posted again under its id.
struct Platform {
    follower: Follower,
    sent: u64,
    replies: BTreeMap<u64, String>,
}

impl Platform {
    async fn post(&mut self, door: Door, most: u64) {
        self.follower.door = door;
        for _ in 0..most {
            let body = self.follower.text_body(self.sent, "帮我催一下快递");
            let path = format!(
                "/hooks/wechat/demo?signature={}&timestamp={}&nonce=77",
                self.follower.sign(),
                self.follower.time
            );
            let reply =
                self.follower.door.call(axum::http::Method::POST, &path, &[], body.into_bytes()).await;
            let Some(reply) = reply else { return };
            self.replies.insert(self.sent, content(&reply));
            self.sent += 1;
        }
    }
}

/// The shop's system: it tells an order until the service has taken it in.
#[derive(Default)]
struct Merchant {
    api_token: String,
    told: u32,
    /// The same count for others to read.
    taken: Arc<AtomicU32>,
}

impl Merchant {
    async fn tell(&mut self, door: Door, most: u32) {
        let bearer = format!("Bearer {}", self.api_token);
        let headers = [crate::world::JSON, ("authorization", bearer.as_str())];
        for _ in 0..most {
            let body = json!({
                "status": "shipped",
                "buyer": {"phone": format!("1390000{:04}", self.told), "name": "试验"},
                "items": [{"title": "试验品", "qty": 1}],
                "shipments": [{"carrier": "yto", "number": waybill(self.told)}],
            });
            let path = format!("/api/v1/orders/{}", order_number(self.told));
            let body = body.to_string().into_bytes();
            let Some(reply) = door.call(axum::http::Method::PUT, &path, &headers, body).await else { return };
            assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
            self.told += 1;
            self.taken.store(self.told, Ordering::Relaxed);
        }
    }
}

/// An aggregator that pushes a scan of the newest order's parcel until it is acknowledged, then the next.
#[derive(Default)]
struct Aggregator {
    sent: u32,
    /// Order and words of each acknowledged scan.
    acknowledged: Vec<(u32, String)>,
    open: Option<(u32, String)>,
}

impl Aggregator {
    async fn push(&mut self, door: Door, taken: &AtomicU32) {
        loop {
            let Some(newest) = taken.load(Ordering::Relaxed).checked_sub(1) else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if door.call(axum::http::Method::GET, "/healthz", &[], Vec::new()).await.is_none() {
                    return;
                }
                continue;
            };
            let (order, words) = self.open.take().unwrap_or_else(|| {
                self.sent += 1;
                (newest, format!("快件离开【{}号转运中心】", self.sent))
            });
            self.open = Some((order, words.clone()));
            let body = pushed(order, &words);
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let post = door.call(axum::http::Method::POST, "/hooks/kuaidi100/demo", &form, body);
            let Some(reply) = post.await else { return };
            assert!(reply.text().contains("\"200\""), "{}", reply.text());
            self.acknowledged.push((order, words));
            self.open = None;
        }
    }
}

/// Written from the vendor's text: form, JSON inside, `MD5(param + salt)`.
fn pushed(order: u32, words: &str) -> Vec<u8> {
    let data =
        json!([{"time": "2026-03-02 09:00:00", "context": words, "status": "干线", "statusCode": "1002"}]);
    let result = json!({"message": "ok", "state": "0", "status": "200", "com": "yuantong",
        "nu": waybill(order), "data": data});
    let param = json!({"status": "polling", "lastResult": result}).to_string();
    let sign = yishi::wire::sign::md5_hex_upper(format!("{param}demo-kuaidi100-salt").as_bytes());
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("sign", &sign).append_pair("param", &param).finish().into_bytes()
}

fn order_number(at: u32) -> String {
    format!("CRASH-{at:05}")
}

fn waybill(at: u32) -> String {
    format!("YT77{at:011}")
}

/// Every person writes at once; after `after` the process is killed under them.
async fn round(
    demo: Demo,
    buyers: &mut [Buyer],
    platforms: &mut [Platform],
    merchant: &mut Merchant,
    aggregator: &mut Aggregator,
    after: Duration,
) {
    let door = demo.door.clone();
    merchant.api_token.clone_from(&demo.api_token);
    let taken = merchant.taken.clone();
    let pushes = aggregator.push(door.clone(), &taken);
    let tells = merchant.tell(door.clone(), u32::MAX);
    let writes = buyers.iter_mut().map(|buyer| buyer.write(door.clone(), u32::MAX));
    let posts = platforms.iter_mut().map(|platform| platform.post(door.clone(), u64::MAX));
    let load = async {
        let (writes, posts) = (futures_util::future::join_all(writes), futures_util::future::join_all(posts));
        futures_util::join!(writes, posts, tells, pushes);
    };
    let death = async {
        tokio::time::sleep(after).await;
        demo.kill();
    };
    futures_util::join!(load, death);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_and_says_nothing_twice() {
    let rounds = kills(10);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let demo = Demo::start(data).await;
    let (mut buyers, mut platforms) = people(&demo.door).await;
    let mut merchant = Merchant::default();
    let mut aggregator = Aggregator::default();
    let first = Duration::from_millis(400);
    round(demo, &mut buyers, &mut platforms, &mut merchant, &mut aggregator, first).await;
    for at in 1..rounds {
        if at % 4 == 3 {
            // Killed while it starts: reads its log, goes on with what was open, fills in its orders.
            let mut child = Demo::command(data).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..3_000))).await;
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        let demo = Demo::start(data).await;
        let after = Duration::from_millis(rand::random_range(5..900));
        round(demo, &mut buyers, &mut platforms, &mut merchant, &mut aggregator, after).await;
    }
    let demo = Demo::start(data).await;
    assert_eq!(platforms.len(), 3, "somebody waits for a parcel");
    for buyer in &mut buyers {
        // What was open is acknowledged now.
        if buyer.open.is_some() {
            buyer.write(demo.door.clone(), 1).await;
        }
        buyer.session.door = demo.door.clone();
        check_log(buyer).await;
    }
    for platform in &mut platforms {
        platform.post(demo.door.clone(), 1).await;
        // The platform's own retry of its newest message.
        let (id, reply) = platform.replies.last_key_value().map(|(id, reply)| (*id, reply.clone())).unwrap();
        assert_eq!(platform.follower.says(id, "帮我催一下快递").await, reply);
    }
    assert_eq!(merchant.api_token, demo.api_token, "the token outlives the process");
    demo.kill();
    let records = open(data).await;
    check_messages(&records, &platforms, rounds).await;
    check_orders(&records, &merchant).await;
    check_pushes(&records, &aggregator).await;
}

/// Every scan that was acknowledged is there, once.
async fn check_pushes(records: &Records, aggregator: &Aggregator) {
    assert!(aggregator.acknowledged.len() > 10, "the load was real: {}", aggregator.acknowledged.len());
    for (order, words) in &aggregator.acknowledged {
        let number = waybill(*order);
        let parcel = records.parcel("demo", "yto", &number).await.unwrap().value.unwrap();
        let found = parcel.events.iter().filter(|event| event.description() == words).count();
        assert_eq!(found, 1, "{words} of {number}");
        let mut told = parcel.told.clone();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), parcel.told.len(), "each notice is staged once");
    }
}

async fn people(door: &Door) -> (Vec<Buyer>, Vec<Platform>) {
    const ASKS: &[&str] =
        &["我的快递到哪了", "你好", "DEMO-PICKUP 取件码是多少", "what about my order", "谢谢"];
    // The carrier of this one takes 12 s: the process is always killed before it answers.
    const SLOW: &[&str] = &["DEMO-TIMEOUT 到哪了"];
    const PROOFS: &[&str] = &["DEMO-NORMAL 尾号6688", "DEMO-SLOW 尾号1234", "我的订单", "解绑"];
    let mut buyers = Vec::new();
    for (texts, body) in [
        (ASKS, json!({"identity": "demo"})),
        (ASKS, json!({"identity": "demo"})),
        (SLOW, json!({"identity": "demo"})),
        (PROOFS, json!({})),
    ] {
        let session = Session::open(door.clone(), "demo", body).await;
        buyers.push(Buyer { session, texts, sent: 0, acknowledged: BTreeSet::new(), open: None });
    }
    let mut platforms = Vec::new();
    for at in 0..20 {
        let follower = Follower {
            door: door.clone(),
            account: "demo".into(),
            openid: format!("buyer{at:06}"),
            time: jiff::Timestamp::now().as_second(),
        };
        let mut platform = Platform { follower, sent: 1 + at * 1_000_000, replies: BTreeMap::new() };
        platform.post(door.clone(), 1).await;
        // Those whose parcel still moves: the merchant hears of each of their messages.
        if platform.replies.values().all(|reply| reply.contains(NOTED)) {
            platforms.push(platform);
        }
    }
    platforms.truncate(3);
    (buyers, platforms)
}

/// Waits until each line of the buyer has its answer, and looks at the whole log.
async fn check_log(buyer: &Buyer) {
    let until = Instant::now() + ANSWERED;
    let log = loop {
        let log = buyer.session.log().await;
        let count = |from: &str| log.iter().filter(|said| said.from() == from).count();
        if count("bot") >= count("buyer") || Instant::now() > until {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let id = |said: &Said| said.0["id"].as_str().unwrap().to_owned();
    let written: Vec<String> = log.iter().filter(|said| said.from() == "buyer").map(id).collect();
    let once: BTreeSet<String> = written.iter().cloned().collect();
    assert_eq!(once.len(), written.len(), "a line stands twice in {written:?}");
    assert_eq!(once, buyer.acknowledged, "what was acknowledged, and nothing else");
    let answers = log.iter().filter(|said| said.from() == "bot").count();
    assert_eq!(answers, written.len(), "one answer to each of {written:?}: {log:?}");
}

/// Opens what the killed process left.
async fn open(data: &Path) -> Records {
    let vault = Vault::load(&data.join("yishi.key")).unwrap();
    let options = SledOptions {
        path: data.join("store"),
        durability: Durability::Process,
        cache_bytes: 8 << 20,
        min_free_disk: 0,
    };
    let store = Arc::new(SledStore::open(&options).unwrap());
    yishi::store::begin(store.as_ref(), &vault).await.unwrap();
    Records::new(store, Arc::new(vault))
}

/// Every order that was taken in is there, and is found by its number, its waybill and its phone.
async fn check_orders(records: &Records, merchant: &Merchant) {
    assert!(merchant.told > 10, "the load was real: {}", merchant.told);
    for at in 0..merchant.told {
        let (no, number) = (order_number(at), waybill(at));
        let order = records.order("demo", &no).await.unwrap().value.unwrap_or_else(|| panic!("{no} is lost"));
        assert_eq!(order.shipments[0].number, number);
        let parcel = records.parcel("demo", "yto", &number).await.unwrap().value;
        assert_eq!(parcel.unwrap_or_else(|| panic!("{number} is lost")).orders, std::slice::from_ref(&no));
        assert_eq!(
            records.number("demo", &number).await.unwrap().value.unwrap().orders,
            std::slice::from_ref(&no)
        );
        assert_eq!(records.orders_by_phone("demo", &format!("1390000{at:04}")).await.unwrap(), [no]);
    }
}

/// Counts what followed from each message.
async fn check_messages(records: &Records, platforms: &[Platform], rounds: u32) {
    assert!(records.running().await.unwrap().is_empty(), "no message waits for ever");
    let requests = records.requests("demo", 100_000).await.unwrap();
    for platform in platforms {
        let openid = platform.follower.openid.clone();
        let address = ChatAddress { kind: "wechat".into(), account: "demo".into(), id: Private::new(openid) };
        let chat = records.chat("demo", &address).await.unwrap().value.unwrap();
        assert_eq!(chat.answered.len(), platform.replies.len().min(48), "each message was taken once");
        let noted = platform.replies.values().filter(|reply| reply.contains(NOTED)).count();
        assert!(noted > rounds as usize / 2, "the load was real: {noted}");
        let theirs = requests
            .iter()
            .filter(|(_, request)| request.kind == "urge" && request.address.as_ref() == Some(&address));
        assert_eq!(theirs.count(), noted, "the merchant hears of each message once");
    }
}
