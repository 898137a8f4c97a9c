//! `yishi journal`: what was asked of carriers and what came of it, with cause and cure; `replay` tries pushes again
//! that could not be read. Also while serving.

use crate::app::errands::Errand;
use crate::app::journal::Wanted;
use std::path::PathBuf;

/// What happened at the accounts.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Only this account: its id, or kind/id
    #[arg(long)]
    account: Option<String>,
    /// One parcel instead: shop/carrier/number
    #[arg(long)]
    parcel: Option<String>,
    /// Only what failed
    #[arg(long)]
    failed: bool,
    /// Newest lines of each account
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// The configuration of the service
    #[arg(long, default_value = "yishi.toml", global = true)]
    config: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Try again to read the pushes that could not be read
    Replay,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let errand = match args.what {
        Some(What::Replay) => Errand::Replay,
        None => Errand::Journal(Wanted {
            account: args.account,
            parcel: args.parcel,
            failed: args.failed,
            limit: args.limit,
            json: args.json,
        }),
    };
    super::errand::run(&args.config, errand)
}
