//! A caller that goes away, a tenant that fails, a catalog that went ahead: the stages go on, and nothing comes back or is left over.

use locard_store::{Class, Publication, Split, SplitMeta};

use super::*;
use crate::seal::{Pressure, relieve, seal_everything};

async fn send_as(indexer: &Indexer, tenant: &str, message: &str) -> Tenant {
    let mut principal = Principal::loopback();
    principal.tenant = Tenant::parse(tenant).unwrap();
    let delivery =
        Delivery { door: Door::ndjson(), encoding: Encoding::Identity, batch: None, body: body(&[message]) };
    indexer.ingest(&principal, delivery).await.unwrap();
    principal.tenant
}

/// Two splits of one event each.
async fn two_splits(indexer: &Indexer) -> Vec<Split> {
    for message in ["one", "two"] {
        send(indexer, &[message]).await.unwrap();
        seal_everything(&indexer.core).await.unwrap();
    }
    indexer.view(&Tenant::default()).splits
}

fn objects(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("store/splits")).unwrap().count()
}

#[tokio::test]
async fn sealing_goes_on_when_its_caller_goes_away() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    send(&indexer, &["one"]).await.unwrap();
    let turn = indexer.core.sealing.lock().await;
    assert!(tokio::time::timeout(Duration::from_millis(50), indexer.seal()).await.is_err());
    drop(turn);
    until("it is sealed", || indexer.status().hot_events == 0).await;
    assert_eq!(messages(&indexer), ["one"]);
}

#[tokio::test]
async fn what_the_catalog_has_no_more_leaves_the_shelf() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let splits = two_splits(&indexer).await;
    indexer.core.store.catalog().remove(&[splits[0].meta().id]).await.unwrap();
    drop(splits);
    indexer.seal().await.unwrap();
    assert_eq!(messages(&indexer), ["two"]);
    send(&indexer, &["three"]).await.unwrap();
    indexer.seal().await.unwrap();
    assert_eq!((messages(&indexer).len(), indexer.status().splits), (2, 1));
    until("the objects are removed", || objects(place.path()) == 1).await;
}

#[tokio::test]
async fn a_merge_whose_outcome_was_not_learnt_is_taken_over() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let splits = two_splits(&indexer).await;
    let store = &indexer.core.store;
    let merged = store.merge(&splits, Timestamp::from_seconds(NOW)).await.unwrap();
    let sources: Vec<_> = splits.iter().map(|split| split.meta().id).collect();
    store.catalog().replace(&sources, std::slice::from_ref(&merged), 0).await.unwrap();
    drop(splits);
    indexer.seal().await.unwrap();
    assert_eq!(messages(&indexer), ["one", "two"]);
    assert_eq!(indexer.status().splits, 1);
    until("the objects are removed", || objects(place.path()) == 1).await;
}

/// The catalog says of tenant `bad` that a split follows that does not exist.
async fn with_a_bad_tenant(indexer: &Indexer) -> Tenant {
    let bad = send_as(indexer, "bad", "x").await;
    let partition = *indexer.core.tenants.shelf(&bad).partition.get().unwrap();
    let split = SplitMeta {
        id: uuid::Uuid::new_v4(),
        partition,
        sequences: 0..7,
        events: 7,
        filed: (Timestamp::MIN, Timestamp::MAX),
        bytes: 1,
        created: Timestamp::MIN,
        level: 0,
        class: Class::default(),
    };
    let publication = Publication { splits: vec![split], batches: Vec::new(), ids: Vec::new() };
    indexer.core.store.catalog().publish(&publication).await.unwrap();
    bad
}

#[tokio::test]
async fn a_tenant_that_cannot_be_sealed_stops_nobody_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    let bad = with_a_bad_tenant(&indexer).await;
    for round in 0..4 {
        for good in ["a", "b", "c", "d"] {
            send_as(&indexer, good, &format!("{round}")).await;
        }
        assert!(indexer.seal().await.is_err());
    }
    assert_eq!(indexer.status().hot_events, 1);
    assert_eq!(indexer.view(&bad).hot.len(), 1);
    until("the objects are removed", || objects(place.path()) == indexer.status().splits as usize).await;
}

#[tokio::test]
async fn relief_passes_over_who_cannot_be_sealed() {
    let place = tempfile::tempdir().unwrap();
    let eager = Settings { seal_events: 2, ..settings(place.path()) };
    let indexer = open_with(eager, Disk::default()).await;
    with_a_bad_tenant(&indexer).await;
    send_as(&indexer, "bad", "y").await;
    for tenant in ["a", "b", "c", "d", "bad", "e", "f"] {
        send_as(&indexer, tenant, "1").await;
        send_as(&indexer, tenant, "2").await;
    }
    until("the others are sealed", || indexer.status().hot_events <= 4).await;
    // Not due yet: it rests.
    drop(relieve(&indexer.core, Pressure::Any).await);
    assert!(indexer.core.resting.any("seal"));
    assert!(crate::lock::lock(&indexer.core.troubles).contains_key("seal"));
}

#[tokio::test]
async fn a_split_that_is_being_written_does_not_hold_up_the_end() {
    let place = tempfile::tempdir().unwrap();
    let indexer = open(place.path()).await;
    send(&indexer, &["x"]).await.unwrap();
    // As if the stop came after the stage had asked for it.
    indexer.core.store.stop();
    assert!(matches!(indexer.seal().await, Err(Error::Closed)));
    assert_eq!((indexer.status().splits, indexer.status().hot_events), (0, 1));
    assert_eq!(objects(place.path()), 0);
    assert_eq!(messages(&indexer), ["x"]);
}

#[tokio::test]
async fn sealing_and_merging_notice_a_stop_between_their_steps() {
    let place = tempfile::tempdir().unwrap();
    let eager = Settings { seal_events: 1, merge_width: 2, ..settings(place.path()) };
    let indexer = open_with(eager, Disk::default()).await;
    let tidying = indexer.core.tidying.lock().await;
    for _ in 0..4 {
        send(&indexer, &["x"]).await.unwrap();
    }
    until("they are sealed", || indexer.status().splits == 4).await;
    let sealing = indexer.core.sealing.lock().await;
    for _ in 0..4 {
        send(&indexer, &["y"]).await.unwrap();
    }
    // Both stages wait for their turn by now: the test and they share one thread.
    tokio::task::yield_now().await;
    indexer.core.stop.cancel();
    drop((tidying, sealing));
    indexer.close().await;
    let status = indexer.status();
    assert_eq!((status.splits, status.hot_events), (4, 4));
}
