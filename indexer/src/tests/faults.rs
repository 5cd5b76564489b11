//! Every file operation of the log fails once, or for a while: nothing is acked falsely, nothing acked is lost, nothing is doubled.

use std::io;
use std::sync::Mutex;

use super::*;
use crate::wal::{Disk, Operation};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Fails the operations asked for, in order, with an error number.
#[derive(Clone, Default)]
struct Plan(Arc<Mutex<Vec<(Operation, i32)>>>);

impl Plan {
    fn disk(&self) -> Disk {
        let plan = self.clone();
        Disk { fault: Some(Arc::new(move |operation| plan.next(operation))) }
    }

    fn fail(&self, operations: &[(Operation, i32)]) {
        self.0.lock().unwrap().extend(operations);
    }

    fn next(&self, operation: Operation) -> Option<io::Error> {
        let mut plan = self.0.lock().unwrap();
        let due = plan.first().is_some_and(|(next, _)| *next == operation);
        due.then(|| io::Error::from_raw_os_error(plan.remove(0).1))
    }

    fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

/// With these failures the batch is refused, its repeat is accepted, and a restart finds each acked event once.
async fn check(failures: &[(Operation, i32)], no_space: bool) {
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::default();
    let indexer = open_with(settings(place.path()), plan.disk()).await;
    if failures[0].0 != Operation::Create {
        ingest(&indexer, body(&["before"]), Some("s/0-0")).await.unwrap();
    }
    plan.fail(failures);
    let refused = ingest(&indexer, body(&["during", "during 2"]), Some("s/1-2")).await;
    match refused {
        Err(Error::NoSpace) if no_space => {}
        Err(Error::Log(_)) if !no_space => {}
        other => panic!("{failures:?}: {other:?}"),
    }
    assert!(plan.is_done(), "{failures:?}");
    assert!(!messages(&indexer).contains(&"during".to_owned()));
    ingest(&indexer, body(&["during", "during 2"]), Some("s/1-2")).await.unwrap();
    ingest(&indexer, body(&["after"]), Some("s/3-3")).await.unwrap();
    assert_eq!(indexer.status().refusing, None);
    let before = everything(&indexer);
    assert_gapless(&before);
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(everything(&indexer), before, "{failures:?}");
    assert_eq!(indexer.status().wal_damaged, 0, "{failures:?}");
    ingest(&indexer, body(&["during", "during 2"]), Some("s/1-2")).await.unwrap();
    assert_eq!(everything(&indexer), before, "{failures:?}");
}

#[tokio::test]
async fn a_failed_write_is_cut_off() {
    check(&[(Operation::Write, ENOSPC)], true).await;
    check(&[(Operation::Write, EIO)], false).await;
}

#[tokio::test]
async fn a_failed_write_that_cannot_be_cut_off_ends_the_segment() {
    check(&[(Operation::Write, ENOSPC), (Operation::Truncate, EIO)], true).await;
}

#[tokio::test]
async fn a_failed_sync_ends_the_segment_and_its_frames_never_come_back() {
    check(&[(Operation::Sync, EIO)], false).await;
    check(&[(Operation::Sync, ENOSPC)], true).await;
}

#[tokio::test]
async fn a_segment_that_cannot_be_begun_refuses_the_batch() {
    for failing in [Operation::Write, Operation::Sync, Operation::SyncDirectory] {
        check(&[(Operation::Create, EIO)], false).await;
        let place = tempfile::tempdir().unwrap();
        let plan = Plan::default();
        plan.fail(&[(failing, ENOSPC)]);
        let indexer = open_with(settings(place.path()), plan.disk()).await;
        assert!(matches!(send(&indexer, &["one"]).await, Err(Error::NoSpace)), "{failing:?}");
        send(&indexer, &["two"]).await.unwrap();
        drop(indexer);
        assert_eq!(messages(&*open(place.path()).await), ["two"]);
    }
}

#[tokio::test]
async fn a_sync_that_fails_before_a_segment_that_cannot_be_begun() {
    let failures = [(Operation::Sync, EIO), (Operation::Create, EIO), (Operation::Sync, EIO)];
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::default();
    let indexer = open_with(settings(place.path()), plan.disk()).await;
    ingest(&indexer, body(&["before"]), Some("s/0-0")).await.unwrap();
    plan.fail(&failures);
    // A repeat or the writer's own probe meets the failures.
    while !plan.is_done() {
        drop(ingest(&indexer, body(&["x"]), Some("s/1-1")).await);
    }
    ingest(&indexer, body(&["x"]), Some("s/1-1")).await.unwrap();
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(messages(&indexer), ["before", "x"]);
    assert_gapless(&everything(&indexer));
}

/// A crash right after a failed sync, before any new segment: the frames may come back, once, under the ids that nobody else got. They
/// are durable then.
#[tokio::test]
async fn what_a_crash_after_a_failed_sync_brings_back_is_known_by_its_name() {
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::default();
    let indexer = open_with(settings(place.path()), plan.disk()).await;
    ingest(&indexer, body(&["before"]), Some("s/0-0")).await.unwrap();
    plan.fail(&[(Operation::Sync, EIO)]);
    assert!(ingest(&indexer, body(&["x"]), Some("s/1-1")).await.is_err());
    drop(indexer);
    let indexer = open(place.path()).await;
    ingest(&indexer, body(&["x"]), Some("s/1-1")).await.unwrap();
    assert_eq!(messages(&indexer), ["before", "x"]);
    assert_gapless(&everything(&indexer));
}

/// What a start reads may be in the page cache alone. It is written and synced anew before a repeat is answered from it, or the
/// start is refused.
#[tokio::test]
async fn what_a_start_finds_is_durable_before_it_counts() {
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::default();
    let indexer = open_with(settings(place.path()), plan.disk()).await;
    ingest(&indexer, body(&["x"]), Some("s/1-1")).await.unwrap();
    indexer.close().await;
    drop(indexer);
    for failing in [Operation::Write, Operation::Truncate, Operation::Sync, Operation::SyncDirectory] {
        plan.fail(&[(failing, EIO)]);
        let refused = loop {
            match Indexer::open_on(settings(place.path()), Hand::new().clock(), plan.disk()).await {
                Err(Error::Log(error)) if in_use(&error) => tokio::task::yield_now().await,
                other => break other,
            }
        };
        assert!(matches!(refused, Err(Error::Log(_))), "{failing:?}");
        assert!(plan.is_done(), "{failing:?}");
    }
    assert_eq!(messages(&*open(place.path()).await), ["x"]);
}

#[tokio::test]
async fn a_segment_that_cannot_be_removed_is_removed_later() {
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::default();
    let indexer = open_with(settings(place.path()), plan.disk()).await;
    send(&indexer, &["one"]).await.unwrap();
    plan.fail(&[(Operation::Remove, EIO)]);
    assert!(indexer.seal().await.is_err());
    assert_eq!(segments(place.path()).len(), 1);
    indexer.seal().await.unwrap();
    assert_eq!(segments(place.path()).len(), 0);
    assert_eq!(messages(&indexer), ["one"]);
}

/// Some operation fails every now and then while many send; every acked event is there once, none that was refused for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_failures_under_load() {
    for seed in 1..=5u64 {
        let place = tempfile::tempdir().unwrap();
        let state = Arc::new(Mutex::new(seed));
        let disk = Disk { fault: Some(Arc::new(move |operation| dice(&state, operation))) };
        let indexer = open_with(Settings { segment_bytes: 600, ..settings(place.path()) }, disk).await;
        let tasks: Vec<_> =
            (0..8).map(|task| tokio::spawn(persist_all(Arc::clone(&indexer), task))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let before = everything(&indexer);
        assert_gapless(&before);
        let mut found = messages(&indexer);
        found.sort();
        let mut sent: Vec<String> =
            (0..8).flat_map(|task| (0..25).map(move |n| format!("t{task} n{n}"))).collect();
        sent.sort();
        assert_eq!(found, sent, "seed {seed}");
        drop(indexer);
        assert_eq!(everything(&*open(place.path()).await), before, "seed {seed}");
    }
}

/// Sends until it is acked, as a collector does.
async fn persist_all(indexer: Arc<Indexer>, task: u32) {
    for n in 0..25 {
        let message = format!("t{task} n{n}");
        while ingest(&indexer, body(&[&message]), Some(&format!("t{task}/{n}-{n}"))).await.is_err() {}
    }
}

/// Fails one operation in ten (xorshift64).
fn dice(state: &Mutex<u64>, operation: Operation) -> Option<io::Error> {
    let mut x = state.lock().unwrap();
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    let code = if operation == Operation::Write { ENOSPC } else { EIO };
    (*x).is_multiple_of(10).then(|| io::Error::from_raw_os_error(code))
}
