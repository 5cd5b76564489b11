//! [`Manifests`]: what was handed over by the latest exports, kept in memory so that somebody who saved a file can hold it against them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use locard_indexer::{Principal, Tenant};
use serde_json::{Map, Value, json};

use super::request::{MAX_QUERY_BYTES, Request};
use crate::export::{Seal, Verdict};
use crate::search::Place;

/// How many are kept.
const KEPT: usize = 256;
/// As many columns are named.
const MAX_COLUMNS: usize = 1_000;

/// The latest ones. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Manifests(Arc<Mutex<VecDeque<Manifest>>>);

#[derive(Debug)]
struct Manifest {
    id: String,
    tenant: Tenant,
    /// The credential's name.
    by: Arc<str>,
    says: Map<String, Value>,
}

impl Manifests {
    /// What one says, to who asked for the export.
    pub(super) fn get(&self, principal: &Principal, id: &str) -> Option<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |manifest: &&Manifest| {
            manifest.id == id && manifest.tenant == principal.tenant && manifest.by == principal.name
        };
        kept.iter().find(own).map(|manifest| Value::Object(manifest.says.clone()))
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manifest) = kept.iter_mut().find(|manifest| manifest.id == id) {
            change(&mut manifest.says);
        }
    }
}

/// The manifest of a running export. One that is dropped before its end was broken off.
#[derive(Debug)]
pub(super) struct Record {
    manifests: Manifests,
    id: String,
    is_ended: bool,
}

impl Record {
    pub(super) fn begin(
        manifests: &Manifests,
        principal: &Principal,
        request: &Request,
        place: Place,
        columns: &[String],
    ) -> Self {
        let id = format!("{:032x}", rand::random::<u128>());
        let says = json!({
            "id": id, "state": "running", "format": request.format.name(), "compress": request.packing.name(),
            "filename": request.filename, "started_at": crate::now().to_string(),
            "q": request.ask.q.get(..request.ask.q.floor_char_boundary(MAX_QUERY_BYTES)),
            "start": request.ask.start, "end": request.ask.end, "limit": request.ask.limit,
            "columns": columns.iter().take(MAX_COLUMNS).collect::<Vec<_>>(), "offset": request.offset,
            "first_cursor": place.to_string(), "cursor": place.to_string(),
            "count": 0, "bytes": 0, "sha256": null, "complete": null, "incomplete_because": null, "inexact_because": null,
        });
        let says = match says {
            Value::Object(says) => says,
            _ => Map::new(),
        };
        let manifest = Manifest {
            id: id.clone(),
            tenant: principal.tenant.clone(),
            by: Arc::clone(&principal.name),
            says,
        };
        let mut kept = manifests.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front(manifest);
        drop(kept);
        Self { manifests: manifests.clone(), id, is_ended: false }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Notes how far it is.
    pub(super) fn reached(&self, seal: &Seal, cursor: String) {
        self.manifests.change(&self.id, |says| {
            says.insert("count".into(), json!(seal.count));
            says.insert("bytes".into(), json!(seal.bytes));
            says.insert("cursor".into(), json!(cursor));
        });
    }

    pub(super) fn ended(&mut self, verdict: &Verdict) {
        self.is_ended = true;
        self.manifests.change(&self.id, |says| {
            if let Value::Object(members) = verdict.json() {
                says.extend(members);
            }
            says.insert("state".into(), json!("done"));
            says.insert("ended_at".into(), json!(crate::now().to_string()));
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.is_ended {
            self.manifests.change(&self.id, |says| {
                says.insert("state".into(), json!("broken off"));
                says.insert("ended_at".into(), json!(crate::now().to_string()));
            });
        }
    }
}
