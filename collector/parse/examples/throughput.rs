//! How many lines a CPU-second reads, per format: `cargo run --release -p locard-parse --example throughput`.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use locard_event::{Event, Stream, Timestamp};
use locard_parse::{Context, frame, normalise};

const LINES: [(&str, &str, &str); 8] = [
    (
        "sshd",
        "syslog",
        "Mar  1 12:00:00 bastion sshd[901]: Failed password for invalid user admin from 203.0.113.7 port 50022 ssh2",
    ),
    ("syslog", "syslog", "Mar  1 12:00:00 web-1 systemd[1]: Started Session 42 of user alice."),
    (
        "rfc5424",
        "syslog",
        "<165>1 2026-03-01T12:00:00Z web-1 app 42 ID47 [sd@1 iut=\"3\" source=\"App\"] a message of some length",
    ),
    (
        "access",
        "container",
        "203.0.113.7 - - [01/Mar/2026:12:00:00 +0000] \"GET /a/b?c=d HTTP/1.1\" 200 612 \"https://example.com/\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
    ),
    (
        "json",
        "container",
        "{\"level\":\"info\",\"ts\":1772366400.25,\"caller\":\"app/main.go:12\",\"msg\":\"request served\",\"status\":200,\"path\":\"/a/b\",\"took\":0.012}",
    ),
    (
        "logfmt",
        "container",
        "time=\"2026-03-01T12:00:00Z\" level=info msg=\"request served\" status=200 path=/a/b took=12ms",
    ),
    (
        "klog",
        "container",
        "E0301 12:00:00.123456   12345 pod_workers.go:1301] \"Error syncing pod\" pod=\"kube-system/dns-1\" err=\"failed\"",
    ),
    (
        "prose",
        "container",
        "the quick brown fox jumps over the lazy dog and then some more words follow to make a line of it",
    ),
];

fn main() {
    let received = Timestamp::from_seconds(1_775_000_000);
    for (name, dataset, line) in LINES {
        let stream = Arc::new(Stream::new([("event.dataset", dataset), ("host.name", "node-1")]));
        report(name, || {
            let mut event = Event::new(received, Arc::clone(&stream), line.as_bytes());
            normalise(&mut event, Context { received, time_known: true });
            black_box(event);
        });
    }
    let cri = b"2026-03-01T12:00:00.123456789Z stdout F the quick brown fox jumps over the lazy dog";
    report("cri", || drop(black_box(frame::cri(cri))));
}

/// Counts processor time, not the clock: the machine may be busy with others.
fn report(name: &str, mut read: impl FnMut()) {
    let started = Instant::now();
    let before = cpu_nanos();
    let mut lines = 0u32;
    while started.elapsed() < Duration::from_secs(1) {
        for _ in 0..1_000 {
            read();
        }
        lines += 1_000;
    }
    let seconds = (cpu_nanos() - before) / 1e9;
    println!("{name:8} {:9.0} lines/CPU-s", f64::from(lines) / seconds);
}

/// Nanoseconds this thread has run (Linux Documentation/scheduler/sched-stats.rst).
fn cpu_nanos() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}
