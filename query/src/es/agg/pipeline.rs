//! Aggregations of aggregations: along the buckets of the one they are in (`derivative`, `moving_fn`, `bucket_script`, …), or beside
//! one, over its buckets (`avg_bucket`, …). They work on what is shown.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::metric::shown;
use super::script::{Moving, Script};
use crate::es::date;
use crate::es::error::Error;

type Bucket = Map<String, Json>;

/// What stands for a value where a bucket has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Skip,
    Zeros,
    Keep,
}

/// Which of several values is made of those of the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Average,
    Sum,
    Min,
    Max,
    Stats,
}

#[derive(Clone, Debug)]
enum Kind {
    Derivative { unit_millis: Option<i64> },
    CumulativeSum,
    Moving { moving: Moving, window: usize, shift: i64 },
    Difference { lag: usize },
    Script(Script),
    Selector(Script),
    Sort { keys: Vec<(String, bool)>, from: usize, size: usize },
    Over(Over),
}

/// One aggregation of aggregations.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    name: String,
    kind: Kind,
    /// What it looks at; by the names that a script has for it.
    paths: BTreeMap<String, String>,
    gap: Gap,
}

impl Pipe {
    /// As Elasticsearch names the type of its answer.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Derivative { .. } => "derivative",
            Kind::Over(Over::Min | Over::Max) => "bucket_metric_value",
            Kind::Over(Over::Stats) => "stats_bucket",
            _ => "simple_value",
        }
    }
}

/// Reads one; nothing if it is none of these.
pub(super) fn read(name: &str, kind: &str, body: &Map<String, Json>) -> Result<Option<Pipe>, Error> {
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    let count = |name: &str, default: usize| {
        body.get(name)
            .and_then(Json::as_u64)
            .map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    let kind = match kind {
        "derivative" => {
            let unit = text("unit").map(|unit| {
                unit_millis(unit).ok_or_else(|| Error::illegal(format!("[unit] cannot be [{unit}]")))
            });
            Kind::Derivative { unit_millis: unit.transpose()? }
        }
        "cumulative_sum" => Kind::CumulativeSum,
        "moving_fn" => {
            let window = count("window", 0);
            if window == 0 {
                return Err(Error::illegal("[window] must be a positive, non-zero integer."));
            }
            let shift = body.get("shift").and_then(Json::as_i64).unwrap_or(0);
            Kind::Moving { moving: Moving::read(&source(body)?)?, window, shift }
        }
        "serial_diff" => Kind::Difference { lag: count("lag", 1).max(1) },
        "bucket_script" => Kind::Script(script(body)?),
        "bucket_selector" => Kind::Selector(script(body)?),
        "bucket_sort" => Kind::Sort {
            keys: sort_keys(body.get("sort"))?,
            from: count("from", 0),
            size: count("size", usize::MAX),
        },
        "avg_bucket" => Kind::Over(Over::Average),
        "sum_bucket" => Kind::Over(Over::Sum),
        "min_bucket" => Kind::Over(Over::Min),
        "max_bucket" => Kind::Over(Over::Max),
        "stats_bucket" => Kind::Over(Over::Stats),
        "moving_avg"
        | "moving_percentiles"
        | "percentiles_bucket"
        | "extended_stats_bucket"
        | "cumulative_cardinality"
        | "normalize"
        | "inference"
        | "bucket_correlation"
        | "bucket_count_ks_test"
        | "change_point" => {
            return Err(Error::unsupported(&format!("aggregation {kind}")));
        }
        _ => return Ok(None),
    };
    let gap = match text("gap_policy") {
        None | Some("skip") => Gap::Skip,
        Some("insert_zeros") => Gap::Zeros,
        Some("keep_values") => Gap::Keep,
        Some(other) => {
            return Err(Error::illegal(format!(
                "Invalid gap policy: [{other}], accepted values: [insert_zeros, skip, keep_values]"
            )));
        }
    };
    let paths = paths(body.get("buckets_path"), name, &kind)?;
    Ok(Some(Pipe { name: name.to_owned(), kind, paths, gap }))
}

fn paths(given: Option<&Json>, name: &str, kind: &Kind) -> Result<BTreeMap<String, String>, Error> {
    let missing = || Error::parsing(format!("Missing required field [buckets_path] for [{name}]"));
    Ok(match given {
        None if matches!(kind, Kind::Sort { .. }) => BTreeMap::new(),
        Some(Json::String(path)) => [("_value".to_owned(), path.clone())].into(),
        Some(Json::Array(items)) => {
            let path = items.first().and_then(Json::as_str).ok_or_else(missing)?;
            [("_value".to_owned(), path.to_owned())].into()
        }
        Some(Json::Object(members)) => {
            let named = members.iter().map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned())));
            named.collect::<Option<_>>().ok_or_else(missing)?
        }
        _ => return Err(missing()),
    })
}

fn source(body: &Map<String, Json>) -> Result<String, Error> {
    let script = body.get("script");
    let text =
        script.and_then(Json::as_str).or_else(|| script?.get("source").or(script?.get("inline"))?.as_str());
    text.map(str::to_owned).ok_or_else(|| Error::parsing("Missing required field [script]"))
}

fn script(body: &Map<String, Json>) -> Result<Script, Error> {
    let constants = body.get("script").and_then(|script| script.get("params")).and_then(Json::as_object);
    let constants =
        constants.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
    Script::read(&source(body)?, constants.collect())
}

fn unit_millis(text: &str) -> Option<i64> {
    let fixed = match text {
        "second" => "1s",
        "minute" => "1m",
        "hour" => "1h",
        "day" | "1day" => "1d",
        "week" | "1w" => "7d",
        other => other,
    };
    date::fixed(fixed).map(|nanos| nanos / 1_000_000).filter(|millis| *millis > 0)
}

fn sort_keys(sort: Option<&Json>) -> Result<Vec<(String, bool)>, Error> {
    let items: Vec<&Json> = match sort {
        None => Vec::new(),
        Some(Json::Array(items)) => items.iter().collect(),
        Some(item) => vec![item],
    };
    let one = |item: &Json| match item {
        Json::String(path) => Ok((path.clone(), false)),
        Json::Object(members) => match (members.iter().next(), members.len()) {
            (Some((path, order)), 1) => {
                let order = order.as_str().or_else(|| order.get("order")?.as_str()).unwrap_or("asc");
                Ok((path.clone(), order.eq_ignore_ascii_case("desc")))
            }
            _ => Err(Error::parsing(format!("[bucket_sort] cannot sort by [{item}]"))),
        },
        other => Err(Error::parsing(format!("[bucket_sort] cannot sort by [{other}]"))),
    };
    items.into_iter().map(one).collect()
}

/// Those that look at others come after them.
pub(super) fn sorted(mut pipes: Vec<Pipe>) -> Result<Vec<Pipe>, Error> {
    let mut done: Vec<Pipe> = Vec::new();
    while !pipes.is_empty() {
        let names: Vec<String> = pipes.iter().map(|pipe| pipe.name.clone()).collect();
        let is_free = |pipe: &Pipe| {
            let waits = |path: &String| {
                let first = path.split(['>', '.', '[']).next().unwrap_or_default();
                names.iter().any(|name| name == first && *name != pipe.name)
            };
            !pipe.paths.values().any(waits)
        };
        let Some(at) = pipes.iter().position(is_free) else {
            return Err(Error::illegal(format!(
                "Cyclical dependency found with pipeline aggregator [{}]",
                names.join(", ")
            )));
        };
        done.push(pipes.remove(at));
    }
    Ok(done)
}

/// The number at a path within a bucket: `_count`, `metric`, `metric.value`, `single>metric`. Nothing where the bucket has none.
pub(super) fn value(bucket: &Bucket, path: &str) -> Option<f64> {
    let (first, rest) = path.split_once('>').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match first {
        "_count" => return bucket.get("doc_count").and_then(Json::as_f64),
        "_key" => return bucket.get("key").and_then(Json::as_f64),
        _ => {}
    }
    let bracketed = first.split_once('[').and_then(|(name, inner)| Some((name, inner.strip_suffix(']')?)));
    let (name, member) = match (bucket.contains_key(first), bracketed.or_else(|| first.split_once('.'))) {
        (false, Some((name, member))) => (name, Some(member.trim_matches(['\'', '"']))),
        _ => (first, None),
    };
    let body = bucket.get(name)?.as_object()?;
    if let Some(rest) = rest {
        return value(body, rest);
    }
    let found = match member {
        None => body.get("value").or(body.get("doc_count")),
        Some("_count") => body.get("doc_count"),
        Some("std_upper") => body.get("std_deviation_bounds").and_then(|bounds| bounds.get("upper")),
        Some("std_lower") => body.get("std_deviation_bounds").and_then(|bounds| bounds.get("lower")),
        Some(member) => body.get(member).or_else(|| of_points(body, member)),
    };
    found.and_then(Json::as_f64)
}

/// Refuses paths that lead nowhere: `names` are what stands beside or within.
pub(super) fn check_paths(pipes: &[Pipe], along: bool, names: &[&str]) -> Result<(), Error> {
    for pipe in pipes.iter().filter(|pipe| matches!(pipe.kind, Kind::Over(_)) != along) {
        for path in pipe.paths.values() {
            let leads_to = |name: &&str| {
                let rest = path.strip_prefix(*name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '>', '[']))
            };
            let is_own = along && matches!(path.as_str(), "_count" | "_key");
            if !is_own && !names.iter().any(leads_to) {
                return Err(Error::illegal(format!("No aggregation found for path [{path}]")));
            }
        }
    }
    Ok(())
}

/// A percentile, or a metric of the first of `top_metrics`.
fn of_points<'a>(body: &'a Bucket, member: &str) -> Option<&'a Json> {
    if let Some(top) = body.get("top").and_then(Json::as_array) {
        return top.first()?.get("metrics")?.get(member);
    }
    let values = body.get("values")?.as_object()?;
    let number: f64 = member.parse().ok()?;
    values
        .get(member)
        .or_else(|| values.iter().find(|(key, _)| key.parse() == Ok(number)).map(|(_, value)| value))
}

impl Pipe {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value at a path, or what stands for it where there is none.
    fn value(&self, bucket: &Bucket, path: &str) -> Option<f64> {
        let found = value(bucket, path);
        let is_empty = path != "_count" && bucket.get("doc_count").and_then(Json::as_u64) == Some(0);
        match self.gap {
            Gap::Zeros if is_empty || found.is_none() => Some(0.0),
            Gap::Skip if is_empty => None,
            _ => found,
        }
    }

    fn only(&self) -> &str {
        self.paths.values().next().map_or("_count", String::as_str)
    }

    fn set(&self, bucket: &mut Bucket, value: Option<f64>) {
        bucket.insert(self.name.clone(), json!({"value": shown(value)}));
    }
}

/// Applies those that go along the buckets they are in.
pub(super) fn along(pipes: &[Pipe], buckets: &mut Vec<Bucket>) -> Result<(), Error> {
    pipes.iter().filter(|pipe| !matches!(pipe.kind, Kind::Over(_))).try_for_each(|pipe| pipe.along(buckets))
}

/// Applies those that stand beside the aggregation whose buckets they look at.
pub(super) fn beside(pipes: &[Pipe], level: &mut Bucket) -> Result<(), Error> {
    for pipe in pipes {
        if let Kind::Over(over) = pipe.kind {
            let made = pipe.over(over, level)?;
            level.insert(pipe.name.clone(), made);
        }
    }
    Ok(())
}

impl Pipe {
    fn along(&self, buckets: &mut Vec<Bucket>) -> Result<(), Error> {
        if let Kind::Sort { keys, from, size } = &self.kind {
            self.sort(keys, *from, *size, buckets);
            return Ok(());
        }
        if let Kind::Script(script) | Kind::Selector(script) = &self.kind {
            return self.scripted(script, buckets);
        }
        let values: Vec<Option<f64>> = buckets.iter().map(|bucket| self.value(bucket, self.only())).collect();
        match &self.kind {
            Kind::Derivative { unit_millis } => self.derivative(*unit_millis, &values, buckets),
            Kind::CumulativeSum => {
                let mut sum = 0.0;
                for (bucket, value) in buckets.iter_mut().zip(values) {
                    sum += value.unwrap_or(0.0);
                    self.set(bucket, Some(sum));
                }
            }
            Kind::Difference { lag } => {
                for (at, bucket) in buckets.iter_mut().enumerate() {
                    let before = at.checked_sub(*lag).and_then(|at| values.get(at).copied().flatten());
                    if let (Some(before), Some(now)) = (before, values.get(at).copied().flatten()) {
                        self.set(bucket, Some(now - before));
                    }
                }
            }
            Kind::Moving { moving, window, shift } => {
                for (at, bucket) in buckets.iter_mut().enumerate() {
                    let end = i64::try_from(at).unwrap_or(i64::MAX).saturating_add(*shift);
                    let start = end.saturating_sub(i64::try_from(*window).unwrap_or(i64::MAX)).max(0);
                    let (start, end) =
                        (usize::try_from(start).unwrap_or(0), usize::try_from(end.max(0)).unwrap_or(0));
                    let inside = values.get(start..end.min(values.len()).max(start)).unwrap_or_default();
                    let inside: Vec<f64> = inside.iter().copied().flatten().collect();
                    self.set(bucket, moving.of(&inside));
                }
            }
            Kind::Script(_) | Kind::Selector(_) | Kind::Sort { .. } | Kind::Over(_) => {}
        }
        Ok(())
    }

    fn derivative(&self, unit_millis: Option<i64>, values: &[Option<f64>], buckets: &mut [Bucket]) {
        let mut before: Option<(Option<f64>, Option<f64>)> = None;
        for (bucket, value) in buckets.iter_mut().zip(values) {
            let key = bucket.get("key").and_then(Json::as_f64);
            if let Some((last, last_key)) = before {
                let change = value.zip(last).map(|(now, last)| now - last);
                self.set(bucket, change);
                let length = key.zip(last_key).map(|(now, last)| now - last);
                if let (Some(unit), Some(length), Some(body)) =
                    (unit_millis, length, bucket.get_mut(&self.name).and_then(Json::as_object_mut))
                {
                    let normalized = change.map(|change| change / (length / unit as f64));
                    body.insert("normalized_value".into(), shown(normalized));
                }
            }
            before = Some((*value, key));
        }
    }

    fn scripted(&self, script: &Script, buckets: &mut Vec<Bucket>) -> Result<(), Error> {
        let mut kept = Vec::with_capacity(buckets.len());
        for mut bucket in std::mem::take(buckets) {
            let mut variables = BTreeMap::new();
            let mut lacks = false;
            for (name, path) in &self.paths {
                let value = self.value(&bucket, path);
                lacks |= value.is_none();
                variables.insert(name.as_str(), value.unwrap_or(f64::NAN));
            }
            match self.kind {
                Kind::Selector(_) => {
                    if script.of(&variables)? == 0.0 {
                        continue;
                    }
                }
                _ if lacks => {}
                _ => {
                    let made = script.of(&variables)?;
                    self.set(&mut bucket, Some(made));
                }
            }
            kept.push(bucket);
        }
        *buckets = kept;
        Ok(())
    }

    fn sort(&self, keys: &[(String, bool)], from: usize, size: usize, buckets: &mut Vec<Bucket>) {
        let mut valued = Vec::with_capacity(buckets.len());
        for bucket in std::mem::take(buckets) {
            let values: Vec<Option<Json>> =
                keys.iter().map(|(path, _)| sort_value(self, &bucket, path)).collect();
            // What has no value to be sorted by is left out.
            if values.iter().all(Option::is_some) || self.gap != Gap::Skip {
                valued.push((values, bucket));
            }
        }
        valued.sort_by(|(one, _), (two, _)| {
            let pairs = keys.iter().zip(one.iter().zip(two));
            let order = pairs.map(|((_, descending), (one, two))| {
                let order = compare(one.as_ref(), two.as_ref());
                if *descending { order.reverse() } else { order }
            });
            order.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        buckets.extend(valued.into_iter().skip(from).take(size).map(|(_, bucket)| bucket));
    }

    fn over(&self, over: Over, level: &Bucket) -> Result<Json, Error> {
        let path = self.only();
        let (first, rest) = path.split_once('>').unwrap_or((path, "_count"));
        let unknown = || Error::illegal(format!("No aggregation found for path [{path}]"));
        let buckets: Vec<(String, &Bucket)> = match level.get(first).and_then(|body| body.get("buckets")) {
            Some(Json::Array(items)) => {
                items.iter().filter_map(Json::as_object).map(|bucket| (key_of(bucket), bucket)).collect()
            }
            Some(Json::Object(named)) => {
                named.iter().filter_map(|(name, bucket)| Some((name.clone(), bucket.as_object()?))).collect()
            }
            _ => return Err(unknown()),
        };
        let mut values = Vec::new();
        for (key, bucket) in buckets {
            values.extend(self.value(bucket, rest).map(|value| (key, value)));
        }
        Ok(summary(over, &values))
    }
}

fn key_of(bucket: &Bucket) -> String {
    match bucket.get("key_as_string").or(bucket.get("key")) {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn summary(over: Over, values: &[(String, f64)]) -> Json {
    let sum: f64 = values.iter().map(|(_, value)| value).sum();
    let average = (!values.is_empty()).then(|| sum / values.len() as f64);
    let extreme = |pick: fn(f64, f64) -> f64| values.iter().map(|(_, value)| *value).reduce(pick);
    let keyed = |value: Option<f64>| {
        let keys: Vec<&String> =
            values.iter().filter(|(_, own)| Some(*own) == value).map(|(key, _)| key).collect();
        json!({"value": shown(value), "keys": keys})
    };
    match over {
        Over::Average => json!({"value": shown(average)}),
        Over::Sum => json!({"value": sum}),
        Over::Min => keyed(extreme(f64::min)),
        Over::Max => keyed(extreme(f64::max)),
        Over::Stats => json!({
            "count": values.len(),
            "min": shown(extreme(f64::min)),
            "max": shown(extreme(f64::max)),
            "avg": shown(average),
            "sum": sum,
        }),
    }
}

/// What a bucket is sorted by: a number, or the text of its key.
fn sort_value(pipe: &Pipe, bucket: &Bucket, path: &str) -> Option<Json> {
    if path == "_key" {
        return bucket.get("key").cloned();
    }
    pipe.value(bucket, path).map(|value| json!(value))
}

fn compare(one: Option<&Json>, two: Option<&Json>) -> std::cmp::Ordering {
    let number = |value: Option<&Json>| value.and_then(Json::as_f64);
    match (number(one), number(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        _ => {
            let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
            text(one).cmp(&text(two))
        }
    }
}
