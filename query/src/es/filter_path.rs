//! `filter_path`: which parts of an answer the client wants. `*` is any part of a name, `**` any names, `-` leaves out.

use serde_json::{Map, Value as Json};

/// Keeps what the paths name.
pub(super) fn keep(value: Json, paths: &[String]) -> Json {
    let split = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let without: Vec<Vec<String>> =
        paths.iter().filter_map(|path| path.strip_prefix('-')).map(split).collect();
    let with: Vec<Vec<String>> =
        paths.iter().filter(|path| !path.starts_with('-')).map(|path| split(path)).collect();
    let value = if without.is_empty() { Some(value) } else { exclude(value, &refs(&without)) };
    let value = if with.is_empty() { value } else { value.and_then(|value| include(value, &refs(&with))) };
    value.unwrap_or_else(|| Json::Object(Map::new()))
}

fn refs(paths: &[Vec<String>]) -> Vec<&[String]> {
    paths.iter().map(Vec::as_slice).collect()
}

/// What is left of the paths behind a member of this name; an empty one means the whole member.
fn behind<'a>(paths: &[&'a [String]], name: &str) -> Vec<&'a [String]> {
    let mut left = Vec::new();
    for path in paths {
        let Some((first, rest)) = path.split_first() else { continue };
        if first == "**" {
            left.push(*path);
            left.extend(behind(&[rest], name));
        } else if super::wild::matches(first, name) {
            left.push(rest);
        }
    }
    left
}

fn include(value: Json, paths: &[&[String]]) -> Option<Json> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    match value {
        Json::Object(members) => {
            let kept: Map<String, Json> = members
                .into_iter()
                .filter_map(|(name, value)| include(value, &behind(paths, &name)).map(|value| (name, value)))
                .collect();
            (!kept.is_empty()).then_some(Json::Object(kept))
        }
        Json::Array(items) => {
            let kept: Vec<Json> = items.into_iter().filter_map(|item| include(item, paths)).collect();
            (!kept.is_empty()).then_some(Json::Array(kept))
        }
        _ => None,
    }
}

fn exclude(value: Json, paths: &[&[String]]) -> Option<Json> {
    if paths.iter().any(|path| path.is_empty()) {
        return None;
    }
    Some(match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| exclude(value, &behind(paths, &name)).map(|value| (name, value)))
                .collect(),
        ),
        Json::Array(items) => {
            Json::Array(items.into_iter().filter_map(|item| exclude(item, paths)).collect())
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: Json) {
        let value = json!({"took": 1, "hits": {"total": {"value": 2}, "hits": [{"_id": "a", "_source": {"x": 1}}, {"_id": "b"}]}});
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(keep(value, &paths), expected, "{paths:?}");
    }

    #[test]
    fn paths_choose_and_leave_out() {
        check(&["took"], json!({"took": 1}));
        check(&["hits.hits._id"], json!({"hits": {"hits": [{"_id": "a"}, {"_id": "b"}]}}));
        check(&["h*.total"], json!({"hits": {"total": {"value": 2}}}));
        check(&["**.x"], json!({"hits": {"hits": [{"_source": {"x": 1}}]}}));
        check(&["-hits"], json!({"took": 1}));
        check(&["hits", "-hits.hits"], json!({"hits": {"total": {"value": 2}}}));
        check(&["nothing"], json!({}));
    }
}
