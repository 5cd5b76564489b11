//! `_search`, `_count`, `_msearch` and scrolls.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use locard_filter::Filter;
use locard_indexer::{Permission, Principal};
use serde_json::{Map, Value as Json, json};

use super::agg::Filling;
use super::context::{Kept, Scroll};
use super::error::Error;
use super::index::{Missing, resolve};
use super::params::{INDICES, LUCENE, Params, SEARCH};
use super::request::{Request, Total, keep_alive, read_pit};
use super::run::{Found, Wish, hits, prepare};
use super::scope::Scope;
use super::sort::After;
use super::{Es, answer, body, hit};
use crate::search::{Coverage, Run, position};

/// Most searches in one `_msearch`.
const MAX_SEARCHES: usize = 1_000;

/// The expression for indices in a path; nothing means all.
pub(super) type Index = Option<Path<String>>;

pub(super) fn expression(index: &Index) -> &str {
    index.as_ref().map_or("", |Path(index)| index.as_str())
}

/// Answers `_search`.
pub(super) async fn search(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    params.known("/_search", &[INDICES, LUCENE, SEARCH])?;
    let body = body_or_source(&headers, bytes, &params)?;
    let answer = one(&es, &principal, expression(&index), body, &params).await?;
    Ok(answer::ok(&answer))
}

/// The body, which may come in the query string's `source`.
fn body_or_source(headers: &HeaderMap, bytes: Bytes, params: &Params) -> Result<Option<Json>, Error> {
    match (body::json(headers, bytes)?, params.text("source")) {
        (None, Some(text)) => serde_json::from_str(text).map(Some).map_err(|error| body::bad(&error)),
        (body, _) => Ok(body),
    }
}

/// One search, as a request of its own or of several.
async fn one(
    es: &Es,
    principal: &Principal,
    index: &str,
    body: Option<Json>,
    params: &Params,
) -> Result<Json, Error> {
    principal.require(Permission::Read)?;
    let now = crate::now();
    let pit = body.as_ref().and_then(|body| body.get("pit")).map(read_pit).transpose()?;
    let (scope, limited, pit) = match pit {
        Some(_) if !index.is_empty() => {
            return Err(Error::illegal(
                "[indices] cannot be used with point in time. Do not specify any index with point in time.",
            ));
        }
        Some((id, keep)) => {
            let kept = es.contexts.get(principal, &id, keep)?;
            let filter = kept.filter();
            (kept.indices, filter, Some(id))
        }
        None => {
            let scope = scope_of(es, principal, index, params).await?;
            let filter = scope.filter.clone();
            (scope, filter, None)
        }
    };
    let schema = scope.schema(es, principal, (body.as_ref(), params), now).await?;
    let request = Request::read(body.as_ref(), params, &schema)?;
    let scroll = match request.scroll {
        None => None,
        Some(keep) => {
            let body = body.clone().unwrap_or_else(|| json!({}));
            let scroll = Scroll { body, params: params.clone(), after: None, now };
            let kept = Kept { indices: scope.clone(), opened: now, scroll: Some(scroll) };
            Some((es.contexts.open(principal, kept.clone(), keep)?, kept))
        }
    };
    let scope = scroll.as_ref().map_or(limited, |(_, kept)| kept.filter());
    let after = after(es, principal, &request).await?;
    let found = find(es, principal, &request, scope, after).await?;
    let mut answer = found.answer;
    if let Some(id) = pit {
        answer.insert("pit_id".into(), json!(id));
    }
    if let Some((id, _)) = scroll {
        if let Some(after) = found.last {
            es.contexts.advance(principal, &id, after);
        }
        answer.insert("_scroll_id".into(), json!(id));
    }
    Ok(Json::Object(answer))
}

/// The events in the indices that an expression means.
pub(super) async fn scope_of(
    es: &Es,
    principal: &Principal,
    index: &str,
    params: &Params,
) -> Result<Scope, Error> {
    let indices = resolve(es, principal, index, Missing::of(params)?).await?;
    Scope::of(es, principal, &indices).await
}

/// Where `search_after` says that the page begins.
async fn after(es: &Es, principal: &Principal, request: &Request) -> Result<Option<After>, Error> {
    let Some(asked) = &request.search_after else { return Ok(None) };
    if !request.sorting.is_asked {
        return Err(Error::illegal("Sort must contain at least one field."));
    }
    let (values, id) = request.sorting.after(asked)?;
    let place = match (request.sorting.native(), id) {
        (None, _) => None,
        (Some(_), None) => request.sorting.behind(&values),
        (Some(_), Some(id)) => match es.searcher.event(principal, id).await {
            Ok(event) => position(&event),
            Err(crate::search::Error::NotFound) => {
                return Err(Error::illegal("the document of [search_after] is no longer kept: begin again"));
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Some(After { values, position: place }))
}

/// An answer, and the last hit's place in it.
struct Answered {
    answer: Map<String, Json>,
    last: Option<After>,
}

/// Finds the hits and the aggregations of a request.
async fn find(
    es: &Es,
    principal: &Principal,
    request: &Request,
    scope: Filter,
    after: Option<After>,
) -> Result<Answered, Error> {
    let searcher = &es.searcher;
    let memory_bytes = searcher.limits.memory_bytes;
    let deadline =
        request.timeout.map_or(searcher.limits.deadline, |timeout| timeout.min(searcher.limits.deadline));
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, deadline).await?;
    let nothing = request.min_score.is_some_and(|least| least > 1.0);
    let query = if nothing { Filter::Not(Box::new(Filter::All)) } else { request.query.clone() };
    let matching = scope.clone().and(query);
    let wish = Wish {
        sorting: Arc::clone(&request.sorting),
        after,
        limit: request.from + request.size,
        count: request.total != Total::Not,
    };
    let (view, wanted) =
        prepare(&mut run, es, principal, matching.clone().and(request.post_filter.clone())).await?;
    let found = if wish.limit == 0 && !wish.count {
        Found { hits: Vec::new(), matched: 0, coverage: Coverage::default() }
    } else {
        hits(&mut run, &view, Arc::clone(&wanted), wish, memory_bytes).await?
    };
    let mut coverage = found.coverage.clone();
    let mut answer = Map::new();
    if let Some(tree) = &request.aggregations {
        let wanted = match request.post_filter {
            Filter::All => wanted,
            _ => prepare(&mut run, es, principal, matching).await?.1,
        };
        let filling = Filling { es, principal, view: &view, wanted, scope };
        let (aggregations, seen) = tree.run(&mut run, filling).await?;
        coverage.add(&seen);
        answer.insert("aggregations".into(), aggregations);
    }
    let because = searcher.conclude(&mut run, &coverage);
    if let (Some(because), false) = (&because, request.allow_partial) {
        return Err(incomplete(because));
    }
    let last =
        found.hits.last().map(|hit| After { values: hit.values.clone(), position: position(&hit.event) });
    answer.insert("hits".into(), shown(request, &found));
    answer.insert("took".into(), json!(u64::try_from(run.took().as_millis()).unwrap_or(u64::MAX)));
    answer.insert("timed_out".into(), json!(coverage.is_late()));
    answer.insert("_shards".into(), shards(because.as_deref(), coverage.is_late()));
    Ok(Answered { answer, last })
}

/// What was searched, and why something is missing: nothing is cut silently.
pub(super) fn shards(because: Option<&str>, is_late: bool) -> Json {
    match because {
        None => json!({"total": 1, "successful": 1, "skipped": 0, "failed": 0}),
        Some(because) => {
            let kind = if is_late { "timeout_exception" } else { "no_shard_available_action_exception" };
            let failure = json!({"shard": 0, "index": null, "reason": {"type": kind, "reason": because}});
            json!({"total": 2, "successful": 1, "skipped": 0, "failed": 1, "failures": [failure]})
        }
    }
}

fn incomplete(because: &str) -> Error {
    Error::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "search_phase_execution_exception",
        format!("Partial results: {because}"),
    )
}

fn shown(request: &Request, found: &Found) -> Json {
    let mut hits = Map::new();
    if let Some(total) = total(request, found.matched) {
        hits.insert("total".into(), total);
    }
    let scored = request.sorting.shows_score();
    let page: Vec<Json> = found.hits.iter().skip(request.from).map(|hit| one_hit(request, hit)).collect();
    hits.insert("max_score".into(), if scored && !page.is_empty() { json!(1.0) } else { Json::Null });
    hits.insert("hits".into(), Json::Array(page));
    Json::Object(hits)
}

fn total(request: &Request, matched: u64) -> Option<Json> {
    let (value, relation) = match request.total {
        Total::Not if request.total_as_int => return Some(json!(-1)),
        Total::Not => return None,
        Total::UpTo(most) if matched > most => (most, "gte"),
        Total::Exact | Total::UpTo(_) => (matched, "eq"),
    };
    Some(if request.total_as_int { json!(value) } else { json!({"value": value, "relation": relation}) })
}

fn one_hit(request: &Request, found: &super::run::Hit) -> Json {
    let event = &found.event;
    let mut shown = hit::whole(event, &request.source);
    shown.insert("_score".into(), if request.sorting.shows_score() { json!(1.0) } else { Json::Null });
    if request.version {
        shown.insert("_version".into(), json!(1));
    }
    if request.sequence {
        shown.insert("_seq_no".into(), json!(hit::sequence(event)));
        shown.insert("_primary_term".into(), json!(1));
    }
    if request.explain {
        shown.insert(
            "_explanation".into(),
            json!({"value": 1.0, "description": "scores are constant", "details": []}),
        );
    }
    if !request.fields.is_empty() {
        let fields = super::fields::values(event, &request.fields);
        if !fields.is_empty() {
            shown.insert("fields".into(), Json::Object(fields));
        }
    }
    if let Some(highlight) = request.highlight.as_ref().and_then(|highlight| highlight.of(event)) {
        shown.insert("highlight".into(), highlight);
    }
    if request.sorting.is_asked {
        shown.insert("sort".into(), request.sorting.json(&found.values));
    }
    Json::Object(shown)
}

/// Answers `_count`.
pub(super) async fn count(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    params.known("/_count", &[INDICES, LUCENE, &["min_score", "terminate_after"]])?;
    let body = body_or_source(&headers, bytes, &params)?;
    let empty = Map::new();
    let members = match &body {
        None => &empty,
        Some(Json::Object(members)) => members,
        Some(_) => return Err(Error::parsing("the body of a count must be an object")),
    };
    if let Some(unknown) = members.keys().find(|name| *name != "query") {
        return Err(Error::parsing(format!("request does not support [{unknown}]")));
    }
    let scope = scope_of(&es, &principal, expression(&index), &params).await?;
    let schema = scope.schema(&es, &principal, (body.as_ref(), &params), crate::now()).await?;
    let query = super::request::query(members, &params, &schema)?;
    let scope = scope.filter;
    let searcher = &es.searcher;
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, searcher.limits.deadline).await?;
    let (view, wanted) = prepare(&mut run, &es, &principal, scope.and(query)).await?;
    let wish = Wish { sorting: Arc::default(), after: None, limit: 0, count: true };
    let found = hits(&mut run, &view, wanted, wish, searcher.limits.memory_bytes).await?;
    let because = searcher.conclude(&mut run, &found.coverage);
    let shards = shards(because.as_deref(), found.coverage.is_late());
    Ok(answer::ok(&json!({"count": found.matched, "_shards": shards})))
}

/// Answers `_msearch`: pairs of lines, a header and a body. One that cannot be answered does not stop the others.
pub(super) async fn msearch(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    params.known("/_msearch", &[INDICES, LUCENE, SEARCH])?;
    let plain = body::plain(&headers, bytes)?;
    let mut lines = Vec::new();
    for line in plain.split(|byte| *byte == b'\n') {
        lines.push(line.trim_ascii());
    }
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if lines.is_empty() {
        return Err(Error::new(
            StatusCode::BAD_REQUEST,
            "action_request_validation_exception",
            "Validation Failed: 1: no requests added;",
        ));
    }
    if lines.len() > 2 * MAX_SEARCHES {
        return Err(Error::illegal(format!("at most {MAX_SEARCHES} searches in one request")));
    }
    let started = std::time::Instant::now();
    let mut responses = Vec::new();
    for pair in lines.chunks(2) {
        let [header, body] = pair else {
            return Err(Error::parsing("a search of [_msearch] lacks its body"));
        };
        let (header, body) = (read_line(header)?, read_line(body)?);
        let of_header = index_of(&header)?;
        let index = of_header.as_deref().unwrap_or(expression(&index));
        let params = params.with(&header);
        responses.push(match Box::pin(one(&es, &principal, index, Some(body), &params)).await {
            Ok(Json::Object(mut answer)) => {
                answer.insert("status".into(), json!(200));
                Json::Object(answer)
            }
            Ok(other) => other,
            Err(error) => error.body(),
        });
    }
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(answer::ok(&json!({"took": took, "responses": responses})))
}

fn read_line(line: &[u8]) -> Result<Json, Error> {
    if line.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(line).map_err(|error| body::bad(&error))
}

/// The indices that a header of `_msearch` names.
fn index_of(header: &Json) -> Result<Option<String>, Error> {
    match header.get("index").or(header.get("indices")) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(index)) => Ok(Some(index.clone())),
        Some(Json::Array(items)) => {
            Ok(Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")))
        }
        Some(other) => Err(Error::illegal(format!("[index] cannot be [{other}]"))),
    }
}

/// Answers `_search/scroll`: the next page.
pub(super) async fn scroll(
    State(es): State<Es>,
    principal: Principal,
    path: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Json::as_str).or(params.text(name)).map(str::to_owned);
    let id = text("scroll_id").or_else(|| path.as_ref().map(|Path(id)| id.clone()));
    let id = id.ok_or_else(|| Error::illegal("scrollId is missing"))?;
    let keep = text("scroll").as_deref().map(keep_alive).transpose()?;
    let kept = es.contexts.get(&principal, &id, keep)?;
    let Some(scroll) = &kept.scroll else { return Err(Error::illegal("this is no id of a scroll")) };
    let asked = (Some(&scroll.body), &scroll.params);
    let schema = kept.indices.schema(&es, &principal, asked, scroll.now).await?;
    let mut request = Request::read(Some(&scroll.body), &scroll.params, &schema)?;
    request.aggregations = None;
    request.total_as_int |= params.flag("rest_total_hits_as_int");
    let found = find(&es, &principal, &request, kept.filter(), scroll.after.clone()).await?;
    if let Some(after) = found.last {
        es.contexts.advance(&principal, &id, after);
    }
    let mut answer = found.answer;
    answer.insert("_scroll_id".into(), json!(id));
    Ok(answer::ok(&Json::Object(answer)))
}

/// The ids that a request names, in its body, its path or its query string.
pub(super) fn ids(body: &Json, name: &str, path: &Index, params: &Params) -> Vec<String> {
    let of_body = match body.get(name) {
        Some(Json::String(id)) => vec![id.clone()],
        Some(Json::Array(ids)) => ids.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let of_path = path.iter().flat_map(|Path(ids)| ids.split(',')).map(str::to_owned);
    of_body.into_iter().chain(of_path).chain(params.list(name)).collect()
}

/// Answers `DELETE _search/scroll`.
pub(super) async fn clear_scroll(
    State(es): State<Es>,
    principal: Principal,
    path: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let ids = ids(&body, "scroll_id", &path, &params);
    let all = ids.iter().any(|id| id == "_all");
    let freed = if all { es.contexts.close_scrolls(&principal) } else { es.contexts.close(&principal, &ids) };
    let status = if freed > 0 || all { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(answer::json(status, &json!({"succeeded": true, "num_freed": freed})))
}
