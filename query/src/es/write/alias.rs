//! Aliases: other names of indices, kept with the tenant. What is written to one goes to its writing index.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use locard_indexer::{Permission, Principal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::super::Es;
use super::super::answer::{json as answer, ok};
use super::super::error::Error;
use super::super::wild;
use super::{answered, index, kept};

const KIND: &str = "es-alias";
/// Most aliases of a tenant: they are kept with every batch that is written, so that it reads the same for ever.
const MAX_ALIASES: usize = 1000;

/// What an alias stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alias {
    /// Its indices, and whether each was said to be the one that is written to.
    pub(crate) indices: BTreeMap<String, Option<bool>>,
}

impl Alias {
    /// Where what is written to it goes; nothing if that is not clear.
    pub(super) fn target(&self) -> Option<&str> {
        let said = self.indices.iter().find(|(_, writes)| **writes == Some(true));
        let only = self
            .indices
            .iter()
            .next()
            .filter(|(_, writes)| self.indices.len() == 1 && **writes != Some(false));
        said.or(only).map(|(index, _)| index.as_str())
    }
}

/// The tenant's aliases by name.
pub(super) async fn list(es: &Es, principal: &Principal) -> Result<BTreeMap<String, Alias>, Error> {
    let found = kept::list(es, principal, KIND).await?;
    Ok(found
        .into_iter()
        .map(|(name, body)| (name, serde_json::from_value(body).unwrap_or_default()))
        .collect())
}

/// What is asked of an alias of an index.
struct Wanted<'a> {
    index: &'a str,
    alias: &'a str,
    /// Nothing: it is to be one no more.
    writes: Option<Option<bool>>,
}

/// `POST /es/_aliases`: several changes, one after the other.
pub(super) async fn change(
    State(es): State<Es>,
    principal: Principal,
    body: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    let body = kept::object(&body)?;
    let Some(actions) = body.get("actions").and_then(Json::as_array) else {
        return Err(Error::parsing("[actions] is missing"));
    };
    for action in actions {
        let Some((name, said)) = action.as_object().and_then(|action| action.iter().next()) else {
            return Err(Error::parsing("an action is an object with one member"));
        };
        let adds = match name.as_str() {
            "add" => true,
            "remove" => false,
            other => return Err(Error::unsupported(&format!("_aliases action {other}"))),
        };
        check_options(said)?;
        for index in names(said, "index", "indices")? {
            for alias in names(said, "alias", "aliases")? {
                let writes = adds.then(|| said.get("is_write_index").and_then(Json::as_bool));
                set(&es, &principal, Wanted { index: &index, alias: &alias, writes }).await?;
            }
        }
    }
    Ok(ok(&json!({"acknowledged": true, "errors": false})))
}

/// An alias with a filter would be answered without it.
fn check_options(said: &Json) -> Result<(), Error> {
    match said.get("filter") {
        None | Some(Json::Null) => Ok(()),
        Some(_) => Err(Error::unsupported("alias filter")),
    }
}

fn names(said: &Json, one: &str, many: &str) -> Result<Vec<String>, Error> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let listed = match (said.get(one), said.get(many)) {
        (Some(value), _) | (None, Some(value)) => match value {
            Json::Array(values) => values.iter().map(text).collect(),
            value => text(value).map(|text| text.split(',').map(str::to_owned).collect()),
        },
        (None, None) => None,
    };
    let listed: Vec<String> = listed.ok_or_else(|| Error::parsing(format!("[{one}] is missing")))?;
    if listed.iter().any(|name| name.contains('*')) {
        return Err(Error::unsupported("a pattern in _aliases"));
    }
    Ok(listed)
}

/// `PUT|POST /es/{index}/_alias/{name}`.
pub(super) async fn add(
    State(es): State<Es>,
    principal: Principal,
    Path((index, alias)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    let said = kept::object(&body)?;
    check_options(&said)?;
    let writes = said.get("is_write_index").and_then(Json::as_bool);
    for index in index.split(',') {
        set(&es, &principal, Wanted { index, alias: &alias, writes: Some(writes) }).await?;
    }
    Ok(ok(&json!({"acknowledged": true})))
}

/// `DELETE /es/{index}/_alias/{name}`.
pub(super) async fn remove(
    State(es): State<Es>,
    principal: Principal,
    Path((index, alias)): Path<(String, String)>,
) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    for index in index.split(',') {
        set(&es, &principal, Wanted { index, alias: &alias, writes: None }).await?;
    }
    Ok(ok(&json!({"acknowledged": true})))
}

/// Adds aliases that an index comes with.
pub(super) async fn add_all(
    es: &Es,
    principal: &Principal,
    index: &str,
    aliases: &Json,
) -> Result<(), Error> {
    for (alias, said) in aliases.as_object().into_iter().flatten() {
        check_options(said)?;
        let writes = said.get("is_write_index").and_then(Json::as_bool);
        set(es, principal, Wanted { index, alias, writes: Some(writes) }).await?;
    }
    Ok(())
}

/// Takes an index that is no more out of every alias.
pub(super) async fn forget(es: &Es, principal: &Principal, index: &str) -> Result<(), Error> {
    for (alias, known) in list(es, principal).await? {
        if known.indices.contains_key(index) {
            set(es, principal, Wanted { index, alias: &alias, writes: None }).await?;
        }
    }
    Ok(())
}

async fn set(es: &Es, principal: &Principal, wanted: Wanted<'_>) -> Result<(), Error> {
    let Wanted { index, alias, writes } = wanted;
    let absent = || {
        let reason = format!("aliases [{alias}] missing");
        Error::new(StatusCode::NOT_FOUND, "aliases_not_found_exception", reason)
    };
    if writes.is_some() {
        check_new(es, principal, index, alias).await?;
    }
    let changed = kept::change(es, principal, (KIND, alias), |before| {
        let mut known: Alias = before.and_then(|body| serde_json::from_value(body).ok()).unwrap_or_default();
        match writes {
            Some(writes) => drop(known.indices.insert(index.to_owned(), writes)),
            None => drop(known.indices.remove(index).ok_or_else(absent)?),
        }
        if known.indices.values().filter(|writes| **writes == Some(true)).count() > 1 {
            return Err(Error::illegal(format!("alias [{alias}] has more than one write index")));
        }
        Ok(serde_json::to_value(known).unwrap_or_default())
    });
    changed.await?;
    let left = kept::get(es, principal, KIND, alias).await?;
    let is_empty = left
        .and_then(|body| serde_json::from_value::<Alias>(body).ok())
        .is_none_or(|left| left.indices.is_empty());
    if is_empty {
        kept::delete(es, principal, KIND, alias).await?;
    }
    Ok(())
}

async fn check_new(es: &Es, principal: &Principal, index: &str, alias: &str) -> Result<(), Error> {
    if !answered::is_index(alias) {
        let reason = format!("Invalid alias name [{alias}]: must be {}", locard_event::name::DATASET_RULE);
        return Err(Error::new(StatusCode::BAD_REQUEST, "invalid_alias_name_exception", reason));
    }
    index::require(es, principal, index).await?;
    let known = list(es, principal).await?;
    if known.contains_key(alias) {
        return Ok(());
    }
    if known.len() >= MAX_ALIASES {
        return Err(Error::illegal(format!("there are {MAX_ALIASES} aliases already: delete some")));
    }
    if index::exists_itself(es, principal, alias).await? {
        let reason = format!(
            "Invalid alias name [{alias}]: an index or data stream exists with the same name as the alias"
        );
        return Err(Error::new(StatusCode::BAD_REQUEST, "invalid_alias_name_exception", reason));
    }
    Ok(())
}

/// `GET /es/_alias`.
pub(super) async fn all(State(es): State<Es>, principal: Principal) -> Result<Response, Error> {
    show(&es, &principal, "*", "*").await
}

/// `GET /es/_alias/{name}`.
pub(super) async fn named(
    State(es): State<Es>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    show(&es, &principal, "*", &name).await
}

/// `GET /es/{index}/_alias`.
pub(super) async fn of_index(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
) -> Result<Response, Error> {
    show(&es, &principal, &index, "*").await
}

/// `GET /es/{index}/_alias/{name}`.
pub(super) async fn both(
    State(es): State<Es>,
    principal: Principal,
    Path((index, name)): Path<(String, String)>,
) -> Result<Response, Error> {
    show(&es, &principal, &index, &name).await
}

/// `{index: {"aliases": {alias: {…}}}}` of those meant. An index asked for by name is there even without any.
async fn show(es: &Es, principal: &Principal, index: &str, name: &str) -> Result<Response, Error> {
    kept::may_read(principal)?;
    let is_meant = |patterns: &str, name: &str| {
        patterns.split(',').any(|pattern| pattern == "_all" || wild::matches(pattern, name))
    };
    let mut found: Map<String, Json> = Map::new();
    if name == "*" {
        for index in index.split(',').filter(|index| !index.contains('*') && *index != "_all") {
            index::require(es, principal, index).await?;
            found.insert(index.to_owned(), json!({"aliases": {}}));
        }
    }
    for (alias, known) in list(es, principal).await?.iter().filter(|(alias, _)| is_meant(name, alias)) {
        for (of, writes) in known.indices.iter().filter(|(of, _)| is_meant(index, of)) {
            let said = writes.map_or_else(|| json!({}), |writes| json!({"is_write_index": writes}));
            let entry = found.entry(of.clone()).or_insert_with(|| json!({"aliases": {}}));
            kept::merge(entry, json!({"aliases": {alias.clone(): said}}));
        }
    }
    if found.is_empty() && !name.contains('*') && name != "_all" {
        let body = json!({"error": format!("alias [{name}] missing"), "status": 404});
        return Ok(answer(StatusCode::NOT_FOUND, &body));
    }
    Ok(ok(&Json::Object(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(indices: &[(&str, Option<bool>)], expected: Option<&str>) {
        let indices = indices.iter().map(|(index, writes)| ((*index).to_owned(), *writes)).collect();
        assert_eq!(Alias { indices }.target(), expected);
    }

    #[test]
    fn what_is_written_to_an_alias_goes_to_one_index() {
        check(&[("a", None)], Some("a"));
        check(&[("a", Some(false))], None);
        check(&[("a", None), ("b", None)], None);
        check(&[("a", None), ("b", Some(true))], Some("b"));
    }
}
