//! The filter expression of Locard's query language: parse it, print it, match one [`locard_event::Event`].
//!
//! Pure: no clock (relative times are resolved against an argument), no I/O. This crate does not know pipes,
//! splits or indexes; a plan on a split must give the same answer as [`Matcher`].

mod ast;
mod error;
pub mod glob;
mod matcher;
mod parser;
mod print;
pub mod template;
pub mod word;

pub use ast::{Bound, Comparison, Filter, Predicate, Test, TimePoint, TimeRange};
pub use error::SyntaxError;
pub use matcher::{Matcher, ValueTest};
pub use parser::{
    MAX_DEPTH, MAX_QUERY_BYTES, MAX_REGEXES, MAX_TERMS, MAX_WILDCARD_BYTES, MAX_WILDCARDS_BYTES, Spent,
    parse, parse_duration, parse_prefix, parse_prefix_within, parse_time,
};

#[cfg(test)]
mod tests;
