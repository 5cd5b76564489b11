//! [`Warning`]: what a query is likely to be wrong about, though it has an answer.
//!
//! A field that no event has matches nothing, silently: so it is pointed out, with the nearest name that there is. Nothing is said to who may see
//! only some of the events: it would tell of the others.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use locard_event::name;
use locard_filter::Filter;
use locard_indexer::View;

use super::plan::Plan;
use crate::pipe::{Pipe, reads};

/// Most names that are compared for the nearest one.
const MAX_NAMES: usize = 20_000;
/// Most warnings in one answer.
const MAX_WARNINGS: usize = 10;

/// Something a query is likely to be wrong about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A whole corrected query, where one is evident.
    pub fix: Option<String>,
}

/// What is to be pointed out about a query over a view.
pub(crate) fn warnings(q: &str, plan: &Plan, view: &View) -> Vec<Warning> {
    if plan.seen != Filter::All || (view.splits.is_empty() && view.hot.is_empty()) {
        return Vec::new();
    }
    let unknown = asked(plan).into_iter().filter(|field| !is_there(field, view));
    let unknown: Vec<String> = unknown.take(MAX_WARNINGS).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let names = names(view);
    unknown.into_iter().map(|field| warning(q, &field, &names)).collect()
}

/// The fields that the query looks at and does not make itself.
fn asked(plan: &Plan) -> BTreeSet<String> {
    let mut asked: BTreeSet<String> = filter_fields(&plan.asked).into_iter().collect();
    let mut made: BTreeSet<String> = BTreeSet::new();
    for pipe in &plan.pipes {
        let Some(looks) = reads(pipe) else { break };
        asked.extend(looks.reads.into_iter().filter(|field| !made.contains(field)));
        made.extend(looks.makes);
        if looks.ends || matches!(pipe, Pipe::Context(_)) {
            break;
        }
    }
    asked.retain(|field| {
        let own = [
            name::ID,
            name::STREAM,
            name::TIMESTAMP,
            name::TIME,
            name::INGESTED,
            name::MESSAGE,
            name::PATTERN,
        ];
        !own.contains(&field.as_str())
    });
    asked
}

/// As [`Filter::fields`], bare tests left aside.
fn filter_fields(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::All => Vec::new(),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(filter_fields).collect(),
        Filter::Not(part) => filter_fields(part),
        Filter::Is(predicate) => predicate.field.iter().map(|field| field.to_string()).collect(),
    }
}

fn is_there(field: &str, view: &View) -> bool {
    let has =
        |event: &locard_event::Event| event.fields.get(field).is_some() || event.stream.get(field).is_some();
    // A split that cannot be read may have it; one that leaves names out does not say which.
    !view.unreadable.is_empty()
        || view.splits.iter().any(|split| split.has_name(field).unwrap_or(true))
        || view.hot.iter().flat_map(|batch| batch.iter()).any(has)
}

fn names(view: &View) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for split in &view.splits {
        names.extend(split.names().unwrap_or_default());
        if names.len() > MAX_NAMES {
            return names;
        }
    }
    let (mut shapes, mut streams) = (HashSet::new(), HashSet::new());
    for event in view.hot.iter().flat_map(|batch| batch.iter()) {
        // Events of one shape have the same names, those of one stream the same labels.
        if event.fields.shape().is_none_or(|shape| shapes.insert(shape.id())) {
            add(&mut names, event.fields.iter().map(|(name, _)| name));
        }
        if streams.insert(Arc::as_ptr(&event.stream).addr()) {
            add(&mut names, event.stream.iter().map(|(name, _)| name));
        }
        if names.len() > MAX_NAMES {
            break;
        }
    }
    names
}

fn add<'n>(names: &mut BTreeSet<String>, more: impl Iterator<Item = &'n str>) {
    for name in more {
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
    }
}

fn warning(q: &str, field: &str, names: &BTreeSet<String>) -> Warning {
    let near = nearest(field, names);
    Warning {
        message: format!("no event has a field `{field}`"),
        hint: near.map(|near| format!("did you mean `{near}`?")),
        fix: near.and_then(|near| replaced(q, field, near)),
    }
}

/// The name that differs in a letter or two, or that ends with what was written.
fn nearest<'n>(field: &str, names: &'n BTreeSet<String>) -> Option<&'n str> {
    let lower = field.to_lowercase();
    let distance = |name: &&String| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let most = 2.min(field.len() / 3);
    let close =
        names.iter().map(|name| (distance(&name), name)).filter(|(distance, _)| *distance <= most).min();
    let longer = || {
        let ending = format!(".{lower}");
        let mut longer = names.iter().filter(|name| name.to_lowercase().ends_with(&ending));
        let first = longer.next()?;
        longer.next().is_none().then_some(first)
    };
    close.map(|(_, name)| name).or_else(longer).map(String::as_str)
}

/// The query with the first mention of a field replaced.
fn replaced(q: &str, field: &str, near: &str) -> Option<String> {
    let is_name = |char: char| char.is_alphanumeric() || "_.-@".contains(char);
    let at = q.match_indices(field).map(|(at, _)| at).find(|at| {
        let (before, behind) = (q.get(..*at).unwrap_or(""), q.get(at + field.len()..).unwrap_or(""));
        // A dash before it may be a NOT.
        let begins =
            before.strip_suffix('-').unwrap_or(before).chars().next_back().is_none_or(|char| !is_name(char));
        begins && behind.chars().next().is_none_or(|char| !is_name(char))
    })?;
    let fix = format!("{}{near}{}", q.get(..at)?, q.get(at + field.len()..)?);
    crate::pipe::parse(&fix).is_ok().then_some(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let names: BTreeSet<String> =
            ["user.name", "user.id", "kubernetes.namespace", "host.name", "a.id"].map(str::to_owned).into();
        for (field, near) in [
            ("usr.name", Some("user.name")),
            ("User.Name", Some("user.name")),
            ("namespace", Some("kubernetes.namespace")),
            ("id", None),
            ("something", None),
        ] {
            assert_eq!(nearest(field, &names), near, "{field}");
        }
    }

    #[test]
    fn the_mention_is_replaced() {
        let fix = |q| replaced(q, "usr", "user");
        assert_eq!(fix("x.usr:a -usr:b usr:c").as_deref(), Some("x.usr:a -user:b usr:c"));
        assert_eq!(fix("* | stats count() by usr").as_deref(), Some("* | stats count() by user"));
        assert_eq!(fix("users:a"), None);
    }
}
