//! The command line: what was typed ([`Args`]), then what it means, then doing it.
//!
//! A command is a file. Exit codes: 0 found, 1 nothing found, 2 error or nothing found in a part.

mod args;
mod client;
mod collect;
mod complete;
mod config;
mod error;
mod exit;
mod export;
mod hold;
mod ingest;
mod log;
mod lookup;
mod man;
mod negation;
mod output;
mod problem;
mod saved;
mod search;
mod server;
mod status;
mod tail;
mod token;

use std::process::ExitCode;

pub use args::Args;
#[cfg(test)]
pub(crate) use client::install_provider;
pub use error::Error;
pub use exit::{Outcome, failed};

use args::{Command, ConfigCommand, TokenCommand};

/// Runs the command that was typed.
pub async fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Up(args) => server::up(args).await,
        Command::Serve(args) => server::serve(args).await,
        Command::Search(args) => search::run(&args).await,
        Command::Export(args) => export::run(&args).await,
        Command::Tail(args) => tail::run(&args).await,
        Command::Ingest(args) => ingest::run(&args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Hold(command) => hold::run(&command).await,
        Command::Config(ConfigCommand::Check(args)) => config::check(&args),
        Command::Config(ConfigCommand::Print(args)) => config::print(&args),
        Command::Token(TokenCommand::New(args)) => token::new(&args),
        Command::Saved(command) => saved::run(&command).await,
        Command::Lookup(command) => lookup::run(&command).await,
        Command::Completions(args) => complete::run(&args),
        Command::Man(args) => man::run(&args),
    };
    match done {
        Ok(outcome) => outcome.code(),
        Err(error) => failed(&error),
    }
}
