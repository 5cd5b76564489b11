//! `locard hold`: legal holds, events that retention may not touch.

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::args::{AddHoldArgs, HoldCommand, ListHoldsArgs, OutputArgs, ReleaseHoldArgs};
use super::client::{Client, segment};
use super::output::{Printer, Rows};
use super::{Error, Outcome};

#[derive(Deserialize)]
struct Holds {
    holds: Vec<Map<String, Value>>,
}

pub(super) async fn run(command: &HoldCommand) -> Result<Outcome, Error> {
    match command {
        HoldCommand::Add(args) => add(args).await,
        HoldCommand::List(args) => list(args).await,
        HoldCommand::Release(args) => release(args).await,
    }
}

async fn add(args: &AddHoldArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let mut body = json!({"name": args.name, "filter": args.filter.join(" "), "reason": args.reason});
    for (name, value) in [("start", &args.start), ("end", &args.end)] {
        if let (Some(value), Some(members)) = (value, body.as_object_mut()) {
            members.insert(name.to_owned(), json!(value));
        }
    }
    let hold = client.json(post(&client, "/api/holds", &body)).await?;
    print(&args.output, &[hold])
}

async fn list(args: &ListHoldsArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let Holds { mut holds } = client.json(client.request(Method::GET, "/api/holds")).await?;
    if !args.all {
        holds.retain(|hold| hold.get("in_force") == Some(&Value::Bool(true)));
    }
    print(&args.output, &holds)
}

async fn release(args: &ReleaseHoldArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let name = segment(&args.name);
    let body = json!({"reason": args.reason});
    let hold = client.json(post(&client, &format!("/api/holds/{name}/release"), &body)).await?;
    print(&args.output, &[hold])
}

fn post(client: &Client, path: &str, body: &Value) -> RequestBuilder {
    client.request(Method::POST, path).header("content-type", "application/json").body(body.to_string())
}

/// A row for each hold, with the columns that are asked for or those that all have.
fn print(args: &OutputArgs, holds: &[Map<String, Value>]) -> Result<Outcome, Error> {
    let mut printer = Printer::new(args);
    printer.rows(&rows(&args.fields, holds))?;
    printer.finish()?;
    Ok(if holds.is_empty() { Outcome::Nothing } else { Outcome::Found })
}

/// In the order in which people read them.
const COLUMNS: [&str; 11] = [
    "name",
    "covers",
    "filter",
    "start",
    "end",
    "reason",
    "created_by",
    "created_at",
    "released_by",
    "released_at",
    "release_reason",
];

fn rows(columns: &[String], holds: &[Map<String, Value>]) -> Rows {
    let has = |column: &str| holds.iter().any(|hold| hold.get(column).is_some_and(|value| !value.is_null()));
    let columns: Vec<String> = match columns {
        [] => COLUMNS.iter().filter(|column| has(column)).map(|column| (*column).to_owned()).collect(),
        chosen => chosen.to_vec(),
    };
    let row = |hold: &Map<String, Value>| columns.iter().map(|column| cell(hold, column)).collect();
    let inexact = holds.iter().filter_map(|hold| hold.get("covers")?.get("incomplete_because")?.as_str());
    let inexact_because = inexact.map(str::to_owned).next();
    Rows { rows: holds.iter().map(row).collect(), columns, inexact_because }
}

/// A count that is not exact is said to be more.
fn cell(hold: &Map<String, Value>, column: &str) -> Value {
    match hold.get(column) {
        Some(Value::Object(covers)) => match (covers.get("value"), covers.get("exact")) {
            (Some(value), Some(Value::Bool(true))) => value.clone(),
            (Some(value), _) => json!(format!(">={value}")),
            _ => Value::Null,
        },
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_no_hold_has_is_left_out_and_a_count_says_whether_it_is_exact() {
        let hold = |name: &str, exact: bool| {
            let hold =
                json!({"name": name, "start": null, "covers": {"value": 7, "exact": exact}, "reason": "r"});
            hold.as_object().unwrap().clone()
        };
        let shown = rows(&[], &[hold("a", true), hold("b", false)]);
        assert_eq!(shown.columns, ["name", "covers", "reason"]);
        assert_eq!(shown.rows, [[json!("a"), json!(7), json!("r")], [json!("b"), json!(">=7"), json!("r")]]);
        assert_eq!(rows(&["end".to_owned()], &[hold("a", true)]).rows, [[Value::Null]]);
    }
}
