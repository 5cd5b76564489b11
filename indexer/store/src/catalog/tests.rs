//! What one transaction makes true, and what it refuses.

use uuid::Uuid;

use super::*;
use crate::Class;

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
        class: Class::default(),
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
    Publication {
        splits: vec![split.clone()],
        batches: vec![batch(&format!("s/{}", split.sequences.start), 5)],
        ids: Vec::new(),
    }
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
    let taken =
        Publication { splits: vec![split(1, 10..12)], batches: vec![batch("s/x", 6)], ids: Vec::new() };
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
    let missing = catalog.replace(&[one.id, Uuid::from_u128(9)], std::slice::from_ref(&merged), 0).await;
    assert!(matches!(missing, Err(Error::Conflict(_))));
    let short = catalog.replace(&[one.id], std::slice::from_ref(&merged), 0).await;
    assert!(matches!(short, Err(Error::Conflict(_))));
    assert_eq!(catalog.splits().await.unwrap(), [one.clone(), two.clone(), three.clone()]);
    catalog.replace(&[one.id, two.id], std::slice::from_ref(&merged), 0).await.unwrap();
    assert_eq!(catalog.splits().await.unwrap(), [merged.clone(), three.clone()]);
    catalog.remove(&[merged.id, one.id]).await.unwrap();
    assert_eq!(catalog.splits().await.unwrap(), [three]);
    assert_eq!(catalog.partitions().await.unwrap()[0].published, 31);
}

#[tokio::test]
async fn batches_are_forgotten_by_age() {
    let (_directory, catalog) = catalog().await;
    let batches = vec![batch("a", 1), batch("b", 2), batch("c", 3)];
    catalog
        .publish(&Publication { splits: vec![split(1, 0..1)], batches: batches.clone(), ids: Vec::new() })
        .await
        .unwrap();
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
    sqlx::query("INSERT INTO catalog_version (version) VALUES (99)").execute(&again.pool).await.unwrap();
    again.pool.close().await;
    assert!(matches!(Catalog::open(&path).await, Err(Error::Conflict(_))));
}

/// A catalog as the first version left it: its splits are of no class, and everything is found again.
#[tokio::test]
async fn a_catalog_of_version_1_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let id = Uuid::from_u128(1);
    let statements = [
        "CREATE TABLE catalog_version (version BIGINT NOT NULL)".to_owned(),
        migrate::SCRIPTS[0].to_owned(),
        "INSERT INTO catalog_version (version) VALUES (1)".to_owned(),
        "INSERT INTO batches VALUES (0, 's/0', '{}', 5); UPDATE partitions SET published = 10".to_owned(),
        format!("INSERT INTO splits VALUES ('{id}', 0, 0, 10, 10, {}, {}, 1, -1, 0)", i64::MIN, i64::MAX),
    ];
    for statement in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;
    for _ in 0..2 {
        let catalog = Catalog::open(&path).await.unwrap();
        assert_eq!(catalog.splits().await.unwrap(), [split(1, 0..10)]);
        assert_eq!(batches_since(&catalog, Timestamp::MIN).await, [batch("s/0", 5)]);
        assert_eq!(catalog.holds().await.unwrap(), []);
        catalog.pool.close().await;
    }
}

#[tokio::test]
async fn classes_are_published_together_and_kept_apart() {
    let (_directory, catalog) = catalog().await;
    let of = |rule: &str| Class { rule: rule.into(), rules: "x".into() };
    let one = SplitMeta { events: 3, class: of("a"), ..split(1, 0..10) };
    let two = SplitMeta { events: 7, class: of(""), ..split(2, 0..10) };
    let elsewhere = SplitMeta { events: 7, ..split(2, 0..11) };
    for wrong in [vec![], vec![one.clone()], vec![one.clone(), elsewhere]] {
        let published =
            catalog.publish(&Publication { splits: wrong, batches: Vec::new(), ids: Vec::new() }).await;
        assert!(matches!(published, Err(Error::Conflict(_))));
    }
    catalog
        .publish(&Publication {
            splits: vec![one.clone(), two.clone()],
            batches: Vec::new(),
            ids: Vec::new(),
        })
        .await
        .unwrap();
    assert_eq!(catalog.splits().await.unwrap(), [one.clone(), two.clone()]);
    catalog.reclassify(two.id, &of("b")).await.unwrap();
    let gone = catalog.reclassify(Uuid::from_u128(9), &of("b")).await;
    assert!(matches!(gone, Err(Error::Conflict(_))));
    assert_eq!(catalog.splits().await.unwrap()[1].class, of("b"));
    let parts = [SplitMeta { events: 1, ..split(3, 0..10) }, SplitMeta { events: 1, ..split(4, 0..10) }];
    let short = catalog.replace(&[one.id], &parts, 0).await;
    assert!(matches!(short, Err(Error::Conflict(_))));
    catalog.replace(&[one.id], &parts, 1).await.unwrap();
    assert_eq!(catalog.splits().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_hold_is_recorded_once_and_its_release_too() {
    let (_directory, catalog) = catalog().await;
    let hold = Hold {
        partition: 0,
        name: "case-1".into(),
        filter: "a".into(),
        start: Some(Timestamp::from_nanos(1)),
        end: None,
        reason: "why".into(),
        created_by: "ann".into(),
        created: Timestamp::from_nanos(2),
        released: None,
    };
    assert!(catalog.add_hold(&hold).await.unwrap());
    assert!(!catalog.add_hold(&Hold { reason: "other".into(), ..hold.clone() }).await.unwrap());
    assert_eq!(catalog.holds().await.unwrap(), std::slice::from_ref(&hold));
    let release = Release { by: "bob".into(), at: Timestamp::from_nanos(3), reason: "done".into() };
    assert!(!catalog.release_hold(1, "case-1", &release).await.unwrap());
    assert!(catalog.release_hold(0, "case-1", &release).await.unwrap());
    assert!(
        !catalog.release_hold(0, "case-1", &Release { by: "eve".into(), ..release.clone() }).await.unwrap()
    );
    assert_eq!(catalog.holds().await.unwrap(), [Hold { released: Some(release), ..hold }]);
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
    catalog
        .publish(&Publication { splits: vec![split(1, 0..1)], batches: batches.clone(), ids: Vec::new() })
        .await
        .unwrap();
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

#[tokio::test]
async fn documents_are_kept_by_tenant_and_kind() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&directory.path().join("catalog")).await.unwrap();
    let document = |name: &str, body: &str| Document {
        name: name.into(),
        body: body.into(),
        changed_by: "alice".into(),
        changed_at: Timestamp::from_nanos(7),
        version: 0,
    };
    assert_eq!(catalog.put_document("default", "search", &document("b", "1"), None).await.unwrap(), 1);
    assert_eq!(catalog.put_document("default", "search", &document("a", "2"), Some(0)).await.unwrap(), 1);
    assert_eq!(catalog.put_document("default", "search", &document("b", "3"), Some(1)).await.unwrap(), 2);
    for stale in [0, 1, 3] {
        let refused = catalog.put_document("default", "search", &document("b", "4"), Some(stale)).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{stale}");
    }
    let found = catalog.document("default", "search", "b").await.unwrap().unwrap();
    assert_eq!((found.body.as_slice(), found.version), (b"3".as_slice(), 2));
    for (tenant, kind) in [("other", "search"), ("default", "lookup")] {
        assert_eq!(catalog.document(tenant, kind, "b").await.unwrap(), None);
        assert!(!catalog.delete_document(tenant, kind, "b").await.unwrap());
    }
    let listed = catalog.documents("default", "search", false).await.unwrap();
    let names: Vec<_> = listed.iter().map(|listed| (listed.name.as_str(), listed.body.len())).collect();
    assert_eq!(names, [("a", 0), ("b", 0)]);
    assert!(catalog.delete_document("default", "search", "b").await.unwrap());
    assert_eq!(catalog.documents("default", "search", true).await.unwrap().len(), 1);
}

/// Ranges take keys until they are full; what is looked up is found in the range it is in, and goes when its splits go.
#[tokio::test]
async fn ids_of_clients_are_found_by_range() {
    let (_place, catalog) = catalog().await;
    catalog.partition_of("default").await.unwrap();
    let key = |sequence: u64| sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut splits = Vec::new();
    for first in [0, 6, 12] {
        let one = split(u128::from(first) + 1, first..first + 6);
        let ids = (first..first + 6).map(|sequence| IdRow { key: key(sequence), sequence }).collect();
        catalog.publish(&Publication { splits: vec![one.clone()], batches: Vec::new(), ids }).await.unwrap();
        splits.push(one);
    }
    // Eight fill a range under test: the first two publications are in one.
    let ranges = [IdRange { first: 0, end: 12 }, IdRange { first: 12, end: 18 }];
    assert_eq!(catalog.id_ranges(0).await.unwrap(), ranges);
    assert_eq!(catalog.id_ranges(1).await.unwrap(), []);
    for (range, sequences) in [(0, 0..12), (12, 12..18)] {
        let filter = catalog.id_filter(0, range).await.unwrap().unwrap();
        assert!(sequences.clone().all(|sequence| filter.may_have(key(sequence))));
        let keys: Vec<u64> = (0..30).map(key).collect();
        let mut found = catalog.ids(0, range, &keys).await.unwrap();
        found.sort_by_key(|row| row.sequence);
        assert_eq!(
            found,
            sequences.map(|sequence| IdRow { key: key(sequence), sequence }).collect::<Vec<_>>()
        );
    }
    assert!(catalog.id_filter(0, 6).await.unwrap().is_none());
    catalog.remove(&[splits[0].id]).await.unwrap();
    assert_eq!(catalog.forget_ids().await.unwrap(), 0);
    catalog.remove(&[splits[1].id]).await.unwrap();
    assert_eq!(catalog.forget_ids().await.unwrap(), 1);
    assert_eq!(catalog.id_ranges(0).await.unwrap(), ranges[1..]);
    assert_eq!(catalog.ids(0, 0, &[key(1)]).await.unwrap(), []);
}
