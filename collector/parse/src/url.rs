//! A request's target, taken apart into ECS `url.*`.
//!
//! Nothing is decoded: what the client sent is the evidence.

use crate::facts::Facts;

/// Adds `url.original`, and path, query and domain as far as it has them.
pub(crate) fn add(target: &str, facts: &mut Facts<'_>) {
    facts.set_text("url.original", target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let (domain, _) = rest.split_once('/').unwrap_or((rest, ""));
            facts.set_text("url.domain", domain);
            rest.get(domain.len()..).unwrap_or_default()
        }
        _ => path,
    };
    if path.starts_with('/') {
        facts.set_text("url.path", path);
    }
    facts.set_text("url.query", query);
}

/// Adds what a request line says: `GET /path?query HTTP/1.1`. One that is broken is kept whole as `url.original`.
pub(crate) fn add_request(request: &str, facts: &mut Facts<'_>) {
    let (target, version) = match request.rsplit_once(" HTTP/") {
        Some((target, version)) => (target, version),
        None => (request, ""),
    };
    match target.split_once(' ') {
        Some((method, target)) if is_method(method) => {
            facts.set_text("http.request.method", method);
            facts.set_text("http.version", version);
            add(target, facts);
        }
        _ => facts.set_text("url.original", request),
    }
}

fn is_method(word: &str) -> bool {
    (1..=32).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
}
