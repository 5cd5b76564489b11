//! What `locard export` takes.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{ConnectArgs, Order};
use crate::cli::negation::unmark;
use crate::export::Packing;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// A filter, then pipes, as in `locard search`; several arguments are joined by spaces
    #[arg(required = true, value_name = "QUERY", value_parser = unmark)]
    pub(in crate::cli) query: Vec<String>,
    /// From, inclusive; written as in `locard search`
    #[arg(long = "since", visible_alias = "start", value_name = "TIME")]
    pub(in crate::cli) start: Option<String>,
    /// To, exclusive
    #[arg(long = "until", visible_alias = "end", value_name = "TIME")]
    pub(in crate::cli) end: Option<String>,
    /// Most events or rows [default: all]
    #[arg(short = 'n', long, value_name = "N")]
    pub(in crate::cli) limit: Option<u64>,
    /// Newest or oldest first
    #[arg(long, value_enum, default_value_t = Order::Desc)]
    pub(in crate::cli) order: Order,
    /// What it is written as
    #[arg(short, long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub(in crate::cli) output: ExportFormat,
    /// Columns of csv and parquet, members of objects [default: those that are there; of parquet the usual ones]
    #[arg(
        short = 'f',
        long = "fields",
        visible_alias = "columns",
        value_delimiter = ',',
        value_name = "NAME,..."
    )]
    pub(in crate::cli) columns: Vec<String>,
    /// Pack it: gzip or zstd
    #[arg(long, value_name = "HOW", value_parser = packing)]
    pub(in crate::cli) compress: Option<Packing>,
    /// Into this file, which gets its name when it is whole [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// One JSON object a line, and a last one about them all
    Ndjson,
    /// One JSON array
    Json,
    /// With a header; cells that a spreadsheet would run are made text
    Csv,
    /// The lines as they were written
    Raw,
    /// Columns with types, for DuckDB, Spark, pandas; packed already
    Parquet,
}

impl ExportFormat {
    /// What the server calls it.
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Raw => "raw",
            Self::Parquet => "parquet",
        }
    }
}

fn packing(text: &str) -> Result<Packing, String> {
    Packing::named(text).ok_or_else(|| "expected gzip, zstd or none".to_owned())
}
