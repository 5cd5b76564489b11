//! `locard search`: asks page by page until there is enough, and prints as it goes.

mod around;
mod ask;
mod follow;
mod question;
mod say;

use std::io::{self, Write as _};

use serde_json::value::RawValue;

use super::args::{Format, OutputArgs, SearchArgs};
use super::client::Client;
use super::output::{Marks, Printer, neutralise_lines};
use super::{Error, Outcome};
use ask::{Answer, Pages};
use question::Question;
use say::Told;

pub(super) async fn run(args: &SearchArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let question = Question::of(&client, args).await?;
    if args.explain {
        return explain(&client, &question).await;
    }
    if args.follow {
        return follow::run(&client, args, &question).await;
    }
    let mut told = Told::default();
    let found = match args {
        SearchArgs { count: true, .. } => count(&client, args, &question, &mut told).await?,
        SearchArgs { quiet: true, .. } => is_there(&client, &question, &mut told).await?,
        _ => match around::Sides::of(args) {
            Some(sides) => around::print(&client, args, &question, &sides, &mut told).await?,
            None => print(&client, args, &question, &mut told).await?,
        },
    };
    if args.stats {
        told.cost(&mut io::stderr().lock());
    }
    Ok(told.outcome(found))
}

/// Prints how a query is understood. Whoever reads it wants all of it, so it is JSON on lines also in a pipe.
async fn explain(client: &Client, question: &Question) -> Result<Outcome, Error> {
    let explained = ask::explained(client, question).await?;
    let text = serde_json::to_string_pretty(&explained).map_err(|error| client.unreadable(&error))?;
    writeln!(io::stdout().lock(), "{}", neutralise_lines(&text))?;
    Ok(Outcome::Found)
}

/// Prints what is found; whether there is any.
async fn print(
    client: &Client,
    args: &SearchArgs,
    question: &Question,
    told: &mut Told,
) -> Result<bool, Error> {
    let mut printer = Printer::marking(&args.output, Marks::of(&question.q));
    let mut pages = Pages::of(client, question);
    let mut found = false;
    while let Some(answer) = pages.next().await? {
        found |= print_page(&mut printer, &answer)?;
        told.page(&mut io::stderr().lock(), &answer);
    }
    printer.finish()?;
    Ok(found)
}

/// Hands each page to the reader when it is there.
fn print_page(printer: &mut Printer, answer: &Answer) -> io::Result<bool> {
    if let Some(rows) = &answer.table {
        printer.rows(rows)?;
    }
    let events: Vec<&RawValue> = answer.events.iter().map(AsRef::as_ref).collect();
    printer.events(&events)?;
    printer.flush()?;
    Ok(answer.found())
}

/// Prints how many there are: a number, also in a pipe; an object for `-o json`.
async fn count(
    client: &Client,
    args: &SearchArgs,
    question: &Question,
    told: &mut Told,
) -> Result<bool, Error> {
    let counting = Question { q: format!("{} | stats count()", question.q), ..question.clone() };
    let answer = ask::once(client, &counting, 1).await.map_err(|error| error.of_query(&question.q))?;
    told.page(&mut io::stderr().lock(), &answer);
    let rows = answer.table.as_ref();
    let number = rows.and_then(|rows| rows.rows.first()?.first()?.as_u64()).unwrap_or_default();
    let output = OutputArgs { output: args.output.output.or(Some(Format::Raw)), ..args.output.clone() };
    let mut printer = Printer::new(&output);
    printer.number(number)?;
    printer.finish()?;
    Ok(number > 0)
}

/// Looks no further than the first.
async fn is_there(client: &Client, question: &Question, told: &mut Told) -> Result<bool, Error> {
    let answer = ask::once(client, question, 1).await?;
    told.page(&mut io::stderr().lock(), &answer);
    Ok(answer.found())
}
