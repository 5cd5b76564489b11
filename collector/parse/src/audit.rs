//! Kubernetes audit events (audit.k8s.io), one a line: everything under `kubernetes.audit.*`, and what ECS has a word for.
//!
//! Lists of events (`EventList`) are taken apart by whoever receives them.
//! Source: k8s.io/apiserver `pkg/apis/audit/v1/types.go`.

use locard_event::{Fields, Timestamp, Value};

use crate::facts::{Facts, Outcome};
use crate::json::{self, MAX_FIELDS, note_left_out};
use crate::{flatten, generic, url};

const ROOT: &str = "kubernetes.audit";
const REQUEST_URI: &str = "kubernetes.audit.requestURI";
const STATUS_CODE: &str = "kubernetes.audit.responseStatus.code";

/// What a client sent and was answered: as large as it likes, and before what the API server says itself. It gets the room that is left.
const OBJECTS: [&str; 2] = ["requestObject", "responseObject"];

/// Members that become fields, so that those under ECS names still find room within [`MAX_FIELDS`].
const MAX_MEMBERS: usize = MAX_FIELDS - 50;

/// Where ECS has a word.
const ECS: [(&str, &str); 14] = [
    ("kubernetes.audit.user.username", "user.name"),
    ("kubernetes.audit.user.uid", "user.id"),
    ("kubernetes.audit.user.groups", "user.group.name"),
    ("kubernetes.audit.impersonatedUser.username", "user.effective.name"),
    ("kubernetes.audit.impersonatedUser.uid", "user.effective.id"),
    ("kubernetes.audit.userAgent", "user_agent.original"),
    ("kubernetes.audit.verb", "event.action"),
    ("kubernetes.audit.auditID", "event.id"),
    ("kubernetes.audit.objectRef.namespace", "orchestrator.namespace"),
    // Unless the API server's own namespace is known: a label wins.
    ("kubernetes.audit.objectRef.namespace", "kubernetes.namespace"),
    ("kubernetes.audit.objectRef.resource", "orchestrator.resource.type"),
    ("kubernetes.audit.objectRef.name", "orchestrator.resource.name"),
    ("kubernetes.audit.objectRef.apiVersion", "orchestrator.api_version"),
    (STATUS_CODE, "http.response.status_code"),
];

/// When it happened, the most exact first; the last two were written before audit.k8s.io/v1.
const TIMES: [&str; 4] = [
    "kubernetes.audit.requestReceivedTimestamp",
    "kubernetes.audit.stageTimestamp",
    "kubernetes.audit.timestamp",
    "kubernetes.audit.metadata.creationTimestamp",
];

/// Reads `line` if it is an audit event.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    read_if(line, facts, |kind| kind == "Event")
}

fn read_if(line: &str, facts: &mut Facts<'_>, is_event: impl Fn(&str) -> bool) -> bool {
    if !looks_like_audit(line) {
        return false;
    }
    let mut said = Fields::new();
    let flattened = flatten::flatten_text_last(ROOT, &OBJECTS, line, &mut said, MAX_MEMBERS);
    let Ok(left_out) = flattened else { return false };
    if !is_audit(&said, is_event) {
        return false;
    }
    note_left_out(left_out, MAX_MEMBERS, facts);
    facts.dataset("k8s.audit");
    if let Some(time) = TIMES.iter().find_map(|name| time_of(&said, name)) {
        facts.time(time);
    }
    add_ecs(&said, facts);
    for (name, value) in said {
        facts.set_app(name, value);
    }
    true
}

/// Reads a line of a source that has nothing but audit events; one that is none, or broken, says so. Within the lists that API servers
/// send, events do not say of what kind they are.
pub(crate) fn read_only(line: &str, facts: &mut Facts<'_>) {
    let is_event = |kind: &str| matches!(kind, "" | "Event");
    if !read_if(line, facts, is_event) && !json::read(line, facts) {
        facts.error("not an audit event");
    }
}

/// Cheap, and true of every audit event: spares other JSON lines a second reading.
fn looks_like_audit(line: &str) -> bool {
    line.trim_start().starts_with('{')
        && [&b"\"audit.k8s.io/"[..], b"\"auditID\""]
            .iter()
            .any(|mark| memchr::memmem::find(line.as_bytes(), mark).is_some())
}

fn is_audit(said: &Fields, is_event: impl Fn(&str) -> bool) -> bool {
    let text = |name: &str| match said.get(name) {
        Some(Value::Str(text)) => &**text,
        _ => "",
    };
    let version = text("kubernetes.audit.apiVersion");
    // Events exported by others may lack the version but have an id and a stage.
    is_event(text("kubernetes.audit.kind"))
        && (version.starts_with("audit.k8s.io/")
            || (version.is_empty() && !text("kubernetes.audit.auditID").is_empty()))
}

fn time_of(said: &Fields, name: &str) -> Option<Timestamp> {
    match said.get(name)? {
        Value::Str(text) => generic::whole_time(text),
        _ => None,
    }
}

fn add_ecs(said: &Fields, facts: &mut Facts<'_>) {
    for (from, to) in ECS {
        if let Some(value) = said.get(from) {
            facts.set(to, value.clone());
        }
    }
    facts.set("orchestrator.type", "kubernetes");
    if let Some(sources) = said.get("kubernetes.audit.sourceIPs") {
        add_sources(sources, facts);
    }
    if let Some(Value::Str(target)) = said.get(REQUEST_URI) {
        url::add(target, facts);
        if matches!(said.get("kubernetes.audit.objectRef.subresource"), Some(Value::Str(sub)) if &**sub == "exec")
        {
            add_command(target, facts);
        }
    }
    if let Some(outcome) = outcome(said) {
        facts.set("event.outcome", outcome.name());
    }
}

/// The first address is the client as the API server saw it through proxies; all are kept, in order.
fn add_sources(sources: &Value, facts: &mut Facts<'_>) {
    let ips: Vec<Value> = sources.elements().iter().map(|ip| Value::ip_or_str(&ip.text())).collect();
    match <[Value; 1]>::try_from(ips) {
        Ok([ip]) => facts.set("source.ip", ip),
        Err(ips) if ips.is_empty() => {}
        Err(ips) => facts.set("source.ip", Value::List(ips)),
    }
}

fn outcome(said: &Fields) -> Option<Outcome> {
    if let Some(Value::Int(code)) = said.get(STATUS_CODE) {
        return Some(Outcome::of_status(*code));
    }
    match said.get("kubernetes.audit.annotations.authorization.k8s.io/decision")? {
        Value::Str(decision) if &**decision == "allow" => Some(Outcome::Success),
        Value::Str(decision) if &**decision == "forbid" => Some(Outcome::Failure),
        _ => None,
    }
}

/// `…/exec?command=sh&command=-c&command=id`: what was run in the container.
fn add_command(target: &str, facts: &mut Facts<'_>) {
    let Some((_, query)) = target.split_once('?') else { return };
    let args: Vec<String> =
        query.split('&').filter_map(|pair| pair.strip_prefix("command=")).map(decode).collect();
    if args.is_empty() {
        return;
    }
    facts.set("process.command_line", args.join(" "));
    facts.set("process.args", Value::List(args.into_iter().map(Value::from).collect()));
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
