//! Kills at random moments among writes and rotations at random: every line arrives once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::indexer::Indexer;
use crate::node::{Node, lines, numbered};

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    /// Bytes of the next lines, cut anywhere.
    Torn(usize, usize),
    Rename,
    CopyTruncate,
    Gzip,
    Kill,
    Stop,
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..40).prop_map(Step::Append),
        3 => (1usize..20, 0usize..400).prop_map(|(count, cut)| Step::Torn(count, cut)),
        1 => Just(Step::Rename),
        1 => Just(Step::CopyTruncate),
        1 => Just(Step::Gzip),
        2 => Just(Step::Kill),
        1 => Just(Step::Stop),
        3 => (0u64..40).prop_map(Step::Pause),
    ]
}

/// What an application writes, and what must arrive.
#[derive(Debug, Default)]
struct Writer {
    container: bool,
    next: usize,
    /// Standard streams with a line of which the last part is still to come.
    unended: [bool; 2],
}

impl Writer {
    fn lines(&mut self, count: usize) -> String {
        let range = self.next..self.next + count;
        self.next += count;
        if !self.container {
            return numbered(range);
        }
        range.map(|number| self.parts(number)).collect()
    }

    /// Two lines of five come in parts, the last of which is written only before the next line of their stream.
    fn parts(&mut self, number: usize) -> String {
        let end = self.end(number % 2);
        let tag = if number % 5 < 2 { "P" } else { "F" };
        self.unended[number % 2] = tag == "P";
        format!("{end}{}", cri(number % 2, tag, &format!("line {number}")))
    }

    fn end(&mut self, stream: usize) -> String {
        if std::mem::take(&mut self.unended[stream]) { cri(stream, "F", " ended") } else { String::new() }
    }

    fn expected(&self) -> Vec<String> {
        let line = |number| match number % 5 < 2 {
            true => format!("line {number} ended"),
            false => format!("line {number}"),
        };
        if self.container { (0..self.next).map(line).collect() } else { lines(&numbered(0..self.next)) }
    }
}

fn cri(stream: usize, tag: &str, text: &str) -> String {
    format!("2026-03-01T12:00:00.1Z {} {tag} {text}\n", ["stdout", "stderr"][stream])
}

/// Whether what is written now arrives once however it is interrupted. Rotations keep all files, as kubelet keeps some: a file that
/// nobody can read any more cannot be shipped.
async fn play(steps: Vec<Step>, container: bool) {
    let indexer = Indexer::start().await;
    indexer.trouble_every(5);
    let (log, source) = match container {
        true => ("pods/ns_pod_uid/app/0.log", "{type: containers, root: DIR/pods}"),
        false => ("app.log", "{type: file, paths: ['DIR/app.log*']}"),
    };
    let mut node = Node::new(&indexer, &format!("batch_bytes: 2KiB\nsources: [{source}]"));
    std::fs::create_dir_all(node.path(log).parent().unwrap()).unwrap();
    let (mut writer, mut rotations) = (Writer { container, ..Writer::default() }, 0);
    let rotated = |rotation: usize| format!("{log}.2026030{rotation:05}");
    node.append(log, "");
    node.start().await;
    for step in steps {
        tracing::debug!(?step);
        match step {
            Step::Append(count) => node.append(log, writer.lines(count)),
            Step::Torn(count, cut) => {
                let text = writer.lines(count);
                let (head, tail) = text.split_at(cut.min(text.len()));
                node.append(log, head);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                node.append(log, tail);
            }
            Step::Rename => {
                node.rename(log, &rotated(rotations));
                node.append(log, "");
                rotations += 1;
            }
            // No container runtime truncates, and what truncation tears apart cannot be joined.
            Step::CopyTruncate if container => {}
            Step::CopyTruncate => {
                node.copy_truncate(log, &rotated(rotations));
                rotations += 1;
            }
            Step::Gzip if rotations > 0 && node.path(&rotated(rotations - 1)).exists() => {
                node.gzip(&rotated(rotations - 1))
            }
            Step::Gzip => {}
            Step::Kill => {
                node.kill().await;
                node.start().await;
            }
            Step::Stop => {
                node.stop().await;
                node.start().await;
            }
            Step::Pause(millis) => tokio::time::sleep(std::time::Duration::from_millis(millis)).await,
        }
    }
    indexer.trouble_every(0);
    node.append(log, [writer.end(0), writer.end(1)].concat());
    node.check_lines(&indexer, writer.expected()).await;
    node.check_conservation().await;
}

/// Each case runs real files and restarts, so there are few; `PROPTEST_CASES` asks for more. `LOCARD_LOG=debug` shows what happens.
fn check(container: bool) {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("LOCARD_LOG") {
        let log =
            tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr);
        log.try_init().unwrap_or_default();
    }
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    });
    let steps = proptest::collection::vec(step(), 5..40);
    let played = runner.run(&steps, |steps| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let said = format!("{steps:?}");
        tracing::debug!(said, "case");
        let play = std::panic::AssertUnwindSafe(|| runtime.block_on(play(steps, container)));
        std::panic::catch_unwind(play).map_err(|panic| {
            let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            TestCaseError::fail(format!("{why}\n{said}"))
        })
    });
    played.unwrap();
}

#[test]
fn every_line_of_a_file_arrives_once_whatever_happens() {
    check(false);
}

#[test]
fn every_line_of_a_container_arrives_once_and_joined_whatever_happens() {
    check(true);
}

#[tokio::test]
async fn a_torn_or_empty_state_falls_back() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..10))).await;
    node.stop().await;
    // Once more, so that the previous file knows these lines too.
    node.start().await;
    node.stop().await;
    std::fs::write(node.path("state/checkpoints"), "").unwrap();
    node.append("app.log", numbered(10..11));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..11))).await;
}
