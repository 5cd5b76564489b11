//! `sort`: queries, events, and what comes out.

use locard_event::{Event, Value};

use crate::pipe::testing::{events, run, setting};
use crate::pipe::{Outcome, Setting};

#[test]
fn what_follows_a_sort_gets_all_of_it() {
    let lines: Vec<String> = (0..50).map(|n| format!(r#"{{"code": {n}, "user": "u{}"}}"#, n % 2)).collect();
    let events = events(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let setting = Setting { page: 3, ..setting() };
    #[track_caller]
    fn check(query: &str, events: &[Event], setting: &Setting, codes: &[i64], is_cut: bool) {
        let Outcome::Events { events, cut, .. } = run(query, events, setting).unwrap() else { panic!() };
        let found: Vec<_> = events.iter().map(|event| event.fields.get("code").cloned().unwrap()).collect();
        let codes: Vec<Value> = codes.iter().map(|code| Value::from(*code)).collect();
        assert_eq!((found, cut), (codes, is_cut), "{query}");
    }
    check("* | sort code | where code>46", &events, &setting, &[47, 48, 49], false);
    check("* | sort code | where user:u1", &events, &setting, &[1, 3, 5], true);
    check("* | sort code | where user:u1 | limit 4", &events, &setting, &[1, 3, 5, 7], false);
    check("* | sort code | where code>20 | sort -code", &events, &setting, &[49, 48, 47], true);
    check("* | sort code | where code>46 | sort -code", &events, &setting, &[49, 48, 47], false);
}
