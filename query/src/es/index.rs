//! Which indices a request means: the datasets of the principal's tenant that it may see, by name, pattern, list or date math.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use locard_event::{Event, Timestamp, Value, name};
use locard_filter::{Filter, Test};
use locard_indexer::{Principal, View};
use locard_store::{Control, Error as StoreError, GroupKey};

use super::Es;
use super::date::{Reading, zone, zoned};
use super::error::Error;
use super::field::Field;
use super::hit::{self, NO_DATASET};
use super::params::Params;
use super::write::{self, Alias, Described};
use super::{pattern, wild};
use crate::search::{Part, Run, Wanted, lock, parts};

/// What a request says of indices that are not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    /// A name that is missing is passed over.
    pub(super) ignore_unavailable: bool,
    /// A pattern that means nothing is passed over.
    pub(super) allow_no_indices: bool,
}

impl Missing {
    /// From the query string.
    pub(super) fn of(params: &Params) -> Result<Self, Error> {
        Ok(Self {
            ignore_unavailable: params.truth("ignore_unavailable")?.unwrap_or(false),
            allow_no_indices: params.truth("allow_no_indices")?.unwrap_or(true),
        })
    }

    /// Everything must be there.
    pub(super) fn strict() -> Self {
        Self { ignore_unavailable: false, allow_no_indices: true }
    }
}

/// The indices that a request means.
#[derive(Clone, Debug)]
pub(super) struct Indices {
    /// Each with how many documents it has.
    pub(super) names: BTreeMap<String, u64>,
    /// Those of them, and others, that something was said of, with the version of that.
    pub(super) made: BTreeMap<String, u64>,
    /// Whether that is every index there is.
    all: bool,
}

impl Indices {
    /// Whether every event is in one of them.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// The events in them.
    pub(super) fn filter(&self) -> Filter {
        if self.all {
            return Filter::All;
        }
        Filter::any_of(self.names.keys().map(|name| in_index(name)))
    }
}

/// The events in an index.
pub(super) fn in_index(index: &str) -> Filter {
    let dataset = Field::named(name::DATASET);
    if index == NO_DATASET {
        let none = Filter::Not(Box::new(dataset.is(Test::Exists)));
        return Filter::any_of([none, dataset.is(Test::Equals(NO_DATASET.into()))]);
    }
    dataset.is(Test::Equals(index.into()))
}

/// Finds the indices that `expression` means.
pub(super) async fn resolve(
    es: &Es,
    principal: &Principal,
    expression: &str,
    missing: Missing,
) -> Result<Indices, Error> {
    let mut known = known(es, principal).await?;
    let Described { indices, aliases } = write::described(es, principal).await?;
    // Who may see but some events does not learn of what there is beside them.
    if principal.filter.is_none() {
        for name in indices.keys() {
            known.names.entry(name.clone()).or_insert(0);
        }
    }
    known.aliases = aliases;
    let chosen = choose(&known, expression, missing, crate::now())?;
    Ok(Indices { made: indices, ..chosen })
}

fn choose(known: &Known, expression: &str, missing: Missing, now: Timestamp) -> Result<Indices, Error> {
    let is_all = matches!(expression, "" | "_all" | "*");
    if is_all {
        return Ok(Indices { names: known.names.clone(), made: BTreeMap::new(), all: true });
    }
    let mut names = BTreeMap::new();
    let mut had_pattern = false;
    for item in items(expression) {
        let item = resolve_math(item.trim(), now)?;
        let excluded = item.strip_prefix('-').filter(|_| had_pattern);
        if let Some(excluded) = excluded {
            names.retain(|name: &String, _| !wild::matches(excluded, name));
            continue;
        }
        if item == "_all" || item.contains('*') {
            had_pattern = true;
            let pattern = if item == "_all" { "*" } else { &item };
            let before = names.len();
            let found = known.names.iter().filter(|(name, _)| wild::matches(pattern, name));
            names.extend(found.map(|(name, count)| (name.clone(), *count)));
            let aliases = known.aliases.iter().filter(|(name, _)| wild::matches(pattern, name));
            aliases.for_each(|(_, alias)| known.add(alias, &mut names));
            if names.len() == before && !missing.allow_no_indices {
                return Err(Error::no_index(&item));
            }
            continue;
        }
        if let Some(alias) = known.aliases.get(&item) {
            known.add(alias, &mut names);
            continue;
        }
        match known.names.get(&item) {
            Some(count) => drop(names.insert(item, *count)),
            None if missing.ignore_unavailable => {}
            // It may be in what could not be looked at; the search will say that it is incomplete.
            None if !known.complete => drop(names.insert(item, 0)),
            None => return Err(invalid(&item).unwrap_or_else(|| Error::no_index(&item))),
        }
    }
    Ok(Indices { names, made: BTreeMap::new(), all: false })
}

/// What cannot be an index's name at all.
fn invalid(item: &str) -> Option<Error> {
    let reason = if item.starts_with('_') { "must not start with '_'." } else { return None };
    let reason = format!("Invalid index name [{item}], {reason}");
    Some(
        Error::new(http::StatusCode::BAD_REQUEST, "invalid_index_name_exception", reason)
            .with("index", item)
            .with("index_uuid", "_na_"),
    )
}

/// The items of a list; commas within `<…>` are part of a name.
fn items(expression: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut from, mut depth) = (0, 0usize);
    for (at, char) in expression.char_indices() {
        match char {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.extend(expression.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    items.extend(expression.get(from..));
    items.retain(|item| !item.trim().is_empty());
    items
}

/// `<logs-{now/d{yyyy.MM.dd|+01:00}}>` as the name it stands for today.
fn resolve_math(item: &str, now: Timestamp) -> Result<String, Error> {
    let (minus, inner) = match item.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", item),
    };
    let Some(inner) = inner.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')) else {
        return Ok(item.to_owned());
    };
    let bad = || Error::illegal(format!("invalid dynamic name expression [{item}]"));
    let mut name = minus.to_owned();
    let mut rest = inner;
    while let Some((text, behind)) = rest.split_once('{') {
        name.push_str(text);
        let end = closing(behind).ok_or_else(bad)?;
        let (math, after) = behind.split_at_checked(end).ok_or_else(bad)?;
        rest = after.get(1..).unwrap_or_default();
        name.push_str(&date_of(math, now, bad)?);
    }
    name.push_str(rest);
    Ok(name)
}

fn date_of(math: &str, now: Timestamp, bad: impl Fn() -> Error) -> Result<String, Error> {
    let (math, format) = match math.split_once('{') {
        Some((math, format)) => (math, format.strip_suffix('}').ok_or_else(bad)?),
        None => (math, "yyyy.MM.dd"),
    };
    let (format, zone) = match format.split_once('|') {
        Some((format, name)) => (format, zone(name)?),
        None => (format, jiff::tz::TimeZone::UTC),
    };
    let reading = Reading { now, zone: zone.clone(), format: None };
    let start = reading.read(math)?.start;
    Ok(pattern::write(format, &zoned(start, &zone)))
}

/// Where the brace that is open closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The indices there are.
#[derive(Clone, Debug, Default)]
struct Known {
    names: BTreeMap<String, u64>,
    /// Other names, and what each stands for.
    aliases: BTreeMap<String, Alias>,
    /// Whether everything could be looked at.
    complete: bool,
}

impl Known {
    /// Adds the indices that an alias stands for, as far as they can be seen.
    fn add(&self, alias: &Alias, names: &mut BTreeMap<String, u64>) {
        for name in alias.indices.keys() {
            names.extend(self.names.get(name).map(|count| (name.clone(), *count)));
        }
    }
}

/// Counts the datasets of what the principal may see: from dictionaries in splits, one by one in the hot part.
async fn known(es: &Es, principal: &Principal) -> Result<Known, Error> {
    let searcher = &es.searcher;
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, searcher.limits.deadline).await?;
    let (view, wanted) = super::run::prepare(&mut run, es, principal, Filter::All).await?;
    let parts = parts(&view, &wanted, locard_store::Order::Descending);
    let sum = Arc::new(Mutex::new(BTreeMap::new()));
    let (into, control) = (Arc::clone(&sum), Arc::clone(&run.control));
    let work = move |part: &Part| {
        let mut counts = BTreeMap::new();
        let done = count(part, &wanted, &control, &mut counts);
        let mut sum = lock(&into);
        counts.into_iter().for_each(|(name, count)| *sum.entry(name).or_insert(0) += count);
        done
    };
    let mut coverage = run.scan(parts, work).await?;
    coverage.lacks(&view);
    let complete = searcher.conclude(&mut run, &coverage).is_none();
    let names = std::mem::take(&mut *lock(&sum));
    Ok(Known { names, complete, ..Known::default() })
}

fn count(
    part: &Part,
    wanted: &Wanted,
    control: &Control,
    counts: &mut BTreeMap<String, u64>,
) -> Result<(), StoreError> {
    let mut add = |name: &str, events: u64| match counts.get_mut(name) {
        Some(count) => *count += events,
        None => drop(counts.insert(name.to_owned(), events)),
    };
    match part {
        Part::Split(split) => {
            let key = GroupKey::Field(name::DATASET.into());
            split.tally(&wanted.request, &[key], control, &mut |values, events| {
                let text = values.first().map(Value::text).unwrap_or_default();
                add(if text.is_empty() { NO_DATASET } else { &text }, events);
                ControlFlow::Continue(())
            })
        }
        Part::Hot(_) => part.each(wanted, control, &mut |event: &Event| {
            match event.fields.get(name::DATASET).is_none().then(|| event.stream.get(name::DATASET)).flatten()
            {
                Some(name) => add(name, 1),
                None => add(&hit::index(event), 1),
            }
            ControlFlow::Continue(())
        }),
    }
}

/// The view of a tenant, for who needs nothing else.
pub(super) fn view(es: &Es, principal: &Principal) -> View {
    es.searcher.indexer.view(&principal.tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: Result<&[&str], &str>) {
        let names = ["logs-a", "logs-b", "metrics", "logs-2026.03.09"].map(|name| (name.to_owned(), 1));
        let alias = Alias { indices: [("logs-a".to_owned(), None), ("gone".to_owned(), None)].into() };
        let aliases = [("all-of-them".to_owned(), alias)].into();
        let known = Known { names: names.into_iter().collect(), complete: true, aliases };
        let now = Timestamp::parse("2026-03-09T12:00:00Z").unwrap();
        let got = choose(&known, expression, Missing::strict(), now);
        let got = got.map(|indices| indices.names.into_keys().collect::<Vec<_>>());
        let got = got.map_err(|error| error.body()["error"]["type"].as_str().unwrap_or_default().to_owned());
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(got, expected.map_err(str::to_owned), "{expression}");
    }

    #[test]
    fn names_patterns_lists_and_dates_mean_indices() {
        check("logs-a", Ok(&["logs-a"]));
        check("all-of-them", Ok(&["logs-a"]));
        check("all-*", Ok(&["logs-a"]));
        check("logs-a,metrics", Ok(&["logs-a", "metrics"]));
        check("logs-*", Ok(&["logs-2026.03.09", "logs-a", "logs-b"]));
        check("*,-logs-*", Ok(&["metrics"]));
        check("logs-*,-logs-b,-*2026*", Ok(&["logs-a"]));
        check("<logs-{now/d}>", Ok(&["logs-2026.03.09"]));
        check("<logs-{now/M+8d{yyyy.MM.dd|+01:00}}>", Ok(&["logs-2026.03.09"]));
        check("nothing*", Ok(&[]));
        check("nothing", Err("index_not_found_exception"));
        check("logs-a,nothing", Err("index_not_found_exception"));
        check("_nothing", Err("invalid_index_name_exception"));
        check("<logs-{now/d>", Err("illegal_argument_exception"));
    }

    #[test]
    fn what_may_be_missing_is_passed_over_when_asked() {
        let known = Known { names: [("a".to_owned(), 1)].into(), complete: true, ..Known::default() };
        let now = Timestamp::from_seconds(0);
        let lenient = Missing { ignore_unavailable: true, allow_no_indices: true };
        assert_eq!(choose(&known, "a,b", lenient, now).unwrap().names.len(), 1);
        let strict = Missing { ignore_unavailable: true, allow_no_indices: false };
        assert!(choose(&known, "x*", strict, now).is_err());
    }
}
