//! What people get wrong, and what they are told.

use expect_test::{Expect, expect, expect_file};

use crate::{MAX_DEPTH, MAX_TERMS, Spent, SyntaxError, parse, parse_prefix_within};

/// The query fails, and the fix, if one is offered, parses.
#[track_caller]
fn explain(query: &str) -> String {
    let error = parse(query).expect_err(query);
    assert!(query.get(error.span.clone()).is_some(), "{query}: span {:?}", error.span);
    if let Some(fix) = &error.fix {
        parse(fix).unwrap_or_else(|error| panic!("the fix of {query}:\n{}", error.render(fix)));
    }
    error.render(query)
}

/// `errors.txt` is a list of paragraphs: a query, then what is said of it. To add one, write the query and a blank line, and run
/// the test with `UPDATE_EXPECT=1`.
#[test]
fn every_mistake_is_explained() {
    let explained: Vec<_> = include_str!("errors.txt")
        .split("\n\n")
        .filter_map(|paragraph| paragraph.lines().next())
        .map(explain)
        .collect();
    expect_file!["errors.txt"].assert_eq(&explained.join("\n"));
}

#[test]
fn carets_stand_under_the_line_they_mean() {
    #[track_caller]
    fn check(query: &str, expected: Expect) {
        expected.assert_eq(&explain(query));
    }
    check(
        "ärger AND\nb c: d",
        expect![[r#"
        b c: d
            ^ a space between `c:` and its value
        hint: remove it; write "c:" to search for the text
        fix: ärger AND
        b c:d
    "#]],
    );
    check(
        "a = ",
        expect![[r#"
        a = 
         ^^ nothing after `=`
        hint: field="" finds the empty value; put the text in quotes to search for it
    "#]],
    );
    check(
        "日本 (",
        expect![[r#"
        日本 (
           ^ unclosed parenthesis
    "#]],
    );
}

#[test]
fn limits_are_errors() {
    #[track_caller]
    fn refused(query: &str, message: &str) {
        let error = parse(query).unwrap_err();
        assert_eq!(error.message, message);
        assert!(error.hint.is_some());
    }
    refused(&"x".repeat(64 * 1024 + 1), "the query has 65537 bytes; the limit is 65536");
    refused(&"a ".repeat(MAX_TERMS + 1), "more than 1000 tests");
    refused(&format!("{}a", "(".repeat(MAX_DEPTH + 1)), "nested deeper than 64 levels");
    refused(&format!("{}a", "NOT ".repeat(MAX_DEPTH + 1)), "nested deeper than 64 levels");
    refused(&format!("{}*", "x".repeat(1024)), "a pattern with wildcards of more than 1024 bytes");
    assert!(parse(&"a ".repeat(MAX_TERMS)).is_ok());
    assert!(parse(&format!("{}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH))).is_ok());
}

#[test]
fn what_is_costly_is_limited_over_all_filters_of_a_query() {
    #[track_caller]
    fn check(filters: &[&str], message: Option<&str>) {
        let mut spent = Spent::default();
        let read = filters.iter().try_for_each(|text| parse_prefix_within(text, &mut spent).map(|_| ()));
        assert_eq!(read.err().map(|error| error.message).as_deref(), message);
    }
    let regexes = |count: usize| "/a/ ".repeat(count);
    let wild = |count: usize| format!("{}* ", "a".repeat(1_023)).repeat(count);
    let words = |count: usize| "a ".repeat(count);
    check(&[&regexes(8), &regexes(8)], None);
    check(&[&regexes(17)], Some("more than 16 regular expressions"));
    check(&[&regexes(8), "a:/b/", &regexes(8)], Some("more than 16 regular expressions"));
    check(&[&wild(2), &wild(2)], None);
    check(&[&wild(4), "b*"], Some("patterns with wildcards of more than 4096 bytes together"));
    check(&[&words(500), &words(500)], None);
    check(&[&words(500), &words(501)], Some("more than 1000 tests"));
}

#[test]
fn an_error_far_along_a_line_is_shown_too() {
    let far = SyntaxError::new(70_000..70_001, "far");
    assert_eq!(far.render(&"x".repeat(70_002)).lines().nth(1).unwrap().len(), 70_000 + "^ far".len());
}

#[test]
fn a_colon_between_spaces_is_put_right() {
    for (query, fix) in [
        ("user.name : root", Some("user.name:root")),
        ("a user.name :  (b OR c) d", Some("a user.name:(b OR c) d")),
        ("a :", None),
        ("(a : )", None),
    ] {
        let error = parse(query).unwrap_err();
        assert_eq!((&*error.message, error.fix.as_deref()), ("a colon by itself", fix), "{query}");
    }
    for query in ["a \":\" b", "a ::1", "a :443"] {
        parse(query).unwrap();
    }
}
