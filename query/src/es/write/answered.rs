//! What became of documents, as Elasticsearch says it.

use locard_event::{EventId, name};
use locard_indexer::BulkItem;
use serde_json::{Value as Json, json};

/// Every write is on one shard that is there.
pub(super) fn shards() -> Json {
    json!({"total": 1, "successful": 1, "failed": 0})
}

/// The document's id: the client's, else that of its event.
fn id_of(item: &BulkItem) -> Json {
    match (&item.id, item.event) {
        (Some(id), _) => json!(id),
        (None, Some(event)) => json!(event.to_string()),
        (None, None) => Json::Null,
    }
}

/// A document that was added.
fn created(item: &BulkItem, event: EventId) -> Json {
    json!({
        "_index": item.index,
        "_id": id_of(item),
        "_version": 1,
        "result": "created",
        "_shards": shards(),
        "_seq_no": event.sequence,
        "_primary_term": 1,
    })
}

/// The status and the body of what became of one document.
pub(super) fn item(item: &BulkItem) -> (u16, Json) {
    match (&item.fault, item.event) {
        (None, Some(event)) => (201, created(item, event)),
        (fault, _) => {
            let (status, kind, reason) = match fault {
                Some(fault) => (fault.status, fault.kind, fault.reason.as_str()),
                None => (500, "exception", "it is not known what became of it"),
            };
            let mut cause = json!({"type": kind, "reason": reason});
            if status == 409
                && let Some(cause) = cause.as_object_mut()
            {
                cause.insert("index".into(), json!(item.index));
                cause.insert("index_uuid".into(), json!("_na_"));
                cause.insert("shard".into(), json!("0"));
            }
            (status, json!({"_index": item.index, "_id": id_of(item), "error": cause}))
        }
    }
}

/// As one of a bulk's answers.
pub(super) fn bulk_item(one: &BulkItem) -> Json {
    let (status, mut body) = item(one);
    if let Some(body) = body.as_object_mut() {
        body.insert("status".into(), json!(status));
    }
    json!({ one.action.name(): body })
}

/// What an index may be called.
pub(super) fn is_index(text: &str) -> bool {
    name::is_dataset(text)
}
