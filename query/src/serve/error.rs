//! Why a server cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A PEM file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not work together.
    #[error("the certificate cannot be used")]
    Tls(#[from] rustls::Error),
    /// The client authorities cannot be used.
    #[error("tls.client_ca cannot be used")]
    ClientCa(#[from] rustls::server::VerifierBuilderError),
    /// The data cannot be opened.
    #[error(transparent)]
    Indexer(#[from] locard_indexer::Error),
}
