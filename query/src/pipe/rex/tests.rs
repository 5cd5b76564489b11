//! `rex`: queries, events, and what comes out.

use expect_test::expect;

use crate::pipe::testing::check;

#[test]
fn named_groups_become_fields() {
    check(
        "* | rex \"line (?P<n>\\d+)\" | where n>5 | stats count(), max(n)",
        expect![[r#"
        count | max(n)
        2 | "7"
    "#]],
    );
    check(
        "* | rex field=ip \"(?P<net.first>\\d+)\\.\" | top net.first",
        expect![[r#"
        net.first | count
        "10" | 6
        "9" | 1
    "#]],
    );
    check(
        "* | rex field=ip max=4 /(?<part>\\d+)/ | stats dc(part), count(part)",
        expect![[r#"
        dc(part) | count(part)
        6 | 28
    "#]],
    );
    check(
        "* | top ip | rex field=ip \"\\.(?<last>\\d+)$\" | fields last, count",
        expect![[r#"
        last | count
        "1" | 4
        "1" | 1
        "2" | 1
        "3" | 1
    "#]],
    );
}
