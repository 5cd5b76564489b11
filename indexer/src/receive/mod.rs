//! Reading a delivery: decompress, split into events, bound them, normalise, mark. Pure: the time of receipt is an argument.
//!
//! The same door, encoding, body, time and limits always give the same events in the same order, which is what lets the log keep
//! bodies as received. Does not know tenants, ids or the log.

mod audit;
mod bound;
mod bulk;
mod direct;
mod hec;
mod json;
mod labels;
mod line;
mod loki;
mod members;
mod ndjson;
mod plan;
mod surrogate;
#[cfg(test)]
mod tests;
mod texts;

use bytes::Bytes;
use locard_event::{Event, Timestamp, Value, name, time_suspect};
use locard_parse::{Context, normalise};
use locard_wire::{Ack, CompressionError, DecodeError, Encoding, Rejected};

use crate::delivery::{Door, Error, Marks};
use crate::ids::Named;
use crate::wal::ReadLimits;

pub use bulk::{Action, ItemFault};
pub(crate) use bulk::{CLIENT_ID, Item, key_of};

/// How much of a refused name is shown in the reason.
const SHOWN_CHARS: usize = 64;

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
    /// What was cut.
    pub(crate) cuts: Cuts,
    /// What became of each document, where the body holds documents.
    pub(crate) items: Vec<Item>,
}

/// What was cut to stay within the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Messages and field values cut at `max_line_bytes`.
    pub(crate) values: u64,
    /// Fields left out at `max_fields` or `max_name_bytes`, and values of lists at [`MAX_LIST_VALUES`].
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
    read_plain(door, &expand(body, encoding, limits, |_| true)?, received, limits)
}

/// Reads an expanded body received at `received`.
///
/// # Errors
/// As [`receive`].
pub(crate) fn read_plain(
    door: &Door,
    plain: &Bytes,
    received: Timestamp,
    limits: &ReadLimits,
) -> Result<Received, Error> {
    let mut rejections = Rejections::default();
    let mut finishing = Finishing::new(received, limits);
    let mut events = Vec::new();
    let mut items = Vec::new();
    match door {
        Door::Otlp | Door::OtlpJson => {
            let decoded = match door {
                Door::Otlp => locard_wire::decode(plain, received, limits.max_fields),
                _ => locard_wire::decode_json(plain, received, limits.max_fields),
            };
            let raw = otlp(decoded, received, &mut rejections)?;
            events.extend(raw.into_iter().map(|raw| finishing.finish(raw)));
        }
        Door::Ndjson { time_fields, message_fields, stream_fields, dataset, keep_original } => {
            let names =
                ndjson::Names { time_fields, message_fields, stream_fields, dataset, of_documents: false };
            let options = ndjson::Options { names, keep_original: *keep_original, received, limits };
            ndjson::read(plain, &options, &mut rejections, |raw| events.push(finishing.finish(raw)))?;
        }
        Door::Hec(origin) | Door::HecRaw(origin) => {
            let raw = matches!(door, Door::HecRaw(_));
            hec::read(plain, origin, raw, (received, limits), |raw| events.push(finishing.finish(raw)))?;
        }
        Door::Loki => loki::read(plain, limits, &mut rejections, |raw| events.push(finishing.finish(raw)))?,
        Door::LokiJson => {
            loki::read_json(plain, limits, &mut rejections, |raw| events.push(finishing.finish(raw)))?;
        }
        Door::K8sAudit => {
            let each = |raw| events.push(finishing.finish(raw));
            audit::read(plain, received, limits, &mut rejections, each)?;
        }
        Door::Documents(bulk) => {
            items = bulk::read(plain, bulk, (received, limits), |raw, counts| {
                let event = finishing.finish(raw);
                if counts {
                    events.push(event);
                }
            })?;
            for (item, number) in items.iter().zip(1u64..) {
                if let Err(fault) = &item.outcome {
                    rejections.add(number, fault.reason.clone());
                }
            }
        }
    }
    if events.len() > limits.max_events {
        return Err(Error::TooMany { max_events: limits.max_events });
    }
    let rejected_count = rejections.count;
    let (accepted, rejected) = (events.len() as u64, rejections.list());
    let ack = Ack { accepted, rejected, rejected_count, ..Ack::default() };
    Ok(Received { events, ack, cuts: finishing.cuts, items })
}

impl Received {
    /// The accepted documents that have an id from their client, by number.
    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, Named)> {
        self.items.iter().enumerate().filter_map(|(number, item)| {
            let id = item.id.as_ref().filter(|_| item.outcome.is_ok())?;
            Some((number, Named::new(&item.index, id)))
        })
    }

    /// The places of the events that have an id from their client, and what stands for it.
    pub(crate) fn keys(&self) -> Vec<(usize, u64)> {
        let key = |item: &Item| {
            let (id, place) = (item.id.as_ref()?, item.outcome.as_ref().ok()?);
            Some((*place, key_of(&item.index, id)))
        };
        self.items.iter().filter_map(key).collect()
    }

    /// Refuses documents, by number and in order, that are there already.
    pub(crate) fn refuse_conflicts(&mut self, numbers: &[usize]) {
        if numbers.is_empty() {
            return;
        }
        let marks = Marks::of(numbers);
        let (mut kept, mut number) = (Vec::with_capacity(self.items.len()), 0);
        for (at, item) in self.items.iter_mut().enumerate() {
            if item.outcome.is_err() {
                continue;
            }
            let refused = marks.has(at);
            item.outcome = if refused {
                Err(ItemFault::conflict(item.id.as_deref().unwrap_or_default()))
            } else {
                number += 1;
                Ok(number - 1)
            };
            kept.push(!refused);
        }
        let mut kept = kept.into_iter();
        self.events.retain(|_| kept.next().unwrap_or(true));
        self.ack.accepted = self.events.len() as u64;
        self.ack.rejected_count += numbers.len() as u64;
        self.ack.conflicts = marks.0;
    }
}

/// Expands a body, asking `room` for the bytes that it takes.
///
/// # Errors
/// The body cannot be expanded, expands beyond the limit, or there is no room.
pub(crate) fn expand(
    body: &Bytes,
    encoding: Encoding,
    limits: &ReadLimits,
    room: impl FnMut(usize) -> bool,
) -> Result<Bytes, Error> {
    let max_bytes = limits.max_decompressed_bytes;
    if encoding == Encoding::Identity {
        return if body.len() > max_bytes { Err(Error::TooLarge { max_bytes }) } else { Ok(body.clone()) };
    }
    match locard_wire::decompress_within(body, encoding, max_bytes, room) {
        Ok(plain) => Ok(plain.into()),
        Err(CompressionError::NoRoom) => Err(Error::BUSY),
        Err(CompressionError::TooLarge { max_bytes }) => Err(Error::TooLarge { max_bytes }),
        Err(error @ CompressionError::Malformed { .. }) => {
            Err(Error::Malformed { line: None, reason: error.to_string() })
        }
    }
}

/// Takes the values of some JSON out of what a body may hold.
fn take_room(text: &[u8], room: &mut usize) -> Result<(), Error> {
    let too_many = || Error::Malformed {
        line: None,
        reason: format!("the body holds more than {MAX_BODY_VALUES} values; send several smaller ones"),
    };
    *room = room.checked_sub(ndjson::count_values(text)).ok_or_else(too_many)?;
    Ok(())
}

/// A record that is refused is named by its number in the request, from 1.
fn otlp(
    decoded: Result<Vec<Event>, DecodeError>,
    received: Timestamp,
    rejections: &mut Rejections,
) -> Result<Vec<Raw>, Error> {
    let events = decoded.map_err(refuse)?;
    let mut raws = Vec::with_capacity(events.len());
    for (event, number) in events.into_iter().zip(1u64..) {
        match check_dataset(&event) {
            Ok(()) => raws.push(Raw {
                time_known: locard_wire::time_known(&event, received),
                event,
                whole_line: false,
                left_out: 0,
            }),
            Err(reason) => rejections.add(number, reason),
        }
    }
    Ok(raws)
}

/// The one rule for datasets, whichever the door and wherever in the event its name stands.
fn check_dataset(event: &Event) -> Result<(), String> {
    let Some(dataset) = event.get(name::DATASET) else { return Ok(()) };
    let bad = |value: &&Value| !matches!(value, Value::Null) && !name::is_dataset(&value.text());
    match dataset.elements().iter().find(bad) {
        None => Ok(()),
        Some(value) => {
            let shown: String = value.text().chars().take(SHOWN_CHARS).collect();
            Err(format!("`event.dataset` is `{}`; it must be {}", shown.escape_debug(), name::DATASET_RULE))
        }
    }
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

/// What the events of one body share on their way to being whole.
struct Finishing<'a> {
    received: Timestamp,
    limits: &'a ReadLimits,
    /// How many more values the lists of this body may hold.
    room: usize,
    labels: labels::Fitting,
    cuts: Cuts,
}

impl<'a> Finishing<'a> {
    fn new(received: Timestamp, limits: &'a ReadLimits) -> Self {
        let labels = labels::Fitting::new(limits.max_labels, limits.max_label_bytes, limits.max_name_bytes);
        Self { received, limits, room: MAX_BODY_VALUES, labels, cuts: Cuts::default() }
    }

    fn finish(&mut self, raw: Raw) -> Event {
        let Raw { mut event, time_known, whole_line, left_out } = raw;
        let cut = bound::cut_message(&mut event, self.limits.max_line_bytes);
        self.labels.fit(&mut event);
        self.normalise(&mut event, time_known, whole_line);
        self.bound(&mut event, cut, left_out);
        event.ingested = Some(self.received);
        // A source may not say so itself.
        event.fields.remove(name::TIME_SUSPECT);
        if let Some(why) = time_suspect(event.time, self.received) {
            event.fields.set(name::TIME_SUSPECT, why);
        }
        event
    }

    /// A line without a time was written about when it was read, which a collector that was cut off did long before today.
    fn normalise(&self, event: &mut Event, time_known: bool, whole_line: bool) {
        let observed = event.time;
        if !whole_line {
            let received = if time_known { self.received } else { observed };
            normalise(event, Context { received, time_known });
        }
        if !time_known && event.time == observed {
            event.fields.remove(name::CREATED);
        }
    }

    /// Cuts the fields to their limits and marks what was cut, here or before.
    fn bound(&mut self, event: &mut Event, mut cut: usize, mut left_out: usize) {
        let limits = self.limits;
        if !bound::is_plain(&event.fields, limits) {
            left_out += bound::leave_out_long_names(&mut event.fields, limits.max_name_bytes);
            left_out += bound::shorten_lists(&mut event.fields, MAX_LIST_VALUES, &mut self.room);
            cut += bound::cut_values(&mut event.fields, limits.max_line_bytes);
            left_out += bound::leave_out(&mut event.fields, limits.max_fields);
        }
        if cut > 0 {
            flag(event, "truncated");
        }
        if left_out > 0 {
            flag(event, "fields_left_out");
        }
        self.cuts.values += cut as u64;
        self.cuts.fields += left_out as u64;
    }
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
