//! `parse`: texts and the fields they give.

use locard_event::Value;

use super::Decode;
use crate::pipe::read::Reader;
use crate::pipe::record::Record;

#[track_caller]
fn check(pipe: &str, message: &str, expected: &str) {
    let decode = Decode::parse(&mut Reader::new(pipe, 0)).unwrap();
    let columns = ["message".to_owned()];
    let cells = [Value::from(message)];
    let mut changes = decode.changes(&Record::Row { columns: &columns, cells: &cells });
    changes.sort_by(|left, right| left.0.cmp(&right.0));
    let shown: Vec<String> = changes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(shown.join(" | "), expected, "{message}");
}

#[test]
fn objects_become_paths() {
    check("json", r#"{"a": {"b": 1, "c": ["x", "y"]}, "d": null}"#, "a.b=1 | a.c=[x, y] | d=");
    check("json prefix=app.", r#"app said {"ok": true} and more"#, "app.ok=true");
    check(
        "json",
        r#"{"message": "other", "_id": "0-1", "@timestamp": "2020-01-01T00:00:00Z", "a": 1}"#,
        "a=1",
    );
    check("json", r#"{"broken": "#, "");
    check("json", "no object", "");
}

#[test]
fn pairs_are_found() {
    check(
        "logfmt",
        r#"level=info msg="a \"text\"" took=1.5 done n=7"#,
        "done=true | level=info | msg=a \"text\" | n=7 | took=1.5",
    );
    check(
        "kv",
        "login user=root, port: 22; from=10.0.0.1 (uid=0) at 12:30:00",
        "from=10.0.0.1 | port=22 | uid=0 | user=root",
    );
    check("kv", "see https://example.org/?a=1 x", "a=1");
    check("kv", r#"a="b c" d='e f'"#, "a=b c | d=e f");
    check("kv", "é=1 =2 3=4", "é=1");
}

#[test]
fn the_common_event_format_is_read() {
    check(
        "cef",
        r"Mar  1 12:00:00 host CEF:0|Vendor|Pro\|duct|1.0|100|wor\\m stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 msg=a text \= more cs1Label=Rule",
        r"cef.device.event_class_id=100 | cef.device.product=Pro|duct | cef.device.vendor=Vendor | cef.device.version=1.0 | cef.extensions.cs1Label=Rule | cef.extensions.dst=2.1.2.2 | cef.extensions.msg=a text = more | cef.extensions.spt=1232 | cef.extensions.src=10.0.0.1 | cef.name=wor\m stopped | cef.severity=10 | cef.version=0",
    );
    check("cef", "CEF:0|too|short", "");
    check("cef", "no such thing", "");
}
