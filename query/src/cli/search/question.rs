//! [`Question`]: what is asked, wherever it came from: arguments, a file, standard input, or a search that was kept.

use std::io::Read as _;
use std::path::Path;

use reqwest::Method;
use serde::Deserialize;

use super::super::Error;
use super::super::args::{Order, SearchArgs};
use super::super::client::{Client, segment};
use super::super::output::Zone;

/// Events printed unless asked otherwise.
const DEFAULT_LIMIT: u64 = 100;
/// Largest query that a server reads; what is longer is no query.
const MAX_BYTES: u64 = 1 << 20;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The query.
    pub(super) q: String,
    /// From, inclusive.
    pub(super) start: Option<String>,
    /// To, exclusive.
    pub(super) end: Option<String>,
    /// In which order.
    pub(super) order: Order,
    /// Most events; nothing: all.
    pub(super) limit: Option<u64>,
    /// Most rows of pipes; nothing: all.
    pub(super) row_limit: Option<u64>,
}

/// What of a search that was kept says how it is run.
#[derive(Deserialize)]
struct Saved {
    q: String,
    start: Option<String>,
    end: Option<String>,
    order: Option<String>,
}

impl Question {
    /// Reads files and asks for searches that were kept.
    pub(super) async fn of(client: &Client, args: &SearchArgs) -> Result<Self, Error> {
        let saved = match &args.saved {
            Some(name) => saved(client, name).await?,
            None => Saved { q: typed(args)?, start: None, end: None, order: None },
        };
        let zone = Zone::new(args.output.tz.clone());
        let instant = |text: &String| zone.instant(text);
        // Who names a time means these times, not one of them and one of the other search.
        let kept =
            if args.start.is_none() && args.end.is_none() { (saved.start, saved.end) } else { (None, None) };
        let kept_order = saved.order.filter(|order| order == Order::Asc.name()).map(|_| Order::Asc);
        let order = args.order.or(args.oldest_first.then_some(Order::Asc)).or(kept_order);
        let limit = if args.all { Some(0) } else { args.limit };
        Ok(Self {
            q: saved.q,
            start: args.start.as_ref().map(instant).or(kept.0),
            end: args.end.as_ref().map(instant).or(kept.1),
            order: order.unwrap_or(Order::Desc),
            limit: Some(limit.unwrap_or(DEFAULT_LIMIT)).filter(|limit| *limit > 0),
            row_limit: limit.filter(|limit| *limit > 0),
        })
    }
}

fn typed(args: &SearchArgs) -> Result<String, Error> {
    match (&args.query_file, args.query.as_slice()) {
        (Some(path), _) => read(path),
        (None, [dash]) if dash == "-" => read(Path::new("-")),
        (None, words) => Ok(words.join(" ")),
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Usage(format!("there is no query in {}; write * for everything", path.display())));
    }
    Ok(text.to_owned())
}

async fn saved(client: &Client, name: &str) -> Result<Saved, Error> {
    client.json(client.request(Method::GET, &format!("/api/searches/{}", segment(name)))).await
}
