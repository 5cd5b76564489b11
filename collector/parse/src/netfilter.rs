//! Packets that the kernel's firewall logs: `[1.2] DROP: IN=eth0 OUT= SRC=203.0.113.7 DST=198.51.100.1 PROTO=TCP SPT=4 DPT=22`.
//!
//! Also takes off the uptime that the kernel puts before every line. Source: Linux `net/netfilter/nf_log_syslog.c`.

use locard_event::Value;

use crate::facts::{Facts, Side};

/// Reads a kernel line; true if it told of a packet.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let (uptime, text) = uptime(body);
    if let Some(uptime) = uptime {
        facts.set("kernel.uptime_seconds", Value::Float(uptime));
    }
    let Some((prefix, packet)) = packet(text) else { return false };
    facts.action("packet_logged", None);
    facts.set_text("netfilter.prefix", prefix.trim().trim_end_matches(':'));
    // An ICMP error quotes the packet it answers in brackets.
    let packet = packet.split(" [").next().unwrap_or(packet);
    for pair in packet.split_ascii_whitespace() {
        let Some((key, value)) = pair.split_once('=') else { continue };
        match key {
            "IN" => facts.set_text("netfilter.in", value),
            "OUT" => facts.set_text("netfilter.out", value),
            "SRC" => facts.set_address(Side::Source, value),
            "DST" => facts.set_address(Side::Destination, value),
            "SPT" => facts.set_port(Side::Source, value),
            "DPT" => facts.set_port(Side::Destination, value),
            "PROTO" => facts.set_text("network.transport", &value.to_ascii_lowercase()),
            "LEN" => facts.set_number("network.bytes", value),
            _ => {}
        }
    }
    true
}

/// `[    1.234567] text`.
fn uptime(body: &str) -> (Option<f64>, &str) {
    let read = || {
        let (seconds, rest) = body.strip_prefix('[')?.split_once("] ")?;
        Some((seconds.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite())?, rest))
    };
    match read() {
        Some((seconds, rest)) => (Some(seconds), rest),
        None => (None, body),
    }
}

/// The rule's own prefix, and the packet from `IN=` on.
fn packet(text: &str) -> Option<(&str, &str)> {
    let at = if text.starts_with("IN=") { 0 } else { text.find(" IN=")? + 1 };
    let (prefix, packet) = text.split_at_checked(at)?;
    let complete = [" OUT=", " SRC=", " DST="].iter().all(|key| packet.contains(key));
    complete.then_some((prefix, packet))
}
