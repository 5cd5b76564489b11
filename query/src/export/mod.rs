//! Formats that results are handed over in. Pure: values in, bytes out; knows neither HTTP nor where values come from.
//!
//! `batch → Encoder → Seal (count, digest) → Packer`. One format per file.

mod cell;
mod columns;
mod csv;
mod encoder;
mod format;
mod json;
mod packer;
mod parquet;
mod seal;

pub(crate) use columns::{Columns, MAX_COLUMNS};
pub(crate) use encoder::{Batch, Encoder};
pub(crate) use format::{Format, Packing};
pub(crate) use packer::Packer;
pub(crate) use parquet::MAX_COLUMNS as MAX_PARQUET_COLUMNS;
pub(crate) use seal::{Seal, Verdict};
