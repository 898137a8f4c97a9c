//! The one place that builds and wires things. Takes a configuration, gives a running service; everybody else gets
//! narrow handles.

pub mod errands;
pub mod housekeeping;
pub mod imports;
pub mod journal;
pub mod socket;

use self::housekeeping::Housekeeping;
use crate::config::{Config, Durability, Engine as StoreEngine, KeySource};
use crate::conversation::Rules;
use crate::http::chat::engine::{DemoOrders, Engine};
use crate::http::server::{Shared, router};
use crate::intake::{Intake, Live, Pages, Patience, Words};
use crate::model::{Account, shop::Shop};
use crate::notices::alerts::Alarm;
use crate::notices::announce::announce;
use crate::notices::delivery::{Delivery, Logged};
use crate::notices::teller::Teller;
use crate::store::records::Records;
use crate::store::{Store, memory::MemoryStore, sled};
use crate::telemetry::Figures;
use crate::tracking::calendar::Calendar;
use crate::tracking::{self, Announce, ThresholdsOf, Tracker, Watch};
use crate::vault::Vault;
use crate::wire::{Clock, HttpTransport, SystemClock, Transport, Wire};
use anyhow::Context as _;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a test or the demo puts in place of the real thing.
#[derive(Default)]
pub struct Parts {
    /// Instead of HTTP.
    pub transport: Option<Arc<dyn Transport>>,
    /// Instead of the wall clock.
    pub clock: Option<Arc<dyn Clock>>,
    /// What the demo's own web chat identity owns.
    pub demo_orders: DemoOrders,
    /// How much faster than real a demo's parcels move.
    pub speed: Option<f64>,
    /// Instead of the configured store.
    pub store: Option<Arc<dyn Store>>,
    /// A backup is about to be taken back: what the store holds now need not be readable (a restore that was cut off).
    pub restoring: bool,
}

/// A service that is built and not yet listening.
pub struct App {
    /// The engine.
    pub intake: Arc<Intake>,
    /// Every route.
    pub router: axum::Router,
    /// The way out, for tests and commands.
    pub wire: Wire,
    /// Doors answer 503 while this is set.
    pub paused: Arc<AtomicBool>,
    /// The file of the key, where it was made just now.
    pub new_key: Option<PathBuf>,
    delivery: Delivery,
    teller: Teller,
    alarm: Alarm,
    shutdown: Duration,
}

impl App {
    /// Opens the store and wires everything. Blocks for as long as sled reads its log.
    pub async fn build(config: &Config, figures: Option<Figures>, parts: Parts) -> anyhow::Result<Self> {
        // Learning the intents and reading the store's log both take a few tenths of a second: side by side.
        let words = tokio::task::spawn_blocking(Words::builtin);
        let (vault, new_key) = open_vault(&config.vault_key)?;
        let opened = config.clone();
        let store = match parts.store {
            Some(store) => store,
            None => tokio::task::spawn_blocking(move || open_store(&opened)).await??,
        };
        if !parts.restoring {
            crate::store::begin(store.as_ref(), &vault).await?;
        }
        let records = Records::new(store, Arc::new(vault));
        let clock = parts.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let transport = match parts.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new().context("the HTTP client cannot be built")?),
        };
        let wire = Wire::new(transport, Arc::new(records.clone()), clock.clone());
        let shops: HashMap<String, Arc<Shop>> =
            config.shops.iter().map(|shop| (shop.id.clone(), Arc::new(shop.clone()))).collect();
        let accounts = accounts(config);
        let news = Arc::new(Notify::new());
        let tracker = Arc::new(Tracker::new(tracking::Parts {
            records: records.clone(),
            wire: wire.clone(),
            accounts: accounts.clone(),
            shops: shops.clone(),
            announce: announcing(&shops),
            news: news.clone(),
            callback: config.server.public_url.clone(),
            speed: parts.speed.unwrap_or(1.0),
            thresholds: thresholds(config, parts.speed),
            calendar: if config.tracking.holidays {
                Calendar::built_in().clone()
            } else {
                Calendar::default()
            },
        }));
        let by_name: HashMap<(String, String), Arc<Account>> = accounts
            .into_iter()
            .map(|account| ((account.kind.clone(), account.id.clone()), account))
            .collect();
        let words = words.await?.map_err(|problems| anyhow::anyhow!("built-in intents: {problems:?}"))?;
        let stop = CancellationToken::new();
        let outbox = Arc::new(Notify::new());
        let intake = Arc::new(Intake {
            tracker,
            words: Arc::new(words),
            clock,
            shops,
            accounts: by_name.clone(),
            rules: rules(config),
            patience: Patience {
                fragment: config.chat.fragment_wait,
                news: config.chat.news_wait,
                carrier: config.chat.carrier_wait,
            },
            live: Live::default(),
            outbox: outbox.clone(),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            pages: Pages::default(),
            records: records.clone(),
        });
        let pages = Arc::downgrade(&intake);
        let logged: Logged = Arc::new(move |address| {
            if let Some(intake) = pages.upgrade() {
                intake.pages.stir(address, false);
            }
        });
        let words = intake.words.clone();
        let by_name = Arc::new(by_name);
        let teller = Teller {
            records: records.clone(),
            clock: intake.clock.clone(),
            shops: intake.shops.clone(),
            accounts: by_name.clone(),
            render: Arc::new(move |shop, locale, now, blocks| words.render(shop, locale, now, blocks)),
            news,
            outbox: outbox.clone(),
            logged: logged.clone(),
        };
        let alarm = Alarm {
            records: records.clone(),
            clock: intake.clock.clone(),
            shops: intake.shops.clone(),
            accounts: by_name.clone(),
            render: teller.render.clone(),
            outbox: outbox.clone(),
        };
        let delivery = Delivery {
            records,
            wire: wire.clone(),
            accounts: by_name,
            news: outbox,
            logged,
            unkept: Default::default(),
        };
        let life =
            SignedDuration::try_from(config.chat.session_ttl).unwrap_or(SignedDuration::from_hours(720));
        let engine = Arc::new(Engine::new(intake.clone(), life, parts.demo_orders));
        let paused = Arc::new(AtomicBool::new(false));
        let metrics: Arc<dyn Fn() -> String + Send + Sync> = match figures {
            Some(figures) => Arc::new(move || figures.render()),
            None => Arc::new(String::new),
        };
        let shared = Shared { intake: intake.clone(), metrics, paused: paused.clone() };
        let router = router(shared, engine, config.server.max_body, stop);
        let shutdown = config.server.shutdown;
        Ok(Self { intake, router, wire, paused, new_key, delivery, teller, alarm, shutdown })
    }

    /// Tells buyers news, for whoever moves the clock by hand.
    pub fn teller(&self) -> &Teller {
        &self.teller
    }

    /// Keeps the house, for whoever moves the clock by hand.
    pub fn housekeeping(&self) -> Housekeeping {
        Housekeeping {
            records: self.intake.records.clone(),
            tracker: self.intake.tracker.clone(),
            shops: self.intake.shops.keys().cloned().collect(),
            clock: self.intake.clock.clone(),
        }
    }

    /// Starts what runs beside requests: what was begun before a crash, the outbox, long polls, housekeeping.
    pub async fn start_background(&self, config: &Config) -> anyhow::Result<()> {
        let resumed = self.intake.resume().await?;
        if resumed > 0 {
            tracing::info!(turns = resumed, "going on with what was asked before the last stop");
        }
        let stop = &self.intake.stop;
        self.intake.tasks.spawn(self.delivery.clone().run(stop.clone()));
        self.intake.tasks.spawn(self.teller.clone().run(stop.clone()));
        self.intake.tasks.spawn(self.alarm.clone().run(stop.clone()));
        self.intake.tasks.spawn(self.housekeeping().run(stop.clone()));
        let shops = config.shops.iter().map(|shop| shop.id.clone()).collect();
        self.intake.tasks.spawn(Watch::new(self.intake.tracker.clone(), shops).run(stop.clone()));
        let folders = &config.folders;
        self.intake.words.watch(&folders.intents, &folders.locales, &folders.shops);
        crate::intake::polls::introduce(&self.intake, &self.wire);
        crate::intake::polls::start(&self.intake, &self.wire);
        Ok(())
    }

    /// Serves until `end`, then stops gracefully: turns finish, streams close, the store flushes; all within the
    /// configured time.
    pub async fn serve(
        self,
        listener: TcpListener,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let stop = self.intake.stop.clone();
        let stopped = stop.clone();
        let server = axum::serve(listener, self.router).with_graceful_shutdown(async move {
            stopped.cancelled().await;
        });
        let mut server = tokio::spawn(async move { server.await });
        tokio::select! {
            () = end => {}
            result = &mut server => result??,
        }
        tracing::info!("stopping");
        stop.cancel();
        self.intake.pages.shut();
        self.intake.words.stop_watching();
        self.intake.tasks.close();
        let finish = async {
            let _ = server.await;
            self.intake.tasks.wait().await;
        };
        if tokio::time::timeout(self.shutdown, finish).await.is_err() {
            tracing::warn!("not everything was finished in time; it goes on at the next start");
        }
        self.intake.records.store().close().await;
        Ok(())
    }
}

fn open_vault(source: &KeySource) -> anyhow::Result<(Vault, Option<PathBuf>)> {
    match source {
        KeySource::File(path) => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            let (vault, created) = Vault::load_or_create(path)?;
            Ok((vault, created.then(|| path.clone())))
        }
        KeySource::Hex(text) => Ok((Vault::from_text(text.reveal())?, None)),
    }
}

/// Opens the configured store.
pub fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match config.store.engine {
        StoreEngine::Memory => Arc::new(MemoryStore::default()),
        StoreEngine::Sled => Arc::new(sled::SledStore::open(&sled::SledOptions {
            path: config.store.path.clone(),
            durability: match config.store.durability {
                Durability::Power => sled::Durability::Power,
                Durability::Process => sled::Durability::Process,
            },
            cache_bytes: config.store.cache,
            min_free_disk: config.store.min_free_disk,
        })?),
    })
}

/// The configured accounts, and each shop's own web chat.
fn accounts(config: &Config) -> Vec<Arc<Account>> {
    let web = config.shops.iter().map(|shop| Account {
        id: shop.id.clone(),
        kind: "webchat".into(),
        shop: Some(shop.id.clone()),
        ..Account::default()
    });
    config.accounts.iter().cloned().chain(web).map(Arc::new).collect()
}

/// What follows from a parcel's news for its buyers, by their shop's rules.
fn announcing(shops: &HashMap<String, Arc<Shop>>) -> Announce {
    let shops = shops.clone();
    Arc::new(move |shop, before, parcel, stalled, now| {
        if let Some(shop) = shops.get(shop) {
            announce(&shop.notices, &shop.zone, before, parcel, stalled, now);
        }
    })
}

/// What counts as wrong; a demo that runs fast also loses patience fast.
fn thresholds(config: &Config, speed: Option<f64>) -> ThresholdsOf {
    let tracking = config.tracking.clone();
    Arc::new(move |shop, carrier| {
        let usual = tracking.thresholds(shop, carrier);
        speed.map_or(usual.clone(), |speed| usual.faster(speed))
    })
}

fn rules(config: &Config) -> Rules {
    let exact = |time: Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    Rules {
        fresh: exact(config.chat.facts_fresh),
        pending: exact(config.chat.pending_ttl),
        human: exact(config.chat.human_timeout),
        ..Rules::default()
    }
}
