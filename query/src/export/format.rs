//! [`Format`] and [`Packing`]: what results can be handed over as, by name and by media type.

/// What results are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object a line, and a line about them all.
    Ndjson,
    /// One JSON array.
    Json,
    /// A header and rows.
    Csv,
    /// Lines as they were written.
    Raw,
    /// Columns, for what reads tables.
    Parquet,
}

impl Format {
    /// All, the one that is meant where nothing is said first.
    pub(crate) const ALL: [Self; 5] = [Self::Ndjson, Self::Json, Self::Csv, Self::Raw, Self::Parquet];

    /// The name in requests, which is also how files of it are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Raw => "raw",
            Self::Parquet => "parquet",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Raw => "log",
            other => other.name(),
        }
    }

    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Raw => "text/plain",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// By name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// By what a client accepts: the first it names.
    pub(crate) fn accepted(accept: &str) -> Option<Self> {
        accept.split(',').find_map(|kind| {
            let kind = essence(kind);
            Self::ALL.into_iter().find(|format| essence(format.media()).eq_ignore_ascii_case(kind))
        })
    }

    /// Whether what is left of an export can be had behind an event: to be put behind what came, or of Parquet as a file of its own.
    pub(crate) fn is_resumable_by_id(self) -> bool {
        matches!(self, Self::Ndjson | Self::Json | Self::Csv | Self::Parquet)
    }

    /// Whether its bytes are packed already, so that packing them once more only keeps readers out.
    pub(crate) fn is_packed(self) -> bool {
        self == Self::Parquet
    }
}

fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}

/// How bytes are made fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    /// The name in requests, and as a content coding.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// The media type of a packed file.
    pub(crate) fn media(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("application/gzip"),
            Self::Zstd => Some("application/zstd"),
        }
    }

    /// By name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|packing| packing.name() == name)
    }

    /// The best that a client accepts as a content coding; what it gives no weight to it does not.
    pub(crate) fn accepted(accept_encoding: &str) -> Self {
        let takes = |name: &str| {
            accept_encoding.split(',').any(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                named && weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0))
            })
        };
        [Self::Zstd, Self::Gzip].into_iter().find(|packing| takes(packing.name())).unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_accepts_is_chosen() {
        for (accept, expected) in [
            ("*/*", None),
            ("text/html, text/csv;q=0.9, application/json", Some(Format::Csv)),
            ("APPLICATION/X-NDJSON", Some(Format::Ndjson)),
            ("application/vnd.apache.parquet, */*", Some(Format::Parquet)),
        ] {
            assert_eq!(Format::accepted(accept), expected, "{accept}");
        }
        for (accept, expected) in [
            ("", Packing::None),
            ("gzip, deflate, br, zstd", Packing::Zstd),
            ("zstd;q=0, gzip;q=0.5", Packing::Gzip),
            ("br", Packing::None),
        ] {
            assert_eq!(Packing::accepted(accept), expected, "{accept}");
        }
    }
}
