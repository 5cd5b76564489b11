//! Container logs: envelopes, parts, labels, generations, and people who place traps.

use std::os::unix::fs::symlink;

use locard_event::name;

use crate::indexer::Indexer;
use crate::node::{Node, eventually};

const POD: &str = "pods/payments_checkout-1_0a1b";

fn node(indexer: &Indexer) -> Node {
    let node = Node::new(indexer, "sources: [{type: containers, root: DIR/pods}]");
    std::fs::create_dir_all(node.path(POD).join("app")).unwrap();
    node
}

fn cri(stream: &str, tag: &str, text: &str) -> String {
    format!("2026-03-01T12:00:00.123456789+01:00 {stream} {tag} {text}\n")
}

fn full(range: std::ops::Range<usize>) -> String {
    range.map(|number| cri("stdout", "F", &format!("line {number}"))).collect()
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("line {number}")).collect()
}

#[tokio::test]
async fn parts_are_joined_per_stream_and_labelled() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let log = format!("{POD}/app/3.log");
    node.append(
        &log,
        [cri("stdout", "P", "one "), cri("stderr", "P", "two "), cri("stdout", "P", "and ")].concat(),
    );
    node.start().await;
    node.append(&log, [cri("stderr", "F", "end"), cri("stdout", "F", "end")].concat());
    node.check_lines(&indexer, vec!["one and end".into(), "two end".into()]).await;
    for event in indexer.events() {
        let iostream = if event.message.starts_with(b"one") { "stdout" } else { "stderr" };
        for (label, expected) in [
            (name::NAMESPACE, "payments"),
            (name::POD_NAME, "checkout-1"),
            (name::POD_UID, "0a1b"),
            (name::CONTAINER_NAME, "app"),
            (name::DATASET, "container"),
            (name::HOST, "n1"),
            ("kubernetes.node.name", "n1"),
            (name::IOSTREAM, iostream),
        ] {
            assert_eq!(event.stream.get(label), Some(expected), "{label}");
        }
        assert_eq!(event.time.to_string(), "2026-03-01T11:00:00.123456789Z");
        assert_eq!(event.get("kubernetes.container.restart_count").unwrap().text(), "3");
    }
}

#[tokio::test]
async fn docker_lines_are_told_from_cri_lines() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let docker = |log: &str| {
        format!("{{\"log\":\"{log}\",\"stream\":\"stderr\",\"time\":\"2026-03-01T12:00:00.1Z\"}}\n")
    };
    node.append(
        &format!("{POD}/app/0.log"),
        [docker("long "), docker("line\\n"), docker("short\\n"), "junk\n".into()].concat(),
    );
    node.start().await;
    node.check_lines(&indexer, vec!["long line".into(), "short".into(), "junk".into()]).await;
    let junk = indexer.events().into_iter().find(|event| &event.message[..] == b"junk").unwrap();
    assert!(junk.get(name::ERROR_MESSAGE).is_some());
}

#[tokio::test]
async fn a_line_whose_parts_are_in_two_generations_is_joined() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let log = format!("{POD}/app/0.log");
    node.append(&log, [full(0..1), cri("stdout", "P", "begun "), cri("stderr", "P", "other ")].concat());
    node.start().await;
    eventually("the first line", || indexer.lines().len() == 1).await;
    node.rename(&log, &format!("{log}.20260301-120000"));
    node.append(&log, [cri("stdout", "F", "ended"), full(1..3), cri("stderr", "F", "too")].concat());
    let expected = [names(0..3), vec!["begun ended".into(), "other too".into()]].concat();
    node.check_lines(&indexer, expected).await;
    node.check_conservation().await;
}

/// Every file whose name begins `<n>.log` is read, oldest first, compressed or not.
#[tokio::test]
async fn all_generations_are_read_oldest_first() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let log = format!("{POD}/app/0.log");
    node.append(&format!("{log}.20260301-100000"), full(0..5));
    node.gzip(&format!("{log}.20260301-100000"));
    node.append(&format!("{log}.20260301-110000"), full(5..10));
    node.append(&log, full(10..15));
    node.start().await;
    eventually("all lines", || indexer.lines().len() == 15).await;
    assert_eq!(indexer.lines(), names(0..15));
}

/// As kubelet does it: rename, reopen, compress the older one, remove the oldest.
#[tokio::test]
async fn kubelet_rotates_again_and_again() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let log = format!("{POD}/app/0.log");
    node.start().await;
    for round in 0..8 {
        node.append(&log, full(round * 10..round * 10 + 10));
        let lines = (round + 1) * 10;
        if round % 3 == 1 {
            eventually("all lines so far", || indexer.lines().len() == lines).await;
        }
        let rotated = |round: usize| format!("{log}.20260301-12{round:02}00");
        node.rename(&log, &rotated(round));
        node.append(&log, "");
        if round >= 1 {
            node.gzip(&rotated(round - 1));
        }
        if round == 4 {
            node.kill().await;
            node.start().await;
        }
    }
    node.check_lines(&indexer, names(0..80)).await;
    node.stop().await;
    node.start().await;
    node.append(&log, full(80..81));
    node.check_lines(&indexer, names(0..81)).await;
}

#[tokio::test]
async fn traps_ship_no_foreign_byte() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    node.append("secret", "secret\n");
    let app = node.path(POD).join("app");
    symlink(node.path("secret"), app.join("0.log")).unwrap();
    symlink("/dev/zero", app.join("1.log")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        app.join("2.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    std::fs::create_dir(app.join("3.log")).unwrap();
    symlink(node.dir.path(), node.path("pods/a_b_c")).unwrap();
    symlink(node.dir.path(), node.path(POD).join("elsewhere")).unwrap();
    node.append("0.log", "secret\n");
    std::fs::create_dir_all(node.path("pods/no-pod/app")).unwrap();
    node.append("pods/no-pod/app/0.log", "not a pod\n");
    node.append(&format!("{POD}/app/4.log"), full(0..1));
    node.start().await;
    eventually("the only true log", || !indexer.lines().is_empty()).await;
    node.append(&format!("{POD}/app/4.log"), full(1..2));
    node.check_lines(&indexer, names(0..2)).await;
}

/// What docker does: `<n>.log` is a link to a file elsewhere, which the configuration allows.
#[tokio::test]
async fn links_of_the_runtime_are_followed() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: containers, root: DIR/pods, follow: [DIR/docker]}]");
    let app = node.path(POD).join("app");
    std::fs::create_dir_all(&app).unwrap();
    std::fs::create_dir_all(node.path("docker/1234")).unwrap();
    node.append(
        "docker/1234/1234-json.log",
        "{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-01T12:00:00.1Z\"}\n",
    );
    symlink(node.path("docker/1234/1234-json.log"), app.join("0.log")).unwrap();
    node.start().await;
    node.check_lines(&indexer, vec!["one".into()]).await;
}

/// Docker rotates beside the link's target, also while no collector runs.
#[tokio::test]
async fn what_a_link_led_to_is_found_after_a_rotation_while_down() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: containers, root: DIR/pods, follow: [DIR/docker]}]");
    let app = node.path(POD).join("app");
    std::fs::create_dir_all(&app).unwrap();
    std::fs::create_dir_all(node.path("docker/1234")).unwrap();
    let docker = |range: std::ops::Range<usize>| -> String {
        let line = |number| {
            format!(
                "{{\"log\":\"line {number}\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-01T12:00:00.1Z\"}}\n"
            )
        };
        range.map(line).collect()
    };
    let log = "docker/1234/1234-json.log";
    node.append(log, docker(0..10));
    symlink(node.path(log), app.join("0.log")).unwrap();
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.append(log, docker(10..20));
    node.rename(log, &format!("{log}.2"));
    node.append(&format!("{log}.1"), docker(20..30));
    node.append(log, docker(30..40));
    node.start().await;
    node.check_lines(&indexer, names(0..40)).await;
    node.check_conservation().await;
}
