//! Flags that say how a result is printed.

use clap::ValueEnum;
use jiff::tz::TimeZone;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct OutputArgs {
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_enum)]
    pub(in crate::cli) output: Option<Format>,
    /// Fields to print, in this order: columns of table and csv, members of json, values between tabs of raw
    ///
    /// Without it `table` shows time, level, origin and line, `csv` has a column for each field there is, and `json` the whole event.
    #[arg(short, long, visible_alias = "columns", value_delimiter = ',', value_name = "NAME,...")]
    pub(in crate::cli) fields: Vec<String>,
    /// No line with the names of the columns
    #[arg(long)]
    pub(in crate::cli) no_header: bool,
    /// Colours and marks: auto for those who look at a terminal
    ///
    /// `auto` obeys the variables NO_COLOR, CLICOLOR and CLICOLOR_FORCE. With `always`, control characters of the content are shown as
    /// symbols in every format, as on a terminal: what is coloured is for people to look at.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, alias = "colour")]
    pub(in crate::cli) color: Colour,
    /// Show times in this zone: Europe/Berlin, +02:00, local. Dates without a zone in --since and --until are read in it, too [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(in crate::cli) tz: Option<TimeZone>,
    /// Show times in UTC, which is the default
    #[arg(long, conflicts_with = "tz")]
    pub(in crate::cli) utc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// One JSON object a line
    Json,
    /// With a header; cells that a spreadsheet would run are made text
    Csv,
    /// The line as it was written
    Raw,
    /// For people
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Colour {
    /// On a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

fn zone(text: &str) -> Result<TimeZone, String> {
    if text.eq_ignore_ascii_case("local") {
        return Ok(TimeZone::system());
    }
    let read = jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(text);
    read.map_err(|_| "write a name as Europe/Berlin, an offset as +02:00, or local".to_owned())
}

impl OutputArgs {
    /// For what has one form.
    pub(in crate::cli) fn plain() -> Self {
        Self {
            output: Some(Format::Raw),
            fields: Vec::new(),
            no_header: false,
            color: Colour::Auto,
            tz: None,
            utc: false,
        }
    }
}
