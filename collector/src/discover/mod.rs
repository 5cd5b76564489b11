//! Finding logs: a scan of the sources' directories, run again when inotify says that names changed, and periodically because
//! inotify can lose events and does not exist everywhere.

pub(crate) mod watch;

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics::Metrics;
use crate::source::containers::Containers;
use crate::source::file::Files;
use crate::source::{FoundFile, FoundLog, Origin};
use crate::tail::content::Stat;
use crate::tail::open::Fence;
use crate::tail::rotation::base_name;
use watch::Watch;

/// Inodes that are followed already; the others are opened when they are found.
pub(crate) type Known = Arc<Mutex<HashSet<(u64, u64)>>>;

/// A source of files.
#[derive(Debug)]
pub(crate) enum FileSource {
    /// `type: containers`.
    Containers(Containers),
    /// `type: file`.
    Files(Files),
}

/// Scans all sources.
#[derive(Debug)]
pub(crate) struct Discovery {
    sources: Vec<FileSource>,
    known: Known,
    watch: Option<Watch>,
    warned: HashSet<PathBuf>,
    bases: HashSet<PathBuf>,
    metrics: Metrics,
    /// Directories that the last scan could not look into.
    failed: Vec<PathBuf>,
}

/// One scan under way.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    /// What it found.
    pub(crate) logs: Vec<FoundLog>,
    failed: Vec<PathBuf>,
    known: HashSet<(u64, u64)>,
    /// Found in this scan already: a file under two names (a link and its target) is found once.
    seen: HashSet<(u64, u64)>,
    watch: Option<&'a Watch>,
    warned: &'a mut HashSet<PathBuf>,
    /// Logs that had a file of their own name once: rotation may take it away for a moment.
    bases: &'a mut HashSet<PathBuf>,
    metrics: &'a Metrics,
}

/// A name in a directory.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where.
    pub(crate) path: PathBuf,
    /// It is a directory, not a link to one.
    pub(crate) is_dir: bool,
}

/// So many remembered names are enough; a hostile directory must not fill the memory.
const MAX_REMEMBERED: usize = 100_000;

impl Discovery {
    /// Scans these sources; `bases` are logs known from before.
    pub(crate) fn new(
        sources: Vec<FileSource>,
        known: Known,
        watch: Option<Watch>,
        bases: HashSet<PathBuf>,
        metrics: Metrics,
    ) -> Self {
        Self { sources, known, watch, warned: HashSet::new(), bases, metrics, failed: Vec::new() }
    }

    /// Finds every log of every source. Blocks.
    pub(crate) fn scan(&mut self) -> Vec<FoundLog> {
        // Forgotten bases come back with the next scan that finds them.
        for remembered in [&mut self.warned, &mut self.bases] {
            if remembered.len() > MAX_REMEMBERED {
                remembered.clear();
            }
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (watch, warned, bases, metrics) =
            (self.watch.as_ref(), &mut self.warned, &mut self.bases, &self.metrics);
        let mut scan = Scan {
            logs: Vec::new(),
            failed: Vec::new(),
            known,
            seen: HashSet::new(),
            watch,
            warned,
            bases,
            metrics,
        };
        for source in &self.sources {
            match source {
                FileSource::Containers(containers) => containers.scan(&mut scan),
                FileSource::Files(files) => files.scan(&mut scan),
            }
        }
        let Scan { logs, failed, .. } = scan;
        self.failed = failed;
        logs
    }

    /// Whether the last scan could not look where this log is: that nothing was found says nothing then.
    pub(crate) fn is_hidden(&self, log: &Path) -> bool {
        self.failed.iter().any(|directory| log.starts_with(directory))
    }

    /// The labels of a log by its name, if a source asks for it.
    pub(crate) fn origin(&self, log: &Path) -> Option<Arc<Origin>> {
        let origin = self.sources.iter().find_map(|source| match source {
            FileSource::Containers(containers) => containers.origin_of(log),
            FileSource::Files(files) => files.origin_of(log),
        });
        origin.map(Arc::new)
    }
}

impl Scan<'_> {
    /// What a name leads to: a regular file that may be opened, or nothing.
    pub(crate) fn found(&mut self, fence: &Fence, entry: &Entry) -> Option<FoundFile> {
        if entry.is_dir {
            return None;
        }
        if let Ok(metadata) = std::fs::symlink_metadata(&entry.path)
            && metadata.is_file()
            && self.known.contains(&Stat::of(&metadata).inode)
        {
            return self.once(&entry.path, Stat::of(&metadata), None);
        }
        match fence.open(&entry.path).and_then(|file| Ok((Stat::of(&file.metadata()?), file))) {
            Ok((stat, file)) => {
                let file = Some(file).filter(|_| !self.known.contains(&stat.inode));
                self.once(&entry.path, stat, file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.metrics.read_errors.inc();
                self.warn_once(&entry.path, &error.to_string());
                None
            }
        }
    }

    /// The log that a name is a generation of: the one named as it is without what rotation adds, where there is or was one.
    pub(crate) fn log_of(&mut self, path: &Path, names: &BTreeSet<OsString>) -> PathBuf {
        let Some(base) = path.file_name().and_then(|name| name.to_str()).map(base_name) else {
            return path.to_owned();
        };
        let log = path.with_file_name(base);
        if names.contains(OsStr::new(base)) {
            self.bases.insert(log.clone());
        }
        if self.bases.contains(&log) { log } else { path.to_owned() }
    }

    fn once(&mut self, path: &Path, stat: Stat, file: Option<File>) -> Option<FoundFile> {
        self.seen.insert(stat.inode).then(|| FoundFile { path: path.to_owned(), stat, file })
    }

    /// Takes note of a directory that could not be looked into.
    pub(crate) fn failed(&mut self, directory: &Path, problem: &str) {
        self.metrics.read_errors.inc();
        self.warn_once(directory, problem);
        self.failed.push(directory.to_owned());
    }

    /// Warns about a path, the first time.
    pub(crate) fn warn_once(&mut self, path: &Path, problem: &str) {
        if self.warned.insert(path.to_owned()) {
            tracing::warn!(path = %path.display(), problem, "not read");
        }
    }
}

/// The names in a directory, which is watched from before they are read, so that none is missed.
pub(crate) fn list(directory: &Path, scan: &mut Scan<'_>) -> Vec<Entry> {
    if let Some(watch) = scan.watch {
        watch.add(directory);
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                scan.failed(directory, &error.to_string());
            }
            return Vec::new();
        }
    };
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_type().ok()?, entry.path())))
        .collect();
    // Links last: a file that is found under two names is found under its own.
    names.sort_by(|(a, name_a), (b, name_b)| (a.is_symlink(), name_a).cmp(&(b.is_symlink(), name_b)));
    names.into_iter().map(|(kind, path)| Entry { path, is_dir: kind.is_dir() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_looked_into_hides_its_logs() {
        let dir = tempfile::tempdir().unwrap();
        let (root, away) = (dir.path().join("pods"), dir.path().join("away"));
        let log = root.join("ns_pod_uid/app/0.log");
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let source = FileSource::Containers(Containers::new(&root, None, "n1"));
        let mut discovery =
            Discovery::new(vec![source], Known::default(), None, HashSet::new(), Metrics::default());
        for hidden in [false, true, false] {
            if hidden {
                std::fs::rename(&root, &away).unwrap();
            } else if away.exists() {
                std::fs::rename(&away, &root).unwrap();
            }
            discovery.scan();
            assert_eq!(discovery.is_hidden(&log), hidden);
        }
    }
}
