//! `eval`: expressions and what they come to for one record.

use expect_test::expect;
use locard_event::{Timestamp, Value};

use super::{Eval, syntax};
use crate::pipe::read::Reader;
use crate::pipe::record::Record;
use crate::pipe::testing::{NOW, check as check_query};

#[track_caller]
fn check(text: &str, expected: &str) {
    let mut reader = Reader::new(text, 0);
    let expression = syntax::expression(&mut reader).unwrap_or_else(|error| panic!("{}", error.render(text)));
    assert!(reader.at_end(), "{text}: {} left", text.len() - reader.position());
    let columns = ["n", "f", "t", "ip", "user.name", "when", "list", "odd name", "digits"].map(str::to_owned);
    let cells: [Value; 9] = [
        7i64.into(),
        Value::Float(2.5),
        "Hello World".into(),
        Value::ip_or_str("10.1.2.3"),
        "root".into(),
        Timestamp::from_seconds(1_772_366_400).into(),
        Value::List(vec!["a".into(), "b".into()]),
        "odd".into(),
        "12".into(),
    ];
    let value = expression.value(&Record::Row { columns: &columns, cells: &cells }, NOW).into_owned();
    let kind = match value {
        Value::Null => "null",
        Value::Int(_) => "int ",
        Value::Float(_) => "float ",
        Value::Str(_) => "str ",
        Value::Bool(_) => "bool ",
        Value::Time(_) => "time ",
        Value::Ip(_) => "ip ",
        Value::List(_) => "list ",
    };
    assert_eq!(format!("{kind}{value}"), expected, "{text}");
}

#[test]
fn numbers_stay_whole_while_they_can() {
    check("1+2*3", "int 7");
    check("(1+2)*3", "int 9");
    check("6/3", "int 2");
    check("7/2", "float 3.5");
    check("7%4-1", "int 2");
    check("-n", "int -7");
    check("1/0", "null");
    check("n*f", "float 17.5");
    check("9223372036854775807+1", "float 9223372036854776000");
    check("digits+1", "int 13");
    check("t*2", "null");
    check("missing+1", "null");
    check("2e3+1.5", "float 2001.5");
    check("round(2.567, 2)+floor(2.5)+ceil(2.1)+abs(-1)", "float 8.57");
    check("min(3, n, f)+max(3, n)", "float 9.5");
}

#[test]
fn times_and_durations_add_up() {
    check("1m30s", "int 90000000000");
    check("when-1h", "time 2026-03-01T11:00:00.000Z");
    check("(when+2h-when)/1m", "int 120");
    check("bucket(when+14m, 15m)", "time 2026-03-01T12:00:00.000Z");
    check("bucket(n, 5)", "int 5");
    check("now()-when", "int 0");
    check("strftime(when, \"%Y-%m-%d %H:%M\", \"Asia/Tokyo\")", "str 2026-03-01 21:00");
    check("strftime(when, \"%H:%M\", \"-03:30\")", "str 08:30");
    check("strptime(\"01/03/2026 13:00\", \"%d/%m/%Y %H:%M\", \"+01:00\")", "time 2026-03-01T12:00:00.000Z");
    check("strptime(\"2026-03-01\", \"%Y-%m-%d\")", "time 2026-03-01T00:00:00.000Z");
    check("strptime(t, \"%Y\")", "null");
}

#[test]
fn conditions_choose() {
    check("if(n>5, \"many\", \"few\")", "str many");
    check("if(missing>5, 1, 2)", "int 2");
    check("case(n<5, \"few\", n<10, \"some\", \"many\")", "str some");
    check("case(n<5, \"few\")", "null");
    check("coalesce(missing, user.name, \"x\")", "str root");
    check("n=7 and not n!=7 or false", "bool true");
    check("n==7 && !(f>3)", "bool true");
    check("list=\"b\"", "bool true");
    check("ip>\"9.0.0.1\"", "bool true");
    check("cidrmatch(\"10.0.0.0/8\", ip)", "bool true");
    check("cidrmatch(\"192.0.2.0/24\", ip)", "bool false");
    check("isnull(missing) and isnotnull(n)", "bool true");
    check("typeof(list)", "str list");
}

#[test]
fn texts_are_cut_and_joined() {
    check("lower(t)+\"!\"", "str hello world!");
    check("concat(user.name, \"@\", ip)", "str root@10.1.2.3");
    check("len(t)+len(list)", "int 13");
    check("substr(t, 7)", "str World");
    check("substr(t, 1, 4)", "str Hell");
    check("substr(t, -5, 3)", "str Wor");
    check("replace(t, \"(\\\\w+) (\\\\w+)\", \"$2 $1\")", "str World Hello");
    check("match(t, \"^Hello\")", "bool true");
    check("contains(t, \"lo Wo\") and startswith(t, \"He\") and endswith(t, \"ld\")", "bool true");
    check("join(split(\"a,b\", \",\"), \"+\")", "str a+b");
    check("'odd name'", "str odd");
    check("`odd name`", "str odd");
    check("tonumber(\"12.5\")+tonumber(digits)", "float 24.5");
    check("urldecode(\"a%20b+c\")", "str a b c");
    check("sha256(\"abc\")", "str ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn mistakes_are_explained() {
    let explain = |text: &str| {
        let error = Eval::parse(&mut Reader::new(text, 0)).expect_err(text);
        format!("{text}: {error} / {}\n", error.hint.as_deref().unwrap_or_default())
    };
    let texts =
        ["a", "a=", "a=1+", "a=lowr(b)", "a=if(b)", "a=match(b, c)", "_id=1", "a=match(b, \"(\")", "a=(1"];
    let explained: String = texts.into_iter().map(explain).collect();
    expect![[r#"
        a: expected `=` / as in eval seconds=event.duration/1s
        a=: expected a value / a number, a "text", a field or a function
        a=1+: expected a value / a number, a "text", a field or a function
        a=lowr(b): unknown function `lowr` / did you mean `lower`?
        a=if(b): `if` takes 3 arguments, not 1 / 
        a=match(b, c): the regular expression must be written as a text / as in match(url.path, "^/admin")
        _id=1: `_id` cannot be changed / choose another name
        a=match(b, "("): bad regular expression: unclosed group / 
        a=(1: expected a closing parenthesis / 
    "#]]
    .assert_eq(&explained);
    assert!(Eval::parse(&mut Reader::new(&format!("a={}1", "(".repeat(100)), 0)).is_err());
    assert!(Eval::parse(&mut Reader::new(&format!("a={}1", "1+".repeat(2_000)), 0)).is_err());
}

#[test]
fn later_assignments_see_earlier_ones() {
    check_query(
        "user:root | eval ms=took*1000, user=upper(user), slow=if(ms>1500, \"yes\", \"no\") | sort ms | fields user, ms, slow | stats count(), max(ms) by user, slow",
        expect![[r#"
            user | slow | count | max(ms)
            "ROOT" | "no" | 2 | 1500.0
            "ROOT" | "yes" | 1 | 2000
        "#]],
    );
    check_query(
        "* | stats count() as n, sum(code) as code by user | eval mean=round(code/n) | where mean>250 | fields user, mean",
        expect![[r#"
            user | mean
            "root" | 335
            null | 452
        "#]],
    );
}
