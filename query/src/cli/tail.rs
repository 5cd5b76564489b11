//! `locard tail`: follows the server's event stream, and comes back where it was when the connection breaks.

use std::collections::HashSet;
use std::io::{self, Write};
use std::time::Duration;

use locard_event::EventId;
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::args::TailArgs;
use super::client::{Client, segment};
use super::output::{Marks, Printer, neutralise};
use super::{Error, Outcome};

/// Pauses between two tries to come back.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) async fn run(args: &TailArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let query = args.query.join(" ");
    let mut tail = Tail::new(Printer::marking(&args.output, Marks::of(&query)));
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    let ended = tokio::select! {
        ended = tail.follow(&client, &query, false) => ended,
        _ = &mut stopped => Ok(()),
    };
    let outcome = tail.finish()?;
    ended.map(|()| outcome)
}

/// Prints what comes.
pub(super) struct Tail {
    printer: Printer,
    last_id: Option<String>,
    found: bool,
    /// Events that were printed before the tail brought them.
    printed: HashSet<String>,
}

#[derive(Deserialize)]
struct Id {
    #[serde(rename = "_id")]
    id: String,
}

impl Tail {
    pub(super) fn new(printer: Printer) -> Self {
        Self { printer, last_id: None, found: false, printed: HashSet::new() }
    }

    /// Prints events that were there before; those that `comes_again` picks by their ids are not printed when the tail brings them.
    pub(super) fn past(
        &mut self,
        events: &[Box<RawValue>],
        comes_again: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let ids = events.iter().filter_map(|raw| serde_json::from_str::<Id>(raw.get()).ok());
        self.printed.extend(ids.map(|Id { id }| id).filter(|id| comes_again(id)));
        self.found |= !events.is_empty();
        self.printer.events(&events.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
        Ok(self.printer.flush()?)
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        Ok(self.printer.flush()?)
    }

    pub(super) fn finish(self) -> Result<Outcome, Error> {
        self.printer.finish()?;
        Ok(if self.found { Outcome::Found } else { Outcome::Nothing })
    }

    /// Ends by failing, also when the server says that it will not go on with this query or this token.
    pub(super) async fn follow(
        &mut self,
        client: &Client,
        query: &str,
        mut connected: bool,
    ) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.open(client, query).await {
                Ok(response) => {
                    (connected, pause) = (true, FIRST_PAUSE);
                    self.read(response, Frames::default()).await?;
                }
                // What was there once is waited for; what never was is a mistake in the command line.
                Err(error) if !connected || !is_passing(&error) => return Err(error),
                Err(error) => tracing::debug!(%error, "waiting for the server"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    pub(super) async fn open(&self, client: &Client, query: &str) -> Result<Response, Error> {
        let mut request = client.request(Method::GET, &format!("/api/tail?q={}", segment(query)));
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        client.send(request).await.map_err(|error| error.of_query(query))
    }

    /// Reads until the connection ends; `frames` holds what began already.
    pub(super) async fn read(&mut self, mut response: Response, mut frames: Frames) -> Result<(), Error> {
        while let Ok(Some(chunk)) = response.chunk().await {
            for frame in frames.push(&chunk) {
                self.show(frame)?;
            }
            self.printer.flush()?;
        }
        Ok(())
    }

    pub(super) fn show(&mut self, frame: Frame) -> Result<(), Error> {
        if frame.event == "lag" {
            writeln!(io::stderr().lock(), "{}", passed_over(&frame.data)).unwrap_or_default();
            return Ok(());
        }
        if frame.event == "end" {
            self.printer.flush()?;
            let because = serde_json::from_str::<Value>(&frame.data).unwrap_or_default();
            let because = because.get("because").and_then(Value::as_str).unwrap_or("the server ended it");
            return Err(Error::TailEnded(neutralise(because).into_owned()));
        }
        if self.printed.remove(&frame.id) {
            tracing::trace!(id = frame.id, "printed already");
        } else if let Ok(raw) = serde_json::from_str::<&RawValue>(&frame.data) {
            self.printer.events(&[raw])?;
            self.found = true;
        }
        if !frame.id.is_empty() {
            self.last_id = Some(frame.id);
        }
        Ok(())
    }
}

/// What is said of events that were passed over: how many, and the server's reason.
fn passed_over(data: &str) -> String {
    let lag = serde_json::from_str::<Value>(data).unwrap_or_default();
    let missed = lag.get("missed").and_then(Value::as_u64).unwrap_or_default();
    let because = lag.get("because").and_then(Value::as_str).unwrap_or("the server does not say why");
    format!("locard: {missed} events were passed over: {}", neutralise(because))
}

fn is_passing(error: &Error) -> bool {
    match error {
        Error::Connect { .. } => true,
        Error::Refused(refusal) => matches!(refusal.status, 429 | 502 | 503 | 504),
        _ => false,
    }
}

/// One server-sent event; without data it only says up to where the client is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    event: String,
    data: String,
    id: String,
}

impl Frame {
    /// Where the client is, if the frame says nothing else.
    pub(super) fn place(&self) -> Option<EventId> {
        self.id.parse().ok().filter(|_| self.data.is_empty())
    }
}

/// Cuts a stream of bytes into events (HTML Living Standard §9.2.6).
#[derive(Debug, Default)]
pub(super) struct Frames {
    pending: Vec<u8>,
    frame: Frame,
}

impl Frames {
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<Frame> {
        self.pending.extend_from_slice(chunk);
        let pending = std::mem::take(&mut self.pending);
        let mut done = Vec::new();
        let mut rest = pending.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            done.extend(self.line(&line));
        }
        self.pending = rest.to_vec();
        done
    }

    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            return (!frame.data.is_empty() || !frame.id.is_empty()).then_some(frame);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.frame.event),
            "id" => value.clone_into(&mut self.frame.id),
            "data" => {
                if !self.frame.data.is_empty() {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_why_events_were_passed_over() {
        let lag = r#"{"missed":7,"first":"0-1","because":"they are no longer kept"}"#;
        assert_eq!(passed_over(lag), "locard: 7 events were passed over: they are no longer kept");
    }

    #[test]
    fn frames_are_found_wherever_the_stream_is_cut() {
        let stream =
            ": hello\n\nid: 0-1\ndata: {\"a\":1}\n\nevent: lag\r\ndata: x\r\ndata: y\r\n\r\nid: 0-7\n\ndata:";
        let frame = |event: &str, data: &str, id: &str| Frame {
            event: event.into(),
            data: data.into(),
            id: id.into(),
        };
        let expected = vec![frame("", "{\"a\":1}", "0-1"), frame("lag", "x\ny", ""), frame("", "", "0-7")];
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let found: Vec<_> = stream.as_bytes().chunks(size).flat_map(|chunk| frames.push(chunk)).collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
