//! What must hold for any input: one function a target, used by `make test` (the kept inputs, and some thousand seeded ones) and by
//! `make soak` (as many as fit into the time).
//!
//! A check answers with what the input was like, so that the search for inputs knows a new kind when it sees one, or with what is wrong.
//! Knows neither time nor threads; [`fuzzer`] does.

mod check;
pub mod fuzzer;
mod ground;
mod json;
mod mutate;
mod random;
mod seeds;

pub use ground::Ground;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Queries: parsed, printed, matched and piped, without a server.
    Language,
    /// Queries asked of a server whose events are in memory and of one whose events are in splits.
    Search,
    /// Bodies of `_search`, asked of both servers.
    Elastic,
    /// A pipe that reads a text (`parse`, `rex`, `eval`), and the text.
    Decode,
    /// Lookup tables as CSV.
    Lookup,
    /// Bodies of all doors, the door's name on the first line.
    Doors,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Language, Self::Search, Self::Elastic, Self::Decode, Self::Lookup, Self::Doors];

    /// What it and its corpus are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Search => "search",
            Self::Elastic => "elastic",
            Self::Decode => "decode",
            Self::Lookup => "lookup",
            Self::Doors => "doors",
        }
    }

    /// Tries an input: what it was like, in a few words.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, ground: &Ground, input: &[u8]) -> Result<String, String> {
        let text = || String::from_utf8_lossy(input);
        match self {
            Self::Language => check::language::check(ground, &text()),
            Self::Search => check::search::check(ground, &text()),
            Self::Elastic => check::elastic::check(ground, input),
            Self::Decode => check::decode::check(ground, &text()),
            Self::Lookup => check::lookup::check(ground, input),
            Self::Doors => check::doors::check(input),
        }
    }
}
