//! What is too old or too much goes, and nothing else; pressure seals what it must.

use futures_util::future::poll_immediate;
use std::pin::pin;

use super::*;

#[tokio::test]
async fn old_splits_go_by_their_newest_event_and_ids_go_on() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let limits = Settings {
        retention: Retention::aged(Duration::from_secs(3600)),
        seal_events: 1,
        ..settings(place.path())
    };
    let indexer = Indexer::open_at(limits.clone(), hand.clock()).await.unwrap();
    send(&indexer, &["old"]).await.unwrap();
    until("it is sealed", || indexer.status().splits == 1).await;
    hand.advance(3600);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["old"]);
    hand.advance(1);
    let view = indexer.view(&Tenant::default());
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), Vec::<String>::new());
    assert_eq!(events(&view).len(), 1, "a search that has the split still reads it");
    send(&indexer, &["new"]).await.unwrap();
    assert_eq!(everything(&indexer)[0].id.unwrap().sequence, 1);
    indexer.close().await;
}

#[tokio::test]
async fn hot_events_that_are_too_old_go_too() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let limits = Settings { retention: Retention::aged(Duration::from_secs(3600)), ..settings(place.path()) };
    let indexer = Indexer::open_at(limits, hand.clock()).await.unwrap();
    send(&indexer, &["old"]).await.unwrap();
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), Vec::<String>::new());
    assert_eq!(indexer.status().hot_events, 0);
}

#[tokio::test]
async fn a_time_that_cannot_be_does_not_fool_retention() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let limits = Settings { retention: Retention::aged(Duration::from_secs(3600)), ..settings(place.path()) };
    let indexer = Indexer::open_at(limits, hand.clock()).await.unwrap();
    ingest(
        &indexer,
        "{\"ts\":\"2099-01-01T00:00:00Z\",\"msg\":\"future\"}\n{\"ts\":1,\"msg\":\"past\"}",
        None,
    )
    .await
    .unwrap();
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["future", "past"]);
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), Vec::<String>::new());
}

#[tokio::test]
async fn the_oldest_splits_go_when_all_are_too_large() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    for message in ["one", "two", "three"] {
        let line = format!("{{\"ts\":{},\"msg\":\"{message}\"}}", NOW - 100 + message.len() as i64);
        ingest(&indexer, line, None).await.unwrap();
    }
    indexer.seal().await.unwrap();
    let one = indexer.status().split_bytes;
    drop(indexer);
    let tight = Settings { retention: Retention::sized(one - 1), ..settings(place.path()) };
    let indexer = open_with(tight, Disk::default()).await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), Vec::<String>::new());
    assert_eq!(indexer.status().splits, 0);
}

#[tokio::test]
async fn too_much_goes_as_soon_as_it_is_published() {
    let place = tempfile::tempdir().unwrap();
    let tight = Settings { retention: Retention::sized(1), seal_events: 1, ..settings(place.path()) };
    let indexer = open_with(tight, Disk::default()).await;
    send(&indexer, &["one"]).await.unwrap();
    until("it is sealed and dropped", || everything(&indexer).is_empty()).await;
    assert_eq!(indexer.core.metrics.retained_away.get(), 1);
}

#[tokio::test]
async fn enough_events_are_sealed_and_merged_unasked() {
    let place = tempfile::tempdir().unwrap();
    let small = Settings { seal_events: 4, merge_width: 3, ..settings(place.path()) };
    let indexer = open_with(small, Disk::default()).await;
    for round in 0..6 {
        send(&indexer, &["a", "b"]).await.unwrap();
        until("it is sealed", || indexer.status().hot_events == 2 * (1 - round % 2)).await;
    }
    until("they are merged", || indexer.status().splits == 1).await;
    assert_gapless(&everything(&indexer));
    until("the log is released", || indexer.status().wal_segments <= 1).await;
}

#[tokio::test]
async fn short_memory_seals_the_largest_tenant() {
    let place = tempfile::tempdir().unwrap();
    let small = Settings { hot_bytes: 20_000, ..settings(place.path()) };
    let indexer = open_with(small, Disk::default()).await;
    let mut other = Principal::loopback();
    other.tenant = Tenant::parse("small").unwrap();
    let delivery =
        Delivery { door: Door::ndjson(), encoding: Encoding::Identity, batch: None, body: body(&["x"]) };
    indexer.ingest(&other, delivery).await.unwrap();
    send(&indexer, &[&"x".repeat(30_000)]).await.unwrap();
    until("it is sealed", || indexer.view(&Tenant::default()).splits.len() == 1).await;
    assert_eq!(indexer.view(&other.tenant).hot.len(), 1);
}

#[tokio::test]
async fn a_large_log_seals_who_keeps_its_oldest_segment() {
    let place = tempfile::tempdir().unwrap();
    let small = Settings { max_wal_bytes: 10_000, segment_bytes: 2_000, ..settings(place.path()) };
    let indexer = open_with(small, Disk::default()).await;
    for _ in 0..20 {
        send(&indexer, &[&"x".repeat(1_000)]).await.unwrap();
    }
    until("the log is small again", || indexer.status().wal_bytes <= 10_000).await;
    assert_eq!(everything(&indexer).len(), 20);
    assert!(indexer.status().splits > 0);
}

#[tokio::test]
async fn senders_wait_while_sealing_lags() {
    let place = tempfile::tempdir().unwrap();
    let small = Settings { hot_bytes: 10_000, seal_events: usize::MAX, ..settings(place.path()) };
    let indexer = open_with(small, Disk::default()).await;
    let turn = indexer.core.sealing.lock().await;
    assert!(poll_immediate(indexer.reserve(1)).await.is_some(), "nothing presses yet");
    while indexer.status().hot_bytes <= 10_000 {
        send(&indexer, &["a line"]).await.unwrap();
    }
    let mut waiting = pin!(indexer.reserve(1));
    assert!(poll_immediate(waiting.as_mut()).await.is_none());
    assert_eq!(indexer.status().refusing, None);
    drop(turn);
    drop(waiting.await.unwrap());
    assert!(indexer.status().hot_bytes <= 10_000);
}

#[tokio::test]
async fn sealing_that_does_not_keep_up_refuses_batches() {
    let place = tempfile::tempdir().unwrap();
    let small = Settings { hot_bytes: 100, seal_events: usize::MAX, ..settings(place.path()) };
    let indexer = open_with(small, Disk::default()).await;
    let turn = indexer.core.sealing.lock().await;
    let mut acked = 0;
    while send(&indexer, &["a line that is longer than nothing"]).await.is_ok() {
        acked += 1;
        assert!(acked < 10);
    }
    let refused = send(&indexer, &["one more"]).await;
    assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
    assert!(indexer.status().refusing.unwrap().contains("hot_bytes"));
    drop(turn);
    until("it takes batches again", || indexer.status().refusing.is_none()).await;
    send(&indexer, &["again"]).await.unwrap();
    assert_eq!(everything(&indexer).len(), acked + 1);
    assert_gapless(&everything(&indexer));
}
