//! Legal holds: events that retention may not touch. Placing one and releasing one; what retention asks them is in [`crate::spare`].
//!
//! A hold is in force from the moment it is recorded: placing it waits for a pass of retention under way, and the next one reads it.

use std::sync::Arc;

use locard_event::Timestamp;
use locard_filter::Filter;
use locard_store::{Error as StoreError, Hold, Release};

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::rule::fixed_filter;
use crate::tenants::partition_of;
use crate::{Indexer, Principal, Tenant};

/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 4 << 10;
const MAX_NAME_BYTES: usize = 63;
/// Most holds in force of one tenant: every split that is to go is held against them.
const MAX_IN_FORCE: usize = 100;

/// A hold to be placed.
#[derive(Clone, Debug, Default)]
pub struct NewHold {
    /// Its name: up to 63 of letters, digits, `_`, `-` and `.`, beginning with a letter or digit.
    pub name: String,
    /// Which events. May not depend on the time it is asked.
    pub filter: String,
    /// By filed time, first instant inside; nothing: no bound.
    pub start: Option<Timestamp>,
    /// First instant after; nothing: no bound.
    pub end: Option<Timestamp>,
    /// Why. Required.
    pub reason: String,
}

/// Why a hold was not placed or released.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// What was said of it makes no sense.
    #[error("{reason}")]
    Invalid {
        /// Which part.
        what: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The name was given before.
    #[error("there was a hold of this name already, and names are not given twice: choose another")]
    Taken,
    /// There is none of this name.
    #[error("there is no such hold")]
    Absent,
    /// It is not in force any more.
    #[error("this hold was released before")]
    Released,
    /// The indexer failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for HoldError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Indexer {
    /// The tenant's holds by name, released ones too.
    ///
    /// # Errors
    /// The store failed.
    pub async fn holds(&self, tenant: &Tenant) -> Result<Vec<Hold>, Error> {
        let Some(shelf) = self.core.tenants.get(tenant) else { return Ok(Vec::new()) };
        let partition = shelf.partition.get().copied();
        let holds = self.core.store.catalog().holds().await?;
        Ok(holds.into_iter().filter(|hold| Some(hold.partition) == partition).collect())
    }

    /// Places a hold on events of the principal's tenant. Once this is answered, nothing that it covers is dropped.
    ///
    /// # Errors
    /// See [`HoldError`].
    pub async fn place_hold(&self, principal: &Principal, new: NewHold) -> Result<Hold, HoldError> {
        let filter = check(&new)?.to_string();
        let (core, by, shelf) = self.hold_parts(principal);
        let work = async move {
            let partition = partition_of(core.store.catalog(), &shelf).await?;
            let NewHold { name, start, end, reason, .. } = new;
            let created = (core.clock)();
            let hold =
                Hold { partition, name, filter, start, end, reason, created_by: by, created, released: None };
            let _dropping = core.dropping.lock().await;
            check_number(&core, partition).await?;
            if !core.store.catalog().add_hold(&hold).await? {
                return Err(HoldError::Taken);
            }
            let Hold { name, created_by, filter, reason, .. } = &hold;
            tracing::info!(target: "audit", tenant = %shelf.tenant, by = created_by, name, filter, reason, "hold.place");
            Ok(hold)
        };
        // To its end, whoever still waits.
        self.core.tasks.spawn(work).await.unwrap_or(Err(HoldError::Failed(Error::Closed)))
    }

    /// Releases a hold of the principal's tenant. Its record stays.
    ///
    /// # Errors
    /// See [`HoldError`].
    pub async fn release_hold(
        &self,
        principal: &Principal,
        name: &str,
        reason: String,
    ) -> Result<Hold, HoldError> {
        check_reason(&reason)?;
        let found = self.holds(&principal.tenant).await?.into_iter().find(|hold| hold.name == name);
        let hold = found.ok_or(HoldError::Absent)?;
        let (core, by, shelf) = self.hold_parts(principal);
        let work = async move {
            let release = Release { by, at: (core.clock)(), reason };
            if !core.store.catalog().release_hold(hold.partition, &hold.name, &release).await? {
                return Err(HoldError::Released);
            }
            let Release { by, reason, .. } = &release;
            tracing::info!(target: "audit", tenant = %shelf.tenant, by, name = hold.name, reason, "hold.release");
            Ok(Hold { released: Some(release), ..hold })
        };
        self.core.tasks.spawn(work).await.unwrap_or(Err(HoldError::Failed(Error::Closed)))
    }

    fn hold_parts(&self, principal: &Principal) -> (Arc<Core>, String, Arc<Shelf>) {
        let shelf = self.core.tenants.shelf(&principal.tenant);
        (Arc::clone(&self.core), principal.name.to_string(), shelf)
    }
}

fn check(new: &NewHold) -> Result<Filter, HoldError> {
    let invalid = |what, reason: String| HoldError::Invalid { what, reason };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = new.name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || new.name.len() > MAX_NAME_BYTES || !new.name.chars().all(fits) {
        let rule = "up to 63 of letters, digits, `_`, `-` and `.`, beginning with a letter or digit";
        return Err(invalid("name", format!("`{}` is no name of a hold: {rule}", new.name.escape_debug())));
    }
    check_reason(&new.reason)?;
    if new.filter.trim().is_empty() {
        return Err(invalid("filter", "is missing: say which events, `*` for all".into()));
    }
    if let (Some(start), Some(end)) = (new.start, new.end)
        && start >= end
    {
        return Err(invalid("start", format!("the range is empty: `start` is {start} and `end` is {end}")));
    }
    fixed_filter(&new.filter).map(|(filter, _)| filter).map_err(|reason| invalid("filter", reason))
}

async fn check_number(core: &Core, partition: u32) -> Result<(), HoldError> {
    let holds = core.store.catalog().holds().await?;
    let is_in_force = |hold: &&Hold| hold.partition == partition && hold.released.is_none();
    if holds.iter().filter(is_in_force).count() < MAX_IN_FORCE {
        return Ok(());
    }
    let reason = format!("{MAX_IN_FORCE} holds are in force already: release one, or join filters with OR");
    Err(HoldError::Invalid { what: "name", reason })
}

fn check_reason(reason: &str) -> Result<(), HoldError> {
    let what = "reason";
    if reason.trim().is_empty() {
        return Err(HoldError::Invalid { what, reason: "is missing: say why, for the record".into() });
    }
    if reason.len() > MAX_REASON_BYTES {
        return Err(HoldError::Invalid { what, reason: format!("is longer than {MAX_REASON_BYTES} bytes") });
    }
    Ok(())
}
