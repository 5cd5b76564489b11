//! What a scan found, matched with what is known of a log: the same file, a copy of one, or a new generation.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::content::{Content, Stat};
use super::generation::Generation;
use super::log::{Deferred, Log};
use super::rotation::{ages, is_generation, is_sibling};
use crate::checkpoint::Change;
use crate::metrics::{Metrics, count};
use crate::settings::Limits;
use crate::source::FoundFile;

/// What the moment gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// When.
    pub(crate) now: Instant,
    /// Bounds.
    pub(crate) limits: &'a Limits,
    /// Counters.
    pub(crate) metrics: &'a Metrics,
}

/// A file with a name, a size and an identity.
pub(super) struct Candidate {
    pub path: PathBuf,
    pub stat: Stat,
    pub content: Content,
    /// It was deferred long enough.
    pub believed: bool,
}

impl Candidate {
    /// Kubelet compresses into `….tmp`, which it then renames.
    fn is_being_compressed(&self) -> bool {
        self.content.is_gzip() && self.path.extension().is_some_and(|extension| extension == "tmp")
    }
}

impl Log {
    /// Takes note of all files that a scan found for this log. Blocks.
    pub(crate) fn reconcile(&mut self, found: Vec<FoundFile>, moment: Moment<'_>) {
        let before: Vec<_> = self.generations.iter().map(|generation| generation.record.uuid).collect();
        for generation in &mut self.generations {
            generation.present = false;
        }
        let mut unknown = Vec::new();
        for file in found {
            if !self.recognise(&file, moment) {
                unknown.extend(self.candidate(file, moment));
            }
        }
        self.settle_shadows(moment);
        unknown.extend(self.believed(moment));
        unknown.sort_by_key(|candidate| candidate.stat.modified);
        for candidate in unknown {
            self.place(candidate, !before.is_empty(), moment);
        }
        self.sort(&before);
    }

    /// Believes what was deferred long enough.
    pub(crate) fn recheck(&mut self, moment: Moment<'_>) {
        let before: Vec<_> = self.generations.iter().map(|generation| generation.record.uuid).collect();
        for candidate in self.believed(moment) {
            self.place(candidate, !before.is_empty(), moment);
        }
        self.sort(&before);
    }

    /// Looks in the log's directory for what vanished: rotation may have given it a name that no source asks for. Blocks.
    pub(crate) fn search(&mut self, moment: Moment<'_>) {
        self.search = false;
        let before: Vec<_> = self.generations.iter().map(|generation| generation.record.uuid).collect();
        let read_last = self.generations.iter().map(|generation| generation.record.modified).max();
        let mut unknown = Vec::new();
        for path in self.siblings() {
            let Some(candidate) = self.open(path, None, moment) else { continue };
            let known = |generation: &Generation| {
                let here = generation.present || generation.content.is_some();
                here && generation.inode() == candidate.stat.inode
            };
            if !self.generations.iter().any(known) {
                unknown.extend(self.find_again(candidate, moment));
            }
        }
        if std::mem::take(&mut self.resumed) {
            self.place_missed(unknown, read_last.unwrap_or_default(), moment);
        }
        self.sort(&before);
    }

    /// Files in the log's directory, and in the one that its link leads to, that are named as rotation may name them.
    fn siblings(&self) -> Vec<PathBuf> {
        let target = self.log.canonicalize().ok().filter(|target| *target != self.log);
        let of = |log: &Path| -> Vec<PathBuf> {
            let entries = log.parent().and_then(|directory| std::fs::read_dir(directory).ok());
            let names = entries.into_iter().flatten().filter_map(Result::ok);
            names.filter(|entry| is_sibling(log, &entry.file_name())).map(|entry| entry.path()).collect()
        };
        std::iter::once(&self.log).chain(&target).flat_map(|log| of(log)).collect()
    }

    /// A sibling that is a vanished generation. Gives it back if it is none.
    fn find_again(&mut self, mut candidate: Candidate, moment: Moment<'_>) -> Option<Candidate> {
        let begun = |generation: &mut Generation| {
            let vanished = !generation.present && generation.deleted_since.is_none();
            vanished && generation.is_begun() && generation.goes_on_in(&mut candidate)
        };
        let found = self.generations.iter_mut().position(begun).or_else(|| self.unbegun(&candidate));
        let Some(index) = found else { return Some(candidate) };
        self.adopt(index, candidate, moment);
        None
    }

    /// Generations that came and were renamed while no collector ran, to names that no source may ask for: they were written to after
    /// what was read last. Older ones had been read, or were there before the log was first followed.
    fn place_missed(&mut self, unknown: Vec<Candidate>, read_last: i64, moment: Moment<'_>) {
        let is_deferred = |deferred: &[Deferred], inode| {
            deferred.iter().any(|other| other.content.stat().is_ok_and(|stat| stat.inode == inode))
        };
        for candidate in unknown {
            let missed = read_last > 0 && candidate.stat.modified > read_last;
            if missed
                && is_generation(&candidate.path)
                && !self.origin.excludes(&candidate.path)
                && !is_deferred(&self.deferred, candidate.stat.inode)
            {
                tracing::info!(path = %candidate.path.display(), "written and renamed while no collector ran");
                self.place(candidate, true, moment);
            }
        }
    }

    /// Whether the file is a known generation under this or another name.
    fn recognise(&mut self, file: &FoundFile, moment: Moment<'_>) -> bool {
        let of_inode = |generation: &&Generation| generation.inode() == file.stat.inode;
        if self.generations.iter().filter(of_inode).any(|generation| generation.present) {
            return true;
        }
        let mut same: Vec<_> = (0..self.generations.len())
            .filter(|index| self.generations.get(*index).as_ref().is_some_and(of_inode))
            .collect();
        // A truncated file leaves its old generation behind under the same inode; the one that is open is the one.
        same.sort_by_key(|index| {
            self.generations.get(*index).is_none_or(|generation| generation.content.is_none())
        });
        let Some(index) = same.into_iter().find(|index| self.is_same(*index, file, moment)) else {
            return false;
        };
        let Some(generation) = self.generations.get_mut(index) else { return false };
        generation.present = true;
        generation.lost_until = None;
        generation.seen(file.stat, moment.now);
        if generation.record.path != file.path {
            count(&moment.metrics.rotations, "rename", 1);
            generation.record.path.clone_from(&file.path);
            self.changes.push(Change::File(generation.record.clone()));
        }
        true
    }

    fn is_same(&mut self, index: usize, file: &FoundFile, moment: Moment<'_>) -> bool {
        let Some(generation) = self.generations.get(index) else { return false };
        let Generation { record, content, shadow, .. } = generation;
        if content.is_some() || shadow.is_some() {
            return true;
        }
        if !generation.is_begun() {
            // Nothing tells it from another file but its name, or that there is still nothing in it.
            return record.path == file.path || file.stat.size == 0;
        }
        let untouched = record.finished && record.modified == file.stat.modified;
        untouched || self.is_same_content(index, file, moment)
    }

    /// An inode says little: deleted files' inodes are given to new files at once.
    fn is_same_content(&mut self, index: usize, file: &FoundFile, moment: Moment<'_>) -> bool {
        let opened = file.file.as_ref().and_then(|file| file.try_clone().ok());
        let Some(mut candidate) = self.open(file.path.clone(), opened, moment) else { return true };
        if candidate.stat.inode != file.stat.inode {
            // Renamed since it was found: the next scan will say where it is.
            return true;
        }
        let Some(generation) = self.generations.get_mut(index) else { return false };
        // Under its own name it may have grown; under another one its inode may have been given to a file that only begins alike.
        let same = match generation.record.path == file.path {
            true => generation.matches(&mut candidate.content),
            false => generation.goes_on_in(&mut candidate),
        };
        if same && !generation.record.finished {
            generation.content = Some(candidate.content);
        }
        same
    }

    /// `None` if the file is deferred, under this or another name.
    fn candidate(&mut self, file: FoundFile, moment: Moment<'_>) -> Option<Candidate> {
        let is_it = |deferred: &&mut Deferred| {
            deferred.content.stat().is_ok_and(|stat| stat.inode == file.stat.inode)
        };
        if let Some(deferred) = self.deferred.iter_mut().find(is_it) {
            deferred.path = file.path;
            return None;
        }
        let candidate = self.open(file.path, file.file, moment)?;
        (candidate.stat.inode == file.stat.inode).then_some(candidate)
    }

    pub(super) fn open(
        &self,
        path: PathBuf,
        file: Option<std::fs::File>,
        moment: Moment<'_>,
    ) -> Option<Candidate> {
        let opened = file.map_or_else(|| self.origin.fence.open(&path), Ok).and_then(|file| {
            let content = Content::new(file)?;
            Ok((content.stat()?, content))
        });
        match opened {
            Ok((stat, content)) => Some(Candidate { path, stat, content, believed: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                moment.metrics.read_errors.inc();
                tracing::debug!(path = %path.display(), %error, "not opened");
                None
            }
        }
    }

    fn believed(&mut self, moment: Moment<'_>) -> Vec<Candidate> {
        let (ready, waiting) =
            std::mem::take(&mut self.deferred).into_iter().partition(|deferred| deferred.until <= moment.now);
        self.deferred = waiting;
        let candidate = |Deferred { path, mut content, .. }: Deferred| {
            let stat = content.stat().ok()?;
            content.detect().ok()?;
            Some(Candidate { path, stat, content, believed: true })
        };
        ready.into_iter().filter_map(candidate).collect()
    }

    /// A copy of a known generation takes its place or stays in its shadow; anything else is new.
    fn place(&mut self, mut candidate: Candidate, may_be_copy: bool, moment: Moment<'_>) {
        let inode = candidate.stat.inode;
        if self.generations.iter().any(|generation| generation.present && generation.inode() == inode) {
            // Recognised by its content while it was deferred.
            return;
        }
        let rotated = candidate.path != self.log;
        if rotated && let Some(index) = self.original_of(&mut candidate) {
            match self.generations.get(index) {
                Some(original) if original.present => {
                    let shadow = Some(original.record.uuid);
                    let copy = self.generation(candidate, moment);
                    self.generations.push(Generation {
                        shadow,
                        content: None,
                        verified: copy.modified,
                        ..copy
                    });
                }
                _ => self.adopt(index, candidate, moment),
            }
            return;
        }
        let is_fresh = age(candidate.stat.modified) < moment.limits.rotate_grace;
        let may_grow_into_copy = rotated && is_fresh && !candidate.believed && may_be_copy;
        if candidate.is_being_compressed() || may_grow_into_copy {
            self.defer(candidate, moment);
        } else if let Some(index) = self.unbegun(&candidate) {
            self.adopt(index, candidate, moment);
        } else {
            let new = self.generation(candidate, moment);
            tracing::debug!(path = %new.record.path.display(), uuid = %new.record.uuid, "a new generation");
            self.changes.push(Change::File(new.record.clone()));
            self.generations.push(new);
        }
    }

    /// A generation of which nothing was read, and that is this file by its inode, or by its name before compression.
    fn unbegun(&self, candidate: &Candidate) -> Option<usize> {
        self.generations.iter().position(|generation| {
            let compressed = candidate.path.extension().is_some_and(|extension| extension == "gz")
                && candidate.path.with_extension("") == generation.record.path;
            let moved = generation.inode() == candidate.stat.inode;
            let gone = !generation.present && generation.content.is_none() && generation.shadow.is_none();
            gone && !generation.is_begun() && (moved || compressed)
        })
    }

    fn defer(&mut self, candidate: Candidate, moment: Moment<'_>) {
        let Candidate { path, content, stat, .. } = candidate;
        // A half of a compressed file that was given up.
        if stat.links == 0 && content.is_gzip() {
            return;
        }
        self.deferred.push(Deferred { path, content, until: moment.now + moment.limits.rotate_grace });
    }

    fn generation(&self, candidate: Candidate, moment: Moment<'_>) -> Generation {
        let Candidate { path, stat, content, .. } = candidate;
        let mut new = Generation::new(self.log.clone(), path, stat.inode);
        new.content = Some(content);
        new.present = true;
        // If it was deleted before its turn, this takes the presence away, and it is read from what is still open.
        new.seen(stat, moment.now);
        new
    }

    /// Oldest first. What has no name any more stays before what came after it.
    fn sort(&mut self, before: &[uuid::Uuid]) {
        let (present, absent): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.generations).into_iter().partition(|generation| generation.present);
        let files: Vec<_> = present
            .iter()
            .map(|generation| (generation.record.path.as_path(), generation.modified))
            .collect();
        let mut keyed: Vec<_> = ages(&self.log, &files).into_iter().zip(present).collect();
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut sorted: Vec<_> = keyed.into_iter().map(|(_, generation)| generation).collect();
        let rank = |generation: &Generation| before.iter().position(|uuid| *uuid == generation.record.uuid);
        for generation in absent.into_iter().rev() {
            let own = rank(&generation).unwrap_or_default();
            // New generations have no rank: they came after everything that was there before, unless they are old names.
            let after =
                |other: &Generation| rank(other).map_or(other.record.path == self.log, |rank| rank > own);
            let at = sorted.iter().position(after).unwrap_or(sorted.len());
            sorted.insert(at, generation);
        }
        self.generations = sorted;
    }
}

/// How long ago a file was written to last.
pub(super) fn age(modified: i64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_nanos(u64::try_from(modified).unwrap_or_default()))
}
