//! [`Shown`]: which of an event's values the pipe `fields` leaves.
//!
//! The event itself stays whole: a stream without some of its labels would be another stream.

use std::collections::BTreeSet;

use locard_event::name;

/// Which values of an event are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// All.
    #[default]
    All,
    /// These, the id and the time.
    Only(BTreeSet<Box<str>>),
    /// All but these.
    AllBut(BTreeSet<Box<str>>),
}

impl Shown {
    /// Whether the value called `name` is shown. `_id` and `@timestamp` always are: they say which event it is.
    pub fn shows(&self, name: &str) -> bool {
        match self {
            _ if matches!(name, name::ID | name::TIMESTAMP | name::TIME) => true,
            Self::All => true,
            Self::Only(names) => names.contains(name),
            Self::AllBut(names) => !names.contains(name),
        }
    }

    /// This and `names`, which a pipe makes.
    #[must_use]
    pub(super) fn show<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        match self {
            Self::All => Self::All,
            Self::Only(mut kept) => {
                kept.extend(names.into_iter().map(Box::from));
                Self::Only(kept)
            }
            Self::AllBut(mut dropped) => {
                names.into_iter().for_each(|name| {
                    dropped.remove(name);
                });
                Self::AllBut(dropped)
            }
        }
    }

    /// What is left of this when only `names` are kept.
    #[must_use]
    pub fn keep(&self, names: &[Box<str>]) -> Self {
        Self::Only(names.iter().filter(|name| self.shows(name)).cloned().collect())
    }

    /// What is left of this without `names`.
    #[must_use]
    pub fn drop(self, names: &[Box<str>]) -> Self {
        match self {
            Self::All => Self::AllBut(names.iter().cloned().collect()),
            Self::Only(kept) => Self::Only(kept.into_iter().filter(|name| !names.contains(name)).collect()),
            Self::AllBut(mut dropped) => {
                dropped.extend(names.iter().cloned());
                Self::AllBut(dropped)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_projection_follows_another() {
        let names = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Vec<_>>();
        let shown =
            Shown::All.drop(&names(&["a"])).keep(&names(&["a", "b", "c"])).drop(&names(&["c", "@timestamp"]));
        let seen: Vec<_> = ["a", "b", "c", "d", "_id", "@timestamp", "_time"]
            .into_iter()
            .filter(|name| shown.shows(name))
            .collect();
        assert_eq!(seen, ["b", "_id", "@timestamp", "_time"]);
    }
}
