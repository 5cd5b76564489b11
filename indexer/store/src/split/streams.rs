//! The stream table: the labels of every stream of a split, once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use locard_event::{Stream, StreamId};

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint};
use super::ordinals::Ordinals;
use super::pack;

pub(crate) const SECTION: &str = "streams";
/// Most bytes of labels in one split.
const MAX_BYTES: usize = 1 << 30;

/// Gives streams their ordinals, in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct StreamTable {
    streams: Vec<Arc<Stream>>,
    ordinals: HashMap<StreamId, u32, RandomState>,
}

impl StreamTable {
    pub(crate) fn ordinal(&mut self, stream: &Arc<Stream>) -> u32 {
        let next = self.streams.len() as u32;
        *self.ordinals.entry(stream.id()).or_insert_with(|| {
            self.streams.push(Arc::clone(stream));
            next
        })
    }

    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        put_varint(&mut out, self.streams.len() as u64);
        for stream in &self.streams {
            put_varint(&mut out, stream.len() as u64);
            for (name, value) in stream.iter() {
                put_bytes(&mut out, name.as_bytes());
                put_bytes(&mut out, value.as_bytes());
            }
        }
        pack::pack(&out)
    }
}

/// The labels of all streams, each value once: hosts and namespaces stand in many.
#[derive(Debug)]
pub(crate) struct Labels {
    values: Vec<Box<str>>,
    /// For each stream, the places of its values.
    streams: Vec<Vec<u32>>,
}

impl Labels {
    fn place(places: &mut HashMap<Box<str>, u32>, values: &mut Vec<Box<str>>, label: &str) -> u32 {
        if let Some(place) = places.get(label) {
            return *place;
        }
        let place = values.len() as u32;
        places.insert(label.into(), place);
        values.push(label.into());
        place
    }

    pub(crate) fn of(streams: &[Arc<Stream>]) -> Self {
        let (mut values, mut places) = (Vec::new(), HashMap::new());
        let mut of_stream = |stream: &Arc<Stream>| {
            stream.iter().map(|(_, label)| Self::place(&mut places, &mut values, label)).collect()
        };
        let streams = streams.iter().map(&mut of_stream).collect();
        Self { values, streams }
    }

    /// The streams with a label for which `ask` holds.
    pub(crate) fn streams_where(&self, ask: impl Fn(&str) -> bool) -> Ordinals {
        let found: Vec<bool> = self.values.iter().map(|value| ask(value)).collect();
        let mut streams = Ordinals::none(self.streams.len() as u32);
        for (ordinal, places) in (0u32..).zip(&self.streams) {
            if places.iter().any(|place| found.get(*place as usize) == Some(&true)) {
                streams.insert(ordinal);
            }
        }
        streams
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Arc<Stream>>> {
    let raw = pack::unpack(bytes, MAX_BYTES)?;
    let mut input = Input::new(&raw);
    let mut streams = Vec::new();
    for _ in 0..input.count()? {
        let labels = (0..input.length()?)
            .map(|_| Ok((input.text()?, input.text()?)))
            .collect::<Result<Vec<(&str, &str)>>>()?;
        streams.push(Arc::new(Stream::new(labels)));
    }
    input.end()?;
    if streams.is_empty() { Err(Malformed("there is no stream")) } else { Ok(streams) }
}
