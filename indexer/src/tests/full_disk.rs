//! A disk that is really full: a small tmpfs.

use std::process::Command;

use super::*;

struct Mount(tempfile::TempDir);

impl Mount {
    fn new(size: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place.path()).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(place)),
            other => {
                eprintln!("SKIPPED: a tmpfs cannot be mounted here: {other:?}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: files may still be open when a test fails.
        let _done = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_without_loss_and_recovers_by_itself() {
    let Some(mount) = Mount::new("4m") else { return };
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(mount.0.path(), place.path().join("wal")).unwrap();
    let large = Settings { segment_bytes: 1 << 20, ..settings(place.path()) };
    let indexer = open_with(large, Disk::default()).await;
    let text = "x".repeat(100_000);
    let mut acked = 0;
    let refused = loop {
        match ingest(&indexer, body(&[&text]), Some(&format!("s/{acked}-{acked}"))).await {
            Ok(_) => acked += 1,
            Err(error) => break error,
        }
        assert!(acked < 100, "the disk never was full");
    };
    assert!(matches!(refused, Error::NoSpace), "{refused:?}");
    assert!(indexer.status().refusing.unwrap().contains("os error 28"));
    assert_eq!(everything(&indexer).len(), acked);

    // Sealing puts the events elsewhere and releases the log; nobody has to restart anything.
    indexer.seal().await.unwrap();
    ingest(&indexer, body(&[&text]), Some(&format!("s/{acked}-{acked}"))).await.unwrap();
    assert_eq!(indexer.status().refusing, None);
    assert_eq!(everything(&indexer).len(), acked + 1);
    drop(indexer);
    let indexer = open(place.path()).await;
    assert_eq!(everything(&indexer).len(), acked + 1);
    assert_gapless(&everything(&indexer));
    indexer.close().await;
}

#[tokio::test]
async fn the_indexer_notices_by_itself_that_there_is_space_again() {
    let Some(mount) = Mount::new("1m") else { return };
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(mount.0.path(), place.path().join("wal")).unwrap();
    let indexer = open(place.path()).await;
    send(&indexer, &["one"]).await.unwrap();
    let ballast = mount.0.path().join("ballast");
    drop(std::fs::write(&ballast, vec![0; 2 << 20]));
    assert!(matches!(send(&indexer, &[&"x".repeat(100_000)]).await, Err(Error::NoSpace)));
    std::fs::remove_file(&ballast).unwrap();
    until("it writes again", || indexer.status().refusing.is_none()).await;
    indexer.close().await;
}
