//! [`Schema`]: what a request's names of fields mean: what mappings say of them, and which fields there are where that matters.
//!
//! A mapping changes no event. It says whether a field is asked by its words or as a whole, which other names it has, and whether
//! its numbers are dates. Indices whose mappings differ are asked each in its own way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use locard_event::Timestamp;
use locard_filter::Filter;
use serde_json::{Map, Value as Json};

use super::dsl;
use super::error::Error;
use super::field::{Field, Kind};
use super::wild;

/// Deepest nesting of fields that is read.
const MAX_DEPTH: usize = 32;

/// What a mapping says of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    /// The name of the field in events.
    field: Box<str>,
    kind: Kind,
    is_date: bool,
    /// Aggregated by its words: `fielddata`.
    by_words: bool,
    /// Another name of a field that may have one of its own.
    is_alias: bool,
}

/// What is said of the fields of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mapping {
    said: BTreeMap<Box<str>, Said>,
}

/// Which fields there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) known: BTreeSet<String>,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// What a request's names of fields mean.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    /// When the request is read.
    pub(super) now: Timestamp,
    /// Indices, and what is said of their fields.
    groups: Vec<(Filter, Arc<Mapping>)>,
    names: Arc<Names>,
}

impl Mapping {
    /// Reads the member `mappings` of an index.
    pub(super) fn read(mappings: &Json) -> Self {
        let mut mapping = Self::default();
        mapping.level(mappings, "", 0);
        mapping.follow();
        mapping
    }

    /// Other names mean what the names that they stand for do.
    fn follow(&mut self) {
        let said = self.said.clone();
        for (name, own) in &mut self.said {
            if *own.field != **name
                && let Some(target) = said.get(&own.field).filter(|_| own.is_alias)
            {
                *own = Said { is_alias: true, ..target.clone() };
            }
        }
    }

    fn level(&mut self, body: &Json, path: &str, depth: usize) {
        for (name, property) in body.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.property(&path, property);
            if depth < MAX_DEPTH {
                self.level(property, &path, depth + 1);
            }
        }
    }

    fn property(&mut self, path: &str, property: &Json) {
        let text = |name: &str| property.get(name).and_then(Json::as_str);
        let field = match (text("type"), text("path")) {
            (Some("alias"), Some(target)) => target,
            _ => path,
        };
        self.say(path, field, property);
        for (name, inner) in property.get("fields").and_then(Json::as_object).into_iter().flatten() {
            self.say(&format!("{path}.{name}"), field, inner);
        }
    }

    fn say(&mut self, name: &str, field: &str, property: &Json) {
        let kind = property.get("type").and_then(Json::as_str);
        let Some(kind) = kind.filter(|kind| !matches!(*kind, "object" | "nested" | "flattened" | "alias"))
        else {
            if field != name {
                let target = Field::named(field);
                let (kind, is_alias) = (target.kind, true);
                let said = Said { field: field.into(), kind, is_date: false, by_words: false, is_alias };
                self.said.insert(name.into(), said);
            }
            return;
        };
        let is_text = matches!(kind, "text" | "match_only_text" | "search_as_you_type" | "annotated_text");
        let by_words = is_text && property.get("fielddata") == Some(&Json::Bool(true));
        let said = Said {
            field: field.into(),
            kind: if is_text { Kind::Text } else { Kind::Keyword },
            is_date: matches!(kind, "date" | "date_nanos"),
            by_words,
            is_alias: false,
        };
        self.said.insert(name.into(), said);
    }
}

/// What one index's fields mean to one query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning<'a> {
    pub(super) now: Timestamp,
    mapping: &'a Mapping,
    names: &'a Names,
}

impl Meaning<'_> {
    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Field {
        let plain = name.split_once('^').map_or(name, |(name, _)| name);
        match self.mapping.said.get(plain) {
            Some(said) => Field { name: Some(said.field.clone()), kind: said.kind, is_date: said.is_date },
            None => Field::named(plain),
        }
    }

    /// The fields that a name or a pattern means.
    pub(super) fn fields(&self, name: &str) -> Result<Vec<Field>, Error> {
        let plain = name.split_once('^').map_or(name, |(name, _)| name);
        if !plain.contains('*') || Field::named(plain).name.is_none() {
            return Ok(vec![self.field(plain)]);
        }
        self.complete(plain)?;
        let said = self.mapping.said.keys().map(|name| &**name);
        let known = self.names.known.iter().map(String::as_str).chain(said);
        let names: BTreeSet<&str> = known.filter(|name| wild::matches(plain, name)).collect();
        Ok(names.into_iter().map(|name| self.field(name)).collect())
    }

    /// The fields below a name.
    pub(super) fn below(&self, name: &str) -> Result<Vec<&str>, Error> {
        let start = format!("{name}.");
        let range = self.names.known.range(start.clone()..);
        let found: Vec<&str> =
            range.take_while(|name| name.starts_with(&start)).map(String::as_str).collect();
        if found.is_empty() && !self.names.known.contains(name) {
            self.complete(name)?;
        }
        Ok(found)
    }

    /// A part that keeps no column for some names cannot tell which match.
    fn complete(&self, name: &str) -> Result<(), Error> {
        if self.names.more {
            return Err(Error::illegal(format!(
                "there are too many different fields to tell which [{name}] means: name one"
            )));
        }
        Ok(())
    }
}

impl Schema {
    /// Of these indices; without any, names mean what they mean everywhere.
    pub(super) fn new(now: Timestamp, groups: Vec<(Filter, Arc<Mapping>)>, names: Names) -> Self {
        Self { now, groups, names: Arc::new(names) }
    }

    /// Where no mapping matters.
    #[cfg(test)]
    pub(super) fn plain(now: Timestamp) -> Self {
        Self::new(now, Vec::new(), Names::default())
    }

    /// Reads something of a query, in each group of indices by their own mapping.
    pub(super) fn read(&self, read: impl Fn(Meaning<'_>) -> Result<Filter, Error>) -> Result<Filter, Error> {
        let meaning = |mapping| Meaning { now: self.now, mapping, names: &self.names };
        let filter = match self.groups.as_slice() {
            [] => read(meaning(&Mapping::default()))?,
            [(_, mapping)] => read(meaning(mapping))?,
            several => {
                let each =
                    several.iter().map(|(scope, mapping)| Ok(scope.clone().and(read(meaning(mapping))?)));
                Filter::any_of(each.collect::<Result<Vec<_>, Error>>()?)
            }
        };
        Ok(filter)
    }

    /// Reads a query of the DSL.
    pub(super) fn query(&self, query: &Json) -> Result<Filter, Error> {
        dsl::read(query, self)
    }

    /// The name in events of a field that is sorted by or aggregated.
    pub(super) fn name<'a>(&'a self, name: &'a str) -> &'a str {
        let said = self.groups.iter().find_map(|(_, mapping)| mapping.said.get(name));
        said.map_or_else(|| super::field::plain(name), |said| &said.field)
    }

    /// Whether the texts of a field are dates.
    pub(super) fn is_date(&self, name: &str) -> bool {
        self.groups.iter().any(|(_, mapping)| mapping.said.get(name).is_some_and(|said| said.is_date))
    }

    /// Whether the values of a field are aggregated by their words.
    pub(super) fn is_by_words(&self, name: &str) -> bool {
        self.groups.iter().any(|(_, mapping)| mapping.said.get(name).is_some_and(|said| said.by_words))
    }
}

/// Whether a body asks for something that only the names of all fields can answer: objects that exist, patterns of names.
pub(super) fn needs_names(body: &Json) -> bool {
    match body {
        Json::Array(items) => items.iter().any(needs_names),
        Json::Object(members) => members.iter().any(|(name, value)| needs_names_in(name, value)),
        _ => false,
    }
}

fn needs_names_in(name: &str, value: &Json) -> bool {
    let is_pattern = |value: &Json| value.as_str().is_some_and(|text| text.contains('*') && text != "*");
    match (name, value) {
        ("exists", _) => true,
        ("fields", Json::Array(items)) => items.iter().any(is_pattern) || items.iter().any(needs_names),
        ("fields" | "default_field", value) if is_pattern(value) => true,
        ("query", Json::String(text)) => names_in_text(text),
        (_, value) => needs_names(value),
    }
}

/// Whether a query in Lucene's syntax does.
pub(super) fn names_in_text(text: &str) -> bool {
    text.contains("_exists_:") || (text.contains('*') && text.contains(':'))
}

/// The mappings of indices in groups of the same, each with its indices.
pub(super) fn grouped(mappings: BTreeMap<String, Arc<Mapping>>) -> Vec<(Vec<String>, Arc<Mapping>)> {
    let mut groups: Vec<(Vec<String>, Arc<Mapping>)> = Vec::new();
    for (index, mapping) in mappings {
        match groups.iter_mut().find(|(_, known)| Arc::ptr_eq(known, &mapping) || *known == mapping) {
            Some((indices, _)) => indices.push(index),
            None => groups.push((vec![index], mapping)),
        }
    }
    groups
}

/// Types that a mapping says, by name, for those who list fields.
pub(super) fn types(mappings: &Json) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect_types(mappings.get("properties").and_then(Json::as_object), "", 0, &mut found);
    found
}

fn collect_types(
    properties: Option<&Map<String, Json>>,
    path: &str,
    depth: usize,
    found: &mut BTreeMap<String, String>,
) {
    for (name, property) in properties.into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some(kind) = property.get("type").and_then(Json::as_str) {
            found.insert(path.clone(), kind.to_owned());
        }
        for below in ["fields", "properties"] {
            if depth < MAX_DEPTH {
                let inner = property.get(below).and_then(Json::as_object);
                collect_types(inner, &path, depth + 1, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping() -> Mapping {
        Mapping::read(&json!({"properties": {
            "title": {"type": "text", "fielddata": true, "fields": {"raw": {"type": "keyword"}}},
            "code": {"type": "keyword"},
            "at": {"type": "date"},
            "who": {"properties": {"name": {"type": "keyword"}}},
            "other": {"type": "alias", "path": "who.name"},
        }}))
    }

    #[test]
    fn a_mapping_says_what_a_name_means() {
        let (mapping, names) = (mapping(), Names::default());
        let meaning = Meaning { now: Timestamp::from_seconds(0), mapping: &mapping, names: &names };
        for (name, field, kind, is_date) in [
            ("title", "title", Kind::Text, false),
            ("title.raw", "title", Kind::Keyword, false),
            ("title.raw^2", "title", Kind::Keyword, false),
            ("code", "code", Kind::Keyword, false),
            ("at", "at", Kind::Keyword, true),
            ("other", "who.name", Kind::Keyword, false),
            ("unsaid", "unsaid", Kind::Text, false),
            ("unsaid.keyword", "unsaid", Kind::Keyword, false),
        ] {
            let expected = Field { name: Some(field.into()), kind, is_date };
            assert_eq!(meaning.field(name), expected, "{name}");
        }
        let schema = Schema::new(
            Timestamp::from_seconds(0),
            vec![(Filter::All, Arc::new(mapping.clone()))],
            Names::default(),
        );
        assert_eq!((schema.name("title.raw"), schema.name("x.keyword")), ("title", "x"));
        assert!(schema.is_by_words("title") && !schema.is_by_words("code"));
    }

    #[test]
    fn patterns_and_objects_need_the_names_of_fields() {
        for (body, expected) in [
            (json!({"query": {"exists": {"field": "a"}}}), true),
            (json!({"query": {"bool": {"filter": [{"multi_match": {"fields": ["a.*"]}}]}}}), true),
            (json!({"query": {"query_string": {"query": "_exists_:a"}}}), true),
            (json!({"query": {"query_string": {"query": "a*", "fields": ["*"]}}}), false),
            (json!({"query": {"match": {"a": "b:*"}}}), false),
        ] {
            assert_eq!(needs_names(&body), expected, "{body}");
        }
    }

    #[test]
    fn indices_with_the_same_mapping_are_one_group() {
        let indices = [("a", mapping()), ("b", Mapping::default()), ("c", mapping())];
        let groups = grouped(indices.map(|(name, mapping)| (name.to_owned(), Arc::new(mapping))).into());
        let names: Vec<_> = groups.iter().map(|(names, _)| names.join(",")).collect();
        assert_eq!(names, ["a,c", "b"]);
    }
}
