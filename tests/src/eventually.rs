//! The one way a test waits: poll until it holds or the deadline passes.

use std::time::{Duration, Instant};

/// Polls `probe` until it answers `Ok`, and gives that answer; fails with the last `Err` once `deadline` has passed.
///
/// # Errors
/// The last answer of `probe`, with how long was waited.
pub async fn eventually<T>(
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match probe().await {
            Ok(answer) => return Ok(answer),
            Err(error) if started.elapsed() >= deadline => {
                return Err(error.context(format!("still so after {deadline:?}")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
