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

/// The labels of all streams by name, each value once: hosts and namespaces stand in many.
#[derive(Debug)]
pub(crate) struct Labels {
    names: HashMap<Box<str>, u32, RandomState>,
    values: Vec<Box<str>>,
    /// For each stream the places of its labels' names and values.
    streams: Vec<Box<[(u32, u32)]>>,
}

impl Labels {
    pub(crate) fn of(streams: &[Arc<Stream>]) -> Self {
        let (mut names, mut values, mut places) = (HashMap::default(), Vec::new(), HashMap::default());
        let of_stream = |stream: &Arc<Stream>| {
            let labels = stream.iter().map(|(name, label)| {
                let value = place(&mut places, label, |label| values.push(label.into()));
                (place(&mut names, name, |_| ()), value)
            });
            labels.collect()
        };
        let streams = streams.iter().map(of_stream).collect();
        Self { names, values, streams }
    }

    /// Whether some stream has a label of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The streams with a label for which `ask` holds.
    pub(crate) fn streams_where(&self, ask: impl Fn(&str) -> bool) -> Ordinals {
        let found: Vec<bool> = self.values.iter().map(|value| ask(value)).collect();
        let mut streams = Ordinals::none(self.streams.len() as u32);
        if found.contains(&true) {
            for (ordinal, labels) in (0u32..).zip(&self.streams) {
                if labels.iter().any(|(_, value)| found.get(*value as usize) == Some(&true)) {
                    streams.insert(ordinal);
                }
            }
        }
        streams
    }

    /// The streams whose label of this name is one for which `ask` holds.
    pub(crate) fn streams_with(&self, name: &str, ask: impl Fn(&str) -> bool) -> Ordinals {
        let mut streams = Ordinals::none(self.streams.len() as u32);
        let Some(name) = self.names.get(name) else { return streams };
        let mut known = vec![None; self.values.len()];
        for (ordinal, labels) in (0u32..).zip(&self.streams) {
            let value = labels.iter().find(|(own, _)| own == name).map(|(_, value)| *value as usize);
            let Some((label, known)) = value.and_then(|at| self.values.get(at).zip(known.get_mut(at))) else {
                continue;
            };
            if *known.get_or_insert_with(|| ask(label)) {
                streams.insert(ordinal);
            }
        }
        streams
    }
}

/// The place of a text among others, which is told of if it is new.
fn place(places: &mut HashMap<Box<str>, u32, RandomState>, text: &str, new: impl FnOnce(&str)) -> u32 {
    if let Some(place) = places.get(text) {
        return *place;
    }
    let place = places.len() as u32;
    places.insert(text.into(), place);
    new(text);
    place
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
