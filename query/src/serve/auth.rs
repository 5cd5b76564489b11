//! Credentials to [`Principal`]s.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, Uri, header};
use locard_event::Timestamp;
use locard_indexer::{Principal, Problem};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use subtle::ConstantTimeEq;

use super::{Peer, expiry};
use crate::config::{Token, hash_token};

/// Who is let in as whom.
#[derive(Clone, Debug)]
pub struct Authority {
    tokens: Arc<[Token]>,
}

/// What a request's credential is worth.
enum Verdict {
    /// It stands for somebody, for ever or until then.
    Known(Principal, Option<Timestamp>),
    /// There is none, and one is needed.
    Missing,
    /// It is wrong or has expired.
    Refused,
}

impl Authority {
    /// Knows these tokens. None: anybody on this machine is [`Principal::loopback`].
    pub fn new(tokens: Vec<Token>) -> Self {
        Self { tokens: tokens.into() }
    }

    /// Whether no credential is asked for.
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    fn judge(&self, uri: &Uri, headers: &HeaderMap, peer: Option<Peer>, now: Timestamp) -> Verdict {
        if self.is_open() {
            let local = peer.is_some_and(|Peer(address)| address.ip().to_canonical().is_loopback());
            return if local { Verdict::Known(Principal::loopback(), None) } else { Verdict::Missing };
        }
        let said = headers.get(header::AUTHORIZATION).map(|value| value.to_str().ok().and_then(secret));
        let Some(secret) = said.or_else(|| in_query(uri).map(Some)) else { return Verdict::Missing };
        let token = secret.and_then(|secret| self.find(&secret, now));
        token.map_or(Verdict::Refused, |token| Verdict::Known(token.principal.clone(), token.expires))
    }

    /// Looks at every token, so that the time taken tells nothing about which one matched or nearly did.
    fn find(&self, secret: &str, now: Timestamp) -> Option<&Token> {
        let sha256 = hash_token(secret);
        let mut found = None;
        for token in self.tokens.iter() {
            if bool::from(token.sha256.ct_eq(&sha256)) {
                found = Some(token);
            }
        }
        let valid = |token: &&Token| token.expires.is_none_or(|expires| now < expires);
        found.filter(valid)
    }
}

/// The token in `Bearer TOKEN`, `Splunk TOKEN`, `ApiKey TOKEN`, or as the password of `Basic`, which is all that some shippers speak.
fn secret(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "splunk" | "apikey" => Some(rest.to_owned()),
        "basic" => {
            let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
            pair.split_once(':').map(|(_, password)| password.to_owned())
        }
        _ => None,
    }
}

/// Splunk's collector takes the token as a parameter too. Nothing else does: addresses end up in other people's logs.
fn in_query(uri: &Uri) -> Option<String> {
    let pairs = uri.query().filter(|_| is_hec(uri))?.split('&');
    let text = pairs.filter_map(|pair| pair.strip_prefix("token=")).next()?;
    Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

fn is_hec(uri: &Uri) -> bool {
    uri.path()
        .strip_prefix("/services/collector")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Layer: puts the principal into the request, or answers 401. The answer does not outlive the token.
pub(super) async fn authenticate(
    State(authority): State<Authority>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match authority.judge(request.uri(), request.headers(), peer, crate::now()) {
        Verdict::Known(principal, expires) => {
            let name = Arc::clone(&principal.name);
            request.extensions_mut().insert(principal);
            let mut response = next.run(request).await;
            response.extensions_mut().insert(super::trace::Who(name));
            match expires {
                Some(expires) => expiry::until(expires, crate::now(), response),
                None => response,
            }
        }
        Verdict::Missing if is_hec(request.uri()) => {
            refuse_hec(StatusCode::UNAUTHORIZED, 2, "Token is required")
        }
        Verdict::Refused if is_hec(request.uri()) => refuse_hec(StatusCode::FORBIDDEN, 4, "Invalid token"),
        Verdict::Missing => refuse("a token is needed: send `Authorization: Bearer TOKEN`"),
        Verdict::Refused => refuse("this token is not known here, or it has expired"),
    }
}

/// In the words of Splunk's collector, which its clients go by.
fn refuse_hec(status: StatusCode, code: u8, text: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "text": text, "code": code }))).into_response()
}

fn refuse(detail: &str) -> Response {
    Problem::new(StatusCode::UNAUTHORIZED, detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: &str, expires: Option<i64>) -> Token {
        let principal = Principal { name: secret.into(), ..Principal::loopback() };
        Token { sha256: hash_token(secret), principal, expires: expires.map(Timestamp::from_seconds) }
    }

    #[track_caller]
    fn check(authorization: Option<&str>, expected: Result<&str, u16>) {
        let authority = Authority::new(vec![token("alpha", None), token("brief", Some(100))]);
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        let peer = Some(Peer("127.0.0.1:9".parse().unwrap()));
        let got = match authority.judge(
            &Uri::from_static("/v1/logs?token=alpha"),
            &headers,
            peer,
            Timestamp::from_seconds(99),
        ) {
            Verdict::Known(principal, _) => Ok(principal.name.to_string()),
            Verdict::Missing => Err(0),
            Verdict::Refused => Err(1),
        };
        assert_eq!(got.as_deref().map_err(|code| *code), expected, "{authorization:?}");
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        check(Some("Bearer alpha"), Ok("alpha"));
        check(Some("bearer  alpha"), Ok("alpha"));
        check(Some("Splunk brief"), Ok("brief"));
        // anybody:alpha
        check(Some("Basic YW55Ym9keTphbHBoYQ=="), Ok("alpha"));
        check(Some("Bearer alphabet"), Err(1));
        check(Some("Bearer "), Err(1));
        check(Some("alpha"), Err(1));
        check(None, Err(0));
    }

    #[test]
    fn only_the_collector_of_splunk_takes_a_token_as_a_parameter() {
        let authority = Authority::new(vec![token("al pha", None)]);
        for (uri, known) in [
            ("/services/collector?token=al%20pha", Some(true)),
            ("/services/collector/raw?a=b&token=al%20pha", Some(true)),
            ("/services/collector/raw?token=beta", Some(false)),
            ("/services/collector?tokens=al%20pha", None),
            ("/services/collectors?token=al%20pha", None),
            ("/api/search?token=al%20pha", None),
        ] {
            let verdict = authority.judge(&uri.parse().unwrap(), &HeaderMap::new(), None, crate::now());
            let got = match verdict {
                Verdict::Known(..) => Some(true),
                Verdict::Refused => Some(false),
                Verdict::Missing => None,
            };
            assert_eq!(got, known, "{uri}");
        }
    }

    #[test]
    fn a_token_is_refused_from_its_expiry_on() {
        let authority = Authority::new(vec![token("brief", Some(100))]);
        assert!(authority.find("brief", Timestamp::from_seconds(99)).is_some());
        assert!(authority.find("brief", Timestamp::from_seconds(100)).is_none());
    }

    #[test]
    fn without_tokens_only_this_machine_is_let_in() {
        let authority = Authority::new(Vec::new());
        for (peer, known) in
            [("127.0.0.1:9", true), ("[::1]:9", true), ("[::ffff:127.0.0.1]:9", true), ("192.0.2.1:9", false)]
        {
            let peer_address = Some(Peer(peer.parse().unwrap()));
            let verdict = authority.judge(&Uri::default(), &HeaderMap::new(), peer_address, crate::now());
            assert_eq!(matches!(verdict, Verdict::Known(..)), known, "{peer}");
        }
        let nobody = authority.judge(&Uri::default(), &HeaderMap::new(), None, crate::now());
        assert!(matches!(nobody, Verdict::Missing));
    }
}
