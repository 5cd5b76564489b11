//! [`Field`]: what a field's name means here, and which kind of text it holds.
//!
//! Where no mapping says otherwise (`Schema` knows), names of the Elastic Common Schema are `keyword`, `message` and the like are `text`, and every other
//! string is both, as by dynamic mapping: `name` is asked by its words, `name.keyword` as a whole.

use locard_event::name;
use locard_filter::{Filter, Predicate, Test};

/// How strings of a field are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By their words.
    Text,
    /// As a whole.
    Keyword,
}

/// A field that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name in events; nothing: the message and every value.
    pub(super) name: Option<Box<str>>,
    pub(super) kind: Kind,
    /// Whether a mapping says that its values are dates.
    pub(super) is_date: bool,
}

/// The first parts of names that the Elastic Common Schema defines, and of the subtrees that Locard's parsers fill.
const SCHEMA: &[&str] = &[
    "agent",
    "auditd",
    "client",
    "cloud",
    "container",
    "data_stream",
    "destination",
    "dll",
    "dns",
    "ecs",
    "email",
    "error",
    "event",
    "faas",
    "file",
    "group",
    "hash",
    "host",
    "http",
    "journald",
    "kubernetes",
    "labels",
    "locard",
    "log",
    "network",
    "observer",
    "orchestrator",
    "organization",
    "package",
    "process",
    "registry",
    "related",
    "rule",
    "server",
    "service",
    "source",
    "span",
    "syslog",
    "systemd",
    "threat",
    "tls",
    "trace",
    "transaction",
    "url",
    "user",
    "user_agent",
    "vlan",
    "vulnerability",
];
/// Names whose strings are prose.
const TEXT: &[&str] =
    &[name::MESSAGE, name::ERROR_MESSAGE, "error.stack_trace", "event.original", "event.reason"];

/// How strings of this name are asked when it is given without `.keyword`.
pub(super) fn kind_of(field: &str) -> Kind {
    let Some((root, _)) = field.split_once('.') else { return Kind::Text };
    if SCHEMA.contains(&root) && !TEXT.contains(&field) { Kind::Keyword } else { Kind::Text }
}

/// Whether the field holds times whatever its values look like.
pub(super) fn is_time(field: &str) -> bool {
    matches!(
        field,
        name::TIMESTAMP
            | name::TIME
            | name::INGESTED
            | name::CREATED
            | "event.start"
            | "event.end"
            | "process.start"
    )
}

impl Field {
    /// The field of this name. `*`, `_all` and `*.*` are all of them.
    pub(super) fn named(text: &str) -> Self {
        let text = text.split_once('^').map_or(text, |(name, _)| name);
        if matches!(text, "*" | "_all" | "*.*") {
            return Self { name: None, kind: Kind::Text, is_date: false };
        }
        match text.strip_suffix(".keyword") {
            Some(base) if !base.is_empty() => {
                Self { name: Some(base.into()), kind: Kind::Keyword, is_date: false }
            }
            _ => Self { name: Some(text.into()), kind: kind_of(text), is_date: false },
        }
    }

    /// One test of this field.
    pub(super) fn is(&self, test: Test) -> Filter {
        Filter::Is(Predicate { field: self.name.clone(), test })
    }

    /// Whether the field holds times.
    pub(super) fn is_time(&self) -> bool {
        self.name.as_deref().is_some_and(is_time)
    }
}

/// The name of a field in events, as sorts and aggregations give it: `.keyword` is dropped.
pub(super) fn plain(text: &str) -> &str {
    match text.strip_suffix(".keyword") {
        Some(base) if !base.is_empty() => base,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_schema_are_keywords_and_others_dynamic() {
        for (name, plain_name, kind) in [
            ("host.name", "host.name", Kind::Keyword),
            ("message", "message", Kind::Text),
            ("error.message", "error.message", Kind::Text),
            ("actor.login", "actor.login", Kind::Text),
            ("actor.login.keyword", "actor.login", Kind::Keyword),
            ("level^3", "level", Kind::Text),
        ] {
            let expected = Field { name: Some(plain_name.into()), kind, is_date: false };
            assert_eq!(Field::named(name), expected, "{name}");
        }
        assert_eq!(Field::named("*").name, None);
    }
}
