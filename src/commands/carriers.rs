//! `yishi carriers`: every carrier and aggregator with what it can do; `test` asks once with an account and says
//! whether it works, or the exact cure.

use crate::app::errands::Errand;
use crate::carriers::{CARRIERS, Carrier, abilities};
use serde_json::json;
use std::path::PathBuf;

/// Carriers and aggregators.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Ask once with an account of the configuration
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct Test {
    /// The account: its id, or kind/id
    account: String,
    /// A real tracking number to ask for; left out: one that nobody knows
    #[arg(long, requires = "carrier")]
    number: Option<String>,
    /// Its carrier
    #[arg(long, requires = "number")]
    carrier: Option<String>,
    /// The configuration of the service
    #[arg(long, default_value = "yishi.toml")]
    config: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<u8> {
    if let Some(What::Test(test)) = args.what {
        let asked = test.carrier.zip(test.number);
        return super::errand::run(&test.config, Errand::TestAccount { account: test.account, asked });
    }
    for carrier in CARRIERS {
        super::say(&if args.json { json_line(*carrier) } else { text_line(*carrier) })?;
    }
    Ok(0)
}

fn json_line(carrier: &dyn Carrier) -> String {
    let spec = carrier.spec();
    let mut line = json!({"code": spec.code, "aggregator": spec.aggregator, "secrets": spec.secrets,
        "settings": spec.settings, "options": carrier.options(), "sureness": spec.sureness});
    for (name, can) in abilities(carrier) {
        line[name] = can.into();
    }
    line.to_string()
}

fn text_line(carrier: &dyn Carrier) -> String {
    let spec = carrier.spec();
    let can = abilities(carrier).into_iter().filter(|(_, can)| *can).map(|(name, _)| name);
    format!("{:<16} {}", spec.code, can.collect::<Vec<_>>().join(", "))
}
