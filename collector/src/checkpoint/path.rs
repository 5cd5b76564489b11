//! Paths in the state: text, or `{"base64": "…"}` where a path is none. Linux takes any bytes but `/` and NUL for a name.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Saved<'p> {
    Text(Cow<'p, str>),
    Bytes { base64: String },
}

/// Writes a path so that it comes back as it was.
pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let saved = match path.to_str() {
        Some(text) => Saved::Text(text.into()),
        None => Saved::Bytes { base64: BASE64.encode(path.as_os_str().as_bytes()) },
    };
    saved.serialize(serializer)
}

/// Reads what [`serialize`] wrote.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    match Saved::deserialize(deserializer)? {
        Saved::Text(text) => Ok(text.into_owned().into()),
        Saved::Bytes { base64 } => {
            BASE64.decode(base64).map(|bytes| OsString::from_vec(bytes).into()).map_err(D::Error::custom)
        }
    }
}
