//! `/api/entity`: what is known of an address, a user, a host.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use locard_indexer::{Permission, Principal, Problem};
use serde_json::{Map, Value, json};

use super::Api;
use super::params::Params;
use super::problem::problem;
use super::search::{matched, millis, scanned};
use crate::json::EventJson;
use crate::pipe::{Table, member_names};
use crate::search::{Ask, AskEntity, Entity, Facet};

/// How many values of each field are told unless asked otherwise, and at most.
const VALUES: usize = 10;
const MAX_VALUES: usize = 1_000;

/// Answers what is known of an entity.
pub(super) async fn entity(
    State(api): State<Api>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, Problem> {
    principal.require(Permission::Read)?;
    let params = params.known(&["field", "value", "anywhere", "q", "start", "end", "limit", "timeout"])?;
    let limit = params.count("limit", VALUES, MAX_VALUES)?.max(1);
    let anywhere = params.parse("anywhere", "write true or false")?.unwrap_or(false);
    let (field, value) = (params.text("field").map(str::to_owned), params.text("value"));
    let Some(value) = value.map(str::to_owned) else {
        return Err(missing("value", "say what is looked for"));
    };
    if field.is_none() && !anywhere {
        return Err(missing("field", "name the field, or look `anywhere=true`"));
    }
    let ask = Ask { limit: None, ..params.ask()? };
    let of = AskEntity { field, value, anywhere, limit };
    let found = api.searcher.entity(&principal, &ask, &of).await;
    let found = found.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(said(&of, &found)))
}

fn missing(parameter: &str, hint: &str) -> Problem {
    let problem = Problem::new(StatusCode::BAD_REQUEST, format!("`{parameter}` is missing"));
    problem.with("parameter", parameter).with("hint", hint)
}

fn said(of: &AskEntity, found: &Entity) -> Value {
    let top = found
        .facets
        .iter()
        .filter(|(_, facet)| !facet.table.rows.is_empty() || facet.incomplete_because.is_some());
    let places = found.places.as_ref().map(|places| {
        let fields = places.fields.iter().map(|(field, count)| json!({"field": field, "count": count}));
        json!({
            "fields": fields.collect::<Vec<_>>(),
            "complete": places.incomplete_because.is_none(),
            "incomplete_because": places.incomplete_because,
        })
    });
    json!({
        "field": of.field,
        "value": of.value,
        "anywhere": of.anywhere,
        "q": found.filter.to_string(),
        "matched": matched(found.matched),
        "first": found.first.as_ref().map(EventJson::whole),
        "last": found.last.as_ref().map(EventJson::whole),
        "top": top.map(|(field, facet)| top_values(field, facet)).collect::<Vec<_>>(),
        "patterns": facet_json(&found.patterns),
        "timeline": facet_json(&found.timeline),
        "occurs_in": places,
        "complete": found.incomplete_because.is_none(),
        "incomplete_because": found.incomplete_because,
        "took_ms": millis(found.took),
        "scanned": scanned(found.scanned),
    })
}

fn top_values(field: &str, facet: &Facet) -> Value {
    let values = facet.table.rows.iter().filter_map(|row| match row.as_slice() {
        [value, count, ..] => Some(json!({"value": value, "count": count})),
        _ => None,
    });
    json!({
        "field": field,
        "values": values.collect::<Vec<_>>(),
        "complete": facet.incomplete_because.is_none(),
        "incomplete_because": facet.incomplete_because,
    })
}

/// Rows as objects.
fn facet_json(facet: &Facet) -> Value {
    let Table { columns, rows, .. } = &facet.table;
    let names = member_names(columns);
    let object = |row: &Vec<Value>| -> Value {
        let members: Map<String, Value> = names.iter().cloned().zip(row.iter().cloned()).collect();
        Value::Object(members)
    };
    json!({
        "rows": rows.iter().map(object).collect::<Vec<_>>(),
        "complete": facet.incomplete_because.is_none(),
        "incomplete_because": facet.incomplete_because,
    })
}
