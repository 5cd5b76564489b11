//! Many send while sealing and merging run without a pause: in every view each event is there once.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Load {
    tasks: usize,
    batches: usize,
    lines: usize,
    seal_events: usize,
    merge_width: usize,
    max_wal_bytes: u64,
}

fn load() -> impl Strategy<Value = Load> {
    (1..6usize, 1..12usize, 1..6usize, 1..40usize, 2..5usize, 500..20_000u64).prop_map(
        |(tasks, batches, lines, seal_events, merge_width, max_wal_bytes)| Load {
            tasks,
            batches,
            lines,
            seal_events,
            merge_width,
            max_wal_bytes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_acked_event_is_in_every_later_view_once(load in load()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(run(load));
    }
}

async fn run(load: Load) {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings {
        seal_events: load.seal_events,
        merge_width: load.merge_width,
        max_wal_bytes: load.max_wal_bytes,
        ..settings(place.path())
    };
    let indexer = open_with(settings, Disk::default()).await;
    let done = Arc::new(AtomicBool::new(false));
    let sealer = tokio::spawn(seal_on(Arc::clone(&indexer), Arc::clone(&done)));
    let looker = tokio::spawn(look_on(Arc::clone(&indexer), Arc::clone(&done)));
    let tasks: Vec<_> = (0..load.tasks)
        .map(|task| tokio::spawn(send_all(Arc::clone(&indexer), load.clone(), task)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    sealer.await.unwrap();
    looker.await.unwrap();
    let before = everything(&indexer);
    assert_eq!(before.len(), load.tasks * load.batches * load.lines);
    assert_gapless(&before);
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(everything(&indexer), before);
    indexer.close().await;
}

/// Sends, and looks for what was acked.
async fn send_all(indexer: Arc<Indexer>, load: Load, task: usize) {
    for batch in 0..load.batches {
        let lines: Vec<String> = (0..load.lines).map(|line| format!("{task} {batch} {line}")).collect();
        send(&indexer, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
        let found = messages(&indexer);
        for line in lines {
            assert_eq!(found.iter().filter(|message| **message == line).count(), 1, "{line}");
        }
    }
}

async fn seal_on(indexer: Arc<Indexer>, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        indexer.seal().await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Every view is a gapless beginning of the sequence.
async fn look_on(indexer: Arc<Indexer>, done: Arc<AtomicBool>) {
    let mut seen = 0;
    while !done.load(Ordering::Relaxed) {
        let events = everything(&indexer);
        assert_gapless(&events);
        assert!(events.len() >= seen);
        seen = events.len();
        tokio::task::yield_now().await;
    }
}
