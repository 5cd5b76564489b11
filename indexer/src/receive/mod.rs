//! Reading a delivery: decompress, split into events, bound them, normalise, mark. Pure: the time of receipt is an argument.
//!
//! The same door, encoding, body, time and limits always give the same events in the same order, which is what lets the log keep
//! bodies as received. Does not know tenants, ids or the log.

mod bound;
mod json;
mod labels;
mod ndjson;

use bytes::Bytes;
use locard_event::{Event, Timestamp, name, time_suspect};
use locard_parse::{Context, normalise};
use locard_wire::{Ack, CompressionError, DecodeError, Encoding, Rejected};

use crate::delivery::{Door, Error};
use crate::wal::ReadLimits;

/// Refused lines listed one by one in an answer; how many more there were is said in one further entry.
const LISTED_REJECTIONS: usize = 100;

/// Most values that the lists of one event hold together; the rest is left out and marked. An event is decoded, indexed and answered
/// as a whole.
const MAX_LIST_VALUES: usize = 1 << 14;
/// Most values in one NDJSON body, and most values that the lists of one body hold together: a value takes two bytes of text and ten
/// times that in memory.
const MAX_BODY_VALUES: usize = 1 << 22;

/// What a body holds.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Without ids.
    pub(crate) events: Vec<Event>,
    /// The answer.
    pub(crate) ack: Ack,
    /// How many lines were refused, listed or not.
    pub(crate) rejected: u64,
    /// What was cut.
    pub(crate) cuts: Cuts,
}

/// What was cut to stay within the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Messages and field values cut at `max_line_bytes`.
    pub(crate) values: u64,
    /// Fields left out at `max_fields`, and values of lists at [`MAX_LIST_VALUES`].
    pub(crate) fields: u64,
}

/// An event before it is bounded and normalised.
struct Raw {
    event: Event,
    /// The source gave the time.
    time_known: bool,
    /// The message is the object as received, whose members are fields already: there is nothing more to read in it.
    whole_line: bool,
    /// Fields left out already.
    left_out: usize,
}

/// Lines that were refused.
#[derive(Default)]
struct Rejections {
    listed: Vec<Rejected>,
    count: u64,
    last_line: u64,
}

/// Reads a body received at `received`.
///
/// # Errors
/// The body as a whole cannot be read, or exceeds a limit.
pub(crate) fn receive(
    door: &Door,
    encoding: Encoding,
    body: &Bytes,
    received: Timestamp,
    limits: &ReadLimits,
) -> Result<Received, Error> {
    let plain = expand(body, encoding, limits.max_decompressed_bytes)?;
    let mut rejections = Rejections::default();
    let raw = match door {
        Door::Otlp => otlp(locard_wire::decode(&plain, received, limits.max_fields), received)?,
        Door::OtlpJson => otlp(locard_wire::decode_json(&plain, received, limits.max_fields), received)?,
        Door::Ndjson { time_fields, message_fields, stream_fields, dataset, keep_original } => {
            let names = ndjson::Names { time_fields, message_fields, stream_fields, dataset };
            let options = ndjson::Options { names, keep_original: *keep_original, received, limits };
            ndjson::read(&plain, &options, &mut rejections)?
        }
    };
    if raw.len() > limits.max_events {
        return Err(Error::TooMany { max_events: limits.max_events });
    }
    let mut cuts = Cuts::default();
    let mut room = MAX_BODY_VALUES;
    let events: Vec<Event> =
        raw.into_iter().map(|raw| finish(raw, received, limits, &mut room, &mut cuts)).collect();
    let rejected = rejections.count;
    let ack = Ack { accepted: events.len() as u64, rejected: rejections.list() };
    Ok(Received { events, ack, rejected, cuts })
}

fn expand(body: &Bytes, encoding: Encoding, max_bytes: usize) -> Result<Bytes, Error> {
    if encoding == Encoding::Identity {
        return if body.len() > max_bytes { Err(Error::TooLarge { max_bytes }) } else { Ok(body.clone()) };
    }
    match locard_wire::decompress(body, encoding, max_bytes) {
        Ok(plain) => Ok(plain.into()),
        Err(CompressionError::TooLarge { max_bytes }) => Err(Error::TooLarge { max_bytes }),
        Err(error @ CompressionError::Malformed { .. }) => {
            Err(Error::Malformed { line: None, reason: error.to_string() })
        }
    }
}

fn otlp(decoded: Result<Vec<Event>, DecodeError>, received: Timestamp) -> Result<Vec<Raw>, Error> {
    let events = decoded.map_err(refuse)?;
    let raw = |event: Event| Raw {
        time_known: locard_wire::time_known(&event, received),
        event,
        whole_line: false,
        left_out: 0,
    };
    Ok(events.into_iter().map(raw).collect())
}

fn refuse(error: DecodeError) -> Error {
    match error {
        DecodeError::TooMany { limit, .. } => Error::TooMany { max_events: limit },
        DecodeError::Json(ref json) => {
            let line = Some(json.line() as u64).filter(|line| *line > 0);
            Error::Malformed { line, reason: error.to_string() }
        }
        DecodeError::Protobuf(_) => Error::Malformed { line: None, reason: error.to_string() },
    }
}

/// `room` is how many more values the lists of this body may hold.
fn finish(raw: Raw, received: Timestamp, limits: &ReadLimits, room: &mut usize, cuts: &mut Cuts) -> Event {
    let Raw { mut event, time_known, whole_line, mut left_out } = raw;
    let mut cut = bound::cut_message(&mut event, limits.max_line_bytes);
    // A line without a time was written about when it was read, which a collector that was cut off did long before today.
    let observed = event.time;
    if !whole_line {
        normalise(&mut event, Context { received: if time_known { received } else { observed }, time_known });
    }
    if !time_known && event.time == observed {
        event.fields.remove(name::CREATED);
    }
    left_out += bound::shorten_lists(&mut event.fields, MAX_LIST_VALUES, room);
    cut += bound::cut_values(&mut event.fields, limits.max_line_bytes);
    left_out += bound::leave_out(&mut event.fields, limits.max_fields);
    if cut > 0 {
        flag(&mut event, "truncated");
    }
    if left_out > 0 {
        flag(&mut event, "fields_left_out");
    }
    cuts.values += cut as u64;
    cuts.fields += left_out as u64;
    event.ingested = Some(received);
    // A source may not say so itself.
    event.fields.remove(name::TIME_SUSPECT);
    if let Some(why) = time_suspect(event.time, received) {
        event.fields.set(name::TIME_SUSPECT, why);
    }
    event
}

/// Sets a flag that a source (a collector that cut the line already) may have set before.
fn flag(event: &mut Event, flag: &str) {
    let set = event.fields.get(name::FLAGS).is_some_and(|flags| flags.elements().contains(&flag.into()));
    if !set {
        event.fields.append(name::FLAGS, flag);
    }
}

impl Rejections {
    fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        self.last_line = line;
        if self.listed.len() < LISTED_REJECTIONS {
            self.listed.push(Rejected { line, reason });
        }
    }

    fn list(mut self) -> Vec<Rejected> {
        let more = self.count - self.listed.len() as u64;
        if more > 0 {
            let reason = format!("{more} more lines were refused, this one last");
            self.listed.push(Rejected { line: self.last_line, reason });
        }
        self.listed
    }
}
