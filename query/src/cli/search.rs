//! `locard search`: asks page by page until there is enough.

use std::io::{self, Write};

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::args::{Order, SearchArgs};
use super::client::Client;
use super::output::{Printer, Rows, neutralise};
use super::{Error, Outcome};
use crate::pipe::Pipe;

/// Events printed unless asked otherwise.
const DEFAULT_LIMIT: u64 = 100;
/// Events asked for at once.
const PAGE: u64 = 1000;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    events: Vec<Box<RawValue>>,
    table: Option<Rows>,
    cursor: Option<String>,
    incomplete_because: Option<String>,
}

pub(super) async fn run(args: &SearchArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let mut printer = Printer::new(&args.output);
    let query = args.query.join(" ");
    let mut left = if args.all { u64::MAX } else { args.limit.unwrap_or(DEFAULT_LIMIT) };
    let (mut cursor, mut found) = (None, false);
    loop {
        let mut answer = match is_sorted(&query) {
            true => ask_at_once(&client, args, &query, left).await?,
            false => ask(&client, args, &query, left.min(PAGE), cursor.take()).await?,
        };
        if let (Some(rows), Some(limit)) = (&mut answer.table, args.limit) {
            rows.rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        if let Some(rows) = &answer.table {
            found |= !rows.rows.is_empty();
            printer.rows(rows)?;
        }
        let events: Vec<&RawValue> = answer.events.iter().map(AsRef::as_ref).collect();
        found |= !events.is_empty();
        printer.events(&events)?;
        printer.flush()?;
        warn(&mut io::stderr().lock(), &answer);
        left = left.saturating_sub(events.len() as u64);
        cursor = answer.cursor.filter(|_| left > 0 && !events.is_empty());
        if cursor.is_none() {
            break;
        }
    }
    printer.finish()?;
    Ok(if found { Outcome::Found } else { Outcome::Nothing })
}

/// Whether the answer is events in an order that has no pages. What this version does not know is left to the server.
fn is_sorted(query: &str) -> bool {
    let makes_rows =
        |pipe: &Pipe| matches!(pipe, Pipe::Stats(_) | Pipe::Top(_) | Pipe::Timechart(_) | Pipe::Patterns(_));
    crate::pipe::parse(query).is_ok_and(|query| {
        query.pipes.iter().any(|pipe| matches!(pipe, Pipe::Sort(_))) && !query.pipes.iter().any(makes_rows)
    })
}

async fn ask(
    client: &Client,
    args: &SearchArgs,
    query: &str,
    limit: u64,
    cursor: Option<String>,
) -> Result<Answer, Error> {
    match client.json(request(client, args, query, limit, cursor)).await {
        Err(Error::Refused(refusal)) => Err(Error::Refused(Box::new(refusal.of(query)))),
        other => other,
    }
}

/// A line each, of which there may be more than on the largest page.
async fn ask_at_once(client: &Client, args: &SearchArgs, query: &str, limit: u64) -> Result<Answer, Error> {
    let request = request(client, args, query, limit, None).header("accept", "application/x-ndjson");
    let response = match client.send(request).await {
        Err(Error::Refused(refusal)) => return Err(Error::Refused(Box::new(refusal.of(query)))),
        other => other?,
    };
    let because = response.headers().get("locard-incomplete-because");
    let because = because.map(|because| String::from_utf8_lossy(because.as_bytes()).into_owned());
    let body = response.bytes().await.map_err(|source| client.unreachable(source))?;
    let lines = serde_json::Deserializer::from_slice(&body).into_iter();
    let events = lines.collect::<Result<_, _>>().map_err(|error| client.unreadable(&error))?;
    Ok(Answer { events, table: None, cursor: None, incomplete_because: because })
}

fn request(
    client: &Client,
    args: &SearchArgs,
    query: &str,
    limit: u64,
    cursor: Option<String>,
) -> RequestBuilder {
    let order = match args.order {
        Order::Desc => "desc",
        Order::Asc => "asc",
    };
    let mut body = Map::new();
    body.insert("q".into(), json!(query));
    body.insert("limit".into(), json!(limit));
    body.insert("order".into(), json!(order));
    for (name, value) in [("start", &args.start), ("end", &args.end), ("cursor", &cursor)] {
        if let Some(value) = value {
            body.insert(name.into(), json!(value));
        }
    }
    let request = client.request(Method::POST, "/api/search").header("content-type", "application/json");
    request.body(Value::Object(body).to_string())
}

/// An answer that is not all, or not exact, is said to be so, every time.
fn warn(out: &mut impl Write, answer: &Answer) {
    let inexact = answer.table.as_ref().and_then(|table| table.inexact_because.as_ref());
    for (what, because) in [("incomplete", answer.incomplete_because.as_ref()), ("inexact", inexact)] {
        if let Some(because) = because {
            // The answer itself does not depend on whether anybody reads this.
            writeln!(out, "locard: {what}: {}", neutralise(because)).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: Value, expected: &str) {
        let answer: Answer = serde_json::from_str(&answer.to_string()).unwrap();
        let mut out = Vec::new();
        warn(&mut out, &answer);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_is_sorted_and_not_counted_comes_at_once() {
        for (query, expected) in [
            ("a | sort b", true),
            ("a | fields b | sort -b | fields c", true),
            ("a | sort b | limit 5", true),
            ("a", false),
            ("a | limit 5", false),
            ("a | stats count() by b | sort count", false),
            ("a | sort b | stats count()", false),
            ("a | sort b | patterns", false),
            ("a | a pipe of tomorrow", false),
        ] {
            assert_eq!(is_sorted(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_not_all_or_not_exact_is_said_to_be_so() {
        let table = json!({"columns": ["n"], "rows": [[7]], "inexact_because": "dc(\u{1b}) is an estimate"});
        check(json!({"events": [], "table": null, "incomplete_because": null}), "");
        check(json!({"events": [], "incomplete_because": "too late"}), "locard: incomplete: too late\n");
        check(json!({"events": [], "table": table}), "locard: inexact: dc(␛) is an estimate\n");
        check(
            json!({"table": table, "incomplete_because": "x"}),
            "locard: incomplete: x\nlocard: inexact: dc(␛) is an estimate\n",
        );
    }
}
