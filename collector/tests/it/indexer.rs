//! An indexer that remembers what it took, forgets to say so, and refuses, as told.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use locard_event::{Event, Timestamp};
use locard_wire::{BatchId, Encoding};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What it does with the next batch.
#[derive(Clone, Debug)]
pub enum Reply {
    Take,
    /// Takes it and hangs up.
    TakeAndHangUp,
    Status(u16, &'static [(&'static str, &'static str)]),
}

#[derive(Debug, Default)]
struct State {
    batches: HashMap<String, Vec<Event>>,
    events: Vec<Event>,
    replies: VecDeque<Reply>,
    /// Every so many-th batch is not answered, the next one refused for now.
    trouble: u64,
    requests: u64,
    max_events: Option<usize>,
    poison: Option<String>,
    stick: Option<String>,
    stuck: BTreeSet<String>,
    reject: Option<i64>,
    down: bool,
    authorizations: Vec<String>,
}

#[derive(Debug)]
pub struct Indexer {
    url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Indexer {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    pub async fn start_tls(acceptor: TlsAcceptor) -> Self {
        Self::start_with(Some(acceptor)).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let url = match &tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let task = tokio::spawn(serve(listener, tls, Arc::clone(&state)));
        Self { url, state, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Messages in the order of their arrival.
    pub fn lines(&self) -> Vec<String> {
        self.events().iter().map(|event| String::from_utf8_lossy(&event.message).into_owned()).collect()
    }

    pub fn events(&self) -> Vec<Event> {
        self.state.lock().unwrap().events.clone()
    }

    pub fn batches(&self) -> usize {
        self.state.lock().unwrap().batches.len()
    }

    pub fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    pub fn authorizations(&self) -> Vec<String> {
        self.state.lock().unwrap().authorizations.clone()
    }

    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.extend(replies);
    }

    pub fn trouble_every(&self, every: u64) {
        self.state.lock().unwrap().trouble = every;
    }

    pub fn max_events(&self, max: usize) {
        self.state.lock().unwrap().max_events = Some(max);
    }

    pub fn poison(&self, text: &str) {
        self.state.lock().unwrap().poison = Some(text.to_owned());
    }

    /// Batches with this text fail for now.
    pub fn stick(&self, text: Option<&str>) {
        self.state.lock().unwrap().stick = text.map(str::to_owned);
    }

    /// The ids of batches that failed so.
    pub fn stuck(&self) -> BTreeSet<String> {
        self.state.lock().unwrap().stuck.clone()
    }

    /// Says of each batch that it rejected so many of its records.
    pub fn reject(&self, records: i64) {
        self.state.lock().unwrap().reject = Some(records);
    }

    pub fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, state).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, state).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<Mutex<State>>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
    let http = hyper::server::conn::http1::Builder::new();
    // A client that was killed, or was hung up on, is no failure of the test.
    http.serve_connection(TokioIo::new(stream), service).await.unwrap_or_default();
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> io::Result<Response<Full<Bytes>>> {
    assert_eq!(request.uri().path(), "/v1/logs");
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let mut state = state.lock().unwrap();
    match state.take(&headers, &body) {
        Reply::Take => Ok(Response::new(Full::new(state.answer()))),
        Reply::TakeAndHangUp => Err(io::Error::other("hung up")),
        Reply::Status(status, headers) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Ok(response.body(Full::default()).unwrap())
        }
    }
}

const PROBLEM: &[(&str, &str)] = &[("content-type", "application/problem+json")];

/// Events without the time they were read at, which stands in for a time that nobody said.
fn undated(events: &[Event]) -> Vec<Event> {
    let undate = |mut event: Event| {
        if event.fields.remove("event.created").is_some() {
            event.time = Timestamp::from_nanos(0);
        }
        event
    };
    events.iter().cloned().map(undate).collect()
}

impl State {
    /// `ExportLogsServiceResponse { partial_success { rejected_log_records, error_message: "no" } }`, or nothing.
    fn answer(&self) -> Bytes {
        let Some(rejected) = self.reject else { return Bytes::new() };
        let rejected = u8::try_from(rejected).unwrap();
        Bytes::from(vec![0x0a, 6, 0x08, rejected, 0x12, 2, b'n', b'o'])
    }

    fn take(&mut self, headers: &HeaderMap, body: &[u8]) -> Reply {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        self.requests += 1;
        self.authorizations.extend(header("authorization"));
        let mut reply = self.replies.pop_front().unwrap_or(Reply::Take);
        if self.down || (self.trouble > 0 && self.requests % self.trouble == 1) {
            reply = Reply::Status(503, &[]);
        } else if self.trouble > 0 && self.requests.is_multiple_of(self.trouble) {
            reply = Reply::TakeAndHangUp;
        }
        if let Reply::Status(..) = reply {
            return reply;
        }
        let encoding = Encoding::parse(&header("content-encoding").unwrap_or_default()).unwrap();
        let plain = locard_wire::decompress(body, encoding, 64 << 20).unwrap();
        let events = locard_wire::decode(&plain, Timestamp::from_seconds(1), 1000).unwrap();
        let holds = |text: &Option<String>| {
            text.as_ref().is_some_and(|text| {
                let has =
                    |event: &Event| event.message.windows(text.len()).any(|part| part == text.as_bytes());
                events.iter().any(has)
            })
        };
        let id = header(locard_wire::BATCH_HEADER).unwrap();
        if self.max_events.is_some_and(|max| events.len() > max) {
            return Reply::Status(413, &[]);
        }
        if holds(&self.stick) {
            self.stuck.insert(id);
            return Reply::Status(500, &[]);
        }
        if holds(&self.poison) {
            return Reply::Status(400, PROBLEM);
        }
        let _: BatchId = id.parse().unwrap();
        match self.batches.get(&id) {
            Some(first) => {
                assert_eq!(undated(first), undated(&events), "the same id with other events: {id}");
            }
            None => {
                self.events.extend(events.iter().cloned());
                self.batches.insert(id, events);
            }
        }
        reply
    }
}
