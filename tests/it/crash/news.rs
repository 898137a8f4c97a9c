//! `yishi serve`, killed at random moments while orders, signed pushes, background checks and notices run. The vendors
//! and the channels' servers live on in this process and count: no buyer hears one thing twice, no acknowledged push is
//! lost, no cap of an account is broken, and a message of unknown outcome is listed for the merchant. `YISHI_KILLS` sets
//! how often it is killed (6 without it); `cargo test --test it crash::news -- --nocapture` prints the figures.
#![allow(clippy::print_stdout)]

use super::{kills, open};
use crate::trips::wechat::Follower;
use crate::world::Door;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use yishi::model::{Account, ChatAddress, Private};
use yishi::simulator::Simulator;
use yishi::store::records::Records;

const TOKEN: &str = "api-token-of-the-shop";
/// What each account may be asked in a day, by its kind; the schedule may use four fifths of it. So few that they are
/// reached, and held across many processes.
const CAPS: [(&str, usize); 2] = [("kuaidi100", 20), ("kdniao", 10)];
/// No number is asked about at one account more often; a minute is for the way.
const INTERVAL: jiff::SignedDuration = jiff::SignedDuration::from_mins(29);
/// In every notice of an arrival, and in nothing else.
const ARRIVED: &str = "没收到";
/// How the code of every pickup begins.
const CODE: &str = "6-2-";
/// Longest start: a debug build on a busy machine learns its intents first.
const START: Duration = Duration::from_secs(60);
/// Nothing more comes after a silence of this length.
const SILENCE: Duration = Duration::from_secs(4);

/// The vendors and the channels' servers: the simulator behind a counter.
struct Peers {
    simulator: Arc<Simulator>,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    /// Messages that arrived, by `kind/person`.
    sent: BTreeMap<String, Vec<String>>,
    /// Whom one call may have reached although its answer said that the server broke.
    broken: u32,
    /// Sends that were told to come again.
    throttled: u32,
    /// Sends so far.
    tries: u32,
    /// When each number was asked for, by `kind/number`.
    asked: BTreeMap<String, Vec<jiff::Timestamp>>,
    last: Option<Instant>,
}

impl Peers {
    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap()
    }

    /// One call to a channel that sends something. Counts it; says with what trouble it is answered.
    fn send(&self, person: String, text: String) -> Option<Response> {
        let mut counted = self.counted();
        counted.tries += 1;
        counted.last = Some(Instant::now());
        if counted.tries.is_multiple_of(13) && person.starts_with("telegram") {
            counted.throttled += 1;
            let body = json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1}});
            return Some((StatusCode::TOO_MANY_REQUESTS, body.to_string()).into_response());
        }
        counted.sent.entry(person).or_default().push(text);
        if counted.tries.is_multiple_of(41) {
            counted.broken += 1;
            return Some((StatusCode::BAD_GATEWAY, "<html>").into_response());
        }
        None
    }
}

async fn serve(State(peers): State<Arc<Peers>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let kind = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let person = match kind {
        "telegram" if path.to_ascii_lowercase().ends_with("/sendmessage") => message["chat_id"].as_str(),
        "wechat" if path.contains("/message/custom/send") => message["touser"].as_str(),
        _ => None,
    };
    let person = person.map(str::to_owned).or_else(|| {
        (kind == "telegram").then(|| message["chat_id"].as_i64()).flatten().map(|id| id.to_string())
    });
    if let Some(person) = person {
        // So that a kill meets calls on their way out, and on their way back.
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..30))).await;
        let trouble = peers.send(format!("{kind}/{person}"), message.to_string());
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..30))).await;
        if let Some(trouble) = trouble {
            return trouble;
        }
    }
    let has = |text: &str| String::from_utf8_lossy(&body).contains(text);
    let asks = path.ends_with("/query.do") || has("RequestType=1002") || has("RequestType=8001");
    if let Some(number) = number_in(&body).filter(|_| asks) {
        let mut counted = peers.counted();
        counted.asked.entry(format!("{kind}/{number}")).or_default().push(jiff::Timestamp::now());
    }
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let clock: yishi::simulator::Clock = Arc::new(jiff::Timestamp::now);
    let answer = peers.simulator.respond(path, &headers, &body, &clock).await;
    let status = StatusCode::from_u16(answer.status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json; charset=UTF-8")], answer.body).into_response()
}

/// The parcel that a form asks about.
fn number_in(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let at = text.find("YT77")?;
    Some(text[at..].chars().take_while(char::is_ascii_alphanumeric).collect())
}

/// The service as a process of its own.
struct Service {
    child: Child,
    door: Door,
    /// What it logged as an error.
    errors: std::thread::JoinHandle<Vec<String>>,
}

impl Service {
    fn command(data: &Path, accounts: &[Account]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yishi"));
        command.args(["serve", "--config"]).arg(data.join("yishi.toml")).env("SHOP_TOKEN", TOKEN);
        for account in accounts {
            for (name, secret) in &account.secrets {
                command.env(variable(&account.kind, name), secret.reveal());
            }
        }
        command.current_dir(data).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    async fn start(data: &Path, accounts: &[Account]) -> Self {
        let mut child = Self::command(data, accounts).spawn().unwrap();
        let output = child.stderr.take().unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        let errors = std::thread::spawn(move || {
            let (mut tell, mut errors) = (Some(tell), Vec::new());
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let told: Value = serde_json::from_str(&line).unwrap_or_default();
                if told["message"] == "listening"
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(told["address"].as_str().unwrap().to_owned());
                }
                if told["level"] == "ERROR" || told.is_null() {
                    errors.push(line);
                }
            }
            errors
        });
        let address = tokio::time::timeout(START, told).await.expect("it starts in time");
        match address {
            Ok(address) => Self { child, door: Door::http(&format!("http://{address}")), errors },
            Err(_) => panic!("it ended before it listened: {:?} {:?}", child.wait(), errors.join()),
        }
    }

    /// SIGKILL. Returns what it had logged as an error.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.errors.join().unwrap()
    }
}

fn variable(kind: &str, name: &str) -> String {
    format!("S_{kind}_{name}").to_ascii_uppercase()
}

/// The merchant's configuration, as a file.
fn configure(data: &Path, accounts: &[Account]) {
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://yishi.invalid\"\nsocket = \"\"\n\
         [store]\npath = \"{}\"\nmin_free_disk = 0\n[vault]\nkey = \"file:{}\"\n\
         [shops.demo]\nname = \"茶店\"\nlocale = \"zh-CN\"\nzone = \"Asia/Shanghai\"\napi_token = \"env:SHOP_TOKEN\"\n\
         quiet_hours = \"\"\nnotices_a_day = 0\n",
        data.join("store").display(),
        data.join("yishi.key").display(),
    );
    for account in accounts {
        text += &format!("[accounts.demo-{0}]\nkind = \"{0}\"\nshop = \"demo\"\n", account.kind);
        for (name, value) in &account.settings {
            text += &format!("{name} = \"{value}\"\n");
        }
        for name in account.secrets.keys() {
            text += &format!("{name} = \"env:{}\"\n", variable(&account.kind, name));
        }
        if let Some((_, cap)) = CAPS.iter().find(|(kind, _)| *kind == account.kind) {
            text += &format!("per_day = {cap}\n");
        }
    }
    std::fs::write(data.join("yishi.toml"), text).unwrap();
}

fn waybill(at: u32) -> String {
    format!("YT77{at:09}01")
}

/// Every parcel has a buyer of its own, in one of three chats.
fn buyer(at: u32) -> ChatAddress {
    let (kind, account, id) = match at % 3 {
        0 => ("telegram", "demo-telegram", format!("{}", 7_000_000 + at)),
        1 => ("wechat", "demo-wechat", format!("crash{at:06}")),
        _ => ("webchat", "demo", format!("buyer-{at}")),
    };
    ChatAddress { kind: kind.into(), account: account.into(), id: Private::new(id) }
}

/// The shop's system: it tells an order until the service has taken it in; a WeChat buyer has written before.
#[derive(Default)]
struct Merchant {
    told: u32,
    greeted: u32,
    taken: Arc<AtomicU32>,
}

impl Merchant {
    async fn tell(&mut self, door: Door) {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [crate::world::JSON, ("authorization", bearer.as_str())];
        loop {
            let address = buyer(self.told);
            if address.kind == "wechat" && self.greeted <= self.told {
                let follower = Follower {
                    door: door.clone(),
                    account: address.account.clone(),
                    openid: address.id.reveal().clone(),
                    time: jiff::Timestamp::now().as_second(),
                };
                let path = format!(
                    "/hooks/wechat/demo-wechat?signature={}&timestamp={}&nonce=77",
                    follower.sign(),
                    follower.time
                );
                let body = follower.text_body(u64::from(self.told) + 1, "你好").into_bytes();
                let Some(reply) = door.call(Method::POST, &path, &[], body).await else { return };
                assert_eq!(reply.status, 200, "{}", reply.text());
                self.greeted = self.told + 1;
            }
            let body = json!({
                "status": "shipped",
                "buyer": {"chat": [{"kind": address.kind, "account": address.account, "id": address.id.reveal()}]},
                "items": [{"title": "试验品", "qty": 1}],
                "shipments": [{"carrier": "yto", "number": waybill(self.told)}],
            });
            let path = format!("/api/v1/orders/CRASH-{:05}", self.told);
            let body = body.to_string().into_bytes();
            let Some(reply) = door.call(Method::PUT, &path, &headers, body).await else { return };
            assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
            self.told += 1;
            self.taken.store(self.told, Ordering::Relaxed);
            // Slower than the pushes, so that parcels get through their lives.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A vendor that pushes each parcel's life, scan after scan, each until it is acknowledged; some it pushes again
/// although they were.
struct Vendor {
    /// Its parcels: every `of`th, from `at` on.
    at: u32,
    of: u32,
    step: usize,
    /// When each scan of the open parcel happened.
    times: Vec<String>,
    acknowledged: BTreeMap<u32, usize>,
    pushes: u32,
}

impl Vendor {
    fn new(at: u32, of: u32) -> Self {
        Self { at, of, step: 0, times: Vec::new(), acknowledged: BTreeMap::new(), pushes: 0 }
    }

    async fn push(&mut self, door: Door, taken: &AtomicU32) {
        loop {
            if self.at >= taken.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if door.call(Method::GET, "/healthz", &[], Vec::new()).await.is_none() {
                    return;
                }
                continue;
            }
            if self.times.len() <= self.step {
                // A second apart, however fast they come: vendors tell whole seconds.
                let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(10 - self.step as i64);
                let china = jiff::tz::Offset::constant(8).to_datetime(at);
                self.times.push(china.strftime("%Y-%m-%d %H:%M:%S").to_string());
            }
            let body = pushed(self.at, &self.times);
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let post = door.call(Method::POST, "/hooks/kuaidi100/demo-kuaidi100", &form, body);
            let Some(reply) = post.await else { return };
            assert!(reply.text().contains("\"200\""), "{}", reply.text());
            self.pushes += 1;
            self.acknowledged.insert(self.at, self.step + 1);
            if rand::random_range(0..4) == 0 {
                continue;
            }
            self.step += 1;
            if self.step >= life(self.at).len() {
                (self.at, self.step) = (self.at + self.of, 0);
                self.times.clear();
            }
        }
    }
}

/// Words and status of each scan: every second parcel is delivered, the others wait in a station.
fn life(at: u32) -> Vec<(String, &'static str)> {
    let mut life = vec![
        (format!("快件离开【{at}号转运中心】"), "1002"),
        (format!("快件已到驿站，取件码{CODE}{at}"), "501"),
    ];
    if at.is_multiple_of(2) {
        life.push((format!("{at}号件已签收，签收人：本人"), "301"));
    }
    life
}

/// Written from the vendor's text: form, JSON inside, `MD5(param + salt)`, the whole history, newest first.
fn pushed(at: u32, times: &[String]) -> Vec<u8> {
    let life = life(at);
    let scans: Vec<Value> = times
        .iter()
        .zip(&life)
        .map(|(time, (words, code))| {
            json!({"time": time, "ftime": time, "context": words, "status": "", "statusCode": code})
        })
        .rev()
        .collect();
    let result = json!({"message": "ok", "state": life[times.len() - 1].1, "status": "200", "com": "yuantong",
        "nu": waybill(at), "data": scans});
    let param = json!({"status": "polling", "lastResult": result}).to_string();
    let sign = yishi::wire::sign::md5_hex_upper(format!("{param}demo-kuaidi100-salt").as_bytes());
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("sign", &sign).append_pair("param", &param).finish().into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_no_push_and_tells_nobody_twice() {
    let kills = kills(6);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let peers = Arc::new(Peers {
        simulator: Arc::new(Simulator::new(jiff::Timestamp::now(), 1.0)),
        counted: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(serve).with_state(peers.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut accounts = Simulator::demo_accounts(&base);
    accounts.retain(|account| ["kuaidi100", "kdniao", "wechat", "telegram"].contains(&account.kind.as_str()));
    configure(data, &accounts);
    let mut merchant = Merchant::default();
    let taken = merchant.taken.clone();
    let mut vendors: Vec<Vendor> = (0..3).map(|at| Vendor::new(at, 3)).collect();
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    let mut began = 0;
    for at in 0..kills {
        if at % 5 == 4 {
            // Killed while it starts: reads its log, settles its outbox, goes on with what was open.
            let mut child = Service::command(data, &accounts).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..2_500))).await;
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        let service = Service::start(data, &accounts).await;
        began += 1;
        let (door, death) = (service.door.clone(), Duration::from_millis(rand::random_range(5..900)));
        let tells = merchant.tell(door.clone());
        let pushes = vendors.iter_mut().map(|vendor| vendor.push(door.clone(), &taken));
        let load = async { futures_util::join!(tells, futures_util::future::join_all(pushes)) };
        let kill = async {
            tokio::time::sleep(death).await;
            tokio::task::spawn_blocking(move || service.kill()).await.unwrap()
        };
        let (_, said) = futures_util::join!(load, kill);
        for line in said {
            let error: Value = serde_json::from_str(&line).unwrap_or_default();
            *errors.entry(error["message"].as_str().unwrap_or(&line).to_owned()).or_default() += 1;
        }
    }
    let service = Service::start(data, &accounts).await;
    silence(&peers).await;
    service.kill();
    let records = open(data).await;
    assert!(errors.is_empty(), "{errors:?}");
    let pushes: u32 = vendors.iter().map(|vendor| vendor.pushes).sum();
    assert!(merchant.told > began && pushes > began, "the load was real: {} {pushes}", merchant.told);
    let scans = check_pushes(&records, &vendors).await;
    let asked = check_caps(&peers);
    println!(
        "{kills} kills ({began} under load): {} orders, {pushes} pushes acknowledged, {scans} scans there once each",
        merchant.told
    );
    println!("{asked} questions to vendors within caps and intervals");
    check_messages(&records, &peers, &vendors).await;
    server.abort();
}

/// Waits until no channel has heard anything for a while.
async fn silence(peers: &Peers) {
    let until = Instant::now() + Duration::from_secs(60);
    let began = Instant::now();
    while Instant::now() < until {
        let last = peers.counted().last.unwrap_or(began).max(began);
        if last.elapsed() > SILENCE {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it never stops sending");
}

/// Every scan that was acknowledged is there, once. Returns how many.
async fn check_pushes(records: &Records, vendors: &[Vendor]) -> usize {
    let mut scans = 0;
    for (at, count) in vendors.iter().flat_map(|vendor| &vendor.acknowledged) {
        let number = waybill(*at);
        let parcel = records.parcel("demo", "yto", &number).await.unwrap().value.unwrap();
        for (words, _) in &life(*at)[..*count] {
            let found = parcel.events.iter().filter(|event| event.description() == words).count();
            assert_eq!(found, 1, "{words} of {number}");
            scans += 1;
        }
        let staged: BTreeSet<_> = parcel.told.iter().collect();
        assert_eq!(staged.len(), parcel.told.len(), "each notice is staged once");
        assert!(parcel.pending.is_empty() || parcel.pending_due.is_some(), "what is staged has its time");
    }
    scans
}

/// What the vendors counted keeps every cap. Returns how often they were asked.
fn check_caps(peers: &Peers) -> usize {
    let counted = peers.counted();
    for (kind, cap) in CAPS {
        let theirs = counted.asked.iter().filter(|(key, _)| key.starts_with(kind));
        let asks: usize = theirs.map(|(_, times)| times.len()).sum();
        println!("{kind}: asked {asks} times, {cap} are allowed in a day");
        assert!(asks <= cap, "{kind}: asked {asks} times, {cap} are allowed");
    }
    for (key, times) in &counted.asked {
        for two in times.windows(2) {
            assert!(two[1].duration_since(two[0]) >= INTERVAL, "{key}: {times:?}");
        }
    }
    counted.asked.values().map(Vec::len).sum()
}

/// Nobody heard anything twice; whoever's parcel arrived or waits in a station heard so, or the merchant sees why it is
/// not known; nothing is left half done.
async fn check_messages(records: &Records, peers: &Peers, vendors: &[Vendor]) {
    assert!(records.outgoing().await.unwrap().is_empty(), "the outbox is worked off");
    assert!(records.due_tellings(jiff::Timestamp::now(), 1).await.unwrap().is_empty());
    let (sent, broken, throttled) = {
        let counted = peers.counted();
        (counted.sent.clone(), counted.broken, counted.throttled)
    };
    let listed: Vec<ChatAddress> = records
        .requests("demo", 100_000)
        .await
        .unwrap()
        .into_iter()
        .filter(|(_, request)| {
            assert!(matches!(request.kind.as_str(), "outcome_unknown" | "human"), "{}", request.kind);
            request.kind == "outcome_unknown"
        })
        .filter_map(|(_, request)| request.address)
        .collect();
    let (mut heard, mut sure, mut unknown) = (0, 0, 0);
    for (at, count) in vendors.iter().flat_map(|vendor| &vendor.acknowledged) {
        let address = buyer(*at);
        let texts = match address.kind.as_str() {
            "webchat" => {
                let log = records.messages_after("demo", &address, 0, 1_000).await.unwrap();
                log.iter().map(|(_, message)| serde_json::to_string(&message.blocks).unwrap()).collect()
            }
            kind => {
                let person = format!("{kind}/{}", address.id.reveal());
                sent.get(&person).cloned().unwrap_or_default()
            }
        };
        heard += texts.len();
        let distinct: BTreeSet<&String> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len(), "{} heard something twice: {texts:#?}", waybill(*at));
        let end = life(*at).len();
        let word = match (at % 2, *count == end) {
            (_, false) => continue,
            (0, true) => ARRIVED,
            (_, true) => CODE,
        };
        let times = texts.iter().filter(|text| text.contains(word)).count();
        assert!(times <= 1, "{} heard {word} {times} times: {texts:#?}", waybill(*at));
        match (times, listed.contains(&address)) {
            (1, _) => sure += 1,
            (_, true) => unknown += 1,
            _ => {
                let parcel = records.parcel("demo", "yto", &waybill(*at)).await.unwrap().value.unwrap();
                let chat = records.chat("demo", &address).await.unwrap().value;
                panic!(
                    "{} never heard {word}, and nobody is told: {texts:#?} {parcel:#?} {chat:#?}",
                    waybill(*at)
                );
            }
        }
    }
    println!(
        "{heard} messages reached buyers, none twice; {sure} ends of journeys heard once, {unknown} listed only; \
         {} of unknown outcome listed ({} answers broken, {} told to come again)",
        listed.len(),
        broken,
        throttled
    );
    assert!(listed.len() >= broken as usize, "what is unknown is listed");
}
