//! [`Joiner`]: parts to lines, each standard stream for itself, within a length.

use locard_event::Timestamp;
use locard_parse::frame::Iostream;

use super::frontier::iostream;
use super::splitter::cut_at;
use super::{Carried, Line, Pending, Piece};

/// A line of more parts than this is cut. The parts' places are kept in the state, so their number is bounded.
const MAX_PARTS: usize = 1024;

/// One part of a line.
pub(super) struct Part<'a> {
    pub piece: Piece,
    pub envelope: Option<(Timestamp, Iostream)>,
    pub content: &'a [u8],
    /// More of the line follows.
    pub partial: bool,
    pub unframed: bool,
}

/// A line that is being put together.
#[derive(Debug)]
struct Open {
    iostream: Option<Iostream>,
    time: Option<Timestamp>,
    start: Option<u64>,
    content: Vec<u8>,
    pieces: Vec<Piece>,
    carried: Option<Carried>,
    continuation: bool,
    unframed: bool,
}

/// Puts parts together. One open line per standard stream, and one for lines without envelope.
#[derive(Debug)]
pub(super) struct Joiner {
    max: usize,
    open: Vec<Open>,
    pub lines: Vec<Line>,
}

impl Joiner {
    pub(super) fn new(max: usize) -> Self {
        Self { max, open: Vec::new(), lines: Vec::new() }
    }

    pub(super) fn restore(&mut self, pending: &Pending) {
        let mut open = Open::new(iostream(pending.iostream.as_deref()), pending.continuation);
        if let Some(carried) = &pending.carried {
            open.time = Some(Timestamp::from_nanos(carried.time));
            open.content = carried.bytes();
            open.carried = Some(carried.clone());
        }
        self.open.push(open);
    }

    pub(super) fn push(&mut self, part: Part<'_>) {
        let iostream = part.envelope.map(|(_, iostream)| iostream);
        let found = self.open.iter().position(|open| open.iostream == iostream);
        let mut open = match found {
            Some(index) => self.open.swap_remove(index),
            None => Open::new(iostream, false),
        };
        if !open.content.is_empty() && open.content.len() + part.content.len() > self.max {
            open = self.cut(open);
        }
        open.begin(&part);
        let content = self.cut_long(&mut open, part.content);
        open.content.extend_from_slice(content);
        open.pieces.push(part.piece);
        if !part.partial {
            self.emit(open, false);
        } else if open.pieces.len() >= MAX_PARTS || content.len() < part.content.len() {
            let rest = self.cut(open);
            self.open.push(rest);
        } else {
            self.open.push(open);
        }
    }

    /// Emits the heads of a part that is too long by itself; answers what is left of it.
    fn cut_long<'a>(&mut self, open: &mut Open, mut content: &'a [u8]) -> &'a [u8] {
        while content.len() > self.max {
            let (head, rest) = content.split_at_checked(cut_at(content, self.max)).unwrap_or((content, &[]));
            let next = Open {
                start: open.start,
                time: open.time,
                unframed: open.unframed,
                ..Open::new(open.iostream, true)
            };
            let mut full = std::mem::replace(open, next);
            full.content.extend_from_slice(head);
            self.emit(full, true);
            content = rest;
        }
        content
    }

    /// Emits what there is, and opens its continuation.
    fn cut(&mut self, open: Open) -> Open {
        let next = Open::new(open.iostream, true);
        self.emit(open, true);
        next
    }

    fn emit(&mut self, open: Open, truncated: bool) {
        if open.content.is_empty() && open.continuation {
            return;
        }
        self.lines.push(Line {
            start: open.start.unwrap_or_default(),
            time: open.time,
            iostream: open.iostream,
            content: open.content,
            truncated,
            continuation: open.continuation,
            unfinished: false,
            unframed: open.unframed,
        });
    }

    pub(super) fn finish(&mut self, carry: bool) -> Vec<Carried> {
        let mut carried = Vec::new();
        for open in std::mem::take(&mut self.open) {
            match (carry, open.iostream, open.time) {
                (true, Some(iostream), Some(time)) => {
                    carried.push(Carried::new(iostream, time, &open.content, open.continuation));
                }
                _ if open.content.is_empty() => {}
                _ => {
                    self.emit(open, false);
                    if let Some(line) = self.lines.last_mut() {
                        line.unfinished = true;
                    }
                }
            }
        }
        carried
    }

    pub(super) fn emit_unfinished(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        open.sort_by_key(|open| open.iostream);
        for open in open {
            let rest = match open.content.is_empty() {
                true => open,
                false => {
                    let rest = Open::new(open.iostream, true);
                    self.emit(open, false);
                    if let Some(line) = self.lines.last_mut() {
                        line.unfinished = true;
                    }
                    rest
                }
            };
            self.open.push(rest);
        }
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        let mut pending: Vec<_> = self.open.iter().map(Open::pending).collect();
        pending.sort_by(|a, b| a.iostream.cmp(&b.iostream));
        pending
    }
}

impl Open {
    fn new(iostream: Option<Iostream>, continuation: bool) -> Self {
        Self {
            iostream,
            time: None,
            start: None,
            content: Vec::new(),
            pieces: Vec::new(),
            carried: None,
            continuation,
            unframed: false,
        }
    }

    fn begin(&mut self, part: &Part<'_>) {
        self.start.get_or_insert(part.piece.0);
        self.unframed |= part.unframed;
        if self.time.is_none() {
            self.time = part.envelope.map(|(time, _)| time);
        }
    }

    fn pending(&self) -> Pending {
        Pending {
            iostream: self.iostream.map(|iostream| iostream.name().to_owned()),
            continuation: self.continuation,
            pieces: self.pieces.clone(),
            carried: self.carried.clone(),
        }
    }
}
