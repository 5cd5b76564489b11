//! [`Shipper`]: batches to an indexer over HTTP, until one answers. Failover between URLs, backoff with jitter, tokens, TLS.
//!
//! Does not know files. Never gives up on a batch: the log files are the buffer, so waiting costs nothing. But it does not keep one in
//! memory for ever either, where it would take the place of those that can be shipped: see [`Answer::Stuck`].

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use locard_wire::Partial;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Response, StatusCode};

use crate::batch::Batch;
use crate::metrics::{Metrics, count};
use crate::settings::{Destination, Limits};

/// First pause between two tries; it doubles up to `retry_max`.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// An indexer's `Retry-After` is believed up to this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// So much of an answer is read: it says what was rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Why no client can be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Certificates or keys are malformed.
    #[error("the certificates or the key of the indexer cannot be used")]
    Tls(#[source] reqwest::Error),
}

/// How a batch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Durable and searchable at the indexer, but for what it rejected.
    Acked(Partial),
    /// The indexer will never take this batch as it is: too large, or malformed.
    Refused(String),
    /// No indexer took it so far. It should be made anew and sent again, under the same id, after this time.
    Stuck(Duration),
}

/// Sends batches. Shared by all sources.
#[derive(Debug)]
pub(crate) struct Shipper {
    clients: Clients,
    urls: Vec<String>,
    /// Which URL is tried first.
    current: AtomicUsize,
    token: Option<Token>,
    retry_max: Duration,
    metrics: Metrics,
}

/// Why a try failed, and what the next one waits for.
#[derive(Debug)]
struct Failure {
    reason: &'static str,
    what: String,
    retry_after: Option<Duration>,
}

impl Shipper {
    /// Reads certificates and keys.
    ///
    /// # Errors
    /// See [`ShipError`].
    pub(crate) fn new(to: &Destination, limits: &Limits, metrics: Metrics) -> Result<Self, ShipError> {
        Ok(Self {
            clients: Clients::new(to.clone(), limits.request_timeout)?,
            urls: to.urls.iter().map(|url| format!("{url}/v1/logs")).collect(),
            current: AtomicUsize::new(0),
            token: to.token_file.clone().map(Token::new),
            retry_max: limits.retry_max,
            metrics,
        })
    }

    /// Tries until an indexer takes the batch or says that it never will, for `patience` at most: then it is stuck. Every URL is tried
    /// at least once. Pauses only when every URL failed or asked to be left alone.
    pub(crate) async fn send(&self, batch: &Batch, patience: Duration) -> Answer {
        let (mut pause, started) = (RETRY_MIN, Instant::now());
        let mut round = Round::new(self.urls.len());
        loop {
            let now = Instant::now();
            let Some(index) = round.next(self.current.load(Ordering::Relaxed), now) else {
                let wait = round.wait(now).max(jittered(pause));
                if started.elapsed() + wait > patience {
                    let wait = round.wait(now).max(jittered(self.retry_max));
                    return Answer::Stuck(wait);
                }
                tokio::time::sleep(wait).await;
                pause = (pause * 2).min(self.retry_max);
                round.begin();
                continue;
            };
            let failure = match self.try_once(index, batch).await {
                Ok(answer) => return answer,
                Err(failure) => failure,
            };
            self.failed(index, batch, &failure, pause);
            round.failed(index, failure.retry_after, Instant::now());
        }
    }

    fn failed(&self, index: usize, batch: &Batch, failure: &Failure, pause: Duration) {
        count(&self.metrics.retries, failure.reason, 1);
        // Not each of many batches moves on: only the one that saw this URL fail first.
        let next = (index + 1) % self.urls.len().max(1);
        self.current.compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_default();
        let Failure { reason, what, retry_after } = failure;
        match pause == RETRY_MIN || pause == self.retry_max {
            true => {
                tracing::warn!(batch = %batch.id, reason, what, ?retry_after, "not shipped, trying again")
            }
            false => {
                tracing::debug!(batch = %batch.id, reason, what, ?retry_after, "not shipped, trying again")
            }
        }
    }

    async fn try_once(&self, index: usize, batch: &Batch) -> Result<Answer, Failure> {
        let url = self.urls.get(index).or(self.urls.first()).map_or("", String::as_str);
        let mut request = self
            .clients
            .get()
            .post(url)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "zstd")
            .header(locard_wire::BATCH_HEADER, batch.id.to_string())
            .body(batch.body.clone());
        if let Some(token) = &self.token {
            let header =
                token.header().map_err(|what| Failure { reason: "auth", what, retry_after: None })?;
            request = request.header(AUTHORIZATION, header);
        }
        let response = request.send().await.map_err(|error| Failure {
            reason: if error.is_timeout() { "timeout" } else { "connect" },
            what: causes(&error),
            retry_after: None,
        })?;
        answer(response).await
    }
}

/// Which URLs one batch was tried at since the last pause, and which asked to be left alone for longer.
#[derive(Debug)]
struct Round {
    urls: Vec<Tried>,
}

#[derive(Clone, Debug, Default)]
struct Tried {
    failed: bool,
    not_before: Option<Instant>,
}

impl Round {
    fn new(urls: usize) -> Self {
        Self { urls: vec![Tried::default(); urls.max(1)] }
    }

    /// The next to be tried, from `current` on. `None`: it is time for a pause.
    fn next(&self, current: usize, now: Instant) -> Option<usize> {
        let rotated = (0..self.urls.len()).map(|step| (current + step) % self.urls.len());
        rotated.into_iter().find(|index| {
            self.urls.get(*index).is_some_and(|tried| {
                !tried.failed && tried.not_before.is_none_or(|not_before| not_before <= now)
            })
        })
    }

    fn failed(&mut self, index: usize, retry_after: Option<Duration>, now: Instant) {
        if let Some(tried) = self.urls.get_mut(index) {
            *tried = Tried { failed: true, not_before: retry_after.map(|after| now + after) };
        }
    }

    /// Until the first of them may be tried again.
    fn wait(&self, now: Instant) -> Duration {
        let waits = self.urls.iter().map(|tried| {
            tried.not_before.map_or(Duration::ZERO, |not_before| not_before.saturating_duration_since(now))
        });
        waits.min().unwrap_or_default()
    }

    fn begin(&mut self) {
        for tried in &mut self.urls {
            tried.failed = false;
        }
    }
}

async fn answer(response: Response) -> Result<Answer, Failure> {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(retry_after);
    // A proxy or a wrong URL may answer 400 to anything; only the indexer's own refusal is believed.
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if status.is_success() {
        return Ok(Answer::Acked(partial(response).await));
    }
    let text = text_of(response).await;
    let what = format!("{status} {text}");
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => return Ok(Answer::Refused(what)),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if is_problem => {
            return Ok(Answer::Refused(what));
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "auth",
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::INSUFFICIENT_STORAGE => "busy",
        _ if status.is_server_error() => "server",
        _ => "other",
    };
    Err(Failure { reason, what, retry_after })
}

/// What the answer to a batch says was rejected. One that is cut short or too long says nothing: the batch is taken all the same.
async fn partial(mut response: Response) -> Partial {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    locard_wire::decode_answer(&body)
}

/// The first bytes of an error's body, for the log.
async fn text_of(mut response: Response) -> String {
    match response.chunk().await {
        Ok(Some(chunk)) => {
            String::from_utf8_lossy(chunk.get(..300).unwrap_or(&chunk)).escape_debug().to_string()
        }
        _ => String::new(),
    }
}

fn retry_after(header: &HeaderValue) -> Option<Duration> {
    let seconds: u64 = header.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// Between half and all of the pause, so that many collectors do not come back at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The client for the certificates and the key as they are now: those who hand them out replace the files.
struct Clients {
    to: Destination,
    timeout: Duration,
    made: Mutex<Made>,
}

struct Made {
    client: Client,
    /// When the files were written that were looked at last, whether or not a client could be made of them.
    written: Written,
}

type Written = [Option<SystemTime>; 3];

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("to", &self.to).finish_non_exhaustive()
    }
}

impl Clients {
    fn new(to: Destination, timeout: Duration) -> Result<Self, ShipError> {
        // Before they are read: what is written meanwhile is read again.
        let written = written(&to);
        let made = Mutex::new(Made { client: client(&to, timeout)?, written });
        Ok(Self { to, timeout, made })
    }

    /// Makes a new one when a file was written. Where that fails, perhaps because the key has not followed its certificate yet, the
    /// old one stays until the next change.
    fn get(&self) -> Client {
        let written = written(&self.to);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.written != written {
            made.written = written;
            match client(&self.to, self.timeout) {
                Ok(client) => {
                    tracing::info!("the certificates or the key of the indexer have changed");
                    made.client = client;
                }
                Err(error) => {
                    tracing::error!(error = causes(&error), "the changed certificates or key are not used")
                }
            }
        }
        made.client.clone()
    }
}

/// Of a file that is not there: nothing.
fn written(to: &Destination) -> Written {
    [&to.ca_file, &to.cert_file, &to.key_file]
        .map(|path| std::fs::metadata(path.as_ref()?).and_then(|metadata| metadata.modified()).ok())
}

fn client(to: &Destination, timeout: Duration) -> Result<Client, ShipError> {
    // A second installation fails because there is one already, which is just as well.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    let mut builder = Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        // The environment of a daemon must not send logs and the token elsewhere.
        .no_proxy()
        .user_agent(concat!("locard-collector/", env!("CARGO_PKG_VERSION")));
    let https = to.urls.iter().any(|url| url.starts_with("https"));
    if let Some(path) = &to.ca_file {
        let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(ShipError::Tls)?;
        builder = builder.tls_certs_only(certificates);
    } else if !https {
        // Loads no system certificates, which a minimal image does not have.
        builder = builder.tls_certs_only([]);
    }
    if let (Some(certificate), Some(key)) = (&to.cert_file, &to.key_file) {
        let pem = [read(key)?, b"\n".to_vec(), read(certificate)?].concat();
        builder = builder.identity(Identity::from_pem(&pem).map_err(ShipError::Tls)?);
    }
    builder.build().map_err(ShipError::Tls)
}

fn read(path: &Path) -> Result<Vec<u8>, ShipError> {
    std::fs::read(path).map_err(|source| ShipError::Read { path: path.to_owned(), source })
}

/// A bearer token in a file, read again when the file changes, as mounted secrets do.
struct Token {
    path: PathBuf,
    cached: Mutex<Option<(SystemTime, HeaderValue)>>,
}

/// Never shows the token.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Token {
    fn new(path: PathBuf) -> Self {
        Self { path, cached: Mutex::new(None) }
    }

    fn header(&self) -> Result<HeaderValue, String> {
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", self.path.display());
        let modified =
            std::fs::metadata(&self.path).and_then(|metadata| metadata.modified()).map_err(failed)?;
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, header)) = cached.as_ref().filter(|(when, _)| *when == modified) {
            return Ok(header.clone());
        }
        let text = std::fs::read_to_string(&self.path).map_err(failed)?;
        let mut header = HeaderValue::from_str(&format!("Bearer {}", text.trim()))
            .map_err(|_| format!("{} holds no token", self.path.display()))?;
        header.set_sensitive(true);
        *cached = Some((modified, header.clone()));
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_asks_to_be_left_alone_does_not_hold_up_the_others() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let mut round = Round::new(2);
        assert_eq!(round.next(0, now), Some(0));
        round.failed(0, Some(minute), now);
        assert_eq!(round.next(1, now), Some(1));
        round.failed(1, None, now);
        assert_eq!((round.next(0, now), round.wait(now)), (None, Duration::ZERO));
        round.begin();
        assert_eq!(round.next(0, now), Some(1));
        round.failed(1, Some(minute * 2), now);
        assert_eq!((round.next(0, now), round.wait(now)), (None, minute));
        round.begin();
        assert_eq!(round.next(1, now + minute), Some(0));
    }
}
