//! Raw bytes of a file to [`Line`]s: split, take the runtime's envelope off, join partial lines, cut long ones.
//!
//! Pure and deterministic: the same bytes from the same [`Frontier`] give the same lines, whatever the sizes of the reads.
//! A batch that was on its way when the collector died is read again and comes out equal, so the indexer knows it by its id.
//! Does not know files, labels or batches.

mod frontier;
mod joiner;
mod splitter;

use std::io;

use locard_event::Timestamp;
use locard_parse::frame::{Framed, Iostream, cri, docker};

pub(crate) use frontier::{Carried, Frontier, Pending, Piece};
use joiner::{Joiner, Part};
pub(crate) use splitter::End;
pub(crate) use splitter::cut_at;
use splitter::split;

/// Bytes read at the start of a line to find its envelope again. A CRI envelope is at most 50 bytes.
const ENVELOPE_BYTES: usize = 256;
/// An enveloped line is held whole up to this length even if `max_line_bytes` is less: docker escapes up to sixfold.
pub(crate) const MIN_RAW_LINE_BYTES: usize = 128 << 10;

/// One line, joined or cut, that becomes one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Offset of its first raw byte.
    pub(crate) start: u64,
    /// What the envelope says; nothing for plain files.
    pub(crate) time: Option<Timestamp>,
    /// What the envelope says; nothing for plain files.
    pub(crate) iostream: Option<Iostream>,
    /// The line without envelope and line end.
    pub(crate) content: Vec<u8>,
    /// Its end is in the next event of the same stream.
    pub(crate) truncated: bool,
    /// Its beginning is in the event before.
    pub(crate) continuation: bool,
    /// The file ended before the line did, or nothing followed for long.
    pub(crate) unfinished: bool,
    /// There should have been an envelope.
    pub(crate) unframed: bool,
}

/// How lines of a file are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Lines carry a CRI or docker envelope.
    pub(crate) enveloped: bool,
    /// Longest line kept whole.
    pub(crate) max_line_bytes: usize,
}

impl Shape {
    /// Longest raw line kept whole.
    fn max_raw_bytes(&self) -> usize {
        if self.enveloped { self.max_line_bytes.max(MIN_RAW_LINE_BYTES) } else { self.max_line_bytes }
    }
}

/// The envelope of a raw line that is longer than one piece.
#[derive(Clone, Copy, Debug)]
struct OpenLine {
    start: u64,
    envelope: Option<(Timestamp, Iostream)>,
    partial: bool,
}

/// Turns the bytes from one offset on into lines.
#[derive(Debug)]
pub(crate) struct Framer {
    shape: Shape,
    position: u64,
    open_line: Option<OpenLine>,
    joiner: Joiner,
}

/// Reads some bytes at an offset of the file; fewer only at its end.
pub(crate) type ReadAt<'a> = &'a mut dyn FnMut(u64, &mut [u8]) -> io::Result<usize>;

impl Framer {
    /// Continues at `offset` with what is unfinished there. Reads the unfinished lines' pieces again.
    ///
    /// # Errors
    /// A piece cannot be read.
    pub(crate) fn resume(
        shape: Shape,
        offset: u64,
        frontier: &Frontier,
        read: ReadAt<'_>,
    ) -> io::Result<Self> {
        let joiner = Joiner::new(shape.max_line_bytes);
        let mut framer = Self { shape, position: offset, open_line: None, joiner };
        for pending in &frontier.pending {
            framer.joiner.restore(pending);
            for piece in &pending.pieces {
                framer.restore_piece(piece, read)?;
            }
        }
        framer.open_line = match frontier.line_start {
            Some(start) => Some(framer.find_envelope(start, read)?),
            None => None,
        };
        Ok(framer)
    }

    fn restore_piece(&mut self, piece: &Piece, read: ReadAt<'_>) -> io::Result<()> {
        let Piece(start, end, line_start) = *piece;
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or_default()];
        let count = read(start, &mut bytes)?;
        if count < bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.open_line = if line_start < start { Some(self.find_envelope(line_start, read)?) } else { None };
        let (content, ends_line) = match bytes.split_last() {
            Some((b'\n', content)) => (content, true),
            _ => (bytes.as_slice(), false),
        };
        self.push(start, end, content, ends_line);
        Ok(())
    }

    fn find_envelope(&self, start: u64, read: ReadAt<'_>) -> io::Result<OpenLine> {
        let mut head = [0; ENVELOPE_BYTES];
        let count = read(start, &mut head)?;
        let head = head.get(..count).unwrap_or_default();
        let framed = if self.shape.enveloped { cri(head) } else { None };
        Ok(OpenLine {
            start,
            envelope: framed.as_ref().map(|framed| (framed.time, framed.iostream)),
            partial: framed.is_some_and(|framed| framed.partial),
        })
    }

    /// Takes pieces off `window`, which begins at the current position, until `max_bytes` are consumed, `max_lines` are ready,
    /// or what is left is no whole piece under `end`.
    pub(crate) fn feed(&mut self, window: &[u8], end: End, max_bytes: usize, max_lines: usize) {
        let mut rest = window;
        while window.len() - rest.len() < max_bytes && self.joiner.lines.len() < max_lines {
            let Some(cut) = split(rest, self.shape.max_raw_bytes(), end) else { return };
            let (taken, after) = rest.split_at_checked(cut.consumed).unwrap_or((rest, &[]));
            let content = taken.get(..cut.content).unwrap_or_default();
            let start = self.position;
            self.position += taken.len() as u64;
            self.push(start, self.position, content, cut.ends_line);
            rest = after;
        }
    }

    fn push(&mut self, start: u64, end: u64, content: &[u8], ends_line: bool) {
        let open = self.open_line.take();
        let line = match open {
            Some(line) => line,
            None => OpenLine { start, envelope: None, partial: false },
        };
        let framed = match open {
            None if self.shape.enveloped => envelope(content),
            _ => None,
        };
        let (line, content, unframed) = match framed {
            Some(Framed { time, iostream, partial, content }) => {
                (OpenLine { start, envelope: Some((time, iostream)), partial }, content, false)
            }
            None => (line, content.into(), self.shape.enveloped && line.envelope.is_none()),
        };
        self.joiner.push(Part {
            piece: Piece(start, end, line.start),
            envelope: line.envelope,
            content: &content,
            partial: line.partial || !ends_line,
            unframed,
        });
        if !ends_line {
            self.open_line = Some(line);
        }
    }

    /// Ends the file: unfinished lines come out as they are, or are handed over for the next generation when `carry` is set.
    pub(crate) fn finish(&mut self, carry: bool) -> Vec<Carried> {
        self.open_line = None;
        self.joiner.finish(carry)
    }

    /// Unfinished lines come out as far as they go; what follows continues them.
    pub(crate) fn emit_unfinished(&mut self) {
        self.joiner.emit_unfinished();
    }

    /// Offset of the first byte not taken yet.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// What is unfinished at [`Framer::position`].
    pub(crate) fn frontier(&self) -> Frontier {
        Frontier { line_start: self.open_line.map(|line| line.start), pending: self.joiner.pending() }
    }

    /// The lines made so far.
    pub(crate) fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.joiner.lines)
    }
}

/// Told by the line alone, so that a file whose format changes is no special case.
fn envelope(line: &[u8]) -> Option<Framed<'_>> {
    if line.first() == Some(&b'{') { docker(line).or_else(|| cri(line)) } else { cri(line) }
}

#[cfg(test)]
mod tests;
