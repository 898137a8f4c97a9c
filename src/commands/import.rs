//! `yishi import`: a merchant's file goes into the store, through the serving process where one runs.

use crate::app::errands::Errand;
use crate::app::imports::Import;
use crate::platforms::files::Format;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;

/// What is imported.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Orders and their parcels from a CSV or XLSX export of a shop platform
    Orders(Orders),
}

/// A file of orders.
#[derive(Debug, clap::Args)]
struct Orders {
    /// The file: .csv or .xlsx
    file: PathBuf,
    /// The shop whose orders they are
    #[arg(long)]
    shop: String,
    /// Whose export it is; auto tells it by the headers
    #[arg(long, default_value = "auto", value_parser = PossibleValuesParser::new(Format::NAMES.map(|(name, _)| name)))]
    format: String,
    /// Read the file, say what would happen, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the good orders though some rows are wrong; without it, a wrong row stops everything
    #[arg(long)]
    skip_bad: bool,
    /// One JSON line
    #[arg(long)]
    json: bool,
    /// The configuration of the service
    #[arg(long, default_value = "yishi.toml")]
    config: PathBuf,
}

/// Imports.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let What::Orders(orders) = args.what;
    let file = std::path::absolute(&orders.file)?;
    let Orders { shop, format, dry_run, skip_bad, json, config, .. } = orders;
    super::errand::run(&config, Errand::Import(Import { file, shop, format, dry_run, skip_bad, json }))
}
