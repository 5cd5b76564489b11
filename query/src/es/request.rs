//! [`Request`]: a search as it was asked, from its body and its query string. Refuses what it does not know.

use std::sync::Arc;
use std::time::Duration;

use locard_filter::Filter;
use serde_json::{Map, Value as Json};

use super::agg::Tree;
use super::error::Error;
use super::fields::{self, Wanted};
use super::highlight::Highlight;
use super::params::Params;
use super::schema::Schema;
use super::sort::Sorting;
use super::source::SourceFilter;
use super::{date, dsl};

/// The furthest hit that pages by `from` reach, as `index.max_result_window`.
pub(super) const MAX_WINDOW: usize = 10_000;
const DEFAULT_SIZE: usize = 10;
/// How far hits are counted unless asked otherwise.
const DEFAULT_TOTAL: u64 = 10_000;
/// Longest that a search waits, whatever is asked; the server's own limit is shorter.
const MAX_TIMEOUT: Duration = Duration::from_secs(3_600);

/// How the number of hits is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Total {
    Exact,
    UpTo(u64),
    Not,
}

/// A search as it was asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) query: Filter,
    pub(super) post_filter: Filter,
    pub(super) from: usize,
    pub(super) size: usize,
    pub(super) sorting: Arc<Sorting>,
    pub(super) search_after: Option<Json>,
    pub(super) total: Total,
    pub(super) source: SourceFilter,
    pub(super) fields: Vec<Wanted>,
    pub(super) highlight: Option<Highlight>,
    pub(super) aggregations: Option<Tree>,
    pub(super) timeout: Option<Duration>,
    pub(super) version: bool,
    pub(super) sequence: bool,
    pub(super) explain: bool,
    pub(super) min_score: Option<f64>,
    /// A point in time: its id and for how much longer it is kept.
    pub(super) pit: Option<(String, Option<Duration>)>,
    pub(super) scroll: Option<Duration>,
    pub(super) allow_partial: bool,
    pub(super) total_as_int: bool,
}

/// Members of a body that change nothing here.
const WITHOUT_EFFECT: [&str; 8] = [
    "profile",
    "terminate_after",
    "stats",
    "indices_boost",
    "track_scores",
    "ext",
    "runtime_mappings",
    "batched_reduce_size",
];
/// Members of a body that Elasticsearch knows and Locard does not.
const UNSUPPORTED: [&str; 9] =
    ["suggest", "rescore", "collapse", "script_fields", "knn", "slice", "rank", "retriever", "sub_searches"];

impl Request {
    /// Reads a search.
    pub(super) fn read(body: Option<&Json>, params: &Params, schema: &Schema) -> Result<Self, Error> {
        let empty = Map::new();
        let body = match body {
            None => &empty,
            Some(Json::Object(members)) => members,
            Some(_) => return Err(Error::parsing("the body of a search must be an object")),
        };
        check_names(body)?;
        let pit = body.get("pit").map(read_pit).transpose()?;
        let query = query(body, params, schema)?;
        let post_filter = body.get("post_filter").map_or(Ok(Filter::All), |filter| schema.query(filter))?;
        let highlight = body.get("highlight").map(|body| Highlight::read(body, &query)).transpose()?;
        let aggregations = body.get("aggs").or(body.get("aggregations"));
        let typed = params.truth("typed_keys")?.unwrap_or(false);
        let aggregations = aggregations.map(|body| Tree::read(body, schema, typed)).transpose()?;
        let request = Self {
            sorting: Arc::new(sorting(body, params, pit.is_some(), schema)?),
            from: count(body, params, "from")?.unwrap_or(0),
            size: count(body, params, "size")?.unwrap_or(DEFAULT_SIZE),
            search_after: body.get("search_after").cloned(),
            total: total(body, params)?,
            source: source(body)?.or_params(params),
            fields: wanted_fields(body, params)?,
            timeout: timeout(body, params)?,
            version: switch(body, params, "version")?,
            sequence: switch(body, params, "seq_no_primary_term")?,
            explain: switch(body, params, "explain")?,
            min_score: body.get("min_score").and_then(Json::as_f64),
            scroll: params.text("scroll").map(keep_alive).transpose()?,
            allow_partial: params.truth("allow_partial_search_results")?.unwrap_or(true),
            total_as_int: params.truth("rest_total_hits_as_int")?.unwrap_or(false),
            query,
            post_filter,
            highlight,
            aggregations,
            pit,
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), Error> {
        let window = self.from.saturating_add(self.size);
        let is_page = self.scroll.is_none();
        if window > MAX_WINDOW {
            let reason = if is_page {
                format!(
                    "Result window is too large, from + size must be less than or equal to: [{MAX_WINDOW}] but was [{window}]. \
                     See the scroll api for a more efficient way to request large data sets."
                )
            } else {
                format!(
                    "Batch size is too large, size must be less than or equal to: [{MAX_WINDOW}] but was [{window}]. Scroll batch \
                     sizes cost as much memory as result windows so they are controlled by the [index.max_result_window] index \
                     level setting."
                )
            };
            return Err(Error::illegal(reason));
        }
        if self.search_after.is_some() && self.from > 0 {
            return Err(invalid("`from` parameter must be set to 0 when `search_after` is used"));
        }
        if self.scroll.is_some() {
            let clashes = [
                (self.from > 0, "using [from] is not allowed in a scroll context"),
                (self.size == 0, "[size] cannot be [0] in a scroll context"),
                (self.search_after.is_some(), "`search_after` cannot be used in a scroll context"),
                (self.pit.is_some(), "using [point in time] is not allowed in a scroll context"),
                (
                    self.total != Total::Exact && self.total != Total::UpTo(DEFAULT_TOTAL),
                    "disabling [track_total_hits] is not allowed in a scroll context",
                ),
            ];
            if let Some((_, reason)) = clashes.into_iter().find(|(clashes, _)| *clashes) {
                return Err(invalid(reason));
            }
        }
        Ok(())
    }
}

/// What a request may not ask together.
fn invalid(reason: &str) -> Error {
    let reason = format!("Validation Failed: 1: {reason};");
    Error::new(http::StatusCode::BAD_REQUEST, "action_request_validation_exception", reason)
}

fn check_names(body: &Map<String, Json>) -> Result<(), Error> {
    const KNOWN: [&str; 21] = [
        "query",
        "post_filter",
        "from",
        "size",
        "sort",
        "search_after",
        "track_total_hits",
        "_source",
        "fields",
        "docvalue_fields",
        "stored_fields",
        "highlight",
        "aggs",
        "aggregations",
        "timeout",
        "version",
        "seq_no_primary_term",
        "explain",
        "min_score",
        "pit",
        "allow_partial_search_results",
    ];
    for (name, value) in body {
        let is_empty =
            value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if UNSUPPORTED.contains(&name.as_str()) && !is_empty {
            return Err(Error::unsupported(name));
        }
        if name == "runtime_mappings" && !is_empty {
            return Err(Error::unsupported(name));
        }
        let known = KNOWN.contains(&name.as_str()) || WITHOUT_EFFECT.contains(&name.as_str());
        if !known && !UNSUPPORTED.contains(&name.as_str()) {
            return Err(Error::parsing(format!("unknown key [{name}] for a search")));
        }
    }
    Ok(())
}

/// The query of a body, or of `?q=`; everything without one.
pub(super) fn query(body: &Map<String, Json>, params: &Params, schema: &Schema) -> Result<Filter, Error> {
    let by_text = match params.text("q").filter(|text| !text.is_empty()) {
        Some(text) => {
            let all_words = params.text("default_operator").is_some_and(|it| it.eq_ignore_ascii_case("and"));
            Some(dsl::read_text(text, &params.list("df"), all_words, schema)?)
        }
        None => None,
    };
    match (by_text, body.get("query")) {
        (Some(filter), _) => Ok(filter),
        (None, None | Some(Json::Null)) => Ok(Filter::All),
        (None, Some(query)) => schema.query(query),
    }
}

fn sorting(
    body: &Map<String, Json>,
    params: &Params,
    in_pit: bool,
    schema: &Schema,
) -> Result<Sorting, Error> {
    match (params.text("sort"), body.get("sort")) {
        (Some(text), _) => Sorting::of_text(text, schema),
        (None, Some(sort)) => Sorting::of_body(sort, in_pit, schema),
        (None, None) => Ok(Sorting::default()),
    }
}

fn count(body: &Map<String, Json>, params: &Params, name: &str) -> Result<Option<usize>, Error> {
    if let Some(text) = params.text(name).filter(|text| text.starts_with('-'))
        && let Ok(number) = text.parse()
    {
        return Err(negative(name, number));
    }
    if let Some(number) = params.number(name)? {
        return Ok(Some(usize::try_from(number).unwrap_or(usize::MAX)));
    }
    let Some(value) = body.get(name) else { return Ok(None) };
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match number {
        Some(number) if number >= 0 => Ok(Some(usize::try_from(number).unwrap_or(usize::MAX))),
        Some(number) => Err(negative(name, number)),
        None => Err(Error::illegal(format!("[{name}] parameter must be a number but was [{value}]"))),
    }
}

/// As Elasticsearch says it of either.
fn negative(name: &str, number: i64) -> Error {
    let verb = if name == "size" { ", found" } else { " but was" };
    Error::illegal(format!("[{name}] parameter cannot be negative{verb} [{number}]"))
}

fn total(body: &Map<String, Json>, params: &Params) -> Result<Total, Error> {
    let up_to = |number: i64| match number {
        -1 => Ok(Total::Exact),
        number => u64::try_from(number).map(Total::UpTo).map_err(|_| {
            Error::illegal(format!(
                "[track_total_hits] parameter must be positive or equals to -1, got {number}"
            ))
        }),
    };
    let of_text = |text: &str| match text {
        "true" | "" => Ok(Total::Exact),
        "false" => Ok(Total::Not),
        other => {
            let bad = || Error::illegal(format!("[track_total_hits] cannot be [{other}]"));
            other.parse().map_err(|_| bad()).and_then(up_to)
        }
    };
    match (params.text("track_total_hits"), body.get("track_total_hits")) {
        (Some(text), _) => of_text(text),
        (None, None | Some(Json::Null))
            if params.flag("rest_total_hits_as_int") || params.text("scroll").is_some() =>
        {
            Ok(Total::Exact)
        }
        (None, None | Some(Json::Null)) => Ok(Total::UpTo(DEFAULT_TOTAL)),
        (None, Some(Json::Bool(true))) => Ok(Total::Exact),
        (None, Some(Json::Bool(false))) => Ok(Total::Not),
        (None, Some(Json::String(text))) => of_text(text),
        (None, Some(value)) => match value.as_i64() {
            Some(number) => up_to(number),
            None => Err(Error::parsing(format!("[track_total_hits] cannot be [{value}]"))),
        },
    }
}

fn source(body: &Map<String, Json>) -> Result<SourceFilter, Error> {
    match (body.get("_source"), body.get("stored_fields")) {
        (Some(source), _) => SourceFilter::of_body(source),
        // As Elasticsearch: who asks for stored fields does not get the source unless asked for.
        (None, Some(Json::String(field))) if field != "_source" => Ok(SourceFilter::none()),
        (None, Some(Json::Array(fields))) if !fields.iter().any(|field| field == "_source") => {
            Ok(SourceFilter::none())
        }
        _ => Ok(SourceFilter::default()),
    }
}

fn wanted_fields(body: &Map<String, Json>, params: &Params) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    for name in ["fields", "docvalue_fields"] {
        if let Some(list) = body.get(name) {
            wanted.extend(fields::read(list)?);
        }
    }
    let listed = params.list("docvalue_fields");
    wanted.extend(fields::read(&Json::Array(listed.into_iter().map(Json::String).collect()))?);
    Ok(wanted)
}

fn timeout(body: &Map<String, Json>, params: &Params) -> Result<Option<Duration>, Error> {
    let text = params.text("timeout").or(body.get("timeout").and_then(Json::as_str));
    text.filter(|text| *text != "-1").map(keep_alive).transpose()
}

fn switch(body: &Map<String, Json>, params: &Params, name: &str) -> Result<bool, Error> {
    let said = params.truth(name)?;
    Ok(said.unwrap_or_else(|| body.get(name).and_then(Json::as_bool).unwrap_or(false)))
}

/// The point in time that a body names: its id and for how much longer it is kept.
pub(super) fn read_pit(body: &Json) -> Result<(String, Option<Duration>), Error> {
    let id = body.get("id").and_then(Json::as_str);
    let id = id.ok_or_else(|| Error::illegal("point int time id is not provided"))?;
    let keep = body.get("keep_alive").and_then(Json::as_str).map(keep_alive).transpose()?;
    Ok((id.to_owned(), keep))
}

/// A length of time: `1m`, `30s`.
pub(super) fn keep_alive(text: &str) -> Result<Duration, Error> {
    let nanos = date::fixed(text).and_then(|nanos| u64::try_from(nanos).ok());
    let bad = || {
        Error::illegal(format!(
            "failed to parse setting with value [{text}] as a time value: unit is missing or unrecognized"
        ))
    };
    nanos.map(|nanos| Duration::from_nanos(nanos).min(MAX_TIMEOUT)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use locard_event::Timestamp;
    use serde_json::json;

    use super::*;

    fn params(query: &str) -> Params {
        Params::of(&format!("/es/_search?{query}").parse().unwrap()).unwrap()
    }

    fn read(body: &Json, query: &str) -> Result<Request, Error> {
        Request::read(Some(body), &params(query), &Schema::plain(Timestamp::from_seconds(0)))
    }

    #[test]
    fn what_is_asked_twice_is_as_the_address_says() {
        let request = read(&json!({"size": 3, "track_total_hits": 5}), "size=7&q=a").unwrap();
        assert_eq!((request.size, request.total), (7, Total::UpTo(5)));
        assert_eq!(read(&json!({}), "scroll=1m").unwrap().total, Total::Exact);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (body, query, part) in [
            (json!({"from": 9_999, "size": 2}), "", "Result window is too large"),
            (json!({"size": 10_001}), "scroll=1m", "Batch size is too large"),
            (json!({"suggest": {"a": 1}}), "", "[suggest] is not supported"),
            (json!({"nonsense": 1}), "", "unknown key [nonsense]"),
            (json!({"size": -2}), "", "[size]"),
            (json!({"search_after": [1], "from": 1, "sort": ["a"]}), "", "must be set to 0"),
            (json!({"query": {"match_all": {}}, "from": 1}), "scroll=1m", "not allowed in a scroll context"),
            (json!({}), "scroll=soon", "as a time value"),
        ] {
            let error = read(&body, query).unwrap_err().body().to_string();
            assert!(error.contains(part), "{body}: {error}");
        }
    }
}
