//! [`Server`]: binds, listens, becomes ready, stops.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use locard_indexer::Indexer;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept::Acceptor;
use super::gate::Gate;
use super::metrics::Metrics;
use super::tls::Tls;
use super::{Authority, Error, app};
use crate::api;
use crate::config::{Settings, Token};

/// A server that is bound and not yet listening.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    public: Face,
    private: Option<Face>,
}

/// One address, and who is let in there.
#[derive(Debug)]
struct Face {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
    authority: Authority,
}

/// A server that is ready.
#[derive(Debug)]
pub struct Running {
    /// Its events.
    pub indexer: Arc<Indexer>,
    settings: Settings,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// Takes the address and reads the certificates.
    ///
    /// # Errors
    /// The address or the certificates cannot be used.
    pub async fn bind(settings: Settings) -> Result<Self, Error> {
        let tls = settings.tls.as_ref().map(Tls::load).transpose()?;
        let public = Face::bind(settings.listen, tls, Authority::new(settings.tokens.clone())).await?;
        Ok(Self { settings, public, private: None })
    }

    /// Where it can be reached: `http://127.0.0.1:7514`.
    pub fn url(&self) -> String {
        self.public.url()
    }

    /// Opens a second, plain address on loopback for one token alone: for what runs in this process and speaks HTTP like
    /// everybody else, whatever the public address asks of its clients. Gives its URL.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn open_private(&mut self, token: Token) -> Result<String, Error> {
        let face = Face::bind((Ipv4Addr::LOCALHOST, 0).into(), None, Authority::new(vec![token])).await?;
        let url = face.url();
        self.private = Some(face);
        Ok(url)
    }

    /// Listens at once, answering 503, and returns when the data are open and everything is answered. `register` adds the metrics
    /// of what else runs in this process.
    ///
    /// # Errors
    /// The data cannot be opened.
    pub async fn start(self, register: impl FnOnce(&mut Registry)) -> Result<Running, Error> {
        let Self { settings, public, private } = self;
        let (stop, connections, metrics) = (CancellationToken::new(), TaskTracker::new(), Metrics::default());
        let stop_on_failure = stop.clone().drop_guard();
        let mut gates = Vec::new();
        for face in [Some(public), private].into_iter().flatten() {
            gates.push((face.authority.clone(), face.listen(&settings, &metrics, &stop, &connections)));
        }
        let directory = &settings.indexer.directory;
        tracing::info!(directory = %directory.display(), "opening the data");
        let indexer = Indexer::open(settings.indexer.clone()).await;
        let indexer = indexer.map_err(|source| Error::Data { path: directory.clone(), source })?;
        let mut registry = Registry::default();
        register(&mut registry);
        let locard = registry.sub_registry_with_prefix("locard");
        metrics.register(locard);
        let routes = assemble(&indexer, &settings, &stop, locard);
        let registry = Arc::new(registry);
        for (authority, gate) in gates {
            let state = Arc::downgrade(&indexer);
            let unreadable = move || state.upgrade().map_or(0, |indexer| indexer.status().unreadable_splits);
            gate.open(app::inner(routes.clone(), Arc::clone(&registry), &authority), unreadable);
        }
        stop_on_failure.disarm();
        Ok(Running { indexer, settings, stop, connections })
    }
}

impl Face {
    async fn bind(address: SocketAddr, tls: Option<Tls>, authority: Authority) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls, authority })
    }

    fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Starts to listen, with a closed gate.
    fn listen(
        self,
        settings: &Settings,
        metrics: &Metrics,
        stop: &CancellationToken,
        connections: &TaskTracker,
    ) -> Gate {
        let gate = Gate::default();
        let acceptor = Acceptor {
            app: app::outer(&gate, &self.authority, metrics, &settings.http),
            tls: self.tls.clone(),
            limits: settings.http,
            metrics: metrics.clone(),
            stop: stop.clone(),
            connections: connections.clone(),
        };
        tokio::spawn(acceptor.run(self.listener));
        if let Some(tls) = self.tls {
            tokio::spawn(stop.clone().run_until_cancelled_owned(tls.watch()));
        }
        gate
    }
}

/// The routers of the parts, and their metrics.
fn assemble(
    indexer: &Arc<Indexer>,
    settings: &Settings,
    stop: &CancellationToken,
    registry: &mut Registry,
) -> Router {
    let metrics = crate::search::Metrics::default();
    metrics.register(registry);
    indexer.register_metrics(registry);
    let context = api::Context {
        indexer: Arc::clone(indexer),
        limits: settings.search.clone(),
        metrics,
        shutdown: stop.clone(),
    };
    locard_indexer::router(Arc::clone(indexer)).merge(api::router(context))
}

impl Running {
    /// Takes no more connections, lets requests under way finish within their time, then closes the indexer.
    pub async fn stop(self) {
        self.stop.cancel();
        self.connections.close();
        let wait = self.settings.http.shutdown_timeout;
        if tokio::time::timeout(wait, self.connections.wait()).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "connections were cut at shutdown");
        }
        self.indexer.close().await;
    }
}
