//! `-A`, `-B`, `-C`: matches with what came before and after them, as `grep` prints lines around lines. Neighbours that overlap or touch are one
//! group, and no event is printed twice. Before and after are earlier and later, whichever way the output runs.

use std::collections::{HashMap, HashSet};
use std::io;

use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::Error;
use super::super::args::{Order, SearchArgs};
use super::super::client::{Client, segment};
use super::super::output::{Marks, Printer};
use super::ask::{self, PAGE};
use super::question::Question;
use super::say::Told;

/// Contexts asked for at a time.
const AT_ONCE: usize = 4;

/// How much is shown around a match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sides<'a> {
    before: u64,
    after: u64,
    by: &'a [String],
}

impl<'a> Sides<'a> {
    /// What was typed; nothing if no context was asked for.
    pub(super) fn of(args: &'a SearchArgs) -> Option<Self> {
        let both = args.context;
        if args.before_context.or(args.after_context).or(both).is_none() && args.context_by.is_empty() {
            return None;
        }
        let side = |one: Option<u64>| one.or(both);
        // Who only says by what wants some on both sides.
        let default = both.or(args.before_context).or(args.after_context).map_or(3, |_| 0);
        Some(Self {
            before: side(args.before_context).unwrap_or(default),
            after: side(args.after_context).unwrap_or(default),
            by: &args.context_by,
        })
    }
}

#[derive(Deserialize)]
struct Id {
    #[serde(rename = "_id")]
    id: Option<String>,
}

/// What `/api/events/{id}/context` answers.
#[derive(Deserialize)]
struct Surrounded {
    events: Vec<Box<RawValue>>,
    index: usize,
    incomplete_because: Option<String>,
}

/// An event and its id.
type Known = (String, Box<RawValue>);

pub(super) async fn print(
    client: &Client,
    args: &SearchArgs,
    question: &Question,
    sides: &Sides<'_>,
    told: &mut Told,
) -> Result<bool, Error> {
    let limit = question.limit.filter(|limit| *limit <= PAGE);
    let limit = limit.ok_or_else(|| Error::Usage(format!("with context, -n is at most {PAGE}")))?;
    let answer = ask::once(client, question, limit).await?;
    told.page(&mut io::stderr().lock(), &answer);
    if answer.table.is_some() {
        return Err(Error::Usage("rows that pipes made have no context; ask for it without them".to_owned()));
    }
    let matches = answer.events.into_iter().map(known).collect::<Result<Vec<Known>, Error>>()?;
    let ids: HashSet<String> = matches.iter().map(|(id, _)| id.clone()).collect();
    let contexts = surround(client, &matches, sides, told).await?;
    let mut printer = Printer::marking(&args.output, Marks::of(&question.q));
    for (number, mut group) in groups(contexts).into_iter().enumerate() {
        if question.order == Order::Desc {
            group.reverse();
        }
        let lines: Vec<(&RawValue, bool)> =
            group.iter().map(|(id, raw)| (raw.as_ref(), ids.contains(id))).collect();
        printer.group(number, &lines)?;
    }
    printer.finish()?;
    Ok(!ids.is_empty())
}

/// What is around each match, in the order of the matches, oldest first within.
async fn surround(
    client: &Client,
    matches: &[Known],
    sides: &Sides<'_>,
    told: &mut Told,
) -> Result<Vec<Context>, Error> {
    let asked = futures_util::stream::iter(matches.iter().map(|(id, _)| context(client, id, sides)));
    let found: Vec<(Context, Option<String>)> = asked.buffered(AT_ONCE).try_collect().await?;
    let because: HashSet<&String> = found.iter().filter_map(|(_, because)| because.as_ref()).collect();
    because.into_iter().for_each(|because| told.incomplete(&mut io::stderr().lock(), because));
    Ok(found.into_iter().map(|(context, _)| context).collect())
}

/// A match's neighbours, and the id of the one behind them, by which groups that touch are known.
#[derive(Debug)]
struct Context {
    events: Vec<Known>,
    next: Option<String>,
}

async fn context(client: &Client, id: &str, sides: &Sides<'_>) -> Result<(Context, Option<String>), Error> {
    let by =
        if sides.by.is_empty() { String::new() } else { format!("&by={}", segment(&sides.by.join(","))) };
    let (before, after) = (sides.before, sides.after + 1);
    let path = format!("/api/events/{}/context?before={before}&after={after}{by}", segment(id));
    let found: Surrounded = client.json(client.request(Method::GET, &path)).await?;
    let mut events = found.events.into_iter().map(known).collect::<Result<Vec<Known>, Error>>()?;
    let end =
        found.index.saturating_add(1).saturating_add(usize::try_from(sides.after).unwrap_or(usize::MAX));
    let next = events.get(end).map(|(id, _)| id.clone());
    events.truncate(end);
    Ok((Context { events, next }, found.incomplete_because))
}

fn known(raw: Box<RawValue>) -> Result<Known, Error> {
    let read: Result<Id, _> = serde_json::from_str(raw.get());
    match read.ok().and_then(|read| read.id) {
        Some(id) => Ok((id, raw)),
        None => Err(Error::Usage("an event without _id has no context".to_owned())),
    }
}

/// Contexts that overlap or touch are one, where the first of them stands. Those of one stream follow each other in it, so that what is not
/// yet there comes behind or, when the search runs back in time, in front.
fn groups(contexts: Vec<Context>) -> Vec<Vec<Known>> {
    let mut groups: Vec<Option<Context>> = Vec::new();
    // Which group an event is in, and which one waits for an event right behind it.
    let (mut places, mut waiting): (HashMap<String, usize>, HashMap<String, usize>) = Default::default();
    for context in contexts {
        let touched = context.events.iter().filter_map(|(id, _)| places.get(id).or(waiting.get(id)));
        let behind = context.next.iter().filter_map(|id| places.get(id));
        let mut touched: Vec<usize> = touched.chain(behind).copied().collect();
        touched.sort_unstable();
        touched.dedup();
        let place = touched.first().copied().unwrap_or(groups.len());
        if place == groups.len() {
            groups.push(None);
        }
        let parts = touched.iter().filter_map(|at| groups.get_mut(*at)?.take()).collect();
        let whole = merge(parts, context);
        whole.events.iter().for_each(|(id, _)| {
            places.insert(id.clone(), place);
        });
        if let Some(next) = &whole.next {
            waiting.insert(next.clone(), place);
        }
        if let Some(group) = groups.get_mut(place) {
            *group = Some(whole);
        }
    }
    groups.into_iter().flatten().map(|group| group.events).collect()
}

/// Each part is in order by itself; together they are in the order of who follows whom.
fn merge(parts: Vec<Context>, new: Context) -> Context {
    parts.into_iter().fold(new, |whole, part| {
        let follows = |first: &Context, second: &Context| {
            let Some((id, _)) = second.events.first() else { return false };
            first.next.as_ref() == Some(id) || first.events.iter().any(|(known, _)| known == id)
        };
        if follows(&part, &whole) { append(part, whole) } else { append(whole, part) }
    })
}

/// What `second` has beyond `first`, behind it.
fn append(mut first: Context, second: Context) -> Context {
    let known: HashSet<&String> = first.events.iter().map(|(id, _)| id).collect();
    let added: Vec<Known> = second.events.iter().filter(|(id, _)| !known.contains(id)).cloned().collect();
    let reaches = second.events.last().is_some_and(|(id, _)| !known.contains(id));
    if reaches {
        first.next = second.next;
    }
    first.events.extend(added);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context of the events named by numbers, and what comes behind it.
    fn around(numbers: std::ops::RangeInclusive<u32>) -> Context {
        let event = |n: u32| (n.to_string(), RawValue::from_string(n.to_string()).unwrap());
        let next = (*numbers.end() < 20).then(|| (numbers.end() + 1).to_string());
        Context { events: numbers.map(event).collect(), next }
    }

    #[track_caller]
    fn check(contexts: Vec<Context>, expected: &[&str]) {
        let shown = |group: Vec<Known>| group.into_iter().map(|(id, _)| id).collect::<Vec<_>>().join(" ");
        assert_eq!(groups(contexts).into_iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn contexts_that_overlap_or_touch_are_one() {
        check(vec![around(1..=3), around(5..=7)], &["1 2 3", "5 6 7"]);
        check(vec![around(1..=3), around(3..=5)], &["1 2 3 4 5"]);
        check(vec![around(1..=3), around(4..=6)], &["1 2 3 4 5 6"]);
        check(vec![around(4..=6), around(1..=3)], &["1 2 3 4 5 6"]);
        check(vec![around(5..=7), around(3..=5), around(1..=2)], &["1 2 3 4 5 6 7"]);
        check(vec![around(18..=20), around(1..=20)], &["1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"]);
        check(vec![around(2..=3), around(2..=3)], &["2 3"]);
        check(vec![], &[]);
    }

    #[test]
    fn a_context_may_join_two_groups() {
        check(
            vec![around(1..=3), around(7..=9), around(12..=12), around(4..=6)],
            &["1 2 3 4 5 6 7 8 9", "12"],
        );
        check(vec![around(7..=9), around(1..=3), around(3..=7)], &["1 2 3 4 5 6 7 8 9"]);
    }
}
