//! `transaction`: queries, events, and what comes out.

use expect_test::{Expect, expect};

use crate::pipe::testing::{events, run, setting, show};

/// A minute apart, the last one at 12:00.
const SESSIONS: [&str; 9] = [
    r#"{"session": 1, "user": "root", "op": "open"}"#,
    r#"{"session": 1, "user": "root", "op": "exec"}"#,
    r#"{"session": 2, "user": "alice", "op": "open"}"#,
    r#"{"session": 1, "user": "bob", "op": "close"}"#,
    r#"{"op": "noise"}"#,
    r#"{"session": 2, "user": "alice", "op": "exec"}"#,
    r#"{"session": 1, "user": "root", "op": "open"}"#,
    r#"{"session": 2, "user": "alice", "op": "exec"}"#,
    r#"{"session": 1, "user": "root", "op": "exec"}"#,
];

#[track_caller]
fn check(query: &str, expected: Expect) {
    expected.assert_eq(&show(&run(query, &events(&SESSIONS), &setting()).unwrap()));
}

#[test]
fn events_belong_together_while_they_follow_each_other() {
    check(
        "* | transaction session | fields session, duration, events, user, op",
        expect![[r#"
            session | duration | events | user | op
            2 | 300000000000 | 3 | "alice" | ["open","exec"]
            1 | 480000000000 | 5 | ["root","bob"] | ["open","exec","close"]
        "#]],
    );
    check(
        "* | transaction session maxpause=2m | fields _time, session, duration, events, closed",
        expect![[r#"
            _time | session | duration | events | closed
            "2026-03-01T11:58:00.000Z" | 1 | 120000000000 | 2 | false
            "2026-03-01T11:57:00.000Z" | 2 | 120000000000 | 2 | false
            "2026-03-01T11:54:00.000Z" | 2 | 0 | 1 | true
            "2026-03-01T11:52:00.000Z" | 1 | 180000000000 | 3 | true
        "#]],
    );
}

#[test]
fn beginnings_and_ends_are_told_by_filters() {
    check(
        "* | transaction session startswith=(op:open) endswith=(op=close OR op=\"shut)\") | where duration>1m | fields session, events, closed",
        expect![[r#"
            session | events | closed
            1 | 2 | false
            2 | 3 | false
            1 | 3 | true
        "#]],
    );
    check(
        "* | transaction session maxspan=90s maxevents=2 | stats count(), max(events)",
        expect![[r#"
            count | max(events)
            7 | 2
        "#]],
    );
    check(
        "* | transaction maxpause=1h | fields events, user",
        expect![[r#"
            events | user
            9 | ["root","alice","bob"]
        "#]],
    );
}
