//! Queries made of queries: `bool`, `constant_score`, `dis_max`, `boosting`, `function_score`, `nested`.

use locard_filter::Filter;
use serde_json::{Map, Value as Json};

use super::many::at_least;
use super::text::nothing;
use super::{Reader, known, object};
use crate::es::error::Error;

impl Reader<'_> {
    pub(super) fn compound(&mut self, name: &str, body: &Json) -> Result<Filter, Error> {
        let members = object(name, body)?;
        match name {
            "bool" => self.bool(members),
            "constant_score" => {
                known(name, members, &["filter", "boost", "_name"])?;
                self.required(name, members, "filter")
            }
            "dis_max" => {
                known(name, members, &["queries", "tie_breaker", "boost", "_name"])?;
                let queries = members
                    .get("queries")
                    .ok_or_else(|| Error::parsing("[dis_max] requires 'queries' field"))?;
                Ok(Filter::any_of(self.list(queries)?))
            }
            "boosting" => {
                known(name, members, &["positive", "negative", "negative_boost", "boost", "_name"])?;
                self.required(name, members, "negative")?;
                self.required(name, members, "positive")
            }
            "function_score" => self.function_score(members),
            "nested" => self.nested(members),
            "script" | "script_score" | "percolate" | "geo_distance" | "geo_bounding_box" | "geo_shape"
            | "geo_polygon" | "geo_grid" | "shape" | "has_child" | "has_parent" | "parent_id"
            | "more_like_this" | "knn" | "span_term" | "span_near" | "span_or" | "span_not"
            | "span_first" | "span_multi" | "span_containing" | "span_within" | "span_field_masking"
            | "intervals" | "distance_feature" | "rank_feature" | "pinned" | "terms_set"
            | "text_expansion" | "semantic" | "sparse_vector" | "rule" | "wrapper" | "common"
            | "combined_fields" => Err(Error::unsupported(&format!("query {name}"))),
            other => Err(Error::parsing(format!("unknown query [{other}]"))),
        }
    }

    fn required(&mut self, name: &str, members: &Map<String, Json>, member: &str) -> Result<Filter, Error> {
        let missing = || Error::parsing(format!("[{name}] requires a [{member}] element"));
        self.query(members.get(member).ok_or_else(missing)?)
    }

    /// A query, or an array of them.
    fn list(&mut self, value: &Json) -> Result<Vec<Filter>, Error> {
        match value {
            Json::Array(queries) => queries.iter().map(|query| self.query(query)).collect(),
            query => Ok(vec![self.query(query)?]),
        }
    }

    fn clauses(&mut self, members: &Map<String, Json>, name: &str) -> Result<Vec<Filter>, Error> {
        members.get(name).map_or_else(|| Ok(Vec::new()), |value| self.list(value))
    }

    fn bool(&mut self, members: &Map<String, Json>) -> Result<Filter, Error> {
        let names = [
            "must",
            "filter",
            "should",
            "must_not",
            "mustNot",
            "minimum_should_match",
            "boost",
            "_name",
            "adjust_pure_negative",
        ];
        known("bool", members, &names)?;
        let mut parts = self.clauses(members, "must")?;
        parts.extend(self.clauses(members, "filter")?);
        let should = self.clauses(members, "should")?;
        let must_not =
            self.clauses(members, "must_not")?.into_iter().chain(self.clauses(members, "mustNot")?);
        // Beside other clauses, `should` only changes scores unless it is said how many must match.
        let default = usize::from(parts.is_empty() && !should.is_empty());
        let least = match members.get("minimum_should_match") {
            Some(rule) => super::many::least(rule, should.len())?,
            None => default,
        };
        if least > 0 {
            parts.push(at_least(least, should)?);
        }
        parts.extend(must_not.map(|part| Filter::Not(Box::new(part))));
        Ok(Filter::all_of(parts))
    }

    fn function_score(&mut self, members: &Map<String, Json>) -> Result<Filter, Error> {
        if members.contains_key("min_score") {
            return Err(Error::unsupported("function_score with min_score"));
        }
        let functions = members.get("functions").and_then(Json::as_array).into_iter().flatten();
        for function in functions {
            if let Some(filter) = function.get("filter") {
                self.query(filter)?;
            }
        }
        members.get("query").map_or(Ok(Filter::All), |query| self.query(query))
    }

    /// Objects in arrays are flattened when they are stored, so several tests of one of them cannot be told from tests of several.
    fn nested(&mut self, members: &Map<String, Json>) -> Result<Filter, Error> {
        known("nested", members, &["path", "query", "score_mode", "ignore_unmapped", "boost", "_name"])?;
        if members.contains_key("inner_hits") {
            return Err(Error::unsupported("nested with inner_hits"));
        }
        let filter = self.required("nested", members, "query")?;
        if fields(&filter).len() > 1 {
            return Err(Error::unsupported("nested query over several fields of an object"));
        }
        Ok(filter)
    }
}

/// The fields that a filter asks.
fn fields(filter: &Filter) -> std::collections::BTreeSet<&str> {
    match filter {
        Filter::All => std::collections::BTreeSet::new(),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(fields).collect(),
        Filter::Not(part) => fields(part),
        Filter::Is(predicate) => predicate.field.as_deref().into_iter().collect(),
    }
}

/// Matches everything, or nothing.
pub(super) fn constant(all: bool) -> Filter {
    if all { Filter::All } else { nothing() }
}
