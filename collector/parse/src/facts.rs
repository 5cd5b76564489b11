//! [`Facts`]: where a format puts what it read from a line.
//!
//! Holds the rule that what is already known wins: fields of the event, and labels of its stream, which whoever writes the line
//! must not be able to cover up. Does not know any format.

use std::collections::BTreeSet;
use std::net::IpAddr;

use locard_event::{Fields, Name, Severity, Stream, Timestamp, Value, name};

/// What is known of an event, and what a line adds.
pub(crate) struct Facts<'e> {
    fields: &'e mut Fields,
    stream: &'e Stream,
    time: Option<Timestamp>,
    /// When the line was received.
    pub(crate) received: Timestamp,
}

impl<'e> Facts<'e> {
    pub(crate) fn new(fields: &'e mut Fields, stream: &'e Stream, received: Timestamp) -> Self {
        Self { fields, stream, time: None, received }
    }

    /// The time the line said, if it said one.
    pub(crate) fn said_time(&self) -> Option<Timestamp> {
        self.time
    }

    /// Notes the time the line says. The first wins: an envelope is read before what it holds.
    pub(crate) fn time(&mut self, time: Timestamp) {
        self.time.get_or_insert(time);
    }

    /// Adds a field, unless it is known already.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        if self.stream.get(name).is_none() {
            self.fields.set_default(name, value);
        }
    }

    /// Adds a field that is text, unless the text is empty or the `-` of formats that have no other word for "none".
    pub(crate) fn set_text(&mut self, name: &str, text: &str) {
        if !matches!(text, "" | "-") {
            self.set(name, text);
        }
    }

    /// Adds a text, or a list where a line holds several and does not tell which one its program wrote, so that a forged one cannot
    /// hide the true one. Each is said once.
    pub(crate) fn set_any<'t>(&mut self, name: &str, texts: impl IntoIterator<Item = &'t str>) {
        let mut seen = BTreeSet::new();
        let texts = texts.into_iter().filter(|text| !matches!(*text, "" | "-") && seen.insert(*text));
        let values: Vec<Value> = texts.map(Value::from).collect();
        self.set_list(name, values);
    }

    /// As [`Facts::set_any`] for addresses.
    pub(crate) fn set_any_address<'t>(&mut self, side: Side, texts: impl IntoIterator<Item = &'t str>) {
        let texts: Vec<&str> = texts.into_iter().collect();
        if let [only] = *texts {
            return self.set_address(side, only);
        }
        let mut seen = BTreeSet::new();
        let ips = texts.iter().filter_map(|text| ip(text)).filter(|ip| seen.insert(*ip));
        self.set_list(side.names().0, ips.map(Value::Ip).collect());
    }

    fn set_list(&mut self, name: &str, values: Vec<Value>) {
        match <[Value; 1]>::try_from(values) {
            Ok([one]) => self.set(name, one),
            Err(none) if none.is_empty() => {}
            Err(several) => self.set(name, Value::List(several)),
        }
    }

    /// Adds a number; text that is none is kept as text.
    pub(crate) fn set_number(&mut self, name: &str, text: &str) {
        match text.parse::<i64>() {
            Ok(number) => self.set(name, number),
            Err(_) => self.set_text(name, text),
        }
    }

    /// Adds `source.ip` (or the like), or `source.address` when the text is a name.
    pub(crate) fn set_address(&mut self, side: Side, text: &str) {
        let (ip, address, _) = side.names();
        let text = unbracketed(text);
        match text.parse::<IpAddr>() {
            // A server that listens on both families sees IPv4 clients as ::ffff:192.0.2.1; people look for 192.0.2.1.
            Ok(IpAddr::V6(mapped)) if mapped.to_ipv4_mapped().is_some() => {
                self.set(ip, mapped.to_canonical())
            }
            Ok(_) => self.set(ip, Value::ip_or_str(text)),
            Err(_) => self.set_text(address, text),
        }
    }

    /// Adds `source.port` (or the like).
    pub(crate) fn set_port(&mut self, side: Side, text: &str) {
        if let Ok(port) = text.parse::<u16>() {
            self.set(side.names().2, i64::from(port));
        }
    }

    pub(crate) fn level(&mut self, severity: Severity) {
        self.set(name::LEVEL, severity.name());
    }

    /// Says what happened and, where the line tells, how it ended.
    pub(crate) fn action(&mut self, action: &'static str, outcome: Option<Outcome>) {
        self.set("event.action", action);
        if let Some(outcome) = outcome {
            self.set("event.outcome", outcome.name());
        }
    }

    /// Says why the line was not understood.
    pub(crate) fn error(&mut self, why: impl Into<Value>) {
        self.set(name::ERROR_MESSAGE, why);
    }

    /// Sets `event.dataset` over the stream's label: the line is of a more specific kind than its source.
    pub(crate) fn dataset(&mut self, dataset: &'static str) {
        if self.stream.get(name::DATASET) != Some(dataset) {
            self.fields.set_default(name::DATASET, dataset);
        }
    }

    /// Adds what an application named itself. A name that is reserved or is a label goes under `json.`, so that the writer of a
    /// line cannot pass it off as something else. `message` is left out: the line is the message, and holds it.
    pub(crate) fn set_app(&mut self, name: Name, value: Value) {
        if &*name == name::MESSAGE {
            return;
        }
        if is_reserved(&name) || self.stream.get(&name).is_some() {
            self.fields.set_default(&format!("json.{name}"), value);
        } else if self.fields.is_empty() || self.fields.get(&name).is_none() {
            self.fields.set(name, value);
        }
    }

    pub(crate) fn label(&self, name: &str) -> Option<&'e str> {
        self.stream.get(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

/// The address a text is. A server that listens on both families sees IPv4 clients as ::ffff:192.0.2.1; people look for 192.0.2.1.
fn ip(text: &str) -> Option<IpAddr> {
    unbracketed(text).parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

/// Names whose values Locard itself answers for.
fn is_reserved(name: &str) -> bool {
    matches!(name, name::TIMESTAMP | name::TIME | name::ID | name::STREAM | name::INGESTED | name::DATASET)
        || name.starts_with("locard.")
}

/// Which end of a connection.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl Side {
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Source => ("source.ip", "source.address", "source.port"),
            Self::Destination => ("destination.ip", "destination.address", "destination.port"),
        }
    }
}

/// ECS `event.outcome`.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    Success,
    Failure,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// Of an HTTP status.
    pub(crate) const fn of_status(code: i64) -> Self {
        if code < 400 { Self::Success } else { Self::Failure }
    }
}
