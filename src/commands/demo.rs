//! `yishi demo`: the whole service with no account and no key. A demo shop whose orders travel with simulated
//! carriers on loopback; nothing leaves the machine.

use crate::app::errands::Office;
use crate::app::socket::{self, Socket};
use crate::app::{App, Parts};
use crate::config::{Config, Durability, Engine, KeySource};
use crate::model::chat::How;
use crate::model::order::{Buyer, Item, Shipment};
use crate::model::{Account, ChatAddress, Order, OrderStatus, Private, shop::Shop};
use crate::simulator::{DemoParcel, Journey, Simulator};
use crate::store::records::Records;
use crate::store::{Batch, StoreError};
use crate::telemetry::{self, Figures};
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Shows everything.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port of the service
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to keep the data; left out: a temporary folder
    #[arg(long)]
    data: Option<PathBuf>,
    /// How many ordinary orders, each with a WeChat buyer of its own
    #[arg(long, default_value_t = 40)]
    orders: u64,
    /// How much faster than real the scripted parcels move
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
}

impl Default for Args {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), data: None, orders: 40, speed: 1.0 }
    }
}

/// The demo's shop.
pub(super) const SHOP: &str = "demo";
/// Orders stored at once.
const AT_ONCE: usize = 64;

/// A demo's pieces before anything listens.
pub(super) struct Demo {
    pub config: Config,
    pub api_token: String,
    pub simulator: Arc<Simulator>,
    pub simulator_address: SocketAddr,
}

/// Runs until it is asked to stop.
pub fn run(args: Args) -> anyhow::Result<u8> {
    if !(args.speed.is_finite() && args.speed > 0.0) {
        return super::refuse("--speed must be a number above 0, such as 60");
    }
    telemetry::install(false, "warn");
    super::runtime()?.block_on(demo(args))
}

async fn demo(args: Args) -> anyhow::Result<u8> {
    let kept;
    let data = match &args.data {
        Some(data) => data.clone(),
        None => {
            kept = TemporaryFolder::make()?;
            kept.0.clone()
        }
    };
    let listener = match tokio::net::TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return super::refuse(&format!(
                "cannot listen on {} ({error}); choose another address with --listen",
                args.listen
            ));
        }
    };
    let address = listener.local_addr()?;
    let demo = prepare(&data, args.speed, address).await?;
    let figures = Figures::install()?;
    tokio::spawn(figures.clone().upkeep());
    let demo_orders = Some(order_numbers(&demo.simulator));
    let parts = Parts { demo_orders, speed: Some(args.speed), ..Parts::default() };
    let app = match App::build(&demo.config, Some(figures), parts).await {
        Ok(app) => app,
        Err(error) => return super::refuse(&format!("{error:#}")),
    };
    fill(&app.intake.records, &demo.simulator, args.orders).await?;
    sync_journeys(&app, &demo.simulator).await;
    app.start_background(&demo.config).await?;
    let _socket = listen_for_commands(&app, &demo.config)?;
    introduce(&demo, address, &data)?;
    app.serve(listener, super::asked_to_stop()).await?;
    Ok(0)
}

fn introduce(demo: &Demo, address: SocketAddr, data: &Path) -> anyhow::Result<()> {
    let base = format!("http://{address}");
    super::say(&format!("Yishi 驿使 demo, shop \"{SHOP}\""))?;
    super::say(&format!("  web chat     {base}/chat/{SHOP}"))?;
    super::say(&format!("  WeChat       {base}/hooks/wechat/demo   (plain mode, token demo-token)"))?;
    super::say(&format!("  Telegram     {base}/hooks/telegram/demo"))?;
    super::say(&format!("  REST         {base}/api/v1/orders/DEMO-NORMAL   (bearer {})", demo.api_token))?;
    super::say(&format!("  OpenAPI      {base}/api/openapi.json"))?;
    super::say(&format!("  metrics      {base}/metrics"))?;
    super::say(&format!("  simulator    http://{}", demo.simulator_address))?;
    super::say(&format!("  data         {}", data.display()))?;
    super::say("Ask the web chat: 我的快递到哪了   (Ctrl-C ends the demo)")?;
    Ok(())
}

/// Opens the command socket, if one is configured.
pub(super) fn listen_for_commands(app: &App, config: &Config) -> anyhow::Result<Option<Socket>> {
    let office = Arc::new(Office { intake: app.intake.clone(), paused: app.paused.clone() });
    let stop = app.intake.stop.clone();
    config.server.socket.as_ref().map(|path| socket::listen(path, office, stop)).transpose()
}

/// Configures the demo and starts its simulator.
pub(super) async fn prepare(data: &Path, speed: f64, address: SocketAddr) -> anyhow::Result<Demo> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    let simulator = Arc::new(Simulator::new(begun(data)?, speed));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let simulator_address = listener.local_addr()?;
    let router = crate::simulator::router(simulator.clone());
    tokio::spawn(async move { axum_serve(listener, router).await });
    let api_token = kept_token(data)?;
    let mut config = Config::defaults();
    config.server.listen = address;
    config.server.public_url = format!("http://{address}");
    config.server.socket = Some(data.join("yishi.sock"));
    config.store.engine = Engine::Sled;
    config.store.path = data.join("store");
    config.store.durability = Durability::Power;
    config.vault_key = KeySource::File(data.join("yishi.key"));
    config.shops = vec![shop(&api_token)];
    config.accounts = accounts(&format!("http://{simulator_address}"));
    Ok(Demo { config, api_token, simulator, simulator_address })
}

async fn axum_serve(listener: tokio::net::TcpListener, router: axum::Router) {
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the simulator ended");
    }
}

/// With kept data the scripts go on where they were.
fn begun(data: &Path) -> anyhow::Result<Timestamp> {
    let path = data.join("demo-began");
    if let Ok(text) = std::fs::read_to_string(&path)
        && let Ok(began) = text.trim().parse()
    {
        return Ok(began);
    }
    let now = Timestamp::now();
    std::fs::write(&path, now.to_string())?;
    Ok(now)
}

fn kept_token(data: &Path) -> anyhow::Result<String> {
    let path = data.join("demo-token");
    // Empty where the process was killed while it wrote.
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if !kept.trim().is_empty() {
        return Ok(kept.trim().to_owned());
    }
    let token = crate::vault::token();
    std::fs::write(&path, &token)?;
    Ok(token)
}

fn shop(api_token: &str) -> Shop {
    Shop {
        id: SHOP.into(),
        name: "驿使小铺".into(),
        locale: "zh-CN".into(),
        zone: TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC),
        api_tokens: vec![Sha256::digest(api_token.as_bytes()).into()],
        chat_secret: Some(Private::new(crate::vault::token())),
        allowed_origins: vec!["*".into()],
        hotline: None,
        notices: Default::default(),
    }
}

/// The simulator's accounts. Recorded requests may be played to the demo's WeChat account: their age is not checked.
fn accounts(simulator: &str) -> Vec<Account> {
    let mut accounts = Simulator::demo_accounts(simulator);
    for account in accounts.iter_mut().filter(|account| account.kind == "wechat") {
        account.settings.insert("timestamp_tolerance_secs".into(), "0".into());
    }
    accounts
}

/// The fifteen orders of the demo buyer.
pub(super) fn order_numbers(simulator: &Simulator) -> Vec<String> {
    let mut numbers: Vec<String> = simulator.demo_parcels().into_iter().map(|parcel| parcel.order).collect();
    numbers.dedup();
    // The newest proof counts as the newest order: the telling ones are asked about first.
    numbers.reverse();
    numbers
}

/// Stores the demo's orders: the fifteen journeys, and ordinary ones whose parcels are synced already.
pub(super) async fn fill(records: &Records, simulator: &Simulator, ordinary: u64) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut orders: Vec<Order> = Vec::new();
    for parcel in simulator.demo_parcels() {
        match orders.last_mut().filter(|order| order.no == parcel.order) {
            Some(order) => order.shipments.push(shipment(&parcel)),
            None => orders.push(order(&parcel, None)),
        }
    }
    for order in &orders {
        records.upsert_order(SHOP, order, now).await?;
    }
    futures_util::stream::iter(0..ordinary)
        .map(Ok::<u64, StoreError>)
        .try_for_each_concurrent(AT_ONCE, |i| async move {
            let parcel = simulator.ordinary(i);
            if records.order(SHOP, &parcel.order).await?.value.is_some() {
                return Ok(());
            }
            records.upsert_order(SHOP, &order(&parcel, Some(i)), now).await?;
            sync(records, simulator, &parcel, now).await
        })
        .await
}

/// Asks the simulated carriers once about the demo buyer's parcels, as a shop's service would have long done. The
/// slow and the broken carrier are left for the buyer's own question.
pub(super) async fn sync_journeys(app: &App, simulator: &Simulator) {
    let later = [Journey::Error, Journey::Timeout];
    let parcels = simulator.demo_parcels();
    let asks = parcels
        .iter()
        .filter(|parcel| !later.contains(&parcel.journey))
        .map(|parcel| app.intake.tracker.refresh(SHOP, &parcel.order, parcel.carrier, &parcel.number));
    futures_util::future::join_all(asks).await;
}

async fn sync(
    records: &Records,
    simulator: &Simulator,
    told: &DemoParcel,
    now: Timestamp,
) -> Result<(), StoreError> {
    let read = records.parcel(SHOP, told.carrier, &told.number).await?;
    let Some(mut parcel) = read.value.clone() else { return Ok(()) };
    let (events, eta) = simulator.events_of(told, now);
    parcel.add(events);
    parcel.eta = eta;
    parcel.last_checked = Some(now);
    parcel.answered_by = Some(told.provider.into());
    parcel.checks = 1;
    parcel.next_check = now.checked_add(SignedDuration::from_mins(30)).ok();
    let mut batch = Batch::default();
    records.put_parcel(&mut batch, SHOP, &read, &parcel)?;
    let _ = records.store().commit(batch).await?;
    Ok(())
}

fn shipment(parcel: &DemoParcel) -> Shipment {
    Shipment {
        carrier: parcel.carrier.into(),
        number: parcel.number.clone(),
        shipped_at: Some(parcel.shipped_at),
        items: Vec::new(),
    }
}

fn order(parcel: &DemoParcel, owner: Option<u64>) -> Order {
    let chat = owner.map(|i| ChatAddress {
        kind: "wechat".into(),
        account: "demo".into(),
        id: Private::new(format!("buyer{i:06}")),
    });
    Order {
        no: parcel.order.clone(),
        status: OrderStatus::Shipped,
        created_at: Some(parcel.shipped_at - SignedDuration::from_hours(20)),
        paid_at: Some(parcel.shipped_at - SignedDuration::from_hours(20)),
        buyer: Buyer {
            phone_last4: Some(Private::new(parcel.phone_tail.into())),
            chat: chat.into_iter().collect(),
            ..Buyer::default()
        },
        items: vec![Item { title: parcel.title.into(), sku: None, qty: 1 }],
        shipments: vec![shipment(parcel)],
        platform: Some("demo".into()),
        ..Order::default()
    }
}

/// Binds the fifteen orders to a person, as the demo page's identity does.
pub(super) async fn own_journeys(
    records: &Records,
    simulator: &Simulator,
    address: &str,
) -> anyhow::Result<()> {
    let parts: Vec<&str> = address.splitn(3, ':').collect();
    let [kind, account, id] = parts.as_slice() else { return Ok(()) };
    let address =
        ChatAddress { kind: (*kind).into(), account: (*account).into(), id: Private::new((*id).into()) };
    let read = records.chat(SHOP, &address).await?;
    let mut chat = read.value.clone().unwrap_or_default();
    chat.address = Some(address);
    for order in order_numbers(simulator) {
        chat.bind(&order, How::Told, Timestamp::now());
    }
    let mut batch = Batch::default();
    records.replace(&mut batch, &read, &chat)?;
    let _ = records.store().commit(batch).await?;
    Ok(())
}

/// A folder that goes with the process.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn make() -> anyhow::Result<Self> {
        let name = format!("yishi-demo-{}", uuid::Uuid::now_v7().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
