//! `yishi backup` and `yishi restore`: through the serving process where one runs, else on the store itself.

use crate::app::errands::{Done, Errand, Office};
use crate::app::{App, Parts, socket};
use crate::config::Config;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A backup file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
    /// The configuration of the service
    #[arg(long, default_value = "yishi.toml")]
    config: PathBuf,
}

/// Writes a backup.
pub fn backup(args: Args) -> anyhow::Result<u8> {
    let file = std::path::absolute(&args.file)?;
    run(&args.config, Errand::Backup { file })
}

/// Takes one back.
pub fn restore(args: Args) -> anyhow::Result<u8> {
    let file = std::path::absolute(&args.file)?;
    run(&args.config, Errand::Restore { file })
}

/// Runs an errand with the configuration's service.
pub(super) fn run(config: &Path, errand: Errand) -> anyhow::Result<u8> {
    let config = match Config::load(config) {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems {
                writeln!(std::io::stderr(), "{problem}")?;
            }
            return Ok(1);
        }
    };
    super::runtime()?.block_on(async {
        if let Some(path) = &config.server.socket
            && let Some(done) = socket::ask(path, &errand).await?
        {
            return print(&done);
        }
        let restoring = matches!(errand, Errand::Restore { .. });
        let app = match App::build(&config, None, Parts { restoring, ..Parts::default() }).await {
            Ok(app) => app,
            Err(error) => return super::refuse(&format!("{error:#}")),
        };
        let office = Office { intake: app.intake.clone(), paused: app.paused.clone() };
        let done = office.run(errand).await;
        app.intake.records.store().close().await;
        print(&done)
    })
}

/// Shows what an errand said.
pub(super) fn print(done: &Done) -> anyhow::Result<u8> {
    for line in &done.out {
        super::say(line)?;
    }
    for line in &done.err {
        writeln!(std::io::stderr(), "yishi: {line}")?;
    }
    Ok(done.exit)
}
