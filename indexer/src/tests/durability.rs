//! Acked = durable = searchable; a restart changes nothing; a torn or damaged log loses only what is gone, and says so.

use std::path::Path;

use super::*;

#[tokio::test]
async fn an_acked_event_is_in_the_next_view() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    for round in 0..20 {
        let message = format!("round {round}");
        assert_eq!(send(&indexer, &[&message]).await.unwrap().accepted, 1);
        assert_eq!(messages(&indexer).last(), Some(&message));
    }
    assert_gapless(&everything(&indexer));
}

#[tokio::test]
async fn the_tap_brings_what_the_view_already_has() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let mut tap = indexer.subscribe(&Tenant::default());
    send(&indexer, &["one", "two"]).await.unwrap();
    let batch = tap.recv().await.unwrap();
    assert_eq!(batch.to_vec(), everything(&indexer));
    assert_eq!(batch[1].id.unwrap().to_string(), "0-1");
}

#[tokio::test]
async fn a_restart_changes_neither_ids_nor_events() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    for round in 0..50 {
        let line = format!(
            r#"{{"ts":{NOW},"msg":"r {round}","user":{{"name":"u{round}"}},"n":{round},"list":[1,"a",null]}}"#
        );
        ingest(&indexer, format!("{line}\nnot json\n{line}"), None).await.unwrap();
    }
    let before = everything(&indexer);
    assert_eq!(before.len(), 100);
    assert!(segments(place.path()).len() > 1, "the log has rotated");
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(everything(&indexer), before);
    indexer.seal().await.unwrap();
    assert_eq!(indexer.status().hot_events, 0);
    assert_eq!(segments(place.path()), Vec::<std::path::PathBuf>::new());
    assert_eq!(everything(&indexer), before);
    send(&indexer, &["after"]).await.unwrap();
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_gapless(&everything(&indexer));
    assert_eq!(messages(&indexer).last().unwrap(), "after");
}

#[tokio::test]
async fn events_read_alike_after_the_limits_changed() {
    let place = tempfile::tempdir().unwrap();
    let tight = Settings { max_line_bytes: 4, ..settings(place.path()) };
    let indexer = open_with(tight, Disk::default()).await;
    send(&indexer, &["abcdefgh"]).await.unwrap();
    let before = everything(&indexer);
    assert_eq!(before[0].message, "abcd");
    drop(indexer);
    assert_eq!(everything(&*open(place.path()).await), before);
}

#[tokio::test]
async fn every_tenant_has_its_own_gapless_sequence() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let mut other = Principal::loopback();
    other.tenant = Tenant::parse("other").unwrap();
    for _ in 0..5 {
        send(&indexer, &["mine"]).await.unwrap();
        let delivery = Delivery {
            door: Door::ndjson(),
            encoding: Encoding::Identity,
            batch: None,
            body: body(&["theirs"]),
        };
        indexer.ingest(&other, delivery).await.unwrap();
    }
    drop(indexer);
    let indexer = open(place.path()).await;
    let theirs = events(&indexer.view(&other.tenant));
    assert_gapless(&theirs);
    assert!(theirs.iter().all(|event| event.message == "theirs" && event.id.unwrap().partition == 1));
    assert_gapless(&everything(&indexer));
    assert!(everything(&indexer).iter().all(|event| event.message == "mine"));
}

#[tokio::test]
async fn a_closed_indexer_refuses_and_its_directory_is_free() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    send(&indexer, &["one"]).await.unwrap();
    let second = Indexer::open(settings(place.path())).await;
    assert!(matches!(second, Err(Error::Log(error)) if in_use(&error)));
    indexer.close().await;
    assert!(matches!(send(&indexer, &["two"]).await, Err(Error::Closed)));
    drop(indexer);
    assert_eq!(messages(&*open(place.path()).await), ["one"]);
}

/// Makes a log of `batches` single events in one segment and gives its bytes.
async fn log_of(place: &Path, batches: usize) -> Vec<u8> {
    let large = Settings { segment_bytes: 1 << 20, ..settings(place) };
    let indexer = open_with(large, Disk::default()).await;
    for batch in 0..batches {
        send(&indexer, &[&format!("m{batch}")]).await.unwrap();
    }
    indexer.close().await;
    std::fs::read(&segments(place)[0]).unwrap()
}

/// As [`log_of`], killed instead of closed: without the end mark.
async fn torn_log_of(place: &Path, batches: usize) -> Vec<u8> {
    let mut bytes = log_of(place, batches).await;
    bytes.truncate(bytes.windows(4).rposition(|four| four == b"LEND").unwrap());
    bytes
}

/// Flips a bit of a message.
fn damage(bytes: &mut [u8], message: &str) {
    let at = bytes.windows(2).position(|two| two == message.as_bytes()).unwrap();
    bytes[at] ^= 1;
}

#[tokio::test]
async fn a_torn_end_is_cut_and_sequences_go_on() {
    let place = tempfile::tempdir().unwrap();
    let whole = torn_log_of(place.path(), 3).await;
    let path = segments(place.path())[0].clone();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let indexer = open(place.path()).await;
    assert_eq!(messages(&indexer), ["m0", "m1"]);
    assert_eq!(indexer.status().wal_damaged, 0);
    send(&indexer, &["new"]).await.unwrap();
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(messages(&indexer), ["m0", "m1", "new"]);
    assert_gapless(&everything(&indexer));
    assert_eq!(indexer.status().wal_damaged, 0);
}

#[tokio::test]
async fn a_damaged_frame_is_skipped_reported_and_its_ids_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let mut bytes = torn_log_of(place.path(), 4).await;
    damage(&mut bytes, "m1");
    std::fs::write(&segments(place.path())[0], &bytes).unwrap();
    let indexer = open(place.path()).await;
    let status = indexer.status();
    assert_eq!((status.wal_damaged, status.lost_events), (1, 1));
    assert_eq!(messages(&indexer), ["m0", "an event was lost here", "m2", "m3"]);
    assert_gapless(&everything(&indexer));
    indexer.seal().await.unwrap();
    assert_eq!(messages(&indexer)[1], "an event was lost here");
}

/// Nothing of ours damages a log that was closed: somebody has to decide.
#[tokio::test]
async fn damage_after_a_clean_stop_stops_the_start_until_it_is_accepted() {
    for (message, expected) in
        [("m1", ["m0", "an event was lost here", "m2"]), ("m2", ["m0", "m1", "an event was lost here"])]
    {
        let place = tempfile::tempdir().unwrap();
        let mut bytes = log_of(place.path(), 3).await;
        damage(&mut bytes, message);
        let path = segments(place.path())[0].clone();
        std::fs::write(&path, &bytes).unwrap();
        let Err(Error::Log(error)) = try_open(settings(place.path()), Disk::default()).await else {
            panic!("{message}: it was opened")
        };
        let text = error.to_string();
        assert!(text.contains("closed cleanly") && text.contains(".accept"), "{text}");
        assert!(std::fs::read(&path).unwrap() == bytes, "nothing was changed");

        std::fs::write(path.with_extension("accept"), "").unwrap();
        let indexer = open(place.path()).await;
        assert_eq!(messages(&indexer), expected);
        assert_eq!((indexer.status().wal_damaged, indexer.status().lost_events), (1, 1));
        send(&indexer, &["new"]).await.unwrap();
        assert_gapless(&everything(&indexer));
        indexer.seal().await.unwrap();
        assert_eq!(segments(place.path()), Vec::<std::path::PathBuf>::new());
    }
}

/// Replay would take it for damage: it is refused before a byte is written. The body is never touched, so it costs no memory.
#[tokio::test]
async fn a_batch_that_replay_would_not_read_is_never_acked() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    send(&indexer, &["before"]).await.unwrap();
    let before = std::fs::read(&segments(place.path())[0]).unwrap();
    let shelf = indexer.core.tenants.shelf(&Tenant::default());
    let mut events = vec![everything(&indexer)[0].clone()];
    let held = shelf.streams.share(&mut events);
    let (reply, _answered) = tokio::sync::oneshot::channel();
    let frame = Frame {
        partition: 0,
        tenant: "default".into(),
        first: 0,
        count: 1,
        ingested: Timestamp::from_seconds(NOW),
        limits: crate::accept::limits(&indexer.core.settings),
        named: None,
        door: Door::ndjson(),
        encoding: Encoding::Identity,
        body: vec![0; 1 << 30].into(),
    };
    let append = Append { shelf, frame, events, held, permit: indexer.core.queue.admit(0).unwrap(), reply };
    assert!(matches!(indexer.core.log().unwrap().append(append), Err(Error::TooLong { .. })));
    send(&indexer, &["after"]).await.unwrap();
    assert!(std::fs::read(&segments(place.path())[0]).unwrap().len() < 3 * before.len());
    assert_eq!(messages(&indexer), ["before", "after"]);
}

#[tokio::test]
async fn a_start_seals_while_it_replays() {
    let place = tempfile::tempdir().unwrap();
    let large = Settings { segment_bytes: 1 << 20, ..settings(place.path()) };
    let indexer = open_with(large.clone(), Disk::default()).await;
    for batch in 0..30 {
        send(&indexer, &[&format!("{batch} {}", "x".repeat(10_000))]).await.unwrap();
    }
    let before = everything(&indexer);
    indexer.close().await;
    drop(indexer);
    let indexer = open_with(Settings { hot_bytes: 50_000, ..large }, Disk::default()).await;
    assert!(indexer.status().hot_bytes <= 50_000);
    assert!(indexer.status().splits > 3, "they were all in memory at once: {:?}", indexer.status());
    assert_eq!(everything(&indexer), before);
}

/// Makes a log with one batch of `tenant`, and gives its file.
async fn log_of_tenant(place: &Path, tenant: &str) -> std::path::PathBuf {
    let indexer = open(place).await;
    let mut principal = Principal::loopback();
    principal.tenant = Tenant::parse(tenant).unwrap();
    let delivery =
        Delivery { door: Door::ndjson(), encoding: Encoding::Identity, batch: None, body: body(&["x"]) };
    indexer.ingest(&principal, delivery).await.unwrap();
    indexer.close().await;
    segments(place)[0].clone()
}

#[tokio::test]
async fn a_log_of_another_catalog_is_refused() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log_of_tenant(here.path(), "one").await;
    let foreign = log_of_tenant(there.path(), "two").await;
    std::fs::copy(foreign, here.path().join("wal/00000000000000000009.wal")).unwrap();
    let opened = Indexer::open(settings(here.path())).await;
    assert!(matches!(opened, Err(Error::Store(locard_store::Error::Conflict(_)))), "{opened:?}");
}
