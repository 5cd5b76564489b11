//! What was said of indices, for those who read: which there are without events, other names, mappings and settings.

use std::collections::BTreeMap;

use locard_indexer::Principal;
use serde_json::Value as Json;

use super::super::Es;
use super::super::error::Error;
use super::alias::{self, Alias};
use super::{index, kept};

/// What was said of a tenant's indices.
#[derive(Clone, Debug, Default)]
pub(in crate::es) struct Described {
    /// Those that were made, each with the version of what was said of it.
    pub(in crate::es) indices: BTreeMap<String, u64>,
    /// Other names.
    pub(in crate::es) aliases: BTreeMap<String, Alias>,
}

/// Everything that was said, but for its content.
pub(in crate::es) async fn described(es: &Es, principal: &Principal) -> Result<Described, Error> {
    let indices = kept::versions(es, principal, index::KIND).await?;
    Ok(Described { indices, aliases: alias::list(es, principal).await? })
}

/// The mappings that were said of an index.
pub(in crate::es) async fn mappings(es: &Es, principal: &Principal, name: &str) -> Result<Json, Error> {
    let mut kept = kept::get(es, principal, index::KIND, name).await?.unwrap_or_default();
    Ok(kept.get_mut("mappings").map(Json::take).unwrap_or_default())
}

/// Lays what was said of an index's `mappings` or `settings` over what is so.
pub(in crate::es) async fn said(
    es: &Es,
    principal: &Principal,
    name: &str,
    what: &str,
    over: &mut Json,
) -> Result<(), Error> {
    if let Some(mut kept) = kept::get(es, principal, index::KIND, name).await?
        && let Some(said) = kept.get_mut(what).map(Json::take)
        && said.is_object()
    {
        kept::merge(over, said);
    }
    Ok(())
}
