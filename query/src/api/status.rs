//! `/api/status`: how the server is, and what the tenant has in it.
//!
//! The server's own numbers span all tenants, so only an administrator sees them; others see what is theirs, and with a row filter
//! not even that, because a count is an answer too.

use axum::Json;
use axum::extract::State;
use locard_indexer::{Age, Kept, KeptClass, Permission, Principal, Problem, Status, View};
use locard_store::SplitMeta;
use serde_json::{Map, Value, json};

use super::Api;
use super::params::Params;

/// Answers how the server is.
pub(super) async fn status(
    State(api): State<Api>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let admin = principal.require(Permission::Admin).is_ok();
    if !admin {
        principal.require(Permission::Read)?;
    }
    params.known(&[])?;
    let status = api.searcher.indexer.status();
    let mut answer = Map::new();
    let mut say = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    say("version", json!(env!("CARGO_PKG_VERSION")));
    say("uptime_seconds", json!(api.started.elapsed().as_secs()));
    say("tenant", json!(principal.tenant.as_str()));
    say("refusing", json!(status.refusing));
    let kept = api.searcher.indexer.kept(&principal.tenant);
    let counted = principal.filter.is_none();
    let mut retention = retention(&kept, counted);
    if counted && let Some(members) = retention.as_object_mut() {
        let holds = api.searcher.indexer.holds(&principal.tenant).await?;
        let in_force = holds.iter().filter(|hold| hold.released.is_none()).count();
        members.insert("holds".into(), json!(in_force));
    }
    say("retention", retention);
    if counted {
        let view = api.searcher.indexer.view(&principal.tenant);
        say("events", tenant(&view));
    }
    if admin {
        say("server", server(&status));
    }
    Ok(Json(Value::Object(answer)))
}

/// How long and how much of the tenant is kept, and, if they may be counted, the splits of each class.
fn retention(kept: &Kept, counted: bool) -> Value {
    let age = kept.classes.last().and_then(|class| seconds(class.age));
    let mut said = json!({"age_seconds": age, "bytes": kept.bytes});
    if let Some(members) = said.as_object_mut().filter(|_| counted) {
        members.insert("classes".into(), kept.classes.iter().map(class).collect());
        members.insert("unclassified_splits".into(), json!(kept.unclassified));
    }
    said
}

fn class(class: &KeptClass) -> Value {
    json!({
        "rule": class.rule.as_deref(),
        "age_seconds": seconds(class.age),
        "splits": class.splits,
        "events": class.events,
        "bytes": class.bytes,
        "oldest": class.oldest.map(|time| time.to_string()),
        "next_due": class.next_due.map(|time| time.to_string()),
    })
}

/// Nothing: for ever.
fn seconds(age: Age) -> Option<u64> {
    match age {
        Age::For(span) => Some(span.as_secs()),
        Age::Forever => None,
    }
}

/// The tenant's own events.
fn tenant(view: &View) -> Value {
    let metas: Vec<&SplitMeta> = view.splits.iter().map(|split| split.meta()).collect();
    let filed = view.hot.iter().flat_map(|batch| batch.iter()).map(locard_event::Event::filed);
    let (mut count, mut oldest, mut newest) = (0u64, None, None);
    for time in filed {
        count += 1;
        oldest = Some(oldest.map_or(time, |oldest| time.min(oldest)));
        newest = newest.max(Some(time));
    }
    for meta in &metas {
        oldest = Some(oldest.map_or(meta.filed.0, |oldest| meta.filed.0.min(oldest)));
        newest = newest.max(Some(meta.filed.1));
    }
    json!({
        "hot": count,
        "in_splits": metas.iter().map(|meta| meta.events).sum::<u64>(),
        "splits": metas.len(),
        "split_bytes": metas.iter().map(|meta| meta.bytes).sum::<u64>(),
        "unreadable_splits": view.unreadable.len(),
        "oldest": oldest.map(|time| time.to_string()),
        "newest": newest.map(|time| time.to_string()),
    })
}

/// All tenants together.
fn server(status: &Status) -> Value {
    json!({
        "hot": {"events": status.hot_events, "bytes": status.hot_bytes},
        "splits": {"count": status.splits, "events": status.split_events, "bytes": status.split_bytes},
        "wal": {"segments": status.wal_segments, "bytes": status.wal_bytes},
        "oldest": status.filed.map(|(first, _)| first.to_string()),
        "newest": status.filed.map(|(_, last)| last.to_string()),
    })
}
