//! Which fields the matching events have, and which values a field has.
//!
//! Values come from the columns of splits, names from their presence sets, and both from every event of the hot part, newest parts first, until
//! the deadline; what was counted by then is answered and labelled.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use locard_event::Value;
use locard_filter::{Filter, Predicate, Test};
use locard_indexer::Principal;
use locard_store::{Control, Error as StoreError, Order, Split};

use super::Error;
use super::coverage::Coverage;
use super::part::{Part, Wanted, parts};
use super::plan::{Ask, deadline};
use super::run::{Run, lock};
use super::searcher::{Matched, Scanned, Searcher, scanned};
use super::tally::{MAX_NAMES, Names, Table, Tally};

/// How long counting may take unless asked otherwise: a side bar must not hold up the search beside it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a sample may hold.
const SAMPLE_BYTES: usize = 8 << 20;
/// A table of values may take this share of a search's memory; every thread has one, and there is one for the sum.
const MEMORY_SHARE: usize = 8;

/// One field of the matching events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// How many events have it, null or not.
    pub count: u64,
    /// The types its values have, the most common first; of a split, those in a sample of its newest matching events.
    pub types: Vec<&'static str>,
    /// Whether it is a label of streams.
    pub label: bool,
}

/// The fields of the matching events.
#[derive(Clone, Debug)]
pub struct Fields {
    /// By name.
    pub fields: BTreeMap<String, Field>,
    /// How many events were looked at.
    pub matched: Matched,
    /// Why something is missing; nothing if it is all there.
    pub incomplete_because: Option<String>,
    /// From request to answer.
    pub took: Duration,
    /// What it cost.
    pub scanned: Scanned,
}

/// The values of one field.
#[derive(Clone, Debug)]
pub struct Values {
    /// The most common first, with how many events have each.
    pub values: Vec<(Value, u64)>,
    /// How many different ones there are.
    pub distinct: Matched,
    /// How many events have the field.
    pub matched: Matched,
    /// Why something is missing; nothing if it is all there.
    pub incomplete_because: Option<String>,
    /// From request to answer.
    pub took: Duration,
    /// What it cost.
    pub scanned: Scanned,
}

/// Which values are asked for.
#[derive(Clone, Debug, Default)]
pub struct AskValues {
    /// Of which field.
    pub field: String,
    /// Only those that begin so, in any case.
    pub prefix: String,
    /// At most so many.
    pub limit: usize,
}

impl Searcher {
    /// The fields of the events that match.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.fields", skip_all, fields(principal = %principal.name))]
    pub async fn fields(&self, principal: &Principal, ask: &Ask) -> Result<Fields, Error> {
        self.fields_of(principal, ask, Filter::All).await
    }

    /// As [`Searcher::fields`], of those that match `filter` too.
    pub(crate) async fn fields_of(
        &self,
        principal: &Principal,
        ask: &Ask,
        filter: Filter,
    ) -> Result<Fields, Error> {
        let (mut run, mut coverage, names) = self.tally(principal, ask, filter, Names::default()).await?;
        if names.full {
            coverage.omit(format!("there are more than {MAX_NAMES} different names"));
        }
        if names.left_out {
            coverage.omit("a part has more names than it keeps columns for; those beyond are not listed");
        }
        let incomplete_because = self.conclude(&mut run, &coverage);
        Ok(Fields {
            matched: Matched { value: names.events, exact: coverage.saw_everything() },
            fields: names.into_fields(),
            incomplete_because,
            took: run.took(),
            scanned: scanned(&coverage, principal),
        })
    }

    /// The most common values of a field among the events that match.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.values", skip_all, fields(principal = %principal.name))]
    pub async fn values(
        &self,
        principal: &Principal,
        ask: &Ask,
        values: &AskValues,
    ) -> Result<Values, Error> {
        let has = Filter::Is(Predicate { field: Some(values.field.as_str().into()), test: Test::Exists });
        let table = Table::new(values, self.limits.memory_bytes / MEMORY_SHARE);
        let (mut run, mut coverage, table) = self.tally(principal, ask, has, table).await?;
        if table.full {
            coverage.omit(format!("only {} different values were told apart", table.counts.len()));
        }
        let incomplete_because = self.conclude(&mut run, &coverage);
        let exact = coverage.saw_everything();
        Ok(Values {
            distinct: Matched { value: table.counts.len() as u64, exact: exact && !table.full },
            matched: Matched { value: table.events, exact },
            values: table.into_top(values.limit),
            incomplete_because,
            took: run.took(),
            scanned: scanned(&coverage, principal),
        })
    }

    /// Feeds every event that matches, `filter` too, to tallies, one for each part, and sums them up.
    async fn tally<T: Tally>(
        &self,
        principal: &Principal,
        ask: &Ask,
        filter: Filter,
        empty: T,
    ) -> Result<(Run, Coverage, T), Error> {
        let deadline = deadline(ask, &self.limits);
        let deadline = if ask.timeout.is_some() { deadline } else { deadline.min(PATIENCE) };
        let mut run = Run::begin(&self.gate, &self.metrics, deadline).await?;
        let (plan, view) = self.plan(&mut run, principal, ask, filter).await?;
        let parts = parts(&view, &plan.wanted, Order::Descending);
        let (sum, control) = (Arc::new(Mutex::new(empty.clone())), Arc::clone(&run.control));
        let (into, wanted) = (Arc::clone(&sum), plan.wanted);
        let work = move |part: &Part| tally_part(part, &wanted, &control, empty.clone(), &into);
        let mut coverage = run.scan(parts, work).await?;
        coverage.lacks(&view);
        let sum = lock(&sum).clone();
        Ok((run, coverage, sum))
    }
}

/// How many events of a split tell the types of its fields.
const SAMPLE: usize = 200;

fn add_names<T: Tally>(
    split: &Split,
    wanted: &Wanted,
    control: &Control,
    tally: &mut T,
) -> Result<(), StoreError> {
    let (names, events) = split.having(&wanted.request, control)?;
    if events > 0 {
        let sample = split.top(&wanted.request, Order::Descending, None, SAMPLE, SAMPLE_BYTES, control)?;
        tally.add_names(names, events, &sample.events);
        if split.leaves_names_out()? {
            tally.lacks_names();
        }
    }
    Ok(())
}

/// What was counted before a stop counts too.
fn tally_part<T: Tally>(
    part: &Part,
    wanted: &Wanted,
    control: &Control,
    mut tally: T,
    sum: &Mutex<T>,
) -> Result<(), StoreError> {
    let done = match (part, tally.key()) {
        (Part::Split(split), Some(key)) => {
            split.tally(&wanted.request, &[key], control, &mut |values, events| {
                values.iter().for_each(|value| tally.add_value(value, events));
                ControlFlow::Continue(())
            })
        }
        (Part::Split(split), None) if tally.takes_names() => add_names(split, wanted, control, &mut tally),
        _ => part.each(wanted, control, &mut |event| {
            tally.add(event);
            ControlFlow::Continue(())
        }),
    };
    lock(sum).merge(tally);
    done
}
