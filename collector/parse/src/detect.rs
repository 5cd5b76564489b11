//! Which envelope the lines of a file are in, told from a sample.
//!
//! JSON lines that no runtime wrote are [`Envelope::Plain`]: normalising reads them line by line, so that a file may mix them
//! with text. Does not read files and does not look at names.

use crate::frame;

/// What stands around the lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// `time stream tags content`, see [`frame::cri`].
    Cri,
    /// Docker's json-file, see [`frame::docker`].
    Docker,
    /// `journalctl -o json`, see [`frame::journald`].
    Journald,
    /// Nothing: the lines are the application's own.
    Plain,
}

/// Tells the envelope of a file from some of its lines (the first few dozen do), without their line ends.
///
/// More than half of the lines that are not empty must be in it: a file may begin in the middle of a line, and a runtime that
/// crashed leaves torn ones. A line of another kind in such a file is then an event of its own.
pub fn envelope<'a>(sample: impl IntoIterator<Item = &'a [u8]>) -> Envelope {
    let (mut cri, mut docker, mut journald, mut lines) = (0u32, 0u32, 0u32, 0u32);
    for line in sample {
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        match line_envelope(line) {
            Envelope::Cri => cri += 1,
            Envelope::Docker => docker += 1,
            Envelope::Journald => journald += 1,
            Envelope::Plain => {}
        }
    }
    let found = [(cri, Envelope::Cri), (docker, Envelope::Docker), (journald, Envelope::Journald)];
    found.into_iter().find(|(count, _)| *count * 2 > lines).map_or(Envelope::Plain, |(_, envelope)| envelope)
}

fn line_envelope(line: &[u8]) -> Envelope {
    if frame::cri(line).is_some() {
        Envelope::Cri
    } else if frame::docker(line).is_some() {
        Envelope::Docker
    } else if frame::journald(line).is_some() {
        Envelope::Journald
    } else {
        Envelope::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRI: &str = "2026-03-01T12:00:00Z stdout F x";
    const DOCKER: &str = r#"{"log":"x\n","stream":"stdout","time":"2026-03-01T12:00:00Z"}"#;
    const JOURNALD: &str = r#"{"__REALTIME_TIMESTAMP":"1772366400000000","MESSAGE":"x"}"#;

    #[track_caller]
    fn check(lines: &[&str], expected: Envelope) {
        assert_eq!(envelope(lines.iter().map(|line| line.as_bytes())), expected);
    }

    #[test]
    fn the_majority_of_lines_decides() {
        check(&["torn line", CRI, "", CRI], Envelope::Cri);
        check(&[DOCKER, DOCKER, "torn"], Envelope::Docker);
        check(&[JOURNALD], Envelope::Journald);
        check(&["a", CRI], Envelope::Plain);
        check(&[], Envelope::Plain);
        check(&["", "  "], Envelope::Plain);
        check(&[r#"{"level":"info","msg":"x"}"#], Envelope::Plain);
    }
}
