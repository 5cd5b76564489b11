//! [`Log`]: the state as a file of checksummed lines that is appended to, and written anew when it has grown or failed.

use std::borrow::Borrow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{Change, Saved, StateError};

const HEADER: &str = "locard-collector-state 1\n";
/// The file is written anew beyond this and four times what it must hold.
const MIN_COMPACT_BYTES: u64 = 1 << 20;

/// The state's file.
#[derive(Debug)]
pub(super) struct Log {
    directory: PathBuf,
    /// Held, not read: the kernel lets go of it however this process ends.
    _lock: File,
    /// Nothing after a failed write: pages that failed to reach the disk may be lost although a second fsync succeeds.
    file: Option<File>,
    bytes: u64,
    compact_bytes: u64,
    state: Saved,
}

impl Log {
    pub(super) fn open(directory: &Path) -> Result<(Self, Saved), StateError> {
        let failed = |source| StateError::Io { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
        let lock = options.open(directory.join("lock")).map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(StateError::Busy(directory.to_owned()));
        }
        let state = load(directory).map_err(failed)?;
        let (bytes, compact_bytes) = (0, MIN_COMPACT_BYTES);
        let mut log =
            Self { directory: directory.to_owned(), _lock: lock, file: None, bytes, compact_bytes, state };
        // Written anew at once, so that nothing is ever appended to a torn line.
        log.rewrite().map_err(failed)?;
        let saved = log.state.clone();
        Ok((log, saved))
    }

    /// Applies the changes; they are durable when this returns `Ok`.
    pub(super) fn append(&mut self, commits: Vec<Vec<Change>>) -> io::Result<()> {
        let lines = lines(commits.iter())?;
        for change in commits.into_iter().flatten() {
            self.state.apply(change);
        }
        let result = match self.file.take() {
            Some(mut file) if self.bytes < self.compact_bytes => write_durably(&mut file, &lines).map(|()| {
                self.bytes += lines.len() as u64;
                self.file = Some(file);
            }),
            _ => self.rewrite(),
        };
        result.inspect_err(|_| self.file = None)
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let (new, current, old) = (self.path(".new"), self.path(""), self.path(".old"));
        let text = [HEADER.as_bytes(), &lines(self.state.changes().map(|change| vec![change]))?].concat();
        let mut file = File::create(&new)?;
        write_durably(&mut file, &text)?;
        if current.exists() {
            remove_if_there(&old)?;
            std::fs::hard_link(&current, &old)?;
        }
        std::fs::rename(&new, &current)?;
        File::open(&self.directory)?.sync_all()?;
        self.bytes = text.len() as u64;
        self.compact_bytes = MIN_COMPACT_BYTES.max(self.bytes * 4);
        self.file = Some(file);
        Ok(())
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.directory.join(format!("checkpoints{suffix}"))
    }
}

fn write_durably(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// One line a commit: it is there as a whole or not at all.
fn lines(commits: impl Iterator<Item = impl Borrow<Vec<Change>>>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for commit in commits {
        let json = serde_json::to_string(commit.borrow())?;
        bytes.extend_from_slice(format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes())).as_bytes());
    }
    Ok(bytes)
}

/// The current file, or the previous one where the current one is not even one.
fn load(directory: &Path) -> io::Result<Saved> {
    let mut damaged = false;
    for name in ["checkpoints", "checkpoints.old"] {
        let bytes = match std::fs::read(directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if let Some((state, bad_lines)) = parse(&bytes) {
            if damaged || bad_lines > 0 {
                tracing::warn!(file = name, bad_lines, "the state is damaged, lines may be read twice");
            }
            return Ok(state);
        }
        damaged = true;
    }
    if damaged {
        tracing::warn!(directory = %directory.display(), "the state is lost, everything is read from the beginning");
    }
    Ok(Saved::default())
}

/// `None` if the header is missing. A torn last line is no damage: it was never acknowledged.
fn parse(bytes: &[u8]) -> Option<(Saved, usize)> {
    let body = bytes.strip_prefix(HEADER.as_bytes())?;
    let (mut state, mut bad_lines) = (Saved::default(), 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        match parse_line(line) {
            Some(changes) => changes.into_iter().for_each(|change| state.apply(change)),
            None if line.ends_with(b"\n") => bad_lines += 1,
            None => {}
        }
    }
    Some((state, bad_lines))
}

fn parse_line(line: &[u8]) -> Option<Vec<Change>> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, json) = text.split_once(' ')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(json.as_bytes())).then_some(())?;
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::generation::Generation;

    fn record(offset: u64) -> Change {
        let mut generation = Generation::new("/l".into(), "/l".into(), (1, offset));
        generation.record.offset = offset;
        Change::File(generation.record)
    }

    fn offsets(state: &Saved) -> Vec<u64> {
        let mut offsets: Vec<_> = state.files.values().map(|record| record.offset).collect();
        offsets.sort_unstable();
        offsets
    }

    #[test]
    fn every_prefix_of_the_file_is_a_state_that_once_was() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(dir.path()).unwrap();
        let mut lengths = vec![];
        for offset in 1..=3 {
            log.append(vec![vec![record(offset)]]).unwrap();
            lengths.push(std::fs::metadata(dir.path().join("checkpoints")).unwrap().len() as usize);
        }
        drop(log);
        let bytes = std::fs::read(dir.path().join("checkpoints")).unwrap();
        for length in HEADER.len()..=bytes.len() {
            let (state, bad_lines) = parse(&bytes[..length]).unwrap();
            let complete = lengths.iter().filter(|end| **end <= length).count() as u64;
            assert_eq!(offsets(&state), (1..=complete).collect::<Vec<_>>(), "cut at {length}");
            assert_eq!(bad_lines, 0);
        }
    }

    #[test]
    fn a_flipped_bit_costs_one_line_and_an_empty_file_falls_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoints");
        let (mut log, _) = Log::open(dir.path()).unwrap();
        log.append(vec![vec![record(1)], vec![record(2)]]).unwrap();
        drop(log);
        let good = std::fs::read(&path).unwrap();
        for at in HEADER.len()..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            let (state, _) = parse(&bad).unwrap();
            assert!(offsets(&state).iter().all(|offset| [1, 2].contains(offset)), "flipped at {at}");
        }
        drop(Log::open(dir.path()).unwrap());
        std::fs::write(&path, "").unwrap();
        let (_log, saved) = Log::open(dir.path()).unwrap();
        assert_eq!(offsets(&saved), [1, 2]);
    }

    #[test]
    fn a_path_that_is_no_text_comes_back_and_so_do_its_neighbours() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/l/caf\xe9.log"));
        let generation = Generation::new(odd.into(), odd.into(), (1, 1));
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(dir.path()).unwrap();
        log.append(vec![vec![record(7), Change::File(generation.record.clone())]]).unwrap();
        drop(log);
        // Written anew, and appended to once more.
        for _ in 0..2 {
            let (mut log, saved) = Log::open(dir.path()).unwrap();
            assert_eq!(saved.files.get(&generation.record.uuid), Some(&generation.record));
            assert_eq!(offsets(&saved), [0, 7]);
            log.append(vec![vec![Change::File(generation.record.clone())]]).unwrap();
        }
    }

    #[test]
    fn two_collectors_do_not_share_a_state() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Log::open(dir.path()).unwrap();
        assert!(matches!(Log::open(dir.path()), Err(StateError::Busy(_))));
    }

    #[test]
    fn a_grown_file_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(dir.path()).unwrap();
        let commit = vec![record(1)];
        let bytes = lines(std::iter::once(&commit)).unwrap().len() as u64;
        let mut commits = MIN_COMPACT_BYTES / bytes;
        log.append(vec![commit.clone(); usize::try_from(commits).unwrap()]).unwrap();
        while log.bytes > MIN_COMPACT_BYTES / 2 {
            log.append(vec![commit.clone()]).unwrap();
            commits += 1;
            assert!(commits < 2 * MIN_COMPACT_BYTES / bytes, "never written anew");
        }
        drop(log);
        let (_log, saved) = Log::open(dir.path()).unwrap();
        assert_eq!(offsets(&saved), [1]);
    }
}
