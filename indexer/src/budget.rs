//! [`Budget`]: how many bytes may be under way at once. Does not know what they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bound on bytes under way. One holder may always exceed it alone, so that a body within its own limits is never refused for ever.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

/// A part of the budget, given back on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// A permit for `bytes`; `None` when that is too much now.
    pub(crate) fn admit(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let mut permit = Permit { budget: Arc::clone(self), bytes: 0 };
        permit.resize(bytes).then_some(permit)
    }

    /// Bytes under way.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Permit {
    /// Makes this a permit for `bytes`; `false`, and nothing changes, when that is too much now.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        let fits = |used: usize| {
            let others = used.saturating_sub(self.bytes);
            let total = others.saturating_add(bytes);
            (others == 0 || total <= self.budget.limit).then_some(total)
        };
        let done = self.budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if done {
            self.bytes = bytes;
        }
        done
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_waits_and_a_lone_one_always_fits() {
        let budget = Budget::new(100);
        let large = budget.admit(500).unwrap();
        assert!(budget.admit(1).is_none());
        drop(large);
        let mut one = budget.admit(60).unwrap();
        assert!(budget.admit(41).is_none());
        let two = budget.admit(40).unwrap();
        assert!(!one.resize(61));
        drop(two);
        assert!(one.resize(1_000));
        drop(one);
        assert_eq!(budget.used(), 0);
    }
}
