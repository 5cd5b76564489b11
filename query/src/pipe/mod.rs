//! Pipes: what a query does with the events its filter found. One pipe per file.
//!
//! `parse → Query → Pipeline → feed → Outcome`. Pure: reads no split, knows no HTTP; time is an argument. The search engine asks
//! [`Pipeline::needs`] what to feed, feeds it, and takes the [`Outcome`].

mod aggregate;
mod context;
mod decode;
mod dedup;
mod distinct;
mod edit;
mod error;
mod eval;
mod exact;
mod explain;
mod fields;
mod group;
mod join;
mod key;
mod lookup;
mod needs;
mod order;
mod outcome;
mod parse;
mod patterns;
mod percentile;
mod pipeline;
mod rare;
mod read;
mod record;
mod rename;
mod rex;
mod rows;
mod shown;
mod sort;
mod state;
mod stats;
mod step;
#[cfg(test)]
mod testing;
mod timechart;
mod top;
mod transaction;
mod work;

pub use aggregate::{Aggregate, Function};
pub use context::Context;
pub use decode::{Decode, Format};
pub use dedup::Dedup;
pub(crate) use distinct::Distinct;
pub use error::PipeError;
pub use eval::{Eval, Expression};
pub(crate) use exact::ExactSum;
pub(crate) use explain::explain;
pub use fields::Fields;
pub use join::{Join, JoinTable};
pub use key::{Key, Network};
pub(crate) use lookup::MAX_BYTES as MAX_LOOKUP_BYTES;
pub use lookup::{Lookup, LookupTable};
pub use needs::{Flow, Needs};
pub use outcome::{Outcome, Table, member_names};
pub(crate) use parse::reads;
pub use parse::{parse, time_range};
pub use patterns::Patterns;
pub(crate) use percentile::Weighted;
pub use pipeline::{Pipeline, Setting, Tables};
pub use rename::Rename;
pub use rex::Rex;
pub use shown::Shown;
pub use sort::{Sort, SortKey};
pub use stats::Stats;
pub use timechart::Timechart;
pub use top::Top;
pub use transaction::Transaction;

use locard_event::Timestamp;
use locard_filter::Filter;

/// A whole query: a filter and what is done with the events it finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// What is done with them, in order.
    pub pipes: Vec<Pipe>,
}

impl Query {
    /// The query with every relative time of its filter made absolute. Those in pipes are when a [`Pipeline`] is made.
    #[must_use]
    pub fn resolve(self, now: Timestamp) -> Self {
        Self { filter: self.filter.resolve(now), ..self }
    }
}

/// One pipe. A closed set: a new one is a file, a line here and one in `parse`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pipe {
    /// `where filter`
    Where(Filter),
    /// `stats functions by fields`
    Stats(Stats),
    /// `top N fields`, `rare N fields`
    Top(Top),
    /// `timechart span=… functions by field`
    Timechart(Timechart),
    /// `patterns new since=…`
    Patterns(Patterns),
    /// `sort columns`
    Sort(Sort),
    /// `limit N`
    Limit(usize),
    /// `fields names`
    Fields(Fields),
    /// `rename name as name`
    Rename(Rename),
    /// `dedup fields`
    Dedup(Dedup),
    /// `rex "regex"`
    Rex(Rex),
    /// `parse format`
    Parse(Decode),
    /// `eval name=expression`
    Eval(Eval),
    /// `lookup table fields output columns`
    Lookup(Lookup),
    /// `join fields [ query ]`
    Join(Join),
    /// `context before=N after=N`
    Context(Context),
    /// `transaction fields maxpause=…`
    Transaction(Transaction),
}
