//! `/api/openapi.json`: every route with its parameters, answers and errors, as OpenAPI 3.1.
//!
//! Written as a table rather than derived: answers are assembled by hand for speed, so a derived schema would describe types that
//! exist for the description only. Tests hold the table against the router and against real answers.

mod operations;
mod schemas;

use std::collections::BTreeMap;

use axum::Json;
use http::StatusCode;
use locard_indexer::{Principal, Problem};
use serde_json::{Map, Value, json};

use super::params::Params;
use operations::{Operation, Parameter, operations};

/// Answers the description of the API.
pub(super) async fn openapi(_principal: Principal, params: Params) -> Result<Json<Value>, Problem> {
    params.known(&[])?;
    Ok(Json(document()))
}

/// The whole description.
pub(super) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Locard",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Collects, keeps and finds what happened. Every answer is complete or says why it is not.",
        },
        "security": [{"token": []}, {}],
        "paths": paths(),
        "components": {
            "schemas": schemas::schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn paths() -> Value {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_default();
        path.insert(operation.method.to_owned(), describe(&operation));
    }
    json!(paths)
}

fn describe(operation: &Operation) -> Value {
    let mut described = Map::new();
    described.insert("operationId".into(), json!(operation.id));
    described.insert("tags".into(), json!([operation.tag]));
    described.insert("summary".into(), json!(operation.summary));
    described.insert("parameters".into(), operation.parameters.iter().map(parameter).collect());
    described.insert("responses".into(), responses(operation));
    if let Some(body) = &operation.body {
        described.insert("requestBody".into(), json!({"required": true, "content": body}));
    }
    Value::Object(described)
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.help,
        "schema": parameter.schema,
    })
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    let content: Map<String, Value> = operation
        .answers
        .iter()
        .map(|(media, schema)| ((*media).to_owned(), json!({"schema": schema})))
        .collect();
    let success = json!({"description": operation.answer, "content": content});
    responses.insert(operation.status.to_string(), success);
    for (status, help) in &operation.errors {
        let schema = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
        let content = json!({"application/problem+json": schema});
        let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let description = if help.is_empty() { name.unwrap_or_default() } else { help };
        responses.insert(status.to_string(), json!({"description": description, "content": content}));
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let document = document();
        for (path, _) in crate::api::routes() {
            assert!(document["paths"][path].is_object(), "{path} is not described");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_id_is_given_once() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
        }
        let mut ids: Vec<&str> = operations().iter().map(|operation| operation.id).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|one, two| one < two), "{ids:?}");
    }

    #[test]
    fn every_name_in_a_path_is_a_parameter() {
        for operation in operations() {
            let named = operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            for name in named {
                let described = operation.parameters.iter().any(|p| p.name == name && p.place == "path");
                assert!(described, "{name} of {}", operation.path);
            }
        }
    }
}
