//! [`Resting`]: tenants that a stage just failed with. They are left alone for a while, ever longer, so that the others go on.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::Tenant;
use crate::background::next_pause;
use crate::lock::lock;

type Key = (&'static str, Tenant);

/// Who rests from which stage.
#[derive(Debug, Default)]
pub(crate) struct Resting(Mutex<HashMap<Key, (Instant, Duration)>>);

impl Resting {
    /// The stage failed with the tenant: it rests, longer than the last time.
    pub(crate) fn failed(&self, stage: &'static str, tenant: &Tenant) {
        let mut resting = lock(&self.0);
        let key = (stage, tenant.clone());
        let before = resting.get(&key).map(|(_, pause)| *pause);
        let pause = next_pause(before, false).unwrap_or_default();
        resting.insert(key, (Instant::now() + pause, pause));
    }

    /// The stage is done with the tenant.
    pub(crate) fn succeeded(&self, stage: &'static str, tenant: &Tenant) {
        lock(&self.0).remove(&(stage, tenant.clone()));
    }

    /// Whether the stage leaves the tenant alone now.
    pub(crate) fn rests(&self, stage: &'static str, tenant: &Tenant) -> bool {
        lock(&self.0).get(&(stage, tenant.clone())).is_some_and(|(until, _)| Instant::now() < *until)
    }

    /// Whether the stage last failed with any tenant.
    pub(crate) fn any(&self, stage: &'static str) -> bool {
        lock(&self.0).keys().any(|(of, _)| *of == stage)
    }
}
