//! The loops that seal, merge, classify and retain while deliveries come in. A stage that fails is tried again later, ever more rarely; what it
//! failed with is shown until it succeeds.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::core::Core;
use crate::delivery::Error;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::seal::Pressure;
use crate::{classify, ids, merge, retain, seal};

/// How often a loop looks without being told to.
const TICK: Duration = Duration::from_secs(1);
const RETAIN_EVERY: Duration = Duration::from_secs(60);
const FORGET_EVERY: Duration = Duration::from_secs(600);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Starts the loops. They end when the core's `stop` fires.
pub(crate) fn start(core: &Arc<Core>) {
    core.tasks.spawn(run_sealing(Arc::clone(core)));
    core.tasks.spawn(run_tidying(Arc::clone(core)));
}

async fn run_sealing(core: Arc<Core>) {
    let mut pause = None;
    loop {
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = core.committed.notified(), if pause.is_none() => {}
            () = sleep(pause.unwrap_or(TICK)) => {}
        }
        if let Ok(log) = core.log() {
            log.probe();
        }
        let done = attempt(&core, "seal", seal::relieve(&core, Pressure::Any)).await;
        // Who fails rests by itself; the others are not to wait for it.
        pause = (!done).then_some(TICK);
    }
}

async fn run_tidying(core: Arc<Core>) {
    let mut pause = None;
    let mut more = false;
    let mut retained = Instant::now();
    let mut forgotten = Instant::now();
    loop {
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = std::future::ready(()), if more && pause.is_none() => {}
            () = core.published.notified(), if pause.is_none() => {}
            () = sleep(pause.unwrap_or(TICK)) => {}
        }
        let mut done =
            attempt(&core, "merge", merge::merge(&core, core.settings.merge_width, merge::Who::Rested)).await;
        let classify = async { classify::classify(&core).await.map(|left| more = left) };
        done &= attempt(&core, "classify", classify).await;
        if retained.elapsed() >= RETAIN_EVERY || retain::presses(&core) {
            retained = Instant::now();
            done &= attempt(&core, "retain", retain::retain(&core)).await;
        }
        if forgotten.elapsed() >= FORGET_EVERY {
            forgotten = Instant::now();
            done &= attempt(&core, "forget", retain::forget_batches(&core)).await;
            done &= attempt(&core, "forget", ids::forget(&core)).await;
        }
        pause = next_pause(pause, done);
    }
}

/// Runs a stage once and notes how it went.
async fn attempt(core: &Core, stage: &'static str, work: impl Future<Output = Result<(), Error>>) -> bool {
    match work.await {
        Ok(()) => {
            if !core.resting.any(stage) {
                lock(&core.troubles).remove(stage);
            }
            true
        }
        // What was left undone is done after the next start.
        Err(Error::Closed) => false,
        Err(error) => {
            let text = chain(&error);
            tracing::error!(stage, error = %text, "a background stage failed; it will be tried again");
            core.metrics.stage_failures.get_or_create(&Metrics::reason(stage)).inc();
            lock(&core.troubles).insert(stage, text);
            false
        }
    }
}

/// How long to wait after another failure.
pub(crate) fn next_pause(before: Option<Duration>, done: bool) -> Option<Duration> {
    match before {
        _ if done => None,
        None => Some(TICK),
        Some(pause) => Some((pause * 2).min(LONGEST_PAUSE)),
    }
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_end_with_success() {
        let mut pause = None;
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            pause = next_pause(pause, false);
            assert_eq!(pause, Some(Duration::from_secs(expected)));
        }
        assert_eq!(next_pause(pause, true), None);
    }
}
