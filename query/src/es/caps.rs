//! What fields there are: `_field_caps`, `_mapping`, `_mapping/field`, `_settings`, `_alias`. Made from the events themselves.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use locard_filter::Filter;
use locard_indexer::{Permission, Principal};
use serde_json::{Map, Value as Json, json};

use super::error::Error;
use super::field::{Kind, is_time, kind_of};
use super::index::{Missing, in_index, resolve};
use super::params::Params;
use super::schema::types;
use super::scope::Scope;
use super::search::{Index, expression};
use super::{Es, answer, body, dsl, wild, write};
use crate::search::{Ask, Field};

/// The type of a field, as Elasticsearch names it: that of most of its values.
fn kind(name: &str, field: &Field) -> &'static str {
    match field.types.first().copied() {
        _ if is_time(name) => "date",
        Some("integer") if !field.types.contains(&"float") => "long",
        Some("integer" | "float") => "double",
        Some("boolean") => "boolean",
        Some("ip") => "ip",
        Some("time") => "date",
        _ if kind_of(name) == Kind::Text => "text",
        _ => "keyword",
    }
}

/// The fields of what matches, by name, text fields with their keyword beside them.
async fn fields(es: &Es, principal: &Principal, filter: Filter) -> Result<BTreeMap<String, String>, Error> {
    // No side bar waits for it: it may take as long as a search.
    let ask = Ask { timeout: Some(es.searcher.limits.deadline), ..Ask::default() };
    let found = es.searcher.fields_of(principal, &ask, filter).await?;
    if let Some(because) = &found.incomplete_because {
        let reason = format!("the fields cannot all be told: {because}");
        return Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "search_phase_execution_exception", reason));
    }
    let mut kinds = BTreeMap::new();
    for (name, field) in found.fields.iter().filter(|(name, _)| !name.starts_with('_')) {
        let kind = kind(name, field);
        if kind == "text" {
            kinds.insert(format!("{name}.keyword"), "keyword".to_owned());
        }
        kinds.insert(name.clone(), kind.to_owned());
    }
    Ok(kinds)
}

/// Answers `_field_caps`.
pub(super) async fn field_caps(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let patterns = match body.get("fields") {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => params.list("fields"),
    };
    if patterns.is_empty() {
        let reason = "Validation Failed: 1: no fields specified;";
        return Err(Error::new(StatusCode::BAD_REQUEST, "action_request_validation_exception", reason));
    }
    let indices = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let scope = Scope::of(&es, &principal, &indices).await?;
    let schema = scope.schema(&es, &principal, (Some(&body), &params), crate::now()).await?;
    let narrow = body.get("index_filter").map_or(Ok(Filter::All), |filter| schema.query(filter))?;
    let mut found = fields(&es, &principal, scope.filter.and(narrow)).await?;
    for name in indices.names.keys().filter(|name| indices.made.contains_key(*name)) {
        let said = write::mappings(&es, &principal, name).await?;
        found.extend(types(&said).into_iter().filter(|(_, kind)| kind != "alias"));
    }
    let mut caps = Map::new();
    for (name, kind) in found.iter().chain(metadata().iter()) {
        if patterns.iter().any(|pattern| wild::matches(pattern, name)) {
            caps.insert(name.clone(), capability(name, kind));
        }
    }
    let names: Vec<&String> = indices.names.keys().collect();
    Ok(answer::ok(&json!({"indices": names, "fields": caps})))
}

/// Fields of the document itself.
fn metadata() -> BTreeMap<String, String> {
    ["_id", "_index", "_source"].map(|name| (name.to_owned(), name.to_owned())).into()
}

fn capability(name: &str, kind: &str) -> Json {
    let is_metadata = name.starts_with('_');
    let body = json!({
        "type": kind,
        "metadata_field": is_metadata,
        "searchable": kind != "_source",
        // Texts are too: by their whole values.
        "aggregatable": kind != "_source",
    });
    Json::Object(Map::from_iter([(kind.to_owned(), body)]))
}

/// Answers `GET {index}`: other names, mappings and settings of what is there.
pub(super) async fn index(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let indices = resolve(&es, &principal, &index, Missing::of(&params)?).await?;
    let known = write::described(&es, &principal).await?.aliases;
    let mut answer = Map::new();
    for name in indices.names.keys() {
        let aliases = known.iter().filter(|(_, alias)| alias.indices.contains_key(name));
        let aliases: Map<String, Json> = aliases.map(|(alias, _)| (alias.clone(), json!({}))).collect();
        let mappings = mappings(&es, &principal, name).await?;
        let mut settings = settings_of(name);
        write::said(&es, &principal, name, "settings", &mut settings).await?;
        answer.insert(name.clone(), json!({"aliases": aliases, "mappings": mappings, "settings": settings}));
    }
    Ok(answer::ok(&Json::Object(answer)))
}

/// What was said of an index's fields, over what its events say.
async fn mappings(es: &Es, principal: &Principal, index: &str) -> Result<Json, Error> {
    let found = fields(es, principal, in_index(index)).await?;
    let mut properties = Map::new();
    for (field, kind) in found.iter().filter(|(field, _)| !field.ends_with(".keyword")) {
        put(&mut properties, field, property(kind));
    }
    let mut mappings = json!({"properties": properties});
    write::said(es, principal, index, "mappings", &mut mappings).await?;
    Ok(mappings)
}

/// Answers `_mapping`.
pub(super) async fn mapping(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let indices = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let mut answer = Map::new();
    for name in indices.names.keys() {
        let mappings = mappings(&es, &principal, name).await?;
        answer.insert(name.clone(), json!({"mappings": mappings}));
    }
    Ok(answer::ok(&Json::Object(answer)))
}

fn property(kind: &str) -> Json {
    match kind {
        "text" => json!({"type": "text", "fields": {"keyword": {"type": "keyword"}}}),
        kind => json!({"type": kind}),
    }
}

/// Puts a property at a dotted path; a field that has fields below it has both.
fn put(properties: &mut Map<String, Json>, path: &str, property: Json) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let entry = properties.entry(first.to_owned()).or_insert_with(|| Json::Object(Map::new()));
    let Json::Object(entry) = entry else { return };
    match (rest, property) {
        (Some(rest), property) => {
            let below = entry.entry("properties").or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(below) = below {
                put(below, rest, property);
            }
        }
        (None, Json::Object(members)) => entry.extend(members),
        (None, _) => {}
    }
}

/// Answers `_mapping/field/{fields}`.
pub(super) async fn field_mapping(
    State(es): State<Es>,
    principal: Principal,
    Path(path): Path<Vec<String>>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let (patterns, index) = match path.as_slice() {
        [fields] => (fields.as_str(), ""),
        [index, fields] => (fields.as_str(), index.as_str()),
        _ => ("", ""),
    };
    let indices = resolve(&es, &principal, index, Missing::of(&params)?).await?;
    let mut answer = Map::new();
    for name in indices.names.keys() {
        let mut found = fields(&es, &principal, in_index(name)).await?;
        if indices.made.contains_key(name) {
            found.extend(types(&write::mappings(&es, &principal, name).await?));
        }
        let mut mappings = Map::new();
        for (field, kind) in &found {
            if patterns.split(',').any(|pattern| wild::matches(pattern, field)) {
                let leaf = field.rsplit('.').next().unwrap_or(field).to_owned();
                let mapping = Json::Object(Map::from_iter([(leaf, property(kind))]));
                mappings.insert(field.clone(), json!({"full_name": field, "mapping": mapping}));
            }
        }
        answer.insert(name.clone(), json!({"mappings": mappings}));
    }
    Ok(answer::ok(&Json::Object(answer)))
}

fn settings_of(name: &str) -> Json {
    json!({"index": {
        "number_of_shards": "1",
        "number_of_replicas": "0",
        "provided_name": name,
        "uuid": uuid_of(name),
        "creation_date": "0",
        "version": {"created": "8170000"},
    }})
}

/// A stable id of an index.
pub(super) fn uuid_of(name: &str) -> String {
    use base64::Engine;
    use sha2::Digest;
    let digest: Vec<u8> = sha2::Sha256::digest(name.as_bytes()).into_iter().take(16).collect();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

/// Answers `_settings`: what was said of them, over what is so.
pub(super) async fn settings(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let indices = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let mut shown = Map::new();
    for name in indices.names.keys() {
        let mut settings = settings_of(name);
        write::said(&es, &principal, name, "settings", &mut settings).await?;
        shown.insert(name.clone(), json!({"settings": settings}));
    }
    Ok(answer::ok(&Json::Object(shown)))
}

/// Answers `_resolve/index/{name}`.
pub(super) async fn resolve_index(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let indices = resolve(&es, &principal, &index, Missing::of(&params)?).await?;
    let open = |name: &String| json!({"name": name, "attributes": ["open"]});
    let shown: Vec<Json> = indices.names.keys().map(open).collect();
    Ok(answer::ok(&json!({"indices": shown, "aliases": [], "data_streams": []})))
}

/// Answers `_data_stream`: there are none, every index is one of its own.
pub(super) async fn data_streams(principal: Principal, name: Index) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let name = expression(&name);
    if !name.is_empty() && !name.contains('*') && name != "_all" {
        return Err(Error::no_index(name));
    }
    Ok(answer::ok(&json!({"data_streams": []})))
}

/// Answers `_validate/query`.
pub(super) async fn validate(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let indices = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let scope = Scope::of(&es, &principal, &indices).await?;
    let schema = scope.schema(&es, &principal, (Some(&body), &params), crate::now()).await?;
    let empty = Map::new();
    let query = super::request::query(body.as_object().unwrap_or(&empty), &params, &schema);
    let mut answer = json!({"_shards": {"total": 1, "successful": 1, "failed": 0}, "valid": query.is_ok()});
    if let (Err(error), Some(members)) = (query, answer.as_object_mut()) {
        members.insert("error".into(), error.cause().get("reason").cloned().unwrap_or_default());
    }
    Ok(answer::ok(&answer))
}

/// Answers `_analyze`, by the standard analyser.
pub(super) async fn analyze(
    principal: Principal,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    match body.get("analyzer").and_then(Json::as_str).or(params.text("analyzer")) {
        None | Some("standard" | "default") => {}
        Some(other) => return Err(Error::unsupported(&format!("analyzer {other}"))),
    }
    let texts: Vec<&str> = match body.get("text") {
        Some(Json::String(text)) => vec![text],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
        _ => params.text("text").into_iter().collect(),
    };
    let words = texts.iter().flat_map(|text| dsl::word::words(text));
    let tokens: Vec<Json> = words
        .enumerate()
        .map(|(position, token)| json!({"token": token, "position": position, "type": "<ALPHANUM>"}))
        .collect();
    Ok(answer::ok(&json!({"tokens": tokens})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_nested() {
        let mut properties = Map::new();
        put(&mut properties, "user.name", json!({"type": "keyword"}));
        put(&mut properties, "user", json!({"type": "text"}));
        put(&mut properties, "n", json!({"type": "long"}));
        let expected = json!({
            "user": {"type": "text", "properties": {"name": {"type": "keyword"}}},
            "n": {"type": "long"},
        });
        assert_eq!(Json::Object(properties), expected);
    }
}
