//! [`Params`]: what the query string says. Where a parameter that is passed over would change an answer, names are checked.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::Uri;
use http::request::Parts;

use super::error::Error;

/// Parameters of every request.
const COMMON: &[&str] =
    &["pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type", "token"];
/// Parameters about which indices are meant.
pub(super) const INDICES: &[&str] =
    &["allow_no_indices", "expand_wildcards", "ignore_unavailable", "ignore_throttled", "local"];
/// Parameters of a query in Lucene's syntax.
pub(super) const LUCENE: &[&str] =
    &["q", "df", "analyzer", "analyze_wildcard", "default_operator", "lenient", "preference", "routing"];
/// Parameters of a search.
pub(super) const SEARCH: &[&str] = &[
    "_source",
    "_source_exclude",
    "_source_excludes",
    "_source_include",
    "_source_includes",
    "allow_partial_search_results",
    "batched_reduce_size",
    "cancel_after_time_interval",
    "ccs_minimize_roundtrips",
    "docvalue_fields",
    "explain",
    "force_synthetic_source",
    "from",
    "include_named_queries_score",
    "max_concurrent_searches",
    "max_concurrent_shard_requests",
    "min_compatible_shard_node",
    "phase_took",
    "pre_filter_shard_size",
    "request_cache",
    "rest_total_hits_as_int",
    "scroll",
    "search_pipeline",
    "search_type",
    "seq_no_primary_term",
    "size",
    "sort",
    "stats",
    "stored_fields",
    "suggest_field",
    "suggest_mode",
    "suggest_size",
    "suggest_text",
    "terminate_after",
    "timeout",
    "track_scores",
    "track_total_hits",
    "type",
    "typed_keys",
    "version",
];
/// Parameters of a table.
pub(super) const CAT: &[&str] = &[
    "bytes",
    "h",
    "health",
    "help",
    "include_unloaded_segments",
    "master_timeout",
    "cluster_manager_timeout",
    "pri",
    "s",
    "time",
    "v",
];

/// Named values of a query string; the last one of a name counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::of(&parts.uri)
    }
}

impl Params {
    /// Of an address.
    pub(super) fn of(uri: &Uri) -> Result<Self, Error> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Error::illegal(format!("the query string cannot be read: {error}")))?;
        Ok(Self(pairs.into_iter().collect()))
    }

    /// These, and what a header of `_msearch` says.
    pub(super) fn with(&self, header: &serde_json::Value) -> Self {
        let mut values = self.0.clone();
        for (name, value) in header.as_object().into_iter().flatten() {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Bool(truth) => truth.to_string(),
                serde_json::Value::Number(number) => number.to_string(),
                _ => continue,
            };
            if !matches!(name.as_str(), "index" | "indices") {
                values.insert(name.clone(), text);
            }
        }
        Self(values)
    }

    /// Refuses parameters that are neither common ones nor listed, as Elasticsearch does.
    pub(super) fn known(&self, api: &str, lists: &[&[&str]]) -> Result<(), Error> {
        let is_known = |name: &str| COMMON.contains(&name) || lists.iter().any(|list| list.contains(&name));
        match self.0.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                Err(Error::illegal(format!("request [{api}] contains unrecognized parameter: [{name}]")))
            }
        }
    }

    /// The text of a parameter; nothing if it is absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A switch: absent is off, present without a value is on.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text != "false")
    }

    /// A switch that may be absent.
    pub(crate) fn truth(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.text(name) {
            None => Ok(None),
            Some("" | "true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Error::illegal(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let bad = |_| Error::illegal(format!("Failed to parse int parameter [{name}] with value [{text}]"));
        text.parse().map(Some).map_err(bad)
    }

    /// Names separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}
