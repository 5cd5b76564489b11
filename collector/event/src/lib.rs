//! The vocabulary every other crate speaks: [`Event`], [`Stream`], [`Value`], [`EventId`], [`Timestamp`], [`Severity`].
//!
//! No I/O, no clock, no async: a time is always an argument. This crate does not know how an event is
//! parsed, carried, stored or shown.

mod event;
mod fields;
mod id;
pub mod name;
mod severity;
mod shape;
mod stream;
mod text;
mod time;
mod value;

pub use event::{Event, time_suspect};
pub use fields::Fields;
pub use id::{EventId, ParseIdError};
pub use severity::Severity;
pub use shape::{Name, Shape};
pub use stream::{Stream, StreamId};
pub use text::Text;
pub use time::{ParseTimeError, Timestamp};
pub use value::Value;
