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
    #[error("cannot open the data directory {}: {}", path.display(), advice(source))]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: locard_indexer::Error,
    },
    /// The indexer failed.
    #[error(transparent)]
    Indexer(#[from] locard_indexer::Error),
}

/// What can be done about it.
fn advice(error: &locard_indexer::Error) -> &'static str {
    let locard_indexer::Error::Log(cause) = error else { return "its content cannot be used as it is" };
    match cause.kind() {
        io::ErrorKind::WouldBlock => {
            "stop the other server, or give this one a directory of its own with --data or the key `data`"
        }
        _ => "name one that this user may create and write to with --data or the key `data`",
    }
}
