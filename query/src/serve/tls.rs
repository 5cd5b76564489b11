//! Certificates from PEM files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::Error;
use crate::config::TlsFiles;

/// How often the files are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Reads the files as a start would.
///
/// # Errors
/// One cannot be read, or they do not work together.
pub(crate) fn check_tls(files: &TlsFiles) -> Result<(), Error> {
    server_config(files).map(drop)
}

/// The certificate in use.
#[derive(Clone)]
pub(super) struct Tls {
    files: Arc<TlsFiles>,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, Error> {
        let config = Arc::new(server_config(files)?);
        Ok(Self { files: Arc::new(files.clone()), current: Arc::new(RwLock::new(config)) })
    }

    /// For the next handshake.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Looks for changes for ever. A set of files that does not work together, as while it is being replaced, is left alone.
    pub(super) async fn watch(self) {
        let mut seen = stamps(&self.files);
        let mut timer = tokio::time::interval(CHECK_EVERY);
        loop {
            timer.tick().await;
            let now = stamps(&self.files);
            if now != seen && self.reload() {
                seen = now;
            }
        }
    }

    pub(super) fn reload(&self) -> bool {
        match server_config(&self.files) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!(cert = %self.files.cert.display(), "the certificate was read again");
                true
            }
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(error, "the changed certificate cannot be used; the old one stays");
                false
            }
        }
    }
}

/// What changes when a file is replaced: its time, size, and where a link leads.
fn stamps(files: &TlsFiles) -> Vec<Option<(SystemTime, u64, PathBuf)>> {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), path.canonicalize().ok()?))
    };
    [Some(&files.cert), Some(&files.key), files.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| stamp(path))
        .collect()
}

fn server_config(files: &TlsFiles) -> Result<ServerConfig, Error> {
    let chain = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| pem_error(&files.key, &error))?;
    let builder = ServerConfig::builder();
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build()?)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| pem_error(path, &error))?;
    if found.is_empty() {
        return Err(Error::Pem { path: path.to_owned(), reason: "there is no certificate in it".into() });
    }
    Ok(found)
}

fn pem_error(path: &Path, error: &rustls_pki_types::pem::Error) -> Error {
    Error::Pem { path: path.to_owned(), reason: error.to_string() }
}
