//! [`Script`]: collects lines at times of the last hour.

use std::sync::Arc;

use locard_event::{Event, Stream, Timestamp, name};

use super::line;
use super::place::{audit, journal, syslog};
use super::random::Random;

const MILLISECOND: i64 = 1_000_000;

/// Lines and the times they were written at.
pub(super) struct Script {
    now: Timestamp,
    pub(super) random: Random,
    events: Vec<Event>,
}

impl Script {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, random: Random::new(7514), events: Vec::new() }
    }

    /// `seconds` before now, and some milliseconds earlier still, for nothing happens on the second.
    pub(super) fn ago(&mut self, seconds: u64) -> Timestamp {
        let millis = seconds * 1000 + self.random.between(1, 999);
        self.now.plus_nanos(-i64::try_from(millis).unwrap_or_default() * MILLISECOND)
    }

    pub(super) fn add(&mut self, time: Timestamp, stream: Arc<Stream>, text: String) {
        self.events.push(Event::new(time, stream, text));
    }

    /// A line of `/var/log/auth.log`.
    pub(super) fn auth(&mut self, time: Timestamp, node: &'static str, program: &str, text: &str) {
        self.add(time, syslog(node, "/var/log/auth.log"), line::syslog(time, node, program, text));
    }

    /// A line of `/var/log/syslog`.
    pub(super) fn system(&mut self, time: Timestamp, node: &'static str, program: &str, text: &str) {
        self.add(time, syslog(node, "/var/log/syslog"), line::syslog(time, node, program, text));
    }

    /// A line of the kernel.
    pub(super) fn kernel(&mut self, time: Timestamp, node: &'static str, text: &str) {
        self.add(time, syslog(node, "/var/log/kern.log"), line::syslog(time, node, "kernel", text));
    }

    /// A line of the kubelet, which the journal keeps.
    pub(super) fn kubelet(
        &mut self,
        time: Timestamp,
        node: &'static str,
        level: char,
        place: &str,
        text: &str,
    ) {
        let mut event = Event::new(time, journal(node), line::klog(time, level, 1187, place, text));
        event.fields.set(name::PROCESS_NAME, "kubelet");
        event.fields.set("systemd.unit", "kubelet.service");
        self.events.push(event);
    }

    /// A request to the API server.
    pub(super) fn api(&mut self, time: Timestamp, request: &line::ApiRequest<'_>) {
        let text = line::audit(time, request, &mut self.random);
        self.add(time, audit(), text);
    }

    /// Everything, in order of time.
    pub(super) fn finish(mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| event.time);
        self.events
    }
}
