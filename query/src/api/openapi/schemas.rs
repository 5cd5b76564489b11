//! The shapes of answers.

use serde_json::{Map, Value, json};

/// Every named shape.
pub(super) fn schemas() -> Value {
    let groups = [search(), exported(), entity(), lists(), server()];
    let all: Map<String, Value> = groups.into_iter().flatten().collect();
    Value::Object(all)
}

type Named = Vec<(String, Value)>;

fn object(name: &str, required: &[&str], properties: Value) -> (String, Value) {
    (name.to_owned(), json!({"type": "object", "required": required, "properties": properties}))
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// What every answer says of itself, beside what it is about.
fn answer(name: &str, required: &[&str], properties: Value) -> (String, Value) {
    let own = json!({
        "complete": {"type": "boolean", "description": "Whether nothing is missing"},
        "incomplete_because": {"type": ["string", "null"]},
        "took_ms": count(),
        "scanned": schema("Scanned"),
    });
    let mut all = own.as_object().cloned().unwrap_or_default();
    let mut names: Vec<&str> = vec!["complete", "incomplete_because", "took_ms", "scanned"];
    names.extend(required);
    all.extend(properties.as_object().cloned().unwrap_or_default());
    object(name, &names, Value::Object(all))
}

fn search() -> Named {
    let events = json!({"type": "array", "items": schema("Event")});
    let event = json!({
        "_id": {"type": "string", "description": "Its permanent id, `partition-sequence`"},
        "@timestamp": {"type": "string", "format": "date-time", "description": "When it happened, as the source says"},
        "event.ingested": {"type": "string", "format": "date-time"},
        "_stream": {"type": "string", "description": "The id of its set of labels"},
        "message": {"type": "string", "description": "The line; bytes that are not UTF-8 are replaced"},
        "message_base64": {"type": "string", "description": "The very bytes, where they are not UTF-8"},
    });
    let event = json!({
        "type": "object",
        "description": "Labels and fields are further members, by their flat dotted names",
        "required": ["_id", "@timestamp", "message", "event.ingested", "_stream"],
        "properties": event,
        "additionalProperties": true,
    });
    let ask = json!({
        "q": text(), "start": {"type": ["string", "number"]}, "end": {"type": ["string", "number"]},
        "limit": count(), "order": {"enum": ["desc", "asc"]}, "cursor": {"type": ["string", "null"]}, "timeout": text(),
    });
    let counted = json!({"value": count(), "exact": {"type": "boolean", "description": "If not, it is at least so many"}});
    let warning = json!({
        "message": text(), "hint": {"type": ["string", "null"]},
        "fix": {"type": ["string", "null"], "description": "A whole corrected query"},
    });
    let answered = json!({
        "warnings": {"type": "array", "items": schema("Warning"), "description": "What the query is likely to be wrong about"},
        "events": events, "table": {"oneOf": [schema("Table"), {"type": "null"}]}, "matched": schema("Count"),
        "cursor": {"type": ["string", "null"], "description": "The page that follows; null on the last one"},
        "explain": {"type": "object", "description": "How it was searched, where that was asked"},
    });
    let context = json!({
        "events": events, "index": {"type": "integer", "description": "Where the event itself stands"},
        "more_before": {"type": "boolean"}, "more_after": {"type": "boolean"},
        "by": {"type": "object", "description": "What they share"},
    });
    vec![
        ("Event".to_owned(), event),
        object("Ask", &[], ask),
        object("Count", &["value", "exact"], counted),
        object(
            "Scanned",
            &["splits", "events", "bytes"],
            json!({"splits": count(), "events": count(), "bytes": count()}),
        ),
        object(
            "Table",
            &["columns", "rows"],
            json!({"columns": {"type": "array", "items": text()}, "rows": {"type": "array", "items": {"type": "array"}}, "inexact_because": {"type": "string", "description": "Why some number is an estimate"}}),
        ),
        object("Warning", &["message", "hint", "fix"], warning),
        answer("Answer", &["events", "table", "matched", "cursor"], answered),
        answer("Context", &["events", "index", "more_before", "more_after", "by"], context),
    ]
}

fn entity() -> Named {
    let maybe = |name: &str| json!({"oneOf": [schema(name), {"type": "null"}]});
    let because = || json!({"type": ["string", "null"]});
    let facet = json!({
        "rows": {"type": "array", "items": {"type": "object"}},
        "complete": {"type": "boolean"}, "incomplete_because": because(),
    });
    let top = json!({
        "field": text(), "values": {"type": "array", "items": schema("Value")},
        "complete": {"type": "boolean"}, "incomplete_because": because(),
    });
    let places = json!({"type": ["object", "null"], "description": "With `anywhere`: the fields that name it, and in how many events", "properties": {
        "fields": {"type": "array", "items": {"type": "object"}}, "complete": {"type": "boolean"}, "incomplete_because": because(),
    }});
    let entity = json!({
        "field": {"type": ["string", "null"]}, "value": text(), "anywhere": {"type": "boolean"},
        "q": {"type": "string", "description": "The filter that finds its events"},
        "matched": schema("Count"), "first": maybe("Event"), "last": maybe("Event"),
        "top": {"type": "array", "items": schema("Top"), "description": "The most common values of fields, but of its own"},
        "patterns": schema("Facet"), "timeline": schema("Facet"), "occurs_in": places,
    });
    let required = [
        "field",
        "value",
        "anywhere",
        "q",
        "matched",
        "first",
        "last",
        "top",
        "patterns",
        "timeline",
        "occurs_in",
    ];
    vec![
        object("Facet", &["rows", "complete", "incomplete_because"], facet),
        object("Top", &["field", "values", "complete", "incomplete_because"], top),
        answer("Entity", &required, entity),
    ]
}

fn exported() -> Named {
    let maybe = || json!({"type": ["string", "null"]});
    let manifest = json!({
        "id": text(), "state": {"enum": ["running", "done", "broken off"]}, "format": text(), "compress": text(),
        "filename": text(), "started_at": {"type": "string", "format": "date-time"}, "ended_at": {"type": "string", "format": "date-time"},
        "q": maybe(), "start": maybe(), "end": maybe(), "limit": {"type": ["integer", "null"]},
        "columns": {"type": "array", "items": text(), "description": "Of a table, or the fields asked for"},
        "offset": count(), "first_cursor": {"type": "string", "description": "The same moment again, from where it began"},
        "cursor": {"type": ["string", "null"], "description": "Where it can be gone on from; null once all was handed over"},
        "count": {"type": "integer", "description": "Events or rows made so far"}, "bytes": {"type": "integer", "description": "Not packed"},
        "sha256": {"type": ["string", "null"], "description": "Of the bytes, not packed; of NDJSON those before the summary"},
        "complete": {"type": ["boolean", "null"]}, "incomplete_because": maybe(), "inexact_because": maybe(),
    });
    let required =
        ["id", "state", "format", "count", "bytes", "sha256", "complete", "incomplete_because", "cursor"];
    vec![object("Manifest", &required, manifest)]
}

fn lists() -> Named {
    let field = json!({
        "name": text(), "type": {"type": ["string", "null"], "description": "The most common one"},
        "types": {"type": "array", "items": {"enum": ["string", "integer", "float", "boolean", "ip", "time"]}},
        "label": {"type": "boolean"}, "count": count(),
        "coverage": {"type": "number", "description": "The share of the events that have it"},
    });
    let fields = json!({"fields": {"type": "array", "items": schema("Field")}, "matched": schema("Count")});
    let value = json!({"value": {}, "count": count()});
    let values = json!({
        "field": text(), "values": {"type": "array", "items": schema("Value")},
        "distinct": schema("Count"), "matched": schema("Count"),
    });
    vec![
        object("Field", &["name", "type", "types", "label", "count", "coverage"], field),
        answer("Fields", &["fields", "matched"], fields),
        object("Value", &["value", "count"], value),
        answer("Values", &["field", "values", "distinct", "matched"], values),
    ]
}

fn server() -> Named {
    let problem = json!({
        "title": text(), "status": {"type": "integer"}, "detail": {"type": "string", "description": "What is wrong, in a sentence"},
        "parameter": text(), "hint": text(), "fix": {"type": "string", "description": "A whole corrected query"},
        "position": {"type": "integer", "description": "First byte of the query that is wrong"},
        "span": {"type": "array", "items": count(), "description": "First byte that is wrong, and the one after"},
        "utf16_span": {"type": "array", "items": count(), "description": "The same, counted as JavaScript does"},
        "line": {"type": "integer", "description": "1-based line of the body"},
    });
    let rejected = json!({"type": "object", "properties": {"line": count(), "reason": text()}});
    let status = json!({
        "version": text(), "uptime_seconds": count(), "tenant": text(),
        "refusing": {"type": ["string", "null"], "description": "Why batches are refused now"},
        "retention": {"type": "object", "properties": {
            "age_seconds": {"type": ["integer", "null"], "description": "Of events that no rule keeps; null: for ever"},
            "bytes": {"type": ["integer", "null"]},
            "classes": {"type": "array", "items": {"type": "object"}, "description": "Splits by the rule that keeps them, in the order of the rules, those of no rule last; not shown under a row filter"},
            "unclassified_splits": {"type": "integer", "description": "Splits that are still to be held against the rules of today"},
            "holds": {"type": "integer", "description": "Legal holds in force"},
        }},
        "events": {"type": "object", "description": "What the tenant has; not shown under a row filter"},
        "server": {"type": "object", "description": "All tenants together; shown to administrators"},
    });
    vec![
        object("Problem", &["title", "status", "detail"], problem),
        object(
            "Ack",
            &["accepted", "rejected"],
            json!({
                "accepted": count(),
                "rejected": {"type": "array", "items": rejected},
                "rejected_count": count(),
            }),
        ),
        hold(),
        answer_of_holds(),
        object("Status", &["version", "uptime_seconds", "tenant", "refusing", "retention"], status),
    ]
}

fn hold() -> (String, Value) {
    let time = || json!({"type": ["string", "null"], "format": "date-time"});
    let maybe = || json!({"type": ["string", "null"]});
    let covers = json!({"type": ["object", "null"], "description": "How many events it covers now, those that are not sealed too; null when it was not counted", "properties": {
        "value": count(), "exact": {"type": "boolean"}, "incomplete_because": maybe(),
    }});
    let hold = json!({
        "name": text(), "filter": text(), "start": time(), "end": time(), "reason": text(),
        "created_by": text(), "created_at": time(), "in_force": {"type": "boolean"},
        "released_by": maybe(), "released_at": time(), "release_reason": maybe(), "covers": covers,
    });
    object("Hold", &["name", "filter", "reason", "created_by", "created_at", "in_force"], hold)
}

fn answer_of_holds() -> (String, Value) {
    object("Holds", &["holds"], json!({"holds": {"type": "array", "items": schema("Hold")}}))
}
