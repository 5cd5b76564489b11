//! NDJSON: one event a line, page after page for as long as the client reads.
//!
//! The head of the answer says how many events match and whether the first page is complete. A later page that is not
//! breaks the transfer off, so that a client never takes a part for the whole.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use locard_indexer::{Principal, Problem};

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::header_text;
use super::problem::problem;
use crate::json::EventJson;
use crate::pipe::{Outcome, Table, member_names};
use crate::search::{Answer, Ask, DEFAULT_LIMIT, Lines, Matched, Searcher, is_paged, pieces};

const NDJSON: &str = "application/x-ndjson";
/// Events held at a time while a stream is made by pipes.
const PAGE_EVENTS: usize = 1_000;
/// Events held at a time, and their bytes, while they are written out as they are: two chunks of a split. Fewer would read the
/// blocks of a chunk more often, more would hold more for a client that does not read.
const PAGE_LINES: usize = 8_192;
const PAGE_BYTES: usize = 8 << 20;

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
    let pages = Pages::of(&ask.q, searcher.limits.max_limit);
    let mut rest = Rest { left: ask.limit.unwrap_or(DEFAULT_LIMIT), pages, searcher, principal, ask };
    let mut first = rest.page(true).await.map_err(|error| problem(error, &rest.ask.q))?;
    let more = rest.more(&first);
    let text = std::mem::take(&mut first.text);
    let mut response = if more { body(text, rest) } else { Body::from(text.concat()) }.into_response();
    head(response.headers_mut(), &first);
    if let Some(cursor) = first.cursor.filter(|_| !more) {
        response.headers_mut().insert(CURSOR, header_text(&cursor));
    }
    Ok(response)
}

/// How the answer is made.
#[derive(Clone, Copy, Debug)]
enum Pages {
    /// Of events as they are: written out where they are found, so many at a time.
    Lines(usize),
    /// By pipes, so many events at a time. What has no pages, as what is sorted, must come at once.
    Answers(usize),
}

impl Pages {
    fn of(q: &str, max_limit: usize) -> Self {
        match crate::pipe::parse(q) {
            Ok(query) if query.pipes.is_empty() => Self::Lines(PAGE_LINES.min(max_limit)),
            Ok(query) if !is_paged(&query.pipes) => Self::Answers(max_limit),
            _ => Self::Answers(PAGE_EVENTS.min(max_limit)),
        }
    }

    fn events(self) -> usize {
        match self {
            Self::Lines(events) | Self::Answers(events) => events,
        }
    }
}

/// A page, as it is sent.
struct Page {
    text: Vec<Bytes>,
    events: usize,
    cursor: Option<String>,
    matched: Matched,
    incomplete_because: Option<String>,
    inexact_because: Option<String>,
}

impl From<Answer> for Page {
    fn from(answer: Answer) -> Self {
        let (text, events) = (vec![lines(&answer)], count(&answer));
        let Answer { outcome, matched, incomplete_because, cursor, .. } = answer;
        let inexact_because = match outcome {
            Outcome::Table(Table { inexact_because, .. }) => inexact_because,
            Outcome::Events { .. } => None,
        };
        Self { text, events, cursor, matched, incomplete_because, inexact_because }
    }
}

impl From<Lines> for Page {
    fn from(Lines { lines, matched, incomplete_because, cursor }: Lines) -> Self {
        let (text, events) = (pieces(&lines), lines.len());
        Self { text, events, cursor, matched, incomplete_because, inexact_because: None }
    }
}

/// What is still to be streamed.
struct Rest {
    searcher: Searcher,
    principal: Principal,
    ask: Ask,
    left: usize,
    pages: Pages,
}

impl Rest {
    async fn page(&mut self, is_first: bool) -> Result<Page, crate::search::Error> {
        let Self { searcher, principal, ask, .. } = self;
        ask.limit = Some(self.left.min(self.pages.events()));
        Ok(match (self.pages, is_first) {
            (Pages::Lines(_), _) => searcher.lines(principal, ask, is_first, PAGE_BYTES).await?.into(),
            (Pages::Answers(_), true) => searcher.search(principal, ask).await?.into(),
            (Pages::Answers(_), false) => searcher.next(principal, ask).await?.into(),
        })
    }

    async fn next(&mut self) -> io::Result<Page> {
        let page = self.page(false).await.map_err(io::Error::other)?;
        match &page.incomplete_because {
            Some(because) => Err(io::Error::other(because.clone())),
            None => Ok(page),
        }
    }

    /// Notes that a page was taken; whether another is to follow.
    fn more(&mut self, page: &Page) -> bool {
        self.left = self.left.saturating_sub(page.events);
        self.ask.cursor.clone_from(&page.cursor);
        self.left > 0 && page.cursor.is_some()
    }
}

fn body(first: Vec<Bytes>, rest: Rest) -> Body {
    let pages = futures_util::stream::unfold(Some(rest), |rest| async {
        let mut rest = rest?;
        match rest.next().await {
            Ok(page) => {
                let more = rest.more(&page);
                Some((page.text.into_iter().map(Ok).collect(), more.then_some(rest)))
            }
            Err(error) => {
                tracing::warn!(%error, "search.next broke off a stream");
                Some((vec![Err(error)], None))
            }
        }
    });
    let first = futures_util::stream::once(async { first.into_iter().map(io::Result::Ok).collect() });
    Body::from_stream(first.chain(pages).flat_map(|pieces: Vec<_>| futures_util::stream::iter(pieces)))
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

fn head(headers: &mut HeaderMap, first: &Page) {
    let truth = |truth: bool| HeaderValue::from_static(if truth { "true" } else { "false" });
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    headers.insert(MATCHED, HeaderValue::from(first.matched.value));
    headers.insert(EXACT, truth(first.matched.exact));
    headers.insert(COMPLETE, truth(first.incomplete_because.is_none()));
    if let Some(because) = &first.incomplete_because {
        headers.insert(BECAUSE, header_text(because));
    }
    if let Some(because) = &first.inexact_because {
        headers.insert(INEXACT, header_text(because));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::search::Scanned;

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
                warnings: Vec::new(),
            };
            let mut headers = HeaderMap::new();
            head(&mut headers, &answer.into());
            headers.get("Locard-Inexact-Because").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            head_of(Some("dc(user.name) is estimated")).as_deref(),
            Some("dc(user.name) is estimated")
        );
        assert_eq!(head_of(None), None);
    }
}
