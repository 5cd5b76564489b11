//! [`Control`]: how a running search, or the writing of a split, is stopped, and what it has cost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Shared by everything that works for one search, or writes splits. Loops call [`Control::check`] at least every thousand events.
#[derive(Debug, Default)]
pub struct Control {
    deadline: Option<Instant>,
    cancelled: AtomicBool,
    events_scanned: AtomicU64,
    bytes_scanned: AtomicU64,
    /// Checks that are left before it cancels itself.
    #[cfg(test)]
    checks_left: Option<AtomicU64>,
}

/// Why a search stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The deadline passed.
    #[error("the deadline passed")]
    Deadline,
    /// Nobody waits for the answer any more.
    #[error("it was cancelled")]
    Cancelled,
}

impl Control {
    /// A search that may run until `deadline`.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// One that stops what it controls at the check after so many: wherever it can be stopped, one after the other.
    #[cfg(test)]
    pub(crate) fn after_checks(checks: u64) -> Self {
        Self { checks_left: Some(AtomicU64::new(checks)), ..Self::default() }
    }

    /// Tells the search to stop.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// The search should stop now.
    pub fn check(&self) -> Result<(), Stop> {
        #[cfg(test)]
        if let Some(left) = &self.checks_left
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        {
            return Err(Stop::Cancelled);
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Stop::Deadline),
            _ => Ok(()),
        }
    }

    /// Adds to what the search has cost: events looked at one by one, and bytes read to do so.
    pub fn scanned(&self, events: u64, bytes: u64) {
        self.events_scanned.fetch_add(events, Ordering::Relaxed);
        self.bytes_scanned.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Events looked at one by one so far.
    pub fn events_scanned(&self) -> u64 {
        self.events_scanned.load(Ordering::Relaxed)
    }

    /// Bytes read so far to look at events.
    pub fn bytes_scanned(&self) -> u64 {
        self.bytes_scanned.load(Ordering::Relaxed)
    }
}
