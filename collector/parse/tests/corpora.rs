//! Lines of other projects' test data, against what these projects expect of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    reason = "a test states data and may panic"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{corpus, read, text};
use locard_event::Fields;
use serde_json::Value as Json;

/// fail2ban's own tests take this as "now" for times without a year.
const FAIL2BAN_NOW: &str = "2005-08-14T12:00:00Z";

/// Files of fail2ban whose programs are read here, and the dataset their lines would have.
const FAIL2BAN: [(&str, &str); 9] = [
    ("sshd", "syslog"),
    ("sshd-journal", "syslog"),
    ("dropbear", "syslog"),
    ("pam-generic", "syslog"),
    ("apache-auth", "file"),
    ("apache-noscript", "file"),
    ("nginx-http-auth", "file"),
    ("nginx-forbidden", "file"),
    ("nginx-botsearch", "syslog"),
];

#[test]
fn fail2ban_names_the_same_host_and_time() {
    let Some(folder) = corpus("auth-fail2ban/fail2ban") else { return };
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (file, dataset) in FAIL2BAN {
        let Ok(lines) = fs::read_to_string(folder.join(file)) else { continue };
        for (expected, line) in expectations(&lines) {
            let event = read(dataset, line, FAIL2BAN_NOW);
            checked += 1;
            let said = format!("{}{}", text(&event, "source.ip"), text(&event, "source.address"));
            let host = &expected["host"];
            if expected["match"] == true && host.is_string() && said != host.as_str().unwrap_or_default() {
                wrong.push(format!("{file}: host {} is not {said:?}: {line}", expected["host"]));
            }
            // A time with an offset is expected as the clock said it, any other as UTC.
            let shift = if line.contains(" +0100]") { 3_600_000_000_000 } else { 0 };
            let time = event.time.plus_nanos(shift).to_string();
            if expected["time"].as_str().is_some_and(|said| !time.starts_with(said)) {
                wrong.push(format!("{file}: time {} is not {time}: {line}", expected["time"]));
            }
        }
    }
    assert!(checked > 90, "{checked} lines");
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Pairs of `# failJSON: {…}` and the line behind it.
fn expectations(lines: &str) -> Vec<(Json, &str)> {
    let mut pairs = Vec::new();
    let mut expected = None;
    for line in lines.lines() {
        if let Some(json) = line.strip_prefix("# failJSON:") {
            expected = serde_json::from_str::<Json>(json).ok();
        } else if !line.starts_with('#')
            && let Some(expected) = expected.take()
        {
            pairs.push((expected, line));
        }
    }
    pairs
}

/// Our names for the keys of crowdsecurity's assertions. A key that is not here says something that is not read from a line here.
const HUB_KEYS: [(&str, &str); 19] = [
    ("source_ip", "source.ip"),
    ("clientip", "source.ip"),
    ("remote_addr", "source.ip"),
    ("machine", "host.name"),
    ("pid", "process.pid"),
    ("tid", "process.thread.id"),
    ("loglevel", "log.level"),
    ("verb", "http.request.method"),
    ("http_verb", "http.request.method"),
    ("request", "url.original"),
    ("status", "http.response.status_code"),
    ("http_status", "http.response.status_code"),
    ("http_version", "http.version"),
    ("httpversion", "http.version"),
    ("http_user_agent", "user_agent.original"),
    ("target_fqdn", "url.domain"),
    ("module", "apache.error.module"),
    ("src_ip", "source.ip"),
    ("dst_ip", "destination.ip"),
];

/// Cases whose format is one of ours.
const HUB_CASES: [(&str, &str, &str); 8] = [
    ("web/hub/apache2-logs", "apache2-logs.log", "file"),
    ("web/hub/apache2-malformed", "apache2-logs.log", "file"),
    ("web/hub/pfsense-rfc5424-nginx", "pfsense-rfc5424-nginx.log", "syslog"),
    ("web/hub/traefik_clf", "traefik_clf.log", "file"),
    ("web/hub/nginx-logs", "nginx-logs.log", "file"),
    ("syslog/hub/iptables-logs", "iptables-logs.log", "syslog"),
    ("syslog/hub/sshd-logs", "sshd-logs.log", "syslog"),
    ("syslog/hub/asterisk-syslogs", "asterisk-logs.log", "syslog"),
];

/// Assertions that say something else than our field, and why.
const HUB_EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("traefik_clf", "request", "without the query, which url.original keeps"),
    ("asterisk-syslogs", "source_ip", "from Asterisk's own format; only its header is read here"),
];

#[test]
fn crowdsecurity_names_the_same_values() {
    let Some(corpora) = corpus("") else { return };
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for (case, log, dataset) in HUB_CASES {
        let folder = corpora.join(case);
        let Ok(lines) = fs::read_to_string(folder.join(log)) else { continue };
        for parsed in hub_assertions(&fs::read_to_string(folder.join("parser.assert")).unwrap()).values() {
            let message = parsed.get("message").map_or("", String::as_str).trim();
            let Some(line) = lines.lines().find(|line| line.contains(message) && !message.is_empty()) else {
                continue;
            };
            let event = read(dataset, line, "2026-11-24T00:00:00Z");
            for (key, expected) in parsed {
                let excepted = |(of, name, _): &(&str, &str, &str)| case.ends_with(of) && name == key;
                let Some((_, ours)) = HUB_KEYS.iter().find(|(theirs, _)| theirs == key) else { continue };
                if HUB_EXCEPTIONS.iter().any(excepted) {
                    continue;
                }
                checked += 1;
                let actual = text(&event, ours);
                // What a format calls `-` is absent with us.
                if actual != expected.trim_start_matches('-') {
                    wrong.push(format!("{case} {key}: {ours} is {actual:?}, not {expected:?}: {line}"));
                }
            }
        }
    }
    assert!(checked > 300, "{checked} assertions were found");
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What each stage expects of each of its lines: the assertions before `.Evt`, and the values by key.
fn hub_assertions(asserts: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (place, key, value) in asserts.lines().filter_map(hub_assertion) {
        all.entry(place.to_owned()).or_default().insert(key.to_owned(), value);
    }
    all
}

/// `results["s00"]["parser"][0].Evt.Parsed["key"] == "value"`, also of `Evt.Meta`.
fn hub_assertion(line: &str) -> Option<(&str, &str, String)> {
    let (place, value) = line.split_once("\"] == \"")?;
    let (place, key) = place.rsplit_once("[\"")?;
    let place = place.strip_suffix(".Evt.Parsed").or_else(|| place.strip_suffix(".Evt.Meta"))?;
    let value = value.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\");
    Some((place, key, value))
}

/// One audit event, its line breaks taken out if it was printed over several lines.
fn audit_lines(text: &str) -> Vec<String> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<Json>()
        .map(|event| event.unwrap().to_string())
        .collect()
}

/// Every field that ECS has a word for, read straight from the object.
fn check_audit(line: &str) {
    let object: Json = serde_json::from_str(line).unwrap();
    let event = read("k8s.audit", line, "2026-11-24T00:00:00Z");
    for (pointer, name) in [
        ("/user/username", "user.name"),
        ("/verb", "event.action"),
        ("/auditID", "event.id"),
        ("/requestURI", "url.original"),
        ("/userAgent", "user_agent.original"),
        ("/objectRef/namespace", "orchestrator.namespace"),
        ("/objectRef/resource", "orchestrator.resource.type"),
        ("/objectRef/name", "orchestrator.resource.name"),
        ("/impersonatedUser/username", "user.effective.name"),
    ] {
        let expected = object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        assert_eq!(text(&event, name), expected, "{name}: {line}");
    }
    let code = object.pointer("/responseStatus/code").and_then(Json::as_i64);
    assert_eq!(event.fields.get("http.response.status_code"), code.map(Into::into).as_ref(), "{line}");
    if let Some(code) = code {
        assert_eq!(text(&event, "event.outcome"), if code < 400 { "success" } else { "failure" });
    }
    let sources = event.fields.get("source.ip").map(|ips| ips.elements().len()).unwrap_or_default();
    assert_eq!(sources, object.pointer("/sourceIPs").and_then(Json::as_array).map_or(0, Vec::len), "{line}");
    let times = ["requestReceivedTimestamp", "stageTimestamp", "timestamp"];
    if let Some(said) = times.iter().find_map(|name| object.get(name)?.as_str()) {
        // Some exporters write a space and no zone.
        let said = if said.ends_with('Z') { said.to_owned() } else { format!("{said}Z") };
        assert_eq!(event.time, common::time(&said), "{line}");
    }
    assert_eq!(text(&event, "error.message"), "", "{line}");
}

#[test]
fn audit_events_of_five_projects() {
    let Some(folder) = corpus("k8s-audit") else { return };
    let mut checked = 0;
    for file in walk(&folder) {
        let path = file.to_string_lossy();
        let is_events = ["/falco/", "raw_audit_", "/apiaudit/", "demo.log", "/hub/"]
            .iter()
            .any(|part| path.contains(part));
        if !is_events || path.ends_with(".assert") {
            continue;
        }
        for line in audit_lines(&fs::read_to_string(&file).unwrap()) {
            check_audit(&line);
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} events");
}

#[test]
fn audit_events_of_detection_rules() {
    let Some(folder) = corpus("k8s-audit/panther-analysis") else { return };
    let mut checked = 0;
    for file in walk(&folder) {
        for line in fs::read_to_string(file).unwrap().lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let log = &case["log"];
            if log["kind"] == "Event"
                && log["apiVersion"].as_str().is_some_and(|version| version.starts_with("audit.k8s.io/"))
            {
                check_audit(&log.to_string());
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked} events");
}

/// OpenShift forwards the line as it was, beside the time it took from it.
#[test]
fn audit_events_as_openshift_forwards_them() {
    let Some(folder) = corpus("k8s-audit/cluster-logging-operator/hack/logsamples") else { return };
    let mut checked = 0;
    for name in ["otlp_audit_kube.json", "otlp_audit_openshift.json"] {
        let otlp: Json = serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        for record in otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap() {
            check_audit(record["body"]["stringValue"].as_str().unwrap());
            checked += 1;
        }
    }
    assert!(checked >= 2, "{checked} records");
}

/// Node and container lines in klog's format, against the level and the time that OpenShift took for them.
#[test]
fn klog_lines_as_openshift_forwards_them() {
    let Some(folder) = corpus("k8s-audit/cluster-logging-operator/hack/logsamples") else { return };
    let mut checked = 0;
    for (name, dataset) in [("otlp_container.json", "container"), ("otlp_journal.json", "journald")] {
        let otlp: Json = serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        for record in otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap() {
            let line = record["body"]["stringValue"].as_str().unwrap();
            if !line.contains(".go:") || !line.starts_with('I') {
                continue;
            }
            let written = common::time(record["timeUnixNano"].as_str().unwrap());
            let event = common::event(dataset, Fields::new(), line.as_bytes(), written, false);
            assert_eq!(text(&event, "log.level"), "info", "{line}");
            assert!((event.time.nanos() - written.nanos()).abs() < 1_000_000_000, "{}: {line}", event.time);
            checked += 1;
        }
    }
    assert!(checked >= 3, "{checked} lines");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path.file_name().is_some_and(|name| name != "NOTICE") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// No line of any corpus is lost, changed or called broken where it is not JSON.
#[test]
fn every_line_of_every_corpus_stays_a_line() {
    let Some(folder) = corpus("") else { return };
    let received = common::time("2026-11-24T00:00:00Z");
    let mut lines = 0;
    for file in walk(&folder) {
        let bytes = fs::read(&file).unwrap();
        for line in bytes.split(|byte| *byte == b'\n').take(2_000) {
            for dataset in ["container", "file"] {
                let event = common::event(dataset, Fields::new(), line, received, false);
                let broken = text(&event, "error.message");
                let json_like = line.trim_ascii_start().starts_with(b"{");
                assert!(broken.is_empty() || json_like, "{broken}: {}", String::from_utf8_lossy(line));
            }
            lines += 1;
        }
    }
    assert!(lines > 10_000, "{lines} lines");
}
