//! A repeat of a named batch gets the first answer and changes nothing: at once, after a restart, after a seal, at the same time.

use super::*;

const BODY: &str = "{\"msg\":\"a\"}\nno\n{\"msg\":\"b\"}";

#[track_caller]
fn check(indexer: &Indexer, ack: &Ack) {
    assert_eq!((ack.accepted, ack.rejected.len(), ack.rejected[0].line), (2, 1, 2));
    assert_eq!(messages(indexer), ["a", "b"]);
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_whatever_happened_in_between() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let first = ingest(&indexer, BODY, Some("s/0-9")).await.unwrap();
    check(&indexer, &first);
    assert!(!first.repeated);
    let first = Ack { repeated: true, ..first };
    assert_eq!(ingest(&indexer, BODY, Some("s/0-9")).await.unwrap(), first);
    drop(indexer);

    let indexer = open(place.path()).await;
    assert_eq!(ingest(&indexer, BODY, Some("s/0-9")).await.unwrap(), first);
    check(&indexer, &first);
    indexer.seal().await.unwrap();
    assert_eq!(ingest(&indexer, BODY, Some("s/0-9")).await.unwrap(), first);
    indexer.close().await;
    drop(indexer);

    let indexer = open(place.path()).await;
    assert_eq!(ingest(&indexer, BODY, Some("s/0-9")).await.unwrap(), first);
    check(&indexer, &first);
    assert_eq!(ingest(&indexer, BODY, Some("s/0-10")).await.unwrap().accepted, 2);
    assert_eq!(messages(&indexer).len(), 4);
}

#[tokio::test]
async fn a_name_is_known_for_a_day() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = Indexer::open_at(settings(place.path()), hand.clock()).await.unwrap();
    ingest(&indexer, BODY, Some("s/0-9")).await.unwrap();
    hand.advance(24 * 3600);
    ingest(&indexer, BODY, Some("s/0-9")).await.unwrap();
    assert_eq!(messages(&indexer).len(), 2);
    hand.advance(1);
    ingest(&indexer, BODY, Some("s/0-9")).await.unwrap();
    assert_eq!(messages(&indexer).len(), 4);
}

/// Memory for one answer: the others are in the hot part, in the log, and at last in the catalog.
#[tokio::test]
async fn a_name_that_went_out_of_memory_is_still_known() {
    let place = tempfile::tempdir().unwrap();
    let tight = Settings { dedupe_bytes: 1, ..settings(place.path()) };
    let mut indexer = open_with(tight.clone(), Disk::default()).await;
    let names: Vec<String> = (0..5).map(|n| format!("s/{n}-{n}")).collect();
    let mut first = Vec::new();
    for name in &names {
        let ack = ingest(&indexer, BODY, Some(name)).await.unwrap();
        first.push(Ack { repeated: true, ..ack });
    }
    for round in 0..4 {
        for (name, first) in names.iter().zip(&first) {
            assert_eq!(&ingest(&indexer, BODY, Some(name)).await.unwrap(), first, "{name} in round {round}");
        }
        assert_eq!(messages(&indexer).len(), 10, "round {round}");
        if round == 1 {
            indexer.seal().await.unwrap();
        }
        drop(indexer);
        indexer = open_with(tight.clone(), Disk::default()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeats_at_the_same_time_are_accepted_once() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    for round in 0..20 {
        let name = format!("s/{round}-{round}");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (indexer, name) = (Arc::clone(&indexer), name.clone());
                tokio::spawn(async move { ingest(&indexer, BODY, Some(&name)).await.unwrap() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().accepted, 2);
        }
        assert_eq!(messages(&indexer).len(), 2 * (round + 1));
    }
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_no_half_done_batch() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    for round in 0..50 {
        let name = format!("s/{round}-{round}");
        // Polled once, then dropped.
        let work = ingest(&indexer, BODY, Some(&name));
        assert!(tokio::time::timeout(Duration::ZERO, work).await.is_err() || round < 50);
        assert_eq!(ingest(&indexer, BODY, Some(&name)).await.unwrap().accepted, 2);
        assert_eq!(messages(&indexer).len(), 2 * (round + 1));
    }
}
