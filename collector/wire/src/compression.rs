//! Content encodings, with a cap on what they may expand to.
//!
//! Expansion is streamed and stops one byte past the cap, so that a bomb costs the cap in memory and no more.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd::stream::read::Decoder as ZstdDecoder;
use zstd::zstd_safe;

/// Largest zstd window taken, as a power of two: 8 MiB, what RFC 8878 §3.1.1.1.2 asks a decoder to support. A frame's
/// window is allocated before its first byte, so it must not be the sender's choice.
const WINDOW_LOG_MAX: u32 = 23;

/// How much is expanded before there is anything to double.
const FIRST_STEP: usize = 64 << 10;

/// The level of [`compress`]: zstd's own default.
const LEVEL: i32 = 3;

/// A content encoding of HTTP bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As is.
    #[default]
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 1950, which HTTP calls so; bare RFC 1951, which some senders take it for, is read too.
    Deflate,
    /// Snappy's raw format, without frames.
    Snappy,
}

/// Why a body could not be expanded.
#[derive(Debug, thiserror::Error)]
pub enum CompressionError {
    /// It expands beyond the cap.
    #[error("the body expands to more than {max_bytes} bytes")]
    TooLarge {
        /// The cap.
        max_bytes: usize,
    },
    /// Whoever was asked for room for the result had none left.
    #[error("there is no room to expand the body now")]
    NoRoom,
    /// It is not what its encoding says.
    #[error("the body is not valid {encoding}")]
    Malformed {
        /// The encoding's name.
        encoding: &'static str,
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
}

impl Encoding {
    /// From the value of `Content-Encoding`; `None` for one that is not supported.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            "deflate" => Self::Deflate,
            "snappy" => Self::Snappy,
            _ => return None,
        })
    }

    /// The value for `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
        }
    }
}

/// Compresses with zstd level 3.
///
/// # Errors
/// The compressor could not get memory.
pub fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(plain, LEVEL)
}

/// Expands `body`, never holding more than `max_bytes` of result. Several gzip members or zstd frames in a row are one body.
///
/// # Errors
/// See [`CompressionError`].
pub fn decompress(body: &[u8], encoding: Encoding, max_bytes: usize) -> Result<Vec<u8>, CompressionError> {
    decompress_within(body, encoding, max_bytes, |_| true)
}

/// As [`decompress`], asking `room` for the bytes that the result takes before it takes them. `room` is told the whole, not the
/// difference, and says whether there is so much.
///
/// # Errors
/// See [`CompressionError`].
pub fn decompress_within(
    body: &[u8],
    encoding: Encoding,
    max_bytes: usize,
    room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, CompressionError> {
    match encoding {
        Encoding::Identity if body.len() > max_bytes => Err(CompressionError::TooLarge { max_bytes }),
        Encoding::Identity => Ok(body.to_vec()),
        Encoding::Gzip => read_capped(MultiGzDecoder::new(body), encoding, max_bytes, room),
        Encoding::Zstd => {
            refuse_announced_size(body, max_bytes)?;
            let decoder = zstd_decoder(body).map_err(|error| malformed(encoding, error))?;
            read_capped(decoder, encoding, max_bytes, room)
        }
        Encoding::Deflate if has_zlib_header(body) => {
            read_capped(ZlibDecoder::new(body), encoding, max_bytes, room)
        }
        Encoding::Deflate => read_capped(DeflateDecoder::new(body), encoding, max_bytes, room),
        Encoding::Snappy => unsnap(body, max_bytes, room),
    }
}

/// RFC 1950 §2.2: method 8, and the two bytes are a multiple of 31.
fn has_zlib_header(body: &[u8]) -> bool {
    let [method, flags, ..] = body else { return false };
    method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
}

/// The format says its size before anything else, and is not believed beyond what its bytes can be.
fn unsnap(
    body: &[u8],
    max_bytes: usize,
    mut room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, CompressionError> {
    let failed = |error: snap::Error| malformed(Encoding::Snappy, io::Error::other(error));
    let size = snap::raw::decompress_len(body).map_err(failed)?;
    // A copy of three bytes makes at most 64.
    if size > body.len().saturating_mul(64) {
        return Err(malformed(
            Encoding::Snappy,
            io::Error::other("it says that it is larger than it can be"),
        ));
    }
    if size > max_bytes {
        return Err(CompressionError::TooLarge { max_bytes });
    }
    if !room(size) {
        return Err(CompressionError::NoRoom);
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(failed)
}

/// A frame that says it is too large is refused before it costs anything. One that lies is caught while reading.
fn refuse_announced_size(body: &[u8], max_bytes: usize) -> Result<(), CompressionError> {
    match zstd_safe::get_frame_content_size(body) {
        Ok(Some(size)) if size > max_bytes as u64 => Err(CompressionError::TooLarge { max_bytes }),
        _ => Ok(()),
    }
}

fn zstd_decoder(body: &[u8]) -> io::Result<ZstdDecoder<'static, &[u8]>> {
    let mut decoder = ZstdDecoder::with_buffer(body)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

fn read_capped(
    mut decoder: impl Read,
    encoding: Encoding,
    max_bytes: usize,
    mut room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, CompressionError> {
    let mut plain = Vec::new();
    while plain.len() <= max_bytes {
        // As much again as there is: what is asked for is what a growing vector takes.
        let step = plain.len().max(FIRST_STEP).min(max_bytes - plain.len() + 1);
        if !room(plain.len() + step) {
            return Err(CompressionError::NoRoom);
        }
        plain.reserve_exact(step);
        let read = (&mut decoder).take(step as u64).read_to_end(&mut plain);
        if read.map_err(|source| malformed(encoding, source))? < step {
            return Ok(plain);
        }
    }
    Err(CompressionError::TooLarge { max_bytes })
}

fn malformed(encoding: Encoding, source: io::Error) -> CompressionError {
    CompressionError::Malformed { encoding: encoding.name(), source }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[track_caller]
    fn check(body: &[u8], encoding: Encoding, max_bytes: usize, expected: Result<&[u8], &str>) {
        let got = decompress(body, encoding, max_bytes).map_err(|error| error.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn what_was_compressed_comes_back() {
        check(b"plain", Encoding::Identity, 5, Ok(b"plain"));
        check(&gzip(b"hello"), Encoding::Gzip, 5, Ok(b"hello"));
        check(&compress(b"hello").unwrap(), Encoding::Zstd, 5, Ok(b"hello"));
        check(&compress(b"").unwrap(), Encoding::Zstd, 5, Ok(b""));
    }

    #[test]
    fn deflate_is_read_with_its_header_and_without() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").unwrap();
        check(&zlib.finish().unwrap(), Encoding::Deflate, 5, Ok(b"hello"));
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(b"hello").unwrap();
        check(&bare.finish().unwrap(), Encoding::Deflate, 5, Ok(b"hello"));
        check(b"", Encoding::Deflate, 5, Err("the body is not valid deflate"));
        check(b"\x78\x9cno", Encoding::Deflate, 5, Err("the body is not valid deflate"));
    }

    #[test]
    fn snappy_is_believed_no_further_than_its_bytes_go() {
        let snapped = snap::raw::Encoder::new().compress_vec(&[7; 5000]).unwrap();
        check(&snapped, Encoding::Snappy, 5000, Ok(&[7; 5000]));
        check(&snapped, Encoding::Snappy, 4999, Err("the body expands to more than 4999 bytes"));
        let malformed = Err("the body is not valid snappy");
        check(&snapped[..snapped.len() - 1], Encoding::Snappy, 5000, malformed);
        check(b"\xff\xff\xff\xff\x0f", Encoding::Snappy, 1 << 30, malformed);
        check(b"", Encoding::Snappy, 10, malformed);
        let none = decompress_within(&snapped, Encoding::Snappy, 5000, |bytes| bytes < 5000);
        assert!(matches!(none, Err(CompressionError::NoRoom)));
    }

    #[test]
    fn members_and_frames_in_a_row_are_one_body() {
        let members = [gzip(b"one "), gzip(b"two")].concat();
        check(&members, Encoding::Gzip, 7, Ok(b"one two"));
        let frames = [compress(b"one ").unwrap(), compress(b"two").unwrap()].concat();
        check(&frames, Encoding::Zstd, 7, Ok(b"one two"));
        check(&frames, Encoding::Zstd, 6, Err("the body expands to more than 6 bytes"));
        check(&members, Encoding::Gzip, 6, Err("the body expands to more than 6 bytes"));
    }

    #[test]
    fn what_is_cut_or_damaged_is_malformed() {
        for (encoding, body) in [
            (Encoding::Gzip, gzip(&[7; 4096])),
            (Encoding::Zstd, compress(&(0..4096).map(|i| (i * i) as u8).collect::<Vec<_>>()).unwrap()),
        ] {
            let message = format!("the body is not valid {}", encoding.name());
            check(&body[..body.len() - 3], encoding, 1 << 20, Err(&message));
            check(b"neither gzip nor zstd", encoding, 1 << 20, Err(&message));
        }
        check(b"", Encoding::Gzip, 10, Err("the body is not valid gzip"));
    }

    #[test]
    fn a_bomb_is_refused_at_the_cap() {
        const GIB: u64 = 1 << 30;
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        io::copy(&mut io::repeat(0).take(GIB), &mut encoder).unwrap();
        let silent = encoder.finish().unwrap();
        assert!(silent.len() < 200_000, "{}", silent.len());
        let too_large = "the body expands to more than 1048576 bytes";
        check(&silent, Encoding::Zstd, 1 << 20, Err(too_large));

        let announced = compress(&vec![0; 8 << 20]).unwrap();
        check(&announced, Encoding::Zstd, 1 << 20, Err(too_large));
        check(&gzip(&vec![0; 8 << 20]), Encoding::Gzip, 1 << 20, Err(too_large));
    }

    #[test]
    fn room_is_asked_for_before_it_is_taken() {
        let body = compress(&vec![7; 1 << 20]).unwrap();
        let mut asked = Vec::new();
        let mut room = |bytes| {
            asked.push(bytes);
            bytes <= 300_000
        };
        let expanded = decompress_within(&body, Encoding::Zstd, 4 << 20, &mut room);
        assert!(matches!(expanded, Err(CompressionError::NoRoom)));
        assert_eq!(asked, [1 << 16, 1 << 17, 1 << 18, 1 << 19]);
        assert_eq!(decompress_within(&body, Encoding::Zstd, 4 << 20, |_| true).unwrap().len(), 1 << 20);
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[1; 1000]).unwrap();
        check(&encoder.finish().unwrap(), Encoding::Zstd, 1 << 20, Err("the body is not valid zstd"));
    }
}
