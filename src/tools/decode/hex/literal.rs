//! Octets as Python shows them: `b'\x81\x05Hello'`.

use super::{digit, shown};

/// Characters in quotes, some of them written as escapes.
pub(super) struct Literal {
    quote: u8,
    is_open: bool,
}

impl Literal {
    pub(super) fn new(quote: u8) -> Self {
        Self { quote, is_open: false }
    }

    pub(super) fn read(&mut self, line: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let mut octets = Vec::new();
        let mut rest = line;
        while let [first, later @ ..] = rest {
            rest = later;
            match first {
                quote if *quote == self.quote => self.is_open = !self.is_open,
                b'\\' if self.is_open => {
                    let (octet, later) =
                        escape(rest).ok_or("an escape is like \\x81, \\n or \\\\")?;
                    octets.push(octet);
                    rest = later;
                }
                other if self.is_open => octets.push(*other),
                b'b' | b'+' | b'(' | b')' | b',' => (),
                other if other.is_ascii_whitespace() => (),
                other => return Err(format!("{} stands outside the quotes", shown(*other))),
            }
        }
        out(&octets);
        Ok(())
    }
}

/// The octet behind a backslash, and what follows it.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'x', high, low, rest @ ..] => Some((digit(*high)? << 4 | digit(*low)?, rest)),
        [b'n', rest @ ..] => Some((b'\n', rest)),
        [b'r', rest @ ..] => Some((b'\r', rest)),
        [b't', rest @ ..] => Some((b'\t', rest)),
        [b'0', rest @ ..] => Some((0, rest)),
        [own @ (b'\\' | b'\'' | b'"'), rest @ ..] => Some((*own, rest)),
        _ => None,
    }
}
