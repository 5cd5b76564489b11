//! [`Frame`]: one batch in the log, as received; [`End`]: the mark of a segment that was closed cleanly. Pure: bytes in, frames out.

use bytes::Bytes;
use locard_event::Timestamp;
use locard_store::BatchRow;
use locard_wire::Encoding;

use super::bytes::{Reader, put_text};
use crate::{Door, answer};

/// Length of what stands before a frame's payload.
pub(super) const HEAD_BYTES: usize = 32;
/// Begins every frame.
const FRAME_MARKER: [u8; 4] = *b"LFR2";
/// Begins the mark at the end of a segment that was closed cleanly.
const END_MARKER: [u8; 4] = *b"LEND";
/// Length of what begins a head.
pub(super) const MARKER_BYTES: usize = 4;
/// Longest payload that a frame may have: replay takes a longer one for damage.
pub(super) const MAX_PAYLOAD_BYTES: usize = crate::settings::MAX_BODY_BYTES + (1 << 20);

/// One batch as received, with what is needed to read it again in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The tenant's partition.
    pub(crate) partition: u32,
    /// The tenant.
    pub(crate) tenant: String,
    /// Sequence number of the first event.
    pub(crate) first: u64,
    /// How many events were accepted.
    pub(crate) count: u32,
    /// When they were accepted.
    pub(crate) ingested: Timestamp,
    /// The limits they were read with.
    pub(crate) limits: ReadLimits,
    /// How to read the body.
    pub(crate) door: Door,
    /// How the body is compressed.
    pub(crate) encoding: Encoding,
    /// The batch's name and answer, if the sender named it.
    pub(crate) named: Option<Named>,
    /// The body.
    pub(crate) body: Bytes,
}

/// The limits that shape how a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadLimits {
    /// Largest body after decompression.
    pub(crate) max_decompressed_bytes: usize,
    /// Most events in it.
    pub(crate) max_events: usize,
    /// Longest message.
    pub(crate) max_line_bytes: usize,
    /// Most fields in one event.
    pub(crate) max_fields: usize,
    /// Longest name of a field.
    pub(crate) max_name_bytes: usize,
    /// Most labels of a stream.
    pub(crate) max_labels: usize,
    /// Most bytes of them.
    pub(crate) max_label_bytes: usize,
}

/// A batch's name, `source/first-last`, and the answer it got, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) batch: String,
    pub(crate) answer: String,
}

/// The mark at the end of a segment that was closed cleanly: everything before it counts, and where the sequences stood then. So
/// damage of the last frame is told from a torn one, and what was lost with it keeps its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End(pub(crate) Vec<(u32, u64)>);

/// What a head stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Frame,
    End,
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) length: usize,
    pub(super) checksum: u32,
}

impl Kind {
    /// What begins with these bytes.
    pub(super) fn of(marker: &[u8]) -> Option<Self> {
        [(FRAME_MARKER, Self::Frame), (END_MARKER, Self::End)]
            .into_iter()
            .find_map(|(known, kind)| (known == marker).then_some(kind))
    }
}

impl Head {
    /// The head at `offset` of a segment with this nonce, if there is one.
    pub(super) fn decode(bytes: &[u8], nonce: u64, offset: u64) -> Option<Self> {
        let (found, head) = Self::decode_any(bytes, offset)?;
        (found == nonce).then_some(head)
    }

    /// As [`Head::decode`] where the nonce is not known.
    pub(super) fn decode_any(bytes: &[u8], offset: u64) -> Option<(u64, Self)> {
        let (covered, sum) = bytes.get(..HEAD_BYTES)?.split_at_checked(HEAD_BYTES - 4)?;
        let mut reader = Reader(covered);
        let kind = Kind::of(reader.take(MARKER_BYTES)?)?;
        let (nonce, place, length, checksum) = (reader.u64()?, reader.u64()?, reader.u32()?, reader.u32()?);
        let sound = place == offset && Reader(sum).u32()? == crc32c::crc32c(covered);
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_PAYLOAD_BYTES)?;
        sound.then_some((nonce, Self { kind, length, checksum }))
    }

    /// Puts the head before the payload that stands in `out` behind the room left for the head at `start`.
    fn put(marker: [u8; MARKER_BYTES], nonce: u64, offset: u64, start: usize, out: &mut [u8]) {
        let payload = out.get(start + HEAD_BYTES..).unwrap_or_default();
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(&marker);
        head.extend_from_slice(&nonce.to_le_bytes());
        head.extend_from_slice(&offset.to_le_bytes());
        head.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        head.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
        if let Some(slot) = out.get_mut(start..start + HEAD_BYTES) {
            slot.copy_from_slice(&head);
        }
    }
}

impl End {
    /// The mark, to be written at `offset` of a segment with this nonce.
    pub(super) fn encode(&self, nonce: u64, offset: u64) -> Vec<u8> {
        let mut out = vec![0; HEAD_BYTES];
        for (partition, next) in &self.0 {
            out.extend_from_slice(&partition.to_le_bytes());
            out.extend_from_slice(&next.to_le_bytes());
        }
        Head::put(END_MARKER, nonce, offset, 0, &mut out);
        out
    }

    /// Reads a payload whose checksum is right.
    pub(super) fn decode_payload(payload: &[u8]) -> Self {
        let mut reader = Reader(payload);
        let pairs = std::iter::from_fn(|| Some((reader.u32()?, reader.u64()?)));
        Self(pairs.collect())
    }
}

impl ReadLimits {
    /// In the order in which they are written.
    fn numbers(&self) -> [usize; 7] {
        [
            self.max_decompressed_bytes,
            self.max_events,
            self.max_line_bytes,
            self.max_fields,
            self.max_name_bytes,
            self.max_labels,
            self.max_label_bytes,
        ]
    }
}

impl Frame {
    /// Appends the frame to `out`, to be written at `offset` of a segment with this nonce.
    pub(super) fn encode(&self, nonce: u64, offset: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + HEAD_BYTES, 0);
        self.encode_payload(out);
        Head::put(FRAME_MARKER, nonce, offset, start, out);
    }

    /// Whether replay will read it.
    pub(super) fn fits(&self) -> bool {
        let mut before = Vec::new();
        self.encode_before_body(&mut before);
        before.len().saturating_add(self.body.len()) <= MAX_PAYLOAD_BYTES
    }

    fn encode_payload(&self, out: &mut Vec<u8>) {
        self.encode_before_body(out);
        out.extend_from_slice(&self.body);
    }

    fn encode_before_body(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.partition.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.ingested.nanos().to_le_bytes());
        for limit in self.limits.numbers() {
            out.extend_from_slice(&(limit as u64).to_le_bytes());
        }
        out.push(encoding_code(self.encoding));
        put_text(&self.tenant, out);
        put_text(&serde_json::to_string(&self.door).unwrap_or_default(), out);
        let (batch, answer) = self.named.as_ref().map_or(("", ""), |named| (&named.batch, &named.answer));
        put_text(batch, out);
        put_text(answer, out);
    }

    /// Reads a payload whose checksum is right; `None` if it says what this version cannot read.
    pub(super) fn decode_payload(payload: &Bytes) -> Option<Self> {
        let mut reader = Reader(payload);
        let (partition, first, count, ingested) =
            (reader.u32()?, reader.u64()?, reader.u32()?, reader.i64()?);
        let mut limit = || usize::try_from(reader.u64()?).ok();
        let limits = ReadLimits {
            max_decompressed_bytes: limit()?,
            max_events: limit()?,
            max_line_bytes: limit()?,
            max_fields: limit()?,
            max_name_bytes: limit()?,
            max_labels: limit()?,
            max_label_bytes: limit()?,
        };
        let encoding = encoding_of(reader.u8()?)?;
        let tenant = reader.text()?.to_owned();
        let door = serde_json::from_str(reader.text()?).ok()?;
        let (batch, answer) = (reader.text()?, reader.text()?);
        let named = (!batch.is_empty()).then(|| Named { batch: batch.to_owned(), answer: answer.to_owned() });
        let body = payload.slice(payload.len() - reader.0.len()..);
        let ingested = Timestamp::from_nanos(ingested);
        Some(Self { partition, tenant, first, count, ingested, limits, door, encoding, named, body })
    }

    /// What is known of a named batch from now on.
    pub(crate) fn row(&self) -> Option<BatchRow> {
        let Named { batch, answer } = self.named.as_ref()?;
        let answer = answer::with_first(answer, self.first);
        Some(BatchRow { partition: self.partition, batch: batch.clone(), answer, accepted: self.ingested })
    }

    /// One past the sequence number of the last event.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }
}

fn encoding_code(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Identity => 0,
        Encoding::Gzip => 1,
        Encoding::Zstd => 2,
        Encoding::Deflate => 3,
        Encoding::Snappy => 4,
    }
}

fn encoding_of(code: u8) -> Option<Encoding> {
    Some(match code {
        0 => Encoding::Identity,
        1 => Encoding::Gzip,
        2 => Encoding::Zstd,
        3 => Encoding::Deflate,
        4 => Encoding::Snappy,
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::wal) fn frame(first: u64, count: u32, body: &'static str) -> Frame {
        Frame {
            partition: 3,
            tenant: "default".into(),
            first,
            count,
            ingested: Timestamp::from_seconds(1_764_000_000),
            limits: ReadLimits {
                max_decompressed_bytes: 1 << 26,
                max_events: 1_000_000,
                max_line_bytes: 1 << 20,
                max_fields: 1_000,
                max_name_bytes: 1 << 10,
                max_labels: 128,
                max_label_bytes: 1 << 14,
            },
            door: Door::ndjson(),
            encoding: Encoding::Zstd,
            named: first
                .is_multiple_of(2)
                .then(|| Named { batch: format!("a/{first}-9"), answer: "{}".into() }),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a_frame_round_trips() {
        for door in [Door::Otlp, Door::OtlpJson, Door::ndjson()] {
            for encoding in
                [Encoding::Identity, Encoding::Gzip, Encoding::Zstd, Encoding::Deflate, Encoding::Snappy]
            {
                let frame = Frame { door: door.clone(), encoding, ..frame(4, 2, "{}\n{}") };
                let mut bytes = b"before".to_vec();
                frame.encode(9, 6, &mut bytes);
                let head = Head::decode(&bytes[6..], 9, 6).unwrap();
                let payload = Bytes::copy_from_slice(&bytes[6 + HEAD_BYTES..]);
                assert_eq!(
                    head,
                    Head { kind: Kind::Frame, length: payload.len(), checksum: crc32c::crc32c(&payload) }
                );
                assert_eq!(Frame::decode_payload(&payload), Some(frame));
            }
        }
    }

    #[test]
    fn a_head_is_only_one_at_its_own_place_in_its_own_segment() {
        let mut bytes = Vec::new();
        frame(0, 1, "x").encode(9, 100, &mut bytes);
        assert!(Head::decode(&bytes, 9, 100).is_some());
        assert!(Head::decode(&bytes, 8, 100).is_none());
        assert!(Head::decode(&bytes, 9, 101).is_none());
        for bit in 0..HEAD_BYTES * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::decode(&flipped, 9, 100).is_none(), "bit {bit}");
        }
    }
}
