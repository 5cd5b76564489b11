//! `fields`: queries, events, and what comes out.

use crate::pipe::testing::{events, run, setting};
use crate::pipe::{PipeError, Setting};

#[test]
fn a_column_named_often_is_counted_as_often() {
    let setting = Setting { memory_bytes: 100_000, ..setting() };
    let long = format!(r#"{{"text": "{}"}}"#, "x".repeat(1_000));
    let run = |names: usize| {
        let query = format!("* | stats max(text) as t | fields {}", vec!["t"; names].join(","));
        run(&query, &events(&[&long]), &setting).map(|_| ())
    };
    assert_eq!(run(50), Ok(()));
    assert_eq!(run(100), Err(PipeError::Memory { pipe: "fields", limit_bytes: 100_000 }));
}
