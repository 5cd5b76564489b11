//! [`Joiner`]: puts the parts of a long line together again, per standard stream.
//!
//! A runtime cuts lines at some 16 KB and writes the parts of stdout and stderr interleaved. A state machine without clock:
//! whoever owns it decides when to wait no longer and calls [`Joiner::flush`].

use std::borrow::Cow;

use locard_event::{Fields, Timestamp, Value, name};

use super::{Framed, Iostream};

/// One whole line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined<'a> {
    /// When the runtime saw its first part.
    pub time: Timestamp,
    /// Which stream it was written to.
    pub iostream: Iostream,
    /// The application's bytes, no more than the joiner's cap.
    pub content: Cow<'a, [u8]>,
    /// The offset its first part began at.
    pub offset: u64,
    /// How many parts it came in.
    pub parts: u32,
    /// Its end was never seen.
    pub partial: bool,
    /// How many bytes beyond the cap were left out.
    pub dropped_bytes: u64,
}

impl Joined<'_> {
    /// Sets `log.flags` to `partial`, `truncated` or both, if any applies.
    pub fn mark(&self, fields: &mut Fields) {
        for (applies, flag) in [(self.partial, "partial"), (self.dropped_bytes > 0, "truncated")] {
            if applies {
                fields.append(name::FLAGS, Value::str(flag));
            }
        }
    }
}

/// Joins parts per standard stream, holding at most `max_line_bytes` of each.
#[derive(Clone, Debug)]
pub struct Joiner {
    max_line_bytes: usize,
    stdout: Option<Joined<'static>>,
    stderr: Option<Joined<'static>>,
}

impl Joiner {
    /// A joiner that cuts lines at `max_line_bytes`.
    pub const fn new(max_line_bytes: usize) -> Self {
        Self { max_line_bytes, stdout: None, stderr: None }
    }

    /// Takes the next line of the file, which began at `offset`; gives the application's line if this ends one.
    pub fn push<'a>(&mut self, framed: Framed<'a>, offset: u64) -> Option<Joined<'a>> {
        let max = self.max_line_bytes;
        let slot = self.slot(framed.iostream);
        match (slot.take(), framed.partial) {
            (None, false) => Some(cap(start(framed, offset), max)),
            (None, true) => {
                *slot = Some(own(cap(start(framed, offset), max)));
                None
            }
            (Some(mut pending), partial) => {
                add(&mut pending, &framed.content, max);
                pending.partial = partial;
                if partial {
                    *slot = Some(pending);
                    return None;
                }
                Some(pending)
            }
        }
    }

    /// Gives up waiting for the rest of a line on `iostream`: gives what there is, marked partial.
    pub fn flush(&mut self, iostream: Iostream) -> Option<Joined<'static>> {
        self.slot(iostream).take()
    }

    /// The unfinished line on `iostream`, if any.
    pub fn pending(&self, iostream: Iostream) -> Option<&Joined<'static>> {
        match iostream {
            Iostream::Stdout => self.stdout.as_ref(),
            Iostream::Stderr => self.stderr.as_ref(),
        }
    }

    /// The offset from which reading must resume after a restart so that no part is lost: the first byte of the earliest
    /// unfinished line, or `next`, the offset after the last line pushed.
    pub fn resume_offset(&self, next: u64) -> u64 {
        let pending = Iostream::ALL.into_iter().filter_map(|stream| self.pending(stream));
        pending.map(|joined| joined.offset).fold(next, u64::min)
    }

    /// Bytes of unfinished lines held.
    pub fn pending_bytes(&self) -> usize {
        let pending = Iostream::ALL.into_iter().filter_map(|stream| self.pending(stream));
        pending.map(|joined| joined.content.len()).sum()
    }

    fn slot(&mut self, iostream: Iostream) -> &mut Option<Joined<'static>> {
        match iostream {
            Iostream::Stdout => &mut self.stdout,
            Iostream::Stderr => &mut self.stderr,
        }
    }
}

fn start(framed: Framed<'_>, offset: u64) -> Joined<'_> {
    Joined {
        time: framed.time,
        iostream: framed.iostream,
        content: framed.content,
        offset,
        parts: 1,
        partial: framed.partial,
        dropped_bytes: 0,
    }
}

fn cap(mut joined: Joined<'_>, max: usize) -> Joined<'_> {
    let excess = joined.content.len().saturating_sub(max);
    if excess > 0 {
        match &mut joined.content {
            Cow::Borrowed(bytes) => *bytes = bytes.get(..max).unwrap_or(bytes),
            Cow::Owned(bytes) => bytes.truncate(max),
        }
        joined.dropped_bytes = excess as u64;
    }
    joined
}

fn own(joined: Joined<'_>) -> Joined<'static> {
    let Joined { time, iostream, content, offset, parts, partial, dropped_bytes } = joined;
    let content = Cow::Owned(content.into_owned());
    Joined { time, iostream, content, offset, parts, partial, dropped_bytes }
}

fn add(pending: &mut Joined<'static>, content: &[u8], max: usize) {
    let room = max.saturating_sub(pending.content.len()).min(content.len());
    let (kept, dropped) = content.split_at_checked(room).unwrap_or((content, &[]));
    pending.content.to_mut().extend_from_slice(kept);
    pending.dropped_bytes += dropped.len() as u64;
    pending.parts = pending.parts.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::cri;

    /// Joins lines of `stream tag text`; gives each result as `offset:stream:text` plus its marks.
    #[track_caller]
    fn check(max: usize, lines: &[&str], expected: &[&str], resume: u64) {
        let mut joiner = Joiner::new(max);
        let mut seen = Vec::new();
        for (offset, line) in lines.iter().enumerate() {
            let line = format!("2026-03-01T12:00:0{offset}Z {line}");
            seen.extend(
                joiner.push(cri(line.as_bytes()).unwrap(), offset as u64).map(|joined| show(&joined)),
            );
        }
        assert_eq!(joiner.resume_offset(lines.len() as u64), resume);
        for stream in Iostream::ALL {
            seen.extend(joiner.flush(stream).map(|joined| show(&joined)));
        }
        assert_eq!(seen, expected);
        assert_eq!(joiner.pending_bytes(), 0);
    }

    fn show(joined: &Joined<'_>) -> String {
        let mut fields = Fields::new();
        joined.mark(&mut fields);
        let flags = fields.get(name::FLAGS).map(|flags| format!(" {flags}")).unwrap_or_default();
        assert!(joined.time.to_string().contains(&format!(":0{}.", joined.offset)));
        format!(
            "{}:{}:{}{flags}",
            joined.offset,
            joined.iostream.name(),
            String::from_utf8_lossy(&joined.content)
        )
    }

    #[test]
    fn parts_of_two_streams_interleave() {
        let lines = ["stdout P a", "stderr P x", "stdout P b", "stderr F y", "stdout F c", "stdout F d"];
        check(100, &lines, &["1:stderr:xy", "0:stdout:abc", "5:stdout:d"], 6);
    }

    #[test]
    fn what_never_ends_is_flushed_as_partial_and_holds_the_offset() {
        check(
            100,
            &["stdout F a", "stderr P x", "stdout F b"],
            &["0:stdout:a", "2:stdout:b", "1:stderr:x partial"],
            1,
        );
    }

    #[test]
    fn a_line_is_cut_at_the_cap() {
        check(3, &["stdout P ab", "stdout P cd", "stdout F ef"], &["0:stdout:abc truncated"], 3);
        check(3, &["stdout F abcd", "stdout F abc"], &["0:stdout:abc truncated", "1:stdout:abc"], 2);
        check(3, &["stdout P abcd"], &["0:stdout:abc [partial, truncated]"], 0);
    }
}
