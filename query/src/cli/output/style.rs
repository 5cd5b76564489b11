//! [`Style`]: colours, or none. Severity and what was searched for are the only things that are coloured strongly.

use owo_colors::{OwoColorize as _, Style as Paint};

/// Colours, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    colour: bool,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing in particular.
    Plain,
    /// Of less interest than the rest.
    Dim,
    /// Who wrote it.
    Origin,
    /// A level.
    Level,
}

/// What a piece of JSON is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The name of a member.
    Name,
    /// Another string.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`.
    Word,
}

impl Style {
    pub(super) fn of(colour: bool) -> Self {
        Self { colour }
    }

    /// Whether there are colours.
    pub(super) fn is_coloured(self) -> bool {
        self.colour
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint(text, Paint::new().dimmed())
    }

    pub(super) fn heading(self, text: &str) -> String {
        self.paint(text, Paint::new().bold())
    }

    /// What was searched for.
    pub(super) fn mark(self, text: &str) -> String {
        self.paint(text, Paint::new().red().bold())
    }

    /// A text by what it is.
    pub(super) fn tone(self, text: &str, tone: Tone) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Dim => self.dim(text),
            Tone::Origin => self.paint(text, Paint::new().cyan()),
            Tone::Level => self.paint(text, level(text).1),
        }
    }

    /// A piece of JSON by what it is, in the colours that `jq` made usual.
    pub(super) fn json(self, text: &str, token: Token) -> String {
        let paint = match token {
            Token::Name => Paint::new().blue().bold(),
            Token::Text => Paint::new().green(),
            Token::Number => Paint::new().cyan(),
            Token::Word => Paint::new().magenta(),
        };
        self.paint(text, paint)
    }

    /// A mark and colour for a level: colour is never the only sign.
    pub(super) fn level(self, name: &str) -> String {
        let (mark, paint) = level(name);
        let known = mark != UNKNOWN || matches!(name, "debug" | "trace");
        self.paint(&format!("{mark} {:6}", if known { name } else { "" }), paint)
    }

    fn paint(self, text: &str, paint: Paint) -> String {
        if self.colour && !text.is_empty() { text.style(paint).to_string() } else { text.to_owned() }
    }
}

const UNKNOWN: char = '○';

fn level(name: &str) -> (char, Paint) {
    match name {
        "fatal" => ('◆', Paint::new().red().bold()),
        "error" => ('◆', Paint::new().red()),
        "warn" => ('●', Paint::new().yellow()),
        "notice" | "info" => ('◔', Paint::new().blue()),
        _ => (UNKNOWN, Paint::new().dimmed()),
    }
}
