//! Indices: made, there, deleted; what is said of their mappings and settings. An index is there once it was made or has events.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use locard_filter::{Filter, Predicate, Test};
use locard_indexer::{DeleteError, Permission, Principal};
use serde_json::{Map, Value as Json, json};

use super::super::Es;
use super::super::answer::ok;
use super::super::error::Error;
use super::super::params::Params;
use super::{alias, answered, apply, kept};
use crate::search::Ask;

pub(super) const KIND: &str = "es-index";
/// What settings may be put under, or without.
const SETTINGS_ROOT: &str = "index";

/// Whether something is called so: an index, or an alias of one.
async fn is_there(es: &Es, principal: &Principal, name: &str) -> Result<bool, Error> {
    Ok(exists_itself(es, principal, name).await? || alias::list(es, principal).await?.contains_key(name))
}

/// Whether there is such an index.
pub(super) async fn exists_itself(es: &Es, principal: &Principal, name: &str) -> Result<bool, Error> {
    if kept::get(es, principal, KIND, name).await?.is_some() {
        return Ok(true);
    }
    if principal.filter.is_some() {
        return is_seen(es, principal, name).await;
    }
    es.searcher.indexer.has_dataset(&principal.tenant, name).await.map_err(|error| unreadable(&error))
}

/// Whether this principal may see an event of an index: to others it would tell of what they may not.
async fn is_seen(es: &Es, principal: &Principal, name: &str) -> Result<bool, Error> {
    let test = Test::Equals(name.into());
    let filter = Filter::Is(Predicate { field: Some(locard_event::name::DATASET.into()), test });
    let ask = Ask { q: filter.to_string(), limit: Some(1), ..Ask::default() };
    Ok(es.searcher.search(principal, &ask).await?.matched.value > 0)
}

/// 404 if there is no such index or alias.
pub(super) async fn require(es: &Es, principal: &Principal, name: &str) -> Result<(), Error> {
    if is_there(es, principal, name).await? { Ok(()) } else { Err(Error::no_index(name)) }
}

fn unreadable(error: &locard_indexer::Error) -> Error {
    tracing::error!(%error, "it is not known which indices there are");
    Error::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no_shard_available_action_exception",
        "a split cannot be read",
    )
}

/// `PUT /es/{index}`.
pub(super) async fn create(
    State(es): State<Es>,
    principal: Principal,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    if !answered::is_index(&name) {
        let reason = format!("Invalid index name [{name}], must be {}", locard_event::name::DATASET_RULE);
        let error = Error::new(StatusCode::BAD_REQUEST, "invalid_index_name_exception", reason);
        return Err(error.with("index", name).with("index_uuid", "_na_"));
    }
    let mut body = kept::object(&body)?;
    if is_there(&es, &principal, &name).await? {
        return Err(taken(&name));
    }
    let mut said = apply::said(&es, &principal, &name).await?;
    let mut aliases = apply::take(&mut said, "aliases");
    if let own @ Json::Object(_) = apply::take(&mut body, "aliases") {
        kept::merge(&mut aliases, own);
    }
    let own = described(&mut body)?;
    let mut described = described(&mut said)?;
    kept::merge(&mut described, own);
    kept::change(&es, &principal, (KIND, &name), |before| match before {
        Some(_) => Err(taken(&name)),
        None => Ok(described.clone()),
    })
    .await?;
    alias::add_all(&es, &principal, &name, &aliases).await?;
    Ok(ok(&json!({"acknowledged": true, "shards_acknowledged": true, "index": name})))
}

fn taken(name: &str) -> Error {
    let reason = format!("index [{name}] already exists");
    Error::new(StatusCode::BAD_REQUEST, "resource_already_exists_exception", reason)
        .with("index", name)
        .with("index_uuid", "_na_")
}

/// What is kept of an index.
pub(super) fn described(body: &mut Json) -> Result<Json, Error> {
    let body = body.as_object_mut().map(std::mem::take).unwrap_or_default();
    let mut kept = Map::new();
    for (name, value) in body {
        match name.as_str() {
            "mappings" => kept.insert(name, untyped(value)),
            "settings" => kept.insert(name, settings(&value)),
            other => return Err(Error::parsing(format!("unknown key [{other}] for create index"))),
        };
    }
    let created = crate::now().nanos() / 1_000_000;
    kept.insert("created".into(), json!(created));
    Ok(Json::Object(kept))
}

/// Before Elasticsearch 7 mappings stood under the name of a type.
pub(super) fn untyped(mut mappings: Json) -> Json {
    match mappings.get_mut("_doc") {
        Some(typed) => typed.take(),
        None => mappings,
    }
}

/// Settings below `index`, however they were written.
pub(super) fn settings(said: &Json) -> Json {
    let mut nested = json!({});
    for (name, value) in said.as_object().into_iter().flatten() {
        let name = name.strip_prefix("index.").unwrap_or(name);
        let mut value = value.clone();
        if name == SETTINGS_ROOT {
            kept::merge(&mut nested, value);
            continue;
        }
        for part in name.rsplit('.') {
            value = json!({ part: value });
        }
        kept::merge(&mut nested, value);
    }
    json!({ SETTINGS_ROOT: nested })
}

/// `HEAD /es/{index}`.
pub(super) async fn exists(
    State(es): State<Es>,
    principal: Principal,
    Path(names): Path<String>,
) -> Result<StatusCode, Error> {
    kept::may_read(&principal)?;
    for name in names.split(',').filter(|name| !name.contains('*')) {
        if !is_there(&es, &principal, name).await? {
            return Ok(StatusCode::NOT_FOUND);
        }
    }
    Ok(StatusCode::OK)
}

/// `DELETE /es/{index}`: the index and every event in it, unless a legal hold covers one.
pub(super) async fn delete(
    State(es): State<Es>,
    principal: Principal,
    Path(names): Path<String>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Admin)?;
    let names: Vec<&str> = names.split(',').collect();
    if names.iter().any(|name| name.contains('*') || *name == "_all") {
        return Err(Error::illegal("Wildcard expressions or all indices are not allowed"));
    }
    let aliases = alias::list(&es, &principal).await?;
    if let Some(name) = names.iter().find(|name| aliases.contains_key(**name)) {
        return Err(Error::illegal(format!(
            "The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead."
        )));
    }
    let mut there = Vec::new();
    for name in names {
        if exists_itself(&es, &principal, name).await? {
            there.push(name);
        } else if !params.flag("ignore_unavailable") {
            return Err(Error::no_index(name));
        }
    }
    for name in there {
        es.searcher.indexer.delete_dataset(&principal, name).await.map_err(|error| refused(name, error))?;
        kept::delete(&es, &principal, KIND, name).await?;
        alias::forget(&es, &principal, name).await?;
        es.settled.forget(principal.tenant.as_str(), name);
    }
    Ok(ok(&json!({"acknowledged": true})))
}

fn refused(name: &str, error: DeleteError) -> Error {
    match error {
        DeleteError::Forbidden(problem) => problem.into(),
        DeleteError::Held { .. } => {
            let reason = format!("index [{name}] cannot be deleted: {error}; release it first");
            Error::new(StatusCode::BAD_REQUEST, "illegal_state_exception", reason).with("index", name)
        }
        DeleteError::Unreadable { .. } => {
            Error::illegal(format!("index [{name}] cannot be deleted: {error}"))
        }
        DeleteError::Failed(error) => {
            tracing::error!(index = name, %error, "an index cannot be deleted");
            let reason = format!("index [{name}] was not or only partly deleted: {error}");
            Error::new(StatusCode::SERVICE_UNAVAILABLE, "cluster_block_exception", reason)
        }
    }
}

/// `PUT|POST /es/{index}/_mapping`: laid over what was said before.
pub(super) async fn put_mapping(
    State(es): State<Es>,
    principal: Principal,
    Path(names): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let mapping = untyped(kept::object(&body)?);
    lay_over(&es, &principal, &names, &json!({"mappings": mapping})).await
}

/// `PUT /es/{index}/_settings`: laid over what was said before.
pub(super) async fn put_settings(
    State(es): State<Es>,
    principal: Principal,
    Path(names): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let mut said = kept::object(&body)?;
    let said = match said.get_mut("settings") {
        Some(inner) => inner.take(),
        None => said,
    };
    lay_over(&es, &principal, &names, &json!({"settings": settings(&said)})).await
}

async fn lay_over(es: &Es, principal: &Principal, names: &str, over: &Json) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    for name in names.split(',') {
        if name.contains('*') || name == "_all" {
            return Err(Error::unsupported("a pattern for what is changed"));
        }
        if !exists_itself(es, principal, name).await? {
            return Err(Error::no_index(name));
        }
        kept::change(es, principal, (KIND, name), |before| {
            let mut kept = before.unwrap_or_else(|| json!({}));
            kept::merge(&mut kept, over.clone());
            Ok(kept)
        })
        .await?;
    }
    Ok(ok(&json!({"acknowledged": true})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_below_index_however_they_are_written() {
        let expected = json!({"index": {"number_of_shards": 3, "lifecycle": {"name": "x"}}});
        for said in [
            json!({"number_of_shards": 3, "index.lifecycle.name": "x"}),
            json!({"index": {"number_of_shards": 3, "lifecycle": {"name": "x"}}}),
            json!({"index.number_of_shards": 3, "lifecycle.name": "x"}),
        ] {
            assert_eq!(settings(&said), expected);
        }
    }
}
