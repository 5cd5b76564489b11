//! [`Grouping`]: which buckets a document is in.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use locard_event::Value;
use locard_filter::Matcher;
use regex::Regex;

use super::doc::Doc;
use super::histogram::{AutoTime, NumberHistogram, TimeHistogram};
use super::ranges::Ranges;
use crate::es::dsl::word;
use crate::es::key::Key;

/// What tells one bucket of an aggregation from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum BucketKey {
    One(Key),
    Many(Vec<Option<Key>>),
    /// One of a fixed number of buckets.
    Place(usize),
}

impl BucketKey {
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::One(key) => key.heap_bytes(),
            Self::Many(keys) => {
                keys.capacity() * size_of::<Option<Key>>()
                    + keys.iter().flatten().map(Key::heap_bytes).sum::<usize>()
            }
            Self::Place(_) => 0,
        }
    }
}

/// How documents are put into buckets.
#[derive(Debug)]
pub(super) enum Grouping {
    Terms(Terms),
    MultiTerms(MultiTerms),
    Rare(Terms),
    Time(TimeHistogram),
    AutoTime(AutoTime, OnceLock<TimeHistogram>),
    Numbers(NumberHistogram),
    Ranges(Ranges),
    Filters(Filters),
    Composite(Composite),
    Missing(Box<str>),
    /// One bucket of everything.
    Everything,
    /// One bucket of everything, whatever the query finds.
    Global,
}

/// What buckets are ordered by.
#[derive(Clone, Debug)]
pub(super) enum OrderBy {
    Count,
    Key,
    /// A metric within, through buckets of one.
    Path(Vec<String>),
}

/// One order, and its direction.
#[derive(Clone, Debug)]
pub(super) struct BucketOrder {
    pub(super) by: OrderBy,
    pub(super) descending: bool,
}

/// Which terms may have a bucket.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    Pattern(Regex),
    Values(HashSet<String>),
}

impl Choice {
    fn has(&self, text: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Values(values) => values.contains(text),
        }
    }
}

/// A bucket for each value of a field.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) field: Box<str>,
    pub(super) size: usize,
    /// For rare terms: the most documents that one may have.
    pub(super) most: u64,
    pub(super) least: u64,
    pub(super) order: Vec<BucketOrder>,
    pub(super) include: Option<Choice>,
    pub(super) exclude: Option<Choice>,
    pub(super) missing: Option<Value>,
    pub(super) format: Option<String>,
    pub(super) shows_error: bool,
    /// Whether each word of a text is a term.
    pub(super) by_words: bool,
    /// Whether texts are dates.
    pub(super) is_date: bool,
    /// Every term there is, where those without documents are shown too.
    pub(super) all: OnceLock<Arc<Vec<BucketKey>>>,
}

impl Terms {
    fn has(&self, key: &Key) -> bool {
        if self.include.is_none() && self.exclude.is_none() {
            return true;
        }
        let text = key.text();
        self.include.as_ref().is_none_or(|choice| choice.has(&text))
            && !self.exclude.as_ref().is_some_and(|choice| choice.has(&text))
    }
}

/// A bucket for each combination of values of several fields.
#[derive(Debug)]
pub(super) struct MultiTerms {
    pub(super) fields: Vec<(Box<str>, Option<Value>)>,
    pub(super) size: usize,
    pub(super) least: u64,
    pub(super) order: Vec<BucketOrder>,
}

/// A bucket for each of several filters.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) filters: Vec<(String, Matcher)>,
    /// The name of the bucket of what none of them matches.
    pub(super) other: Option<String>,
    pub(super) shape: FiltersShape,
}

/// How buckets of filters are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FiltersShape {
    /// One, without a list.
    Single,
    Named,
    Listed,
}

/// One source of a composite's keys.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) of: SourceOf,
    pub(super) descending: bool,
    pub(super) missing_bucket: bool,
}

/// Where a source's keys come from.
#[derive(Debug)]
pub(super) enum SourceOf {
    Terms(Box<str>),
    Time(TimeHistogram),
    Numbers(NumberHistogram),
}

/// Pages of combinations.
#[derive(Debug)]
pub(super) struct Composite {
    pub(super) sources: Vec<Source>,
    pub(super) size: usize,
    pub(super) after: Option<Vec<Option<Key>>>,
}

/// Calls `each` with each key once.
fn once(mut keys: Vec<BucketKey>, each: &mut dyn FnMut(BucketKey)) {
    if keys.len() > 1 {
        keys.sort();
        keys.dedup();
    }
    keys.into_iter().for_each(each);
}

impl Grouping {
    /// Calls `each` with the key of every bucket that a document is in.
    pub(super) fn keys(&self, doc: Doc<'_>, each: &mut dyn FnMut(BucketKey)) {
        let mut keys = Vec::new();
        match self {
            Self::Terms(terms) | Self::Rare(terms) => {
                let found = values(doc, &terms.field, terms.missing.as_ref());
                let found = match (terms.by_words, terms.is_date) {
                    (true, _) => words(found),
                    (false, true) => found.iter().map(Key::as_date).collect(),
                    (false, false) => found,
                };
                for key in found {
                    if terms.has(&key) {
                        keys.push(BucketKey::One(key));
                    }
                }
            }
            Self::MultiTerms(terms) => {
                let lists = terms.fields.iter().map(|(field, missing)| {
                    values(doc, field, missing.as_ref()).into_iter().map(Some).collect()
                });
                keys.extend(combinations(lists.collect()).into_iter().map(BucketKey::Many));
            }
            Self::Time(histogram) => keys.extend(histogram.keys(doc).into_iter().map(BucketKey::One)),
            Self::AutoTime(_, histogram) => {
                let found = histogram.get().map(|histogram| histogram.keys(doc)).unwrap_or_default();
                keys.extend(found.into_iter().map(BucketKey::One));
            }
            Self::Numbers(histogram) => keys.extend(histogram.keys(doc).into_iter().map(BucketKey::One)),
            Self::Ranges(ranges) => keys.extend(ranges.places(doc).into_iter().map(BucketKey::Place)),
            Self::Filters(filters) => keys.extend(filters.places(doc).into_iter().map(BucketKey::Place)),
            Self::Composite(composite) => keys.extend(composite.keys(doc).into_iter().map(BucketKey::Many)),
            Self::Missing(field) if doc.has(field) => {}
            Self::Missing(_) | Self::Everything | Self::Global => keys.push(BucketKey::Place(0)),
        }
        once(keys, each);
    }
}

/// The values of a field as keys.
fn values(doc: Doc<'_>, field: &str, missing: Option<&Value>) -> Vec<Key> {
    let mut keys = Vec::new();
    doc.each(field, |value| keys.extend(Key::of(value)));
    if keys.is_empty() {
        keys.extend(missing.and_then(Key::of));
    }
    keys
}

/// Texts as their words.
fn words(keys: Vec<Key>) -> Vec<Key> {
    let each = |key: Key| match key {
        Key::Text(text) => word::words(&text).into_iter().map(|word| Key::Text(word.into())).collect(),
        key => vec![key],
    };
    keys.into_iter().flat_map(each).collect()
}

/// Every way to take one of each list.
fn combinations(lists: Vec<Vec<Option<Key>>>) -> Vec<Vec<Option<Key>>> {
    let mut all: Vec<Vec<Option<Key>>> = vec![Vec::new()];
    for list in lists {
        let with = |before: &Vec<Option<Key>>| {
            let before = before.clone();
            list.iter()
                .map(move |key| before.iter().cloned().chain([key.clone()]).collect())
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

impl Filters {
    fn places(&self, doc: Doc<'_>) -> Vec<usize> {
        let Some(event) = doc.event() else { return Vec::new() };
        let matching = self.filters.iter().enumerate().filter(|(_, (_, matcher))| matcher.matches(event));
        let mut places: Vec<usize> = matching.map(|(place, _)| place).collect();
        if places.is_empty() && self.other.is_some() {
            places.push(self.filters.len());
        }
        places
    }
}

impl Composite {
    fn keys(&self, doc: Doc<'_>) -> Vec<Vec<Option<Key>>> {
        let lists = self.sources.iter().map(|source| {
            let keys = match &source.of {
                SourceOf::Terms(field) => values(doc, field, None),
                SourceOf::Time(histogram) => histogram.keys(doc),
                SourceOf::Numbers(histogram) => histogram.keys(doc),
            };
            match keys.is_empty() {
                true if source.missing_bucket => vec![None],
                _ => keys.into_iter().map(Some).collect(),
            }
        });
        combinations(lists.collect())
    }

    /// How two keys stand in the order of the sources; what is missing comes first going up.
    pub(super) fn compare(&self, one: &[Option<Key>], two: &[Option<Key>]) -> std::cmp::Ordering {
        let pairs = self.sources.iter().zip(one.iter().zip(two));
        let order =
            pairs.map(|(source, (one, two))| if source.descending { two.cmp(one) } else { one.cmp(two) });
        order.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    }
}
