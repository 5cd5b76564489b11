//! [`Rounds`]: deficit round robin over logs, by bytes. A log that writes much cannot starve the others: each round every log that
//! has something gets the same credit, and a batch costs its bytes. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Who is next.
#[derive(Debug)]
pub(crate) struct Rounds<K> {
    queue: VecDeque<K>,
    waiting: HashMap<K, Turn>,
    quantum: u64,
}

#[derive(Debug)]
struct Turn {
    cost: u64,
    credit: u64,
}

impl<K: Clone + Eq + Hash> Rounds<K> {
    /// Every round gives `quantum` bytes to each. Costs are capped at `max_cost` by the caller, so nobody waits for ever.
    pub(crate) fn new(quantum: u64) -> Self {
        Self { queue: VecDeque::new(), waiting: HashMap::new(), quantum: quantum.max(1) }
    }

    /// `key` has a batch of `cost` bytes. Its credit and place stay if it was waiting already.
    pub(crate) fn offer(&mut self, key: K, cost: u64) {
        if let Some(turn) = self.waiting.get_mut(&key) {
            turn.cost = cost;
            return;
        }
        self.queue.push_back(key.clone());
        self.waiting.insert(key, Turn { cost, credit: 0 });
    }

    /// The next to be served.
    pub(crate) fn take(&mut self) -> Option<K> {
        loop {
            let key = self.queue.pop_front()?;
            let Some(turn) = self.waiting.get_mut(&key) else { continue };
            turn.credit = turn.credit.saturating_add(self.quantum);
            if turn.credit >= turn.cost {
                self.waiting.remove(&key);
                return Some(key);
            }
            self.queue.push_back(key);
        }
    }

    /// Whether anybody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// `key` has nothing any more.
    pub(crate) fn withdraw(&mut self, key: &K) {
        if self.waiting.remove(key).is_some() {
            self.queue.retain(|other| other != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noisy_log_waits_for_the_quiet_ones() {
        let mut rounds = Rounds::new(25);
        rounds.offer("noisy", 100);
        for quiet in ["a", "b", "c"] {
            rounds.offer(quiet, 1);
        }
        let order: Vec<_> = std::iter::from_fn(|| rounds.take()).collect();
        assert_eq!(order, ["a", "b", "c", "noisy"]);
        assert!(rounds.is_empty());
    }

    /// Two noisy logs get the same share, and a quiet one that comes in every turn never waits longer than a round.
    #[test]
    fn shares_are_equal_by_bytes() {
        let mut rounds = Rounds::new(10);
        let mut bytes = HashMap::new();
        for _ in 0..1000 {
            rounds.offer("large", 40);
            rounds.offer("small", 10);
            let key = rounds.take().unwrap();
            *bytes.entry(key).or_insert(0) += if key == "large" { 40 } else { 10 };
        }
        let (large, small) = (bytes["large"] as f64, bytes["small"] as f64);
        assert!((large / small - 1.0).abs() < 0.1, "{large} {small}");
    }

    #[test]
    fn who_withdraws_is_not_served() {
        let mut rounds = Rounds::new(10);
        rounds.offer(1, 5);
        rounds.offer(2, 5);
        rounds.withdraw(&1);
        assert_eq!((rounds.take(), rounds.take()), (Some(2), None));
    }
}
