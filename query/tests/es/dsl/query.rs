//! [`Query`]: a query of the DSL, its JSON, and whether it holds of a document.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::documents::{IPS, USERS, WORDS, prose, values};
use super::range::{Range, range};
use super::simple::{Text, text};
use super::text::{has_phrase, has_prefix, has_regexp, has_term, has_wildcard, matched};

const TEXTS: [&str; 3] = ["message", "tags", "kind"];
const KEYWORDS: [&str; 3] = ["user.name", "kind.keyword", "tags.keyword"];

#[derive(Clone, Debug)]
pub(super) enum Query {
    All,
    None,
    Term {
        field: &'static str,
        value: String,
        ignore_case: bool,
    },
    Terms {
        field: &'static str,
        values: Vec<String>,
    },
    Match {
        fields: Vec<&'static str>,
        text: String,
        and: bool,
        least: Option<usize>,
    },
    CrossFields {
        text: String,
        and: bool,
    },
    Phrase {
        field: &'static str,
        text: String,
        prefix: bool,
    },
    Prefix {
        field: &'static str,
        value: String,
        ignore_case: bool,
    },
    Wildcard {
        field: &'static str,
        value: String,
        ignore_case: bool,
    },
    Regexp {
        field: &'static str,
        value: &'static str,
    },
    Range(Range),
    Exists(&'static str),
    Ids(Vec<usize>),
    Text(Text),
    Bool {
        must: Vec<Query>,
        filter: Vec<Query>,
        should: Vec<Query>,
        must_not: Vec<Query>,
        least: Option<Least>,
    },
    Constant(Box<Query>),
    DisMax(Vec<Query>),
    Boosting(Box<Query>, Box<Query>),
}

/// `minimum_should_match`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Least {
    Number(i64),
    Percent(i64),
}

impl Least {
    fn of(self, count: usize) -> usize {
        let count = count as i64;
        let least = match self {
            Self::Number(number) if number < 0 => count + number,
            Self::Number(number) => number,
            // The share that may be missing is rounded down, as is the share that must be there.
            Self::Percent(percent) if percent < 0 => count - count * -percent / 100,
            Self::Percent(percent) => count * percent / 100,
        };
        least.max(0) as usize
    }
}

impl Query {
    pub(super) fn holds(&self, document: &Value, id: usize) -> bool {
        let all = |queries: &[Self]| queries.iter().all(|query| query.holds(document, id));
        let any = |queries: &[Self]| queries.iter().any(|query| query.holds(document, id));
        match self {
            Self::All => true,
            Self::None => false,
            Self::Term { field, value, ignore_case } => has_term(document, field, value, *ignore_case),
            Self::Terms { field, values } => {
                values.iter().any(|value| has_term(document, field, value, false))
            }
            Self::Match { fields, text, and, least } => fields.iter().any(|field| {
                let (found, wanted) = matched(document, field, text);
                let needed = if *and { wanted } else { least.unwrap_or(1).max(1) };
                wanted > 0 && found >= needed
            }),
            Self::CrossFields { text, and } => {
                let words = super::text::words(text);
                let found = |word: &String| TEXTS.iter().any(|field| has_term(document, field, word, false));
                if *and { words.iter().all(found) } else { words.iter().any(found) }
            }
            Self::Phrase { field, text, prefix } => has_phrase(document, field, text, *prefix),
            Self::Prefix { field, value, ignore_case } => has_prefix(document, field, value, *ignore_case),
            Self::Wildcard { field, value, ignore_case } => {
                has_wildcard(document, field, value, *ignore_case)
            }
            Self::Regexp { field, value } => has_regexp(document, field, value),
            Self::Range(range) => range.holds(document),
            Self::Exists(field) => !values(document, field).is_empty(),
            Self::Ids(ids) => ids.contains(&id),
            Self::Text(text) => text.holds(document),
            Self::Bool { must, filter, should, must_not, least } => {
                // Beside other clauses, what should match need not.
                let default = usize::from(must.is_empty() && filter.is_empty() && !should.is_empty());
                let least = least.map_or(default, |least| least.of(should.len()));
                let found = should.iter().filter(|query| query.holds(document, id)).count();
                all(must) && all(filter) && !any(must_not) && found >= least
            }
            Self::Constant(query) | Self::Boosting(query, _) => query.holds(document, id),
            Self::DisMax(queries) => any(queries),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let list = |queries: &[Self]| queries.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::All => json!({"match_all": {}}),
            Self::None => json!({"match_none": {}}),
            Self::Term { field, value, ignore_case: false } => json!({"term": {*field: value}}),
            Self::Term { field, value, ignore_case } => {
                json!({"term": {*field: {"value": value, "case_insensitive": ignore_case}}})
            }
            Self::Terms { field, values } => json!({"terms": {*field: values}}),
            Self::Match { fields, text, and, least } => {
                let mut body = json!({"query": text, "operator": if *and { "and" } else { "or" }});
                if let Some(least) = least {
                    body["minimum_should_match"] = json!(least);
                }
                match fields.as_slice() {
                    [field] => json!({"match": {*field: body}}),
                    fields => {
                        body["fields"] = json!(fields);
                        json!({"multi_match": body})
                    }
                }
            }
            Self::CrossFields { text, and } => {
                let operator = if *and { "and" } else { "or" };
                json!({"multi_match": {"query": text, "fields": TEXTS, "type": "cross_fields", "operator": operator}})
            }
            Self::Phrase { field, text, prefix: false } => json!({"match_phrase": {*field: text}}),
            Self::Phrase { field, text, .. } => json!({"match_phrase_prefix": {*field: {"query": text}}}),
            Self::Prefix { field, value, ignore_case } => {
                json!({"prefix": {*field: {"value": value, "case_insensitive": ignore_case}}})
            }
            Self::Wildcard { field, value, ignore_case } => {
                json!({"wildcard": {*field: {"value": value, "case_insensitive": ignore_case}}})
            }
            Self::Regexp { field, value } => json!({"regexp": {*field: value}}),
            Self::Range(range) => range.to_json(),
            Self::Exists(field) => json!({"exists": {"field": field}}),
            Self::Ids(ids) => {
                json!({"ids": {"values": ids.iter().map(|id| format!("0-{id}")).collect::<Vec<_>>()}})
            }
            Self::Text(text) => text.to_json(),
            Self::Bool { must, filter, should, must_not, least } => {
                let mut body = json!({"must": list(must), "filter": list(filter), "should": list(should), "must_not": list(must_not)});
                match least {
                    Some(Least::Number(number)) => body["minimum_should_match"] = json!(number),
                    Some(Least::Percent(percent)) => {
                        body["minimum_should_match"] = json!(format!("{percent}%"))
                    }
                    None => {}
                }
                json!({"bool": body})
            }
            Self::Constant(query) => json!({"constant_score": {"filter": query.to_json()}}),
            Self::DisMax(queries) => json!({"dis_max": {"queries": list(queries)}}),
            Self::Boosting(positive, negative) => {
                json!({"boosting": {"positive": positive.to_json(), "negative": negative.to_json(), "negative_boost": 0.5}})
            }
        }
    }
}

pub(super) fn any_word() -> impl Strategy<Value = String> {
    select(&WORDS[..]).prop_map(str::to_owned)
}

/// One of the values of keywords, and what is near to it.
fn keyword() -> impl Strategy<Value = String> {
    let values: Vec<&str> =
        USERS.into_iter().chain(["PushEvent", "push event", "Fork", "nobody", ""]).collect();
    select(values).prop_map(str::to_owned)
}

fn field_and_value() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        (select(&TEXTS[..]), any_word().prop_map(|word| word.to_lowercase())),
        (select(&TEXTS[..]), any_word()),
        (select(&KEYWORDS[..]), keyword()),
        (Just("source.ip"), select(&IPS[..]).prop_map(str::to_owned)),
        (Just("n"), select(&["0", "2", "2.5", "500", "7"][..]).prop_map(str::to_owned)),
        (Just("ok"), select(&["true", "false"][..]).prop_map(str::to_owned)),
    ]
}

fn beginning() -> impl Strategy<Value = (&'static str, String)> {
    let start = |text: String| text.chars().take(2).collect::<String>();
    prop_oneof![
        (select(&TEXTS[..]), any_word().prop_map(start)),
        (select(&KEYWORDS[..]), keyword().prop_map(start)),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("*".to_owned()),
        Just("?".to_owned()),
        any_word().prop_map(|word| word.chars().take(3).collect()),
        select(&["ro", "oot", "push", "E", "\\*", "\\?", "\\\\", "-", "ö"][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn leaf() -> impl Strategy<Value = Query> {
    let fields: Vec<&'static str> =
        TEXTS.into_iter().chain(KEYWORDS).chain(["source.ip", "n", "ok"]).collect();
    let on_texts = prop_oneof![
        3 => select(&TEXTS[..]).prop_map(|field| vec![field]),
        1 => Just(TEXTS.to_vec()),
        1 => Just(vec!["message", "user.name"]),
    ];
    let expression =
        select(&["ro+t", "r.*", "[a-f].*", "(ch)?root(-[0-9])?", "Push.*", ".{4}", "gr.ß?e|x", "2+"][..]);
    let is_case = || prop::bool::weighted(0.3);
    prop_oneof![
        1 => Just(Query::All),
        1 => Just(Query::None),
        4 => (field_and_value(), is_case())
            .prop_map(|((field, value), ignore_case)| Query::Term { field, value, ignore_case }),
        1 => select(&["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32"][..])
            .prop_map(|net| Query::Term { field: "source.ip", value: net.into(), ignore_case: false }),
        2 => (select(&KEYWORDS[..]), prop::collection::vec(keyword(), 0..4))
            .prop_map(|(field, values)| Query::Terms { field, values }),
        4 => (on_texts, prose(), any::<bool>(), prop::option::of(1..4usize)).prop_map(|(fields, text, and, least)| {
            Query::Match { fields, text, and, least: least.filter(|_| !and) }
        }),
        1 => (prose(), any::<bool>()).prop_map(|(text, and)| Query::CrossFields { text, and }),
        3 => (select(&TEXTS[..]), prose(), any::<bool>()).prop_map(|(field, text, prefix)| Query::Phrase { field, text, prefix }),
        2 => (beginning(), is_case()).prop_map(|((field, value), ignore_case)| Query::Prefix { field, value, ignore_case }),
        2 => (prop_oneof![select(&TEXTS[..]), select(&KEYWORDS[..])], pattern(), is_case())
            .prop_map(|(field, value, ignore_case)| Query::Wildcard { field, value, ignore_case }),
        2 => (prop_oneof![select(&TEXTS[..]), select(&KEYWORDS[..])], expression)
            .prop_map(|(field, value)| Query::Regexp { field, value }),
        4 => range().prop_map(Query::Range),
        2 => select(fields).prop_map(Query::Exists),
        1 => prop::collection::vec(0..70usize, 0..4).prop_map(Query::Ids),
        4 => text().prop_map(Query::Text),
    ]
}

pub(super) fn query() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..3);
        let least = prop_oneof![(-3..4i64).prop_map(Least::Number), (-100..101i64).prop_map(Least::Percent)];
        prop_oneof![
            4 => (list(), list(), prop::collection::vec(inner.clone(), 0..4), list(), prop::option::of(least))
                .prop_map(|(must, filter, should, must_not, least)| Query::Bool { must, filter, should, must_not, least }),
            1 => inner.clone().prop_map(|query| Query::Constant(Box::new(query))),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(Query::DisMax),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, two)| Query::Boosting(Box::new(one), Box::new(two))),
        ]
    })
}
