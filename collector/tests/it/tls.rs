//! TLS to the indexer: the authority and the client's certificate come from files.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use crate::indexer::Indexer;
use crate::node::{Node, eventually, lines, numbered};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (certificate, key) = authority.issue("localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn both_sides_show_a_certificate() {
    let authority = Authority::new();
    let indexer = Indexer::start_tls(acceptor(&authority)).await;
    let mut node = Node::on_app_log(&indexer);
    let (certificate, key) = authority.issue("collector");
    for (name, pem) in
        [("ca.pem", authority.0.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
    {
        std::fs::write(node.path(name), pem).unwrap();
    }
    let plain = node.dir.path().display().to_string();
    node.append("app.log", numbered(0..3));
    // Trusts the system's authorities, of which this is none.
    node.start().await;
    eventually("refused", || locard_collector::metrics::value(&node.metrics.retries, "connect") > 1).await;
    node.stop().await;
    assert_eq!(indexer.requests(), 0);
    let keys =
        format!("ca_file: {plain}/ca.pem, cert_file: {plain}/cert.pem, key_file: {plain}/key.pem, urls: [");
    node.config(|config| config.replace("urls: [", &keys));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..3))).await;
}

#[tokio::test]
async fn certificates_are_read_again_when_they_change() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let indexer = Indexer::start_tls(acceptor(&authority)).await;
    let mut node = Node::on_app_log(&indexer);
    let root = node.dir.path().display().to_string();
    let keys =
        format!("ca_file: {root}/ca.pem, cert_file: {root}/cert.pem, key_file: {root}/key.pem, urls: [");
    node.config(|config| config.replace("urls: [", &keys));
    let write = |node: &Node, authority: &Authority| {
        let (certificate, key) = authority.issue("collector");
        std::fs::write(node.path("ca.pem"), authority.0.pem()).unwrap();
        std::fs::write(node.path("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(node.path("key.pem"), key.serialize_pem()).unwrap();
    };
    write(&node, &stranger);
    node.append("app.log", numbered(0..3));
    node.start().await;
    eventually("refused", || locard_collector::metrics::value(&node.metrics.retries, "connect") > 1).await;
    write(&node, &authority);
    node.check_lines(&indexer, lines(&numbered(0..3))).await;
    // What is no certificate leaves the good ones in use.
    std::fs::write(node.path("cert.pem"), "half a certifi").unwrap();
    node.append("app.log", numbered(3..6));
    node.check_lines(&indexer, lines(&numbered(0..6))).await;
}
