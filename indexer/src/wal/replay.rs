//! Reading the log back: frames, torn ends and damage. [`scan`] is pure: a file's bytes in, frames out.
//!
//! A *torn end* is what a crash leaves behind the last complete frame of the newest segment; nothing of it was acked. *Damage* is
//! what cannot be read where a frame must have been; it is skipped to the next frame, and always reported. After a clean stop no
//! damage is of our own making, so it stops the start until somebody says that it may be read around.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::disk::Disk;
use super::frame::{End, Frame, HEAD_BYTES, Head, Kind, MARKER_BYTES};
use super::segment::{self, HEADER_BYTES, Header, Opening};

/// Bytes that cannot be read where a frame must have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) reason: &'static str,
}

/// What one segment holds.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    file: Bytes,
    /// Where the payloads of complete frames are, in order.
    payloads: Vec<Range<usize>>,
    pub(crate) damage: Vec<Damage>,
    /// End of the last complete frame; with an end mark, where that begins.
    pub(crate) valid: u64,
    /// Bytes of the torn end.
    pub(crate) torn: u64,
    /// Where the sequences stood, if the segment was closed cleanly.
    pub(crate) end: Option<End>,
    /// A frame whose checksums are right and which this version cannot read.
    unreadable: Option<u64>,
}

impl Replay {
    /// Complete frames in order. Each is made when it is asked for, and its body is a part of the file.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame> {
        self.payloads.iter().filter_map(|at| Frame::decode_payload(&self.file.slice(at.clone())))
    }

    /// How many complete frames there are.
    pub(crate) fn len(&self) -> usize {
        self.payloads.len()
    }
}

/// A segment file, and how many of its bytes count, where a later segment says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: u64,
    pub(crate) path: PathBuf,
    pub(crate) cut: Option<u64>,
}

/// The segments in `directory` in order.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<Listed>> {
    let mut paths = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if let Some(id) = segment::id_of(&path) {
            paths.insert(id, path);
        }
    }
    let mut cuts = BTreeMap::new();
    for path in paths.values() {
        if let Some((previous, valid)) = read_header(path)?.previous_valid() {
            cuts.insert(previous, valid);
        }
    }
    Ok(paths.into_iter().map(|(id, path)| Listed { id, path, cut: cuts.get(&id).copied() }).collect())
}

fn read_header(path: &Path) -> io::Result<Opening> {
    use io::Read;
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    std::fs::File::open(path)?.take(HEADER_BYTES as u64).read_to_end(&mut bytes)?;
    let (path, opening) = (path.display(), Header::decode(&bytes));
    let text = match opening {
        Opening::NewerVersion(version) => {
            let version = char::from(version);
            format!("{path} has format version {version}: a newer Locard wrote it; start that one")
        }
        Opening::OldVersion => format!(
            "{path} has format version 1: an older Locard wrote it. Start that one, seal (POST /api/admin/seal), stop \
             it, then start this one"
        ),
        Opening::Header(_) | Opening::Damaged => return Ok(opening),
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

impl Opening {
    fn previous_valid(&self) -> Option<(u64, u64)> {
        match self {
            Self::Header(header) => header.previous,
            _ => None,
        }
    }
}

impl Listed {
    /// Reads the file and finds its frames. Where no later segment says how far it counts, what is found is made durable first.
    pub(crate) fn replay(&self, disk: &Disk) -> io::Result<Replay> {
        let bytes = Bytes::from(std::fs::read(&self.path)?);
        let replay = scan(self.id, &bytes, self.cut);
        self.refuse(&replay)?;
        if self.cut.is_none() {
            self.harden(disk, &bytes, bytes.len() as u64 - replay.torn)?;
        }
        Ok(replay)
    }

    /// Refuses what somebody has to decide about.
    fn refuse(&self, replay: &Replay) -> io::Result<()> {
        let (path, accept) = (self.path.display(), segment::acceptance(&self.path));
        let text = if let Some(offset) = replay.unreadable {
            format!(
                "{path} has a frame at byte {offset} that is sound and that this Locard cannot read: another version wrote \
                 it. Start that one, seal (POST /api/admin/seal), stop it, then start this one"
            )
        } else if let (Some(Damage { offset, bytes, .. }), Some(_), false) =
            (replay.damage.first(), &replay.end, accept.exists())
        {
            format!(
                "{path} was closed cleanly and is damaged now, {bytes} bytes at byte {offset}: the disk or somebody changed \
                 it. Put an intact copy in its place; or, to go on without the events in there (placeholders keep their \
                 ids), create the empty file {}",
                accept.display()
            )
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// What was read may be in the page cache alone: the process was killed between a write and its sync, or the sync failed and the
    /// kernel took the pages for clean. They are written anew, so that the sync is about them, and the torn end goes.
    fn harden(&self, disk: &Disk, bytes: &[u8], valid: u64) -> io::Result<()> {
        let counted = usize::try_from(valid).ok().and_then(|valid| bytes.get(..valid)).unwrap_or(bytes);
        let file = Disk::reopen(&self.path)?;
        disk.write(&file, counted, 0)?;
        disk.truncate(&file, valid)?;
        disk.sync(&file)?;
        disk.sync_directory(self.path.parent().unwrap_or_else(|| Path::new(".")))
    }
}

/// What stands at an offset.
enum Found {
    /// A frame whose payload is here.
    Frame(Range<usize>),
    /// The mark of a clean end, up to here.
    End(End, usize),
    /// A sound frame that says what this version cannot read.
    Unreadable,
    /// A sound head before a payload that is not: the next frame's place is known.
    BadPayload(usize),
    /// A sound head whose payload reaches beyond the end.
    Overrun,
    NoHead,
}

/// Finds the frames of segment `id`. `cut`: how many bytes count, if a later segment says so; without it this is the newest one.
pub(crate) fn scan(id: u64, file: &Bytes, cut: Option<u64>) -> Replay {
    let end = cut.and_then(|cut| usize::try_from(cut).ok()).unwrap_or(file.len()).min(file.len());
    let bytes = file.slice(..end);
    let replay = Replay { file: bytes.clone(), ..Replay::default() };
    let mut scan = Scan { id, bytes, nonce: 0, replay };
    let kept = if scan.open() { scan.walk() } else { None };
    scan.judge_end(cut, kept);
    scan.replay
}

struct Scan {
    id: u64,
    bytes: Bytes,
    nonce: u64,
    replay: Replay,
}

impl Scan {
    /// Learns the nonce: from the header, or if that is damaged from the first frame, whose place is fixed.
    fn open(&mut self) -> bool {
        self.replay.valid = HEADER_BYTES.min(self.bytes.len()) as u64;
        if let Opening::Header(header) = Header::decode(&self.bytes) {
            self.nonce = header.nonce;
            return true;
        }
        let first = self.bytes.get(HEADER_BYTES..).unwrap_or_default();
        match Head::decode_any(first, HEADER_BYTES as u64) {
            Some((nonce, _)) => {
                self.nonce = nonce;
                self.damaged(0, HEADER_BYTES, "the segment's header is damaged");
                true
            }
            None => {
                self.replay.valid = 0;
                false
            }
        }
    }

    /// Finds the frames; says where the end mark ends, if there is one.
    fn walk(&mut self) -> Option<usize> {
        let mut at = HEADER_BYTES;
        while at < self.bytes.len() {
            match self.at(at) {
                Found::Frame(payload) => {
                    at = payload.end;
                    self.replay.payloads.push(payload);
                    self.replay.valid = at as u64;
                }
                Found::End(end, next) => {
                    self.replay.end = Some(end);
                    self.replay.valid = at as u64;
                    return Some(next);
                }
                Found::Unreadable => {
                    self.replay.unreadable = Some(at as u64);
                    return None;
                }
                Found::BadPayload(next) => {
                    self.damaged(at, next, "a frame's checksum does not fit");
                    at = next;
                }
                Found::Overrun | Found::NoHead => match self.next_head(at + 1) {
                    Some(next) => {
                        self.damaged(at, next, "no frame where one must begin");
                        at = next;
                    }
                    None => return None,
                },
            }
        }
        None
    }

    fn at(&self, at: usize) -> Found {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let Some(head) = Head::decode(rest, self.nonce, at as u64) else { return Found::NoHead };
        let start = at + HEAD_BYTES;
        let next = start + head.length;
        if next > self.bytes.len() {
            return Found::Overrun;
        }
        let payload = self.bytes.slice(start..next);
        let sound = crc32c::crc32c(&payload) == head.checksum;
        match head.kind {
            // A mark stands for itself; what it says besides is known from the frames, if those are sound.
            Kind::End => Found::End(if sound { End::decode_payload(&payload) } else { End::default() }, next),
            Kind::Frame if !sound => Found::BadPayload(next),
            Kind::Frame if Frame::decode_payload(&payload).is_none() => Found::Unreadable,
            Kind::Frame => Found::Frame(start..next),
        }
    }

    fn next_head(&self, from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        let is_head = |at: &usize| {
            self.bytes.get(*at..).is_some_and(|rest| Head::decode(rest, self.nonce, *at as u64).is_some())
        };
        let marked = rest.windows(MARKER_BYTES).enumerate().filter(|(_, window)| Kind::of(window).is_some());
        marked.map(|(at, _)| from + at).find(is_head)
    }

    fn damaged(&mut self, from: usize, to: usize, reason: &'static str) {
        let (offset, bytes) = (from as u64, (to - from) as u64);
        self.replay.damage.push(Damage { segment: self.id, offset, bytes, reason });
    }

    /// What follows the last complete frame, or the end mark, which ends at `kept`, was torn if nothing says that it counts, and is
    /// damage if a later segment does.
    fn judge_end(&mut self, cut: Option<u64>, kept: Option<usize>) {
        let valid = self.replay.valid;
        let Some(cut) = cut else {
            self.replay.damage.retain(|damage| damage.offset < valid);
            self.replay.torn = self.bytes.len() as u64 - kept.map_or(valid, |kept| kept as u64);
            return;
        };
        let known = self.replay.damage.iter().map(|damage| damage.offset + damage.bytes).max().unwrap_or(0);
        let from = known.max(valid);
        if from < cut {
            let reason = "frames are missing at the segment's end";
            self.replay.damage.push(Damage { segment: self.id, offset: from, bytes: cut - from, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::frame::tests::frame;
    use locard_event::Timestamp;
    use proptest::prelude::*;

    const NONCE: u64 = 0xfeed_beef_0123_4567;

    /// A segment of frames 0, 1, 2, …, one event each, and where each ends.
    fn segment(bodies: &[&'static str]) -> (Vec<u8>, Vec<usize>) {
        let created = Timestamp::from_seconds(1_764_000_000);
        let mut bytes = Header { id: 1, nonce: NONCE, created, previous: None }.encode();
        let mut ends = Vec::new();
        for (first, body) in (0u64..).zip(bodies) {
            let offset = bytes.len() as u64;
            frame(first, 1, body).encode(NONCE, offset, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn firsts(replay: &Replay) -> Vec<u64> {
        replay.frames().map(|frame| frame.first).collect()
    }

    #[test]
    fn every_prefix_gives_the_frames_that_are_complete_in_it_and_no_damage() {
        let (bytes, ends) = segment(&["one", "two two", "", "four"]);
        let file = Bytes::from(bytes);
        for length in 0..=file.len() {
            let replay = scan(1, &file.slice(..length), None);
            let complete = ends.iter().filter(|end| **end <= length).count() as u64;
            assert_eq!(firsts(&replay), (0..complete).collect::<Vec<_>>(), "prefix {length}");
            assert_eq!(replay.damage, [], "prefix {length}");
            assert_eq!(replay.valid + replay.torn, length as u64, "prefix {length}");
        }
    }

    /// The file's size may be durable before its bytes are: the rest reads as zeros.
    #[test]
    fn every_prefix_followed_by_zeros_gives_the_same_frames() {
        let (bytes, ends) = segment(&["one", "two two", "three"]);
        for length in 0..=bytes.len() {
            let mut file = bytes.clone();
            file[length..].fill(0);
            let intact = file.iter().zip(&bytes).take_while(|(one, two)| one == two).count();
            let replay = scan(1, &Bytes::from(file), None);
            let complete = ends.iter().filter(|end| **end <= intact).count() as u64;
            assert_eq!(firsts(&replay), (0..complete).collect::<Vec<_>>(), "prefix {length}");
        }
    }

    #[test]
    fn a_flipped_bit_costs_at_most_its_own_frame_and_is_never_silent() {
        let (bytes, ends) = segment(&["one", "two", "three"]);
        let whole = bytes.len() as u64;
        for bit in 0..bytes.len() * 8 {
            let mut file = bytes.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            let hit = ends.iter().filter(|end| **end <= bit / 8).count() as u64;
            let expected: Vec<u64> = (0..3).filter(|first| *first != hit || bit / 8 < HEADER_BYTES).collect();
            let version = bit / 8 == 7;
            if version {
                continue;
            }
            let replay = scan(1, &Bytes::from(file), Some(whole));
            assert_eq!(firsts(&replay), expected, "bit {bit}");
            assert_eq!(replay.damage.len(), 1, "bit {bit}: {:?}", replay.damage);
        }
    }

    #[test]
    fn behind_an_end_mark_every_damage_is_told_from_a_torn_end() {
        let (mut bytes, ends) = segment(&["one", "two"]);
        let marked = bytes.len();
        let end = End(vec![(3, 2), (9, 7)]);
        bytes.extend(end.encode(NONCE, marked as u64));
        let replay = scan(1, &Bytes::from(bytes.clone()), None);
        assert_eq!((replay.valid, replay.torn, replay.end.as_ref()), (marked as u64, 0, Some(&end)));
        for at in HEADER_BYTES..marked {
            let mut file = bytes.clone();
            file[at] ^= 1;
            let replay = scan(1, &Bytes::from(file), None);
            let lost = u64::from(at >= ends[0]);
            assert_eq!((firsts(&replay), replay.damage.len()), (vec![1 - lost], 1), "byte {at}");
            assert_eq!(replay.end.as_ref(), Some(&end));
        }
        for length in marked..bytes.len() {
            let replay = scan(1, &Bytes::copy_from_slice(&bytes[..length]), None);
            assert_eq!((firsts(&replay), replay.damage, replay.end), (vec![0, 1], vec![], None));
            assert_eq!(replay.torn, (length - marked) as u64);
        }
    }

    #[test]
    fn a_sound_frame_that_cannot_be_read_is_no_damage() {
        let (mut bytes, ends) = segment(&["one"]);
        let odd = Frame { door: crate::Door::ndjson(), ..frame(1, 1, "two") };
        odd.encode(NONCE, ends[0] as u64, &mut bytes);
        let at = bytes.windows(8).rposition(|window| window == b"{\"Ndjson").unwrap();
        bytes[at] = b'?';
        let payload = crc32c::crc32c(&bytes[ends[0] + HEAD_BYTES..]);
        bytes[ends[0] + 24..ends[0] + 28].copy_from_slice(&payload.to_le_bytes());
        let head = crc32c::crc32c(&bytes[ends[0]..ends[0] + 28]);
        bytes[ends[0] + 28..ends[0] + 32].copy_from_slice(&head.to_le_bytes());
        let replay = scan(1, &Bytes::from(bytes), None);
        assert_eq!((firsts(&replay), replay.unreadable), (vec![0], Some(ends[0] as u64)));
    }

    #[test]
    fn what_lies_beyond_a_cut_does_not_count_and_what_lies_before_must_be_there() {
        let (bytes, ends) = segment(&["one", "two", "three"]);
        let file = Bytes::from(bytes);
        let replay = scan(1, &file, Some(ends[0] as u64));
        assert_eq!((firsts(&replay), replay.damage), (vec![0], vec![]));
        let replay = scan(1, &file.slice(..ends[0] + 1), Some(ends[2] as u64));
        assert_eq!(firsts(&replay), [0]);
        let (offset, bytes) = (ends[0] as u64, (ends[2] - ends[0]) as u64);
        let reason = "frames are missing at the segment's end";
        assert_eq!(replay.damage, [Damage { segment: 1, offset, bytes, reason }]);
    }

    #[test]
    fn a_body_cannot_pose_as_a_frame() {
        // A body that holds a whole segment, frames and all, in a frame that is then damaged.
        let (inner, _) = segment(&["fake", "fake"]);
        let inner: &'static [u8] = Box::leak(inner.into_boxed_slice());
        let created = Timestamp::from_seconds(0);
        let mut bytes = Header { id: 1, nonce: NONCE + 1, created, previous: None }.encode();
        let hostile = Frame { body: Bytes::from_static(inner), ..frame(0, 1, "") };
        hostile.encode(NONCE + 1, bytes.len() as u64, &mut bytes);
        let second = bytes.len() as u64;
        frame(1, 1, "real").encode(NONCE + 1, second, &mut bytes);
        bytes[HEADER_BYTES] ^= 1;
        let replay = scan(1, &Bytes::from(bytes), None);
        assert_eq!(firsts(&replay), [1]);
        assert_eq!(replay.damage.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(tail in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..400u64) {
            let (mut bytes, ends) = segment(&["one"]);
            bytes.extend(tail);
            let replay = scan(1, &Bytes::from(bytes), (cut >= ends[0] as u64).then_some(cut));
            prop_assert_eq!(firsts(&replay), vec![0]);
        }
    }
}
