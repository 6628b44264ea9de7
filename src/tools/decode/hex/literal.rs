//! Bytes as Python, Rust and C write them in quotes: `b'\x81\x05Hello'`.

use super::plain::shown;
use crate::explain::hex::digit;

/// Characters in quotes, some of them written as escapes.
pub(super) struct Literal {
    quote: u8,
    is_open: bool,
    /// An incomplete escape, from its backslash on.
    escape: Vec<u8>,
}

impl Literal {
    /// The reader of a literal, if `line` begins with one.
    pub(super) fn beginning(line: &[u8]) -> Option<Self> {
        let quote = match line {
            [b'b', quote @ (b'\'' | b'"'), ..] => *quote,
            [quote @ (b'\'' | b'"'), rest @ ..] if rest.contains(&b'\\') => *quote,
            _ => return None,
        };
        Some(Self { quote, is_open: false, escape: Vec::new() })
    }

    /// Reads more text and appends its bytes to `out`.
    ///
    /// # Errors
    /// A sentence: a character that is not allowed there, an unknown escape, or a line that ends in quotes.
    pub(super) fn read(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        text.iter().try_for_each(|byte| self.take(*byte, out))
    }

    /// Ends the text.
    ///
    /// # Errors
    /// A sentence, if the text ends in quotes.
    pub(super) fn finish(&self) -> Result<(), String> {
        match self.is_open {
            true => Err(format!("the quote {} is not closed", shown(self.quote))),
            false => Ok(()),
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), String> {
        if !self.escape.is_empty() {
            self.escape.push(byte);
            if let Some(byte) = escaped(&self.escape)? {
                self.escape.clear();
                out.push(byte);
            }
            return Ok(());
        }
        match byte {
            quote if quote == self.quote => self.is_open = !self.is_open,
            b'\\' if self.is_open => self.escape.push(byte),
            b'\n' if self.is_open => return self.finish(),
            b' '..=b'~' if self.is_open => out.push(byte),
            b'b' | b'+' | b'(' | b')' | b',' | b';' | b'}' | b']' if !self.is_open => (),
            other if other.is_ascii_whitespace() && !self.is_open => (),
            other if self.is_open => {
                return Err(format!("{} in quotes must be written as an escape", shown(other)));
            }
            other => return Err(format!("{} is outside the quotes", shown(other))),
        }
        Ok(())
    }
}

/// The byte of an escape; `None` while the escape is incomplete.
fn escaped(escape: &[u8]) -> Result<Option<u8>, String> {
    let byte = match escape {
        [_, b'x'] => return Ok(None),
        [_, b'x', high] if digit(*high).is_some() => return Ok(None),
        [_, b'x', high, low] => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
        [_, b'n'] => Some(b'\n'),
        [_, b'r'] => Some(b'\r'),
        [_, b't'] => Some(b'\t'),
        [_, b'0'] => Some(0),
        [_, own @ (b'\\' | b'\'' | b'"')] => Some(*own),
        _ => None,
    };
    byte.map(Some).ok_or_else(|| "an escape is like \\x81, \\n or \\\\".to_owned())
}
