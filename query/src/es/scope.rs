//! [`Scope`]: the events that a request is about, and what is said of the fields of their indices.
//!
//! Mappings are kept in the catalog; once read they stay in memory until they change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use locard_event::Timestamp;
use locard_filter::Filter;
use locard_indexer::Principal;
use serde_json::Value as Json;

use super::Es;
use super::error::Error;
use super::index::{Indices, in_index};
use super::params::Params;
use super::schema::{Mapping, Names, Schema, grouped, names_in_text, needs_names};
use super::write;
use crate::search::{Run, lock};

/// Most mappings in memory.
const MAX_KEPT: usize = 4_096;

/// Mappings as last read, by tenant and index, each with the version of what it was read from.
#[derive(Debug, Default)]
pub(super) struct Mappings(Mutex<HashMap<Of, (u64, Arc<Mapping>)>>);

/// A tenant and an index.
type Of = (String, String);

/// The events that a request is about.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// The events in it.
    pub(super) filter: Filter,
    groups: Vec<(Filter, Arc<Mapping>)>,
}

impl Mappings {
    fn get(&self, key: &Of, version: u64) -> Option<Arc<Mapping>> {
        let kept = lock(&self.0);
        let (known, mapping) = kept.get(key)?;
        (*known == version).then(|| Arc::clone(mapping))
    }

    /// Keeps a mapping; one that is the same as another is that one.
    fn put(&self, key: Of, version: u64, mapping: Mapping) -> Arc<Mapping> {
        let mut kept = lock(&self.0);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let same = kept.values().find(|(_, known)| **known == mapping).map(|(_, known)| Arc::clone(known));
        let mapping = same.unwrap_or_else(|| Arc::new(mapping));
        kept.insert(key, (version, Arc::clone(&mapping)));
        mapping
    }
}

impl Scope {
    /// Every event, whatever is said of it.
    #[cfg(test)]
    pub(super) fn everything() -> Self {
        Self { filter: Filter::All, groups: Vec::new() }
    }

    /// The events in these indices.
    pub(super) async fn of(es: &Es, principal: &Principal, indices: &Indices) -> Result<Self, Error> {
        let mut mappings = BTreeMap::new();
        for (name, version) in indices.made.iter().filter(|(name, _)| indices.names.contains_key(*name)) {
            let key = (principal.tenant.as_str().to_owned(), name.clone());
            let mapping = match es.mappings.get(&key, *version) {
                Some(mapping) => mapping,
                None => {
                    let said = write::mappings(es, principal, name).await?;
                    es.mappings.put(key, *version, Mapping::read(&said))
                }
            };
            if *mapping != Mapping::default() {
                mappings.insert(name.clone(), mapping);
            }
        }
        Ok(Self { filter: indices.filter(), groups: groups(mappings, indices) })
    }

    /// What the names of fields in a request mean.
    pub(super) async fn schema(
        &self,
        es: &Es,
        principal: &Principal,
        asked: (Option<&Json>, &Params),
        now: Timestamp,
    ) -> Result<Schema, Error> {
        let (body, params) = asked;
        let by_text = params.text("q").is_some_and(names_in_text)
            || params.list("df").iter().any(|name| name.contains('*') && name != "*");
        let names = if by_text || body.is_some_and(needs_names) {
            names(es, principal).await?
        } else {
            Names::default()
        };
        Ok(Schema::new(now, self.groups.clone(), names))
    }
}

/// Mappings, each with the events that it is about.
fn groups(mappings: BTreeMap<String, Arc<Mapping>>, indices: &Indices) -> Vec<(Filter, Arc<Mapping>)> {
    let all_of = |names: &[String]| Filter::any_of(names.iter().map(|name| in_index(name)));
    let mapped: Vec<String> = mappings.keys().cloned().collect();
    let has_others = indices.is_all() || indices.names.len() > mapped.len();
    let mut groups: Vec<(Filter, Arc<Mapping>)> =
        grouped(mappings).into_iter().map(|(names, mapping)| (all_of(&names), mapping)).collect();
    if has_others && !groups.is_empty() {
        groups.push((Filter::Not(Box::new(all_of(&mapped))), Arc::default()));
    }
    groups
}

/// The names of all fields that the tenant's events have.
async fn names(es: &Es, principal: &Principal) -> Result<Names, Error> {
    let searcher = &es.searcher;
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, searcher.limits.deadline).await?;
    let view = super::index::view(es, principal);
    let gather = move || {
        let mut names = Names::default();
        for split in &view.splits {
            names.known.append(&mut split.names()?);
            names.more |= split.leaves_names_out()?;
        }
        for event in view.hot.iter().flat_map(|batch| batch.iter()) {
            let fields = event.fields.iter().map(|(name, _)| name);
            let labels = event.stream.iter().map(|(name, _)| name);
            for name in fields.chain(labels) {
                if !names.known.contains(name) {
                    names.known.insert(name.to_owned());
                }
            }
        }
        Ok::<_, locard_store::Error>(names)
    };
    let gathered = run.blocking(gather).await?;
    let names = gathered.map_err(|error| {
        tracing::error!(%error, "the names of fields cannot be read");
        Error::new(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "no_shard_available_action_exception",
            "a split cannot be read",
        )
    })?;
    searcher.conclude(&mut run, &crate::search::Coverage::default());
    Ok(names)
}
