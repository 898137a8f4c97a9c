//! One file a command. Each reads its arguments, does its work, and says by its exit status how it went:
//! 0 done, 1 the answer is no or the input is wrong, 2 wrong usage, 70 a fault of our own.

mod alerts;
mod carriers;
mod chat;
mod check;
mod demo;
mod errand;
mod fold;
mod import;
mod journal;
mod match_;
mod read_scan;
mod recognize;
mod serve;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Answers “where is my parcel?” in WeChat, Telegram and web chat.
#[derive(Debug, Parser)]
#[command(name = "yishi", version)]
struct Yishi {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything with no account and no key: a shop, its orders, and simulated carriers and channels
    Demo(demo::Args),
    /// The service
    Serve(serve::Args),
    /// Talk to the engine in the terminal
    Chat(chat::Args),
    /// Orders from a file of a shop platform, also while serving
    Import(import::Args),
    /// Write all records into a file, also while serving
    Backup(errand::Args),
    /// Take a backup back, also while serving; it is verified first
    Restore(errand::Args),
    /// What was asked of carriers and what came of it, with cause and cure; also while serving
    Journal(journal::Args),
    /// Carriers and aggregators, what each can do, and whether an account works
    Carriers(carriers::Args),
    /// Where merchants are warned
    Alerts(alerts::Args),
    /// What a message is taken for: a message a line
    Match(match_::Args),
    /// Whose tracking number it is: a number a line
    Recognize(recognize::Args),
    /// What a carrier's sentence means: a sentence a line
    ReadScan(read_scan::Args),
    /// A parcel's state from its events: a JSON array on stdin
    Fold(fold::Args),
    /// Lint of intents, templates and configuration
    Check(check::Args),
}

/// Exit status for a fault of our own.
const OWN_FAULT: u8 = 70;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let command = Yishi::parse().command.unwrap_or_else(|| {
        // A configured service stands here, or else somebody wants to see what this is.
        if std::path::Path::new("yishi.toml").exists() {
            Command::Serve(serve::Args::default())
        } else {
            Command::Demo(demo::Args::default())
        }
    });
    let result = match command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Chat(args) => chat::run(args),
        Command::Import(args) => import::run(args),
        Command::Backup(args) => errand::backup(args),
        Command::Restore(args) => errand::restore(args),
        Command::Journal(args) => journal::run(args),
        Command::Carriers(args) => carriers::run(args),
        Command::Alerts(args) => alerts::run(args),
        Command::Match(args) => match_::run(args),
        Command::Recognize(args) => recognize::run(args),
        Command::ReadScan(args) => read_scan::run(args),
        Command::Fold(args) => fold::run(args),
        Command::Check(args) => check::run(args),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        // Whoever read our output has read enough.
        Err(error)
            if error
                .root_cause()
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "yishi: {error:#}");
            ExitCode::from(OWN_FAULT)
        }
    }
}

/// Prints a line of a command's own output.
fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// One line on stderr with what to do; for input that is wrong.
fn refuse(line: &str) -> anyhow::Result<u8> {
    writeln!(std::io::stderr().lock(), "yishi: {line}")?;
    Ok(1)
}

/// Starts the threads that everything runs on.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("yishi").build()
}

/// Ends with Ctrl-C or a supervisor's SIGTERM.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
