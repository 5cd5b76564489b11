//! Queries asked of servers: never a failure, hot or sealed the same answer, and as many events as the matcher finds.

use locard_filter::Matcher;
use locard_query::pipe::{Pipe, parse};
use serde_json::{Value, json};

use super::kind;
use super::language::shape;
use crate::ground::{Answer, Ground, NOW};

/// What says how an answer was found, and not what was.
const ACCIDENTS: [&str; 4] = ["took_ms", "scanned", "warnings", "cursor"];

pub(crate) fn check(ground: &Ground, text: &str) -> Result<String, String> {
    let body = json!({"q": text, "limit": 20}).to_string();
    let [hot, sealed] = ground.ask("/api/search", body.as_bytes())?;
    for (name, answer) in [("hot", &hot), ("sealed", &sealed)] {
        if answer.status.is_server_error() {
            return Err(format!("{name}: {} {}", answer.status, answer.body));
        }
    }
    let query = match parse(text) {
        Ok(query) => query,
        Err(_) if hot.status.is_client_error() && sealed.status == hot.status => {
            return Ok("refused".to_owned());
        }
        Err(error) => return Err(format!("no query, but answered with {}: {}", hot.status, error.message)),
    };
    if query.pipes.iter().any(|pipe| matches!(pipe, Pipe::Patterns(_))) {
        // Which event is the example is not said.
        return Ok("patterns".to_owned());
    }
    let plain = query.pipes.is_empty();
    let counted = plain.then(|| Matcher::new(&query.filter.clone().resolve(NOW)).ok()).flatten();
    let counted = counted.map(|matcher| ground.events.iter().filter(|event| matcher.matches(event)).count());
    Ok(format!("{} {}", shape(&query), same(text, hot, sealed, counted)?))
}

fn same(text: &str, hot: Answer, sealed: Answer, counted: Option<usize>) -> Result<String, String> {
    let complete = |answer: &Answer| answer.body.get("complete") == Some(&Value::Bool(true));
    if !hot.status.is_success() || !complete(&hot) || !complete(&sealed) {
        let why = hot.body.get("detail").or(hot.body.get("incomplete_because"));
        return Ok(format!("{} {}", hot.status, kind(why.and_then(Value::as_str).unwrap_or_default())));
    }
    // The two are not asked in the same instant.
    if text.contains("now")
        || text.contains("_time")
        || text.contains("ingested")
        || text.contains("timestamp")
    {
        return Ok("with the time".to_owned());
    }
    let (hot, sealed) = (essence(hot.body), essence(sealed.body));
    if hot != sealed {
        return Err(format!("hot {hot}\nsealed {sealed}"));
    }
    let matched = hot.pointer("/matched/value").and_then(Value::as_u64);
    if let Some(counted) = counted
        && matched != Some(counted as u64)
    {
        return Err(format!("{matched:?} events are said to match, the matcher finds {counted}"));
    }
    let rows = hot.pointer("/table/rows").and_then(Value::as_array).map_or(0, Vec::len);
    Ok(format!("{} {}", rows.min(3), matched.map_or(0, |matched| matched.min(3))))
}

fn essence(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        ACCIDENTS.iter().for_each(|name| drop(members.remove(*name)));
    }
    body
}
