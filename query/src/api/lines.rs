//! NDJSON: one event a line, page after page for as long as the client reads.
//!
//! The head of the answer says how many events match and whether the first page is complete. A later page that is not
//! breaks the transfer off, so that a client never takes a part for the whole.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use locard_indexer::{Principal, Problem};

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::json::EventJson;
use super::problem::problem;
use crate::pipe::{Outcome, Table, member_names};
use crate::search::{Answer, Ask, DEFAULT_LIMIT, Searcher, is_paged};

const NDJSON: &str = "application/x-ndjson";
/// Events held at a time while a stream is written.
const PAGE_EVENTS: usize = 1_000;

const MATCHED: HeaderName = HeaderName::from_static("locard-matched");
const EXACT: HeaderName = HeaderName::from_static("locard-matched-exact");
const COMPLETE: HeaderName = HeaderName::from_static("locard-complete");
const BECAUSE: HeaderName = HeaderName::from_static("locard-incomplete-because");
const INEXACT: HeaderName = HeaderName::from_static("locard-inexact-because");
const CURSOR: HeaderName = HeaderName::from_static("locard-cursor");

/// Whether the client asks for a line each.
pub(super) fn wanted(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(NDJSON)
    })
}

/// Streams up to `limit` events. The largest `limit` does not apply where there are pages: only one is held at a time.
pub(super) async fn stream(searcher: Searcher, principal: Principal, ask: Ask) -> Result<Response, Problem> {
    let page_events = page_events(&ask.q, searcher.limits.max_limit);
    let mut rest = Rest { left: ask.limit.unwrap_or(DEFAULT_LIMIT), page_events, searcher, principal, ask };
    let first = rest.first().await.map_err(|error| problem(error, &rest.ask.q))?;
    let more = rest.more(&first);
    let text = lines(&first);
    let mut response = if more { body(text, rest) } else { Body::from(text) }.into_response();
    head(response.headers_mut(), &first);
    if let Some(cursor) = first.cursor.filter(|_| !more) {
        insert_text(response.headers_mut(), CURSOR, &cursor);
    }
    Ok(response)
}

/// How many events to ask for at a time. What has no pages, as what is sorted, must come at once.
fn page_events(q: &str, max_limit: usize) -> usize {
    match crate::pipe::parse(q) {
        Ok(query) if !is_paged(&query.pipes) => max_limit,
        _ => PAGE_EVENTS.min(max_limit),
    }
}

/// What is still to be streamed.
struct Rest {
    searcher: Searcher,
    principal: Principal,
    ask: Ask,
    left: usize,
    page_events: usize,
}

impl Rest {
    async fn first(&mut self) -> Result<Answer, crate::search::Error> {
        self.ask.limit = Some(self.left.min(self.page_events));
        self.searcher.search(&self.principal, &self.ask).await
    }

    async fn next(&mut self) -> io::Result<Answer> {
        self.ask.limit = Some(self.left.min(self.page_events));
        let answer = self.searcher.next(&self.principal, &self.ask).await.map_err(io::Error::other)?;
        match &answer.incomplete_because {
            Some(because) => Err(io::Error::other(because.clone())),
            None => Ok(answer),
        }
    }

    /// Notes that a page was taken; whether another is to follow.
    fn more(&mut self, page: &Answer) -> bool {
        self.left = self.left.saturating_sub(count(page));
        self.ask.cursor.clone_from(&page.cursor);
        self.left > 0 && page.cursor.is_some()
    }
}

fn body(first: Bytes, rest: Rest) -> Body {
    let pages = futures_util::stream::unfold(Some(rest), |rest| async {
        let mut rest = rest?;
        match rest.next().await {
            Ok(page) => {
                let more = rest.more(&page);
                Some((Ok(lines(&page)), more.then_some(rest)))
            }
            Err(error) => {
                tracing::warn!(%error, "search.next broke off a stream");
                Some((Err(error), None))
            }
        }
    });
    let first = futures_util::stream::once(async { io::Result::Ok(first) });
    Body::from_stream(futures_util::StreamExt::chain(first, pages))
}

fn count(page: &Answer) -> usize {
    match &page.outcome {
        Outcome::Events { events, .. } => events.len(),
        Outcome::Table(_) => 0,
    }
}

fn lines(page: &Answer) -> Bytes {
    let mut text = String::new();
    let mut add = |line: serde_json::Result<String>| {
        text.push_str(&line.unwrap_or_default());
        text.push('\n');
    };
    match &page.outcome {
        Outcome::Events { events, shown, .. } => {
            events.iter().for_each(|event| add(serde_json::to_string(&EventJson(event, shown))));
        }
        Outcome::Table(table) => {
            let names = member_names(&table.columns);
            table.rows.iter().for_each(|row| add(serde_json::to_string(&Row(&names, row))))
        }
    }
    text.into()
}

/// A row as an object.
struct Row<'a>(&'a [String], &'a [Value]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(names, row) = self;
        serializer.collect_map(names.iter().zip(*row))
    }
}

fn head(headers: &mut HeaderMap, first: &Answer) {
    let truth = |truth: bool| HeaderValue::from_static(if truth { "true" } else { "false" });
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    headers.insert(MATCHED, HeaderValue::from(first.matched.value));
    headers.insert(EXACT, truth(first.matched.exact));
    headers.insert(COMPLETE, truth(first.incomplete_because.is_none()));
    if let Some(because) = &first.incomplete_because {
        insert_text(headers, BECAUSE, because);
    }
    if let Outcome::Table(Table { inexact_because: Some(because), .. }) = &first.outcome {
        insert_text(headers, INEXACT, because);
    }
}

/// Text that a header cannot hold is shown as one can.
fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    let ascii: String =
        text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    if let Ok(value) = HeaderValue::from_str(&ascii) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::search::{Matched, Scanned};

    #[test]
    fn the_head_says_why_a_number_is_an_estimate() {
        let head_of = |inexact_because: Option<&str>| {
            let table = Table { inexact_because: inexact_because.map(str::to_owned), ..Table::default() };
            let answer = Answer {
                outcome: Outcome::Table(table),
                matched: Matched { value: 0, exact: true },
                incomplete_because: None,
                cursor: None,
                took: Duration::ZERO,
                scanned: Scanned::default(),
            };
            let mut headers = HeaderMap::new();
            head(&mut headers, &answer);
            headers.get("Locard-Inexact-Because").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            head_of(Some("dc(user.name) is estimated")).as_deref(),
            Some("dc(user.name) is estimated")
        );
        assert_eq!(head_of(None), None);
    }
}
