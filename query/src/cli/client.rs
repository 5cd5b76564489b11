//! [`Client`]: talks to one server with one credential.

use std::path::Path;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Identity, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;

use super::Error;
use super::args::ConnectArgs;
use super::problem::Refusal;

const DEFAULT_URL: &str = "http://127.0.0.1:7514";
const URL_VARIABLE: &str = "LOCARD_URL";
const TOKEN_VARIABLE: &str = "LOCARD_TOKEN";

/// How long a connection may take. Answers may take as long as the server lets them.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Talks to one server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Reads the files that are named; connects to nothing yet.
    pub(super) fn new(args: &ConnectArgs) -> Result<Self, Error> {
        let url = args.url.clone().or_else(|| std::env::var(URL_VARIABLE).ok());
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned()).trim_end_matches('/').to_owned();
        let parsed = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.ok_or_else(|| Error::Usage(format!("`{url}` is no http or https URL")))?;
        install_provider();
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        if parsed.host_str().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        let connect = |source| Error::Connect { url: url.clone(), source };
        if let Some(path) = &args.ca_file {
            let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(connect)?;
            builder = builder.tls_certs_only(certificates);
        }
        if let (Some(cert), Some(key)) = (&args.cert_file, &args.key_file) {
            let pem = [read(cert)?, read(key)?].concat();
            builder = builder.identity(Identity::from_pem(&pem).map_err(connect)?);
        }
        let http = builder.build().map_err(connect)?;
        Ok(Self { http, token: token(args.token_file.as_deref())?, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A request with the credential.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends it, and gives the answer if it is a good one.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.text().await.unwrap_or_default();
        Err(Box::new(Refusal::read(status, retry_after, &body)).into())
    }

    /// As [`Client::send`], and reads the answer's JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request).await?;
        let body = response.bytes().await.map_err(|source| self.unreachable(source))?;
        serde_json::from_slice(&body).map_err(|error| self.unreadable(&error))
    }

    /// The answer is not what it should be.
    pub(super) fn unreadable(&self, error: &serde_json::Error) -> Error {
        Error::Answer { url: self.url.clone(), reason: error.to_string() }
    }

    pub(super) fn unreachable(&self, source: reqwest::Error) -> Error {
        Error::Connect { url: self.url.clone(), source: source.without_url() }
    }
}

/// rustls asks for one process-wide choice; whoever comes first makes it, and all make the same.
pub(crate) fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none()
        && rustls::crypto::ring::default_provider().install_default().is_err()
    {
        tracing::debug!("another thread chose the cryptography first");
    }
}

/// A text as it stands in a path or a parameter.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn token(path: Option<&Path>) -> Result<Option<String>, Error> {
    let text = match path {
        Some(path) => Some(String::from_utf8_lossy(&read(path)?).into_owned()),
        None => std::env::var(TOKEN_VARIABLE).ok(),
    };
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}
