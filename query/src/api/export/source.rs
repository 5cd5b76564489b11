//! [`Source`]: what an export is made of, a page at a time, all of them of one moment.

use std::time::Duration;

use locard_indexer::Principal;

use super::request::Request;
use super::unbounded;
use crate::export::{Batch, Format};
use crate::pipe::{Outcome, Query};
use crate::search::{Answer, Ask, Error, Lines, Place, Searcher, is_paged};

/// More events than there can be.
pub(super) const MOST: usize = 1 << 40;
/// How long one page may take: a rare word is looked for in all there is before the page is full.
pub(super) const PAGE_TIME: Duration = Duration::from_secs(3_600);
/// Events of a page that are put together …
const PAGE_EVENTS: usize = 4_096;
/// … or only written out, and their bytes: two chunks of a split.
const PAGE_LINES: usize = 8_192;
const PAGE_BYTES: usize = 8 << 20;

/// How pages are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Written out where events are found.
    Lines,
    /// Of events, or by pipes that take one page after the other.
    Events,
    /// By pipes that make one answer.
    Once,
}

/// What an export is made of.
#[derive(Clone, Debug)]
pub(super) struct Source {
    searcher: Searcher,
    principal: Principal,
    ask: Ask,
    way: Way,
    place: Place,
    left: usize,
    over: bool,
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) batch: Batch,
    pub(super) incomplete_because: Option<String>,
    pub(super) inexact_because: Option<String>,
    cursor: Option<String>,
}

impl Source {
    pub(super) fn new(searcher: &Searcher, principal: &Principal, request: &Request, place: Place) -> Self {
        let whole = matches!(request.format, Format::Ndjson | Format::Json) && request.fields.is_empty();
        let way = match crate::pipe::parse(&request.ask.q) {
            Ok(Query { pipes, .. }) if pipes.is_empty() && whole => Way::Lines,
            Ok(Query { pipes, .. }) if is_paged(&pipes) => Way::Events,
            _ => Way::Once,
        };
        let ask = Ask { order: Some(place.order), moment: Some(place.moment), ..request.ask.clone() };
        Self {
            searcher: unbounded(searcher),
            principal: principal.clone(),
            left: ask.limit.unwrap_or(MOST).min(MOST),
            ask,
            way,
            place,
            over: false,
        }
    }

    /// The same, as events to be looked at.
    pub(super) fn of_events(self) -> Self {
        let way = if self.way == Way::Lines { Way::Events } else { self.way };
        Self { way, ..self }
    }

    /// Whether there is another page.
    pub(super) fn more(&self) -> bool {
        !self.over
    }

    /// Where what follows begins, if anything is left.
    pub(super) fn rest(&self) -> Option<String> {
        (self.way != Way::Once && self.place.after.is_some() && !self.ended()).then(|| self.place.to_string())
    }

    /// Where the next page begins.
    pub(super) fn here(&self) -> String {
        self.place.to_string()
    }

    fn ended(&self) -> bool {
        self.over && self.ask.cursor.is_none()
    }

    /// The next page. The first one is refused where too many searches run; later ones wait for their turn.
    pub(super) async fn next(&mut self, is_first: bool) -> Result<Page, Error> {
        let most = match self.way {
            Way::Lines => PAGE_LINES,
            Way::Events => PAGE_EVENTS,
            Way::Once => MOST,
        };
        self.ask.limit = Some(self.left.min(most));
        self.ask.cursor = self.place.cursor();
        let Self { searcher, principal, ask, .. } = self;
        let page: Page = match (self.way, is_first) {
            (Way::Lines, _) => searcher.lines(principal, ask, is_first, PAGE_BYTES).await?.into(),
            (_, true) => searcher.search(principal, ask).await?.into(),
            (_, false) => searcher.next(principal, ask).await?.into(),
        };
        self.skip_to(&page);
        Ok(page)
    }

    /// Notes that a page was taken.
    pub(super) fn skip_to(&mut self, page: &Page) {
        self.left = self.left.saturating_sub(page.batch.len());
        if let Some(cursor) = &page.cursor {
            self.place = self.place.at(cursor);
        }
        self.ask.cursor.clone_from(&page.cursor);
        self.over = self.left == 0 || page.cursor.is_none() || self.way == Way::Once;
    }
}

impl From<Lines> for Page {
    fn from(Lines { lines, incomplete_because, cursor, .. }: Lines) -> Self {
        Self { batch: Batch::Lines(lines), incomplete_because, inexact_because: None, cursor }
    }
}

impl From<Answer> for Page {
    fn from(Answer { outcome, incomplete_because, cursor, .. }: Answer) -> Self {
        let (batch, inexact_because) = match outcome {
            Outcome::Events { events, shown, .. } => (Batch::Events(events, shown), None),
            Outcome::Table(mut table) => {
                let inexact_because = table.inexact_because.take();
                (Batch::Rows(table), inexact_because)
            }
        };
        Self { batch, incomplete_because, inexact_because, cursor }
    }
}
