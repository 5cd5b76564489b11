//! [`Style`]: colours, or none. Severity is the only thing that is coloured strongly.

use owo_colors::{OwoColorize as _, Style as Paint};

/// Colours, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    colour: bool,
}

impl Style {
    pub(super) fn of(colour: bool) -> Self {
        Self { colour }
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint(text, Paint::new().dimmed())
    }

    pub(super) fn heading(self, text: &str) -> String {
        self.paint(text, Paint::new().bold())
    }

    pub(super) fn origin(self, text: &str) -> String {
        self.paint(text, Paint::new().cyan())
    }

    /// A mark and colour for a level: colour is never the only sign.
    pub(super) fn level(self, level: &str) -> String {
        match level {
            "fatal" => self.paint("◆ fatal ", Paint::new().red().bold()),
            "error" => self.paint("◆ error ", Paint::new().red()),
            "warn" => self.paint("● warn  ", Paint::new().yellow()),
            "notice" => self.paint("◔ notice", Paint::new().blue()),
            "info" => self.paint("◔ info  ", Paint::new().blue()),
            "debug" => self.paint("○ debug ", Paint::new().dimmed()),
            "trace" => self.paint("○ trace ", Paint::new().dimmed()),
            _ => self.dim("○       "),
        }
    }

    fn paint(self, text: &str, paint: Paint) -> String {
        if self.colour { text.style(paint).to_string() } else { text.to_owned() }
    }
}
