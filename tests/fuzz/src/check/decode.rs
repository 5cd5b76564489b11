//! A pipe on the first line, and the text that it reads: whatever the text says, names are not empty, and an event stays which it is.

use std::borrow::Cow;
use std::sync::Arc;

use locard_event::{Event, EventId, Stream};
use locard_query::pipe::{Outcome, Pipe, Pipeline, Setting, Tables, parse};

use super::kind;
use super::piped::run;
use crate::ground::{Ground, NOW};

pub(crate) fn check(ground: &Ground, input: &str) -> Result<String, String> {
    let (pipe, text) = input.split_once('\n').unwrap_or((input, ""));
    let pipes = match parse(&format!("* | {pipe}")) {
        Ok(query) => query.pipes,
        Err(error) => return Ok(kind(&error.message)),
    };
    let stream = Arc::new(Stream::new([("host.name", "node-1"), ("event.dataset", "test")]));
    let mut event = Event::new(NOW, stream, text.to_owned());
    event.id = Some(EventId::new(0, 7));
    event.fields.set("f", text);
    event.fields.set("n", 7);
    let made = check_event(&pipes, &event)?;
    Ok(format!("{made} {}", run(&pipes, &[Cow::Borrowed(&event)], &ground.tables)?))
}

/// What became of the event, where these pipes leave events.
fn check_event(pipes: &[Pipe], event: &Event) -> Result<String, String> {
    let edits = |pipe: &Pipe| {
        matches!(pipe, Pipe::Parse(_) | Pipe::Rex(_) | Pipe::Eval(_) | Pipe::Rename(_) | Pipe::Fields(_))
    };
    if !pipes.iter().all(edits) {
        return Ok(String::new());
    }
    let setting = Setting {
        memory_bytes: 64 << 20,
        page: 2,
        filed: locard_event::Timestamp::MIN..locard_event::Timestamp::MAX,
        now: NOW,
        tables: Tables::default(),
    };
    let outcome = Pipeline::new(pipes, &setting).and_then(|mut pipeline| {
        pipeline.push_event(event)?;
        pipeline.finish()
    });
    let Ok(Outcome::Events { events, .. }) = outcome else { return Ok("none".to_owned()) };
    let [found] = events.as_slice() else { return Err(format!("{} events of one", events.len())) };
    if (found.id, found.time, &found.stream) != (event.id, event.time, &event.stream) {
        return Err("the event is another one".to_owned());
    }
    Ok(format!("{} fields", found.fields.len().min(20)))
}
