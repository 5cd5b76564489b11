//! One batch's worth of a generation: read, checked, framed, labelled and encoded, with the record as it will be once it is acked.

use std::io;

use locard_filter::Matcher;
use locard_wire::BatchId;

use super::content::Content;
use super::generation::{Generation, InFlight, Record};
use super::identity::Sample;
use crate::batch::{Batch, drop_matching};
use crate::frame::{Carried, End, Framer, Frontier, Line, Shape};
use crate::settings::Limits;
use crate::source::Origin;

/// Read beyond the size that was seen last, since a file grows meanwhile.
const SLACK_BYTES: usize = 16 << 10;

/// How much is read, and what the end of the file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// At most so many events (a refused batch is split).
    pub(crate) max_lines: usize,
    /// The file is at its end: unended lines are lines.
    pub(crate) flush: bool,
    /// Unfinished lines go on in the next generation.
    pub(crate) carry: bool,
    /// Nothing was written for long: an unended line is sent as far as it goes.
    pub(crate) partial: bool,
}

/// What all jobs have in common.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// Labels and format.
    pub(crate) origin: &'a Origin,
    /// Bounds.
    pub(crate) limits: &'a Limits,
    /// Events that match one are dropped.
    pub(crate) drop: &'a [Matcher],
}

/// What came of a read.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Something was read.
    Draft(Box<Draft>),
    /// There is no whole line yet.
    Nothing,
    /// The file is not what was consumed before.
    Changed,
}

/// What was read, before it is shipped.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What to send; nothing if the range holds no event (partial lines only, or all dropped).
    pub(crate) batch: Option<Batch>,
    /// The record while the batch is on its way.
    pub(crate) sending: Record,
    /// The record once it is settled.
    pub(crate) settled: Record,
    /// What the settled record's fingerprint hashes.
    pub(crate) sample: Sample,
    /// Events in the range, those dropped by rule included.
    pub(crate) events: u64,
    /// Events dropped by rule.
    pub(crate) dropped: u64,
    /// Lines that were cut.
    pub(crate) cut: u64,
    /// Unfinished lines for the next generation.
    pub(crate) carried: Vec<Carried>,
}

impl Draft {
    /// Raw bytes in the range.
    pub(crate) fn bytes(&self) -> u64 {
        self.settled.offset - self.sending.offset
    }
}

/// Reads the next batch of an open generation. A batch that may be on its way is read again exactly. Blocks.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(generation: &mut Generation, job: Job, reading: &Reading<'_>) -> io::Result<Outcome> {
    let Generation { record, content: Some(content), sample, size, modified, .. } = generation else {
        return Ok(Outcome::Nothing);
    };
    let Some(framer) = resume(record, content, reading)? else { return Ok(Outcome::Changed) };
    let Some((window, consumed)) =
        window_and_sample(content, record, sample.as_ref(), *size, reading.limits)?
    else {
        return Ok(Outcome::Changed);
    };
    let plan = window.plan(record, job, reading);
    let Some(range) = take(record, framer, &window.bytes, &plan) else { return Ok(Outcome::Nothing) };
    let sample = consumed.grow(range.taken);
    let fingerprint = sample.fingerprint();
    // Again, with what was just read: a file that was truncated and filled meanwhile is not what is in the window.
    if !content.is_gzip() && !fingerprint.matches(content, range.last)? {
        return Ok(Outcome::Changed);
    }
    let exhausted = range.ends && content.is_gzip();
    let settled = Record { fingerprint, modified: *modified, ..record.clone() };
    let draft = draft(record, range, settled, sample, reading)?;
    generation.exhausted |= exhausted;
    Ok(Outcome::Draft(draft))
}

/// `None`: the parts of unfinished lines are gone, and so is what follows them.
fn resume(record: &Record, content: &mut Content, reading: &Reading<'_>) -> io::Result<Option<Framer>> {
    let shape = Shape { enveloped: reading.origin.enveloped, max_line_bytes: reading.limits.max_line_bytes };
    let is_gzip = content.is_gzip();
    let mut read = |at: u64, buffer: &mut [u8]| content.read_at(at, buffer);
    match Framer::resume(shape, record.offset, &record.frontier, &mut read) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !is_gzip => Ok(None),
        resumed => resumed.map(Some),
    }
}

/// `None`: the file is not what was consumed.
fn window_and_sample(
    content: &mut Content,
    record: &Record,
    sample: Option<&Sample>,
    size: u64,
    limits: &Limits,
) -> io::Result<Option<(Window, Sample)>> {
    // A compressed file does not change, and going back in it is expensive.
    if content.is_gzip() {
        let consumed = match sample {
            Some(sample) => Some(sample.clone()),
            None => consumed(content, record)?,
        };
        let Some(consumed) = consumed else { return Ok(None) };
        return Ok(window(content, record, size, limits)?.map(|window| (window, consumed)));
    }
    // The sample last: a truncation before the window was read is always seen, so bytes of two files are never mixed.
    let Some(window) = window(content, record, size, limits)? else { return Ok(None) };
    Ok(consumed(content, record)?.map(|consumed| (window, consumed)))
}

/// What the fingerprint hashes, read again; `None` if it is not what was consumed.
fn consumed(content: &mut Content, record: &Record) -> io::Result<Option<Sample>> {
    let found = Sample::read(content, record.offset)?;
    Ok(found.filter(|found| record.offset == 0 || found.fingerprint() == record.fingerprint))
}

/// Bytes from the offset on.
struct Window {
    bytes: Vec<u8>,
    /// Nothing follows them.
    at_end: bool,
}

/// How much of a window is taken, and what its end means.
struct Plan {
    end: End,
    max_bytes: usize,
    max_lines: usize,
    carry: bool,
    partial: bool,
}

/// Lines of a range that becomes a batch.
struct Range<'a> {
    taken: &'a [u8],
    last: u64,
    frontier: Frontier,
    lines: Vec<Line>,
    carried: Vec<Carried>,
    /// It ends the file.
    ends: bool,
    carry: bool,
    /// Its last line was not ended.
    partial: bool,
}

/// `None`: the bytes of a batch on its way are not there any more.
fn window(content: &mut Content, record: &Record, size: u64, limits: &Limits) -> io::Result<Option<Window>> {
    // Not a whole window for the one line that came since the last look.
    let unread = usize::try_from(size.saturating_sub(record.offset)).unwrap_or(usize::MAX);
    let likely = if content.is_gzip() { usize::MAX } else { unread.saturating_add(SLACK_BYTES) };
    let wanted = match &record.in_flight {
        Some(again) => usize::try_from(again.last.saturating_sub(record.offset)).unwrap_or(usize::MAX),
        None => limits.window_bytes().min(likely),
    };
    let mut bytes = vec![0; wanted];
    let count = content.read_at(record.offset, &mut bytes)?;
    bytes.truncate(count);
    if let Some(again) = &record.in_flight {
        let same = count == wanted && again.is(&bytes);
        return Ok(same.then_some(Window { bytes, at_end: again.flush }));
    }
    // Fewer bytes than asked for may also mean damage, which says so only when it is asked for alone.
    let ended = count < wanted && content.read_at(record.offset + count as u64, &mut [0])? == 0;
    Ok(Some(Window { bytes, at_end: ended }))
}

impl Window {
    fn plan(&self, record: &Record, job: Job, reading: &Reading<'_>) -> Plan {
        if let Some(again) = &record.in_flight {
            let end = if again.flush { End::Flush } else { End::Piece };
            let (carry, partial) = (again.carry, again.partial);
            return Plan { end, max_bytes: usize::MAX, max_lines: usize::MAX, carry, partial };
        }
        let partial = job.partial && self.at_end;
        let end = match job.flush && self.at_end {
            true => End::Flush,
            // The rest of an enveloped line would have no envelope.
            false if partial && !reading.origin.enveloped => End::Piece,
            false => End::Open,
        };
        let max_bytes = reading.limits.batch_bytes;
        Plan { end, max_bytes, max_lines: job.max_lines, carry: job.carry, partial }
    }
}

/// `None`: there is no whole line yet.
fn take<'a>(record: &Record, mut framer: Framer, window: &'a [u8], plan: &Plan) -> Option<Range<'a>> {
    framer.feed(window, plan.end, plan.max_bytes, plan.max_lines);
    let last = framer.position();
    let taken = window.get(..usize::try_from(last - record.offset).unwrap_or_default()).unwrap_or(window);
    // Only a batch that reaches the end ends the file.
    let ends = plan.end == End::Flush && taken.len() == window.len();
    let carried = if ends { framer.finish(plan.carry) } else { Vec::new() };
    let partial = plan.partial && !ends && is_all(window.get(taken.len()..).unwrap_or_default(), plan.end);
    if partial {
        framer.emit_unfinished();
    }
    let (frontier, lines) = (framer.frontier(), framer.take_lines());
    if taken.is_empty() && !ends && lines.is_empty() {
        return None;
    }
    Some(Range { taken, last, frontier, lines, carried, ends, carry: plan.carry, partial })
}

/// Whether `rest`, which was not taken, holds nothing that could have been.
fn is_all(rest: &[u8], end: End) -> bool {
    rest.is_empty() || (end == End::Open && memchr::memchr(b'\n', rest).is_none())
}

fn draft(
    record: &Record,
    range: Range<'_>,
    new: Record,
    sample: Sample,
    reading: &Reading<'_>,
) -> io::Result<Box<Draft>> {
    let Range { taken, last, frontier, lines, carried, ends, carry, partial } = range;
    let settled = Record { offset: last, frontier, in_flight: None, finished: ends, ..new };
    let crc = crc32c::crc32c(taken);
    let on_its_way = InFlight { last, crc, flush: ends, carry: ends && carry, partial };
    // It was read at that time, whether or not the batch arrives.
    let sending = Record { in_flight: Some(on_its_way), modified: settled.modified, ..record.clone() };
    let cut = lines.iter().filter(|line| line.truncated).count() as u64;
    let mut events: Vec<_> = lines.into_iter().map(|line| reading.origin.event(line)).collect();
    let total = events.len() as u64;
    let dropped = drop_matching(&mut events, reading.drop);
    let id = BatchId { source: record.uuid.to_string().into(), first: record.offset, last };
    let batch = if events.is_empty() { None } else { Some(Batch::new(id, &events)?) };
    Ok(Box::new(Draft { batch, sending, settled, sample, events: total, dropped, cut, carried }))
}
