//! Lines as the programs of a cluster write them.

use jiff::tz::Offset;
use locard_event::Timestamp;
use serde_json::{Value, json};

use super::random::Random;

/// Formats a time in UTC.
fn format(time: Timestamp, format: &str) -> String {
    let instant = jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).unwrap_or_default();
    Offset::UTC.to_datetime(instant).strftime(format).to_string()
}

/// RFC 3164.
pub(super) fn syslog(time: Timestamp, host: &str, program: &str, text: &str) -> String {
    format!("{} {host} {program}: {text}", format(time, "%b %e %H:%M:%S"))
}

/// The combined format of Apache and nginx.
pub(super) fn access(
    time: Timestamp,
    client: &str,
    request: &str,
    status: u64,
    bytes: u64,
    agent: &str,
) -> String {
    let time = format(time, "%d/%b/%Y:%H:%M:%S +0000");
    format!("{client} - - [{time}] \"{request}\" {status} {bytes} \"-\" \"{agent}\"")
}

/// klog, as Kubernetes' own programs write it.
pub(super) fn klog(time: Timestamp, level: char, pid: u64, place: &str, text: &str) -> String {
    format!("{level}{} {pid:>7} {place}] {text}", format(time, "%m%d %H:%M:%S.%6f"))
}

/// A JSON line of an application.
pub(super) fn app(time: Timestamp, level: &str, text: &str, members: Value) -> String {
    let mut line = json!({"time": time.to_string(), "level": level, "msg": text});
    if let (Value::Object(line), Value::Object(members)) = (&mut line, members) {
        line.extend(members);
    }
    line.to_string()
}

/// A firewall's line in the kernel log.
pub(super) fn firewall(prefix: &str, from: (&str, u64), to: (&str, u64), random: &mut Random) -> String {
    let ((source, source_port), (destination, destination_port)) = (from, to);
    let (length, ttl, id) = (random.pick(&[40, 44, 60], 60), random.between(48, 63), random.below(65_536));
    format!(
        "[{}.{:06}] [{prefix}] IN=eth0 OUT= MAC=52:54:00:1a:2b:07:52:54:00:00:00:01:08:00 SRC={source} DST={destination} \
         LEN={length} TOS=0x00 PREC=0x00 TTL={ttl} ID={id} DF PROTO=TCP SPT={source_port} DPT={destination_port} \
         WINDOW=64240 RES=0x00 SYN URGP=0",
        random.between(800_000, 900_000),
        random.below(1_000_000),
    )
}

/// One request to the API server.
#[derive(Clone, Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) verb: &'a str,
    pub(super) user: &'a str,
    pub(super) from: &'a str,
    pub(super) agent: &'a str,
    pub(super) namespace: &'a str,
    pub(super) resource: &'a str,
    pub(super) name: &'a str,
    pub(super) subresource: &'a str,
    pub(super) query: &'a str,
    pub(super) code: u64,
}

/// An audit event of the API server (audit.k8s.io/v1).
pub(super) fn audit(time: Timestamp, request: &ApiRequest<'_>, random: &mut Random) -> String {
    let ApiRequest { verb, user, from, agent, namespace, resource, name, subresource, query, code } =
        *request;
    let members = [
        ("resource", resource),
        ("apiVersion", "v1"),
        ("namespace", namespace),
        ("name", name),
        ("subresource", subresource),
    ];
    let object: serde_json::Map<String, Value> = members
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(member, text)| (member.to_owned(), json!(text)))
        .collect();
    let received = format(time, "%Y-%m-%dT%H:%M:%S.%6fZ");
    let done = format(time.plus_nanos(3_200_000), "%Y-%m-%dT%H:%M:%S.%6fZ");
    let decision = if code == 403 { "forbid" } else { "allow" };
    let groups =
        if user.starts_with("system:serviceaccount:") { "system:serviceaccounts" } else { "system:masters" };
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": random.uuid(),
        "stage": "ResponseComplete", "requestURI": uri(request, query), "verb": verb,
        "user": {"username": user, "groups": [groups, "system:authenticated"]},
        "sourceIPs": [from], "userAgent": agent, "objectRef": object,
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": received, "stageTimestamp": done,
        "annotations": {"authorization.k8s.io/decision": decision},
    })
    .to_string()
}

fn uri(request: &ApiRequest<'_>, query: &str) -> String {
    let mut uri = String::from("/api/v1");
    if !request.namespace.is_empty() {
        uri.push_str(&format!("/namespaces/{}", request.namespace));
    }
    for part in [request.resource, request.name, request.subresource] {
        if !part.is_empty() {
            uri.push_str(&format!("/{part}"));
        }
    }
    if query.is_empty() { uri } else { format!("{uri}?{query}") }
}
