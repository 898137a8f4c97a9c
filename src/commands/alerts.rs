//! `yishi alerts test`: says one line where a merchant is warned, and whether that works.

use crate::app::errands::Errand;
use std::path::PathBuf;

/// Where merchants are warned.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send one test line
    Test {
        /// The account: its id, or kind/id
        account: String,
        /// The configuration of the service
        #[arg(long, default_value = "yishi.toml")]
        config: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let What::Test { account, config } = args.what;
    super::errand::run(&config, Errand::TestAlert { account })
}
