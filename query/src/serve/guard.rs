//! Keeps web pages of strangers from using a visitor's browser against this server.
//!
//! Without credentials, being on this machine is the credential, and so is every page open in its browser: a page whose name
//! was re-pointed to 127.0.0.1 (DNS rebinding) is recognised by `Host`, a form or `fetch` of another site by `Origin`.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority as HostPort;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use locard_indexer::Problem;

use super::Authority;

/// Layer: refuses what no honest client sends.
pub(super) async fn guard(State(authority): State<Authority>, request: Request, next: Next) -> Response {
    match refusal(&request, authority.is_open()) {
        Some(detail) => Problem::new(StatusCode::FORBIDDEN, detail).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(request: &Request, open: bool) -> Option<&'static str> {
    let Ok(host) = host(request.uri(), request.headers()) else {
        return Some("the Host header must be there once and name a host");
    };
    if open && !host.as_ref().is_none_or(is_loopback_name) {
        return Some("without credentials this server answers only to localhost and loopback addresses");
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && is_foreign(request.headers(), host.as_ref()) {
        return Some("requests from pages of other origins are refused");
    }
    None
}

/// A `Host` header is known to be unreadable, so that it is never taken for one that is not there.
struct Unreadable;

/// Whom the client means to talk to; nothing if it does not say, as HTTP/1.0 need not.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Option<HostPort>, Unreadable> {
    let mut values = headers.get_all(header::HOST).iter();
    let header = values.next().map(|value| HostPort::try_from(value.as_bytes()).map_err(|_| Unreadable));
    if values.next().is_some() {
        return Err(Unreadable);
    }
    let header = header.transpose()?;
    Ok(uri.authority().cloned().or(header))
}

fn is_loopback_name(host: &HostPort) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    local || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Sent by a browser on behalf of a page that did not come from here.
fn is_foreign(headers: &HeaderMap, host: Option<&HostPort>) -> bool {
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => !origin.as_str().eq_ignore_ascii_case(host.as_str()),
        // `Origin: null`, as of a sandboxed frame, included.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check(method: &str, headers: &[(&str, &str)], open: bool, refused: bool) {
        let mut builder = Request::builder().method(method).uri("/api/search");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::empty()).unwrap();
        assert_eq!(refusal(&request, open).is_some(), refused, "{method} {headers:?}");
    }

    #[test]
    fn an_open_server_answers_to_its_own_names_only() {
        for (host, refused) in [
            ("localhost:7514", false),
            ("127.0.0.1:7514", false),
            ("127.1.2.3", false),
            ("[::1]:7514", false),
            ("locard.localhost", false),
            ("LOCALHOST.", false),
            ("attacker.example:7514", true),
            ("127.0.0.1.attacker.example", true),
            ("localhost.attacker.example", true),
            ("192.0.2.7", true),
        ] {
            check("GET", &[("host", host)], true, refused);
            check("GET", &[("host", host)], false, false);
        }
        check("GET", &[], true, false);
    }

    #[test]
    fn a_host_that_cannot_be_read_is_not_one_that_is_missing() {
        for host in ["a{b.example", "a}b.example", "", " ", "a b", "[::1"] {
            check("GET", &[("host", host)], true, true);
            check("GET", &[("host", host)], false, true);
        }
        check("GET", &[("host", "localhost"), ("host", "attacker.example")], true, true);
        check("GET", &[("host", "localhost"), ("host", "localhost")], true, true);
    }

    #[test]
    fn pages_of_other_origins_change_nothing() {
        let host = ("host", "localhost:7514");
        for open in [true, false] {
            check("POST", &[host], open, false);
            check("POST", &[host, ("origin", "http://localhost:7514")], open, false);
            check("POST", &[host, ("origin", "http://localhost:9999")], open, true);
            check("POST", &[host, ("origin", "https://attacker.example")], open, true);
            check("POST", &[host, ("origin", "null")], open, true);
            check("POST", &[host, ("sec-fetch-site", "cross-site")], open, true);
            check("GET", &[host, ("origin", "https://attacker.example")], open, false);
        }
    }
}
