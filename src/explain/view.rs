//! How a page is laid out: its width, its colours, its lines.

/// What a page is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Columns.
    pub width: usize,
    /// Is it a screen with colours?
    pub colour: Colour,
}

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text alone.
    Off,
    /// Escape sequences of a terminal (ECMA-48, SGR).
    On,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Heading,
    /// The name of something.
    Name,
    /// It is as it should be.
    Right,
    /// It is not.
    Wrong,
}

impl View {
    /// `text` in the colour of `tone`.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Heading => "1",
            Tone::Name => "36",
            Tone::Right => "32",
            Tone::Wrong => "31",
        };
        match self.colour {
            Colour::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::Off => text.to_owned(),
        }
    }

    /// `text` in lines that fit, each indented; a word that fits no line is cut.
    #[must_use]
    pub fn wrap(self, text: &str, indent: usize) -> String {
        let room = self.width.saturating_sub(indent).max(8);
        let mut lines = vec![String::new()];
        let mut used = 0;
        for word in text.split(' ') {
            let size = columns(word);
            let space = usize::from(used != 0);
            if room < used + space + size && used != 0 {
                lines.push(String::new());
                used = 0;
            }
            if used != 0 {
                push(&mut lines, ' ');
                used += 1;
            }
            for character in word.chars() {
                let size = width(character);
                if room < used + size {
                    lines.push(String::new());
                    used = 0;
                }
                push(&mut lines, character);
                used += size;
            }
        }
        let lines = lines.iter().map(|line| format!("{:indent$}{line}\n", ""));
        lines.collect()
    }
}

fn push(lines: &mut [String], character: char) {
    if let Some(line) = lines.last_mut() {
        line.push(character);
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Columns that a character takes on a terminal, at most: from Hangul on most take two.
fn width(character: char) -> usize {
    if character < '\u{1100}' || ('\u{2000}'..'\u{2300}').contains(&character) { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_nothing() {
        let view = View { width: 20, colour: Colour::Off };
        assert_eq!(view.wrap("one two three four", 4), "    one two three\n    four\n");
        assert_eq!(view.wrap("a 0123456789abcdefXYZ", 2), "  a\n  0123456789abcdefXY\n  Z\n");
        assert_eq!(view.wrap("", 2), "  \n");
        let view = View { width: 0, colour: Colour::Off };
        assert_eq!(view.wrap("0123456789", 40).replace(' ', ""), "01234567\n89\n");
        let view = View { width: 10, colour: Colour::Off };
        assert_eq!(view.wrap("日本語日本語", 0), "日本語日本\n語\n");
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted() {
        let view = View { width: 80, colour: Colour::Off };
        assert_eq!(view.paint(Tone::Wrong, "x"), "x");
        let view = View { width: 80, colour: Colour::On };
        assert_eq!(view.paint(Tone::Wrong, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
