//! [`Text`]: queries written as text, for `query_string` and `simple_query_string`: made from a tree, so that nothing is parsed here.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::documents::values;
use super::query::any_word;
use super::text::{has_phrase, has_prefix, has_regexp, has_term, matched};

/// The fields of clauses that name none.
const FIELDS: [&str; 2] = ["message", "user.name"];

#[derive(Clone, Debug)]
pub(super) enum Text {
    Lucene(Tree),
    /// Clauses, those to be negated marked, and whether all must hold.
    Simple {
        clauses: Vec<(Clause, bool)>,
        and: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Tree {
    Is(Clause),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Without(Box<Tree>, Clause),
}

#[derive(Clone, Debug)]
pub(super) enum Clause {
    Word(Option<&'static str>, String),
    Phrase(Option<&'static str>, String, String),
    Prefix(Option<&'static str>, String),
    Between(i64, i64, bool, bool),
    Above(i64, bool),
    Exists(&'static str),
    Regexp(&'static str, &'static str),
}

impl Clause {
    fn holds(&self, document: &Value) -> bool {
        let fields = |field: &Option<&'static str>| field.map_or(FIELDS.to_vec(), |field| vec![field]);
        let number = |test: &dyn Fn(f64) -> bool| {
            values(document, "n").into_iter().any(|value| value.as_f64().is_some_and(test))
        };
        match self {
            Self::Word(field, word) => fields(field).iter().any(|field| matched(document, field, word).0 > 0),
            Self::Phrase(field, one, two) => {
                let text = format!("{one} {two}");
                fields(field).iter().any(|field| {
                    if *field == "user.name" {
                        has_term(document, field, &text, false)
                    } else {
                        has_phrase(document, field, &text, false)
                    }
                })
            }
            Self::Prefix(field, start) => {
                fields(field).iter().any(|field| has_prefix(document, field, start, false))
            }
            Self::Between(low, high, low_inside, high_inside) => number(&|value| {
                let (low, high) = (*low as f64, *high as f64);
                (value > low || (*low_inside && value == low))
                    && (value < high || (*high_inside && value == high))
            }),
            Self::Above(low, inside) => {
                number(&|value| value > *low as f64 || (*inside && value == *low as f64))
            }
            Self::Exists(field) => !values(document, field).is_empty(),
            Self::Regexp(field, pattern) => has_regexp(document, field, pattern),
        }
    }

    fn print(&self) -> String {
        let named = |field: &Option<&str>| field.map_or(String::new(), |field| format!("{field}:"));
        match self {
            Self::Word(field, word) => format!("{}{word}", named(field)),
            Self::Phrase(field, one, two) => format!("{}\"{one} {two}\"", named(field)),
            Self::Prefix(field, start) => format!("{}{start}*", named(field)),
            Self::Between(low, high, low_inside, high_inside) => {
                let (open, close) =
                    (if *low_inside { '[' } else { '{' }, if *high_inside { ']' } else { '}' });
                format!("n:{open}{low} TO {high}{close}")
            }
            Self::Above(low, inside) => format!("n:>{}{low}", if *inside { "=" } else { "" }),
            Self::Exists(field) => format!("_exists_:{field}"),
            Self::Regexp(field, pattern) => format!("{field}:/{pattern}/"),
        }
    }
}

impl Tree {
    fn holds(&self, document: &Value) -> bool {
        match self {
            Self::Is(clause) => clause.holds(document),
            Self::And(one, two) => one.holds(document) && two.holds(document),
            Self::Or(one, two) => one.holds(document) || two.holds(document),
            Self::Without(one, clause) => one.holds(document) && !clause.holds(document),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Is(clause) => clause.print(),
            Self::And(one, two) => format!("({} AND {})", one.print(), two.print()),
            Self::Or(one, two) => format!("({} OR {})", one.print(), two.print()),
            Self::Without(one, clause) => format!("({} AND NOT {})", one.print(), clause.print()),
        }
    }
}

impl Text {
    pub(super) fn holds(&self, document: &Value) -> bool {
        match self {
            Self::Lucene(tree) => tree.holds(document),
            Self::Simple { clauses, and } => {
                let holds = |(clause, negated): &(Clause, bool)| clause.holds(document) != *negated;
                if *and { clauses.iter().all(holds) } else { clauses.iter().any(holds) }
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Lucene(tree) => json!({"query_string": {"query": tree.print(), "fields": FIELDS}}),
            Self::Simple { clauses, and } => {
                let clause = |(clause, negated): &(Clause, bool)| {
                    format!("{}{}", if *negated { "-" } else { "" }, clause.print())
                };
                let text = clauses.iter().map(clause).collect::<Vec<_>>().join(" ");
                let operator = if *and { "and" } else { "or" };
                json!({"simple_query_string": {"query": text, "fields": FIELDS, "default_operator": operator}})
            }
        }
    }
}

fn start() -> impl Strategy<Value = String> {
    // A prefix in these syntaxes is put into lower case for texts only; in lower case it means the same everywhere.
    select(&["r", "ro", "pass", "e", "gr", "al"][..]).prop_map(str::to_owned)
}

/// Clauses that both syntaxes have.
fn common(field: BoxedStrategy<Option<&'static str>>) -> impl Strategy<Value = Clause> {
    prop_oneof![
        3 => (field.clone(), any_word()).prop_map(|(field, word)| Clause::Word(field, word)),
        2 => (field.clone(), any_word(), any_word()).prop_map(|(field, one, two)| Clause::Phrase(field, one, two)),
        1 => (field, start()).prop_map(|(field, start)| Clause::Prefix(field, start)),
    ]
}

fn clause() -> impl Strategy<Value = Clause> {
    let field = prop::option::of(select(&["message", "tags", "user.name", "kind"][..])).boxed();
    prop_oneof![
        5 => common(field),
        1 => (-5..600i64, -5..600i64, any::<bool>(), any::<bool>()).prop_map(|(low, high, one, two)| Clause::Between(low, high, one, two)),
        1 => (0..500i64, any::<bool>()).prop_map(|(low, inside)| Clause::Above(low, inside)),
        1 => select(&["n", "tags", "user.name", "ok"][..]).prop_map(Clause::Exists),
        1 => (select(&["message", "user.name"][..]), select(&["ro+t", "r.*", "[a-f].*"][..])).prop_map(|(field, pattern)| Clause::Regexp(field, pattern)),
    ]
}

pub(super) fn text() -> impl Strategy<Value = Text> {
    let tree = clause().prop_map(Tree::Is).prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, two)| Tree::And(Box::new(one), Box::new(two))),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| Tree::Or(Box::new(one), Box::new(two))),
            (inner, clause()).prop_map(|(one, two)| Tree::Without(Box::new(one), two)),
        ]
    });
    let simple = prop::collection::vec((common(Just(None).boxed()), prop::bool::weighted(0.2)), 1..4);
    prop_oneof![
        tree.prop_map(Text::Lucene),
        (simple, any::<bool>()).prop_map(|(clauses, and)| Text::Simple { clauses, and }),
    ]
}
