//! The oracle of loss and doubling: which numbered events were acked, against which are found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;

/// Numbered events that were acked. An event that was sent and not acked may be found at most once.
#[derive(Debug, Default)]
pub struct Ledger {
    acked: Mutex<BTreeSet<String>>,
}

impl Ledger {
    /// Notes that these were acked.
    pub fn ack(&self, names: impl IntoIterator<Item = String>) {
        if let Ok(mut acked) = self.acked.lock() {
            acked.extend(names);
        }
    }

    /// How many were acked.
    pub fn len(&self) -> usize {
        self.acked.lock().map(|acked| acked.len()).unwrap_or_default()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Compares with what a search found; an event's name is its `field`.
    ///
    /// # Errors
    /// An acked event is missing, or any event is there twice.
    pub fn check(&self, found: &[Value], field: &str) -> anyhow::Result<()> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for event in found {
            let name = event.get(field).and_then(Value::as_str);
            *times.entry(name.ok_or_else(|| anyhow::anyhow!("no {field} in {event}"))?).or_default() += 1;
        }
        let doubled: Vec<_> = times.iter().filter(|(_, n)| **n > 1).take(5).collect();
        let acked = self.acked.lock().map_err(|_| anyhow::anyhow!("a task panicked"))?;
        let lost: Vec<_> = acked.iter().filter(|name| !times.contains_key(name.as_str())).collect();
        anyhow::ensure!(
            lost.is_empty() && doubled.is_empty(),
            "acked {}, found {}: {} lost (such as {:?}), doubled such as {doubled:?}",
            acked.len(),
            found.len(),
            lost.len(),
            lost.iter().take(5).collect::<Vec<_>>(),
        );
        Ok(())
    }
}
