//! `top`: queries, events, and what comes out.

use expect_test::expect;

use crate::pipe::testing::check;

#[test]
fn top_counts_combinations() {
    check(
        "* | top user",
        expect![[r#"
        user | count
        "root" | 3
        "alice" | 2
        "bob" | 2
    "#]],
    );
    check(
        "* | top 2 user, ip",
        expect![[r#"
        user | ip | count
        "alice" | "10.0.0.1" | 2
        "root" | "10.0.0.1" | 2
    "#]],
    );
    check(
        "* | top ip/24",
        expect![[r#"
        ip/24 | count
        "10.0.0.0/24" | 6
        "9.0.0.0/24" | 1
    "#]],
    );
    check(
        "nothing | top user",
        expect![[r#"
        user | count
    "#]],
    );
}
