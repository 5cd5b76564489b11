//! `dedup`: queries, events, and what comes out.

use expect_test::expect;

use crate::pipe::testing::check;

#[test]
fn the_first_of_each_combination_stays() {
    check(
        "* | dedup user",
        expect![[r#"
        message=line 7 | host.name=node-1 | user=bob | ip=10.0.0.3 | code=200
        message=line 6 | host.name=node-1 | user= | code=403
        message=line 5 | host.name=node-1 | user=[alice, bob] | ip=10.0.0.1 | code=200
        message=line 3 | host.name=node-1 | user=root | ip=10.0.0.1 | code=403
        message=line 2 | host.name=node-1 | user=alice | ip=10.0.0.1 | code=200
    "#]],
    );
    check(
        "* | dedup 2 ip | fields ip",
        expect![[r#"
        ip=10.0.0.3

        ip=10.0.0.1
        ip=9.0.0.1
        ip=10.0.0.1
        ip=10.0.0.2
    "#]],
    );
    check(
        "* | dedup user, code | stats count() by user",
        expect![[r#"
        user | count
        "alice" | 2
        "bob" | 2
        "root" | 2
        null | 2
    "#]],
    );
    check(
        "* | stats count() as n by user, ip | dedup n | fields n",
        expect![[r#"
        n
        2
        1
    "#]],
    );
    check(
        "* | dedup user | sort ip | fields user, ip | limit 2",
        expect![[r#"
        user=[alice, bob] | ip=10.0.0.1
        user=root | ip=10.0.0.1
    "#]],
    );
}
