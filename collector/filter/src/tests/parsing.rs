//! Queries and what they are read as, shown by the printer, which spells every test out.

use expect_test::{Expect, expect};

use crate::{Filter, Predicate, Test, parse, parse_prefix};

#[track_caller]
fn check(query: &str, expected: &str) {
    let filter = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    assert_eq!(filter.to_string(), expected, "{query}");
}

#[track_caller]
fn check_tree(query: &str, expected: Expect) {
    expected.assert_debug_eq(&parse(query).unwrap());
}

#[test]
fn a_bare_duration_is_nanoseconds_where_values_are_ordered() {
    check("event.duration>1h30m", "event.duration>5400000000000");
    check("took:[1s TO 2s}", "took:[1000000000 TO 2000000000}");
    check(r#"took>"1h""#, r#"took>"1h""#);
    check(r#"took:["1s" TO *]"#, r#"took:["1s" TO *]"#);
    check("took:1h", "took:1h");
    check("took=1h", "took=1h");
}

#[test]
fn the_fifteen_queries_parse() {
    let queries = [
        r#""failed password" _time:1h"#,
        "source.ip:10.0.0.0/8 NOT source.ip:10.1.0.0/16 http.response.status_code:403",
        "kubernetes.audit.verb:(create OR patch) kubernetes.audit.objectRef.resource:pods",
        r"_time:[2026-03-01T12:00Z TO 2026-03-01T12:10Z] user.name:system\:serviceaccount\:*",
        "container.id:* NOT container.image.name:*",
        r"message:/CVE-\d{4}-\d+/i",
        "http.response.status_code>=500 event.duration>1000000",
        "host.name:node-3* -kubernetes.namespace:kube-system log.level:(error OR fatal)",
        "kubernetes.audit.verb:get kubernetes.audit.objectRef.resource:secrets | stats count() as n, dc(user.name) by kubernetes.namespace | sort -n",
        "http.response.status_code:403 | top 10 user.name, source.ip",
        "log.level:error _time:24h | timechart span=15m count() by kubernetes.namespace limit=5",
        "_id:0-184467 | context before=50 after=50",
        r#"process.name:sshd | rex "from (?P<ip>\S+) port" | stats count() as n, min(_time) as first by ip | where n>20"#,
        "auditd.key:exec | transaction auditd.ses maxpause=5m | where duration>1h | fields user.audit.name, process.executable, duration",
        "kubernetes.namespace:payments | dedup user.name, process.executable | sort _time | patterns limit=20",
    ];
    let mut seen = String::new();
    for query in queries {
        let (filter, end) = parse_prefix(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
        assert!(end == query.len() || query[end..].starts_with("| "), "{query}");
        seen += &format!("{filter}\n");
    }
    expect![[r#"
        "failed password" _time>=now-1h
        source.ip:10.0.0.0/8 NOT source.ip:10.1.0.0/16 http.response.status_code:403
        (kubernetes.audit.verb:create OR kubernetes.audit.verb:patch) kubernetes.audit.objectRef.resource:pods
        _time:[2026-03-01T12:00:00.000Z TO 2026-03-01T12:11:00.000Z} user.name:system\:serviceaccount\:*
        container.id:* NOT container.image.name:*
        message:/CVE-\d{4}-\d+/i
        http.response.status_code>=500 event.duration>1000000
        host.name:node\-3* NOT kubernetes.namespace:kube-system (log.level:error OR log.level:fatal)
        kubernetes.audit.verb:get kubernetes.audit.objectRef.resource:secrets
        http.response.status_code:403
        log.level:error _time>=now-1d
        _id=0-184467
        process.name:sshd
        auditd.key:exec
        kubernetes.namespace:payments
    "#]]
    .assert_eq(&seen);
}

#[test]
fn boolean_structure() {
    check("", "*");
    check("  \t ", "*");
    check("*", "*");
    check("*:*", "*");
    check("a b", "a b");
    check("a AND b AND c", "a b c");
    check("a b OR c d", "(a b) OR (c d)");
    check("a OR b OR (c OR d)", "a OR b OR c OR d");
    check("((a)) (b c)", "a b c");
    check("NOT a b", "NOT a b");
    check("NOT (a b)", "NOT (a b)");
    check("-a -b:c", "NOT a NOT b:c");
    check("NOT NOT a", "NOT NOT a");
    check("NOT(a)", "NOT a");
    check("* a", "a");
    check("NOT *", "NOT *");
    check("(a)(b)", "a b");
}

#[test]
fn words_keep_their_marks() {
    check("node-3", "node-3");
    check("--force", r#""--force""#);
    check("a-b-", "a-b-");
    check("sshd[4242]:", r#""sshd[4242]:""#);
    check("{}".replace("{}", "a{b}").as_str(), r#""a{b}""#);
    check("50%", r#""50%""#);
    check("hello!", r#""hello!""#);
    check(r"DOMAIN\user", r#""DOMAIN\\user""#);
    check(r"C:\Windows\System32", r#""C:\\Windows\\System32""#);
    check(r"a\ b", r#""a b""#);
    check(r"\*", r#""*""#);
    check(r"\-x", r#""-x""#);
    check("ärger", "ärger");
    check("and", r#""and""#);
    check("rock and", r#"rock "and""#);
    check(r#""say \"hi\" \\ DOMAIN\user""#, r#""say \"hi\" \\ DOMAIN\\user""#);
}

#[test]
fn colons_make_fields_unless_the_token_is_something_else() {
    check("a:b:c", r#"a:"b:c""#);
    check("203.0.113.77:443", r#""203.0.113.77:443""#);
    check("12:30:45", r#""12:30:45""#);
    check("2026-03-01T12:00:00Z", r#""2026-03-01T12:00:00Z""#);
    check("fe80::1", r#""fe80::1""#);
    check("fe80:0:0:0:0:0:0:1", r#""fe80:0:0:0:0:0:0:1""#);
    check("::1", r#""::1""#);
    check("aa:bb:cc:dd:ee:ff", r#""aa:bb:cc:dd:ee:ff""#);
    check("std::io::Error", r#""std::io::Error""#);
    check("https://example.com/x?y", r"https\:\/\/example\.com\/x?y");
    check("url.original:https://example.com", r#"url.original:"https://example.com""#);
    check("source.ip:::1", r#"source.ip:"::1""#);
    check("source.ip:2001:db8::1", r#"source.ip:"2001:db8::1""#);
    check(r"system\:serviceaccount\:*", r"system\:serviceaccount\:*");
    check("kubernetes.labels.app.kubernetes.io/name:web", "kubernetes.labels.app.kubernetes.io/name:web");
    check("@timestamp:*", "@timestamp:*");
    check(r"a\ b:c", r#""a b":c"#);
    check(r#""a b":c"#, r#""a b":c"#);
    check(r#""3":"c d""#, r#""3":"c d""#);
    check("temp:-5", r#"temp:"-5""#);
}

#[test]
fn operators() {
    check("a=b", "a=b");
    check(r#"a = "b c""#, r#"a="b c""#);
    check(r#"a="""#, r#"a="""#);
    check("a!=b", "NOT a=b");
    check("a >= 5", "a>=5");
    check("a>=-5", r#"a>="-5""#);
    check("a:>=5", "a>=5");
    check("message:<script>", r#"message:"<script>""#);
    check(r#"a~"b/c\d""#, r"a:/b\/c\d/");
    check(r#"a~"say \"x\"""#, r#"a:/say "x"/"#);
    check("a~/b/i", "a:/b/i");
    check("a!~b.*c", "NOT a:/b.*c/");
    check("a=(x OR y)", "a=x OR a=y");
    check("a!=(x y)", "NOT (a=x a=y)");
    check("a=10.0.0.0/8", r#"a="10.0.0.0/8""#);
}

#[test]
fn value_groups() {
    check(r#"f:(a OR b -c "d e")"#, r#"f:a OR (f:b NOT f:c f:"d e")"#);
    check("f:(a:b (c OR d*))", r#"f:"a:b" (f:c OR f:d*)"#);
    check("f:(>=500 OR 404)", "f>=500 OR f:404");
    check("f:([1 TO 2] OR *)", "f:[1 TO 2] OR f:*");
    check("NOT f:(a OR b) c", "NOT (f:a OR f:b) c");
}

#[test]
fn paths_and_regular_expressions() {
    check("/var/log/syslog", r#""/var/log/syslog""#);
    check("log.file.path:/var/log/*.log", r"log.file.path:\/var\/log\/*\.log");
    check("/a b/", "/a b/");
    check(r"/a\/b/i", r"/a\/b/i");
    check(r"(/a/ OR b)", "/a/ OR b");
    check("f:(/a/ /b/i)", "f:/a/ f:/b/i");
    check("/usr/bin/x /y/", r#""/usr/bin/x" /y/"#);
}

#[test]
fn networks() {
    check("source.ip:10.0.0.0/8", "source.ip:10.0.0.0/8");
    check("source.ip:(10.0.0.0/8 OR 2001:db8::/32)", "source.ip:10.0.0.0/8 OR source.ip:2001:db8::/32");
    check("10.0.0.0/8", "10.0.0.0/8");
    check(r#"source.ip:"10.0.0.0/8""#, r#"source.ip:"10.0.0.0/8""#);
    check("ratio 3/4", r#"ratio "3/4""#);
    check("f:1/2", r#"f:"1/2""#);
}

#[test]
fn ranges() {
    check("a:[1 TO 5]", "a:[1 TO 5]");
    check("a:{1 TO 5]", "a:{1 TO 5]");
    check("a:[ 1 TO * }", "a:[1 TO *]");
    check(r#"a:["x y" TO "z"]"#, r#"a:["x y" TO z]"#);
    check("a:[10.0.0.1 TO 10.0.0.9]", "a:[10.0.0.1 TO 10.0.0.9]");
    check("a:[-5 TO 5]", r#"a:["-5" TO 5]"#);
}

#[test]
fn times() {
    check("_time:1h", "_time>=now-1h");
    check("_time:1h30m", "_time>=now-90m");
    check("_time:2026-03-01", "_time:[2026-03-01T00:00:00.000Z TO 2026-03-02T00:00:00.000Z}");
    check("@timestamp:2026-03", "@timestamp:[2026-03-01T00:00:00.000Z TO 2026-04-01T00:00:00.000Z}");
    check("_time:[2026-03-01 TO now-5m]", "_time:[2026-03-01T00:00:00.000Z TO now-5m}");
    check(
        "_time:{2026-03-01T12:00+01:00 TO 2026-03-01T12:10Z}",
        "_time:[2026-03-01T11:01:00.000Z TO 2026-03-01T12:10:00.000Z}",
    );
    check("event.ingested:[* TO 2026-03-01]", "event.ingested<2026-03-02T00:00:00.000Z");
    check("_time>=2026-03-01", "_time>=2026-03-01T00:00:00.000Z");
    check("_time > 2026-03-01", "_time>=2026-03-02T00:00:00.000Z");
    check("_time<=1764000000", "_time<2025-11-24T16:00:01.000Z");
    check("_time:>now-1h", "_time>=now-1h");
    check("_time=2026-03-01", "_time:[2026-03-01T00:00:00.000Z TO 2026-03-02T00:00:00.000Z}");
    check(
        "_time:(2026-03-01 OR 2026-03-03)",
        "_time:[2026-03-01T00:00:00.000Z TO 2026-03-02T00:00:00.000Z} OR _time:[2026-03-03T00:00:00.000Z TO 2026-03-04T00:00:00.000Z}",
    );
    check(r#"_time:"2026-03-01 12:00""#, "_time:[2026-03-01T12:00:00.000Z TO 2026-03-01T12:01:00.000Z}");
}

#[test]
fn ids_are_whole() {
    check("_id:0-184467", "_id=0-184467");
    check("_stream:D9DF9E5DC2A79E1D3F4D72E3AD1AA4E4", "_stream=d9df9e5dc2a79e1d3f4d72e3ad1aa4e4");
    check("_id:(0-1 OR 0-2)", "_id=0-1 OR _id=0-2");
}

#[test]
fn a_pipe_ends_the_filter() {
    #[track_caller]
    fn check(query: &str, expected: &str, rest: &str) {
        let (filter, end) = parse_prefix(query).unwrap();
        assert_eq!((filter.to_string().as_str(), &query[end..]), (expected, rest), "{query}");
    }
    check("a | top x", "a", "| top x");
    check("a|b", "a", "|b");
    check("| stats count()", "*", "| stats count()");
    check(r#""a|b" c:/d|e/ | x"#, r#""a|b" c:/d|e/"#, "| x");
    check(r"a\|b | x", r#""a|b""#, "| x");
}

#[test]
fn trees_have_the_shape_the_printer_shows() {
    check_tree(
        r"a:b\*c* OR -d",
        expect![[r#"
        Or(
            [
                Is(
                    Predicate {
                        field: Some(
                            "a",
                        ),
                        test: Wildcard(
                            "b\\*c*",
                        ),
                    },
                ),
                Not(
                    Is(
                        Predicate {
                            field: None,
                            test: Contains(
                                "d",
                            ),
                        },
                    ),
                ),
            ],
        )
    "#]],
    );
    let wild = Filter::Is(Predicate { field: None, test: Test::Wildcard(r"a\*b?".into()) });
    assert_eq!(parse(r"a\*b?").unwrap(), wild);
}
