//! [`Look`]: how a result is shown, decided once from flags, variables and where it goes.

use std::io;

use anstream::{AutoStream, ColorChoice};

use super::columns::Layout;
use super::marks::Marks;
use super::style::Style;
use super::zone::Zone;
use crate::cli::args::{Colour, Format, OutputArgs};

/// How a result is shown.
#[derive(Default)]
pub(super) struct Look {
    /// Colours.
    pub(super) style: Style,
    /// Whether people look at it: then nothing in it may have power over their terminal.
    pub(super) for_people: bool,
    /// Whether the names of columns are printed.
    pub(super) header: bool,
    /// Columns of the terminal, if it goes to one.
    pub(super) room: Option<usize>,
    /// Where events matched.
    pub(super) marks: Marks,
    /// The zone of times.
    pub(super) zone: Zone,
}

impl Look {
    pub(super) fn of(args: &OutputArgs, format: Format, terminal: bool, marks: Marks) -> Self {
        let wished = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let colour = is_coloured(args.color, format, terminal, wished);
        Self {
            style: Style::of(colour),
            for_people: terminal || colour,
            header: !args.no_header,
            room: terminal.then(width).flatten(),
            marks,
            zone: Zone::new(args.tz.clone()),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        Layout { style: self.style, room: self.room, header: self.header }
    }
}

/// `wished` is what the environment says. Only who names `always` gets colours in lines that programs read.
fn is_coloured(colour: Colour, format: Format, terminal: bool, wished: bool) -> bool {
    match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => wished && (terminal || format == Format::Table),
    }
}

/// The variable COLUMNS, as for other commands, else what the terminal says.
fn width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    said.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_programs_are_coloured_only_by_name() {
        for (colour, format, terminal, wished, expected) in [
            (Colour::Auto, Format::Raw, true, true, true),
            (Colour::Auto, Format::Raw, true, false, false),
            // CLICOLOR_FORCE in a pipe.
            (Colour::Auto, Format::Raw, false, true, false),
            (Colour::Auto, Format::Table, false, true, true),
            (Colour::Always, Format::Raw, false, false, true),
            (Colour::Never, Format::Table, true, true, false),
        ] {
            assert_eq!(is_coloured(colour, format, terminal, wished), expected, "{colour:?} {format:?}");
        }
    }
}
