//! Lines to events, by the envelope the file is in.

use std::io::{self, BufRead};

use locard_event::{Event, Fields, Timestamp, Value, name};
use locard_parse::detect::{Envelope, envelope};
use locard_parse::frame::{self, Framed, Iostream, Joined, Joiner};

use super::batch::Batcher;
use super::line::{Line, Lines};
use super::origin::Origin;

/// Longest line held at once, which bounds memory here.
const MAX_LINE_BYTES: usize = 4 << 20;
/// Longest message sent: what a server keeps whole by default. A longer line becomes several events.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Lines looked at to tell the envelope.
const SAMPLE_LINES: usize = 64;

/// The time of a line in no envelope: the server reads one in the line, else takes the time of receipt.
const UNKNOWN: Timestamp = Timestamp::from_nanos(0);

/// Reads everything; up to where it fails, if it does.
pub(super) fn read(input: impl BufRead, origin: &Origin, out: &mut Batcher) -> io::Result<()> {
    let mut lines = Lines::new(input, MAX_LINE_BYTES);
    let sample: Vec<io::Result<Line>> = lines.by_ref().take(SAMPLE_LINES).collect();
    let seen = || sample.iter().flatten().map(|line| line.bytes.as_slice());
    let kind = envelope(seen());
    let dataset = origin.dataset(seen().next().unwrap_or_default());
    let mut reader = Reader { origin: origin.clone(), joiner: Joiner::new(MAX_LINE_BYTES), out };
    let done = reader.all(sample.into_iter().chain(lines), kind, dataset);
    reader.flush();
    done
}

struct Reader<'a> {
    origin: Origin,
    joiner: Joiner,
    out: &'a mut Batcher,
}

impl Reader<'_> {
    /// Until the lines fail or end, or nobody wants more.
    fn all(
        &mut self,
        lines: impl Iterator<Item = io::Result<Line>>,
        kind: Envelope,
        dataset: &str,
    ) -> io::Result<()> {
        for line in lines {
            if !self.line(&line?, kind, dataset) {
                break;
            }
        }
        Ok(())
    }
}

/// Each method but `flush` answers whether somebody still wants events.
impl Reader<'_> {
    fn line(&mut self, line: &Line, kind: Envelope, dataset: &str) -> bool {
        match kind {
            Envelope::Cri => self.framed(line, frame::cri(&line.bytes)),
            Envelope::Docker => self.framed(line, frame::docker(&line.bytes)),
            Envelope::Journald => self.journald(line),
            Envelope::Plain => self.plain(dataset, line),
        }
    }

    fn framed(&mut self, line: &Line, framed: Option<Framed<'_>>) -> bool {
        match framed {
            None => self.plain("container", line),
            Some(framed) => match self.joiner.push(framed, line.offset) {
                Some(joined) => push_joined(&mut self.origin, joined, line.cut, self.out),
                None => true,
            },
        }
    }

    fn flush(&mut self) {
        for iostream in Iostream::ALL {
            if let Some(joined) = self.joiner.flush(iostream) {
                push_joined(&mut self.origin, joined, false, self.out);
            }
        }
    }

    fn journald(&mut self, line: &Line) -> bool {
        let Some(entry) = frame::journald(&line.bytes) else { return self.plain("journald", line) };
        let labels: Vec<_> = entry.labels.iter().map(|(name, value)| (*name, &**value)).collect();
        let mut event = Event::new(entry.time, self.origin.stream("journald", &labels), entry.message);
        event.fields = entry.fields;
        mark_cut(&mut event.fields, line.cut);
        self.out.push(event, line.offset)
    }

    fn plain(&mut self, dataset: &str, line: &Line) -> bool {
        if line.bytes.is_empty() {
            return true;
        }
        let last = line.bytes.len().div_ceil(MAX_MESSAGE_BYTES) - 1;
        line.bytes.chunks(MAX_MESSAGE_BYTES).enumerate().all(|(index, piece)| {
            let at = line.offset + (index * MAX_MESSAGE_BYTES) as u64;
            let mut event = Event::new(UNKNOWN, self.origin.stream(dataset, &[]), piece.to_vec());
            event.fields.set(name::OFFSET, offset(at));
            mark_cut(&mut event.fields, line.cut || index < last);
            if line.continued || index > 0 {
                event.fields.append(name::FLAGS, "continuation");
            }
            self.out.push(event, at)
        })
    }
}

fn push_joined(origin: &mut Origin, joined: Joined<'_>, cut: bool, out: &mut Batcher) -> bool {
    let stream = origin.stream("container", &[(name::IOSTREAM, joined.iostream.name())]);
    let at = joined.offset;
    let mut fields = Fields::new();
    fields.set(name::OFFSET, offset(at));
    joined.mark(&mut fields);
    mark_cut(&mut fields, cut);
    let mut event = Event::new(joined.time, stream, joined.content.into_owned());
    event.fields = fields;
    out.push(event, at)
}

fn offset(at: u64) -> Value {
    Value::Int(i64::try_from(at).unwrap_or(i64::MAX))
}

fn mark_cut(fields: &mut Fields, cut: bool) {
    if cut {
        fields.append(name::FLAGS, "truncated");
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::super::input::Input;
    use super::super::read_all;
    use super::*;

    fn events(text: &[u8]) -> (Vec<Event>, Vec<String>) {
        let (done, events, ids) = try_events(text);
        done.unwrap();
        (events, ids)
    }

    fn try_events(text: &[u8]) -> (io::Result<()>, Vec<Event>, Vec<String>) {
        let (sender, mut receiver) = mpsc::channel(100);
        let done = read_all(Input::of_bytes(text), &Origin::test(), Batcher::new(sender));
        let (mut events, mut ids) = (Vec::new(), Vec::new());
        while let Ok(batch) = receiver.try_recv() {
            ids.push(batch.id.to_string());
            let decoded = locard_wire::decode(&batch.body, UNKNOWN, 100).unwrap();
            assert_eq!(decoded.len() as u64, batch.events);
            events.extend(decoded);
        }
        (done, events, ids)
    }

    #[track_caller]
    fn check(text: &[u8], expected: &[&str]) {
        let show = |event: &Event| {
            let labels: Vec<_> = event.stream.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {} {}", labels.join(","), String::from_utf8_lossy(&event.message), event.time.nanos())
        };
        assert_eq!(events(text).0.iter().map(show).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_envelope_is_taken_off() {
        check(b"one\n\ntwo", &["event.dataset=file one 0", "event.dataset=file two 0"]);
        check(
            b"1970-01-01T00:00:01Z stderr P joined in \n1970-01-01T00:00:02Z stdout F x\n1970-01-01T00:00:03Z stderr F the middle\ntorn",
            &[
                "event.dataset=container,log.iostream=stdout x 2000000000",
                "event.dataset=container,log.iostream=stderr joined in the middle 1000000000",
                "event.dataset=container torn 0",
            ],
        );
        check(
            br#"{"log":"x\n","stream":"stdout","time":"1970-01-01T00:00:01Z"}"#,
            &["event.dataset=container,log.iostream=stdout x 1000000000"],
        );
        check(
            br#"{"__REALTIME_TIMESTAMP":"1000000","MESSAGE":"x","_HOSTNAME":"n1"}"#,
            &["event.dataset=journald,host.name=n1 x 1000000000"],
        );
    }

    #[test]
    fn compressed_files_are_read_and_named_by_their_content() {
        let plain = b"one\ntwo\n";
        let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
        let (expected, ids) = events(plain);
        assert_eq!(events(&zstd), (expected.clone(), ids.clone()));
        assert_eq!(events(&gzip(plain)), (expected, ids.clone()));
        assert_ne!(events(b"one\ntwO\n").1, ids);
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, plain).unwrap();
        gzip.finish().unwrap()
    }

    /// Lines of the same length at the same offsets that say the same, but at another time, or with other fields.
    #[test]
    fn files_that_differ_in_times_or_fields_alone_are_not_repeats() {
        for (one, two) in [
            ("2026-11-24T08:00:00Z stdout F x", "2026-11-24T08:00:01Z stdout F x"),
            (
                r#"{"log":"x\n","stream":"stdout","time":"1970-01-01T00:00:01Z"}"#,
                r#"{"log":"x\n","stream":"stdout","time":"1970-01-01T00:00:02Z"}"#,
            ),
            (
                r#"{"__REALTIME_TIMESTAMP":"1000000","MESSAGE":"x","PRIORITY":"3"}"#,
                r#"{"__REALTIME_TIMESTAMP":"1000000","MESSAGE":"x","PRIORITY":"4"}"#,
            ),
        ] {
            let (one, two) = (events(one.as_bytes()), events(two.as_bytes()));
            assert_eq!(one.0[0].message, two.0[0].message);
            assert_ne!(one.1, two.1);
        }
    }

    /// As a disk that was pulled leaves it: what can be read comes, and then the failure.
    #[test]
    fn a_torn_archive_gives_what_can_be_read_of_it() {
        for lines in [5_000_u64, 300] {
            let line = |n: u64| format!("{n} {:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let plain: String = (0..lines).map(line).collect();
            let whole = gzip(plain.as_bytes());
            let (done, events, _) = try_events(&whole[..whole.len() - whole.len() / 10]);
            assert!(done.is_err(), "{lines}");
            let read = events.len() as u64;
            assert!((lines / 2..lines).contains(&read), "{read} of {lines}");
        }
    }
}
