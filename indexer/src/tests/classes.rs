//! Retention classes: told apart when sealed, merged apart, dropped apart, and told apart anew when the rules change.

use locard_store::Split;
use proptest::prelude::*;

use super::*;
use crate::classify::classify;
use crate::{Age, Keep, Rule};

const HOUR: Duration = Duration::from_secs(3600);

/// Everything for an hour, and what these rules say.
fn ruled(directory: &Path, rules: &[&str]) -> Settings {
    let rules = rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    let common = Keep { age: Some(Age::For(HOUR)), bytes: None, rules };
    Settings { retention: Retention { common, ..Retention::default() }, ..settings(directory) }
}

/// Opens with these rules at this time. Classifying is left to the test.
async fn open_ruled(directory: &Path, rules: &[&str], hand: &Hand) -> Arc<Indexer> {
    let opened =
        eventually(PATIENCE, async || match Indexer::open_at(ruled(directory, rules), hand.clock()).await {
            Err(Error::Log(error)) if in_use(&error) => Err(error.into()),
            other => Ok(other),
        });
    opened.await.unwrap().unwrap()
}

fn splits(indexer: &Indexer) -> Vec<Split> {
    indexer.view(&Tenant::default()).splits
}

/// The rule and the number of events of each split, sorted.
fn classes(indexer: &Indexer) -> Vec<(String, u64)> {
    let of = |split: &Split| (split.meta().class.rule.to_string(), split.meta().events);
    let mut classes: Vec<_> = splits(indexer).iter().map(of).collect();
    classes.sort();
    classes
}

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| event.id);
    events
}

async fn classify_all(indexer: &Indexer) {
    while classify(&indexer.core).await.unwrap() {}
}

#[tokio::test]
async fn what_is_sealed_is_told_apart_and_dropped_apart() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let rules = ["keep pay for 2h", "keep audit for forever"];
    let indexer = open_ruled(place.path(), &rules, &hand).await;
    send(&indexer, &["pay 1", "x", "audit 1", "pay 2"]).await.unwrap();
    indexer.seal().await.unwrap();
    send(&indexer, &["y", "audit pay", "z"]).await.unwrap();
    indexer.seal().await.unwrap();
    assert_eq!(classes(&indexer), [("", 3), ("audit", 1), ("pay", 3)].map(|(rule, n)| (rule.to_owned(), n)));
    assert_gapless(&sorted(everything(&indexer)));
    let kept = indexer.kept(&Tenant::default());
    let due: Vec<_> = kept
        .classes
        .iter()
        .map(|class| class.next_due.map(|due| due.nanos() / 1_000_000_000 - NOW))
        .collect();
    assert_eq!(due, [Some(7200), None, Some(3600)]);
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(classes(&indexer), [("audit", 1), ("pay", 3)].map(|(rule, n)| (rule.to_owned(), n)));
    hand.advance(3600);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["audit 1"]);
    assert_eq!(indexer.core.metrics.dropped_events.get(), 6);
    indexer.close().await;
    drop(indexer);
    let indexer = open_ruled(place.path(), &rules, &hand).await;
    assert_eq!(messages(&indexer), ["audit 1"]);
}

#[tokio::test]
async fn hot_events_that_are_due_are_told_apart_first() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    send(&indexer, &["pay 1", "x"]).await.unwrap();
    hand.advance(3601);
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["pay 1"]);
}

#[tokio::test]
async fn what_a_rule_keeps_goes_for_room_only_when_nothing_else_is_left() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    for line in ["pay 1", "x 1", "x 2"] {
        send(&indexer, &[line]).await.unwrap();
        crate::seal::seal_everything(&indexer.core).await.unwrap();
    }
    let sizes: Vec<u64> = splits(&indexer).iter().map(|split| split.meta().bytes).collect();
    indexer.close().await;
    drop(indexer);
    for (most, left) in [(sizes[0] + sizes[2], vec!["pay 1", "x 2"]), (sizes[0], vec!["pay 1"]), (0, vec![])]
    {
        let mut limits = ruled(place.path(), &["keep pay for 2h"]);
        let own = Keep { bytes: Some(most), ..Keep::default() };
        limits.retention.tenants = [(Tenant::default(), own)].into();
        let indexer = open_with(limits, Disk::default()).await;
        indexer.retain().await.unwrap();
        assert_eq!(messages(&indexer), left);
        indexer.close().await;
    }
}

#[tokio::test]
async fn what_a_tenant_may_have_is_its_own_affair() {
    let place = tempfile::tempdir().unwrap();
    let mut limits = settings(place.path());
    let other = Tenant::parse("other").unwrap();
    let own = Keep { bytes: Some(1), ..Keep::default() };
    limits.retention.tenants = [(other.clone(), own)].into();
    let indexer = open_with(limits, Disk::default()).await;
    let mut principal = Principal::loopback();
    principal.tenant = other.clone();
    for principal in [&principal, &Principal::loopback()] {
        let delivery =
            Delivery { door: Door::ndjson(), encoding: Encoding::Identity, batch: None, body: body(&["x"]) };
        indexer.ingest(principal, delivery).await.unwrap();
    }
    indexer.seal().await.unwrap();
    indexer.retain().await.unwrap();
    assert_eq!((messages(&indexer).len(), events(&indexer.view(&other)).len()), (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever is sealed when, whatever the rules were and are: every event is there once, unchanged, in a split of its class.
    #[test]
    fn rules_move_events_and_change_none(
        batches in prop::collection::vec(prop::collection::vec("[a-d]( [a-d]){0,2}", 1..6), 1..5),
        rules in prop::collection::vec(prop::sample::subsequence(RULES.to_vec(), 0..=RULES.len()).prop_shuffle(), 2..4),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(move_events(batches, rules));
    }
}

const RULES: [&str; 5] =
    ["keep a for 1d", "keep b OR c for 2d", "keep NOT d for 3d", "keep \"a b\" for forever", "keep d for 4d"];

async fn move_events(batches: Vec<Vec<String>>, rules: Vec<Vec<&str>>) {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let mut before: Option<Vec<Event>> = None;
    for rules in rules {
        let indexer = open_ruled(place.path(), &rules, &hand).await;
        if before.is_none() {
            for batch in &batches {
                send(&indexer, &batch.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
                crate::seal::seal_everything(&indexer.core).await.unwrap();
            }
        }
        classify_all(&indexer).await;
        indexer.seal().await.unwrap();
        let now = sorted(everything(&indexer));
        assert_gapless(&now);
        assert_eq!(&now, before.get_or_insert(now.clone()), "{rules:?}");
        let policy = indexer.core.policies.of(&Tenant::default());
        for split in splits(&indexer) {
            let own = View { splits: vec![split.clone()], ..View::default() };
            for event in events(&own) {
                assert_eq!(policy.classes()[policy.class_of(&event)], split.meta().class, "{rules:?}");
                let id = event.id.unwrap().sequence;
                assert_eq!(split.get(id).unwrap().as_ref(), Some(&event));
            }
        }
        indexer.close().await;
    }
}

#[tokio::test]
async fn other_rules_tell_apart_anew_and_change_no_event() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &[], &hand).await;
    for lines in [["pay 1", "x", "pay 2"], ["y", "z", "y"], ["pay 3", "pay 4", "pay 5"]] {
        send(&indexer, &lines).await.unwrap();
        crate::seal::seal_everything(&indexer.core).await.unwrap();
    }
    let before = everything(&indexer);
    let view = indexer.view(&Tenant::default());
    indexer.close().await;
    drop(indexer);
    let rules: [&[&str]; 4] =
        [&["keep pay for 3h"], &["keep 3 for 3h", "keep x for 2h"], &["keep z OR x for 2h"], &[]];
    let expected: [&[(&str, u64)]; 4] = [
        &[("", 1), ("", 3), ("pay", 2), ("pay", 3)],
        &[("", 2), ("", 2), ("", 3), ("3", 1), ("x", 1)],
        &[("", 1), ("", 2), ("", 2), ("", 2), ("z OR x", 1), ("z OR x", 1)],
        &[("", 1), ("", 1), ("", 1), ("", 2), ("", 2), ("", 2)],
    ];
    for (rules, expected) in rules.into_iter().zip(expected) {
        let indexer = open_ruled(place.path(), rules, &hand).await;
        classify_all(&indexer).await;
        assert_eq!(indexer.kept(&Tenant::default()).unclassified, 0);
        let expected: Vec<_> = expected.iter().map(|(rule, n)| ((*rule).to_owned(), *n)).collect();
        assert_eq!(classes(&indexer), expected, "{rules:?}");
        assert_eq!(sorted(everything(&indexer)), before, "{rules:?}");
        let found = splits(&indexer).iter().filter_map(|split| split.get(0).unwrap()).collect::<Vec<_>>();
        assert_eq!(found, before[..1]);
        indexer.close().await;
    }
    let indexer = open_ruled(place.path(), &[], &hand).await;
    indexer.seal().await.unwrap();
    assert_eq!((splits(&indexer).len(), sorted(everything(&indexer))), (1, before.clone()));
    assert_eq!(events(&view), before, "a search that had the old splits still reads them");
}

#[tokio::test]
async fn until_told_apart_anew_a_split_is_kept_as_long_as_any_rule_says() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &[], &hand).await;
    send(&indexer, &["pay", "x"]).await.unwrap();
    indexer.seal().await.unwrap();
    indexer.close().await;
    drop(indexer);
    hand.advance(3601);
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    indexer.retain().await.unwrap();
    assert!(messages(&indexer).contains(&"pay".to_owned()));
    classify_all(&indexer).await;
    indexer.retain().await.unwrap();
    assert_eq!(messages(&indexer), ["pay"]);
}

/// Killed when the new splits are written and not yet published: nothing of them is left, and the next start does it again.
#[tokio::test]
async fn a_kill_between_writing_and_publishing_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &[], &hand).await;
    send(&indexer, &["pay", "x"]).await.unwrap();
    indexer.seal().await.unwrap();
    let before = everything(&indexer);
    let split = splits(&indexer).remove(0);
    let which = |event: &Event| Some(usize::from(&*event.message == b"x"));
    let classes_of = vec![Default::default(); 2];
    let now = Timestamp::from_seconds(NOW);
    let made = indexer.core.store.sift(&split, classes_of, which, now, Arc::default()).await.unwrap();
    assert_eq!(made.len(), 2);
    // As a kill: the catalog knows nothing of them.
    drop((split, indexer));
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    classify_all(&indexer).await;
    assert_eq!(classes(&indexer), [("", 1), ("pay", 1)].map(|(rule, n)| (rule.to_owned(), n)));
    assert_eq!(sorted(everything(&indexer)), before);
    let objects = || std::fs::read_dir(place.path().join("store/splits")).unwrap().count();
    until("only what is published is left", || objects() == 2).await;
}

/// A split was taken apart, but its caller learnt of a failure: the shelf follows the catalog.
#[tokio::test]
async fn a_replacement_whose_outcome_was_not_learnt_is_taken_over() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &[], &hand).await;
    send(&indexer, &["pay", "x", "y"]).await.unwrap();
    indexer.seal().await.unwrap();
    indexer.close().await;
    drop(indexer);
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    let turn = indexer.core.tidying.lock().await;
    let (policy, before) = (indexer.core.policies.of(&Tenant::default()), everything(&indexer));
    let split = splits(&indexer).remove(0);
    let (classes_of, now) = (policy.classes(), Timestamp::from_seconds(NOW));
    let which = move |event: &Event| Some(policy.class_of(event));
    let store = &indexer.core.store;
    let made = store.sift(&split, classes_of, which, now, Arc::default()).await.unwrap();
    store.catalog().replace(&[split.meta().id], &made, 0).await.unwrap();
    drop((split, turn));
    classify_all(&indexer).await;
    assert_eq!(classes(&indexer), [("", 2), ("pay", 1)].map(|(rule, n)| (rule.to_owned(), n)));
    assert_eq!(sorted(everything(&indexer)), before);
    let objects = || std::fs::read_dir(place.path().join("store/splits")).unwrap().count();
    until("what was written for nothing is removed", || objects() == 2).await;
}

/// The transaction was committed, but its caller learnt of a failure: the shelf follows the catalog.
#[tokio::test]
async fn a_publication_whose_outcome_was_not_learnt_is_taken_over() {
    let place = tempfile::tempdir().unwrap();
    let hand = Hand::new();
    let indexer = open_ruled(place.path(), &["keep pay for 2h"], &hand).await;
    send(&indexer, &["pay", "x"]).await.unwrap();
    let policy = indexer.core.policies.of(&Tenant::default());
    let batches = indexer.view(&Tenant::default()).hot;
    let mut made = Vec::new();
    for (class, places) in policy.sort(&batches) {
        let now = Timestamp::from_seconds(NOW);
        made.push(indexer.core.store.write_class(batches.clone(), places, class, now).await.unwrap());
    }
    let publication = locard_store::Publication { splits: made, batches: Vec::new(), ids: Vec::new() };
    indexer.core.store.catalog().publish(&publication).await.unwrap();
    indexer.seal().await.unwrap();
    assert_eq!(classes(&indexer), [("", 1), ("pay", 1)].map(|(rule, n)| (rule.to_owned(), n)));
    assert_gapless(&sorted(everything(&indexer)));
    assert_eq!(indexer.status().hot_events, 0);
}
