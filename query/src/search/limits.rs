//! [`Limits`]: what one search and all of them together may take.

use std::time::Duration;

/// Limits of searches, resolved.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest a search may run.
    pub deadline: Duration,
    /// Most memory one search may hold, in bytes.
    pub memory_bytes: usize,
    /// Most searches at once; more are refused with 429.
    pub concurrency: usize,
    /// Largest `limit`.
    pub max_limit: usize,
    /// Most live tails at once; more are refused with 429.
    pub tails: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            memory_bytes: 256 << 20,
            concurrency: 8,
            max_limit: 10_000,
            tails: 64,
        }
    }
}
