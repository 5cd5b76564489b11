//! What one transaction makes true, and what it refuses.

use super::*;

fn split(id: u128, sequences: std::ops::Range<u64>) -> SplitMeta {
    SplitMeta {
        id: Uuid::from_u128(id),
        partition: 0,
        events: sequences.end - sequences.start,
        sequences,
        filed: (Timestamp::MIN, Timestamp::MAX),
        bytes: 1,
        created: Timestamp::from_nanos(-1),
        level: 0,
    }
}

fn batch(name: &str, accepted: i64) -> BatchRow {
    BatchRow {
        partition: 0,
        batch: name.into(),
        answer: "{}".into(),
        accepted: Timestamp::from_nanos(accepted),
    }
}

fn publication(split: &SplitMeta) -> Publication {
    Publication { split: split.clone(), batches: vec![batch(&format!("s/{}", split.sequences.start), 5)] }
}

async fn catalog() -> (tempfile::TempDir, Catalog) {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&directory.path().join("catalog")).await.unwrap();
    (directory, catalog)
}

#[tokio::test]
async fn partition_zero_is_the_default_tenants() {
    let (_directory, catalog) = catalog().await;
    assert_eq!(catalog.partition_of("other").await.unwrap().partition, 1);
    assert_eq!(catalog.partition_of("default").await.unwrap().partition, 0);
    assert_eq!(catalog.partition_of("other").await.unwrap().partition, 1);
    assert_eq!(catalog.partition_of("third").await.unwrap().partition, 2);
    let tenants: Vec<_> = catalog.partitions().await.unwrap().into_iter().map(|it| it.tenant).collect();
    assert_eq!(tenants, ["default", "other", "third"]);
}

#[tokio::test]
async fn a_split_must_continue_what_is_published() {
    let (_directory, catalog) = catalog().await;
    let first = split(1, 0..10);
    catalog.publish(&publication(&first)).await.unwrap();
    for wrong in
        [split(2, 0..10), split(2, 9..12), split(2, 11..12), SplitMeta { partition: 7, ..split(2, 10..12) }]
    {
        assert!(matches!(catalog.publish(&publication(&wrong)).await, Err(Error::Conflict(_))), "{wrong:?}");
    }
    // The name is taken: nothing of the transaction may stay.
    let taken = Publication { split: split(1, 10..12), batches: vec![batch("s/x", 6)] };
    assert!(catalog.publish(&taken).await.is_err());
    assert_eq!(catalog.partitions().await.unwrap()[0].published, 10);
    assert_eq!(catalog.splits().await.unwrap(), [first]);
    assert_eq!(batches_since(&catalog, Timestamp::MIN).await, [batch("s/0", 5)]);
}

#[tokio::test]
async fn a_merge_replaces_exactly_its_sources() {
    let (_directory, catalog) = catalog().await;
    let (one, two, three) = (split(1, 0..10), split(2, 10..30), split(3, 30..31));
    for split in [&one, &two, &three] {
        catalog.publish(&publication(split)).await.unwrap();
    }
    let merged = SplitMeta { level: 1, ..split(4, 0..30) };
    let missing = catalog.replace(&[one.id, Uuid::from_u128(9)], &merged).await;
    assert!(matches!(missing, Err(Error::Conflict(_))));
    let short = catalog.replace(&[one.id], &merged).await;
    assert!(matches!(short, Err(Error::Conflict(_))));
    assert_eq!(catalog.splits().await.unwrap(), [one.clone(), two.clone(), three.clone()]);
    catalog.replace(&[one.id, two.id], &merged).await.unwrap();
    assert_eq!(catalog.splits().await.unwrap(), [merged.clone(), three.clone()]);
    catalog.remove(&[merged.id, one.id]).await.unwrap();
    assert_eq!(catalog.splits().await.unwrap(), [three]);
    assert_eq!(catalog.partitions().await.unwrap()[0].published, 31);
}

#[tokio::test]
async fn batches_are_forgotten_by_age() {
    let (_directory, catalog) = catalog().await;
    let batches = vec![batch("a", 1), batch("b", 2), batch("c", 3)];
    catalog.publish(&Publication { split: split(1, 0..1), batches: batches.clone() }).await.unwrap();
    assert_eq!(batches_since(&catalog, Timestamp::from_nanos(2)).await, batches[1..]);
    assert_eq!(catalog.forget_batches(Timestamp::from_nanos(2)).await.unwrap(), 1);
    assert_eq!(batches_since(&catalog, Timestamp::MIN).await, batches[1..]);
}

#[tokio::test]
async fn a_catalog_survives_reopening_and_a_newer_one_is_refused() {
    let (directory, catalog) = catalog().await;
    let path = directory.path().join("catalog");
    catalog.publish(&publication(&split(1, 0..10))).await.unwrap();
    catalog.pool.close().await;
    let again = Catalog::open(&path).await.unwrap();
    assert_eq!(again.splits().await.unwrap(), [split(1, 0..10)]);
    sqlx::query("INSERT INTO catalog_version (version) VALUES (2)").execute(&again.pool).await.unwrap();
    again.pool.close().await;
    assert!(matches!(Catalog::open(&path).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_commit_is_on_disk_before_it_is_answered() {
    let (_directory, catalog) = catalog().await;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&catalog.pool).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&catalog.pool).await.unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

/// Oldest first.
async fn batches_since(catalog: &Catalog, since: Timestamp) -> Vec<BatchRow> {
    let mut found = Vec::new();
    let visit = |row| {
        found.insert(0, row);
        ControlFlow::Continue(())
    };
    catalog.newest_batches(since, visit).await.unwrap();
    found
}

#[tokio::test]
async fn batches_are_shown_newest_first_until_enough_and_found_by_name() {
    let (_directory, catalog) = catalog().await;
    let batches = vec![batch("a", 1), batch("b", 2), batch("c", 3)];
    catalog.publish(&Publication { split: split(1, 0..1), batches: batches.clone() }).await.unwrap();
    let mut seen = Vec::new();
    let visit = |row: BatchRow| {
        seen.push(row.batch);
        if seen.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    catalog.newest_batches(Timestamp::MIN, visit).await.unwrap();
    assert_eq!(seen, ["c", "b"]);
    assert_eq!(catalog.batch(0, "a").await.unwrap().as_ref(), batches.first());
    assert_eq!(catalog.batch(1, "a").await.unwrap(), None);
}
