//! Reading aggregations. What is not known is refused by its name, and so is what has no exact answer here.

use std::sync::{Arc, OnceLock};

use locard_event::{Timestamp, Value};
use locard_filter::{Filter, MAX_DEPTH, Matcher};
use serde_json::{Map, Value as Json};

use super::bucket::{
    BucketOrder, Choice, Composite, Filters, FiltersShape, Grouping, MultiTerms, OrderBy, Source, SourceOf,
    Terms,
};
use super::histogram::{AutoTime, Bounds, Interval, NumberHistogram, TimeHistogram};
use super::metric::{Function, Metric, TopHits};
use super::pipeline::{self, Pipe};
use super::ranges::{End, Of, OneRange, Ranges};
use super::{Kind, Node};
use crate::es::date::{self, Reading, Unit, zone};
use crate::es::error::Error;
use crate::es::field::{self, plain};
use crate::es::key::{Key, float_text, millis};
use crate::es::sort::Sorting;
use crate::es::source::SourceFilter;
use crate::es::{dsl, fields};

/// Most documents of a `top_hits`, as `index.max_inner_result_window`.
const MAX_TOP: usize = 100;
/// Most terms of one aggregation.
const MAX_SIZE: usize = super::MAX_BUCKETS;

type Members = Map<String, Json>;

/// Reads the aggregations of one level, and the aggregations of aggregations among them.
pub(super) fn level(body: &Json, now: Timestamp, depth: usize) -> Result<(Vec<Node>, Vec<Pipe>), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::illegal(format!("aggregations are nested deeper than {MAX_DEPTH}")));
    }
    let members = body.as_object().ok_or_else(|| Error::parsing("[aggs] must be an object"))?;
    let (mut nodes, mut pipes) = (Vec::new(), Vec::new());
    for (name, body) in members {
        if name.contains(['[', ']', '>']) {
            return Err(Error::parsing(format!(
                "Invalid aggregation name [{name}]. Aggregation names cannot contain '[', ']', and '>'"
            )));
        }
        let members = body.as_object();
        let members = members.ok_or_else(|| {
            Error::parsing(format!(
                "Aggregation definition for [{name}] starts with a [{body}], expected a [START_OBJECT]."
            ))
        })?;
        one(name, members, now, depth, &mut nodes, &mut pipes)?;
    }
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    pipeline::check_paths(&pipes, false, &names)?;
    let names: Vec<&str> = names.into_iter().chain(pipes.iter().map(Pipe::name)).collect();
    pipeline::check_paths(&pipes, true, &names)?;
    Ok((nodes, pipeline::sorted(pipes)?))
}

fn one(
    name: &str,
    members: &Members,
    now: Timestamp,
    depth: usize,
    nodes: &mut Vec<Node>,
    pipes: &mut Vec<Pipe>,
) -> Result<(), Error> {
    let rest = |key: &&String| !matches!(key.as_str(), "aggs" | "aggregations" | "meta");
    let mut kinds = members.keys().filter(rest);
    let Some(kind) = kinds.next() else {
        return Err(Error::parsing(format!("Missing definition for aggregation [{name}]")));
    };
    if let Some(second) = kinds.next() {
        return Err(Error::parsing(format!(
            "Found two aggregation type definitions in [{name}]: [{kind}] and [{second}]"
        )));
    }
    let empty = Map::new();
    let body = members.get(kind).and_then(Json::as_object).unwrap_or(&empty);
    if let Some(pipe) = pipeline::read(name, kind, body)? {
        pipes.push(pipe);
        return Ok(());
    }
    let (subs, inner) = match members.get("aggs").or(members.get("aggregations")) {
        Some(body) => level(body, now, depth + 1)?,
        None => (Vec::new(), Vec::new()),
    };
    let reader = Body { name, kind, members: body, now, depth };
    let kind = match reader.grouping()? {
        Some(grouping) => Kind::Buckets(Box::new(grouping)),
        None => Kind::Metric(reader.metric()?),
    };
    if matches!(kind, Kind::Metric(_)) && !(subs.is_empty() && inner.is_empty()) {
        return Err(Error::parsing(format!(
            "Aggregator [{name}] of type [{}] cannot accept sub-aggregations",
            reader.kind
        )));
    }
    nodes.push(Node { name: name.to_owned(), kind, subs, pipes: inner, meta: members.get("meta").cloned() });
    Ok(())
}

/// The body of one aggregation.
struct Body<'a> {
    name: &'a str,
    kind: &'a str,
    members: &'a Members,
    now: Timestamp,
    depth: usize,
}

impl Body<'_> {
    fn known(&self, names: &[&str]) -> Result<(), Error> {
        if self.members.contains_key("script") {
            return Err(Error::unsupported(&format!("script in aggregation {}", self.kind)));
        }
        match self.members.keys().find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(Error::parsing(format!("[{}] unknown field [{unknown}]", self.kind))),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Json::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        let value = self.members.get(name)?;
        value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    }

    fn flag(&self, name: &str) -> bool {
        self.members.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    fn field(&self) -> Result<Box<str>, Error> {
        let missing = || {
            Error::illegal(format!(
                "Required one of fields [field, script], but none were specified for [{}] ",
                self.name
            ))
        };
        self.text("field").map(own).ok_or_else(missing)
    }

    fn format(&self) -> Option<String> {
        self.text("format").map(str::to_owned)
    }

    fn missing(&self) -> Option<Value> {
        self.members.get("missing").and_then(value)
    }

    fn count(&self, name: &str, default: usize, least: usize) -> Result<usize, Error> {
        let Some(given) = self.members.get(name) else { return Ok(default) };
        let number = given.as_u64().or_else(|| given.as_str().and_then(|text| text.parse().ok()));
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number >= least);
        number.ok_or_else(|| {
            Error::illegal(format!("[{name}] must be at least [{least}]. Found [{given}] in [{}]", self.name))
        })
    }

    fn grouping(&self) -> Result<Option<Grouping>, Error> {
        Ok(Some(match self.kind {
            "terms" => Grouping::Terms(self.terms()?),
            "rare_terms" => Grouping::Rare(self.rare()?),
            "multi_terms" => Grouping::MultiTerms(self.multi_terms()?),
            "date_histogram" => Grouping::Time(self.times()?),
            "auto_date_histogram" => self.auto_times()?,
            "histogram" => Grouping::Numbers(self.numbers()?),
            "range" | "date_range" | "ip_range" => Grouping::Ranges(self.ranges()?),
            "filter" => {
                let filter = (String::new(), self.matcher(&Json::Object(self.members.clone()))?);
                Grouping::Filters(Filters { filters: vec![filter], other: None, shape: FiltersShape::Single })
            }
            "filters" => Grouping::Filters(self.filters()?),
            "composite" => Grouping::Composite(self.composite()?),
            "missing" => {
                self.known(&["field", "missing"])?;
                Grouping::Missing(self.field()?)
            }
            "nested" | "reverse_nested" => {
                self.known(&["path"])?;
                Grouping::Everything
            }
            "global" => return Err(Error::unsupported("aggregation global")),
            "significant_terms"
            | "significant_text"
            | "sampler"
            | "diversified_sampler"
            | "random_sampler"
            | "adjacency_matrix"
            | "geo_distance"
            | "geohash_grid"
            | "geotile_grid"
            | "geohex_grid"
            | "children"
            | "parent"
            | "variable_width_histogram"
            | "categorize_text"
            | "frequent_item_sets"
            | "ip_prefix"
            | "time_series"
            | "scripted_metric"
            | "geo_bounds"
            | "geo_centroid"
            | "geo_line"
            | "matrix_stats"
            | "string_stats"
            | "boxplot"
            | "t_test"
            | "weighted_avg"
            | "cartesian_bounds"
            | "cartesian_centroid" => {
                return Err(Error::unsupported(&format!("aggregation {}", self.kind)));
            }
            _ => return Ok(None),
        }))
    }

    fn matcher(&self, query: &Json) -> Result<Matcher, Error> {
        let filter: Filter = dsl::read(query, self.now)?;
        Matcher::new(&filter).map_err(|error| Error::illegal(error.to_string()))
    }

    fn terms(&self) -> Result<Terms, Error> {
        self.known(&[
            "field",
            "size",
            "shard_size",
            "min_doc_count",
            "shard_min_doc_count",
            "order",
            "include",
            "exclude",
            "missing",
            "execution_hint",
            "collect_mode",
            "show_term_doc_count_error",
            "format",
            "value_type",
        ])?;
        let least = self.count("min_doc_count", 1, 0)? as u64;
        if least == 0 {
            return Err(Error::unsupported("terms with min_doc_count 0"));
        }
        Ok(Terms {
            field: self.field()?,
            size: self.count("size", 10, 1)?.min(MAX_SIZE),
            most: u64::MAX,
            least,
            order: self.order(true)?,
            include: self.choice("include")?,
            exclude: self.choice("exclude")?,
            missing: self.missing(),
            format: self.format(),
            shows_error: self.flag("show_term_doc_count_error"),
        })
    }

    fn rare(&self) -> Result<Terms, Error> {
        self.known(&[
            "field",
            "max_doc_count",
            "precision",
            "include",
            "exclude",
            "missing",
            "format",
            "value_type",
        ])?;
        let most = self.count("max_doc_count", 1, 1)?;
        if most > 100 {
            return Err(Error::illegal("[max_doc_count] must be smaller than [100]"));
        }
        Ok(Terms {
            field: self.field()?,
            size: MAX_SIZE,
            most: most as u64,
            least: 1,
            order: Vec::new(),
            include: self.choice("include")?,
            exclude: self.choice("exclude")?,
            missing: self.missing(),
            format: self.format(),
            shows_error: false,
        })
    }

    fn multi_terms(&self) -> Result<MultiTerms, Error> {
        self.known(&[
            "terms",
            "size",
            "shard_size",
            "min_doc_count",
            "shard_min_doc_count",
            "order",
            "collect_mode",
            "show_term_doc_count_error",
        ])?;
        let mut fields = Vec::new();
        for term in self.members.get("terms").and_then(Json::as_array).into_iter().flatten() {
            let name = term.get("field").and_then(Json::as_str);
            let name =
                name.ok_or_else(|| Error::illegal("[multi_terms] requires a [field] in each of [terms]"))?;
            fields.push((own(name), term.get("missing").and_then(value)));
        }
        if fields.len() < 2 {
            return Err(Error::illegal(
                "The [terms] parameter in the aggregation [multi_terms] must be present and have at least 2 fields or scripts.",
            ));
        }
        let least = self.count("min_doc_count", 1, 1)? as u64;
        Ok(MultiTerms {
            fields,
            size: self.count("size", 10, 1)?.min(MAX_SIZE),
            least,
            order: self.order(true)?,
        })
    }

    /// What buckets are ordered by; the most documents first, or by key.
    fn order(&self, by_count: bool) -> Result<Vec<BucketOrder>, Error> {
        let items = match self.members.get("order") {
            None if by_count => return Ok(vec![BucketOrder { by: OrderBy::Count, descending: true }]),
            None => return Ok(Vec::new()),
            Some(Json::Array(items)) => items.iter().collect(),
            Some(item) => vec![item],
        };
        let mut order = Vec::new();
        for item in items {
            let mut members = item.as_object().into_iter().flatten();
            let (Some((path, direction)), None) = (members.next(), members.next()) else {
                return Err(Error::parsing(format!(
                    "Must specify at least one field and only one field per order object for [{}]",
                    self.name
                )));
            };
            let descending = match direction.as_str() {
                Some(text) if text.eq_ignore_ascii_case("desc") => true,
                Some(text) if text.eq_ignore_ascii_case("asc") => false,
                _ => return Err(Error::parsing(format!("Unknown order direction [{direction}]"))),
            };
            let by = match path.as_str() {
                "_count" => OrderBy::Count,
                "_key" | "_term" | "_time" => OrderBy::Key,
                path => OrderBy::Path(path.split('>').map(str::to_owned).collect()),
            };
            order.push(BucketOrder { by, descending });
        }
        Ok(order)
    }

    fn choice(&self, name: &str) -> Result<Option<Choice>, Error> {
        Ok(match self.members.get(name) {
            None => None,
            Some(Json::String(pattern)) => {
                let inner = dsl::regexp(pattern)?;
                let whole =
                    regex::RegexBuilder::new(&format!(r"(?s)\A(?:{inner})\z")).size_limit(1 << 20).build();
                Some(Choice::Pattern(whole.map_err(|_| Error::illegal(format!("[{name}] is too large")))?))
            }
            Some(Json::Array(values)) => {
                let text = |value: &Json| Key::of_json(value).map(|key| key.text());
                Some(Choice::Values(values.iter().filter_map(text).collect()))
            }
            Some(_) => return Err(Error::unsupported("terms with partitions")),
        })
    }

    fn bounds<T>(&self, name: &str, read: impl Fn(&Json) -> Result<T, Error>) -> Result<Bounds<T>, Error> {
        let Some(bounds) = self.members.get(name) else { return Ok(None) };
        let end = |name: &str| bounds.get(name).filter(|end| !end.is_null()).map(&read).transpose();
        Ok(Some((end("min")?, end("max")?)))
    }

    fn times(&self) -> Result<TimeHistogram, Error> {
        self.known(&[
            "field",
            "fixed_interval",
            "calendar_interval",
            "interval",
            "time_zone",
            "offset",
            "min_doc_count",
            "extended_bounds",
            "hard_bounds",
            "format",
            "keyed",
            "order",
            "missing",
        ])?;
        let interval =
            match (self.text("fixed_interval"), self.text("calendar_interval"), self.text("interval")) {
                (Some(text), None, _) => {
                    date::fixed(text).filter(|nanos| *nanos >= 1_000_000).map(Interval::Fixed)
                }
                (None, Some(text), _) => Unit::calendar(text).map(Interval::Calendar),
                (None, None, Some(text)) => {
                    let fixed = || date::fixed(text).filter(|nanos| *nanos >= 1_000_000).map(Interval::Fixed);
                    Unit::calendar(text).map(Interval::Calendar).or_else(fixed)
                }
                (Some(_), Some(_), _) => {
                    return Err(Error::illegal("Cannot use [fixed_interval] with [calendar_interval]."));
                }
                (None, None, None) => {
                    return Err(Error::illegal("Invalid interval specified, must be non-null and non-empty"));
                }
            };
        let interval = interval.ok_or_else(|| {
            Error::illegal(format!(
                "The supplied interval of [{}] could not be parsed as an interval.",
                self.name
            ))
        })?;
        self.times_by(interval)
    }

    fn times_by(&self, interval: Interval) -> Result<TimeHistogram, Error> {
        let zone = self.text("time_zone").map(zone).transpose()?.unwrap_or(jiff::tz::TimeZone::UTC);
        let format = self.format();
        let reading = Reading { now: self.now, zone: zone.clone(), format: format.as_deref() };
        let time = |value: &Json| read_time(value, &reading);
        let (extended, hard) = (self.bounds("extended_bounds", time)?, self.bounds("hard_bounds", time)?);
        Ok(TimeHistogram {
            field: self.field()?,
            interval,
            offset_nanos: self.text("offset").map_or(Ok(0), offset)?,
            least: self.count("min_doc_count", 0, 0)? as u64,
            extended,
            hard,
            zone,
            format,
            keyed: self.flag("keyed"),
            order: self.order(false)?,
            missing: self.missing(),
        })
    }

    fn auto_times(&self) -> Result<Grouping, Error> {
        self.known(&["field", "buckets", "format", "time_zone", "missing", "minimum_interval"])?;
        if self.members.contains_key("minimum_interval") {
            return Err(Error::unsupported("auto_date_histogram with minimum_interval"));
        }
        let of = self.times_by(Interval::Fixed(1_000_000_000))?;
        Ok(Grouping::AutoTime(AutoTime { buckets: self.count("buckets", 10, 1)?, of }, OnceLock::new()))
    }

    fn numbers(&self) -> Result<NumberHistogram, Error> {
        self.known(&[
            "field",
            "interval",
            "offset",
            "min_doc_count",
            "extended_bounds",
            "hard_bounds",
            "keyed",
            "order",
            "missing",
            "format",
        ])?;
        let interval = self.number("interval").filter(|interval| *interval > 0.0 && interval.is_finite());
        let number = |value: &Json| {
            value.as_f64().ok_or_else(|| Error::parsing(format!("a bound cannot be [{value}]")))
        };
        Ok(NumberHistogram {
            field: self.field()?,
            interval: interval
                .ok_or_else(|| Error::illegal("[interval] must be >0 for histogram aggregation"))?,
            offset: self.number("offset").unwrap_or(0.0),
            least: self.count("min_doc_count", 0, 0)? as u64,
            extended: self.bounds("extended_bounds", number)?,
            hard: self.bounds("hard_bounds", number)?,
            keyed: self.flag("keyed"),
            order: self.order(false)?,
            missing: self.missing(),
        })
    }

    fn ranges(&self) -> Result<Ranges, Error> {
        self.known(&["field", "ranges", "keyed", "missing", "format", "time_zone"])?;
        let of = match self.kind {
            "date_range" => Of::Times,
            "ip_range" => Of::Addresses,
            _ => Of::Numbers,
        };
        let zone = self.text("time_zone").map(zone).transpose()?.unwrap_or(jiff::tz::TimeZone::UTC);
        let mut ranges = Ranges {
            field: self.field()?,
            of,
            ranges: Vec::new(),
            keyed: self.flag("keyed"),
            missing: self.missing(),
            format: self.format(),
            zone,
        };
        let list = self.members.get("ranges").and_then(Json::as_array).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| {
            Error::illegal(format!("No [ranges] specified for the [{}] aggregation", self.name))
        })?;
        for item in list {
            let range = self.one_range(item, &ranges)?;
            ranges.ranges.push(range);
        }
        Ok(ranges)
    }

    fn one_range(&self, item: &Json, ranges: &Ranges) -> Result<OneRange, Error> {
        if let Some(mask) = item.get("mask").and_then(Json::as_str) {
            return masked(mask, item.get("key").and_then(Json::as_str));
        }
        let end = |name: &str| {
            item.get(name).filter(|end| !end.is_null()).map(|end| self.end(end, ranges)).transpose()
        };
        let (from, to) = (end("from")?, end("to")?);
        let shown = |end: &Option<End>| match end {
            None => "*".to_owned(),
            Some(End::Address(ip)) => ip.to_string(),
            Some(End::Number(number)) if ranges.of == Of::Times => ranges.text(*number),
            Some(End::Number(number)) => float_text(*number),
        };
        let key = match item.get("key").and_then(Json::as_str) {
            Some(key) => key.to_owned(),
            None => format!("{}-{}", shown(&from), shown(&to)),
        };
        Ok(OneRange { key, from, to })
    }

    fn end(&self, end: &Json, ranges: &Ranges) -> Result<End, Error> {
        let bad = || Error::parsing(format!("[{}] a range cannot end at [{end}]", self.kind));
        match ranges.of {
            Of::Numbers => {
                let number = end.as_f64().or_else(|| end.as_str().and_then(|text| text.parse().ok()));
                number.map(End::Number).ok_or_else(bad)
            }
            Of::Addresses => {
                end.as_str().and_then(|text| text.parse().ok()).map(End::Address).ok_or_else(bad)
            }
            Of::Times => {
                let reading =
                    Reading { now: self.now, zone: ranges.zone.clone(), format: ranges.format.as_deref() };
                Ok(End::Number(read_time(end, &reading)? as f64))
            }
        }
    }

    fn filters(&self) -> Result<Filters, Error> {
        self.known(&["filters", "other_bucket", "other_bucket_key", "keyed"])?;
        let mut filters = Vec::new();
        let shape = match self.members.get("filters") {
            Some(Json::Object(named)) => {
                for (name, query) in named {
                    filters.push((name.clone(), self.matcher(query)?));
                }
                FiltersShape::Named
            }
            Some(Json::Array(list)) => {
                for query in list {
                    filters.push((String::new(), self.matcher(query)?));
                }
                FiltersShape::Listed
            }
            _ => return Err(Error::illegal("[filters] cannot be empty.")),
        };
        let named = self.text("other_bucket_key").map(str::to_owned);
        let other = named.or_else(|| self.flag("other_bucket").then(|| "_other_".to_owned()));
        Ok(Filters { filters, other, shape })
    }

    fn composite(&self) -> Result<Composite, Error> {
        self.known(&["sources", "size", "after"])?;
        if self.depth > 0 {
            return Err(Error::unsupported("composite within another aggregation"));
        }
        let mut sources = Vec::new();
        for item in self.members.get("sources").and_then(Json::as_array).into_iter().flatten() {
            sources.push(self.source(item)?);
        }
        if sources.is_empty() {
            return Err(Error::illegal("Composite [sources] cannot be null or empty"));
        }
        let after = match self.members.get("after").and_then(Json::as_object) {
            None => None,
            Some(after) => {
                Some(sources.iter().map(|source| after_key(source, after)).collect::<Result<_, _>>()?)
            }
        };
        Ok(Composite { sources, size: self.count("size", 10, 1)?.min(MAX_SIZE), after })
    }

    fn source(&self, item: &Json) -> Result<Source, Error> {
        let bad = || Error::parsing(format!("[composite] a source cannot be [{item}]"));
        let mut named = item.as_object().into_iter().flatten();
        let (Some((name, body)), None) = (named.next(), named.next()) else { return Err(bad()) };
        let mut kinds = body.as_object().into_iter().flatten();
        let (Some((kind, Json::Object(members))), None) = (kinds.next(), kinds.next()) else {
            return Err(bad());
        };
        let descending = match members.get("order").and_then(Json::as_str) {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(bad()),
        };
        let missing_bucket = members.get("missing_bucket").and_then(Json::as_bool).unwrap_or(false);
        if members.contains_key("missing_order") {
            return Err(Error::unsupported("composite with missing_order"));
        }
        let mut rest = members.clone();
        for name in ["order", "missing_bucket", "value_type"] {
            rest.remove(name);
        }
        let body = Body { name, kind, members: &rest, now: self.now, depth: self.depth };
        let of = match kind.as_str() {
            "terms" => {
                body.known(&["field"])?;
                SourceOf::Terms(body.field()?)
            }
            "date_histogram" => SourceOf::Time(body.times()?),
            "histogram" => SourceOf::Numbers(body.numbers()?),
            other => return Err(Error::unsupported(&format!("composite source {other}"))),
        };
        Ok(Source { name: name.clone(), of, descending, missing_bucket })
    }

    fn metric(&self) -> Result<Metric, Error> {
        let plain = ["field", "missing", "format", "value_type"];
        let extra: &[&str] = match self.kind {
            "avg" | "sum" | "min" | "max" | "value_count" | "stats" => &[],
            "extended_stats" => &["sigma"],
            "cardinality" => &["precision_threshold", "rehash", "execution_hint"],
            "percentiles" => &["percents", "keyed", "tdigest", "hdr"],
            "percentile_ranks" => &["values", "keyed", "tdigest", "hdr"],
            "median_absolute_deviation" => &["compression", "execution_hint"],
            "rate" => &["unit", "mode"],
            "top_hits" => return self.top_hits(),
            "top_metrics" => return self.top_metrics(),
            other => return Err(Error::parsing(format!("Unknown aggregation type [{other}]"))),
        };
        self.known(&plain.iter().chain(extra).copied().collect::<Vec<_>>())?;
        let field = if self.kind == "rate" {
            self.text("field").map_or_else(|| "".into(), own)
        } else {
            self.field()?
        };
        let function = self.function(field.is_empty())?;
        Ok(Metric { function, field, missing: self.missing(), format: self.format() })
    }

    fn function(&self, counts: bool) -> Result<Function, Error> {
        let keyed = self.members.get("keyed").and_then(Json::as_bool).unwrap_or(true);
        Ok(match self.kind {
            "avg" => Function::Average,
            "sum" => Function::Sum,
            "min" => Function::Min,
            "max" => Function::Max,
            "value_count" => Function::Count,
            "stats" => Function::Stats,
            "extended_stats" => Function::ExtendedStats { sigma: self.number("sigma").unwrap_or(2.0) },
            "cardinality" => Function::Distinct,
            "percentiles" => {
                let default = vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];
                let percents = self.list("percents")?.unwrap_or(default);
                if let Some(bad) = percents.iter().find(|percent| !(0.0..=100.0).contains(*percent)) {
                    return Err(Error::illegal(format!(
                        "percent must be in [0,100], got [{bad}]: [{}]",
                        self.name
                    )));
                }
                Function::Percentiles { percents, keyed }
            }
            "percentile_ranks" => {
                let numbers = self.list("values")?.filter(|values| !values.is_empty());
                let numbers = numbers.ok_or_else(|| Error::illegal("[values] must not be an empty array"))?;
                Function::PercentileRanks { numbers, keyed }
            }
            "median_absolute_deviation" => Function::MedianDeviation,
            _ => self.rate(counts)?,
        })
    }

    fn rate(&self, counts: bool) -> Result<Function, Error> {
        let unit = self.text("unit").unwrap_or("");
        let (unit_nanos, unit_months) = match unit {
            "second" => (1_000_000_000, 0),
            "minute" => (60_000_000_000, 0),
            "hour" => (3_600_000_000_000, 0),
            "day" => (86_400_000_000_000, 0),
            "week" => (604_800_000_000_000, 0),
            "month" => (0, 1),
            "quarter" => (0, 3),
            "year" => (0, 12),
            "" => return Err(Error::unsupported("rate without unit")),
            other => return Err(Error::illegal(format!("Unsupported unit {other}"))),
        };
        let sums = match self.text("mode") {
            None | Some("sum") => !counts,
            Some("value_count") => false,
            Some(other) => return Err(Error::illegal(format!("Unsupported rate mode {other}"))),
        };
        Ok(Function::Rate { unit_nanos, unit_months, sums })
    }

    fn list(&self, name: &str) -> Result<Option<Vec<f64>>, Error> {
        let Some(list) = self.members.get(name) else { return Ok(None) };
        let number =
            |value: &Json| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let items: Vec<&Json> = list.as_array().map_or_else(|| vec![list], |items| items.iter().collect());
        let numbers: Option<Vec<f64>> = items.into_iter().map(number).collect();
        numbers.map(Some).ok_or_else(|| Error::parsing(format!("[{name}] must hold numbers")))
    }

    fn top_hits(&self) -> Result<Metric, Error> {
        self.known(&[
            "from",
            "size",
            "sort",
            "_source",
            "docvalue_fields",
            "fields",
            "stored_fields",
            "version",
            "explain",
            "seq_no_primary_term",
            "track_scores",
        ])?;
        let (from, size) = (self.count("from", 0, 0)?, self.count("size", 3, 0)?);
        if from.saturating_add(size) > MAX_TOP {
            let reason = format!(
                "Top hits result window is too large, the top hits aggregator [{}]'s from + size must be less than or equal to: \
                 [{MAX_TOP}] but was [{}]",
                self.name,
                from.saturating_add(size)
            );
            return Err(Error::illegal(reason));
        }
        let mut wanted = Vec::new();
        for name in ["fields", "docvalue_fields"] {
            wanted.extend(self.members.get(name).map_or(Ok(Vec::new()), fields::read)?);
        }
        let source =
            self.members.get("_source").map_or(Ok(SourceFilter::default()), SourceFilter::of_body)?;
        let hits = TopHits { sorting: Arc::new(self.sorting()?), from, size, source, fields: wanted };
        Ok(Metric { function: Function::TopHits(hits), field: "".into(), missing: None, format: None })
    }

    fn sorting(&self) -> Result<Sorting, Error> {
        self.members.get("sort").map_or(Ok(Sorting::default()), |sort| Sorting::of_body(sort, false))
    }

    fn top_metrics(&self) -> Result<Metric, Error> {
        self.known(&["metrics", "sort", "size"])?;
        let items: Vec<&Json> = match self.members.get("metrics") {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(item) => vec![item],
            None => Vec::new(),
        };
        let names: Option<Vec<Box<str>>> =
            items.into_iter().map(|item| item.get("field")?.as_str().map(own)).collect();
        let fields = names.filter(|names| !names.is_empty());
        let fields =
            fields.ok_or_else(|| Error::parsing("[top_metrics] requires [metrics] with a [field] each"))?;
        if !self.members.contains_key("sort") {
            return Err(Error::parsing("[top_metrics] requires [sort]"));
        }
        let size = self.count("size", 1, 1)?;
        if size > 10 {
            return Err(Error::illegal(format!(
                "[top_metrics.size] must not be more than [10] but was [{size}]."
            )));
        }
        let function = Function::TopMetrics { fields, sorting: Arc::new(self.sorting()?), size };
        Ok(Metric { function, field: "".into(), missing: None, format: None })
    }
}

/// The name of a field in events.
fn own(name: &str) -> Box<str> {
    match name {
        "_index" => locard_event::name::DATASET.into(),
        name => plain(name).into(),
    }
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::String(text) => Value::ip_or_str(text),
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().map_or(Value::Null, Value::Float), Value::Int)
        }
        _ => return None,
    })
}

/// A time in a request, in milliseconds.
fn read_time(value: &Json, reading: &Reading<'_>) -> Result<i64, Error> {
    match value {
        Json::Number(number) if reading.format.is_none_or(|format| !format.contains("epoch_second")) => {
            number
                .as_i64()
                .or_else(|| number.as_f64().map(|number| number as i64))
                .ok_or_else(|| Error::parsing("a time is too large"))
        }
        Json::Number(number) => Ok(millis(reading.read(&number.to_string())?.start)),
        Json::String(text) => match text.parse::<i64>() {
            // Grafana sends the bounds of a chart as numbers in text.
            Ok(number) if text.len() > 10 => Ok(number),
            _ => Ok(millis(reading.read(text)?.start)),
        },
        other => Err(Error::parsing(format!("a time cannot be [{other}]"))),
    }
}

/// `+6h`, `-1d`: how far intervals are moved.
fn offset(text: &str) -> Result<i64, Error> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let bad =
        || Error::illegal(format!("failed to parse setting [offset] with value [{text}] as a time value"));
    date::fixed(rest).map(|nanos| sign * nanos).ok_or_else(bad)
}

/// The range of a network.
fn masked(mask: &str, key: Option<&str>) -> Result<OneRange, Error> {
    let bad = || Error::illegal(format!("failed to parse mask [{mask}]"));
    let (ip, bits) = mask.split_once('/').ok_or_else(bad)?;
    let (ip, bits): (std::net::IpAddr, u32) =
        (ip.parse().map_err(|_| bad())?, bits.parse().map_err(|_| bad())?);
    let (from, to) = match ip {
        std::net::IpAddr::V4(ip) if bits <= 32 => {
            let size = 1u64 << (32 - bits);
            let first = u64::from(u32::from(ip)) / size * size;
            let address =
                |number: u64| u32::try_from(number).ok().map(|number| std::net::IpAddr::V4(number.into()));
            // Behind the last address of the family come those of the other one.
            let behind = || Some(std::net::IpAddr::V6((0x1_0000_0000u128 + 0xffff_0000_0000).into()));
            (address(first), address(first + size).or_else(behind))
        }
        std::net::IpAddr::V6(ip) if bits <= 128 => {
            let size = 1u128.checked_shl(128 - bits).unwrap_or(0);
            let first = u128::from(ip).checked_div(size).unwrap_or(0) * size;
            let last = first.checked_add(size).filter(|_| size > 0);
            (Some(std::net::IpAddr::V6(first.into())), last.map(|last| std::net::IpAddr::V6(last.into())))
        }
        _ => return Err(bad()),
    };
    Ok(OneRange {
        key: key.unwrap_or(mask).to_owned(),
        from: from.map(End::Address),
        to: to.map(End::Address),
    })
}

/// Where a composite's next page begins, for one source.
fn after_key(source: &Source, after: &Members) -> Result<Option<Key>, Error> {
    let missing = || Error::illegal(format!("Missing value for [after.{}]", source.name));
    let given = after.get(&source.name).ok_or_else(missing)?;
    if given.is_null() {
        return Ok(None);
    }
    match (&source.of, given) {
        (SourceOf::Time(histogram), given) => {
            let reading = Reading {
                now: Timestamp::from_seconds(0),
                zone: histogram.zone.clone(),
                format: histogram.format.as_deref(),
            };
            Ok(Some(Key::Time(read_time(given, &reading)?)))
        }
        (SourceOf::Terms(name), Json::String(text)) if field::is_time(name) => {
            let reading =
                Reading { now: Timestamp::from_seconds(0), zone: jiff::tz::TimeZone::UTC, format: None };
            Ok(Some(Key::Time(millis(reading.read(text)?.start))))
        }
        (_, given) => Ok(Key::of_json(given)),
    }
}
