//! [`Severity`]: one scale for the many spellings of log levels.

use std::fmt;

/// How bad the source says it is, in rising order. ECS `log.level` holds [`Severity::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Finer than debug.
    Trace,
    /// For developers.
    Debug,
    /// Normal operation.
    Info,
    /// Normal but significant (RFC 5424 notice).
    Notice,
    /// May become an error.
    Warn,
    /// Something failed.
    Error,
    /// Critical or worse (RFC 5424 critical, alert, emergency).
    Fatal,
}

impl Severity {
    /// The name stored in `log.level`: `trace`, `debug`, `info`, `notice`, `warn`, `error`, `fatal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Reads the spellings in use: `WARNING`, `err`, `crit`, `E`, `panic`, `informational`, … Any case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lower = [0u8; 16];
        let slot = lower.get_mut(..text.len())?;
        slot.copy_from_slice(text.as_bytes());
        slot.make_ascii_lowercase();
        Some(match &*slot {
            b"trace" | b"trc" | b"verbose" | b"finest" | b"t" => Self::Trace,
            b"debug" | b"dbg" | b"fine" | b"d" => Self::Debug,
            b"info" | b"inf" | b"information" | b"informational" | b"i" => Self::Info,
            b"notice" => Self::Notice,
            b"warn" | b"warning" | b"wrn" | b"w" => Self::Warn,
            b"error" | b"err" | b"severe" | b"e" => Self::Error,
            b"fatal" | b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency" | b"panic" | b"dpanic"
            | b"f" | b"ftl" => Self::Fatal,
            _ => return None,
        })
    }

    /// From a syslog severity code (RFC 5424 §6.2.1: 0 emergency to 7 debug).
    pub const fn from_syslog(code: u8) -> Option<Self> {
        Some(match code {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 => Self::Notice,
            6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }

    /// The OpenTelemetry severity number (logs data model, SeverityNumber).
    pub const fn otlp_number(self) -> i32 {
        match self {
            Self::Trace => 1,
            Self::Debug => 5,
            Self::Info => 9,
            Self::Notice => 10,
            Self::Warn => 13,
            Self::Error => 17,
            Self::Fatal => 21,
        }
    }

    /// From an OpenTelemetry severity number, 1 to 24.
    pub const fn from_otlp_number(number: i32) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9 => Self::Info,
            10..=12 => Self::Notice,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21..=24 => Self::Fatal,
            _ => return None,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_maps_onto_this_one() {
        assert_eq!(Severity::parse("WARNING"), Some(Severity::Warn));
        assert_eq!(Severity::parse("a very long level name"), None);
        for code in 0..8 {
            let severity = Severity::from_syslog(code).unwrap();
            assert_eq!(Severity::from_otlp_number(severity.otlp_number()), Some(severity));
            assert_eq!(Severity::parse(severity.name()), Some(severity));
        }
    }
}
