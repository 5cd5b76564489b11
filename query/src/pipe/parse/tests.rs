//! Queries with pipes as text: what they are read as, and what is said of those that cannot be read.

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use crate::pipe::parse;

#[test]
fn pipes_read_as_written() {
    #[track_caller]
    fn check(query: &str, expected: Expect) {
        expected.assert_eq(&format!("{:?}\n", parse(query).unwrap().pipes));
    }
    check(
        "* | stats count() as n, percentile(took, 99.9) by kubernetes.namespace, a\\ b",
        expect![[r#"
            [Stats(Stats { aggregates: [Aggregate { function: Count, field: None, name: "n" }, Aggregate { function: Percentile(99.9), field: Some("took"), name: "percentile(took, 99.9)" }], by: [Key { field: "kubernetes.namespace", network: None }, Key { field: "a b", network: None }] })]
        "#]],
    );
    check(
        "* | TOP user.name, \"odd name\" | limit 5|fields -a,b",
        expect![[r#"
            [Top(Top { limit: 10, fields: [Key { field: "user.name", network: None }, Key { field: "odd name", network: None }], rare: false }), Limit(5), Fields(Drop(["a", "b"]))]
        "#]],
    );
    let joined = parse("a OR b | where c OR d | where e").unwrap();
    assert_eq!((joined.filter.to_string().as_str(), joined.pipes.len()), ("(a OR b) (c OR d) e", 0));
}

#[test]
fn functions_are_bounded() {
    for query in ["* | stats", "* | timechart span=1s"] {
        assert!(parse(&format!("{query}{}", " count".repeat(32))).is_ok());
        let error = parse(&format!("{query}{}", " count".repeat(10_900))).unwrap_err();
        let end = query.len() + 33 * " count".len();
        assert_eq!(error.span, end - "count".len()..end, "{error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn pipes_and_what_their_filters_cost_are_bounded() {
    #[track_caller]
    fn check(query: &str, expected: Result<(), (usize, &str)>) {
        let error = parse(query).map(|_| ()).map_err(|error| (error.span.start, error.message));
        assert_eq!(error, expected.map_err(|(at, message)| (at, message.to_owned())));
    }
    check(&format!("*{}", "|where a".repeat(32)), Ok(()));
    check(&format!("*{}", "|where a".repeat(33)), Err((265, "more than 32 pipes")));
    check(&format!("/a/{}", "|where /a/".repeat(15)), Ok(()));
    check(
        &format!("/a/{}|stats count|where /a/", "|where /a/".repeat(15)),
        Err((175, "more than 16 regular expressions")),
    );
}

/// `errors.txt` is a list of paragraphs: a query, then what is said of it. To add one, write the query and a blank line, and run
/// the test with `UPDATE_EXPECT=1`.
#[test]
fn the_fifteen_queries_are_read_whole() {
    for query in [
        r#"_id:0-184467 | context before=50 after=50"#,
        r#"process.name:sshd | rex "from (?P<ip>\S+) port" | stats count() as n, min(_time) as first by ip | where n>20"#,
        "auditd.key:exec | transaction auditd.ses maxpause=5m | where duration>1h | fields user.audit.name, process.executable, duration",
        "kubernetes.namespace:payments | dedup user.name, process.executable | sort _time | patterns limit=20",
    ] {
        let pipes = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query))).pipes;
        assert_eq!(pipes.len(), query.matches(" | ").count(), "{query}");
    }
}

#[test]
fn every_mistake_is_explained() {
    let explain = |query: &str| {
        let error = parse(query).expect_err(query);
        assert!(query.get(error.span.clone()).is_some(), "{query}: span {:?}", error.span);
        error.render(query)
    };
    let paragraphs = include_str!("../errors.txt").split("\n\n");
    let explained: Vec<_> =
        paragraphs.filter_map(|paragraph| paragraph.lines().next()).map(explain).collect();
    expect_file!["../errors.txt"].assert_eq(&explained.join("\n"));
}

#[test]
fn the_examples_of_the_manual_are_as_it_says() {
    let manual = include_str!("../../../../docs/query-language.md");
    let blocks = |kind: &str| {
        let fence = format!("```{kind}\n");
        let blocks = manual.split(fence.as_str()).skip(1).filter_map(|block| block.split("```").next());
        blocks.flat_map(str::lines).map(str::to_owned).collect::<Vec<_>>()
    };
    let (good, bad) = (blocks("query"), blocks("error"));
    assert!(good.len() > 30 && bad.len() > 5, "{} good, {} bad", good.len(), bad.len());
    for query in good {
        parse(&query).unwrap_or_else(|error| panic!("{}", error.render(&query)));
    }
    for query in bad {
        assert!(parse(&query).is_err(), "{query}");
    }
    assert!(manual.contains(&parse("user.name: root").unwrap_err().render("user.name: root")));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(pieces in proptest::collection::vec(piece(), 0..14)) {
        let text = pieces.concat();
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?} of {}", error.span, text);
        }
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        " ",
        "|",
        "| ",
        "stats",
        "top",
        "timechart",
        "sort",
        "limit",
        "fields",
        "where",
        " by ",
        " as ",
        "count",
        "(",
        ")",
        "dc",
        "p95",
        ",",
        "a.b",
        "\"",
        "\\",
        "-",
        "span=",
        "limit=",
        "5",
        "15m",
        "é",
        "=",
        "perc",
    ])
}
