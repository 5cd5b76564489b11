//! [`Contexts`]: scrolls and points in time. Each belongs to one principal, is unguessable, bounded in number and in time.
//!
//! Events never change, so a context keeps no copy of them: only the instant it was opened. What was accepted later is not in it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use locard_event::{Timestamp, name};
use locard_filter::{Filter, Predicate, Test, TimePoint, TimeRange};
use locard_indexer::Principal;

use super::error::Error;
use super::scope::Scope;
use super::sort::After;
use crate::search::lock;

/// Most contexts at a time, of everybody and of one principal.
const MAX_CONTEXTS: usize = 500;
const MAX_OWN_CONTEXTS: usize = 100;
/// Longest that a context is kept without being used.
const MAX_KEEP: Duration = Duration::from_secs(24 * 3_600);

/// Whose a context is.
#[derive(Clone, Debug, PartialEq)]
struct Owner {
    name: Box<str>,
    tenant: Box<str>,
}

impl Owner {
    fn of(principal: &Principal) -> Self {
        Self { name: (&*principal.name).into(), tenant: principal.tenant.as_str().into() }
    }
}

/// What a context remembers.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The indices that it was opened for.
    pub(super) indices: Scope,
    /// What was accepted before is in it.
    pub(super) opened: Timestamp,
    /// For a scroll: what was asked, and where the next page begins.
    pub(super) scroll: Option<Scroll>,
}

/// A scroll under way.
#[derive(Clone, Debug)]
pub(super) struct Scroll {
    pub(super) body: serde_json::Value,
    pub(super) params: super::params::Params,
    pub(super) after: Option<After>,
    /// When the query was first read: its `now`.
    pub(super) now: Timestamp,
}

impl Kept {
    /// The events in it.
    pub(super) fn filter(&self) -> Filter {
        let before = TimeRange { from: None, to: Some(TimePoint::At(self.opened)) };
        let accepted = Filter::Is(Predicate { field: Some(name::INGESTED.into()), test: Test::Time(before) });
        self.indices.filter.clone().and(accepted)
    }
}

#[derive(Debug)]
struct Context {
    owner: Owner,
    kept: Kept,
    keep: Duration,
    until: Instant,
}

/// The contexts that are open.
#[derive(Debug, Default)]
pub(super) struct Contexts(Mutex<HashMap<String, Context>>);

impl Contexts {
    /// Opens one; gives its id.
    pub(super) fn open(&self, principal: &Principal, kept: Kept, keep: Duration) -> Result<String, Error> {
        let keep = keep.min(MAX_KEEP);
        let owner = Owner::of(principal);
        let mut contexts = lock(&self.0);
        contexts.retain(|_, context| context.until > Instant::now());
        let own = contexts.values().filter(|context| context.owner == owner).count();
        if contexts.len() >= MAX_CONTEXTS || own >= MAX_OWN_CONTEXTS {
            let reason = format!(
                "Trying to create too many scroll contexts. Must be less than or equal to: [{MAX_OWN_CONTEXTS}]."
            );
            return Err(Error::new(
                http::StatusCode::TOO_MANY_REQUESTS,
                "too_many_scroll_contexts_exception",
                reason,
            ));
        }
        let id = crate::config::random_token();
        contexts.insert(id.clone(), Context { owner, kept, keep, until: Instant::now() + keep });
        Ok(id)
    }

    /// What one remembers. It is kept for as long again, or for as long as is asked.
    pub(super) fn get(&self, principal: &Principal, id: &str, keep: Option<Duration>) -> Result<Kept, Error> {
        let mut contexts = lock(&self.0);
        let context = contexts
            .get_mut(id)
            .filter(|context| context.owner == Owner::of(principal) && context.until > Instant::now());
        let context = context.ok_or_else(|| missing(id))?;
        context.keep = keep.unwrap_or(context.keep).min(MAX_KEEP);
        context.until = Instant::now() + context.keep;
        Ok(context.kept.clone())
    }

    /// Notes where a scroll's next page begins.
    pub(super) fn advance(&self, principal: &Principal, id: &str, after: After) {
        let mut contexts = lock(&self.0);
        let context = contexts.get_mut(id).filter(|context| context.owner == Owner::of(principal));
        if let Some(scroll) = context.and_then(|context| context.kept.scroll.as_mut()) {
            scroll.after = Some(after);
        }
    }

    /// Closes those of a principal with these ids; says how many there were.
    pub(super) fn close(&self, principal: &Principal, ids: &[String]) -> usize {
        let owner = Owner::of(principal);
        let mut contexts = lock(&self.0);
        let before = contexts.len();
        contexts.retain(|id, context| context.owner != owner || !ids.contains(id));
        before - contexts.len()
    }

    /// The points in time of a principal that are open: their ids, when they were opened, for how long they are kept.
    pub(super) fn pits(&self, principal: &Principal) -> Vec<(String, Timestamp, Duration)> {
        let owner = Owner::of(principal);
        let contexts = lock(&self.0);
        let open = contexts.iter().filter(|(_, context)| {
            context.owner == owner && context.kept.scroll.is_none() && context.until > Instant::now()
        });
        open.map(|(id, context)| (id.clone(), context.kept.opened, context.keep)).collect()
    }

    /// Closes all points in time of a principal; gives their ids.
    pub(super) fn close_pits(&self, principal: &Principal) -> Vec<String> {
        let ids: Vec<String> = self.pits(principal).into_iter().map(|(id, ..)| id).collect();
        self.close(principal, &ids);
        ids
    }

    /// Closes all scrolls of a principal.
    pub(super) fn close_scrolls(&self, principal: &Principal) -> usize {
        let owner = Owner::of(principal);
        let mut contexts = lock(&self.0);
        let before = contexts.len();
        contexts.retain(|_, context| context.owner != owner || context.kept.scroll.is_none());
        before - contexts.len()
    }
}

fn missing(id: &str) -> Error {
    let reason = format!("No search context found for id [{}]", id.chars().take(64).collect::<String>());
    Error::new(http::StatusCode::NOT_FOUND, "search_context_missing_exception", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept { indices: Scope::everything(), opened: Timestamp::from_seconds(9), scroll: None }
    }

    #[test]
    fn a_context_is_its_owners_alone_and_ends() {
        let contexts = Contexts::default();
        let mine = Principal::loopback();
        let other = Principal { name: "other".into(), ..Principal::loopback() };
        let id = contexts.open(&mine, kept(), Duration::from_secs(60)).unwrap();
        assert!(contexts.get(&mine, &id, None).is_ok());
        assert!(contexts.get(&other, &id, None).is_err());
        assert_eq!(contexts.close(&other, std::slice::from_ref(&id)), 0);
        assert_eq!(contexts.close(&mine, std::slice::from_ref(&id)), 1);
        assert!(contexts.get(&mine, &id, None).is_err());
        let brief = contexts.open(&mine, kept(), Duration::ZERO).unwrap();
        assert!(contexts.get(&mine, &brief, None).is_err());
    }

    #[test]
    fn contexts_are_bounded() {
        let contexts = Contexts::default();
        let mine = Principal::loopback();
        let open = || contexts.open(&mine, kept(), Duration::from_secs(60));
        assert!((0..MAX_OWN_CONTEXTS).all(|_| open().is_ok()));
        assert_eq!(open().unwrap_err().status, 429);
        let other = Principal { name: "other".into(), ..Principal::loopback() };
        assert!(contexts.open(&other, kept(), Duration::from_secs(60)).is_ok());
    }
}
