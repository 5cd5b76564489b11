//! `lookup`: queries, events, a table, and what comes out.

use std::sync::Arc;

use expect_test::{Expect, expect};

use crate::pipe::testing::{LOGINS, events, run, setting, show};
use crate::pipe::{LookupTable, Setting};

#[track_caller]
fn check(query: &str, expected: Expect) {
    let table = |columns: &str, rows: &[&str]| {
        let split = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Arc::new(LookupTable { columns: split(columns), rows: rows.iter().map(|row| split(row)).collect() })
    };
    let mut setting: Setting = setting();
    let people = table("name team floor", &["ROOT ops 3", "alice dev 1", "root second 9"]);
    let networks = table("net zone", &["10.0.0.0/8 inside", "10.0.0.2 printer", "0.0.0.0/0 outside"]);
    setting.tables.lookups.extend([("people".into(), people), ("networks".into(), networks)]);
    let shown = match run(query, &events(&LOGINS), &setting) {
        Ok(outcome) => show(&outcome),
        Err(error) => format!("{error}; {}\n", error.hint()),
    };
    expected.assert_eq(&shown);
}

#[test]
fn values_come_from_the_table() {
    check(
        "* | lookup people name as user output team | stats count() by team",
        expect![[r#"
        team | count
        "dev" | 2
        "ops" | 3
        null | 3
    "#]],
    );
    check(
        "* | lookup networks net as ip output zone as source.zone | top source.zone",
        expect![[r#"
        source.zone | count
        "inside" | 5
        "outside" | 1
        "printer" | 1
    "#]],
    );
    check(
        "* | top user | lookup people name as user",
        expect![[r#"
        user | count | team | floor
        "root" | 3 | "ops" | "3"
        "alice" | 2 | "dev" | "1"
        "bob" | 2 | null | null
    "#]],
    );
    check(
        "* | lookup peple name as user",
        expect![[r#"
        there is no lookup table `peple`; put it there: PUT /api/lookups/NAME with a CSV file
    "#]],
    );
    check(
        "* | lookup people name as user output tem",
        expect![[r#"
        the lookup table `people` has no column `tem`; it has name, team, floor; write one of these
    "#]],
    );
}
