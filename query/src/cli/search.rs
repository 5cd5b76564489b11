//! `locard search`: asks page by page until there is enough.

use std::io::{self, Write};

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::args::{Order, SearchArgs};
use super::client::Client;
use super::output::{Printer, Rows, neutralise};
use super::{Error, Outcome};

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
    let mut left = if args.all { u64::MAX } else { args.limit };
    let (mut cursor, mut found) = (None, false);
    loop {
        let answer = ask(&client, args, &query, left.min(PAGE), cursor.take()).await?;
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

async fn ask(
    client: &Client,
    args: &SearchArgs,
    query: &str,
    limit: u64,
    cursor: Option<String>,
) -> Result<Answer, Error> {
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
    match client.json(request.body(Value::Object(body).to_string())).await {
        Err(Error::Refused(refusal)) => Err(Error::Refused(Box::new(refusal.of(query)))),
        other => other,
    }
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
