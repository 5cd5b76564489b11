//! Pipes behind a pipe that makes rows: queries, events, and what comes out.

use expect_test::expect;

use crate::pipe::Outcome;
use crate::pipe::testing::{LOGINS, check, events, run, setting};

#[test]
fn rows_go_through_the_same_pipes() {
    check(
        "* | stats count() as n by user | sort -n | limit 2",
        expect![[r#"
        user | n
        "root" | 3
        "alice" | 2
    "#]],
    );
    check(
        "* | stats count(), dc(ip) by user | where count>1 | fields dc(ip), user, nothing",
        expect![[r#"
        dc(ip) | user | nothing
        1 | "alice" | null
        2 | "bob" | null
        2 | "root" | null
        1 | null | null
    "#]],
    );
    check(
        "* | stats count() by user, code | stats sum(count) as n, count() by code | sort code",
        expect![[r#"
        code | n | count
        200 | 4 | 3
        "200" | 1 | 1
        403 | 3 | 2
        500 | 1 | 1
    "#]],
    );
    check(
        r#"* | stats dc(ip) by user | where "dc(ip)">1 | sort -dc(ip), user"#,
        expect![[r#"
        user | dc(ip)
        "bob" | 2
        "root" | 2
    "#]],
    );
    check(
        "* | top user | fields -count | limit 1",
        expect![[r#"
        user
        "root"
    "#]],
    );
    check(
        "* | timechart span=4m count() | timechart span=1h sum(count) as n",
        expect![[r#"
        _time | n
        "2026-03-01T11:00:00.000Z" | 7
        "2026-03-01T12:00:00.000Z" | 1
    "#]],
    );
    check(
        "* | stats count() by user | top code",
        expect![[r#"
        code | count
    "#]],
    );
}

#[test]
fn a_column_is_itself_whatever_its_name() {
    #[track_caller]
    fn check(stats: &str, condition: &str, rows: usize) {
        let query = format!("* | stats {stats} | where {condition}");
        let Outcome::Table(table) = run(&query, &events(&LOGINS), &setting()).unwrap() else { panic!() };
        assert_eq!(table.rows.len(), rows, "{query}");
    }
    check("count() by message", r#"message:"line 3""#, 1);
    check("count() by message", r#"message="line 3""#, 1);
    check("count() by message", "message:/line [1-3]/", 3);
    check("count() by message", "NOT message:3", 7);
    check("count() by _id", "_id=0-5", 1);
    check("count() by _id", "_id!=0-5", 7);
    check("count() by _stream", "_stream:*", 1);
    check("count() by _stream", "_stream=00000000000000000000000000000000", 0);
    check("count() by @timestamp", "@timestamp>=2026-03-01T11:58:00Z", 3);
    check("count() by @timestamp", "_time>=2026-03-01T11:58:00Z", 3);
    check("count() by _time", "@timestamp<2026-03-01T11:58:00Z", 5);
    check("count(), max(_time) as event.ingested by code", "event.ingested>=2026-03-01T11:59:00Z", 2);
    check("count() by message", "count>0 line", 8);
}
