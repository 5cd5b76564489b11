//! The filter expression of Locard's query language: parse it, print it, match one [`locard_event::Event`].
//!
//! Pure: no clock (relative times are resolved against an argument), no I/O. This crate does not know pipes,
//! splits or indexes; a plan on a split must give the same answer as [`Matcher`].

mod ast;
mod error;
mod matcher;
mod parser;
pub mod word;

pub use ast::{Bound, Comparison, Filter, Predicate, Test, TimePoint, TimeRange};
pub use error::SyntaxError;
pub use matcher::Matcher;
pub use parser::{parse, parse_prefix};
