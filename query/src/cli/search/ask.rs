//! [`Pages`]: one question, asked of the server until there is enough.

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::Error;
use super::super::client::Client;
use super::super::output::Rows;
use super::question::Question;
use crate::pipe::Pipe;

/// Events asked for at once.
pub(super) const PAGE: u64 = 1000;

/// What the server answers to a page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) events: Vec<Box<RawValue>>,
    pub(super) table: Option<Rows>,
    pub(super) cursor: Option<String>,
    pub(super) incomplete_because: Option<String>,
    pub(super) matched: Option<Matched>,
    pub(super) took_ms: u64,
    pub(super) scanned: Scanned,
    pub(super) warnings: Vec<Warning>,
}

/// How many events the filter matched.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Matched {
    pub(super) value: u64,
    pub(super) exact: bool,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Scanned {
    pub(super) splits: u64,
    pub(super) events: u64,
    pub(super) bytes: u64,
}

/// What the query is likely to be wrong about.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Warning {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) fix: Option<String>,
}

impl Answer {
    pub(super) fn found(&self) -> bool {
        !self.events.is_empty() || self.table.as_ref().is_some_and(|rows| !rows.rows.is_empty())
    }
}

/// The pages of an answer, one after the other.
pub(super) struct Pages<'a> {
    client: &'a Client,
    question: &'a Question,
    left: u64,
    cursor: Option<String>,
    done: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn of(client: &'a Client, question: &'a Question) -> Self {
        Self { client, question, left: question.limit.unwrap_or(u64::MAX), cursor: None, done: false }
    }

    /// The next page; nothing after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Answer>, Error> {
        if self.done {
            return Ok(None);
        }
        let mut answer = match is_sorted(&self.question.q) {
            true => at_once(self.client, self.question, self.left).await?,
            false => page(self.client, self.question, self.left.min(PAGE), self.cursor.take()).await?,
        };
        if let (Some(rows), Some(limit)) = (&mut answer.table, self.question.row_limit) {
            rows.rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        self.left = self.left.saturating_sub(answer.events.len() as u64);
        self.cursor = answer.cursor.take().filter(|_| self.left > 0 && !answer.events.is_empty());
        self.done = self.cursor.is_none();
        Ok(Some(answer))
    }
}

/// The first page, of at most `limit` events.
pub(super) async fn once(client: &Client, question: &Question, limit: u64) -> Result<Answer, Error> {
    page(client, question, limit, None).await
}

/// How the server understands a question.
pub(super) async fn explained(client: &Client, question: &Question) -> Result<Value, Error> {
    #[derive(Deserialize)]
    struct Explained {
        explain: Value,
    }
    let mut asked = asked(question, 1, None);
    asked.insert("explain".into(), true.into());
    let answer: Result<Explained, Error> = client.json(post(client, asked)).await;
    Ok(answer.map_err(|error| error.of_query(&question.q))?.explain)
}

/// Whether the answer is events in an order that has no pages. What this version does not know is left to the server.
fn is_sorted(query: &str) -> bool {
    let makes_rows =
        |pipe: &Pipe| matches!(pipe, Pipe::Stats(_) | Pipe::Top(_) | Pipe::Timechart(_) | Pipe::Patterns(_));
    crate::pipe::parse(query).is_ok_and(|query| {
        query.pipes.iter().any(|pipe| matches!(pipe, Pipe::Sort(_))) && !query.pipes.iter().any(makes_rows)
    })
}

async fn page(
    client: &Client,
    question: &Question,
    limit: u64,
    cursor: Option<String>,
) -> Result<Answer, Error> {
    let answer = client.json(request(client, question, limit, cursor)).await;
    answer.map_err(|error| error.of_query(&question.q))
}

/// A line each, of which there may be more than on the largest page.
async fn at_once(client: &Client, question: &Question, limit: u64) -> Result<Answer, Error> {
    let request = request(client, question, limit, None).header("accept", "application/x-ndjson");
    let response = client.send(request).await.map_err(|error| error.of_query(&question.q))?;
    let because = response.headers().get("locard-incomplete-because");
    let because = because.map(|because| String::from_utf8_lossy(because.as_bytes()).into_owned());
    let body = response.bytes().await.map_err(|source| client.unreachable(source))?;
    let lines = serde_json::Deserializer::from_slice(&body).into_iter();
    let events = lines.collect::<Result<_, _>>().map_err(|error| client.unreadable(&error))?;
    Ok(Answer { events, incomplete_because: because, ..Answer::default() })
}

fn request(client: &Client, question: &Question, limit: u64, cursor: Option<String>) -> RequestBuilder {
    post(client, asked(question, limit, cursor))
}

/// What is asked, as parameters of the API.
fn asked(question: &Question, limit: u64, cursor: Option<String>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("q".into(), json!(question.q));
    body.insert("limit".into(), json!(limit));
    body.insert("order".into(), json!(question.order.name()));
    for (name, value) in [("start", &question.start), ("end", &question.end), ("cursor", &cursor)] {
        if let Some(value) = value {
            body.insert(name.into(), json!(value));
        }
    }
    body
}

fn post(client: &Client, body: Map<String, Value>) -> RequestBuilder {
    let request = client.request(Method::POST, "/api/search").header("content-type", "application/json");
    request.body(Value::Object(body).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
