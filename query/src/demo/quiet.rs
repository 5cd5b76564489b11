//! An ordinary hour of a small shop: what the incident hides in.

use serde_json::json;

use super::line::{self, ApiRequest};
use super::place::{CART, CHECKOUT, INGRESS, NODES, PAYMENTS, VICTIM_IP};
use super::script::Script;

const HOUR: u64 = 3590;

pub(super) fn write(script: &mut Script) {
    visitors(script);
    carts(script);
    checkouts(script);
    kubelets(script);
    controllers(script);
    timers(script);
    strangers(script);
    people(script);
}

/// Visitors of the shop, as the ingress sees them.
fn visitors(script: &mut Script) {
    const PATHS: [&str; 8] = [
        "GET / HTTP/1.1",
        "GET /products?page=2 HTTP/1.1",
        "GET /products/4711 HTTP/1.1",
        "GET /api/cart HTTP/1.1",
        "POST /api/cart/items HTTP/1.1",
        "GET /static/app.9f3c2.js HTTP/2.0",
        "POST /api/checkout HTTP/1.1",
        "GET /healthz HTTP/1.1",
    ];
    const AGENTS: [&str; 4] = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/147.0",
        "kube-probe/1.36",
    ];
    for _ in 0..1500 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let random = &mut script.random;
        let client = format!("198.51.100.{}", random.between(2, 250));
        let (pod, path, agent) =
            (random.pick(&INGRESS, INGRESS[0]), random.pick(&PATHS, ""), random.pick(&AGENTS, ""));
        let status = if random.once_in(60) { random.pick(&[404, 499, 502], 404) } else { 200 };
        let bytes = random.between(180, 24_000);
        script.add(time, pod.stream("stdout"), line::access(time, &client, path, status, bytes, agent));
    }
}

fn carts(script: &mut Script) {
    for _ in 0..650 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let random = &mut script.random;
        let pod = random.pick(&CART, CART[0]);
        let took = random.between(2, 90);
        let members = json!({
            "trace": {"id": random.hex() + &random.hex()}, "user": {"id": format!("u{}", random.between(1000, 1400))},
            "item": {"sku": format!("SKU-{}", random.between(100, 180))}, "duration_ms": took,
        });
        let (level, text) = match random.below(40) {
            0 => ("warn", "cache miss, reading from the database"),
            1 => ("error", "stock service answered 503, retrying"),
            _ => ("info", random.pick(&["item added", "cart read", "item removed"], "cart read")),
        };
        script.add(time, pod.stream("stdout"), line::app(time, level, text, members));
    }
}

fn checkouts(script: &mut Script) {
    for order in 0..260u64 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let random = &mut script.random;
        let cents = random.between(900, 25_000);
        let number = 88_000 + order;
        let text = format!(
            "time={time} level=info msg=\"order placed\" order.id={number} amount={}.{:02} currency=EUR duration_ms={}",
            cents / 100,
            cents % 100,
            random.between(40, 400),
        );
        script.add(time, CHECKOUT.stream("stdout"), text);
        let members = json!({"order": {"id": number}, "http": {"response": {"status_code": 200}}});
        script.add(time, PAYMENTS.stream("stdout"), line::app(time, "info", "payment captured", members));
    }
}

fn kubelets(script: &mut Script) {
    for _ in 0..260 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let node = script.random.pick(&NODES, "master-1");
        let (level, place, text) = match script.random.below(20) {
            0 => ('W', "prober_manager.go:312", "\"Failed to trigger a manual run\" probe=\"Readiness\""),
            1 => (
                'E',
                "pod_workers.go:1324",
                "\"Error syncing pod, skipping\" pod=\"shop/search-6f7d9c-wq2sl\" err=\"CrashLoopBackOff\"",
            ),
            2..6 => (
                'I',
                "kubelet.go:2421",
                "\"SyncLoop (probe)\" probe=\"readiness\" status=\"ready\" pod=\"shop/cart-5b8c6d7f9-2mzpl\"",
            ),
            _ => (
                'I',
                "kubelet_volumes.go:161",
                "\"Cleaned up orphaned pod volumes dir\" path=\"/var/lib/kubelet/pods\"",
            ),
        };
        script.kubelet(time, node, level, place, text);
    }
}

/// Programs that ask the API server all day.
fn controllers(script: &mut Script) {
    const ASKERS: [(&str, &str, &str, &str, &str); 5] = [
        (
            "system:kube-controller-manager",
            "10.0.0.10",
            "kube-controller-manager/v1.36.1",
            "get",
            "endpoints",
        ),
        ("system:kube-scheduler", "10.0.0.10", "kube-scheduler/v1.36.1", "list", "pods"),
        ("system:node:worker-07", VICTIM_IP, "kubelet/v1.36.1", "get", "configmaps"),
        (
            "system:serviceaccount:ingress:ingress-nginx",
            "10.42.3.9",
            "nginx-ingress-controller/v1.14.0",
            "watch",
            "services",
        ),
        ("system:serviceaccount:monitoring:prometheus", "10.42.5.31", "Prometheus/3.8.0", "list", "nodes"),
    ];
    for _ in 0..420 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let (user, from, agent, verb, resource) = script.random.pick(&ASKERS, ASKERS[0]);
        let namespace = if resource == "nodes" {
            ""
        } else {
            script.random.pick(&["shop", "payments", "kube-system"], "")
        };
        let code = 200;
        let request = ApiRequest {
            verb,
            user,
            from,
            agent,
            namespace,
            resource,
            name: "",
            subresource: "",
            query: "",
            code,
        };
        script.api(time, &request);
    }
}

fn timers(script: &mut Script) {
    for (index, node) in NODES.into_iter().enumerate() {
        for round in 0..12u64 {
            let time = script.ago(round * 300 + 11 * index as u64);
            let pid = script.random.between(20_000, 60_000);
            script.system(
                time,
                node,
                &format!("CRON[{pid}]"),
                "(root) CMD (test -x /usr/sbin/logrotate && /usr/sbin/logrotate /etc/logrotate.conf)",
            );
            let text = "Started Daily apt download activities.";
            if round == 4 {
                script.system(time, node, "systemd[1]", text);
            }
        }
    }
}

/// The background noise of the internet.
fn strangers(script: &mut Script) {
    for _ in 0..90 {
        let ago = script.random.below(HOUR);
        let time = script.ago(ago);
        let random = &mut script.random;
        let node = random.pick(&NODES, "master-1");
        let source = format!("192.0.2.{}", random.between(2, 250));
        let (from, to) = (random.between(30_000, 60_000), random.pick(&[22, 23, 445, 3389, 8080], 23));
        let text = line::firewall("UFW BLOCK", (&source, from), ("10.0.0.17", to), random);
        script.kernel(time, node, &text);
    }
}

/// Two engineers at work.
fn people(script: &mut Script) {
    for (minutes, user, node) in [
        (57, "alice", "worker-03"),
        (44, "bob", "worker-09"),
        (30, "alice", "worker-05"),
        (9, "alice", "worker-07"),
    ] {
        let time = script.ago(minutes * 60);
        let pid = script.random.between(3000, 9000);
        let port = script.random.between(40_000, 60_000);
        let sshd = format!("sshd[{pid}]");
        let key = "ED25519 SHA256:Jc2wQ1vJ0l7mJm6Yk0h3b9n8s5x4r2t1u0v9w8x7y6z";
        script.auth(
            time,
            node,
            &sshd,
            &format!("Accepted publickey for {user} from 10.0.0.5 port {port} ssh2: {key}"),
        );
        script.auth(
            time,
            node,
            &sshd,
            &format!("pam_unix(sshd:session): session opened for user {user}(uid=1001) by {user}(uid=0)"),
        );
        let text = format!(
            "{user} : TTY=pts/1 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/journalctl -u kubelet --since -1h"
        );
        let later = script.ago(minutes * 60 - 40);
        script.auth(later, node, "sudo", &text);
    }
}
