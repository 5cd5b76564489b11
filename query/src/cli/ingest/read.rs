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

/// Reads everything.
pub(super) fn read(input: impl BufRead, origin: &Origin, out: &mut Batcher) -> io::Result<()> {
    let mut lines = Lines::new(input, MAX_LINE_BYTES);
    let sample: Vec<Line> = lines.by_ref().take(SAMPLE_LINES).collect::<io::Result<_>>()?;
    let kind = envelope(sample.iter().map(|line| line.bytes.as_slice()));
    let begin = sample.first().map(|line| line.bytes.as_slice()).unwrap_or_default();
    let dataset = origin.dataset(begin);
    let mut reader = Reader { origin: origin.clone(), joiner: Joiner::new(MAX_LINE_BYTES), out };
    for line in sample.into_iter().map(Ok).chain(lines) {
        let line = line?;
        let open = match kind {
            Envelope::Cri => reader.framed(&line, frame::cri(&line.bytes)),
            Envelope::Docker => reader.framed(&line, frame::docker(&line.bytes)),
            Envelope::Journald => reader.journald(&line),
            Envelope::Plain => reader.plain(dataset, &line),
        };
        if !open {
            return Ok(());
        }
    }
    reader.flush();
    Ok(())
}

struct Reader<'a> {
    origin: Origin,
    joiner: Joiner,
    out: &'a mut Batcher,
}

/// Each method answers whether somebody still wants events.
impl Reader<'_> {
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
    use super::*;

    fn events(text: &[u8]) -> (Vec<Event>, Vec<String>) {
        let (sender, mut receiver) = mpsc::channel(100);
        let mut batcher = Batcher::new(sender);
        read(Input::of_bytes(text), &Origin::test(), &mut batcher).unwrap();
        batcher.finish();
        let (mut events, mut ids) = (Vec::new(), Vec::new());
        while let Ok(batch) = receiver.try_recv() {
            ids.push(batch.id.to_string());
            events.extend(batch.events);
        }
        (events, ids)
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
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, plain).unwrap();
        assert_eq!(events(&gzip.finish().unwrap()), (expected, ids.clone()));
        assert_ne!(events(b"one\ntwO\n").1, ids);
    }
}
