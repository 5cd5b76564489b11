//! What `locard search` and `locard tail` take.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{ConnectArgs, OutputArgs};
use crate::cli::negation::unmark;

const SEARCH_HELP: &str = "\
Examples:
  locard search failed --since 1h                         lines with the word, newest first
  locard search '\"failed password\"' -C 3                  each with three lines around it, of the same stream
  locard search source.ip:203.0.113.0/24 -f @timestamp,source.ip,user.name
  locard search 'log.level:error | top host.name'         which hosts have most errors
  locard search log.level:error --since 2026-05-28 --all -o csv > errors.csv
  locard search kubernetes.namespace:shop --follow        the newest, then what comes
  locard search kinsing -o json | jq -r '.\"host.name\"'    one object a line for other programs
  locard search kinsing -q && echo 'it was here'

Exit codes: 0 found, 1 nothing found, 2 error, or nothing found in an answer that is not complete.
The language: docs/query-language.md.";

#[derive(Debug, clap::Args)]
#[command(after_help = SEARCH_HELP)]
pub(in crate::cli) struct SearchArgs {
    /// A filter, then pipes: 'log.level:error | stats count() by host.name'; several arguments are joined by spaces; - reads it from standard input
    ///
    /// Words may begin with a dash: `locard search timeout -log.level:info`. What begins with two dashes is an option. The shell
    /// takes quotes off, so a phrase needs two pairs: `locard search '"failed password"'`; and it knows `|`, `>`, `(` and `*` itself, so
    /// quote a query that holds them.
    #[arg(required_unless_present_any = ["query_file", "saved"], conflicts_with_all = ["query_file", "saved"])]
    #[arg(value_name = "QUERY", value_parser = unmark)]
    pub(in crate::cli) query: Vec<String>,
    /// Read the query from a file; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "saved")]
    pub(in crate::cli) query_file: Option<PathBuf>,
    /// Run a search that was kept under this name, over the times that were kept with it unless others are named
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) saved: Option<String>,
    /// From, inclusive: 1h (an hour ago), 2d, now-1h, 2026-05-28 (its first instant), RFC 3339, or a Unix time
    #[arg(long = "since", visible_alias = "start", value_name = "TIME")]
    pub(in crate::cli) start: Option<String>,
    /// To, exclusive; written as --since
    #[arg(long = "until", visible_alias = "end", value_name = "TIME")]
    pub(in crate::cli) end: Option<String>,
    /// Most events to print, 0 for all [default: 100]; of rows that pipes make, all are printed unless this says fewer
    #[arg(short = 'n', long, value_name = "N")]
    pub(in crate::cli) limit: Option<u64>,
    /// Print every event that matches, as -n 0
    #[arg(long, conflicts_with = "limit")]
    pub(in crate::cli) all: bool,
    /// Newest or oldest first [default: desc]
    #[arg(long, value_enum)]
    pub(in crate::cli) order: Option<Order>,
    /// Oldest first, as --order asc
    #[arg(short = 'r', long, visible_alias = "reverse", conflicts_with = "order")]
    pub(in crate::cli) oldest_first: bool,
    /// Print N events that came after each match, of the same stream
    #[arg(short = 'A', long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=MAX_SIDE))]
    pub(in crate::cli) after_context: Option<u64>,
    /// Print N events that came before each match
    #[arg(short = 'B', long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=MAX_SIDE))]
    pub(in crate::cli) before_context: Option<u64>,
    /// Print N events on both sides of each match
    #[arg(short = 'C', long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=MAX_SIDE))]
    pub(in crate::cli) context: Option<u64>,
    /// Context is what has these fields in common with the match, not what is of its stream: host.name
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(in crate::cli) context_by: Vec<String>,
    /// Print what is there, oldest first, then what comes
    #[arg(short = 'F', long, conflicts_with_all = ["end", "order", "after_context", "before_context", "context", "count", "quiet", "stats"])]
    pub(in crate::cli) follow: bool,
    /// Print only how many events match, or how many rows the pipes make
    #[arg(short, long, conflicts_with_all = ["limit", "all", "after_context", "before_context", "context", "quiet"])]
    pub(in crate::cli) count: bool,
    /// Print nothing, and tell by the exit code
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// Say on standard error what the search found and cost
    #[arg(long)]
    pub(in crate::cli) stats: bool,
    /// Print how the query is understood and where each of its parts runs, as JSON, instead of what it finds
    #[arg(long, conflicts_with_all = ["follow", "count", "quiet", "stats", "all", "limit", "after_context", "before_context", "context"])]
    pub(in crate::cli) explain: bool,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

/// Most events on one side of a match.
const MAX_SIDE: u64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Order {
    /// Newest first
    Desc,
    /// Oldest first
    Asc,
}

impl Order {
    /// As the API writes it.
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Desc => "desc",
            Self::Asc => "asc",
        }
    }
}

const TAIL_HELP: &str = "\
Examples:
  locard tail                                        everything, as it comes
  locard tail log.level:error -f host.name,message
  locard tail '\"failed password\"' -o json | jq -r '.\"source.ip\"'

To see what is there already before what comes: locard search --follow.";

#[derive(Debug, clap::Args)]
#[command(after_help = TAIL_HELP)]
pub(in crate::cli) struct TailArgs {
    /// A filter; several arguments are joined by spaces, and words may begin with a dash, as in `locard search` [default: *]
    #[arg(value_name = "QUERY", value_parser = unmark)]
    pub(in crate::cli) query: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}
