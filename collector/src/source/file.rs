//! Plain files by glob. Rotated siblings are found only if a glob matches them; a file that was followed under its old name is
//! followed under its new one anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use locard_event::name;

use super::{FoundFile, FoundLog, Origin};
use crate::config::FileConfig;
use crate::discover::{Entry, Scan, list};
use crate::tail::open::Fence;

/// Names that syslog daemons give their files.
const SYSLOG_NAMES: &[&str] = &[
    "syslog",
    "messages",
    "secure",
    "auth.log",
    "authpriv.log",
    "kern.log",
    "daemon.log",
    "user.log",
    "mail.log",
    "mail.err",
    "mail.info",
    "mail.warn",
    "maillog",
    "cron",
    "cron.log",
    "debug",
    "ufw.log",
];

/// Directories deeper than this below a `**` are not entered.
const MAX_DEPTH: usize = 16;

/// One `type: file` source.
#[derive(Debug)]
pub(crate) struct Files {
    roots: Vec<Root>,
    exclude: Arc<GlobSet>,
    dataset: Option<String>,
    node: String,
}

/// One glob: the directory its fixed part names, and how deep below it files can match.
#[derive(Debug)]
struct Root {
    fence: Arc<Fence>,
    glob: GlobSet,
    depth: usize,
}

impl Files {
    /// Reads what the globs match.
    ///
    /// # Errors
    /// A glob is malformed.
    pub(crate) fn new(config: &FileConfig, node: &str) -> Result<Self, globset::Error> {
        let roots = config.paths.iter().map(|pattern| Root::new(pattern)).collect::<Result<_, _>>()?;
        let exclude = Arc::new(globs(config.exclude.iter().map(String::as_str))?);
        Ok(Self { roots, exclude, dataset: config.dataset.clone(), node: node.to_owned() })
    }

    /// Finds every log.
    pub(crate) fn scan(&self, scan: &mut Scan<'_>) {
        let mut seen = BTreeSet::new();
        for root in &self.roots {
            self.scan_directory(root, root.fence.root(), root.depth, scan, &mut seen);
        }
    }

    /// The labels of a log, if a glob matches its name.
    pub(crate) fn origin_of(&self, log: &Path) -> Option<Origin> {
        let root = self.roots.iter().find(|root| root.glob.is_match(log) && !self.exclude.is_match(log))?;
        Some(self.origin(log, root))
    }

    fn scan_directory(
        &self,
        root: &Root,
        directory: &Path,
        depth: usize,
        scan: &mut Scan<'_>,
        seen: &mut BTreeSet<PathBuf>,
    ) {
        let entries = list(directory, scan);
        let names: BTreeSet<_> =
            entries.iter().filter_map(|entry| entry.path.file_name().map(ToOwned::to_owned)).collect();
        let mut logs = BTreeMap::<PathBuf, Vec<FoundFile>>::new();
        for entry in &entries {
            if entry.is_dir {
                if depth > 1 {
                    self.scan_directory(root, &entry.path, depth - 1, scan, seen);
                }
            } else if root.glob.is_match(&entry.path)
                && !self.exclude.is_match(&entry.path)
                && seen.insert(entry.path.clone())
            {
                self.found(root, entry, &names, scan, &mut logs);
            }
        }
        for (log, files) in logs {
            let origin = Arc::new(self.origin(&log, root));
            scan.logs.push(FoundLog { log, origin, files });
        }
    }

    fn found(
        &self,
        root: &Root,
        entry: &Entry,
        names: &BTreeSet<std::ffi::OsString>,
        scan: &mut Scan<'_>,
        logs: &mut BTreeMap<PathBuf, Vec<FoundFile>>,
    ) {
        let Some(found) = scan.found(&root.fence, entry) else { return };
        let log = scan.log_of(&entry.path, names);
        logs.entry(log).or_default().push(found);
    }

    fn origin(&self, log: &Path, root: &Root) -> Origin {
        let dataset = self.dataset.as_deref().unwrap_or_else(|| dataset(log));
        let path = log.to_string_lossy();
        let labels = [(name::HOST, self.node.as_str()), (name::DATASET, dataset), (name::FILE_PATH, &path)];
        Origin::new(&labels, false, None, Arc::clone(&root.fence)).excluding(&self.exclude)
    }
}

impl Root {
    fn new(pattern: &str) -> Result<Self, globset::Error> {
        let fixed = fixed_part(pattern);
        let fence = Fence::new(fixed, &[]);
        // The fixed part without links, so that the paths found below it match.
        let rest = pattern.get(fixed.as_os_str().len()..).unwrap_or_default().trim_start_matches('/');
        let real = globset::escape(&fence.root().to_string_lossy());
        let glob = globs(std::iter::once(format!("{}/{rest}", real.trim_end_matches('/')).as_str()))?;
        let depth = if rest.contains("**") { MAX_DEPTH } else { rest.split('/').count() };
        Ok(Self { fence: Arc::new(fence), glob, depth })
    }
}

/// The directories of a pattern before its first special character.
fn fixed_part(pattern: &str) -> &Path {
    let special = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len());
    let slash = pattern.get(..special).and_then(|fixed| fixed.rfind('/')).unwrap_or(0);
    Path::new(pattern.get(..slash.max(1)).unwrap_or("/"))
}

fn globs<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
    }
    set.build()
}

/// Whether syslog daemons give their files this name.
pub fn is_syslog_name(name: &str) -> bool {
    SYSLOG_NAMES.contains(&name)
}

fn dataset(log: &Path) -> &'static str {
    let is_syslog = log.file_name().and_then(|name| name.to_str()).is_some_and(is_syslog_name);
    if is_syslog && log.starts_with("/var/log") { "syslog" } else { "file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_ends_before_the_first_special_character() {
        for (pattern, expected) in [
            ("/var/log/*.log", "/var/log"),
            ("/var/log/syslog", "/var/log"),
            ("/*/x", "/"),
            ("/a/b*/c/**/d", "/a"),
        ] {
            assert_eq!(fixed_part(pattern), Path::new(expected), "{pattern}");
        }
    }

    #[test]
    fn syslog_files_are_told_by_name() {
        assert_eq!(dataset(Path::new("/var/log/auth.log")), "syslog");
        assert_eq!(dataset(Path::new("/var/log/app.log")), "file");
        assert_eq!(dataset(Path::new("/srv/auth.log")), "file");
    }
}
