//! Where the shared corpora are.

use std::path::PathBuf;

/// The folder `name` of the shared test data, through `LOCARD_SHARED` (default `../shared` beside the checkout). `None`, said
/// loudly, when it is not there.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen to be skipped")]
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LOCARD_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")));
    let folder = root.join(name);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set LOCARD_SHARED", folder.display());
    None
}
