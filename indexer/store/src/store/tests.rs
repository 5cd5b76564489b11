//! The life of a split in a store: written, published, merged, discarded, and what is left when something fails.

use std::ops::Range;

use locard_event::{EventId, Stream};
use locard_filter::Filter;

use super::*;
use crate::{Control, Publication, Request};

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

async fn open(directory: &Path) -> Store {
    Store::open(Settings::at(directory)).await.unwrap()
}

fn events(sequences: Range<u64>) -> Vec<Arc<[Event]>> {
    let stream = Arc::new(Stream::new([("host.name", "node-1")]));
    let event = |sequence: u64| {
        let noise = sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut event =
            Event::new(NOW.plus_nanos(sequence as i64), Arc::clone(&stream), format!("line {noise:x}"));
        event.id = Some(EventId::new(0, sequence));
        event.ingested = Some(NOW);
        event
    };
    vec![sequences.map(event).collect()]
}

async fn publish(store: &Store, sequences: Range<u64>) -> SplitMeta {
    let split = store.write(events(sequences), NOW).await.unwrap();
    store
        .catalog()
        .publish(&Publication { splits: vec![split.clone()], batches: Vec::new(), ids: Vec::new() })
        .await
        .unwrap();
    split
}

fn count(split: &Split) -> u64 {
    let request = Request { filter: Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
    split.count(&request, &Control::default()).unwrap()
}

/// Names below `folder`, in order.
fn names(folder: PathBuf) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_stopped_writer_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let mut sources = Vec::new();
    for range in [0..10, 10..20] {
        sources.push(store.open_split(&publish(&store, range).await).await.unwrap());
    }
    store.clone().stop();
    assert!(matches!(store.write(events(20..30), NOW).await, Err(Error::Stopped(_))));
    assert!(matches!(store.merge(&sources, NOW).await, Err(Error::Stopped(_))));
    assert_eq!(names(directory.path().join("splits")).len(), 2);
    assert_eq!(names(directory.path().join("scratch")), [""; 0]);
    assert_eq!(sources.iter().map(count).sum::<u64>(), 20);
}

#[tokio::test]
async fn what_is_published_stays_and_what_is_not_goes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let published = publish(&store, 0..10).await;
    store.write(events(0..10), NOW).await.unwrap();
    std::fs::write(directory.path().join("scratch/rest"), "x").unwrap();
    assert_eq!(names(directory.path().join("splits")).len(), 2);
    drop(store);
    let store = open(directory.path()).await;
    assert_eq!(names(directory.path().join("splits")), [format!("{}.split", published.id)]);
    assert_eq!(names(directory.path().join("scratch")), [""; 0]);
    assert_eq!(store.catalog().splits().await.unwrap(), std::slice::from_ref(&published));
    let split = store.open_split(&published).await.unwrap();
    assert_eq!(count(&split), 10);
    assert_eq!(split.get(7).unwrap().unwrap(), events(7..8)[0][0]);
}

#[tokio::test]
async fn a_store_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let settings = Settings::at(directory.path());
    assert!(matches!(Store::open(settings.clone()).await, Err(Error::Busy)));
    drop(store);
    Store::open(settings).await.unwrap();
}

#[tokio::test]
async fn splits_without_their_catalog_are_not_taken_for_rubbish() {
    let directory = tempfile::tempdir().unwrap();
    publish(&open(directory.path()).await, 0..10).await;
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        drop(std::fs::remove_file(directory.path().join(file)));
    }
    let reopened = Store::open(Settings::at(directory.path())).await;
    assert!(matches!(reopened, Err(Error::Conflict(_))));
    assert_eq!(names(directory.path().join("splits")).len(), 1);
}

#[tokio::test]
async fn a_split_that_may_be_newer_than_the_catalog_stays_until_it_is_covered() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    publish(&store, 0..10).await;
    store.write(events(10..20), NOW).await.unwrap();
    std::fs::write(directory.path().join("splits/strange"), "x").unwrap();
    drop(store);
    let store = open(directory.path()).await;
    assert_eq!(names(directory.path().join("splits")).len(), 3);
    publish(&store, 10..20).await;
    drop(store);
    drop(open(directory.path()).await);
    // The foreign file is none of ours.
    assert_eq!(names(directory.path().join("splits")).len(), 3);
    assert!(directory.path().join("splits/strange").exists());
}

#[tokio::test]
async fn an_older_catalog_is_refused_and_no_split_goes() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path()).await;
    for sequences in [0..10, 10..20, 20..30] {
        publish(&store, sequences).await;
    }
    drop(store);
    let stray = open(other.path()).await;
    publish(&stray, 0..10).await;
    let forget = stray.catalog().splits().await.unwrap();
    drop(stray);
    for entry in std::fs::read_dir(directory.path().join("splits")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, other.path().join("splits").join(path.file_name().unwrap())).unwrap();
    }
    let refused = Store::open(Settings::at(other.path())).await;
    assert!(
        matches!(&refused, Err(Error::Conflict(text)) if text.contains("Restore the catalog")),
        "{refused:?}"
    );
    assert_eq!(names(other.path().join("splits")).len(), 3 + forget.len());
}

/// Drops where no runtime is, so that objects are removed before this returns.
fn drop_at_once<T: Send>(value: T) {
    std::thread::scope(|scope| drop(scope.spawn(|| drop(value))));
}

/// The last reader may end on a thread that drives others: that one unlinks nothing.
#[test]
fn a_discarded_split_is_removed_on_a_blocking_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build();
    runtime.unwrap().block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).await;
        let meta = publish(&store, 0..10).await;
        let split = store.open_split(&meta).await.unwrap();
        store.discard(&split);
        let objects = || names(directory.path().join("splits")).len();
        let (go_on, gate) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || gate.recv());
        drop(split);
        assert_eq!(objects(), 1, "the only blocking thread is busy");
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert_eq!(objects(), 0);
    });
}

#[tokio::test]
async fn a_merged_split_takes_the_place_of_its_sources() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let mut sources = Vec::new();
    for sequences in [0..10, 10..11, 11..40] {
        let meta = publish(&store, sequences).await;
        sources.push(store.open_split(&meta).await.unwrap());
    }
    let merged = store.merge(&sources, NOW).await.unwrap();
    assert_eq!((merged.sequences.clone(), merged.events, merged.level), (0..40, 40, 1));
    let replaced: Vec<_> = sources.iter().map(|split| split.meta().id).collect();
    store.catalog().replace(&replaced, std::slice::from_ref(&merged), 0).await.unwrap();
    let reader = sources[2].clone();
    sources.iter().for_each(|source| store.discard(source));
    drop_at_once(sources);
    // One is still being read.
    assert_eq!(names(directory.path().join("splits")).len(), 2);
    assert_eq!(count(&reader), 29);
    drop_at_once(reader);
    assert_eq!(names(directory.path().join("splits")), [format!("{}.split", merged.id)]);
    assert_eq!(count(&store.open_split(&merged).await.unwrap()), 40);
}

#[tokio::test]
async fn what_cannot_be_a_split_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let (one, two) = (publish(&store, 0..10).await, publish(&store, 10..20).await);
    let (one, two) = (store.open_split(&one).await.unwrap(), store.open_split(&two).await.unwrap());
    let mut unaccepted = events(0..2);
    unaccepted[0] = unaccepted[0].iter().cloned().map(|event| Event { id: None, ..event }).collect();
    let backwards = vec![events(5..6).remove(0), events(4..5).remove(0)];
    for wrong in [Vec::new(), vec![Arc::from([])], unaccepted, backwards] {
        assert!(matches!(store.write(wrong, NOW).await, Err(Error::Conflict(_))));
    }
    for wrong in [vec![], vec![two.clone(), one.clone()], vec![one.clone(), one.clone()]] {
        assert!(matches!(store.merge(&wrong, NOW).await, Err(Error::Conflict(_))));
    }
    assert_eq!(names(directory.path().join("scratch")), [""; 0]);
    assert_eq!(names(directory.path().join("splits")).len(), 2);
}

/// A file system of a few megabytes, if this machine lets us have one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(self.0.path()).output());
    }
}

#[tokio::test]
async fn a_full_disk_is_said_so_and_leaves_nothing_behind() {
    let Some(disk) = SmallDisk::mount("3m") else {
        eprintln!("SKIPPED: no tmpfs can be mounted here");
        return;
    };
    let store = open(disk.0.path()).await;
    let small = publish(&store, 0..10).await;
    let mut refused = 0;
    // Sizes around the limit, so that the disk fills at different steps.
    for count in [20_000, 40_000, 60_000, 200_000] {
        match store.write(events(10..10 + count), NOW).await {
            Err(Error::NoSpace) => refused += 1,
            Err(other) => panic!("{count}: {other:?}"),
            Ok(meta) => {
                std::fs::remove_file(disk.0.path().join(format!("splits/{}.split", meta.id))).unwrap()
            }
        }
        assert_eq!(names(disk.0.path().join("scratch")), [""; 0]);
        assert_eq!(names(disk.0.path().join("splits")).len(), 1);
    }
    assert!(refused > 0);
    assert_eq!(count(&store.open_split(&small).await.unwrap()), 10);
    publish(&store, 10..20).await;
}
