//! [`Name`] of a field, and [`Shape`]: the names that many events share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of a field, cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<Box<str>> for Name {
    fn from(name: Box<str>) -> Self {
        Self(name.into())
    }
}

/// Names in order, each once. Events made of one shape hold their names once for all of them.
#[derive(Clone, Debug)]
pub struct Shape(Arc<[Name]>);

impl Shape {
    /// The shape of these names, in whatever order they come.
    pub fn new(names: impl IntoIterator<Item = Name>) -> Self {
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// The names in order.
    pub fn names(&self) -> &[Name] {
        &self.0
    }

    /// A number that clones of it share, and no other shape has while one of them lives.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// The names of one event's fields: its own, or those of its shape until it differs.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    Own(Vec<Name>),
    Shared(Shape),
}

impl Names {
    pub(crate) fn as_slice(&self) -> &[Name] {
        match self {
            Self::Own(names) => names,
            Self::Shared(shape) => shape.names(),
        }
    }

    /// Makes the names the event's own, then changes them.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Vec<Name>) -> T) -> T {
        let mut names = std::mem::replace(self, Self::Own(Vec::new())).into_vec();
        let done = change(&mut names);
        *self = Self::Own(names);
        done
    }

    pub(crate) fn into_vec(self) -> Vec<Name> {
        match self {
            Self::Own(names) => names,
            Self::Shared(shape) => shape.names().to_vec(),
        }
    }

    /// Memory held, estimated. The row of a shape counts with each event, for it may be the only one; the texts do not, as each
    /// stands once for many.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            // The text and its two counters.
            Self::Own(names) => names.iter().map(|name| size_of::<Name>() + 16 + name.len()).sum(),
            Self::Shared(shape) => size_of_val(shape.names()),
        }
    }
}
