//! [`Params`]: what the query string says. Elasticsearch's clients send more than a server needs, so names are not checked.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::Uri;
use http::request::Parts;

use super::error::Error;

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
