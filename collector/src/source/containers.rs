//! Container logs: `<root>/<namespace>_<pod>_<uid>/<container>/<n>.log` and its rotated siblings. Labels come from the path alone,
//! so that a line is never lost or late because an API server is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use locard_event::name;

use super::{FoundFile, FoundLog, NODE_NAME, Origin};
use crate::discover::{Scan, list};
use crate::tail::open::Fence;

/// Where docker keeps what kubelet's `<n>.log` links to.
const DOCKER_ROOT: &str = "/var/lib/docker/containers";

/// One root of container logs.
#[derive(Debug)]
pub(crate) struct Containers {
    fence: Arc<Fence>,
    node: String,
}

/// What a path says.
#[derive(Debug, PartialEq, Eq)]
struct Labels<'a> {
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    container: &'a str,
}

impl Containers {
    /// Reads below `root`; links in it may lead to `follow` (by default docker's directory).
    pub(crate) fn new(root: &Path, follow: Option<&[PathBuf]>, node: &str) -> Self {
        let docker = [PathBuf::from(DOCKER_ROOT)];
        Self { fence: Arc::new(Fence::new(root, follow.unwrap_or(&docker))), node: node.to_owned() }
    }

    /// Finds every log.
    pub(crate) fn scan(&self, scan: &mut Scan<'_>) {
        if !self.fence.root().exists() {
            scan.failed(self.fence.root(), "there is no such directory");
        }
        for pod in list(self.fence.root(), scan) {
            if !pod.is_dir {
                continue;
            }
            for container in list(&pod.path, scan) {
                if container.is_dir {
                    self.scan_container(&container.path, scan);
                }
            }
        }
    }

    /// The labels of a log, if it is one of these.
    pub(crate) fn origin_of(&self, log: &Path) -> Option<Origin> {
        let directory = log.parent()?;
        let is_below = directory.parent().and_then(Path::parent) == Some(self.fence.root());
        let restart_count = restart_count(log.file_name()?).filter(|_| is_below)?;
        Some(self.origin(&labels(directory)?, log, restart_count))
    }

    fn scan_container(&self, directory: &Path, scan: &mut Scan<'_>) {
        let Some(labels) = labels(directory) else {
            scan.warn_once(directory, "not laid out as <namespace>_<pod>_<uid>/<container>, skipped");
            return;
        };
        let mut logs = BTreeMap::<u32, Vec<FoundFile>>::new();
        for entry in list(directory, scan) {
            let Some(restart_count) = entry.path.file_name().and_then(restart_count) else { continue };
            if let Some(found) = scan.found(&self.fence, &entry) {
                logs.entry(restart_count).or_default().push(found);
            }
        }
        for (restart_count, files) in logs {
            let log = directory.join(format!("{restart_count}.log"));
            let origin = self.origin(&labels, &log, restart_count);
            scan.logs.push(FoundLog { log, origin: Arc::new(origin), files });
        }
    }

    fn origin(&self, labels: &Labels<'_>, log: &Path, restart_count: u32) -> Origin {
        let path = log.to_string_lossy();
        let labels = [
            (name::HOST, self.node.as_str()),
            (name::DATASET, "container"),
            (NODE_NAME, &self.node),
            (name::NAMESPACE, labels.namespace),
            (name::POD_NAME, labels.pod),
            (name::POD_UID, labels.uid),
            (name::CONTAINER_NAME, labels.container),
            (name::FILE_PATH, &path),
        ];
        Origin::new(&labels, true, Some(i64::from(restart_count)), Arc::clone(&self.fence))
    }
}

/// Namespaces and pod names cannot hold `_` (RFC 1123), a uid of a static pod is a hash: two underscores exactly.
fn labels(directory: &Path) -> Option<Labels<'_>> {
    let container = directory.file_name()?.to_str()?;
    let mut parts = directory.parent()?.file_name()?.to_str()?.split('_');
    let (namespace, pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = parts.next().is_none() && ![namespace, pod, uid].contains(&"");
    complete.then_some(Labels { namespace, pod, uid, container })
}

/// `<n>` of a name that begins `<n>.log`.
fn restart_count(file_name: &OsStr) -> Option<u32> {
    let name = file_name.to_str()?;
    let (digits, _) = name.split_once(".log")?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_from_the_path() {
        let path = Path::new("/var/log/pods/kube-system_etcd-node1_0a1b/etcd");
        let expected = Labels { namespace: "kube-system", pod: "etcd-node1", uid: "0a1b", container: "etcd" };
        assert_eq!(labels(path), Some(expected));
        for bad in ["/pods/a_b/c", "/pods/a_b_c_d/c", "/pods/__/c", "/pods/abc/c"] {
            assert_eq!(labels(Path::new(bad)), None, "{bad}");
        }
    }

    #[test]
    fn every_name_that_begins_n_log_is_a_generation() {
        for (name, expected) in [
            ("0.log", Some(0)),
            ("12.log.20261124-080000", Some(12)),
            ("3.log.20261124-080000.gz", Some(3)),
            ("3.log.1", Some(3)),
            ("x.log", None),
            (".log", None),
            ("0.txt", None),
        ] {
            assert_eq!(restart_count(OsStr::new(name)), expected, "{name}");
        }
    }
}
