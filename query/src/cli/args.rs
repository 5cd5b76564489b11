//! [`Args`]: what was typed. Nothing is read, resolved or defaulted from elsewhere here.

mod export;
mod kept;
mod output;
mod search;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use locard_event::name;

pub(super) use export::{ExportArgs, ExportFormat};
pub(super) use kept::{
    DeleteArgs, GetLookupArgs, ListArgs, LookupCommand, PutLookupArgs, PutSavedArgs, SavedCommand,
    ShowSavedArgs,
};
pub(super) use output::{Colour, Format, OutputArgs};
pub(super) use search::{Order, SearchArgs, TailArgs};

use super::negation::mark;

const AFTER_HELP: &str = "\
Examples:
  locard up --demo                                  serve, with an incident to investigate
  locard search failed --since 1h                   lines with the word, of the last hour
  locard search 'log.level:error | top host.name'   which hosts have most errors
  locard tail kubernetes.namespace:shop             what comes in, as it comes
  locard ingest /var/log/auth.log*                  bring old files in

Exit codes: 0 found, 1 nothing found, 2 error.
The query language: docs/query-language.md. Every flag of a command: locard help COMMAND.";

/// Collects logs, keeps them so that nobody can lose or quietly change them, and finds what happened.
#[derive(Debug, Parser)]
#[command(name = "locard", version, propagate_version = true)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Args {
    /// What was typed. Ends the process where that makes no sense, or asks for help.
    pub fn read() -> Self {
        Self::parse_from(mark(std::env::args_os()))
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve, and collect the logs of this machine
    Up(UpArgs),
    /// Serve: take events, keep them, answer searches
    Serve(ServeArgs),
    /// Find events
    Search(SearchArgs),
    /// Write everything that a query finds to a file or a pipe
    Export(ExportArgs),
    /// Follow events as they arrive
    Tail(TailArgs),
    /// Import log files into a running server
    Ingest(IngestArgs),
    /// Keep searches under a name, and share them
    #[command(subcommand)]
    Saved(SavedCommand),
    /// The tables that the pipe `lookup` looks into
    #[command(subcommand)]
    Lookup(LookupCommand),
    /// Show how a server is
    Status(ConnectArgs),
    /// Place, list and release legal holds: events that retention may not touch
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make credentials
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print what a shell needs to complete commands and flags
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    #[command(after_help = MAN_HELP)]
    Man(ManArgs),
}

/// Flags of every command that reads the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ConfigArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Data directory [default: /var/lib/locard for root, else ~/.local/share/locard]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:7514]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Play an incident of the last hour, so that there is something to investigate
    #[arg(long)]
    pub(super) demo: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Which part of the system this process is
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub(super) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// Everything in one process
    All,
    /// Not yet: comes with scale-out
    Index,
    /// Not yet: comes with scale-out
    Query,
}

/// Flags of every command that talks to a server.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConnectArgs {
    /// Server [default: the variable LOCARD_URL, else http://127.0.0.1:7514]
    #[arg(long)]
    pub(super) url: Option<String>,
    /// File with the token; else the variable LOCARD_TOKEN is used
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// PEM file of the client certificate and its chain
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(super) cert_file: Option<PathBuf>,
    /// PEM file of the client key
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct IngestArgs {
    /// Log files, plain, gzip or zstd, in any format; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// event.dataset [default: told by the format]
    #[arg(long, value_parser = dataset)]
    pub(super) dataset: Option<String>,
    /// host.name [default: what the lines say]
    #[arg(long)]
    pub(super) host: Option<String>,
    /// A further label
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(super) label: Vec<(String, String)>,
    /// No progress bar
    #[arg(short, long)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum HoldCommand {
    /// Keep events from retention, those that are there and those that will come
    Add(AddHoldArgs),
    /// Show the holds in force, and how many events they cover now
    List(ListHoldsArgs),
    /// Let retention have the events again; the record of the hold stays
    Release(ReleaseHoldArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct AddHoldArgs {
    /// Its name, given only once: letters, digits, dots, _ and -
    pub(super) name: String,
    /// Which events, * for all; several arguments are joined by spaces. Times in it must stand still
    #[arg(required = true, value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Why, for the record
    #[arg(long)]
    pub(super) reason: String,
    /// From, inclusive, by the filed time; written as in `locard search`
    #[arg(long = "since", visible_alias = "start", value_name = "TIME")]
    pub(super) start: Option<String>,
    /// To, exclusive
    #[arg(long = "until", visible_alias = "end", value_name = "TIME")]
    pub(super) end: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListHoldsArgs {
    /// Released ones too
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReleaseHoldArgs {
    /// Which
    pub(super) name: String,
    /// Why, for the record
    #[arg(long)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

const COMPLETIONS_HELP: &str = "\
Examples:
  source <(locard completions bash)                                for this shell
  locard completions bash > ~/.local/share/bash-completion/completions/locard
  locard completions zsh > \"${fpath[1]}/_locard\"
  locard completions fish > ~/.config/fish/completions/locard.fish";

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

const MAN_HELP: &str = "\
Examples:
  locard man search | man -l -                      read the page of a command
  locard man --dir /usr/local/share/man/man1        write a page for each command";

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Of which command, `hold add` for one of another [default: of locard itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub(super) command: Vec<String>,
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether the configuration can be used
    Check(CheckArgs),
    /// Show every key with the value in effect
    Print(ConfigArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The file to check, as --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token, and the configuration entry that lets it in
    New(NewTokenArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct NewTokenArgs {
    /// Stands for the token in logs
    #[arg(long)]
    pub(super) name: String,
    /// Whose events it sends and sees
    #[arg(long, default_value = "default")]
    pub(super) tenant: String,
    /// What it may do: ingest, read, admin
    #[arg(long, value_delimiter = ',', default_value = "read")]
    pub(super) permissions: Vec<String>,
}

/// The server would refuse every event of another one.
fn dataset(text: &str) -> Result<String, String> {
    if name::is_dataset(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("it must be {}", name::DATASET_RULE))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_dataset_that_the_server_would_refuse_is_refused_here() {
        let said = |dataset| Args::try_parse_from(["locard", "ingest", "--dataset", dataset, "x.log"]);
        assert!(said("my.app").is_ok());
        assert!(said("My App").unwrap_err().to_string().contains("lower case"));
    }
}
