//! [`HotBytes`]: what the hot parts of all tenants hold together, and those who wait for it to shrink. Does not know of events.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes in the hot parts of all shelves.
#[derive(Debug, Default)]
pub(crate) struct HotBytes {
    bytes: AtomicUsize,
    less: Notify,
}

impl HotBytes {
    pub(crate) fn get(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes bytes off and tells those who wait.
    pub(crate) fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.less.notify_waiters();
    }

    /// Returns once there are at most `bytes`.
    pub(crate) async fn at_most(&self, bytes: usize) {
        loop {
            let less = self.less.notified();
            if self.get() <= bytes {
                return;
            }
            less.await;
        }
    }
}
