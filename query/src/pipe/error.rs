//! [`PipeError`]: why a pipeline has no outcome.

/// The configuration key of the memory limit.
pub(super) const MEMORY_KEY: &str = "limits.search_bytes";

/// Why a pipeline has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipeError {
    /// The pipe would hold more than the limit.
    #[error("the pipe `{pipe}` needs more than {limit_bytes} bytes of memory ({MEMORY_KEY})")]
    Memory {
        /// Which pipe.
        pipe: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// The range of time holds more buckets than a table may have rows.
    #[error("`timechart` would make {buckets} rows; the limit is {limit}")]
    Buckets {
        /// How many there would be.
        buckets: u64,
        /// How many may be.
        limit: u64,
    },
    /// There is no such table.
    #[error("there is no lookup table `{table}`")]
    Lookup {
        /// What was asked for.
        table: Box<str>,
    },
    /// A table has no such column.
    #[error("the lookup table `{table}` has no column `{column}`; it has {columns}")]
    Column {
        /// Which table.
        table: Box<str>,
        /// What was asked for.
        column: Box<str>,
        /// What there is.
        columns: String,
    },
    /// A regular expression in a `where` is too large.
    #[error("{0}")]
    Filter(#[from] locard_filter::SyntaxError),
}

impl PipeError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Memory { .. } => {
                "narrow the filter or the range of time, group by fewer values, or add `| limit N`"
            }
            Self::Buckets { .. } => "write a longer span, as in span=1h, or a shorter range of time",
            Self::Lookup { .. } => "put it there: PUT /api/lookups/NAME with a CSV file",
            Self::Column { .. } => "write one of these",
            Self::Filter(_) => "write a smaller regular expression",
        }
    }
}
