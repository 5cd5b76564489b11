//! [`Args`]: what was typed. Nothing is read, resolved or defaulted from elsewhere here.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use locard_event::name;

use super::negation::{mark, unmark};
use crate::export::Packing;

/// Collects logs, keeps them so that nobody can lose or quietly change them, and finds what happened.
#[derive(Debug, Parser)]
#[command(name = "locard", version, propagate_version = true)]
#[command(after_help = "Exit codes: 0 found, 1 nothing found, 2 error.")]
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
pub(super) struct OutputArgs {
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_enum)]
    pub(super) output: Option<Format>,
    /// Fields to print, for csv and table [default: those that are there]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(super) columns: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line
    Json,
    /// With a header; cells that a spreadsheet would run are made text
    Csv,
    /// The line as it was written
    Raw,
    /// For people
    Table,
}

#[derive(Debug, clap::Args)]
pub(super) struct SearchArgs {
    /// A filter, then pipes: 'log.level:error | stats count() by host.name'; several arguments are joined by spaces
    ///
    /// Words may begin with a dash: `locard search timeout -log.level:info`. What begins with two dashes is an option. The shell
    /// takes quotes off, so a phrase needs two pairs: `locard search '"failed password"'`; and it knows `|`, `>`, `(` and `*` itself, so
    /// quote a query that holds them.
    #[arg(required = true, value_name = "QUERY", value_parser = unmark)]
    pub(super) query: Vec<String>,
    /// From, inclusive: now-1h, 1h (an hour ago), 2026-05-28 (its first instant, UTC), RFC 3339, or a Unix time
    #[arg(long, value_name = "TIME")]
    pub(super) start: Option<String>,
    /// To, exclusive; written as --start
    #[arg(long, value_name = "TIME")]
    pub(super) end: Option<String>,
    /// Most events to print [default: 100]; of rows that pipes make, all are printed unless this says fewer
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Print every event that matches
    #[arg(long, conflicts_with = "limit")]
    pub(super) all: bool,
    /// Newest or oldest first
    #[arg(long, value_enum, default_value_t = Order::Desc)]
    pub(super) order: Order,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// Newest first
    Desc,
    /// Oldest first
    Asc,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// A filter, then pipes, as in `locard search`; several arguments are joined by spaces
    #[arg(required = true, value_name = "QUERY", value_parser = unmark)]
    pub(super) query: Vec<String>,
    /// From, inclusive; written as in `locard search`
    #[arg(long, value_name = "TIME")]
    pub(super) start: Option<String>,
    /// To, exclusive
    #[arg(long, value_name = "TIME")]
    pub(super) end: Option<String>,
    /// Most events or rows [default: all]
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Newest or oldest first
    #[arg(long, value_enum, default_value_t = Order::Desc)]
    pub(super) order: Order,
    /// What it is written as
    #[arg(short, long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub(super) output: ExportFormat,
    /// Columns of csv, members of objects [default: those that are there]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(super) columns: Vec<String>,
    /// Pack it: gzip or zstd
    #[arg(long, value_name = "HOW", value_parser = packing)]
    pub(super) compress: Option<Packing>,
    /// Into this file, which gets its name when it is whole [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// One JSON object a line, and a last one about them all
    Ndjson,
    /// One JSON array
    Json,
    /// With a header; cells that a spreadsheet would run are made text
    Csv,
    /// The lines as they were written
    Raw,
}

impl ExportFormat {
    /// What the server calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Raw => "raw",
        }
    }
}

fn packing(text: &str) -> Result<Packing, String> {
    Packing::named(text).ok_or_else(|| "expected gzip, zstd or none".to_owned())
}

#[derive(Debug, clap::Args)]
pub(super) struct TailArgs {
    /// A filter; several arguments are joined by spaces, and words may begin with a dash, as in `locard search` [default: *]
    #[arg(value_name = "QUERY", value_parser = unmark)]
    pub(super) query: Vec<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
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
    /// Its name, given only once: letters, digits, _, - and .
    pub(super) name: String,
    /// Which events, * for all; several arguments are joined by spaces. Times in it must stand still
    #[arg(required = true, value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Why, for the record
    #[arg(long)]
    pub(super) reason: String,
    /// From, inclusive, by the filed time; written as in `locard search`
    #[arg(long, value_name = "TIME")]
    pub(super) start: Option<String>,
    /// To, exclusive
    #[arg(long, value_name = "TIME")]
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
