//! [`Stream`]: the labels shared by all events of one origin.

use std::fmt;

use sha2::{Digest, Sha256};

/// The labels of one origin in name order: `host.name`, `event.dataset`, `kubernetes.pod.name`, `log.file.path`, …
///
/// Held once per origin (`Arc<Stream>` in every event), stored once per split.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    labels: Box<[(Box<str>, Box<str>)]>,
    id: StreamId,
}

/// A stable 128-bit name of a set of labels: the same on every node, in every split, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u128);

/// 32 hex digits.
impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Stream {
    /// A stream with these labels. A later pair of the same name replaces an earlier one; empty values are dropped.
    pub fn new<N: Into<Box<str>>, V: Into<Box<str>>>(labels: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut sorted = std::collections::BTreeMap::<Box<str>, Box<str>>::new();
        for (name, value) in labels {
            let value = value.into();
            if !value.is_empty() {
                sorted.insert(name.into(), value);
            }
        }
        let labels: Box<[_]> = sorted.into_iter().collect();
        let id = hash_labels(&labels);
        Self { labels, id }
    }

    /// The stable name of this set of labels.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// The value of label `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.labels.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.labels.get(index).map(|(_, value)| &**value)
    }

    /// Names and values in name order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.labels.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many labels.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Memory it takes, estimated: itself, its labels and their places.
    pub fn heap_bytes(&self) -> usize {
        let label = |(name, value): &(Box<str>, Box<str>)| {
            size_of::<(Box<str>, Box<str>)>() + name.len() + value.len()
        };
        size_of::<Self>() + self.labels.iter().map(label).sum::<usize>()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Cryptographic, because who writes log lines may choose labels: a collision would merge two origins.
fn hash_labels(labels: &[(Box<str>, Box<str>)]) -> StreamId {
    let mut hash = Sha256::new();
    for (name, value) in labels {
        for part in [name, value] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    let digest = hash.finalize();
    StreamId(digest.iter().take(16).fold(0, |id, byte| (id << 8) | u128::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_depends_on_the_labels_and_on_nothing_else() {
        let one = Stream::new([("host.name", "a"), ("event.dataset", "syslog")]);
        let two =
            Stream::new([("event.dataset", "syslog"), ("host.name", "b"), ("host.name", "a"), ("x", "")]);
        assert_eq!(one, two);
        assert_eq!(one.id().to_string(), "af0a4fcc76ce9208669eab24f6332fb0");
        assert_ne!(one.id(), Stream::new([("host.name", "aevent.dataset")]).id());
        assert_eq!(one.get("host.name"), Some("a"));
        assert_eq!(one.get("x"), None);
    }
}
