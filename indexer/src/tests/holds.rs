//! Legal holds: what one covers outlives its retention, and nothing else does.

use super::*;
use crate::{HoldError, NewHold};

const HOUR: Duration = Duration::from_secs(3600);

async fn open_aged(directory: &Path, hand: &Hand) -> Arc<Indexer> {
    let limits = Settings { retention: Retention::aged(HOUR), ..settings(directory) };
    let opened = eventually(PATIENCE, async || match Indexer::open_at(limits.clone(), hand.clock()).await {
        Err(Error::Log(error)) if in_use(&error) => Err(error.into()),
        other => Ok(other),
    });
    opened.await.unwrap().unwrap()
}

fn new(name: &str, filter: &str) -> NewHold {
    NewHold { name: name.into(), filter: filter.into(), reason: "case 17".into(), ..NewHold::default() }
}

async fn place(indexer: &Indexer, new: NewHold) {
    indexer.place_hold(&Principal::loopback(), new).await.unwrap();
}

async fn release(indexer: &Indexer, name: &str) {
    indexer.release_hold(&Principal::loopback(), name, "closed".into()).await.unwrap();
}

#[tokio::test]
async fn what_is_held_stays_through_its_expiry_until_it_is_released() {
    let place_ = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(place_.path(), &hand).await;
    send(&indexer, &["evil 1", "good", "evil 2"]).await.unwrap();
    indexer.seal().await.unwrap();
    send(&indexer, &["hot evil", "hot good"]).await.unwrap();
    place(&indexer, new("case", "evil")).await;
    place(&indexer, new("other", "good AND NOT good")).await;
    let before = everything(&indexer);
    let view = indexer.view(&Tenant::default());
    hand.advance(3601);
    for _ in 0..3 {
        indexer.retain().await.unwrap();
        let expected: Vec<Event> =
            before.iter().filter(|event| event.message.windows(4).any(|w| w == b"evil")).cloned().collect();
        assert_eq!(everything(&indexer), expected);
    }
    assert_eq!(indexer.core.metrics.dropped_events.get(), 2);
    assert_eq!(
        indexer.core.metrics.rewritten.get_or_create(&crate::metrics::Metrics::reason("hold")).get(),
        2
    );
    assert_eq!(events(&view), before, "a search that had the old splits still reads them");
    drop(view);
    indexer.close().await;
    drop(indexer);
    let indexer = open_aged(place_.path(), &hand).await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["evil 1", "evil 2", "hot evil"]);
    release(&indexer, "case").await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), [""; 0]);
    let objects = || std::fs::read_dir(place_.path().join("store/splits")).unwrap().count();
    until("the objects are removed", || objects() == 0).await;
}

#[tokio::test]
async fn several_holds_cover_what_any_of_them_covers() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(folder.path(), &hand).await;
    let line = |second: i64, message: &str| format!("{{\"ts\":{},\"msg\":\"{message}\"}}\n", NOW + second);
    let lines: String = (0..4).map(|second| line(second, &format!("m{second}"))).collect();
    ingest(&indexer, lines, None).await.unwrap();
    indexer.seal().await.unwrap();
    let at = |second: i64| Some(Timestamp::from_seconds(NOW + second));
    place(&indexer, NewHold { start: at(1), end: at(2), ..new("one", "*") }).await;
    place(&indexer, NewHold { start: at(2), ..new("two", "m1 OR m2 OR m0") }).await;
    place(&indexer, NewHold { end: at(0), ..new("before", "*") }).await;
    place(&indexer, NewHold { start: at(4), ..new("after", "*") }).await;
    hand.advance(3605);
    for _ in 0..2 {
        indexer.retain().await.unwrap();
        assert_eq!(messages(&indexer), ["m1", "m2"]);
    }
    release(&indexer, "two").await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["m1"]);
}

#[tokio::test]
async fn what_is_held_stays_when_there_is_too_much_and_others_go_instead() {
    let folder = tempfile::tempdir().unwrap();
    let tight = Settings { retention: Retention::sized(1), ..settings(folder.path()) };
    let indexer = open_with(settings(folder.path()), Disk::default()).await;
    for line in ["held", "x", "y"] {
        send(&indexer, &[line]).await.unwrap();
        crate::seal::seal_everything(&indexer.core).await.unwrap();
    }
    place(&indexer, new("case", "held")).await;
    indexer.close().await;
    drop(indexer);
    let indexer = open_with(tight, Disk::default()).await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["held"]);
}

#[tokio::test]
async fn a_hold_of_one_tenant_is_none_of_anothers() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(folder.path(), &hand).await;
    let mut other = Principal::loopback();
    other.tenant = Tenant::parse("other").unwrap();
    indexer.place_hold(&other, new("case", "*")).await.unwrap();
    place(&indexer, new("case", "nothing")).await;
    send(&indexer, &["x"]).await.unwrap();
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), [""; 0]);
    assert_eq!(indexer.holds(&other.tenant).await.unwrap().len(), 1);
    let absent = indexer.release_hold(&Principal::loopback(), "elsewhere", "r".into()).await;
    assert!(matches!(absent, Err(HoldError::Absent)));
}

/// Retention is under way: the hold is answered only when that is over, and is asked from then on.
#[tokio::test]
async fn placing_a_hold_waits_for_what_is_being_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let indexer = open(folder.path()).await;
    let dropping = indexer.core.dropping.lock().await;
    let placing = {
        let indexer = Arc::clone(&indexer);
        tokio::spawn(async move { indexer.place_hold(&Principal::loopback(), new("case", "x")).await })
    };
    let waited = tokio::time::timeout(Duration::from_millis(50), async {
        until("never", || placing.is_finished()).await;
    });
    assert!(waited.await.is_err());
    assert!(indexer.holds(&Tenant::default()).await.unwrap().is_empty());
    drop(dropping);
    placing.await.unwrap().unwrap();
    assert_eq!(indexer.holds(&Tenant::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unreadable_split_that_a_hold_may_cover_stays() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(folder.path(), &hand).await;
    send(&indexer, &["x"]).await.unwrap();
    indexer.seal().await.unwrap();
    let at = |second: i64| Some(Timestamp::from_seconds(NOW + second));
    place(&indexer, NewHold { start: at(0), end: at(1), ..new("case", "y") }).await;
    let id = indexer.view(&Tenant::default()).splits[0].meta().id;
    indexer.close().await;
    drop(indexer);
    let path = folder.path().join(format!("store/splits/{id}.split"));
    std::fs::write(&path, "broken").unwrap();
    hand.advance(3601);
    let indexer = open_aged(folder.path(), &hand).await;
    indexer.retain().await.unwrap();
    assert_eq!(indexer.status().unreadable_splits, 1);
    release(&indexer, "case").await;
    indexer.retain().await.unwrap();
    assert_eq!(indexer.status().unreadable_splits, 0);
}

/// Written but not committed when the process dies: the split is as before, and is asked again.
#[tokio::test]
async fn a_kill_while_the_held_part_is_written_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(folder.path(), &hand).await;
    send(&indexer, &["evil", "good"]).await.unwrap();
    indexer.seal().await.unwrap();
    place(&indexer, new("case", "evil")).await;
    let split = indexer.view(&Tenant::default()).splits.remove(0);
    let which = |event: &Event| (&*event.message == b"evil").then_some(0);
    let now = Timestamp::from_seconds(NOW);
    let made =
        indexer.core.store.sift(&split, vec![Default::default()], which, now, Arc::default()).await.unwrap();
    assert_eq!(made.iter().map(|meta| meta.events).sum::<u64>(), 1);
    drop((split, indexer));
    let indexer = open_aged(folder.path(), &hand).await;
    assert_eq!(messages(&indexer), ["evil", "good"]);
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["evil"]);
    assert_eq!(indexer.holds(&Tenant::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_makes_no_hold_is_refused_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let indexer = open(folder.path()).await;
    let now = Some(Timestamp::from_seconds(NOW));
    for (hold, expected) in [
        (new("", "x"), "name"),
        (new("-a", "x"), "name"),
        (new("a/b", "x"), "name"),
        (new(&"a".repeat(64), "x"), "name"),
        (new("a", " "), "filter"),
        (new("a", "(x"), "filter"),
        (new("a", "_time:1h"), "filter"),
        (NewHold { reason: " ".into(), ..new("a", "x") }, "reason"),
        (NewHold { start: now, end: now, ..new("a", "x") }, "start"),
    ] {
        let refused = indexer.place_hold(&Principal::loopback(), hold.clone()).await;
        let fits = matches!(&refused, Err(HoldError::Invalid { what, .. }) if *what == expected);
        assert!(fits, "{hold:?}: {refused:?}");
    }
    place(&indexer, new("Case-17.b", "x")).await;
    let again = indexer.place_hold(&Principal::loopback(), new("Case-17.b", "x")).await;
    assert!(matches!(again, Err(HoldError::Taken)));
    release(&indexer, "Case-17.b").await;
    let again = indexer.release_hold(&Principal::loopback(), "Case-17.b", "r".into()).await;
    assert!(matches!(again, Err(HoldError::Released)));
    let again = indexer.place_hold(&Principal::loopback(), new("Case-17.b", "x")).await;
    assert!(matches!(again, Err(HoldError::Taken)), "a record is not overwritten");
    let [hold] = indexer.holds(&Tenant::default()).await.unwrap().try_into().unwrap();
    assert_eq!((hold.created_by.as_str(), hold.released.unwrap().reason.as_str()), ("loopback", "closed"));
}

/// A filter that this program cannot read, of a version to come perhaps.
#[tokio::test]
async fn a_hold_that_cannot_be_read_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_aged(folder.path(), &hand).await;
    send(&indexer, &["x"]).await.unwrap();
    place(&indexer, new("case", "y")).await;
    let hold = indexer.holds(&Tenant::default()).await.unwrap().remove(0);
    let strange = locard_store::Hold { name: "strange".into(), filter: "x |> y (".into(), ..hold };
    assert!(indexer.core.store.catalog().add_hold(&strange).await.unwrap());
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["x"]);
}

#[tokio::test]
async fn holds_in_force_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let indexer = open(folder.path()).await;
    for n in 0..100 {
        place(&indexer, new(&format!("case-{n}"), "x")).await;
    }
    let refused = indexer.place_hold(&Principal::loopback(), new("case", "x")).await;
    assert!(matches!(refused, Err(HoldError::Invalid { what: "name", .. })), "{refused:?}");
    release(&indexer, "case-7").await;
    place(&indexer, new("case", "x")).await;
}
