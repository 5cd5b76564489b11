//! Metrics: what is made of the values of the documents in a bucket.

use std::sync::Arc;

use locard_event::{Timestamp, Value};
use serde_json::{Map, Value as Json, json};

use super::doc::Doc;
use super::number::{Numbers, Sorted, number};
use super::top::{Keep, Top};
use crate::es::date::zoned;
use crate::es::fields::{self, Wanted};
use crate::es::key::Key;
use crate::es::sort::Sorting;
use crate::es::source::SourceFilter;
use crate::es::{field, hit, pattern};
use crate::pipe::{Distinct, Weighted};

/// How long a bucket of time is: nanoseconds, and months if it is made of months.
pub(super) type Length = Option<(i64, i64)>;

/// A metric of the values of one field, or of documents.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) function: Function,
    pub(super) field: Box<str>,
    /// What stands in for a value that is missing.
    pub(super) missing: Option<Value>,
    pub(super) format: Option<String>,
}

/// What is made of the values.
#[derive(Debug)]
pub(super) enum Function {
    Average,
    Sum,
    Min,
    Max,
    Count,
    Stats,
    ExtendedStats {
        sigma: f64,
    },
    Distinct,
    Percentiles {
        percents: Vec<f64>,
        keyed: bool,
    },
    PercentileRanks {
        numbers: Vec<f64>,
        keyed: bool,
    },
    MedianDeviation,
    /// Values, or documents where there is no field, in a length of time.
    Rate {
        unit_nanos: i64,
        unit_months: i64,
        sums: bool,
    },
    TopHits(TopHits),
    TopMetrics {
        fields: Vec<Box<str>>,
        sorting: Arc<Sorting>,
        size: usize,
    },
}

/// What `top_hits` shows.
#[derive(Debug)]
pub(super) struct TopHits {
    pub(super) sorting: Arc<Sorting>,
    pub(super) from: usize,
    pub(super) size: usize,
    pub(super) source: SourceFilter,
    pub(super) fields: Vec<Wanted>,
}

/// What a metric remembers.
#[derive(Clone, Debug)]
pub(super) enum State {
    Numbers(Box<Numbers>),
    Count(u64),
    Distinct(Distinct),
    Weighted(Weighted),
    Top(Top, u64),
}

impl Metric {
    /// The state before the first document.
    pub(super) fn empty(&self) -> State {
        match &self.function {
            Function::Count | Function::Rate { sums: false, .. } => State::Count(0),
            Function::Distinct => State::Distinct(Distinct::default()),
            Function::Percentiles { .. } | Function::PercentileRanks { .. } | Function::MedianDeviation => {
                State::Weighted(Weighted::default())
            }
            Function::TopHits(hits) => State::Top(Top::new(&hits.sorting, hits.from + hits.size), 0),
            Function::TopMetrics { sorting, size, .. } => State::Top(Top::new(sorting, *size), 0),
            _ => State::Numbers(Box::default()),
        }
    }

    /// Whether it needs whole events.
    pub(super) fn needs_events(&self) -> bool {
        matches!(self.function, Function::TopHits(_) | Function::TopMetrics { .. })
    }

    /// Adds so many documents; says by how many bytes the state grew.
    pub(super) fn add(&self, state: &mut State, doc: Doc<'_>, times: u64) -> usize {
        if let State::Top(top, count) = state {
            let Some(event) = doc.event() else { return 0 };
            *count += times;
            return match &self.function {
                Function::TopMetrics { fields, .. } => top.add(event, |_| {
                    Keep::Values(fields.iter().map(|field| doc.get(field).into_owned()).collect())
                }),
                _ => top.add(event, |event| Keep::Whole(Box::new(event.clone()))),
            };
        }
        if let (State::Count(count), true) = (&mut *state, self.field.is_empty()) {
            *count += times;
            return 0;
        }
        let mut grown = 0;
        let mut any = false;
        doc.each(&self.field, |value| {
            any = true;
            grown += state.add(value, times);
        });
        if let (false, Some(missing)) = (any, &self.missing) {
            grown += state.add(missing, times);
        }
        grown
    }
}

impl State {
    fn add(&mut self, value: &Value, times: u64) -> usize {
        match self {
            Self::Count(count) => {
                *count += times;
                0
            }
            Self::Distinct(distinct) => distinct.add(value),
            Self::Numbers(numbers) => number(value).map_or(0, |number| numbers.add(number, times)),
            Self::Weighted(numbers) => number(value).map_or(0, |number| numbers.add(number, times)),
            Self::Top(..) => 0,
        }
    }

    /// Adds what another one remembers; says by how many bytes it grew.
    pub(super) fn merge(&mut self, other: Self) -> usize {
        match (self, other) {
            (Self::Count(own), Self::Count(their)) => {
                *own += their;
                0
            }
            (Self::Distinct(own), Self::Distinct(their)) => own.merge(their),
            (Self::Numbers(own), Self::Numbers(their)) => own.merge(&their),
            (Self::Weighted(own), Self::Weighted(their)) => own.merge(their),
            (Self::Top(own, count), Self::Top(their, more)) => {
                *count += more;
                own.merge(their)
            }
            _ => 0,
        }
    }
}

/// A number as answers show it; nothing if there is none.
pub(super) fn shown(number: Option<f64>) -> Json {
    number.filter(|number| number.is_finite()).map_or(Json::Null, |number| json!(number))
}

impl Metric {
    fn formatted(&self, number: f64) -> Option<String> {
        let is_time = field::is_time(&self.field);
        let format = match (&self.format, is_time) {
            (Some(format), true) => format.as_str(),
            (None, true) => "strict_date_optional_time",
            _ => return None,
        };
        let time = Timestamp::from_millis(number as i64);
        Some(pattern::write(format, &zoned(time, &jiff::tz::TimeZone::UTC)))
    }

    fn single(&self, value: Option<f64>) -> Json {
        let mut body = Map::new();
        body.insert("value".into(), shown(value));
        if let Some(text) = value.and_then(|number| self.formatted(number)) {
            body.insert("value_as_string".into(), json!(text));
        }
        Json::Object(body)
    }

    /// As an answer shows it, in a bucket of this length.
    pub(super) fn show(&self, state: &State, length: Length) -> Json {
        match (&self.function, state) {
            (Function::Stats, State::Numbers(numbers)) => Json::Object(self.stats(numbers)),
            (Function::ExtendedStats { sigma }, State::Numbers(numbers)) => self.extended(numbers, *sigma),
            (Function::Percentiles { percents, keyed }, State::Weighted(numbers)) => {
                let sorted = Sorted(numbers.clone().into_sorted());
                self.points(percents, *keyed, |percent| sorted.at(percent))
            }
            (Function::PercentileRanks { numbers: asked, keyed }, State::Weighted(numbers)) => {
                let sorted = Sorted(numbers.clone().into_sorted());
                self.points(asked, *keyed, |number| sorted.rank(number))
            }
            (Function::TopHits(hits), State::Top(top, count)) => hits.show(top, *count),
            (Function::TopMetrics { fields, sorting, .. }, State::Top(top, _)) => {
                top_metrics(fields, sorting, top)
            }
            (Function::Count | Function::Distinct, _) => {
                json!({"value": self.value(state, "value", length).unwrap_or(0.0) as u64})
            }
            _ => self.single(self.value(state, "value", length)),
        }
    }

    /// One of its values, as orders and paths name it.
    pub(super) fn value(&self, state: &State, name: &str, length: Length) -> Option<f64> {
        let sorted = |numbers: &Weighted| Sorted(numbers.clone().into_sorted());
        match (&self.function, state) {
            (Function::Rate { unit_nanos, unit_months, .. }, state) => {
                let total = match state {
                    State::Count(count) => *count as f64,
                    State::Numbers(numbers) => numbers.sum(),
                    _ => return None,
                };
                let (nanos, months) = length?;
                let units = match *unit_months {
                    0 => nanos as f64 / *unit_nanos as f64,
                    unit => months as f64 / unit as f64,
                };
                (units > 0.0).then(|| total / units)
            }
            (_, State::Count(count)) => Some(*count as f64),
            (_, State::Distinct(distinct)) => Some(distinct.count() as f64),
            (Function::MedianDeviation, State::Weighted(numbers)) => sorted(numbers).deviation(),
            (Function::PercentileRanks { .. }, State::Weighted(numbers)) => {
                sorted(numbers).rank(name.parse().ok()?)
            }
            (_, State::Weighted(numbers)) => sorted(numbers).at(name.parse().ok()?),
            (function, State::Numbers(numbers)) => of_numbers(function, numbers, name),
            (Function::TopMetrics { fields, .. }, State::Top(top, _)) => {
                let at = fields.iter().position(|field| &**field == name)?;
                match top.first().into_iter().next()?.1 {
                    Keep::Values(values) => values.get(at).and_then(number),
                    Keep::Whole(_) => None,
                }
            }
            _ => None,
        }
    }

    fn stats(&self, numbers: &Numbers) -> Map<String, Json> {
        let mut body = Map::new();
        let present = |number: f64| (numbers.count > 0).then_some(number);
        body.insert("count".into(), json!(numbers.count));
        let values = [
            ("min", present(numbers.min)),
            ("max", present(numbers.max)),
            ("avg", numbers.average()),
            ("sum", Some(numbers.sum())),
        ];
        for (name, value) in values {
            body.insert(name.into(), shown(value));
            if let Some(text) = value.filter(|_| numbers.count > 0).and_then(|number| self.formatted(number))
            {
                body.insert(format!("{name}_as_string"), json!(text));
            }
        }
        body
    }

    fn extended(&self, numbers: &Numbers, sigma: f64) -> Json {
        let mut body = self.stats(numbers);
        let squares = (numbers.count > 0).then(|| numbers.squares());
        let (all, sample) = (numbers.variance(false), numbers.variance(true));
        let root = |variance: Option<f64>| variance.map(f64::sqrt);
        let bound = |deviation: Option<f64>, side: f64| {
            let pair = numbers.average().zip(deviation);
            shown(pair.map(|(average, deviation)| average + side * sigma * deviation))
        };
        for (name, value) in [
            ("sum_of_squares", squares),
            ("variance", all),
            ("variance_population", all),
            ("variance_sampling", sample),
            ("std_deviation", root(all)),
            ("std_deviation_population", root(all)),
            ("std_deviation_sampling", root(sample)),
        ] {
            body.insert(name.into(), shown(value));
        }
        let bounds = json!({
            "upper": bound(root(all), 1.0),
            "lower": bound(root(all), -1.0),
            "upper_population": bound(root(all), 1.0),
            "lower_population": bound(root(all), -1.0),
            "upper_sampling": bound(root(sample), 1.0),
            "lower_sampling": bound(root(sample), -1.0),
        });
        body.insert("std_deviation_bounds".into(), bounds);
        Json::Object(body)
    }

    fn points(&self, asked: &[f64], keyed: bool, value: impl Fn(f64) -> Option<f64>) -> Json {
        let name = |number: f64| crate::es::key::float_text(number);
        if keyed {
            let mut values = Map::new();
            for number in asked {
                let found = value(*number);
                values.insert(name(*number), shown(found));
                if let Some(text) = found.and_then(|number| self.formatted(number)) {
                    values.insert(format!("{}_as_string", name(*number)), json!(text));
                }
            }
            return json!({"values": values});
        }
        let values = asked.iter().map(|number| json!({"key": number, "value": shown(value(*number))}));
        json!({"values": values.collect::<Vec<_>>()})
    }
}

fn of_numbers(function: &Function, numbers: &Numbers, name: &str) -> Option<f64> {
    let present = |number: f64| (numbers.count > 0).then_some(number);
    let name = match (name, function) {
        ("value", Function::Average) => "avg",
        ("value", Function::Sum) => "sum",
        ("value", Function::Min) => "min",
        ("value", Function::Max) => "max",
        (name, _) => name,
    };
    match name {
        "avg" => numbers.average(),
        "sum" => Some(numbers.sum()),
        "min" => present(numbers.min),
        "max" => present(numbers.max),
        "count" => Some(numbers.count as f64),
        "sum_of_squares" => present(numbers.squares()),
        "variance" | "variance_population" => numbers.variance(false),
        "variance_sampling" => numbers.variance(true),
        "std_deviation" | "std_deviation_population" => numbers.variance(false).map(f64::sqrt),
        "std_deviation_sampling" => numbers.variance(true).map(f64::sqrt),
        _ => None,
    }
}

impl TopHits {
    fn show(&self, top: &Top, count: u64) -> Json {
        let mut hits = Vec::new();
        let scored = self.sorting.shows_score();
        for (values, keep) in top.first().into_iter().skip(self.from) {
            let Keep::Whole(event) = keep else { continue };
            let mut shown = hit::whole(&event, &self.source);
            shown.insert("_score".into(), if scored { json!(1.0) } else { Json::Null });
            if !self.fields.is_empty() {
                shown.insert("fields".into(), Json::Object(fields::values(&event, &self.fields)));
            }
            if self.sorting.is_asked {
                shown.insert("sort".into(), self.sorting.json(&values));
            }
            hits.push(Json::Object(shown));
        }
        let score = if scored && !hits.is_empty() { json!(1.0) } else { Json::Null };
        json!({"hits": {"total": {"value": count, "relation": "eq"}, "max_score": score, "hits": hits}})
    }
}

fn top_metrics(fields: &[Box<str>], sorting: &Sorting, top: &Top) -> Json {
    let one = |(values, keep): (_, Keep)| {
        let Keep::Values(found) = keep else { return Json::Null };
        let value =
            |value: &Value| value.elements().iter().find_map(Key::of).map_or(Json::Null, |key| key.json());
        let metrics: Map<String, Json> =
            fields.iter().map(ToString::to_string).zip(found.iter().map(value)).collect();
        json!({"sort": sorting.json(&values), "metrics": metrics})
    };
    json!({"top": top.first().into_iter().map(one).collect::<Vec<_>>()})
}
