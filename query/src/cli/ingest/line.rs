//! [`Lines`]: a reader cut into lines of bounded length.

use std::io::{self, BufRead};

/// One line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins.
    pub(super) offset: u64,
    /// Its bytes, no more than the limit.
    pub(super) bytes: Vec<u8>,
    /// Whether there is more of it, in the next one.
    pub(super) cut: bool,
    /// Whether it goes on where the one before was cut.
    pub(super) continued: bool,
}

/// The lines of a reader; a longer one comes in several, so that nothing of it is lost.
pub(super) struct Lines<R> {
    reader: R,
    offset: u64,
    max_bytes: usize,
    was_cut: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, max_bytes: usize) -> Self {
        Self { reader, offset: 0, max_bytes, was_cut: false }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let continued = std::mem::take(&mut self.was_cut);
        let mut line = Line { offset: self.offset, bytes: Vec::new(), cut: false, continued };
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                let nothing = self.offset == line.offset;
                return Ok((!nothing).then(|| ended(line)));
            }
            let end = memchr::memchr(b'\n', buffer);
            let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let room = self.max_bytes.saturating_sub(line.bytes.len());
            line.cut = piece.len() > room;
            let taken = piece.get(..room).unwrap_or(piece);
            line.bytes.extend_from_slice(taken);
            let used = taken.len() + usize::from(end.is_some() && !line.cut);
            let ends = end.is_some() || line.cut;
            self.reader.consume(used);
            self.offset += used as u64;
            if ends {
                self.was_cut = line.cut;
                return Ok(Some(ended(line)));
            }
        }
    }
}

fn ended(mut line: Line) -> Line {
    if !line.cut && line.bytes.last() == Some(&b'\r') {
        line.bytes.pop();
    }
    line
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(u64, &str, bool)]) {
        for capacity in [1, 3, 100] {
            let reader = io::BufReader::with_capacity(capacity, text.as_bytes());
            let lines: Vec<_> = Lines::new(reader, 4).map(Result::unwrap).collect();
            let found: Vec<_> = lines
                .iter()
                .map(|line| (line.offset, str::from_utf8(&line.bytes).unwrap(), line.cut))
                .collect();
            assert_eq!(found, expected, "{text:?} with a buffer of {capacity}");
        }
    }

    #[test]
    fn lines_are_cut_at_their_end_and_at_the_limit() {
        check("", &[]);
        check("a\n\nbc", &[(0, "a", false), (2, "", false), (3, "bc", false)]);
        check("a\r\nb\r", &[(0, "a", false), (3, "b", false)]);
        check(
            "abcd\nabcde\nabcdefghi",
            &[
                (0, "abcd", false),
                (5, "abcd", true),
                (9, "e", false),
                (11, "abcd", true),
                (15, "efgh", true),
                (19, "i", false),
            ],
        );
    }
}
