//! `patterns`: queries, events, and what comes out.

use std::sync::Arc;

use expect_test::expect;
use locard_event::{Event, EventId, Stream};
use locard_store::{PatternRow, Position, pattern_of};

use crate::pipe::testing::{NOW, run, setting, show};
use crate::pipe::{Pipeline, parse};

const HOUR: i64 = 3_600_000_000_000;

/// Messages at so many hours before now.
fn events(lines: &[(i64, &str)]) -> Vec<Event> {
    let stream = Arc::new(Stream::new([("host.name", "node-1")]));
    let event = |(index, (hours, line)): (usize, &(i64, &str))| {
        let mut event = Event::new(NOW.plus_nanos(-hours * HOUR), Arc::clone(&stream), line.to_string());
        event.id = Some(EventId::new(0, index as u64));
        event
    };
    lines.iter().enumerate().map(event).collect()
}

fn lines() -> Vec<Event> {
    events(&[
        (50, "login of user7 failed"),
        (40, "disk sda1 is full"),
        (3, "login of user8 failed"),
        (2, "kernel: oops 17"),
        (1, "login of user9 failed"),
        (1, &"too long ".repeat(500)),
        (0, "kernel: oops 18"),
        (0, ""),
    ])
}

/// The rows without the names of the patterns, which say nothing to a reader.
fn shown(query: &str) -> String {
    show(&run(&format!("{query} | fields -pattern"), &lines(), &setting()).unwrap())
}

#[test]
fn templates_are_counted_and_shown_by_example() {
    expect![[r#"
        template | count | share | first_seen | last_seen | example | _id
        "login of <*> failed" | 3 | 0.375 | "2026-02-27T10:00:00.000Z" | "2026-03-01T11:00:00.000Z" | "login of user9 failed" | "0-4"
        "kernel: oops <*>" | 2 | 0.25 | "2026-03-01T10:00:00.000Z" | "2026-03-01T12:00:00.000Z" | "kernel: oops 18" | "0-6"
        "" | 1 | 0.125 | "2026-03-01T12:00:00.000Z" | "2026-03-01T12:00:00.000Z" | "" | "0-7"
        "disk <*> is full" | 1 | 0.125 | "2026-02-27T20:00:00.000Z" | "2026-02-27T20:00:00.000Z" | "disk sda1 is full" | "0-1"
    "#]]
    .assert_eq(&shown("* | patterns"));
    expect![[r#"
        template | count
        "disk <*> is full" | 1
    "#]]
    .assert_eq(&shown("* | patterns | sort count, -template | limit 1 | fields pattern, template, count"));
    expect![[r#"
        template | count | share | first_seen | last_seen | example | _id
    "#]]
    .assert_eq(&shown("* | fields -message | patterns"));
    expect![[r#"
        template | count | share
        "kernel: oops <*>" | 1 | 0.5
        "" | 1 | 0.5
    "#]]
    .assert_eq(&shown("* | limit 2 | patterns | fields pattern, template, count, share | sort -template"));
}

#[test]
fn new_ones_are_those_that_were_not_there_before() {
    let templates = |query: &str| shown(&format!("{query} | fields pattern, template"));
    expect![[r#"
        template
        "kernel: oops <*>"
        ""
    "#]]
    .assert_eq(&templates("* | patterns new"));
    expect![[r#"
        template
        "kernel: oops <*>"
        ""
        "disk <*> is full"
    "#]]
    .assert_eq(&templates("* | patterns new since=45h"));
}

#[test]
fn what_was_seen_elsewhere_is_not_new() {
    let pipes = parse("* | patterns new since=1h | fields template, count").unwrap().pipes;
    let mut pipeline = Pipeline::new(&pipes, &setting()).unwrap();
    for event in &lines()[6..] {
        pipeline.push_event(event).unwrap();
    }
    let (since, suspects) = pipeline.suspects().unwrap();
    assert_eq!((since, suspects.len()), (NOW.plus_nanos(-HOUR), 2));
    pipeline.forget(&[pattern_of(b"kernel: oops 1").unwrap().0].into());
    expect![[r#"
        template | count
        "" | 1
    "#]]
    .assert_eq(&show(&pipeline.finish().unwrap()));
}

#[test]
fn rows_of_a_split_and_events_add_up() {
    let all = lines();
    let mut pipeline =
        Pipeline::new(&parse("* | patterns | fields -pattern").unwrap().pipes, &setting()).unwrap();
    let (sealed, hot) = all.split_at(3);
    for event in hot {
        pipeline.push_event(event).unwrap();
    }
    pipeline.push_count(sealed.len() as u64);
    for rows in [&sealed[..1], &sealed[1..2], &sealed[2..]] {
        let (id, template) = pattern_of(&rows[0].message).unwrap();
        let time = rows[0].filed();
        let at = Position { filed: time, id: rows[0].id.unwrap() };
        let example = (at, rows[0].message.to_vec().into());
        pipeline
            .push_pattern(PatternRow { id, template, count: 1, first: time, last: time, example })
            .unwrap();
    }
    assert_eq!(show(&pipeline.finish().unwrap()), shown("* | patterns"));
}
