//! Reading aggregations. What is not known is refused by its name, and so is what has no exact answer here.

mod composite;
mod interval;
mod metric;
mod terms;

use locard_event::Value;
use locard_filter::{Filter, MAX_DEPTH, Matcher};
use serde_json::{Map, Value as Json};

use super::bucket::{Filters, FiltersShape, Grouping};
use super::pipeline::{self, Pipe};
use super::{Kind, Node};
use crate::es::error::Error;
use crate::es::schema::Schema;

/// Most documents of a `top_hits`, as `index.max_inner_result_window`.
const MAX_TOP: usize = 100;
/// Most terms of one aggregation.
const MAX_SIZE: usize = super::MAX_BUCKETS;

type Members = Map<String, Json>;

/// Reads the aggregations of one level, and the aggregations of aggregations among them.
pub(super) fn level(body: &Json, schema: &Schema, depth: usize) -> Result<(Vec<Node>, Vec<Pipe>), Error> {
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
        one(name, members, schema, depth, &mut nodes, &mut pipes)?;
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
    schema: &Schema,
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
        Some(body) => level(body, schema, depth + 1)?,
        None => (Vec::new(), Vec::new()),
    };
    let reader = Body { name, kind, members: body, schema, depth };
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
    nodes.push(Node {
        name: name.to_owned(),
        type_name: reader.kind.to_owned(),
        kind,
        subs,
        pipes: inner,
        meta: members.get("meta").cloned(),
    });
    Ok(())
}

/// The body of one aggregation.
struct Body<'a> {
    name: &'a str,
    kind: &'a str,
    members: &'a Members,
    schema: &'a Schema,
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
        self.text("field").map(|name| self.own(name)).ok_or_else(missing)
    }

    /// The name of a field in events.
    fn own(&self, name: &str) -> Box<str> {
        match name {
            "_index" => locard_event::name::DATASET.into(),
            name => self.schema.name(name).into(),
        }
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
            "global" if self.depth > 0 => {
                let reason =
                    "cannot have a global aggregation within another: it can only be at the top level";
                return Err(Error::parsing(format!("[{}] {reason}", self.name)));
            }
            "global" => {
                self.known(&[])?;
                Grouping::Global
            }
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
        let filter: Filter = self.schema.query(query)?;
        Matcher::new(&filter).map_err(|error| Error::illegal(error.to_string()))
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
