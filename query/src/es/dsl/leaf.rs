//! Queries that ask fields: `term`, `match`, `exists` and their kin.

use locard_event::name;
use locard_filter::{Filter, Test};
use serde_json::{Map, Value as Json};

use super::compound::constant;
use super::many::{at_least, least};
use super::near::{Fuzziness, Fuzzy, fuzzy};
use super::text::{self, phrase, words_of};
use super::{flag, known, lucene, object, range, scalar, simple};
use crate::es::error::Error;
use crate::es::field::{Field, Kind};
use crate::es::schema::Meaning;

/// The query of this name; nothing if it is none that asks fields.
pub(super) fn read(name: &str, body: &Json, meaning: Meaning<'_>) -> Result<Option<Filter>, Error> {
    let members = || object(name, body);
    Ok(Some(match name {
        "match_all" => {
            known(name, members()?, &["boost", "_name"])?;
            constant(true)
        }
        "match_none" => constant(false),
        "term" => term(members()?, meaning)?,
        "terms" => terms(members()?, meaning)?,
        "range" => range::read(members()?, meaning)?,
        "exists" => exists(members()?, meaning)?,
        "ids" => ids(members()?)?,
        "prefix" | "wildcard" | "regexp" => pattern(name, members()?, meaning)?,
        "fuzzy" => fuzzy_term(members()?, meaning)?,
        "match" | "match_phrase" | "match_phrase_prefix" | "match_bool_prefix" => {
            matching(name, members()?, meaning)?
        }
        "multi_match" => multi_match(members()?, meaning)?,
        "query_string" => lucene::query(members()?, meaning)?,
        "simple_query_string" => simple::query(members()?, meaning)?,
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

fn term(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let (field, body) = single("term", members)?;
    let (value, ignore_case) = match body {
        Json::Object(inner) => {
            known("term", inner, &["value", "term", "boost", "case_insensitive", "_name"])?;
            (inner.get("value").or(inner.get("term")), flag(inner, "case_insensitive")?)
        }
        value => (Some(value), false),
    };
    let text = value.and_then(scalar).ok_or_else(|| Error::illegal("value cannot be null"))?;
    Ok(one_term(field, &text, ignore_case, meaning))
}

fn one_term(field: &str, value: &str, ignore_case: bool, meaning: Meaning<'_>) -> Filter {
    special(field, value).unwrap_or_else(|| text::term(&meaning.field(field), value, ignore_case))
}

fn terms(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
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
        .map(|value| text(value).map(|text| one_term(field, &text, false, meaning)))
        .collect::<Result<_, _>>()?;
    Ok(Filter::any_of(parts))
}

fn exists(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    known("exists", members, &["field", "boost", "_name"])?;
    let name = members.get("field").and_then(Json::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::parsing("[exists] must be provided with a [field]"))?;
    has(name, meaning)
}

/// Whether a document has the field, or one below it.
pub(super) fn has(field: &str, meaning: Meaning<'_>) -> Result<Filter, Error> {
    match field {
        "_id" | "_index" | "_seq_no" | "_version" | "*" => return Ok(Filter::All),
        "_routing" | "_ignored" => return Ok(text::nothing()),
        "_source" => {
            let reason =
                "failed to create query: Field [_source] of type [_source] does not support exists queries";
            return Err(Error::new(http::StatusCode::BAD_REQUEST, "query_shard_exception", reason));
        }
        _ => {}
    }
    let mut fields = meaning.fields(field)?;
    if !field.contains('*') {
        let below = meaning.below(field)?;
        fields.extend(below.into_iter().map(Field::named));
    }
    Ok(Filter::any_of(fields.into_iter().map(|field| field.is(Test::Exists))))
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
fn pattern(name: &str, members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
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
    let field = meaning.field(if field == "_index" { name::DATASET } else { field });
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
    slop: usize,
    fuzzy: Option<Fuzzy>,
}

impl Matching {
    fn read(kind: &str, members: &Map<String, Json>) -> Result<Self, Error> {
        refuse_inexact(members)?;
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
        let fuzziness = members.get("fuzziness").filter(|value| !value.is_null());
        let fuzzy = match fuzziness.map(Fuzziness::read).transpose()? {
            None | Some(Fuzziness::Exactly(0)) => None,
            Some(fuzziness) => Some(Fuzzy {
                fuzziness,
                prefix: prefix_of(members, "prefix_length")?,
                swaps: swaps_of(members, "fuzzy_transpositions")?,
            }),
        };
        let slop = slop_of(members, "slop")?;
        Ok(Self { kind: kind.to_owned(), all_words, minimum, zero_terms_all, slop, fuzzy })
    }

    pub(super) fn find(&self, field: &Field, text: &str) -> Result<Filter, Error> {
        if let Some(filter) = field.name.as_deref().and_then(|name| special(name, text)) {
            return Ok(filter);
        }
        if field.is_time() {
            return Ok(field.is(Test::Equals(text.into())));
        }
        match self.kind.as_str() {
            "match_phrase" => phrase(field, text, self.slop, false),
            "match_phrase_prefix" => phrase(field, text, self.slop, true),
            "match_bool_prefix" => self.join(self.bool_prefix(field, text)?),
            _ => self.join(self.words(field, text)?),
        }
    }

    /// The words of the text, mistaken as far as that is allowed.
    fn words(&self, field: &Field, text: &str) -> Result<Vec<Filter>, Error> {
        match (self.fuzzy, field.kind) {
            (None, _) => Ok(words_of(field, text)),
            (Some(how), Kind::Keyword) => Ok(vec![fuzzy(field, text, how)?]),
            (Some(how), Kind::Text) => {
                super::word::words(text).iter().map(|word| fuzzy(field, word, how)).collect()
            }
        }
    }

    /// The words of the text, the last of which is a beginning.
    fn bool_prefix(&self, field: &Field, text: &str) -> Result<Vec<Filter>, Error> {
        let found = super::word::words(text);
        let Some((last, before)) = found.split_last() else { return Ok(Vec::new()) };
        let mut parts = Vec::new();
        for word in before {
            parts.extend(self.words(field, word)?);
        }
        parts.push(phrase(field, last, 0, true)?);
        Ok(parts)
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

/// How many characters of a word are right.
pub(super) fn prefix_of(members: &Map<String, Json>, name: &str) -> Result<usize, Error> {
    slop_of(members, name)
}

/// Whether a swap of neighbours is one mistake.
pub(super) fn swaps_of(members: &Map<String, Json>, name: &str) -> Result<bool, Error> {
    if members.contains_key(name) { flag(members, name) } else { Ok(true) }
}

/// A whole number; 0 if it is not given.
pub(super) fn slop_of(members: &Map<String, Json>, name: &str) -> Result<usize, Error> {
    let Some(value) = members.get(name).filter(|value| !value.is_null()) else { return Ok(0) };
    let bad = || Error::illegal(format!("[{name}] cannot be [{value}]"));
    scalar(value).and_then(|text| text.parse().ok()).ok_or_else(bad)
}

/// A `fuzzy`: one word, not analysed.
fn fuzzy_term(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let (field, body) = single("fuzzy", members)?;
    let empty = Map::new();
    let (value, inner) = match body {
        Json::Object(inner) => {
            let names = [
                "value",
                "fuzziness",
                "prefix_length",
                "max_expansions",
                "transpositions",
                "rewrite",
                "boost",
                "_name",
            ];
            known("fuzzy", inner, &names)?;
            (inner.get("value"), inner)
        }
        value => (Some(value), &empty),
    };
    let text = value.and_then(scalar).ok_or_else(|| Error::illegal("value cannot be null"))?;
    let how = Fuzzy {
        fuzziness: inner.get("fuzziness").map_or(Ok(Fuzziness::Auto(3, 6)), Fuzziness::read)?,
        prefix: prefix_of(inner, "prefix_length")?,
        swaps: swaps_of(inner, "transpositions")?,
    };
    fuzzy(&meaning.field(field), &text, how)
}

fn refuse_inexact(members: &Map<String, Json>) -> Result<(), Error> {
    match members.get("analyzer").and_then(Json::as_str) {
        None | Some("standard") => Ok(()),
        Some(other) => Err(Error::unsupported(&format!("analyzer {other}"))),
    }
}

fn matching(name: &str, members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
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
    Matching::read(name, inner)?.find(&meaning.field(field), &text)
}

fn multi_match(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let names: Vec<&str> = MATCH.into_iter().chain(["fields"]).collect();
    known("multi_match", members, &names)?;
    let text = members.get("query").and_then(scalar);
    let text = text.ok_or_else(|| Error::parsing("No text specified for multi-match query"))?;
    let fields = fields(members.get("fields"), meaning)?;
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
    let any = |word: &String| {
        let parts = fields.iter().map(|field| matching.words(field, word));
        Ok(Filter::any_of(parts.collect::<Result<Vec<_>, Error>>()?.concat()))
    };
    matching.join(super::word::words(text).iter().map(any).collect::<Result<_, Error>>()?)
}

/// The fields that a request lists; without a list, all.
pub(super) fn fields(list: Option<&Json>, meaning: Meaning<'_>) -> Result<Vec<Field>, Error> {
    let names: Vec<&str> = match list {
        None | Some(Json::Null) => vec!["*"],
        Some(Json::Array(items)) if items.is_empty() => vec!["*"],
        Some(Json::String(text)) => vec![text.as_str()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
        Some(other) => return Err(Error::parsing(format!("[fields] cannot be [{other}]"))),
    };
    let fields: Vec<Vec<Field>> =
        names.into_iter().map(|name| meaning.fields(name)).collect::<Result<_, _>>()?;
    Ok(fields.concat())
}
