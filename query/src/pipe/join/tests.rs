//! `join`: queries, events, what another search found, and what comes out.

use std::sync::Arc;

use expect_test::{Expect, expect};
use locard_event::Value;

use crate::pipe::testing::{LOGINS, events, run, setting, show};
use crate::pipe::{JoinTable, parse};

#[track_caller]
fn check(query: &str, expected: Expect) {
    let mut setting = setting();
    let row = |name: &str, n: i64| vec![Value::from(name), n.into()];
    let rows = vec![row("root", 10), row("alice", 20), row("root", 11)];
    setting.tables.joins = vec![Arc::new(JoinTable { columns: vec!["user".into(), "logins".into()], rows })];
    expected.assert_eq(&show(&run(query, &events(&LOGINS), &setting).unwrap()));
}

#[test]
fn records_get_what_the_other_search_found() {
    check(
        "* | join user [ x | stats count() as logins by user ] | stats count(), sum(logins) by user",
        expect![[r#"
            user | count | sum(logins)
            "alice" | 2 | 40
            "bob" | 1 | 20
            "root" | 3 | 30
        "#]],
    );
    check(
        "* | join type=left user [ x ] | stats count(), sum(logins) by user",
        expect![[r#"
        user | count | sum(logins)
        "alice" | 2 | 40
        "bob" | 2 | 20
        "root" | 3 | 30
        null | 2 | null
    "#]],
    );
    check(
        "* | join max=5 user [ x ] | stats count(), sum(logins) by user",
        expect![[r#"
        user | count | sum(logins)
        "alice" | 2 | 40
        "bob" | 1 | 20
        "root" | 6 | 63
    "#]],
    );
    check(
        "* | stats count() by user | join type=inner user [ x:[1 TO 2} | limit 5 ]",
        expect![[r#"
        user | count | logins
        "alice" | 2 | 20
        "root" | 3 | 10
    "#]],
    );
}

#[test]
fn mistakes_are_explained() {
    let explain = |query: &str| {
        let error = parse(query).expect_err(query);
        error.render(query)
    };
    let queries = [
        "a | join user",
        "a | join user [ b",
        "a | join user [ b | stts ]",
        "a | join user [ b | join c [ d ] ]",
    ];
    let explained: Vec<String> = queries.into_iter().map(explain).collect();
    expect![[r#"
        a | join user
                     ^ expected a search in brackets
        hint: as in join user.name [ event.action:login | stats count() as logins by user.name ]

        a | join user [ b
                      ^ `[` is not closed
        fix: a | join user [ b]

        a | join user [ b | stts ]
                            ^^^^ unknown pipe `stts`
        hint: did you mean `stats`?

        a | join user [ b | join c [ d ] ]
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a `join` or `context` within a `join`
        hint: write the inner one as a search of its own
    "#]]
    .assert_eq(&explained.join("\n"));
}
