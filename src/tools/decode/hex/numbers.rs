//! Bytes as numbers: `[129, 5, 72]`, `{ 0x81, 5 }` in the text of a program, `0b10000001`.

use super::plain::{LEFT_OUT, shown};

/// A longer number is an error: `0b1_000_0001` has twelve characters.
const NUMBER_MAX: usize = 16;

/// Reads them character by character.
pub(super) struct Numbers {
    format: NumberFormat,
    /// The current number, as far as it was read.
    number: Vec<u8>,
    count: u64,
    is_closed: bool,
    is_comment: bool,
}

/// The meaning of a number without a prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// Decimal.
    List,
    /// Decimal; the list ends with its closing bracket.
    Program,
    /// Eight binary digits.
    Bits,
}

impl Numbers {
    pub(super) fn new(format: NumberFormat) -> Self {
        Self { format, number: Vec::new(), count: 0, is_closed: false, is_comment: false }
    }

    /// Reads more text and appends its bytes to `out`.
    ///
    /// # Errors
    /// A sentence: a number that is not a byte, another character, or more text after the array.
    pub(super) fn read(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut rest = text;
        while let ([byte, later @ ..], false) = (rest, self.is_closed) {
            self.take(*byte, out)?;
            rest = later;
        }
        if self.is_closed { self.after_array(rest) } else { Ok(()) }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), String> {
        match byte {
            b'\n' => {
                self.is_comment = false;
                self.end(out)?;
            }
            _ if self.is_comment => (),
            b'-' | b'_' => self.number.push(byte),
            _ if byte.is_ascii_alphanumeric() => self.number.push(byte),
            b'#' => {
                self.is_comment = true;
                self.end(out)?;
            }
            b' ' | b'\t' | b'\r' | b',' | b';' | b'[' | b'{' | b'(' | b'<' => self.end(out)?,
            b']' | b'}' | b')' | b'>' => {
                self.end(out)?;
                self.is_closed = self.format == NumberFormat::Program;
            }
            b'.' => return Err(LEFT_OUT.to_owned()),
            other => return Err(format!("{} is not allowed among numbers", shown(other))),
        }
        if NUMBER_MAX < self.number.len() { self.end(out) } else { Ok(()) }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        if self.number.is_empty() {
            return Ok(());
        }
        let digits = std::mem::take(&mut self.number);
        let (byte, expected) = match self.format {
            NumberFormat::Bits => (bits(&digits), " in eight binary digits"),
            NumberFormat::List | NumberFormat::Program => {
                (number(&digits), "; this list was read as decimal numbers up to 255")
            }
        };
        let wrong = || format!("'{}' is not a byte{expected}", digits.escape_ascii());
        out.push(byte.ok_or_else(wrong)?);
        self.count += 1;
        Ok(())
    }

    /// Checks the length that `xxd -i` writes after the array. A second array is rejected: it may be the
    /// other peer's.
    fn after_array(&self, text: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(text);
        let text = text.trim_matches(|c: char| c.is_whitespace() || ";,)]}>".contains(c));
        let lengths = ["_len = ", "_LEN = "];
        let Some((_, length)) = lengths.iter().find_map(|name| text.split_once(name)) else {
            return match text {
                "" => Ok(()),
                _ => Err("there is more text after the array; give one array alone".to_owned()),
            };
        };
        match length.parse() == Ok(self.count) {
            true => Ok(()),
            false => Err(format!(
                "the array has {} bytes, but its length is given as '{}'",
                self.count,
                length.escape_debug()
            )),
        }
    }
}

/// The byte of a number in a program: decimal, signed or not, or with `0x` or `0b`.
pub(super) fn number(number: &[u8]) -> Option<u8> {
    let number = str::from_utf8(number).ok()?;
    if let Some(digits) = number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
        return u8::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = number.strip_prefix("0b") {
        return u8::from_str_radix(&digits.replace('_', ""), 2).ok();
    }
    let is_octal = number.len() != 1 && number.starts_with('0');
    let signed = number.parse::<i8>().ok().map(i8::cast_unsigned);
    signed.or_else(|| number.parse().ok()).filter(|_| !is_octal)
}

/// The byte of eight binary digits.
pub(super) fn bits(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.len() == 8)?;
    u8::from_str_radix(digits, 2).ok().filter(|_| !digits.starts_with('+'))
}
