//! `rename`, and `fields` with new names: queries, events, and what comes out.

use expect_test::expect;

use crate::pipe::testing::check;

#[test]
fn names_are_given() {
    check(
        "* | rename user as who, ip as user | stats count() by who, user",
        expect![[r#"
        who | user | count
        "alice" | "10.0.0.1" | 2
        "bob" | "10.0.0.1" | 1
        "bob" | "10.0.0.3" | 1
        "root" | "10.0.0.1" | 2
        "root" | "10.0.0.2" | 1
        null | "9.0.0.1" | 1
        null | null | 1
    "#]],
    );
    check(
        "* | fields user as who, code | stats count() by who, code, user",
        expect![[r#"
        who | code | user | count
        "alice" | 200 | null | 1
        "alice" | "200" | null | 1
        "bob" | 200 | null | 2
        "root" | 200 | null | 1
        "root" | 403 | null | 2
        null | 403 | null | 1
        null | 500 | null | 1
    "#]],
    );
    check(
        "* | stats count() by user | rename count as logins, user as who",
        expect![[r#"
        who | logins
        "alice" | 2
        "bob" | 2
        "root" | 3
        null | 2
    "#]],
    );
    check(
        "* | rename host.name as host | limit 1 | stats count() by host, host.name",
        expect![[r#"
        host | host.name | count
        "node-1" | null | 1
    "#]],
    );
    check(
        "user:root | fields ip as host.name | sort host.name | limit 1",
        expect![[r#"
        host.name=10.0.0.1
    "#]],
    );
}
