//! `yishi chat`: talk to the engine in the terminal, as a buyer would. With the serving process where one runs; with
//! a throw-away demo where nothing is configured.

use crate::app::errands::{Errand, Office};
use crate::app::{App, Parts, socket};
use crate::config::{Config, Engine};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Talks to the engine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shop; left out: the first one that is configured
    #[arg(long)]
    shop: Option<String>,
    /// Who speaks, as kind:account:id (wechat:main:openid); left out: a visitor of the web chat
    #[arg(long = "as")]
    address: Option<String>,
    /// The configuration of the service
    #[arg(long, default_value = "yishi.toml")]
    config: PathBuf,
}

/// One line in, one answer out, until the end of the input.
pub fn run(args: Args) -> anyhow::Result<u8> {
    super::runtime()?.block_on(chat(args))
}

async fn chat(args: Args) -> anyhow::Result<u8> {
    let folder;
    let (config, parts, demo) = if args.config.exists() {
        match Config::load(&args.config) {
            Ok(config) => (config, Parts::default(), None),
            Err(problems) => {
                for problem in problems {
                    writeln!(std::io::stderr(), "{problem}")?;
                }
                return Ok(1);
            }
        }
    } else {
        folder = super::demo::TemporaryFolder::make()?;
        let mut demo = super::demo::prepare(folder.path(), 1.0, ([127, 0, 0, 1], 0).into()).await?;
        demo.config.store.engine = Engine::Memory;
        (demo.config.clone(), Parts::default(), Some(demo))
    };
    let Some(shop) = args.shop.or_else(|| config.shops.first().map(|shop| shop.id.clone())) else {
        return super::refuse("no shop is configured; add [shops.ID] to yishi.toml");
    };
    let address = args.address.unwrap_or_else(|| format!("webchat:{shop}:terminal"));
    let serving = match &config.server.socket {
        Some(path) if demo.is_none() && tokio::net::UnixStream::connect(path).await.is_ok() => {
            Some(path.clone())
        }
        _ => None,
    };
    let app = match serving {
        Some(_) => None,
        None => match App::build(&config, None, parts).await {
            Ok(app) => Some(app),
            Err(error) => return super::refuse(&format!("{error:#}")),
        },
    };
    let office = app.as_ref().map(|app| Office { intake: app.intake.clone(), paused: app.paused.clone() });
    if let (Some(demo), Some(app)) = (&demo, &app) {
        super::demo::fill(&app.intake.records, &demo.simulator, 40).await?;
        super::demo::own_journeys(&app.intake.records, &demo.simulator, &address).await?;
        super::demo::sync_journeys(app, &demo.simulator).await;
    }
    let prompt = std::io::stdin().is_terminal();
    for line in std::io::stdin().lock().lines() {
        let text = line?;
        if text.trim().is_empty() {
            continue;
        }
        let errand = Errand::Say { shop: shop.clone(), address: address.clone(), text };
        let done = match (&office, &serving) {
            (Some(office), _) => office.run(errand).await,
            (None, Some(path)) => match socket::ask(path, &errand).await? {
                Some(done) => done,
                None => return super::refuse("the serving process has gone"),
            },
            (None, None) => return Ok(super::OWN_FAULT),
        };
        let status = super::errand::print(&done)?;
        if status != 0 {
            return Ok(status);
        }
        if prompt {
            super::say("")?;
        }
    }
    if let Some(app) = app {
        app.intake.records.store().close().await;
    }
    Ok(0)
}
