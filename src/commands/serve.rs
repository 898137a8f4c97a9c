//! `yishi serve`: the service, from a configuration file. Must never start on a configuration that has a problem.

use crate::app::{App, Parts};
use crate::config::Config;
use crate::telemetry::{self, Figures};
use std::io::Write as _;
use std::path::PathBuf;

/// Runs the service.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[arg(long, default_value = "yishi.toml")]
    config: PathBuf,
}

impl Default for Args {
    fn default() -> Self {
        Self { config: "yishi.toml".into() }
    }
}

/// Runs until it is asked to stop.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(problems) => {
            let mut stderr = std::io::stderr().lock();
            for problem in problems {
                writeln!(stderr, "{problem}")?;
            }
            return Ok(1);
        }
    };
    telemetry::install(config.log.json, &config.log.filter);
    super::runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<u8> {
    let figures = Figures::install()?;
    tokio::spawn(figures.clone().upkeep());
    let app = match App::build(&config, Some(figures), Parts::default()).await {
        Ok(app) => app,
        Err(error) => return super::refuse(&format!("{error:#}")),
    };
    if let Some(path) = &app.new_key {
        tracing::warn!(path = %path.display(), "a new key was made; keep a copy elsewhere, it is not in the backup");
    }
    let listener = match tokio::net::TcpListener::bind(config.server.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return super::refuse(&format!("cannot listen on {}: {error}", config.server.listen));
        }
    };
    app.start_background(&config).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    app.serve(listener, super::asked_to_stop()).await?;
    Ok(0)
}
