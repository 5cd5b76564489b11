//! Ids that clients give to documents are unique in their index: in the hot part, in splits, in one body, for those who come together,
//! after a crash; and free again when their events are gone.

use crate::delivery::{Bulk, Marks};
use crate::receive::{Action, Item};
use crate::{DeleteError, NewHold};

use super::*;

/// What became of the documents, by id: accepted, or the status.
type Outcomes = Vec<Result<(), u16>>;

const OK: Result<(), u16> = Ok(());
const CONFLICT: Result<(), u16> = Err(409);

fn delivery(index: &str, ids: &[&str], batch: Option<&str>) -> Delivery {
    let line = |id: &&str| {
        format!("{{\"create\":{{\"_id\":\"{id}\"}}}}\n{{\"@timestamp\":{NOW},\"message\":\"{id}\"}}\n")
    };
    let body: String = ids.iter().map(line).collect();
    let door = Door::Documents(Bulk { index: Some(index.into()), ..Bulk::default() });
    Delivery {
        door,
        encoding: Encoding::Identity,
        batch: batch.map(|b| b.parse().unwrap()),
        body: body.into(),
    }
}

async fn put(indexer: &Indexer, index: &str, ids: &[&str]) -> Outcomes {
    put_as(indexer, index, ids, None).await.0
}

async fn put_as(indexer: &Indexer, index: &str, ids: &[&str], batch: Option<&str>) -> (Outcomes, Ack) {
    let permit = indexer.reserve(0).await.unwrap();
    let delivery = delivery(index, ids, batch);
    let accepted = indexer.ingest_reserved(&Principal::loopback(), delivery, permit).await.unwrap();
    let outcome = |item: &Item| {
        assert_eq!(item.action, Action::Create);
        item.outcome.as_ref().map(|_| ()).map_err(|fault| fault.status)
    };
    (accepted.items.iter().map(outcome).collect(), accepted.ack)
}

#[tokio::test]
async fn an_id_is_given_once_in_the_hot_part_in_splits_and_after_a_crash() {
    let place = tempfile::tempdir().unwrap();
    let mut indexer = open(place.path()).await;
    assert_eq!(put(&indexer, "logs", &["a", "b", "a"]).await, [OK, OK, CONFLICT]);
    assert_eq!(put(&indexer, "logs", &["c", "b"]).await, [OK, CONFLICT]);
    assert_eq!(put(&indexer, "other", &["a"]).await, [OK]);
    let before = everything(&indexer);
    drop(indexer);

    indexer = open(place.path()).await;
    assert_eq!(everything(&indexer), before, "the log reads the same again, without what was refused");
    assert_eq!(put(&indexer, "logs", &["a", "d"]).await, [CONFLICT, OK]);
    indexer.seal().await.unwrap();
    assert_eq!(
        put(&indexer, "logs", &["a", "b", "c", "d", "e"]).await,
        [CONFLICT, CONFLICT, CONFLICT, CONFLICT, OK]
    );
    indexer.seal().await.unwrap();
    indexer.close().await;
    drop(indexer);

    indexer = open(place.path()).await;
    assert_eq!(put(&indexer, "logs", &["a", "e", "f"]).await, [CONFLICT, CONFLICT, OK]);
    assert_eq!(put(&indexer, "other", &["a", "b"]).await, [CONFLICT, OK]);
    assert_eq!(messages(&indexer), ["a", "b", "c", "a", "d", "e", "f", "b"]);
    assert_gapless(&everything(&indexer));
}

#[tokio::test]
async fn documents_are_found_by_their_ids_wherever_they_are() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    put(&indexer, "logs", &["a", "b"]).await;
    indexer.seal().await.unwrap();
    put(&indexer, "logs", &["c"]).await;
    let names = [("logs", "c"), ("logs", "a"), ("logs", "x"), ("other", "a")];
    let names = names.map(|(index, id)| (index.to_owned(), id.to_owned()));
    let found = indexer.documents(&Tenant::default(), &names).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|event| event.as_ref().map(|event| event.id.unwrap().sequence)).collect();
    assert_eq!(found, [Some(2), Some(0), None, None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_come_together_one_gets_an_id() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let ids: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    let senders = (0..8).map(|sender| {
        let (indexer, mut ids) = (Arc::clone(&indexer), ids.clone());
        ids.rotate_left(sender * 7);
        tokio::spawn(async move {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let mut accepted = 0;
            for ids in ids.chunks(10) {
                accepted += put(&indexer, "logs", ids).await.iter().filter(|outcome| outcome.is_ok()).count();
            }
            accepted
        })
    });
    let mut accepted = 0;
    for sender in senders.collect::<Vec<_>>() {
        accepted += sender.await.unwrap();
    }
    assert_eq!(accepted, 50);
    let mut held = messages(&indexer);
    held.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(held, ids);
}

#[tokio::test]
async fn a_repeat_of_a_named_batch_gets_the_first_outcomes() {
    let place = tempfile::tempdir().unwrap();
    let mut indexer = open(place.path()).await;
    put(&indexer, "logs", &["b"]).await;
    let first = put_as(&indexer, "logs", &["a", "b", "c"], Some("s/0-2")).await;
    assert_eq!((first.0.as_slice(), first.1.first), (&[OK, CONFLICT, OK][..], Some(1)));
    assert_eq!(Marks(first.1.conflicts.clone()), Marks::of(&[1]));
    for _ in 0..2 {
        let (outcomes, ack) = put_as(&indexer, "logs", &["a", "b", "c"], Some("s/0-2")).await;
        assert_eq!((&outcomes, ack.first, ack.repeated), (&first.0, Some(1), true));
        drop(indexer);
        indexer = open(place.path()).await;
    }
    assert_eq!(messages(&indexer), ["b", "a", "c"]);
}

#[tokio::test]
async fn an_id_is_free_when_its_event_is_gone() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let limits = Settings { retention: Retention::aged(Duration::from_secs(3600)), ..settings(place.path()) };
    let indexer = Indexer::open_at(limits, hand.clock()).await.unwrap();
    put(&indexer, "logs", &["a"]).await;
    indexer.seal().await.unwrap();
    assert_eq!(put(&indexer, "logs", &["a"]).await, [CONFLICT]);
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(put(&indexer, "logs", &["a"]).await, [OK]);
    crate::ids::forget(&indexer.core).await.unwrap();
    assert_eq!(indexer.core.store.catalog().id_ranges(0).await.unwrap(), []);
    indexer.seal().await.unwrap();
    assert_eq!(put(&indexer, "logs", &["a"]).await, [CONFLICT]);
}

#[tokio::test]
async fn a_dataset_goes_as_a_whole_and_nothing_else_does() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    put(&indexer, "1", &["a"]).await;
    indexer.seal().await.unwrap();
    put(&indexer, "1", &["b"]).await;
    put(&indexer, "1.0", &["c"]).await;
    indexer.seal().await.unwrap();
    put(&indexer, "1", &["d"]).await;
    let tenant = Tenant::default();
    assert!(indexer.has_dataset(&tenant, "1").await.unwrap());
    assert_eq!(indexer.delete_dataset(&Principal::loopback(), "1").await.unwrap(), 3);
    assert_eq!(messages(&indexer), ["c"]);
    assert!(!indexer.has_dataset(&tenant, "1").await.unwrap());
    assert!(indexer.has_dataset(&tenant, "1.0").await.unwrap());
    assert_eq!(put(&indexer, "1", &["a", "d"]).await, [OK, OK]);
    assert_eq!(put(&indexer, "1.0", &["c"]).await, [CONFLICT]);
    indexer.close().await;
    drop(indexer);
    let indexer = open(place.path()).await;
    let mut held = messages(&indexer);
    held.sort();
    assert_eq!(held, ["a", "c", "d"]);
}

#[tokio::test]
async fn a_hold_keeps_a_dataset_and_only_an_administrator_deletes_one() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    put(&indexer, "logs", &["a", "b"]).await;
    put(&indexer, "other", &["c"]).await;
    let hold =
        NewHold { name: "case".into(), filter: "b".into(), reason: "court".into(), ..NewHold::default() };
    indexer.place_hold(&Principal::loopback(), hold).await.unwrap();
    let refused = indexer.delete_dataset(&Principal::loopback(), "logs").await.unwrap_err();
    assert!(matches!(&refused, DeleteError::Held { hold } if hold == "case"), "{refused}");
    let weak = Principal { permissions: [crate::Permission::Ingest].into(), ..Principal::loopback() };
    let refused = indexer.delete_dataset(&weak, "other").await.unwrap_err();
    assert!(matches!(refused, DeleteError::Forbidden(_)), "{refused}");
    assert_eq!(messages(&indexer), ["a", "b", "c"]);
    assert_eq!(indexer.delete_dataset(&Principal::loopback(), "other").await.unwrap(), 1);
    assert_eq!(messages(&indexer), ["a", "b"]);
}
