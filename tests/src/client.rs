//! What a user sends over HTTP, and the answers as JSON.

use anyhow::Context as _;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// One HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("{} {}", self.status, self.text))
    }
}

/// An HTTP client for one server, with its credential.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// A client without TLS or credential.
    pub fn plain() -> Self {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        Self::with(reqwest::Client::builder())
    }

    /// A client with its own TLS set-up.
    pub fn with(builder: reqwest::ClientBuilder) -> Self {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        Self { http: builder.build().unwrap_or_default(), url: String::new(), token: None }
    }

    /// The same client for the server at `url`.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// GET, whatever the status.
    ///
    /// # Errors
    /// No answer came.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        answer(self.request(reqwest::Method::GET, path)).await
    }

    /// GET, only the status.
    ///
    /// # Errors
    /// No answer came.
    pub async fn get_status(&self, path: &str) -> anyhow::Result<u16> {
        Ok(self.get(path).await?.status)
    }

    /// POST with headers, whatever the status.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.request(reqwest::Method::POST, path).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Sends NDJSON and requires a 2xx answer.
    ///
    /// # Errors
    /// It was not accepted.
    pub async fn ingest(&self, query: &str, body: impl Into<reqwest::Body>) -> anyhow::Result<Value> {
        let answer = self.post(&format!("/ingest/ndjson?{query}"), &[], body).await?;
        anyhow::ensure!(answer.status == 200, "ingest answers {}: {}", answer.status, answer.text);
        answer.json()
    }

    /// Searches with a JSON POST and requires a 200 answer.
    ///
    /// # Errors
    /// It was refused.
    pub async fn search(&self, request: Value) -> anyhow::Result<Value> {
        let headers = [("content-type", "application/json")];
        let answer = self.post("/api/search", &headers, request.to_string()).await?;
        anyhow::ensure!(answer.status == 200, "search {request} answers {}: {}", answer.status, answer.text);
        answer.json()
    }

    /// Every event that matches `q`, by following the cursor; checks that each page is complete and exact.
    ///
    /// # Errors
    /// A page was refused, or not labelled complete.
    pub async fn search_all(&self, q: &str) -> anyhow::Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let mut request = serde_json::json!({"q": q, "limit": 1000});
            if let (Some(map), Value::String(text)) = (request.as_object_mut(), &cursor) {
                map.insert("cursor".into(), Value::String(text.clone()));
            }
            let mut page = self.search(request).await?;
            anyhow::ensure!(page.get("complete") == Some(&Value::Bool(true)), "an incomplete page: {page}");
            let Some(Value::Array(found)) = page.get_mut("events").map(Value::take) else {
                anyhow::bail!("a page without events: {page}");
            };
            let exhausted = found.is_empty();
            events.extend(found);
            cursor = page.get_mut("cursor").map(Value::take).unwrap_or_default();
            if exhausted || cursor.is_null() {
                return Ok(events);
            }
        }
    }

    /// How many events match `q`, by `matched`, which must be exact.
    ///
    /// # Errors
    /// The search was refused or inexact.
    pub async fn count(&self, q: &str) -> anyhow::Result<u64> {
        let answer = self.search(serde_json::json!({"q": q, "limit": 1})).await?;
        anyhow::ensure!(answer.pointer("/matched/exact") == Some(&Value::Bool(true)), "inexact: {answer}");
        answer.pointer("/matched/value").and_then(Value::as_u64).context("no matched.value")
    }

    /// The value of a Prometheus metric on `/metrics`, summed over its label sets that contain `labels`.
    ///
    /// # Errors
    /// There is no such metric.
    pub async fn metric(&self, name: &str, labels: &str) -> anyhow::Result<f64> {
        let answer = self.get("/metrics").await?;
        sum_metric(&answer.text, name, labels)
    }
}

/// Sums the samples of `name` whose label text contains `labels`.
///
/// # Errors
/// There is no such sample.
pub fn sum_metric(text: &str, name: &str, labels: &str) -> anyhow::Result<f64> {
    let mut sum = None;
    for line in text.lines().filter(|line| line.starts_with(name) && line.contains(labels)) {
        let after = line.get(name.len()..).unwrap_or_default();
        if after.starts_with(' ') || after.starts_with('{') {
            let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
            sum = Some(sum.unwrap_or(0.0) + value.with_context(|| format!("no number in `{line}`"))?);
        }
    }
    sum.with_context(|| format!("no metric {name} with {labels}"))
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Ok(Answer { status, headers, text: response.text().await? })
}
