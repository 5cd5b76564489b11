//! [`Line`]: an event written out. Lines of one part share the memory they were written to, and need not be copied to be sent.

use bytes::Bytes;
use locard_store::{Control, Error, First, Position, Top};

use super::part::{Firsts, Hit, Part, Wanted, position};
use crate::json::{LineWriter, line, put_field};

/// What a line takes, guessed, so that memory for a page of them is asked for at once.
const TYPICAL_BYTES: usize = 640;
/// Lines that stand together by fewer bytes than this are copied: many small pieces cost more.
const PIECE_BYTES: usize = 4 << 10;

/// An event written out as a line of JSON, its end included.
#[derive(Debug)]
pub(crate) struct Line {
    position: Position,
    /// Where it is, among others.
    written: Bytes,
    start: usize,
    end: usize,
}

impl Line {
    /// A line by itself.
    pub(crate) fn new(position: Position, text: Vec<u8>) -> Self {
        let end = text.len();
        Self { position, written: text.into(), start: 0, end }
    }

    /// Its text.
    pub(crate) fn text(&self) -> &[u8] {
        self.written.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether `next` begins where this ends.
    fn meets(&self, next: &Self) -> bool {
        std::ptr::eq(self.written.as_ptr(), next.written.as_ptr())
            && self.written.len() == next.written.len()
            && self.end == next.start
    }
}

impl Hit for Line {
    fn position(&self) -> Option<Position> {
        Some(self.position)
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.end - self.start
    }

    fn first(part: &Part, wanted: &Wanted, first: First, control: &Control) -> Result<Firsts<Self>, Error> {
        let Part::Split(split) = part else {
            let First { order, after, limit, max_bytes, .. } = first;
            let Top { events, cut, matched } = part.top(wanted, order, after, limit, max_bytes, control)?;
            let lines = events.iter().filter_map(|event| Some(Self::new(position(event)?, line(event))));
            return Ok(Firsts { events: lines.collect(), cut, matched });
        };
        let room = first.limit.saturating_mul(TYPICAL_BYTES).min(first.max_bytes);
        let (mut writer, mut text, mut ends) = (LineWriter::default(), Vec::with_capacity(room), Vec::new());
        let rows = split.rows(&wanted.request, first, control, &put_field, &mut |row| {
            let start = text.len();
            writer.put(&mut text, row);
            ends.push((row.position, text.len()));
            text.len() - start
        })?;
        let (written, mut start) = (Bytes::from(text), 0);
        let lines = ends.into_iter().map(|(position, end)| {
            let written = written.clone();
            Self { position, written, start: std::mem::replace(&mut start, end), end }
        });
        Ok(Firsts { events: lines.collect(), cut: rows.cut, matched: rows.matched })
    }
}

/// The text of lines, in as few pieces as cost little.
pub(crate) fn pieces(lines: &[Line]) -> Vec<Bytes> {
    let runs: Vec<&[Line]> = lines.chunk_by(Line::meets).collect();
    let bytes: usize = lines.iter().map(|line| line.end - line.start).sum();
    if runs.len() > 1 && bytes / runs.len() < PIECE_BYTES {
        let mut text = Vec::with_capacity(bytes);
        lines.iter().for_each(|line| text.extend_from_slice(line.text()));
        return vec![text.into()];
    }
    let piece = |run: &[Line]| match (run.first(), run.last()) {
        (Some(first), Some(last)) => first.written.slice(first.start..last.end),
        _ => Bytes::new(),
    };
    runs.into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use locard_event::{EventId, Timestamp};

    use super::*;

    #[test]
    fn lines_that_stand_together_are_one_piece() {
        let written = Bytes::from(vec![b'x'; 20_000]);
        let line = |start, end| {
            let position = Position { filed: Timestamp::MIN, id: EventId::new(0, 0) };
            Line { position, written: written.clone(), start, end }
        };
        let lengths = |lines: &[Line]| pieces(lines).iter().map(Bytes::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[line(0, 5_000), line(5_000, 9_000), line(9_000, 9_001)]), [9_001]);
        assert_eq!(lengths(&[line(9_000, 18_000), line(0, 9_000)]), [9_000, 9_000]);
        assert_eq!(lengths(&[line(9_000, 9_010), line(0, 10)]), [20], "copied");
    }
}
