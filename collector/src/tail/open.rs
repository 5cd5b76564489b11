//! Opening files that someone hostile may have placed: links, FIFOs, devices, directories swapped for links.
//!
//! Every component below a trusted root is opened for itself without following links, without blocking, and what
//! comes out must be a regular file. A link of a runtime (docker's `<n>.log`) is followed only where its target is allowed.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);
const DIRECTORY: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Directories that may be read, and directories that links in them may lead to.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    root: PathBuf,
    follow: Vec<PathBuf>,
}

impl Fence {
    /// The root is the operator's: links in its own path are resolved here, once.
    pub(crate) fn new(root: &Path, follow: &[PathBuf]) -> Self {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Self { root: real(root), follow: follow.iter().map(|path| real(path)).collect() }
    }

    /// The root without links.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Opens a file below the root or a directory that links lead to, or the allowed target of a link that is its last component.
    ///
    /// # Errors
    /// `PermissionDenied` when a link leads elsewhere, `InvalidInput` when it is no regular file, or what the kernel says.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        let root = std::iter::once(&self.root).chain(&self.follow).find(|root| path.starts_with(root));
        match open_beneath(root.unwrap_or(&self.root), path) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                self.open_link(path)
            }
            other => other,
        }
    }

    fn open_link(&self, path: &Path) -> io::Result<File> {
        let target = path.canonicalize()?;
        let allowed = std::iter::once(&self.root).chain(&self.follow).find(|root| target.starts_with(root));
        match allowed {
            // Opened link-free again: what was checked is what is opened, however the tree changes meanwhile.
            Some(root) => open_beneath(root, &target),
            None => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "a link leads out of the allowed directories",
            )),
        }
    }
}

fn open_beneath(root: &Path, path: &Path) -> io::Result<File> {
    let outside = || io::Error::new(io::ErrorKind::PermissionDenied, "outside the allowed directories");
    let relative = path.strip_prefix(root).map_err(|_| outside())?;
    let mut directory = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut components = relative.components().peekable();
    while let Some(component) = components.next() {
        let Component::Normal(name) = component else { return Err(outside()) };
        if components.peek().is_some() {
            directory = openat(&directory, name, DIRECTORY, Mode::empty())?;
            continue;
        }
        let file = openat(&directory, name, FILE, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        return Ok(File::from(file));
    }
    Err(outside())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_behind_allowed_paths_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for sub in ["root/pod", "docker", "else"] {
            std::fs::create_dir_all(at(sub)).unwrap();
        }
        for file in ["root/pod/0.log", "docker/x.log", "else/secret"] {
            std::fs::write(at(file), "x").unwrap();
        }
        symlink(at("docker/x.log"), at("root/pod/docker.log")).unwrap();
        symlink(at("else/secret"), at("root/pod/secret.log")).unwrap();
        symlink(at("root/pod/0.log"), at("root/pod/inside.log")).unwrap();
        symlink(at("else"), at("root/swapped")).unwrap();
        rustix::fs::mknodat(CWD, at("root/pod/fifo.log"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let fence = Fence::new(&at("root"), &[at("docker")]);
        let check = |name: &str, expected: bool| {
            let opened = fence.open(&fence.root().join(name));
            assert_eq!(opened.is_ok(), expected, "{name}: {opened:?}");
        };
        check("pod/0.log", true);
        check("pod/docker.log", true);
        check("pod/inside.log", true);
        check("pod/secret.log", false);
        check("pod/fifo.log", false);
        check("pod", false);
        check("swapped/secret", false);
        check("../else/secret", false);
        assert!(fence.open(Path::new("/dev/zero")).is_err());
    }
}
