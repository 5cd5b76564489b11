//! The accept loop: a bounded number of connections, of all and of each other machine, time limits before the first byte of a
//! request and for taking the answer, an orderly end.
//!
//! HTTP/1.1 only: each client is one collector or one browser, and a connection is then one request at a time, which
//! bounds what it may cost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::metrics::Metrics;
use super::peers::{Peers, Place};
use super::stall::Impatient;
use super::tls::Tls;
use crate::config::HttpLimits;

/// Largest head of a request. A long query still fits into its URL.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Pause after `accept` failed, as when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Everything a connection needs.
#[derive(Clone, Debug)]
pub(super) struct Acceptor {
    pub(super) app: Router,
    pub(super) tls: Option<Tls>,
    pub(super) limits: HttpLimits,
    pub(super) metrics: Metrics,
    pub(super) stop: CancellationToken,
    pub(super) connections: TaskTracker,
}

impl Acceptor {
    /// Accepts until told to stop. Connections go on by themselves; wait for `connections`.
    pub(super) async fn run(self, listener: TcpListener) {
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let peers = Peers::sharing(self.limits.connections);
        let stop = self.stop.clone();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.accept(&listener, &slots, &peers) => accepted,
            };
            let Some((stream, peer, held)) = accepted else { return };
            let connection = self.clone();
            self.connections.spawn(async move {
                connection.metrics.connections.inc();
                connection.handle(stream, peer).await;
                connection.metrics.connections.dec();
                drop(held);
            });
        }
    }

    async fn handle(&self, stream: TcpStream, peer: Peer) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay");
        }
        let stream = Impatient::new(stream, self.limits.write_timeout);
        let Some(tls) = &self.tls else { return self.serve(stream, peer).await };
        match tokio::time::timeout(self.limits.header_timeout, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, peer).await,
            Ok(Err(error)) => self.refused(peer, &error),
            Err(elapsed) => self.refused(peer, &elapsed),
        }
    }

    fn refused(&self, Peer(address): Peer, error: &dyn std::fmt::Display) {
        self.metrics.refused_handshakes.inc();
        tracing::debug!(%address, %error, "the TLS handshake failed");
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let app = self.app.clone();
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            app.clone().call(request.map(axum::body::Body::new) as Request)
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(MAX_HEAD_BYTES);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = %peer.0, %error, "the connection ended");
        }
    }

    /// The slot is taken first, so that what cannot be served waits in the kernel's queue and not in ours.
    async fn accept(
        &self,
        listener: &TcpListener,
        slots: &Arc<Semaphore>,
        peers: &Peers,
    ) -> Option<(TcpStream, Peer, (OwnedSemaphorePermit, Place))> {
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, address)) => match peers.admit(address.ip()) {
                    Some(place) => return Some((stream, Peer(address), (slot, place))),
                    None => self.turned_away(address),
                },
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn turned_away(&self, address: SocketAddr) {
        self.metrics.refused_connections.inc();
        tracing::debug!(%address, "a connection was closed: its address has a quarter of all");
    }
}
