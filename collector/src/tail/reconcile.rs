//! What a scan found, matched with what is known of a log: the same file, a copy of one, or a new generation.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::content::{Content, Stat};
use super::generation::Generation;
use super::log::{Deferred, Log};
use super::rotation::{ages, is_sibling};
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
struct Candidate {
    path: PathBuf,
    stat: Stat,
    content: Content,
    /// It was deferred long enough, or is no fresh file.
    believed: bool,
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
            self.place(candidate, moment);
        }
        self.sort(&before);
    }

    /// Believes what was deferred long enough.
    pub(crate) fn recheck(&mut self, moment: Moment<'_>) {
        let before: Vec<_> = self.generations.iter().map(|generation| generation.record.uuid).collect();
        for candidate in self.believed(moment) {
            self.place(candidate, moment);
        }
        self.sort(&before);
    }

    /// Looks in the log's directory for what vanished: rotation may have given it a name that no source asks for. Blocks.
    pub(crate) fn search(&mut self, moment: Moment<'_>) {
        self.search = false;
        let Some(directory) = self.log.parent() else { return };
        let Ok(entries) = std::fs::read_dir(directory) else { return };
        let before: Vec<_> = self.generations.iter().map(|generation| generation.record.uuid).collect();
        let siblings =
            entries.filter_map(Result::ok).filter(|entry| is_sibling(&self.log, &entry.file_name()));
        for path in siblings.map(|entry| entry.path()).collect::<Vec<_>>() {
            let Some(candidate) = self.open(path, None, moment) else { continue };
            let known =
                |generation: &Generation| generation.present && generation.inode() == candidate.stat.inode;
            if !self.generations.iter().any(known) {
                self.find_again(candidate, moment);
            }
        }
        self.sort(&before);
    }

    /// A sibling that is a vanished generation, or newer than one.
    fn find_again(&mut self, mut candidate: Candidate, moment: Moment<'_>) {
        let vanished = |generation: &Generation| !generation.present && generation.deleted_since.is_none();
        let same = |generation: &mut Generation| {
            let moved = generation.inode() == candidate.stat.inode || generation.record.offset > 0;
            moved && vanished(generation) && generation.matches(&mut candidate.content)
        };
        let twin = self.generations.iter_mut().position(same);
        if let Some(index) = twin {
            self.adopt(index, candidate, moment);
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
        let Some(Generation { record, content, shadow, .. }) = self.generations.get(index) else {
            return false;
        };
        content.is_some()
            || shadow.is_some()
            || record.offset == 0
            || (record.finished && record.modified == file.stat.modified)
            || self.is_same_content(index, &file.path, moment)
    }

    /// An inode says little: deleted files' inodes are given to new files at once.
    fn is_same_content(&mut self, index: usize, path: &Path, moment: Moment<'_>) -> bool {
        let Some(mut candidate) = self.open(path.to_owned(), None, moment) else { return true };
        let Some(generation) = self.generations.get_mut(index) else { return false };
        generation.matches(&mut candidate.content)
    }

    fn candidate(&self, file: FoundFile, moment: Moment<'_>) -> Option<Candidate> {
        let inode = file.stat.inode;
        let deferred = self
            .deferred
            .iter()
            .any(|deferred| deferred.content.stat().is_ok_and(|stat| stat.inode == inode));
        if deferred { None } else { self.open(file.path, file.file, moment) }
    }

    fn open(&self, path: PathBuf, file: Option<std::fs::File>, moment: Moment<'_>) -> Option<Candidate> {
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
        let candidate = |Deferred { path, content, .. }: Deferred| {
            let stat = content.stat().ok()?;
            Some(Candidate { path, stat, content, believed: true })
        };
        ready.into_iter().filter_map(candidate).collect()
    }

    /// A copy of a known generation takes its place or stays in its shadow; anything else is new.
    fn place(&mut self, mut candidate: Candidate, moment: Moment<'_>) {
        let rotated = candidate.path != self.log;
        if rotated && let Some(index) = self.twin(&mut candidate) {
            match self.generations.get(index) {
                Some(original) if original.present => {
                    let uuid = original.record.uuid;
                    let mut shadow = self.generation(candidate, moment);
                    shadow.shadow = Some(uuid);
                    shadow.content = None;
                    self.generations.push(shadow);
                }
                _ => self.adopt(index, candidate, moment),
            }
            return;
        }
        let is_fresh = age(candidate.stat.modified) < moment.limits.rotate_grace;
        let may_be_copied = self.generations.iter().any(|generation| generation.record.offset > 0);
        if rotated && is_fresh && !candidate.believed && may_be_copied {
            let Candidate { path, content, .. } = candidate;
            self.deferred.push(Deferred { path, content, until: moment.now + moment.limits.rotate_grace });
            return;
        }
        let mut new = self.generation(candidate, moment);
        // A file that was deleted before its turn is read from what is still open.
        new.present = new.deleted_since.is_none();
        self.changes.push(Change::File(new.record.clone()));
        self.generations.push(new);
    }

    fn generation(&self, candidate: Candidate, moment: Moment<'_>) -> Generation {
        let Candidate { path, stat, content, .. } = candidate;
        let mut new = Generation::new(self.log.clone(), path, stat.inode);
        new.content = Some(content);
        new.present = true;
        new.seen(stat, moment.now);
        new
    }

    /// A generation of which the candidate holds everything that was consumed, as gzip or as a copy.
    fn twin(&mut self, candidate: &mut Candidate) -> Option<usize> {
        self.generations.iter_mut().position(|generation| {
            generation.shadow.is_none()
                && generation.record.offset > 0
                && generation.matches(&mut candidate.content)
        })
    }

    /// The generation at `index` goes on in this file.
    fn adopt(&mut self, index: usize, candidate: Candidate, moment: Moment<'_>) {
        let Some(generation) = self.generations.get_mut(index) else { return };
        tracing::debug!(from = %generation.record.path.display(), to = %candidate.path.display(), "goes on in a copy");
        count(&moment.metrics.rotations, "copy", 1);
        generation.record.path = candidate.path;
        (generation.record.device, generation.record.inode) = candidate.stat.inode;
        generation.present = true;
        generation.lost_until = None;
        generation.deleted_since = None;
        generation.retry_at = None;
        if generation.record.finished {
            // Read to its end; only the name and the inode are new.
            generation.content = None;
            generation.size = candidate.stat.size;
            generation.modified = candidate.stat.modified;
            generation.record.modified = candidate.stat.modified;
        } else {
            generation.exhausted = false;
            generation.fruitless_at = None;
            generation.content = Some(candidate.content);
            generation.seen(candidate.stat, moment.now);
        }
        self.changes.push(Change::File(generation.record.clone()));
    }

    /// Copies whose original is gone now take its place.
    fn settle_shadows(&mut self, moment: Moment<'_>) {
        let mut index = 0;
        while let Some(shadow) = self.generations.get(index) {
            let of = shadow.shadow;
            let original =
                self.generations.iter().position(|other| Some(other.record.uuid) == of && !other.present);
            let (Some(original), true) = (original, shadow.present) else {
                index += 1;
                continue;
            };
            let path = shadow.record.path.clone();
            let opened = self.open(path, None, moment);
            let matching = opened.and_then(|mut candidate| {
                let original = self.generations.get_mut(original)?;
                original.matches(&mut candidate.content).then_some(candidate)
            });
            match matching {
                Some(candidate) => {
                    self.adopt(original, candidate, moment);
                    self.generations.remove(index);
                }
                None => index += 1,
            }
        }
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

impl Generation {
    /// Whether `content` holds everything that was consumed of this generation. What cannot be read does not.
    fn matches(&self, content: &mut Content) -> bool {
        self.record.fingerprint.matches(content, self.record.offset).unwrap_or(false)
    }
}

/// How long ago a file was written to last.
fn age(modified: i64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_nanos(u64::try_from(modified).unwrap_or_default()))
}
