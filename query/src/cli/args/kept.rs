//! What `locard saved` and `locard lookup` take.

use std::path::PathBuf;

use clap::Subcommand;

use super::{ConnectArgs, Order, OutputArgs};
use crate::cli::negation::unmark;

const SAVED_HELP: &str = "\
Examples:
  locard saved put logins 'event.category:authentication | top user.name' --since 24h
  locard search --saved logins
  locard saved list";

#[derive(Debug, Subcommand)]
#[command(after_help = SAVED_HELP)]
pub(in crate::cli) enum SavedCommand {
    /// Show all of them
    List(ListArgs),
    /// Show one, as JSON
    Show(ShowSavedArgs),
    /// Keep one, in the place of one of the same name
    Put(PutSavedArgs),
    /// Delete one
    Delete(DeleteArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowSavedArgs {
    /// Which
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PutSavedArgs {
    /// Its name: 1 to 120 characters without a slash
    pub(in crate::cli) name: String,
    /// The query; several arguments are joined by spaces
    #[arg(required = true, value_name = "QUERY", value_parser = unmark)]
    pub(in crate::cli) query: Vec<String>,
    /// From, kept as it is written: 1h stays the last hour of whenever it is run
    #[arg(long = "since", visible_alias = "start", value_name = "TIME")]
    pub(in crate::cli) start: Option<String>,
    /// To, exclusive
    #[arg(long = "until", visible_alias = "end", value_name = "TIME")]
    pub(in crate::cli) end: Option<String>,
    /// Newest or oldest first
    #[arg(long, value_enum)]
    pub(in crate::cli) order: Option<Order>,
    /// Fail if there is one of this name already
    #[arg(long)]
    pub(in crate::cli) new: bool,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DeleteArgs {
    /// Which
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

const LOOKUP_HELP: &str = "\
Examples:
  locard lookup put assets assets.csv
  locard search 'source.ip:* | lookup assets net as source.ip output owner | top owner'
  locard lookup get assets > assets.csv

To change tables takes the permission admin.";

#[derive(Debug, Subcommand)]
#[command(after_help = LOOKUP_HELP)]
pub(in crate::cli) enum LookupCommand {
    /// Show which there are
    List(ListArgs),
    /// Print one, as it was written
    Get(GetLookupArgs),
    /// Keep a CSV file as one
    Put(PutLookupArgs),
    /// Delete one
    Delete(DeleteArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct GetLookupArgs {
    /// Which
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PutLookupArgs {
    /// Its name, by which the pipe knows it
    pub(in crate::cli) name: String,
    /// CSV with a header; - for standard input
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}
