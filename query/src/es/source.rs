//! [`SourceFilter`]: which parts of a document an answer shows.

use serde_json::{Map, Value as Json};

use super::error::Error;
use super::params::Params;
use super::wild;

/// Which parts of a document an answer shows.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceFilter {
    off: bool,
    includes: Vec<String>,
    excludes: Vec<String>,
}

fn names(value: &Json) -> Result<Vec<String>, Error> {
    let bad = || Error::parsing(format!("[_source] names must be text, not [{value}]"));
    match value {
        Json::Null => Ok(Vec::new()),
        Json::String(text) => Ok(text.split(',').map(|name| name.trim().to_owned()).collect()),
        Json::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(bad)).collect()
        }
        _ => Err(bad()),
    }
}

impl SourceFilter {
    /// Shows nothing.
    pub(super) fn none() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// From the member `_source` of a body.
    pub(super) fn of_body(value: &Json) -> Result<Self, Error> {
        match value {
            Json::Bool(on) => Ok(Self { off: !on, ..Self::default() }),
            Json::Object(members) => {
                let list = |one: &str, other: &str| {
                    members.get(one).or(members.get(other)).map_or_else(|| Ok(Vec::new()), names)
                };
                let known = ["includes", "include", "excludes", "exclude"];
                if let Some(unknown) = members.keys().find(|key| !known.contains(&key.as_str())) {
                    return Err(Error::parsing(format!("Unknown key for a START_ARRAY in [{unknown}].")));
                }
                Ok(Self {
                    off: false,
                    includes: list("includes", "include")?,
                    excludes: list("excludes", "exclude")?,
                })
            }
            other => Ok(Self { off: false, includes: names(other)?, excludes: Vec::new() }),
        }
    }

    /// From `_source`, `_source_includes` and `_source_excludes` of a query string; they win over the body's.
    pub(super) fn or_params(self, params: &Params) -> Self {
        let list = |one: &str, other: &str| {
            let names = params.list(one);
            if names.is_empty() { params.list(other) } else { names }
        };
        let (includes, excludes) =
            (list("_source_includes", "_source_include"), list("_source_excludes", "_source_exclude"));
        match params.text("_source") {
            Some("false") => Self::none(),
            Some("true" | "") => Self { off: false, includes, excludes },
            Some(_) => Self { off: false, includes: params.list("_source"), excludes },
            None if includes.is_empty() && excludes.is_empty() => self,
            None => Self { off: false, includes, excludes },
        }
    }

    /// What is shown of a document; nothing if none of it is to be.
    pub(super) fn apply(&self, source: impl FnOnce() -> Json) -> Option<Json> {
        if self.off {
            return None;
        }
        let source = source();
        if self.includes.is_empty() && self.excludes.is_empty() {
            return Some(source);
        }
        let kept = self.keep(source, "");
        Some(kept.unwrap_or_else(|| Json::Object(Map::new())))
    }

    fn keep(&self, value: Json, path: &str) -> Option<Json> {
        match value {
            Json::Object(members) => {
                let mut kept = Map::new();
                for (name, value) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    if let Some(value) = self.keep(value, &path) {
                        kept.insert(name, value);
                    }
                }
                (!kept.is_empty()).then_some(Json::Object(kept))
            }
            Json::Array(items) if items.iter().any(Json::is_object) => {
                let kept: Vec<Json> = items.into_iter().filter_map(|item| self.keep(item, path)).collect();
                (!kept.is_empty()).then_some(Json::Array(kept))
            }
            leaf => self.shows(path).then_some(leaf),
        }
    }

    fn shows(&self, path: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| names_path(pattern, path));
        (self.includes.is_empty() || named(&self.includes)) && !named(&self.excludes)
    }
}

/// A pattern names a path, and everything below it.
fn names_path(pattern: &str, path: &str) -> bool {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).any(|above| wild::matches(pattern, above))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: Json, expected: Option<Json>) {
        let source = json!({"a": {"b": 1, "c": {"d": 2}}, "list": [{"x": 1, "y": 2}], "m": "t"});
        let filter = SourceFilter::of_body(&filter).unwrap();
        assert_eq!(filter.apply(|| source), expected);
    }

    #[test]
    fn names_include_what_is_below_them() {
        check(json!(false), None);
        check(json!("a"), Some(json!({"a": {"b": 1, "c": {"d": 2}}})));
        check(json!(["a.c", "m"]), Some(json!({"a": {"c": {"d": 2}}, "m": "t"})));
        check(json!({"includes": ["a.*"], "excludes": ["*.d"]}), Some(json!({"a": {"b": 1}})));
        check(json!(["list.x"]), Some(json!({"list": [{"x": 1}]})));
        check(json!(["none"]), Some(json!({})));
        assert!(SourceFilter::of_body(&json!({"other": 1})).is_err());
    }
}
