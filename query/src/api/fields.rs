//! `/api/fields` and `/api/fields/{name}/values`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use locard_indexer::{Permission, Principal, Problem};
use serde_json::{Value, json};

use super::Api;
use super::params::Params;
use super::problem::problem;
use super::search::{matched, millis, scanned};
use crate::json::ValueJson;
use crate::search::{AskValues, Field, Fields, Values};

/// How many values are answered unless asked otherwise.
const VALUES: usize = 10;
/// Most values in one answer.
const MAX_VALUES: usize = 1_000;

/// Answers which fields the matching events have.
pub(super) async fn fields(
    State(api): State<Api>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let ask = params.known(&["q", "start", "end", "timeout"])?.ask()?;
    let fields = api.searcher.fields(&principal, &ask).await.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(names(&fields)).into_response())
}

/// Answers the most common values of a field.
pub(super) async fn values(
    State(api): State<Api>,
    principal: Principal,
    Path(field): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let params = params.known(&["q", "start", "end", "timeout", "limit", "prefix"])?;
    let limit = params.count("limit", VALUES, MAX_VALUES)?;
    let ask = crate::search::Ask { limit: None, ..params.ask()? };
    let wanted = AskValues { field, prefix: params.text("prefix").unwrap_or_default().to_owned(), limit };
    let values = api.searcher.values(&principal, &ask, &wanted).await;
    let values = values.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(top(&wanted.field, &values)).into_response())
}

fn names(answer: &Fields) -> Value {
    let events = answer.matched.value;
    let fields: Vec<Value> = answer.fields.iter().map(|(name, field)| named(name, field, events)).collect();
    json!({
        "fields": fields,
        "matched": matched(answer.matched),
        "complete": answer.incomplete_because.is_none(),
        "incomplete_because": answer.incomplete_because,
        "took_ms": millis(answer.took),
        "scanned": scanned(answer.scanned),
    })
}

fn named(name: &str, field: &Field, events: u64) -> Value {
    json!({
        "name": name,
        "type": field.types.first(),
        "types": field.types,
        "label": field.label,
        "count": field.count,
        "coverage": field.count as f64 / events.max(1) as f64,
    })
}

fn top(field: &str, answer: &Values) -> Value {
    let values =
        answer.values.iter().map(|(value, count)| json!({"value": ValueJson(value), "count": count}));
    json!({
        "field": field,
        "values": values.collect::<Vec<Value>>(),
        "distinct": matched(answer.distinct),
        "matched": matched(answer.matched),
        "complete": answer.incomplete_because.is_none(),
        "incomplete_because": answer.incomplete_because,
        "took_ms": millis(answer.took),
        "scanned": scanned(answer.scanned),
    })
}
