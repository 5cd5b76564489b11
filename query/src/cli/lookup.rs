//! `locard lookup`: the CSV tables that the pipe `lookup` looks into.

use std::io::Read as _;
use std::path::Path;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::args::{GetLookupArgs, ListArgs, LookupCommand, OutputArgs, PutLookupArgs};
use super::client::{Client, segment};
use super::output::Printer;
use super::{Error, Outcome, saved};

#[derive(Deserialize)]
struct Lookups {
    lookups: Vec<Map<String, Value>>,
}

pub(super) async fn run(command: &LookupCommand) -> Result<Outcome, Error> {
    match command {
        LookupCommand::List(args) => list(args).await,
        LookupCommand::Get(args) => get(args).await,
        LookupCommand::Put(args) => put(args).await,
        LookupCommand::Delete(args) => saved::delete(args, "/api/lookups").await,
    }
}

async fn list(args: &ListArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let Lookups { lookups } = client.json(client.request(Method::GET, "/api/lookups")).await?;
    saved::print(args, &["name", "version", "changed_by", "changed_at"], &lookups)
}

async fn get(args: &GetLookupArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let response = client.send(client.request(Method::GET, &path(&args.name))).await?;
    let text = response.text().await.map_err(|source| client.unreachable(source))?;
    let mut printer = Printer::new(&OutputArgs::plain());
    printer.text(&text)?;
    printer.finish()?;
    Ok(Outcome::Found)
}

async fn put(args: &PutLookupArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let request = client.request(Method::PUT, &path(&args.name)).header("content-type", "text/csv");
    client.send(request.body(read(&args.file)?)).await?;
    Ok(Outcome::Found)
}

fn path(name: &str) -> String {
    format!("/api/lookups/{}", segment(name))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if path != Path::new("-") {
        return std::fs::read(path).map_err(failed);
    }
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}
