//! The table of operations.

use serde_json::{Value, json};

/// One method of one path.
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) method: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: Vec<Parameter>,
    /// By media type.
    pub(super) body: Option<Value>,
    /// The status of success.
    pub(super) status: u16,
    /// What it means.
    pub(super) answer: &'static str,
    /// Schemas of its answer, by media type.
    pub(super) answers: Vec<(&'static str, Value)>,
    /// Status and when it comes; no words means what the status says.
    pub(super) errors: Vec<(u16, &'static str)>,
}

/// One parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `query`, `path` or `header`.
    pub(super) place: &'static str,
    pub(super) help: &'static str,
    pub(super) schema: Value,
}

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const TEXT: &str = "text/plain";

/// Every operation of the server.
pub(super) fn operations() -> Vec<Operation> {
    let groups = [search(), export(), events(), fields(), kept(), ingest(), holds(), server()];
    groups.into_iter().flatten().collect()
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let errors = vec![(401, "No credential, or an unknown one"), (403, "The credential lacks a permission")];
    Operation {
        path,
        method: "get",
        id,
        tag: "search",
        summary,
        parameters: Vec::new(),
        body: None,
        status: 200,
        answer: "The answer",
        answers: Vec::new(),
        errors,
    }
}

impl Operation {
    fn takes(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn posts(mut self, body: Value) -> Self {
        self.method = "post";
        self.body = Some(body);
        self
    }

    fn by(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn answers(mut self, media: &'static str, schema: Value) -> Self {
        self.answers.push((media, schema));
        self
    }

    /// There is nothing to answer but that it is done.
    fn answers_nothing(mut self, answer: &'static str) -> Self {
        (self.status, self.answer) = (204, answer);
        self
    }

    fn fails(mut self, errors: impl IntoIterator<Item = (u16, &'static str)>) -> Self {
        self.errors.extend(errors);
        self
    }

    fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }
}

fn query(name: &'static str, help: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", help, schema }
}

fn text() -> Value {
    json!({"type": "string"})
}

fn count(default: usize) -> Value {
    json!({"type": "integer", "minimum": 0, "default": default})
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// What every face that takes a query takes.
fn scope() -> Vec<Parameter> {
    vec![
        query("q", "The query; empty means everything", text()),
        query("start", "First instant inside: RFC 3339, Unix time, or `now-1h`. By the filed time", text()),
        query("end", "First instant after", text()),
        query("timeout", "Answer what there is after this: `5s`, `500ms`", text()),
    ]
}

/// How a search fails.
fn search_errors() -> [(u16, &'static str); 2] {
    [
        (
            400,
            "The query or a parameter cannot be read; `position`, `hint` and `fix` say where and how to mend it",
        ),
        (429, "Too many searches are running; `Retry-After` says when to try again"),
    ]
}

fn search() -> Vec<Operation> {
    let summary = "Search: events for a filter, a table when a pipe makes rows";
    let page = [
        query("limit", "Most events in the answer", count(100)),
        query("order", "Newest or oldest first", json!({"enum": ["desc", "asc"], "default": "desc"})),
        query("cursor", "From an answer: the page that follows it", text()),
        query(
            "explain",
            "Say how it was searched, too; the answer is one page then",
            json!({"type": "boolean", "default": false}),
        ),
    ];
    let tail = "Live events as server-sent events: `id` is the event's id, `data` the event, an `id` alone says up to where nothing else matched, `event: lag` how many were passed over, `event: end` why the server ends the tail";
    vec![
        get("/api/search", "search", summary)
            .takes(scope())
            .takes(page)
            .answers(JSON, schema("Answer"))
            .answers(NDJSON, schema("Event"))
            .fails(search_errors()),
        get("/api/search", "searchByPost", "The same, with the parameters as members of a JSON object")
            .posts(json!({JSON: {"schema": schema("Ask")}}))
            .answers(JSON, schema("Answer"))
            .answers(NDJSON, schema("Event"))
            .fails(search_errors())
            .fails([(413, "The body is too large")]),
        get("/api/tail", "tail", tail)
            .takes([
                query("q", "A filter without pipes; empty means everything", text()),
                query("after", "The last event the client has: what came since is sent first", text()),
                Parameter {
                    name: "Last-Event-ID",
                    place: "header",
                    help: "The same, and it wins",
                    schema: text(),
                },
            ])
            .answers("text/event-stream", text())
            .fails([(400, "The query or an id cannot be read"), (429, "Too many tails are open")]),
    ]
}

fn export() -> Vec<Operation> {
    let header = |name, help| Parameter { name, place: "header", help, schema: text() };
    let own = || {
        vec![
            query("limit", "Most events or rows; without: all", json!({"type": "integer", "minimum": 0})),
            query("order", "Newest or oldest first", json!({"enum": ["desc", "asc"], "default": "desc"})),
            query(
                "format",
                "What it is written as; else `Accept` says",
                json!({"enum": ["ndjson", "json", "csv", "raw", "parquet"], "default": "ndjson"}),
            ),
            query(
                "compress",
                "A packed file, but of Parquet, which is packed inside. Without: packed on its way as `Accept-Encoding` says",
                json!({"enum": ["none", "gzip", "zstd"]}),
            ),
            query(
                "fields",
                "Names, separated by commas: columns of a table, members of objects; without: all",
                text(),
            ),
            query("filename", "What a browser calls the file", text()),
            query("cursor", "From `Locard-Cursor`, a summary or a manifest: the same moment again", text()),
            query("after", "The `_id` of the last event the client has: what comes behind it", text()),
            query(
                "offset",
                "How many bytes, not packed, the client has of what begins at `cursor`: what comes behind them",
                count(0),
            ),
            header("TE", "`trailers`: say behind the body what it was"),
        ]
    };
    let written = |operation: Operation| {
        let operation = operation
            .answers(NDJSON, schema("Event"))
            .answers(JSON, json!({"type": "array", "items": schema("Event")}));
        let operation = operation.answers("text/csv", text()).answers(TEXT, text());
        let bytes = json!({"type": "string", "format": "binary"});
        operation.answers("application/vnd.apache.parquet", bytes).fails(search_errors())
    };
    let id = Parameter { name: "id", place: "path", help: "From `Locard-Export`", schema: text() };
    let summary = "Everything that a query finds, without a cap, all of one moment";
    vec![
        written(get("/api/export", "export", summary).takes(scope()).takes(own())),
        written(get(
            "/api/export",
            "exportByPost",
            "The same, with the parameters as members of a JSON object",
        ))
        .posts(json!({JSON: {"schema": {"type": "object"}}})),
        get(
            "/api/export/{id}/manifest",
            "manifest",
            "What was handed over: count, bytes, SHA-256, whether it is complete",
        )
        .takes([id])
        .answers(JSON, schema("Manifest"))
        .fails([(404, "It is none of the latest exports of this credential")]),
    ]
}

fn events() -> Vec<Operation> {
    let id = || Parameter { name: "id", place: "path", help: "Its `_id`, as `0-184467`", schema: text() };
    let errors =
        || [(404, "There is none, or it may not be seen"), (503, "It may be in a split that cannot be read")];
    vec![
        get("/api/events/{id}", "event", "One event")
            .takes([id()])
            .answers(JSON, schema("Event"))
            .fails(errors()),
        get("/api/events/{id}/context", "context", "An event among its neighbours, oldest first")
            .takes([
                id(),
                query("before", "Most neighbours before", count(50)),
                query("after", "Most neighbours after", count(50)),
                query("by", "Names, separated by commas, in which neighbours equal the event; without: the same stream", text()),
                query("q", "A further filter on the neighbours", text()),
            ])
            .answers(JSON, schema("Context"))
            .fails(errors())
            .fails(search_errors()),
        entity(),
    ]
}

fn entity() -> Operation {
    get(
        "/api/entity",
        "entity",
        "What is known of an address, a user, a host: since when, how often, with whom, doing what",
    )
    .takes([
        query("field", "The field whose value it is, exactly; may be left out with `anywhere`", text()),
        query("value", "What it is called", text()),
        query(
            "anywhere",
            "Events that name it in any field or the message, and in which",
            json!({"type": "boolean", "default": false}),
        ),
        query("limit", "Most values of each field, and most patterns, at most 1000", count(10)),
    ])
    .takes(scope())
    .answers(JSON, schema("Entity"))
    .fails(search_errors())
}

fn fields() -> Vec<Operation> {
    let name = Parameter { name: "name", place: "path", help: "The field's or label's name", schema: text() };
    vec![
        get("/api/fields", "fields", "Which fields and labels the matching events have")
            .takes(scope())
            .answers(JSON, schema("Fields"))
            .fails(search_errors()),
        get("/api/fields/{name}/values", "values", "A field's most common values among the matching events")
            .takes([name])
            .takes(scope())
            .takes([
                query("prefix", "Only values that begin so, in any case", text()),
                query("limit", "Most values in the answer, at most 1000", count(10)),
            ])
            .answers(JSON, schema("Values"))
            .fails(search_errors()),
    ]
}

/// What people keep with their tenant.
fn kept() -> Vec<Operation> {
    let name = |help| Parameter { name: "name", place: "path", help, schema: text() };
    let table = || name("The table's name: letters, digits, `_`, `-` and `.`");
    let search = || name("The search's name");
    let object = || json!({"type": "object"});
    let header = |name, help| Parameter { name, place: "header", help, schema: text() };
    let absent = || [(404, "There is none of this name")];
    let operations = [
        get("/api/lookups", "lookups", "The CSV tables that the pipe `lookup` looks into")
            .answers(JSON, object()),
        get("/api/lookups/{name}", "lookup", "A table as it was written")
            .takes([table()])
            .answers("text/csv", text())
            .fails(absent()),
        get("/api/lookups/{name}", "putLookup", "Keep a table; needs the permission `admin`")
            .takes([table()])
            .posts(json!({"text/csv": {"schema": text()}}))
            .by("put")
            .answers(JSON, object())
            .fails([(400, "It is no CSV file with named columns"), (413, "The table is too large")]),
        get("/api/lookups/{name}", "deleteLookup", "Delete a table; needs the permission `admin`")
            .takes([table()])
            .by("delete")
            .fails(absent()),
        get("/api/searches", "searches", "The searches that the tenant keeps").answers(JSON, object()),
        get("/api/searches/{name}", "savedSearch", "One of them")
            .takes([search()])
            .answers(JSON, object())
            .fails(absent()),
        get("/api/searches/{name}", "saveSearch", "Keep a search: an object with the query in `q`")
            .takes([
                search(),
                header("If-Match", "Only in the place of this version: the `ETag` of an answer"),
            ])
            .takes([header("If-None-Match", "`*`: only if there is none of this name")])
            .posts(json!({JSON: {"schema": object()}}))
            .by("put")
            .answers(JSON, object())
            .fails([(400, "The name or the query cannot be read"), (409, "Somebody else changed it")])
            .fails([(413, "It is too large")]),
        get("/api/searches/{name}", "deleteSearch", "Delete a search")
            .takes([search()])
            .by("delete")
            .fails(absent()),
    ];
    operations.into_iter().map(|operation| operation.tagged("kept")).collect()
}

fn ingest_errors() -> [(u16, &'static str); 6] {
    [
        (400, "The body cannot be read; `line` says where"),
        (413, "The body is too large"),
        (415, "Unknown content type or encoding"),
        (429, "Too much is waiting; `Retry-After` says when to try again"),
        (
            503,
            "The log or the store failed, or the server is shutting down; `Retry-After` says when to try again",
        ),
        (507, "The disk is full; nothing was accepted"),
    ]
}

fn ndjson_parameters() -> [Parameter; 5] {
    let names = "Names, separated by commas";
    [
        query("time_field", "Where the time is; the first of these that is there", text()),
        query("message_field", "Where the message is; the first of these that is there", text()),
        query(
            "stream_fields",
            names,
            json!({"type": "string", "default": "host.name,event.dataset,kubernetes"}),
        ),
        query(
            "dataset",
            "`event.dataset` where the object has none",
            json!({"type": "string", "default": "ndjson"}),
        ),
        query("keep_original", "Keep the object as received in `event.original`", json!({"type": "boolean"})),
    ]
}

fn ingest() -> Vec<Operation> {
    let batch = || Parameter {
        name: "X-Locard-Batch",
        place: "header",
        help: "`source/first-last`: a repeat within 24 h gets the first answer and adds nothing",
        schema: text(),
    };
    let otlp = json!({"application/x-protobuf": {"schema": {}}, JSON: {"schema": {"type": "object"}}});
    vec![
        get("/v1/logs", "otlpLogs", "OTLP logs; a 200 means durable and searchable")
            .tagged("ingest")
            .takes([batch()])
            .posts(otlp)
            .answers("application/x-protobuf", json!({}))
            .answers(JSON, json!({"type": "object"}))
            .fails(ingest_errors()),
        get("/ingest/ndjson", "ingestNdjson", "One JSON object a line; a 200 means durable and searchable")
            .tagged("ingest")
            .takes([batch()])
            .takes(ndjson_parameters())
            .posts(json!({NDJSON: {"schema": text()}}))
            .answers(JSON, schema("Ack"))
            .fails(ingest_errors()),
        get("/ingest/k8s-audit", "ingestAudit", "Kubernetes audit events: an `EventList`, or events")
            .tagged("ingest")
            .takes([batch()])
            .posts(json!({JSON: {"schema": {"type": "object"}}}))
            .answers(JSON, schema("Ack"))
            .fails(ingest_errors()),
        get(
            "/services/collector/event",
            "hecEvent",
            "Splunk's HTTP event collector: objects, one after the other",
        )
        .tagged("ingest")
        .takes([batch()])
        .posts(json!({JSON: {"schema": text()}}))
        .answers(JSON, json!({"type": "object"}))
        .fails(ingest_errors()),
        get("/services/collector/raw", "hecRaw", "The same, one event a line")
            .tagged("ingest")
            .takes([batch()])
            .posts(json!({"text/plain": {"schema": text()}}))
            .answers(JSON, json!({"type": "object"}))
            .fails(ingest_errors()),
        get("/loki/api/v1/push", "lokiPush", "Loki's push request; protobuf is packed with snappy")
            .tagged("ingest")
            .takes([batch()])
            .posts(json!({"application/x-protobuf": {"schema": {}}, JSON: {"schema": {"type": "object"}}}))
            .answers_nothing("Durable and searchable")
            .fails(ingest_errors()),
        get("/services/collector/ack", "hecAck", "Whether what was answered with these `ackId`s is durable")
            .tagged("ingest")
            .posts(json!({JSON: {"schema": {"type": "object"}}}))
            .answers(JSON, json!({"type": "object"})),
    ]
}

fn holds() -> Vec<Operation> {
    let text = |name: &str| (name.to_owned(), json!({"type": "string"}));
    let body = |required: &[&str], names: &[&str]| {
        let properties: serde_json::Map<_, _> = names.iter().map(|name| text(name)).collect();
        json!({JSON: {"schema": {"type": "object", "required": required, "properties": properties}}})
    };
    let name = Parameter { name: "name", place: "path", help: "The hold", schema: json!({"type": "string"}) };
    let wrong = (400, "What is said of the hold makes no sense; `parameter` says which part");
    let place = "Place a legal hold: retention touches nothing that it covers once this is answered";
    vec![
        get("/api/holds", "holds", "The tenant's legal holds, and how many events those in force cover now")
            .answers(JSON, schema("Holds"))
            .fails(search_errors()),
        get("/api/holds", "placeHold", place)
            .posts(body(&["name", "filter", "reason"], &["name", "filter", "start", "end", "reason"]))
            .answers(JSON, schema("Hold"))
            .fails([wrong, (409, "The name was given before")]),
        get("/api/holds/{name}/release", "releaseHold", "Release a legal hold; its record stays")
            .takes([name])
            .posts(body(&["reason"], &["reason"]))
            .answers(JSON, schema("Hold"))
            .fails([wrong, (404, "There is no such hold"), (409, "It was released before")]),
    ]
    .into_iter()
    .map(|operation| operation.tagged("server"))
    .collect()
}

fn server() -> Vec<Operation> {
    let mut seal = get(
        "/api/admin/seal",
        "seal",
        "Returns when everything acked is in splits, merged, and the log released",
    );
    seal.method = "post";
    vec![
        get("/api/status", "status", "How the server is, and what the tenant has in it")
            .answers(JSON, schema("Status")),
        get("/api/openapi.json", "openapi", "This description").answers(JSON, json!({"type": "object"})),
        seal.answers(JSON, json!({"type": "object"})),
        get("/health/live", "live", "Whether the process runs").answers(TEXT, text()),
        get("/health/ready", "ready", "Whether the log is replayed and a search would be complete")
            .answers(TEXT, text())
            .fails([(503, "Not yet")]),
        get("/metrics", "metrics", "The server's own metrics; needs the permission `admin`")
            .answers(TEXT, text()),
    ]
    .into_iter()
    .map(|operation| operation.tagged("server"))
    .collect()
}
