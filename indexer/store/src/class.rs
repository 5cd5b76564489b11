//! [`Class`]: how the events of a split are retained. A split holds one class, so that all of it is dropped at once.

use std::sync::Arc;

/// Which rule keeps the events of a split, and under which rules that was found. Opaque here: the catalog keeps it, merging asks
/// whether two are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// The filter of the rule, as text; empty: no rule keeps them.
    pub rule: Arc<str>,
    /// Stands for the list of rules that was asked; empty: there were none.
    pub rules: Arc<str>,
}
