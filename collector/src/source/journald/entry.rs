//! [`Entry`]: one journal entry, and the events it becomes. Pure.

use std::sync::Arc;

use locard_event::{Event, Stream, name};
use locard_parse::frame::{JournalEntry, journald};

use crate::frame::cut_at;

/// One entry that says where it is in the journal.
#[derive(Debug)]
pub(super) struct Entry {
    pub cursor: String,
    pub labels: Vec<(&'static str, Box<str>)>,
    entry: JournalEntry,
}

impl Entry {
    /// `None`: no entry, or one without a cursor, which could not be resumed from.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut entry = journald(line)?;
        let cursor = entry.cursor.take()?.into();
        Some(Self { cursor, labels: std::mem::take(&mut entry.labels), entry })
    }

    /// One event, or several where the message is too long.
    pub(super) fn events(&self, stream: Arc<Stream>, max_line_bytes: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = self.entry.message.as_slice();
        loop {
            let at = if rest.len() > max_line_bytes { cut_at(rest, max_line_bytes) } else { rest.len() };
            let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            let mut event = Event::new(self.entry.time, Arc::clone(&stream), head.to_vec());
            if events.is_empty() {
                event.fields = self.entry.fields.clone();
            }
            for (_, flag) in [(!tail.is_empty(), "truncated"), (!events.is_empty(), "continuation")]
                .iter()
                .filter(|(set, _)| *set)
            {
                event.fields.append(name::FLAGS, *flag);
            }
            events.push(event);
            if tail.is_empty() {
                return events;
            }
            rest = tail;
        }
    }
}
