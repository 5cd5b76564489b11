//! [`Clock`]: where the time comes from. The only place of this crate that asks the operating system.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use locard_event::Timestamp;

/// Tells the time. Tests pass their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's clock.
pub(crate) fn system() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    })
}
