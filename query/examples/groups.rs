//! What pipes take to work on 150,000 combinations of values, as many as five million events have addresses:
//! `cargo run --release --example groups`.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::net::Ipv4Addr;

use locard_event::{Timestamp, Value};
use locard_query::pipe::{Outcome, Pipeline, Setting, parse};

const COMBINATIONS: u32 = 150_000;
const EVENTS: u64 = 33;

fn main() {
    let addresses = |n: u32| vec![Value::Ip(Ipv4Addr::from(n.wrapping_mul(0x9E37_79B1)).into())];
    let names = |n: u32| vec![Value::from(format!("user-{n}"))];
    let numbers = |n: u32| vec![Value::Int(i64::from(n % 50)), Value::Float(f64::from(n) / 7.0)];
    let buckets = |n: u32| vec![Value::Int(i64::from(n % 1_440)), Value::Int(i64::from(n / 1_440))];
    report("* | top source.ip", addresses);
    report("* | top user.name", names);
    report("* | stats dc(source.ip)", addresses);
    report("* | stats count() by source.ip", addresses);
    report("* | stats sum(n), p95(n) by host.name", numbers);
    report("* | timechart span=1m count() by host.name", buckets);
}

fn report(query: &str, values: fn(u32) -> Vec<Value>) {
    let combinations: Vec<Vec<Value>> = (0..COMBINATIONS).map(values).collect();
    let pipes = parse(query).map(|query| query.pipes).unwrap_or_default();
    let filed = Timestamp::MIN..Timestamp::MAX;
    let setting = Setting {
        tables: Default::default(),
        memory_bytes: 256 << 20,
        page: 100,
        filed,
        now: Timestamp::from_seconds(1_772_366_400),
    };
    let run = || {
        let mut pipeline = Pipeline::new(&pipes, &setting)?;
        let mut fork = pipeline.fork();
        for (n, values) in combinations.iter().enumerate() {
            fork.push_group(values, EVENTS + n as u64 % 7)?;
        }
        pipeline.merge(fork)?;
        let bytes = pipeline.bytes();
        pipeline.finish().map(|outcome| (outcome, bytes))
    };
    let mut best = f64::INFINITY;
    let mut held = 0;
    for _ in 0..9 {
        let before = cpu_nanos();
        match run() {
            Ok((Outcome::Table(_), bytes)) => {
                best = best.min(cpu_nanos() - before);
                held = bytes;
            }
            other => return println!("{query}: {other:?}"),
        }
    }
    println!("{query:45} {:6.1} ms {:6.1} MB", best / 1e6, held as f64 / 1e6);
}

/// Nanoseconds this thread has run (Linux Documentation/scheduler/sched-stats.rst).
fn cpu_nanos() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}
