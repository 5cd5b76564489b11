//! Pipes: what a query does with the events its filter found. One pipe per file.
//!
//! `parse → Query → Pipeline → feed → Outcome`. Pure: knows neither splits nor HTTP; time is an argument. The search engine asks
//! [`Pipeline::needs`] what to feed, feeds it, and takes the [`Outcome`].

mod error;
mod needs;
mod outcome;
mod pipeline;
mod shown;

pub use error::PipeError;
pub use needs::{Flow, Needs};
pub use outcome::{Outcome, Table};
pub use pipeline::{Pipeline, Setting};
pub use shown::Shown;

use locard_filter::{Filter, SyntaxError};

/// A whole query: a filter and what is done with the events it finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// What is done with them, in order.
    pub pipes: Vec<Pipe>,
}

/// One pipe. A closed set: a new one is a file and a line here.
#[derive(Clone, Debug, PartialEq)]
pub enum Pipe {}

/// Reads a whole query. Spans of errors are of the whole text.
///
/// # Errors
/// The filter or a pipe cannot be read.
pub fn parse(query: &str) -> Result<Query, SyntaxError> {
    let (filter, end) = locard_filter::parse_prefix(query)?;
    if end < query.len() {
        return Err(SyntaxError::new(end..query.len(), "pipes are not available yet"));
    }
    Ok(Query { filter, pipes: Vec::new() })
}
