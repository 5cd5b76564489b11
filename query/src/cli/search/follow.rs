//! `--follow`: what is there, then what comes, each event once.
//!
//! The tail is opened first, so that nothing falls between the two; what comes while the events before it are read is held and told apart by
//! its id.

use std::collections::VecDeque;

use locard_event::EventId;
use reqwest::Response;
use serde_json::value::RawValue;

use super::super::args::{Order, SearchArgs};
use super::super::client::Client;
use super::super::output::{Marks, Printer};
use super::super::tail::{Frame, Frames, Tail};
use super::super::{Error, Outcome};
use super::ask::{Answer, Pages};
use super::question::Question;
use super::say::Told;

/// Most that is held of what comes while the past is read. Beyond it the tail is left and taken up again where it was.
const MAX_HELD: usize = 10_000;

pub(super) async fn run(client: &Client, args: &SearchArgs, question: &Question) -> Result<Outcome, Error> {
    if crate::pipe::parse(&question.q).is_ok_and(|query| !query.pipes.is_empty()) {
        return Err(Error::Usage("what comes can be filtered, not piped: --follow takes no `|`".to_owned()));
    }
    let mut tail = Tail::new(Printer::marking(&args.output, Marks::of(&question.q)));
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    let ended = tokio::select! {
        ended = follow(client, question, &mut tail) => ended,
        _ = &mut stopped => Ok(()),
    };
    let outcome = tail.finish()?;
    ended.map(|()| outcome)
}

async fn follow(client: &Client, question: &Question, tail: &mut Tail) -> Result<(), Error> {
    let response = tail.open(client, &question.q).await?;
    let mut held =
        Held { response: Some(response), frames: Frames::default(), waiting: VecDeque::new(), place: None };
    past(client, question, tail, &mut held).await?;
    for frame in held.waiting {
        tail.show(frame)?;
    }
    tail.flush()?;
    if let Some(response) = held.response {
        tail.read(response, held.frames).await?;
    }
    tail.follow(client, &question.q, true).await
}

/// Prints what is there, oldest first: everything as it comes, or the newest so many once they are known.
async fn past(client: &Client, question: &Question, tail: &mut Tail, held: &mut Held) -> Result<(), Error> {
    let order = if question.limit.is_some() { Order::Desc } else { Order::Asc };
    let question = Question { order, ..question.clone() };
    let mut pages = Pages::of(client, &question);
    let (mut told, mut newest) = (Told::default(), Vec::new());
    loop {
        let page = held.reading(pages.next()).await?;
        let Some(Answer { events, .. }) = page.inspect(|page| told.page(&mut std::io::stderr().lock(), page))
        else {
            break;
        };
        match question.limit {
            Some(_) => newest.extend(events),
            None => print(tail, &events, held.place)?,
        }
    }
    newest.reverse();
    print(tail, &newest, held.place)
}

fn print(tail: &mut Tail, events: &[Box<RawValue>], place: Option<EventId>) -> Result<(), Error> {
    // What was accepted before the tail began does not come again.
    tail.past(events, |id| place.is_none_or(|place| id.parse::<EventId>().is_ok_and(|id| id > place)))
}

/// What came while the past was read.
struct Held {
    /// Nothing once it had to be left.
    response: Option<Response>,
    frames: Frames,
    waiting: VecDeque<Frame>,
    /// The last event before the tail began.
    place: Option<EventId>,
}

impl Held {
    /// Waits for a page of the past, and takes what comes meanwhile.
    async fn reading<T>(&mut self, page: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::pin!(page);
        loop {
            let Some(response) = &mut self.response else { return page.await };
            let chunk = tokio::select! {
                page = &mut page => return page,
                chunk = response.chunk() => chunk,
            };
            match chunk {
                Ok(Some(chunk)) => self.take(&chunk),
                _ => self.response = None,
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        for frame in self.frames.push(chunk) {
            self.place = self.place.or_else(|| frame.place());
            self.waiting.push_back(frame);
        }
        if self.waiting.len() > MAX_HELD {
            self.response = None;
        }
    }
}
