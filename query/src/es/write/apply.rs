//! Templates at work: what they say of an index when it comes to be, by its own request or by the first document in it.
//!
//! As Elasticsearch: of the index templates that match the name the one of the highest priority counts, with its component templates
//! under it; without any, all legacy templates that match, in their order. A template that comes later says nothing of an index
//! that is there.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use locard_indexer::{BulkAnswer, Principal};
use serde_json::{Map, Value as Json, json};

use super::super::Es;
use super::super::error::Error;
use super::super::index::{Missing, resolve};
use super::super::wild;
use super::template::Kind;
use super::{alias, index, kept};
use crate::search::lock;

/// Most names of indices in memory.
const MAX_NAMES: usize = 1 << 16;

/// Indices that were there, or were made by their first document, by tenant.
#[derive(Debug, Default)]
pub(in crate::es) struct Settled(Mutex<HashMap<String, HashSet<String>>>);

impl Settled {
    fn knows(&self, tenant: &str) -> bool {
        lock(&self.0).contains_key(tenant)
    }

    fn add(&self, tenant: &str, names: impl IntoIterator<Item = String>) {
        let mut settled = lock(&self.0);
        if settled.values().map(HashSet::len).sum::<usize>() > MAX_NAMES {
            settled.clear();
        }
        settled.entry(tenant.to_owned()).or_default().extend(names);
    }

    fn has(&self, tenant: &str, name: &str) -> bool {
        lock(&self.0).get(tenant).is_some_and(|names| names.contains(name))
    }

    /// An index that is deleted is a new one the next time.
    pub(super) fn forget(&self, tenant: &str, name: &str) {
        if let Some(names) = lock(&self.0).get_mut(tenant) {
            names.remove(name);
        }
    }
}

/// Before documents are written: notes which indices are there, where there are templates at all.
pub(super) async fn before(es: &Es, principal: &Principal) -> Result<bool, Error> {
    for kind in [Kind::IndexTemplate, Kind::LegacyTemplate] {
        if !kept::versions(es, principal, kind.name()).await?.is_empty() {
            if !es.settled.knows(principal.tenant.as_str()) {
                // Whatever this principal may see of them, they are there.
                let everyone = Principal { filter: None, ..principal.clone() };
                let there = resolve(es, &everyone, "", Missing::strict()).await?;
                es.settled.add(principal.tenant.as_str(), there.names.into_keys());
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// After documents were written: the indices that came to be by it are made as templates say.
pub(super) async fn after(es: &Es, principal: &Principal, answer: &BulkAnswer) -> Result<(), Error> {
    let tenant = principal.tenant.as_str();
    let written = answer.items.iter().filter(|item| item.event.is_some()).map(|item| item.index.as_str());
    let names: HashSet<&str> = written.collect();
    for name in names.into_iter().filter(|name| !es.settled.has(tenant, name)) {
        let said = said(es, principal, name).await?;
        if said.as_object().is_some_and(|said| !said.is_empty()) {
            make(es, principal, name, said).await?;
        }
        es.settled.add(tenant, [name.to_owned()]);
    }
    Ok(())
}

async fn make(es: &Es, principal: &Principal, name: &str, mut said: Json) -> Result<(), Error> {
    let aliases = take(&mut said, "aliases");
    let described = index::described(&mut said)?;
    kept::change(
        es,
        principal,
        (index::KIND, name),
        |before| Ok(before.unwrap_or_else(|| described.clone())),
    )
    .await?;
    alias::add_all(es, principal, name, &aliases).await
}

/// Takes a member out of an object.
pub(super) fn take(body: &mut Json, member: &str) -> Json {
    body.as_object_mut().and_then(|body| body.remove(member)).unwrap_or_default()
}

/// What templates say of an index of this name: `mappings`, `settings`, `aliases`.
pub(super) async fn said(es: &Es, principal: &Principal, name: &str) -> Result<Json, Error> {
    let matching = kept::list(es, principal, Kind::IndexTemplate.name()).await?;
    let best = matching
        .into_iter()
        .filter(|(_, template)| is_for(template, name))
        .max_by_key(|(_, template)| template.get("priority").and_then(Json::as_i64).unwrap_or(0));
    let mut said = json!({});
    if let Some((_, mut template)) = best {
        let parts = template.get("composed_of").and_then(Json::as_array).cloned().unwrap_or_default();
        for part in parts.iter().filter_map(Json::as_str) {
            if let Some(mut part) = kept::get(es, principal, Kind::ComponentTemplate.name(), part).await? {
                lay(&mut said, take(&mut part, "template"));
            }
        }
        lay(&mut said, take(&mut template, "template"));
    } else {
        let mut legacy = kept::list(es, principal, Kind::LegacyTemplate.name()).await?;
        legacy.retain(|(_, template)| is_for(template, name));
        legacy.sort_by_key(|(_, template)| template.get("order").and_then(Json::as_i64).unwrap_or(0));
        legacy.into_iter().for_each(|(_, template)| lay(&mut said, template));
    }
    Ok(named(said, name))
}

fn is_for(template: &Json, name: &str) -> bool {
    let fits = |pattern: &Json| pattern.as_str().is_some_and(|pattern| wild::matches(pattern, name));
    match template.get("index_patterns") {
        Some(Json::Array(patterns)) => patterns.iter().any(fits),
        Some(pattern) => fits(pattern),
        None => false,
    }
}

/// Lays what one template says over what others do.
fn lay(under: &mut Json, mut template: Json) {
    for member in ["mappings", "settings", "aliases"] {
        let value = match member {
            "settings" => index::settings(&take(&mut template, member)),
            "mappings" => index::untyped(take(&mut template, member)),
            _ => take(&mut template, member),
        };
        let is_empty = value.as_object().is_none_or(Map::is_empty) || value == json!({"index": {}});
        if !is_empty {
            kept::merge(under, json!({ member: value }));
        }
    }
}

/// An alias may have the name of its index in its own.
fn named(mut said: Json, name: &str) -> Json {
    if let Json::Object(aliases) = take(&mut said, "aliases") {
        let named = aliases.into_iter().map(|(alias, body)| (alias.replace("{index}", name), body));
        kept::merge(&mut said, json!({"aliases": Json::Object(named.collect())}));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_lie_over_each_other() {
        let mut said = json!({});
        lay(
            &mut said,
            json!({"mappings": {"properties": {"a": {"type": "keyword"}}}, "settings": {"number_of_shards": 2}}),
        );
        lay(
            &mut said,
            json!({"mappings": {"_doc": {"properties": {"a": {"type": "text"}}}}, "aliases": {"{index}-all": {}}}),
        );
        let expected = json!({
            "mappings": {"properties": {"a": {"type": "text"}}},
            "settings": {"index": {"number_of_shards": 2}},
            "aliases": {"logs-all": {}},
        });
        assert_eq!(named(said, "logs"), expected);
        assert!(is_for(&json!({"index_patterns": ["x", "lo*"]}), "logs") && !is_for(&json!({}), "logs"));
    }
}
