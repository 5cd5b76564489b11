//! The cast: nodes, pods, people and the attacker's address.

use std::sync::Arc;

use locard_event::{Stream, name};

/// The attacker.
pub(super) const ATTACKER: &str = "203.0.113.77";
/// The node that is broken into, and its address.
pub(super) const VICTIM: &str = "worker-07";
pub(super) const VICTIM_IP: &str = "10.0.0.17";
/// The pod that is taken over, and its address.
pub(super) const TARGET_POD: &str = "payments-api-6d5f8b9c7d-x2x4q";
pub(super) const TARGET_IP: &str = "10.42.7.23";

/// All nodes.
pub(super) const NODES: [&str; 5] = ["master-1", "worker-03", "worker-05", VICTIM, "worker-09"];

/// A container and where it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod {
    pub(super) node: &'static str,
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) container: &'static str,
}

const fn pod(
    node: &'static str,
    namespace: &'static str,
    name: &'static str,
    container: &'static str,
) -> Pod {
    Pod { node, namespace, name, container }
}

pub(super) const INGRESS: [Pod; 2] = [
    pod("worker-03", "ingress", "ingress-nginx-7c9d8f5b6-k8s2p", "nginx"),
    pod("worker-09", "ingress", "ingress-nginx-7c9d8f5b6-q4t7v", "nginx"),
];
pub(super) const CART: [Pod; 2] = [
    pod("worker-03", "shop", "cart-5b8c6d7f9-2mzpl", "cart"),
    pod("worker-05", "shop", "cart-5b8c6d7f9-9xk4d", "cart"),
];
pub(super) const CHECKOUT: Pod = pod("worker-05", "shop", "checkout-77f4c9b8d-h6wqs", "checkout");
pub(super) const PAYMENTS: Pod = pod(VICTIM, "payments", TARGET_POD, "api");
pub(super) const DATABASE: Pod = pod("worker-09", "payments", "payments-db-0", "postgres");
pub(super) const SENSOR: Pod = pod(VICTIM, "security", "process-sensor-7m2vd", "sensor");

impl Pod {
    /// The stream of its standard output or error.
    pub(super) fn stream(self, iostream: &'static str) -> Arc<Stream> {
        Arc::new(Stream::new([
            (name::DATASET, "container"),
            (name::HOST, self.node),
            ("kubernetes.node.name", self.node),
            (name::NAMESPACE, self.namespace),
            (name::POD_NAME, self.name),
            (name::CONTAINER_NAME, self.container),
            (name::IOSTREAM, iostream),
        ]))
    }
}

/// A file of a node that syslog writes.
pub(super) fn syslog(node: &'static str, path: &'static str) -> Arc<Stream> {
    Arc::new(Stream::new([(name::DATASET, "syslog"), (name::HOST, node), (name::FILE_PATH, path)]))
}

/// The journal of a node.
pub(super) fn journal(node: &'static str) -> Arc<Stream> {
    Arc::new(Stream::new([(name::DATASET, "journald"), (name::HOST, node)]))
}

/// The audit log of the API server.
pub(super) fn audit() -> Arc<Stream> {
    let path = "/var/log/kubernetes/audit.log";
    Arc::new(Stream::new([(name::DATASET, "k8s.audit"), (name::HOST, "master-1"), (name::FILE_PATH, path)]))
}
