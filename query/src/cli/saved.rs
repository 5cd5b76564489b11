//! `locard saved`: searches that people keep under a name and share.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::args::{DeleteArgs, ListArgs, PutSavedArgs, SavedCommand, ShowSavedArgs};
use super::client::{Client, segment};
use super::output::{Printer, Rows};
use super::{Error, Outcome};

#[derive(Deserialize)]
struct Searches {
    searches: Vec<Map<String, Value>>,
}

pub(super) async fn run(command: &SavedCommand) -> Result<Outcome, Error> {
    match command {
        SavedCommand::List(args) => list(args).await,
        SavedCommand::Show(args) => show(args).await,
        SavedCommand::Put(args) => put(args).await,
        SavedCommand::Delete(args) => delete(args, "/api/searches").await,
    }
}

async fn list(args: &ListArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let Searches { searches } = client.json(client.request(Method::GET, "/api/searches")).await?;
    print(args, &["name", "q", "start", "end", "order", "changed_by", "changed_at"], &searches)
}

/// Prints a row for each, with the columns that are asked for or those of these that any has.
pub(super) fn print(args: &ListArgs, names: &[&str], kept: &[Map<String, Value>]) -> Result<Outcome, Error> {
    let mut printer = Printer::new(&args.output);
    printer.rows(&rows(&args.output.fields, names, kept))?;
    printer.finish()?;
    Ok(if kept.is_empty() { Outcome::Nothing } else { Outcome::Found })
}

fn rows(chosen: &[String], names: &[&str], kept: &[Map<String, Value>]) -> Rows {
    let has = |name: &str| kept.iter().any(|one| one.get(name).is_some_and(|value| !value.is_null()));
    let columns: Vec<String> = match chosen {
        [] => names.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect(),
        chosen => chosen.to_vec(),
    };
    let row = |one: &Map<String, Value>| {
        columns.iter().map(|column| one.get(column).cloned().unwrap_or_default()).collect()
    };
    Rows { rows: kept.iter().map(row).collect(), columns, inexact_because: None }
}

async fn show(args: &ShowSavedArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let path = format!("/api/searches/{}", segment(&args.name));
    let kept: Map<String, Value> = client.json(client.request(Method::GET, &path)).await?;
    let text = serde_json::to_string_pretty(&kept).unwrap_or_default();
    let mut printer = Printer::new(&super::args::OutputArgs::plain());
    printer.text(&format!("{text}\n"))?;
    printer.finish()?;
    Ok(Outcome::Found)
}

async fn put(args: &PutSavedArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let q = args.query.join(" ");
    let order = args.order.map(super::args::Order::name);
    let mut body = json!({"q": q, "start": args.start, "end": args.end, "order": order});
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let path = format!("/api/searches/{}", segment(&args.name));
    let request = client.request(Method::PUT, &path).header("content-type", "application/json");
    let request = if args.new { request.header("if-none-match", "*") } else { request };
    let put = client.send(request.body(body.to_string())).await;
    put.map_err(|error| error.of_query(&q))?;
    Ok(Outcome::Found)
}

/// Deletes one of a kind; 1 if there is none.
pub(super) async fn delete(args: &DeleteArgs, kind: &str) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let path = format!("{kind}/{}", segment(&args.name));
    match client.send(client.request(Method::DELETE, &path)).await {
        Ok(_) => Ok(Outcome::Found),
        Err(Error::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => Ok(Outcome::Nothing),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_none_has_is_left_out() {
        let kept = |value: Value| value.as_object().unwrap().clone();
        let kept =
            [kept(json!({"name": "a", "q": "x", "end": null})), kept(json!({"name": "b", "start": "1h"}))];
        let shown = rows(&[], &["name", "q", "start", "end"], &kept);
        assert_eq!(shown.columns, ["name", "q", "start"]);
        assert_eq!(shown.rows[1], [json!("b"), json!(null), json!("1h")]);
        assert_eq!(rows(&["end".to_owned()], &["name"], &kept).rows, [[json!(null)], [json!(null)]]);
    }
}
