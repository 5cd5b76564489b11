//! Sends one batch until it is acknowledged.

use std::time::Duration;

use locard_wire::Partial;
use reqwest::Method;

use super::batch::Batch;
use crate::cli::Error;
use crate::cli::client::Client;

/// Pauses between tries; the name of the batch makes a repeat harmless.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Tries, some two minutes in all.
const TRIES: u32 = 16;

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Its events were there already: an earlier import sent the same batch.
    pub(super) known: bool,
    /// What the server did not take of it.
    pub(super) refused: Partial,
}

/// When this returns `Ok`, the events that were not refused are durable and searchable.
pub(super) async fn send(client: &Client, batch: &Batch) -> Result<Sent, Error> {
    let body = bytes::Bytes::from(locard_wire::compress(&batch.body)?);
    let id = batch.id.to_string();
    let mut pause = FIRST_PAUSE;
    let mut tries = 1;
    loop {
        match post(client, &id, body.clone()).await {
            Err(error) if tries < TRIES && is_passing(&error) => {
                tokio::time::sleep(wait(&error, pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                tries += 1;
            }
            // What a try of our own brought, whose answer was lost, was not known before.
            other => return other.map(|sent| Sent { known: sent.known && tries == 1, ..sent }),
        }
    }
}

async fn post(client: &Client, id: &str, body: bytes::Bytes) -> Result<Sent, Error> {
    let request = client
        .request(Method::POST, "/v1/logs")
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "zstd")
        .header(locard_wire::BATCH_HEADER, id)
        .body(body);
    let answer = client.send(request).await?;
    let known = answer.headers().contains_key(locard_wire::REPEATED_HEADER);
    let body = answer.bytes().await.map_err(|source| client.unreachable(source))?;
    Ok(Sent { known, refused: locard_wire::decode_answer(&body) })
}

/// Whether trying again may help. A server that was never there is a mistake in the command line, but one may restart.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Connect { source, .. } => !source.is_connect(),
        Error::Refused(refusal) => matches!(refusal.status, 408 | 429 | 502 | 503 | 504 | 507),
        _ => false,
    }
}

fn wait(error: &Error, pause: Duration) -> Duration {
    match error {
        Error::Refused(refusal) => refusal.retry_after.map_or(pause, Duration::from_secs).min(LONGEST_PAUSE),
        _ => pause,
    }
}
