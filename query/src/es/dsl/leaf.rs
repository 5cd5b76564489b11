//! Queries that ask fields: `term`, `match`, `exists` and their kin.

use locard_event::{Timestamp, name};
use locard_filter::{Filter, Test};
use serde_json::{Map, Value as Json};

use super::compound::constant;
use super::many::{at_least, least};
use super::text::{self, phrase, words_of};
use super::{flag, known, lucene, object, range, scalar, simple};
use crate::es::error::Error;
use crate::es::field::Field;

/// The query of this name; nothing if it is none that asks fields.
pub(super) fn read(name: &str, body: &Json, now: Timestamp) -> Result<Option<Filter>, Error> {
    let members = || object(name, body);
    Ok(Some(match name {
        "match_all" => {
            known(name, members()?, &["boost", "_name"])?;
            constant(true)
        }
        "match_none" => constant(false),
        "term" => term(members()?)?,
        "terms" => terms(members()?)?,
        "range" => range::read(members()?, now)?,
        "exists" => exists(members()?)?,
        "ids" => ids(members()?)?,
        "prefix" | "wildcard" | "regexp" => pattern(name, members()?)?,
        "match" | "match_phrase" | "match_phrase_prefix" | "match_bool_prefix" => matching(name, members()?)?,
        "multi_match" => multi_match(members()?)?,
        "query_string" => lucene::query(members()?, now)?,
        "simple_query_string" => simple::query(members()?)?,
        _ => return Ok(None),
    }))
}

/// The one field that a body names, beside `boost` and `_name`, and what is asked of it.
pub(super) fn single<'a>(name: &str, members: &'a Map<String, Json>) -> Result<(&'a str, &'a Json), Error> {
    let mut fields = members.iter().filter(|(key, _)| !matches!(key.as_str(), "boost" | "_name"));
    let Some((field, body)) = fields.next() else {
        return Err(Error::illegal(format!("[{name}] field name is null or empty")));
    };
    if let Some((second, _)) = fields.next() {
        return Err(Error::parsing(format!(
            "[{name}] query doesn't support multiple fields, found [{field}] and [{second}]"
        )));
    }
    Ok((field, body))
}

/// A filter on the names that stand for something of the document itself.
pub(super) fn special(field: &str, text: &str) -> Option<Filter> {
    Some(match field {
        "_id" => id(text),
        "_index" => Field::named(name::DATASET).is(Test::Equals(text.into())),
        _ => return None,
    })
}

/// The document of this id: what the client called it, or what Locard did.
pub(in crate::es) fn id(text: &str) -> Filter {
    let named = Field::named("event.id");
    let exact =
        Test::Regex { pattern: format!(r"(?s)\A{}\z", regex::escape(text)).into(), ignore_case: false };
    let given = Filter::all_of([
        named.is(Test::Equals(text.into())),
        named.is(exact),
        crate::es::hit::has_given_id(),
    ]);
    let own = Field::named(name::ID).is(Test::Equals(text.into()));
    let is_own = text.parse::<locard_event::EventId>().is_ok();
    if is_own { Filter::any_of([given, own.and(crate::es::hit::has_own_id())]) } else { given }
}

fn term(members: &Map<String, Json>) -> Result<Filter, Error> {
    let (field, body) = single("term", members)?;
    let (value, ignore_case) = match body {
        Json::Object(inner) => {
            known("term", inner, &["value", "term", "boost", "case_insensitive", "_name"])?;
            (inner.get("value").or(inner.get("term")), flag(inner, "case_insensitive")?)
        }
        value => (Some(value), false),
    };
    let text = value.and_then(scalar).ok_or_else(|| Error::illegal("value cannot be null"))?;
    Ok(one_term(field, &text, ignore_case))
}

fn one_term(field: &str, value: &str, ignore_case: bool) -> Filter {
    special(field, value).unwrap_or_else(|| text::term(&Field::named(field), value, ignore_case))
}

fn terms(members: &Map<String, Json>) -> Result<Filter, Error> {
    let (field, body) = single("terms", members)?;
    let Json::Array(values) = body else {
        let lookup = body.is_object();
        let error = if lookup {
            Error::unsupported("terms lookup")
        } else {
            Error::parsing("[terms] query requires an array of values")
        };
        return Err(error);
    };
    let text =
        |value: &Json| scalar(value).ok_or_else(|| Error::illegal("No value specified for terms query"));
    let parts: Vec<Filter> = values
        .iter()
        .map(|value| text(value).map(|text| one_term(field, &text, false)))
        .collect::<Result<_, _>>()?;
    Ok(Filter::any_of(parts))
}

fn exists(members: &Map<String, Json>) -> Result<Filter, Error> {
    known("exists", members, &["field", "boost", "_name"])?;
    let name = members.get("field").and_then(Json::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::parsing("[exists] must be provided with a [field]"))?;
    Ok(has(name))
}

/// Whether a document has the field.
pub(super) fn has(field: &str) -> Filter {
    match field {
        "_id" | "_index" | "_source" | "*" => Filter::All,
        field => Field::named(field).is(Test::Exists),
    }
}

fn ids(members: &Map<String, Json>) -> Result<Filter, Error> {
    known("ids", members, &["values", "type", "boost", "_name"])?;
    let values = match members.get("values") {
        Some(Json::Array(values)) => values.iter().filter_map(scalar).collect(),
        Some(value) => scalar(value).into_iter().collect(),
        None => return Err(Error::parsing("[ids] requires providing a [values] array")),
    };
    Ok(Filter::any_of(Vec::<String>::into_iter(values).map(|text| id(&text))))
}

/// `prefix`, `wildcard`, `regexp`.
fn pattern(name: &str, members: &Map<String, Json>) -> Result<Filter, Error> {
    let (field, body) = single(name, members)?;
    let (value, ignore_case) = match body {
        Json::Object(inner) => {
            let names = [
                "value",
                name,
                "boost",
                "case_insensitive",
                "rewrite",
                "flags",
                "flags_value",
                "max_determinized_states",
                "_name",
            ];
            known(name, inner, &names)?;
            (inner.get("value").or(inner.get(name)), flag(inner, "case_insensitive")?)
        }
        value => (Some(value), false),
    };
    let value = value.and_then(scalar).ok_or_else(|| Error::illegal("value cannot be null"))?;
    let field = Field::named(if field == "_index" { name::DATASET } else { field });
    if field.name.as_deref() == Some("_id") {
        return Err(Error::unsupported(&format!("{name} on _id")));
    }
    match name {
        "prefix" => Ok(text::prefix(&field, &value, ignore_case)),
        "wildcard" => text::wildcard(&field, &value, ignore_case),
        _ => text::regexp(&field, &value, ignore_case),
    }
}

/// What `match` and its kin may be told.
const MATCH: [&str; 18] = [
    "query",
    "operator",
    "minimum_should_match",
    "fuzziness",
    "prefix_length",
    "max_expansions",
    "fuzzy_transpositions",
    "fuzzy_rewrite",
    "lenient",
    "zero_terms_query",
    "analyzer",
    "boost",
    "_name",
    "auto_generate_synonyms_phrase_query",
    "cutoff_frequency",
    "slop",
    "tie_breaker",
    "type",
];

/// How a text is to be found.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    kind: String,
    all_words: bool,
    minimum: Option<Json>,
    zero_terms_all: bool,
}

impl Matching {
    fn read(kind: &str, members: &Map<String, Json>) -> Result<Self, Error> {
        refuse_inexact(kind, members)?;
        let operator = members.get("operator").and_then(Json::as_str).unwrap_or("or");
        let all_words = match operator.to_ascii_lowercase().as_str() {
            "or" => false,
            "and" => true,
            other => {
                return Err(Error::parsing(format!(
                    "operator needs to be either [and] or [or], but not [{other}]"
                )));
            }
        };
        let zero_terms_all = members.get("zero_terms_query").and_then(Json::as_str) == Some("all");
        let minimum = members.get("minimum_should_match").cloned();
        Ok(Self { kind: kind.to_owned(), all_words, minimum, zero_terms_all })
    }

    pub(super) fn find(&self, field: &Field, text: &str) -> Result<Filter, Error> {
        if let Some(filter) = field.name.as_deref().and_then(|name| special(name, text)) {
            return Ok(filter);
        }
        if field.is_time() {
            return Ok(field.is(Test::Equals(text.into())));
        }
        match self.kind.as_str() {
            "match_phrase" => Ok(phrase(field, text, false)),
            "match_phrase_prefix" => Ok(phrase(field, text, true)),
            "match_bool_prefix" => self.join(bool_prefix(field, text)),
            _ => self.join(words_of(field, text)),
        }
    }

    fn join(&self, parts: Vec<Filter>) -> Result<Filter, Error> {
        match &self.minimum {
            _ if parts.is_empty() => Ok(constant(self.zero_terms_all)),
            _ if self.all_words => Ok(Filter::all_of(parts)),
            Some(rule) => at_least(least(rule, parts.len())?.max(1), parts),
            None => Ok(Filter::any_of(parts)),
        }
    }
}

/// The words of the text, the last of which is a beginning.
fn bool_prefix(field: &Field, text: &str) -> Vec<Filter> {
    let found = super::word::words(text);
    let Some((last, before)) = found.split_last() else { return Vec::new() };
    let whole = before.iter().flat_map(|word| words_of(field, word));
    whole.chain([phrase(field, last, true)]).collect()
}

fn refuse_inexact(name: &str, members: &Map<String, Json>) -> Result<(), Error> {
    match members.get("fuzziness").and_then(scalar).as_deref() {
        None | Some("0") => {}
        Some(_) => return Err(Error::unsupported(&format!("{name} with fuzziness"))),
    }
    match members.get("slop").and_then(Json::as_u64) {
        None | Some(0) => {}
        Some(_) => return Err(Error::unsupported(&format!("{name} with slop"))),
    }
    match members.get("analyzer").and_then(Json::as_str) {
        None | Some("standard") => Ok(()),
        Some(other) => Err(Error::unsupported(&format!("analyzer {other}"))),
    }
}

fn matching(name: &str, members: &Map<String, Json>) -> Result<Filter, Error> {
    let (field, body) = single(name, members)?;
    let empty = Map::new();
    let (value, inner) = match body {
        Json::Object(inner) => {
            known(name, inner, &MATCH)?;
            (inner.get("query"), inner)
        }
        value => (Some(value), &empty),
    };
    let text =
        value.and_then(scalar).ok_or_else(|| Error::parsing(format!("[{name}] requires query value")))?;
    Matching::read(name, inner)?.find(&Field::named(field), &text)
}

fn multi_match(members: &Map<String, Json>) -> Result<Filter, Error> {
    let names: Vec<&str> = MATCH.into_iter().chain(["fields"]).collect();
    known("multi_match", members, &names)?;
    let text = members.get("query").and_then(scalar);
    let text = text.ok_or_else(|| Error::parsing("No text specified for multi-match query"))?;
    let fields = fields(members.get("fields"))?;
    let kind = match members.get("type").and_then(Json::as_str).unwrap_or("best_fields") {
        "best_fields" | "most_fields" => "match",
        "phrase" => "match_phrase",
        "phrase_prefix" => "match_phrase_prefix",
        "bool_prefix" => "match_bool_prefix",
        "cross_fields" => return cross_fields(members, &fields, &text),
        other => {
            return Err(Error::parsing(format!(
                "failed to parse [multi_match] query type [{other}]. unknown type."
            )));
        }
    };
    let matching = Matching::read(kind, members)?;
    let parts: Vec<Filter> =
        fields.iter().map(|field| matching.find(field, &text)).collect::<Result<_, _>>()?;
    Ok(Filter::any_of(parts))
}

/// Every word in any of the fields, as if these were one.
fn cross_fields(members: &Map<String, Json>, fields: &[Field], text: &str) -> Result<Filter, Error> {
    let matching = Matching::read("match", members)?;
    let any = |word: &String| Filter::any_of(fields.iter().flat_map(|field| words_of(field, word)));
    matching.join(super::word::words(text).iter().map(any).collect())
}

/// The fields that a request lists; without a list, all.
pub(super) fn fields(list: Option<&Json>) -> Result<Vec<Field>, Error> {
    let names: Vec<&str> = match list {
        None | Some(Json::Null) => vec!["*"],
        Some(Json::String(text)) => vec![text.as_str()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
        Some(other) => return Err(Error::parsing(format!("[fields] cannot be [{other}]"))),
    };
    let fields: Vec<Field> = names.into_iter().map(Field::named).collect();
    let is_pattern = |field: &&Field| field.name.as_deref().is_some_and(|name| name.contains('*'));
    match fields.iter().find(is_pattern) {
        Some(field) => {
            let name = field.name.as_deref().unwrap_or_default();
            Err(Error::unsupported(&format!("field pattern {name}")))
        }
        None => Ok(fields),
    }
}
