//! `rare 10 process.executable`: the least frequent combinations of values, the least frequent first. Else as `top`.

use locard_filter::SyntaxError;

use super::read::Reader;
use super::top::Top;

/// Reads what follows `rare`.
pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Top, SyntaxError> {
    Ok(Top { rare: true, ..Top::parse(reader)? })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::pipe::testing::check;

    #[test]
    fn the_least_frequent_come_first() {
        check(
            "* | rare 2 ip",
            expect![[r#"
            ip | count
            "9.0.0.1" | 1
            "10.0.0.2" | 1
        "#]],
        );
        check(
            "* | rare user",
            expect![[r#"
            user | count
            "alice" | 2
            "bob" | 2
            "root" | 3
        "#]],
        );
    }
}
