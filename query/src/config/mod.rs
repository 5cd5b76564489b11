//! Configuration of the `locard` binary: one strict YAML file to [`Settings`], all problems at once.
//!
//! [`Config`] is what was typed, with defaults; [`Settings`] is what it means. The rest sees only the second. Every key is in
//! [`KEYS`], from which unknown keys are answered and `docs/configuration.md` is written.

mod collector;
mod key;
mod problem;
mod raw;
mod read;
mod retention;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod unit;

pub use key::{KEYS, Key, manual};
pub use problem::{Invalid, Problem};
pub use raw::{Auth, Config, Limits, Log, LogFormat, Retention, TenantRetention, Tls, TokenEntry};
pub use read::read;
pub use settings::{HttpLimits, Settings, TlsFiles, default_data};
pub use token::{Token, hash_token, random_token};
pub use unit::{Age, Size, Span};
