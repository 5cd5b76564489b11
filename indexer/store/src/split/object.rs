//! The container of a split: named sections, a footer, a CRC32C for every 16 KiB page. See `docs/formats/split.md`.
//!
//! Every read goes through [`Object::read`], which checks the pages it touches: what comes out is what was written, or an
//! error. Knows nothing of what the sections hold.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use locard_event::Timestamp;
use uuid::Uuid;

use super::bytes::{self, Input, Malformed, put_bytes, put_varint, put_zigzag};
use super::fault::Fault;
use crate::{Control, SplitMeta, Stop};

const MAGIC: &[u8; 8] = b"LOCSPLIT";
/// Raised whenever a reader of the older version would misread the newer bytes.
const VERSION: u32 = 4;
const PAGE: usize = 16 * 1024;
/// Footer offset, footer length, footer CRC, version, magic.
const TRAILER: usize = 8 + 8 + 4 + 4 + 8;

/// What the footer says of the split itself, so that an object proves whose it is without the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: Uuid,
    pub(crate) partition: u32,
    pub(crate) sequences: Range<u64>,
    pub(crate) events: u64,
    pub(crate) filed: (Timestamp, Timestamp),
}

impl Header {
    pub(crate) fn describes(&self, meta: &SplitMeta) -> bool {
        self.id == meta.id
            && self.partition == meta.partition
            && self.sequences == meta.sequences
            && self.events == meta.events
            && self.filed == meta.filed
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        put_varint(out, u64::from(self.partition));
        put_varint(out, self.sequences.start);
        put_varint(out, self.sequences.end);
        put_varint(out, self.events);
        put_zigzag(out, self.filed.0.nanos());
        put_zigzag(out, self.filed.1.nanos());
    }

    fn decode(input: &mut Input<'_>) -> bytes::Result<Self> {
        let id = Uuid::from_bytes(input.array()?);
        let partition =
            u32::try_from(input.varint()?).map_err(|_| Malformed("the partition is too large"))?;
        let sequences = input.varint()?..input.varint()?;
        let events = input.varint()?;
        let filed = (Timestamp::from_nanos(input.zigzag()?), Timestamp::from_nanos(input.zigzag()?));
        Ok(Self { id, partition, sequences, events, filed })
    }
}

#[derive(Clone, Debug)]
struct Section {
    name: Box<str>,
    range: Range<u64>,
}

/// Writes an object front to back. Not durable before [`ObjectWriter::finish`] returns.
#[derive(Debug)]
pub(crate) struct ObjectWriter {
    file: io::BufWriter<File>,
    written: u64,
    page_sums: Vec<u32>,
    page_sum: u32,
    sections: Vec<Section>,
    control: Arc<Control>,
}

impl ObjectWriter {
    /// The new file `path`. Who writes it asks [`ObjectWriter::check`] between its steps whether `control` stops it.
    pub(crate) fn create(path: &Path, control: &Arc<Control>) -> io::Result<Self> {
        let file = File::options().write(true).create_new(true).open(path)?;
        let file = io::BufWriter::with_capacity(256 * 1024, file);
        let mut writer = Self {
            file,
            written: 0,
            page_sums: Vec::new(),
            page_sum: 0,
            sections: Vec::new(),
            control: Arc::clone(control),
        };
        writer.write_all(MAGIC)?;
        Ok(writer)
    }

    /// An error when the writing is to end here.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        self.control.check()
    }

    /// How many bytes so far.
    pub(crate) fn position(&self) -> u64 {
        self.written
    }

    /// Declares that everything written since `start` is the section `name`.
    pub(crate) fn end_section(&mut self, name: &str, start: u64) {
        self.sections.push(Section { name: name.into(), range: start..self.written });
    }

    /// Writes a whole section.
    pub(crate) fn section(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let start = self.position();
        self.write_all(bytes)?;
        self.end_section(name, start);
        Ok(())
    }

    /// Writes footer and trailer, syncs, and answers the size of the object.
    pub(crate) fn finish(mut self, header: &Header) -> io::Result<u64> {
        if !self.written.is_multiple_of(PAGE as u64) {
            self.page_sums.push(self.page_sum);
        }
        let footer = self.footer(header);
        let mut tail = footer.clone();
        tail.extend_from_slice(&self.written.to_le_bytes());
        tail.extend_from_slice(&(footer.len() as u64).to_le_bytes());
        tail.extend_from_slice(&crc32c::crc32c(&footer).to_le_bytes());
        tail.extend_from_slice(&VERSION.to_le_bytes());
        tail.extend_from_slice(MAGIC);
        let bytes = self.written + tail.len() as u64;
        self.file.write_all(&tail)?;
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(bytes)
    }

    fn footer(&self, header: &Header) -> Vec<u8> {
        let mut footer = Vec::new();
        header.encode(&mut footer);
        put_varint(&mut footer, self.sections.len() as u64);
        for section in &self.sections {
            put_bytes(&mut footer, section.name.as_bytes());
            put_varint(&mut footer, section.range.start);
            put_varint(&mut footer, section.range.end);
        }
        put_varint(&mut footer, self.page_sums.len() as u64);
        self.page_sums.iter().for_each(|sum| footer.extend_from_slice(&sum.to_le_bytes()));
        footer
    }

    fn sum(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = PAGE - (self.written % PAGE as u64) as usize;
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.page_sum = crc32c::crc32c_append(self.page_sum, now);
            self.written += now.len() as u64;
            if now.len() == room {
                self.page_sums.push(std::mem::take(&mut self.page_sum));
            }
            bytes = later;
        }
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.sum(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An object open for reading by ranges.
#[derive(Debug)]
pub(crate) struct Object {
    file: File,
    header: Header,
    body: u64,
    sections: Vec<Section>,
    page_sums: Vec<u32>,
    /// The first mismatch seen: it explains whatever error follows from it.
    corruption: Mutex<Option<String>>,
}

impl Object {
    /// Opens an object and checks its footer; pages are checked when they are read.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let trailer_at =
            length.checked_sub(TRAILER as u64).ok_or_else(|| Fault::Corrupt("it is too short".into()))?;
        let mut trailer = [0; TRAILER];
        file.read_exact_at(&mut trailer, trailer_at)?;
        let (body, footer_sum) = check_trailer(&trailer, trailer_at)?;
        let footer_length =
            usize::try_from(trailer_at - body).map_err(|_| Malformed("the footer is too long"))?;
        let mut footer = vec![0; footer_length];
        file.read_exact_at(&mut footer, body)?;
        if crc32c::crc32c(&footer) != footer_sum {
            return Err(Fault::Corrupt("the footer's checksum differs".into()));
        }
        let (header, sections, page_sums) = read_footer(&footer, body)?;
        Ok(Self { file, header, body, sections, page_sums, corruption: Mutex::new(None) })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Where section `name` lies.
    pub(crate) fn section(&self, name: &str) -> Option<Range<u64>> {
        self.sections.iter().find(|section| &*section.name == name).map(|section| section.range.clone())
    }

    /// The bytes of a range of the body, checked.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let first = range.start / PAGE as u64;
        let start = first * PAGE as u64;
        let end = range.end.div_ceil(PAGE as u64).saturating_mul(PAGE as u64).min(self.body);
        if range.end > self.body {
            return Err(self.corrupt(format!("bytes {range:?} lie outside the body")));
        }
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start).map_err(|error| self.too_short(error))?;
        self.check_pages(&buffer, first)?;
        buffer.truncate((range.end - start) as usize);
        buffer.drain(..(range.start - start) as usize);
        Ok(buffer)
    }

    /// What was found wrong so far.
    pub(crate) fn corruption(&self) -> Option<String> {
        self.corruption.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn check_pages(&self, buffer: &[u8], first: u64) -> io::Result<()> {
        for (page, bytes) in (first..).zip(buffer.chunks(PAGE)) {
            let expected = self.page_sums.get(page as usize);
            if expected != Some(&crc32c::crc32c(bytes)) {
                return Err(self.corrupt(format!("the checksum of page {page} differs")));
            }
        }
        Ok(())
    }

    fn too_short(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.corrupt("it ends too early".into()),
            _ => error,
        }
    }

    fn corrupt(&self, reason: String) -> io::Error {
        let mut slot = self.corruption.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert_with(|| reason.clone());
        io::Error::new(io::ErrorKind::InvalidData, reason)
    }
}

/// Answers where the body ends and the checksum of the footer.
fn check_trailer(trailer: &[u8], trailer_at: u64) -> Result<(u64, u32), Fault> {
    let mut input = Input::new(trailer);
    let (body, footer_length) = (input.u64()?, input.u64()?);
    let (footer_sum, version) = (input.u32()?, input.u32()?);
    if input.array()? != *MAGIC {
        return Err(Fault::Corrupt("it does not end as a split does".into()));
    }
    if version != VERSION {
        return Err(Fault::Corrupt(format!("its format is {version}, this Locard reads {VERSION}")));
    }
    if body.checked_add(footer_length) != Some(trailer_at) {
        return Err(Fault::Corrupt("the footer does not end where the trailer begins".into()));
    }
    Ok((body, footer_sum))
}

fn read_footer(footer: &[u8], body: u64) -> bytes::Result<(Header, Vec<Section>, Vec<u32>)> {
    let mut input = Input::new(footer);
    let header = Header::decode(&mut input)?;
    let mut sections = Vec::new();
    for _ in 0..input.count()? {
        let name = input.text()?.into();
        let range = input.varint()?..input.varint()?;
        if range.start > range.end || range.end > body {
            return Err(Malformed("a section lies outside the body"));
        }
        sections.push(Section { name, range });
    }
    let pages = input.count()?;
    if pages as u64 != body.div_ceil(PAGE as u64) {
        return Err(Malformed("the number of checksums differs"));
    }
    let page_sums = (0..pages).map(|_| input.u32()).collect::<bytes::Result<_>>()?;
    input.end()?;
    Ok((header, sections, page_sums))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let filed = (Timestamp::from_nanos(-1), Timestamp::MAX);
        Header { id: Uuid::from_u128(7), partition: 3, sequences: 5..9, events: 4, filed }
    }

    fn write(path: &Path, sections: &[(&str, Vec<u8>)]) -> u64 {
        let mut writer = ObjectWriter::create(path, &Arc::default()).unwrap();
        for (name, bytes) in sections {
            writer.section(name, bytes).unwrap();
        }
        writer.finish(&header()).unwrap()
    }

    #[test]
    fn sections_come_back_by_any_range() {
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, PAGE - 9, PAGE - 8, PAGE - 7, PAGE, 3 * PAGE + 5] {
            let path = directory.path().join(length.to_string());
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + at / 251) as u8).collect();
            let size = write(&path, &[("one", bytes.clone()), ("two", b"2".to_vec())]);
            assert_eq!(size, path.metadata().unwrap().len());
            let object = Object::open(&path).unwrap();
            assert_eq!(object.header(), &header());
            let one = object.section("one").unwrap();
            assert_eq!(object.read(one.clone()).unwrap(), bytes);
            assert_eq!(object.read(object.section("two").unwrap()).unwrap(), b"2");
            assert_eq!(object.section("three"), None);
            if length > 20 {
                let middle = one.start + 5..one.end - 5;
                assert_eq!(object.read(middle).unwrap(), bytes[5..length - 5]);
            }
        }
    }

    #[test]
    fn no_flipped_bit_goes_unseen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("split");
        let size = write(&path, &[("one", vec![9; PAGE + 100]), ("two", b"2".to_vec())]);
        let good = std::fs::read(&path).unwrap();
        for at in (0..size as usize).step_by(97).chain(size as usize - 200..size as usize) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bad).unwrap();
            let seen = match Object::open(&path) {
                Err(_) => true,
                Ok(object) => object.read(0..object.body).is_err() && object.corruption().is_some(),
            };
            assert!(seen, "bit {} of byte {at}", at % 8);
        }
    }

    #[test]
    fn a_cut_object_does_not_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("split");
        write(&path, &[("one", vec![9; 100])]);
        let good = std::fs::read(&path).unwrap();
        for length in 0..good.len() {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(matches!(Object::open(&path), Err(Fault::Corrupt(_))), "{length}");
        }
    }
}
