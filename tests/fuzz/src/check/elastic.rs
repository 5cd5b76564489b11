//! Bodies of `_search`: never a failure, hot or sealed the same answer, and a query and its negation find every document once.

use serde_json::{Value, json};

use super::kind;
use crate::ground::{Answer, Ground};

pub(crate) fn check(ground: &Ground, input: &[u8]) -> Result<String, String> {
    let [hot, sealed] = ask(ground, "_search", input)?;
    if hot.status != sealed.status {
        return Err(format!("hot {} {}\nsealed {} {}", hot.status, hot.body, sealed.status, sealed.body));
    }
    let reason = |answer: &Answer| {
        let reason = answer.body.pointer("/error/reason").or(answer.body.get("error"));
        kind(reason.and_then(Value::as_str).unwrap_or_default())
    };
    if !hot.status.is_success() {
        return Ok(format!("{} {}", hot.status, reason(&hot)));
    }
    let relative = input.windows(3).any(|window| window.eq_ignore_ascii_case(b"now"));
    if !relative {
        let (hot, sealed) = (essence(&hot.body), essence(&sealed.body));
        if hot != sealed {
            return Err(format!("hot {hot}\nsealed {sealed}"));
        }
        check_negated(ground, input)?;
    }
    Ok(shape(&hot.body))
}

/// The count of a query and that of its negation are all documents.
fn check_negated(ground: &Ground, input: &[u8]) -> Result<(), String> {
    let Ok(body) = serde_json::from_slice::<Value>(input) else { return Ok(()) };
    let Some(query) = body.get("query") else { return Ok(()) };
    let count = |query: Value| -> Result<[Option<u64>; 2], String> {
        let body = json!({"query": query}).to_string();
        let answers = ask(ground, "_count", body.as_bytes())?;
        Ok(answers.map(|answer| answer.body.get("count").and_then(Value::as_u64)))
    };
    let (found, others) = (count(query.clone())?, count(json!({"bool": {"must_not": query}}))?);
    for (found, others) in found.into_iter().zip(others) {
        // One level deeper may be too deep.
        if let (Some(found), Some(others)) = (found, others)
            && found + others != ground.events.len() as u64
        {
            return Err(format!("{found} documents match, {others} do not"));
        }
    }
    Ok(())
}

fn ask(ground: &Ground, path: &str, body: &[u8]) -> Result<[Answer; 2], String> {
    let answers = ground.ask(&format!("/es/test/{path}"), body)?;
    match answers.iter().find(|answer| answer.status.is_server_error()) {
        Some(failed) => Err(format!("{} {}", failed.status, failed.body)),
        None => Ok(answers),
    }
}

fn essence(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        ["took", "_scroll_id", "pit_id"].iter().for_each(|name| drop(members.remove(*name)));
    }
    body
}

fn shape(body: &Value) -> String {
    let hits = body.pointer("/hits/hits").and_then(Value::as_array).map_or(0, Vec::len);
    let mut names = String::new();
    if let Some(aggregations) = body.get("aggregations").and_then(Value::as_object) {
        for aggregation in aggregations.values().take(2) {
            let members = aggregation.as_object().into_iter().flat_map(|members| members.keys());
            names.extend(members.take(5).map(String::as_str));
        }
    }
    format!("{} {names}", hits.min(2))
}
