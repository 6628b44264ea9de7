//! How text is laid out: its width and its colours.

use super::text::wrap;

/// The terminal or file that text is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Columns of a line.
    pub width: usize,
    /// Whether colours are written.
    pub colour: Colour,
}

/// Whether text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Off,
    /// Escape sequences of a terminal (ECMA-48, SGR).
    On,
}

/// What a colour means, with its code in an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Heading = 1,
    /// The name of a field or of an example.
    Name = 36,
    /// A rule that is kept.
    Right = 32,
    /// A rule that is broken.
    Wrong = 31,
}

impl View {
    /// `text` in the colour of `tone`.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        match self.colour {
            Colour::On => format!("\u{1b}[{}m{text}\u{1b}[0m", tone as u8),
            Colour::Off => text.to_owned(),
        }
    }

    /// `text` in lines that fit, each indented and ended with a line feed.
    pub fn wrap(self, text: &str, indent: usize) -> String {
        format!("{:indent$}{}\n", "", wrap(text, indent, indent, self.width))
    }

    /// The same in the colour of `tone`.
    pub fn wrap_painted(self, tone: Tone, text: &str, indent: usize) -> String {
        format!("{}\n", self.paint(tone, self.wrap(text, indent).trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_indented_and_ended() {
        let view = View { width: 20, colour: Colour::Off };
        assert_eq!(view.wrap("one two three four", 4), "    one two three\n    four\n");
        assert_eq!(view.wrap("", 2), "  \n");
    }

    #[test]
    fn colours_are_written_only_when_they_are_on() {
        let view = View { width: 80, colour: Colour::Off };
        assert_eq!(view.paint(Tone::Wrong, "x"), "x");
        let view = View { width: 80, colour: Colour::On };
        assert_eq!(view.paint(Tone::Wrong, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(view.wrap_painted(Tone::Wrong, "x y", 2), "\u{1b}[31m  x y\u{1b}[0m\n");
    }
}
