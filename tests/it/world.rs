//! A whole service for one test: real router, real store, real wire formats; the carriers and the channels' servers
//! are the simulator, called as a function, and the clock is moved by hand. Must never sleep to wait for something:
//! every wait is for an event, with a limit.

mod session;

pub use session::{Said, Session, identity, signed_identity};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt as _;
use yishi::app::{App, Parts};
use yishi::config::{Config, Durability, Engine, KeySource};
use yishi::intake::Intake;
use yishi::model::order::{Buyer, Item, Shipment};
use yishi::model::{Account, ChatAddress, NoticeKind, NoticeRules, Order, OrderStatus, Private, shop::Shop};
use yishi::simulator::{SimulatedTransport, Simulator};
use yishi::store::Store;
use yishi::wire::{Answer, Call, CallError, Clock, ManualClock, Transport};

/// Longest wait for anything that should come.
pub const LIMIT: Duration = Duration::from_secs(25);
/// The key that the shops' servers sign identities with, by shop.
pub const CHAT_SECRETS: [(&str, &str); 2] =
    [("demo", "chat-secret-of-shop-demo"), ("other", "chat-secret-of-shop-other")];
/// REST tokens of the shops.
pub const API_TOKENS: [(&str, &str); 2] = [("demo", "api-token-of-demo"), ("other", "api-token-of-other")];
/// EncodingAESKey of the accounts that encrypt. Its last character carries stray low bits, as real ones do.
pub const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
/// Every simulated receiver's phone ends so.
pub const TAIL: &str = "6688";

/// A service and everything around it.
pub struct World {
    pub config: Config,
    pub clock: Arc<ManualClock>,
    pub simulator: Arc<Simulator>,
    pub intake: Arc<Intake>,
    pub router: Router,
    transport: Arc<Observed>,
    store: Option<Arc<dyn Store>>,
    folder: tempfile::TempDir,
}

impl World {
    /// In memory.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// In memory, with shops that tell news by themselves.
    pub async fn that_tells_news() -> Self {
        Self::with(|config| {
            for shop in &mut config.shops {
                shop.notices = NoticeRules::default();
            }
        })
        .await
    }

    /// On sled, in a folder of its own.
    pub async fn on_disk() -> Self {
        Self::with(|config| config.store.engine = Engine::Sled).await
    }

    /// With another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(change, None).await
    }

    /// With another configuration, and a store of the test's own.
    pub async fn on(store: Arc<dyn Store>, change: impl FnOnce(&mut Config)) -> Self {
        Self::of(change, Some(store)).await
    }

    async fn of(change: impl FnOnce(&mut Config), store: Option<Arc<dyn Store>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        // Noon in Shanghai: what the scripts tell depends on the hour.
        let now: jiff::Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let simulator = Arc::new(Simulator::new(now, 1.0));
        let hands = clock.clone();
        let peers = SimulatedTransport::new(simulator.clone(), Arc::new(move || hands.now()));
        let transport = Arc::new(Observed {
            peers,
            calls: watch::Sender::new(0),
            losing: Default::default(),
            then: Default::default(),
        });
        let (router, intake) = start(&config, &clock, &transport, store.clone()).await;
        Self { config, clock, simulator, intake, router, transport, store, folder }
    }

    /// Stops gracefully and starts again on what was stored.
    pub async fn restart(&mut self) {
        self.stop().await;
        (self.router, self.intake) =
            start(&self.config, &self.clock, &self.transport, self.store.clone()).await;
    }

    /// From now on answers to one operation get lost, though the vendor does what it is asked; or none do.
    pub fn lose(&self, operation: Option<&'static str>) {
        *self.transport.losing.lock().unwrap() = operation;
    }

    /// Does something when a call of this operation has reached its peer, before the answer is on its way back.
    pub fn then(&self, operation: &'static str, act: impl Fn() + Send + 'static) {
        *self.transport.then.lock().unwrap() = Some((operation, Box::new(act)));
    }

    async fn stop(&self) {
        self.intake.stop.cancel();
        self.intake.pages.shut();
        self.intake.tasks.close();
        within(self.intake.tasks.wait()).await;
        self.intake.records.store().close().await;
    }

    /// Where a store on disk keeps its files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub fn door(&self) -> Door {
        Door::Router(self.router.clone())
    }

    /// An order with its parcels, as the merchant's system would tell it.
    pub async fn order(
        &self,
        shop: &str,
        no: &str,
        title: &str,
        parcels: &[(&str, &str)],
        owners: &[ChatAddress],
    ) {
        let now = self.clock.now();
        let shipments = parcels.iter().map(|(carrier, number)| Shipment {
            carrier: (*carrier).into(),
            number: (*number).into(),
            shipped_at: Some(now - jiff::SignedDuration::from_hours(48)),
            items: Vec::new(),
        });
        let order = Order {
            no: no.into(),
            status: if parcels.is_empty() { OrderStatus::Paid } else { OrderStatus::Shipped },
            paid_at: Some(now - jiff::SignedDuration::from_hours(60)),
            created_at: Some(now - jiff::SignedDuration::from_hours(60)),
            buyer: Buyer {
                phone_last4: Some(Private::new(TAIL.into())),
                chat: owners.to_vec(),
                ..Buyer::default()
            },
            items: vec![Item { title: title.into(), sku: None, qty: 1 }],
            shipments: shipments.collect(),
            ..Order::default()
        };
        self.intake.records.upsert_order(shop, &order, now).await.unwrap();
    }

    /// The same, with the carrier's facts fetched already.
    pub async fn synced(
        &self,
        shop: &str,
        no: &str,
        title: &str,
        parcels: &[(&str, &str)],
        owners: &[ChatAddress],
    ) {
        self.order(shop, no, title, parcels, owners).await;
        for (carrier, number) in parcels {
            self.intake.tracker.refresh(shop, no, carrier, number).await;
        }
    }

    /// Waits until a peer was called often enough for this to hold.
    pub async fn until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        let mut calls = self.transport.calls.subscribe();
        within(async {
            loop {
                if let Some(found) = check() {
                    return found;
                }
                calls.changed().await.unwrap();
            }
        })
        .await
    }

    /// Waits until no turn runs and the outbox holds nothing but what is meant for later.
    pub async fn quiet(&self) {
        within(async {
            loop {
                let now = self.clock.now();
                let due = self.intake.records.due(now, 1).await.unwrap();
                let later = self.intake.records.not_due(now, 1_000).await.unwrap();
                let put_off = later.iter().any(|row| row.value.as_ref().unwrap().tries > 0);
                if self.intake.live.count() == 0 && due.is_empty() && !put_off {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
    }

    /// Waits until every parcel that is due was checked, and nothing else runs.
    pub async fn checked(&self) {
        within(async {
            loop {
                let now = self.clock.now();
                let mut checks = 0;
                for shop in self.intake.shops.keys() {
                    checks += self.intake.records.due_checks(shop, now, 1).await.unwrap().len();
                }
                // Looked at last: a check that is not due any more may still be going on.
                if checks + self.intake.tracker.under_way() == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        self.quiet().await;
    }

    /// Waits until no news is left to tell now, and the outbox is empty.
    pub async fn told(&self) {
        within(async {
            while !self.intake.records.due_tellings(self.clock.now(), 1).await.unwrap().is_empty() {
                self.intake.tracker.stir();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        self.quiet().await;
    }

    /// A peer's own page of the simulator.
    pub fn peer(&self, path: &str, body: Value) -> Value {
        let answer = self.simulator.answer(path, &[], body.to_string().as_bytes(), self.clock.now()).answer;
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Customer-service messages that arrived at WeChat for this person, as texts.
    pub fn wechat_sent(&self, openid: &str) -> Vec<String> {
        let sent = self.peer("/wechat/sent", json!(null));
        let mine = sent.as_array().unwrap().iter().filter(|message| message["touser"] == openid);
        mine.map(|message| message["text"]["content"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the bot did at Telegram, oldest first.
    pub fn telegram_sent(&self, method: &str) -> Vec<Value> {
        let sent = self.peer("/telegram/sent", json!(null));
        sent.as_array()
            .unwrap()
            .iter()
            .filter(|call| call["method"] == method.to_ascii_lowercase())
            .cloned()
            .collect()
    }

    /// What the merchant should see, by kind.
    pub async fn requests(&self, shop: &str, kind: &str) -> usize {
        let all = self.intake.records.requests(shop, 1_000).await.unwrap();
        all.iter().filter(|(_, request)| request.kind == kind).count()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.intake.stop.cancel();
    }
}

async fn start(
    config: &Config,
    clock: &Arc<ManualClock>,
    transport: &Arc<Observed>,
    store: Option<Arc<dyn Store>>,
) -> (Router, Arc<Intake>) {
    let parts = Parts {
        store,
        transport: Some(transport.clone()),
        clock: Some(clock.clone()),
        demo_orders: Some(Vec::new()),
        ..Parts::default()
    };
    let app = App::build(config, None, parts).await.unwrap();
    app.start_background(config).await.unwrap();
    (app.router.clone(), app.intake.clone())
}

/// Two shops, `demo` and `other`, each with its own accounts of the same names at the same peers.
pub fn config(folder: &std::path::Path) -> Config {
    let mut config = Config::defaults();
    config.server.public_url = "https://yishi.example".into();
    config.server.socket = None;
    config.store.engine = Engine::Memory;
    config.store.durability = Durability::Process;
    config.store.path = folder.join("store");
    config.store.min_free_disk = 0;
    config.vault_key = KeySource::Hex(Private::new("5a".repeat(32)));
    config.folders.intents = folder.join("intents");
    config.folders.locales = folder.join("locales");
    config.folders.shops = folder.join("shops");
    config.chat.fragment_wait = Duration::from_millis(400);
    config.shops =
        CHAT_SECRETS.iter().zip(API_TOKENS).map(|((id, secret), (_, api))| shop(id, secret, api)).collect();
    for shop in ["demo", "other"] {
        for mut account in Simulator::demo_accounts("http://peers") {
            account.shop = Some(shop.into());
            account.id = shop.into();
            config.accounts.push(account);
        }
    }
    for mode in ["compat", "safe"] {
        let wechat = config.accounts.iter().find(|account| account.kind == "wechat").cloned();
        let mut account: Account = wechat.unwrap();
        account.id = mode.into();
        account.settings.insert("mode".into(), mode.into());
        account.secrets.insert("encoding_aes_key".into(), Private::new(AES_KEY.into()));
        config.accounts.push(account);
    }
    config
}

fn shop(id: &str, chat_secret: &str, api_token: &str) -> Shop {
    Shop {
        id: id.into(),
        name: format!("小店 {id}"),
        locale: "zh-CN".into(),
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        api_tokens: vec![Sha256::digest(api_token.as_bytes()).into()],
        chat_secret: Some(Private::new(chat_secret.into())),
        allowed_origins: vec!["*".into()],
        hotline: None,
        // Most tests are about answers; those about news switch them on.
        notices: NoticeRules { off: NoticeKind::ALL.to_vec(), ..NoticeRules::default() },
    }
}

/// Somebody in a channel.
pub fn person(kind: &str, account: &str, id: &str) -> ChatAddress {
    ChatAddress { kind: kind.into(), account: account.into(), id: Private::new(id.into()) }
}

/// Gives up after [`LIMIT`].
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("what should have happened did not happen in time")
}

/// The simulator, and a bell that rings after each call.
struct Observed {
    peers: SimulatedTransport,
    calls: watch::Sender<u64>,
    /// Answers to this operation get lost on their way back.
    losing: std::sync::Mutex<Option<&'static str>>,
    then: std::sync::Mutex<Option<(&'static str, Act)>>,
}

/// What a test does at a moment of its own.
type Act = Box<dyn Fn() + Send>;

#[async_trait::async_trait]
impl Transport for Observed {
    async fn send(&self, call: Call, limit: Duration) -> Result<Answer, CallError> {
        let lost = *self.losing.lock().unwrap() == Some(call.operation);
        let operation = call.operation;
        let answer = self.peers.send(call, limit).await;
        if let Some((_, act)) = self.then.lock().unwrap().as_ref().filter(|(wanted, _)| *wanted == operation)
        {
            act();
        }
        self.calls.send_modify(|calls| *calls += 1);
        if lost { Err(CallError::Unknown) } else { answer }
    }
}

/// Where requests go in: the router itself, or a listening service.
#[derive(Clone)]
pub enum Door {
    Router(Router),
    Http(reqwest::Client, String),
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }
}

impl Door {
    /// A loopback address.
    pub fn http(base: &str) -> Self {
        Self::Http(reqwest::Client::new(), base.trim_end_matches('/').to_owned())
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.call(Method::GET, path, headers, Vec::new()).await.unwrap()
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
        self.call(Method::POST, path, headers, body.into()).await.unwrap()
    }

    /// `None`: the service is gone.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<Reply> {
        let whole = async {
            match self {
                Self::Router(router) => {
                    let mut request = Request::builder().method(method).uri(path);
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    let request = request.body(Body::from(body)).unwrap();
                    let response = router.clone().oneshot(request).await.unwrap();
                    let (parts, body) = response.into_parts();
                    let body = body.collect().await.unwrap().to_bytes().to_vec();
                    Some(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
                }
                Self::Http(client, base) => {
                    let mut request = client.request(method, format!("{base}{path}")).body(body);
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    let response = request.send().await.ok()?;
                    let (status, headers) = (response.status().as_u16(), response.headers().clone());
                    let body = response.bytes().await.ok()?.to_vec();
                    Some(Reply { status, headers, body })
                }
            }
        };
        within(whole).await
    }

    /// The event stream of a web chat, from after an event on.
    pub async fn events(&self, shop: &str, token: &str, after: Option<&str>) -> Events {
        let path = format!("/chat/{shop}/events?signals=1");
        let bearer = format!("Bearer {token}");
        let source = match self {
            Self::Router(router) => {
                let mut request = Request::get(path).header("authorization", bearer);
                if let Some(after) = after {
                    request = request.header("last-event-id", after);
                }
                let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(response.status(), 200);
                Source::Body(response.into_body())
            }
            Self::Http(client, base) => {
                let mut request = client.get(format!("{base}{path}")).header("authorization", bearer);
                if let Some(after) = after {
                    request = request.header("last-event-id", after);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 200);
                Source::Http(response)
            }
        };
        Events { source, buffer: String::new(), ready: VecDeque::new() }
    }
}

enum Source {
    Body(Body),
    Http(reqwest::Response),
}

/// An open event stream.
pub struct Events {
    source: Source,
    buffer: String,
    ready: VecDeque<Event>,
}

/// One server-sent event.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

impl Events {
    /// The next event that is not a comment; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        within(async {
            loop {
                if let Some(event) = self.ready.pop_front() {
                    return Some(event);
                }
                let chunk = match &mut self.source {
                    Source::Body(body) => body.frame().await?.ok()?.into_data().ok()?,
                    Source::Http(response) => response.chunk().await.ok()??,
                };
                self.buffer += &String::from_utf8_lossy(&chunk);
                while let Some(end) = self.buffer.find("\n\n") {
                    let block: String = self.buffer.drain(..end + 2).collect();
                    self.ready.extend(event(&block));
                }
            }
        })
        .await
    }

    /// The next message, whoever said it.
    pub async fn message(&mut self) -> Option<Event> {
        loop {
            let event = self.next().await?;
            if event.name.is_empty() {
                return Some(event);
            }
        }
    }
}

fn event(block: &str) -> Option<Event> {
    let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = value.into(),
            "event" => event.name = value.into(),
            "data" => event.data = serde_json::from_str(value).unwrap(),
            _ => {}
        }
    }
    (event.data != Value::Null).then_some(event)
}

pub const JSON: (&str, &str) = ("content-type", "application/json");
