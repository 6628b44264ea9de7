//! Hex digits in pairs, with any common separator.

use crate::explain::hex::digit;

/// The error for a point among bytes.
pub(super) const LEFT_OUT: &str = "'.' is not a byte; if points stand for bytes that were left out, \
    print all bytes, as buf.toString('hex') does";

/// Reads them character by character, so that a line can be of any length.
#[derive(Default)]
pub(super) struct Plain {
    /// The first digit of a pair.
    high: Option<u8>,
    /// Digits since the last separator.
    digits: u64,
    prefix: Prefix,
    /// The prefix of the number before, if a comma followed it.
    list: Option<Prefix>,
    is_backslash: bool,
    is_comment: bool,
}

/// The prefix of a byte.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Prefix {
    #[default]
    None,
    /// `0x`: one digit is enough for a byte.
    Zero,
    /// `\x`: exactly two digits; the next character may be text.
    Backslash,
}

impl Plain {
    /// Reads more text and appends its bytes to `out`.
    ///
    /// # Errors
    /// A sentence: an odd number of digits, a character that is not a digit or a separator, or bytes with
    /// and without `0x`.
    pub(super) fn read(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        text.iter().try_for_each(|byte| self.take(*byte, out))
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let was_backslash = std::mem::replace(&mut self.is_backslash, byte == b'\\');
        match (byte, digit(byte)) {
            (b'\n', _) => {
                self.is_comment = false;
                self.end(byte, out)?;
            }
            _ if self.is_comment => (),
            (_, Some(_)) if self.prefix == Prefix::Backslash && self.digits == 2 => {
                return Err(after_escape(byte));
            }
            (_, Some(low)) => self.digit(low, out),
            (b'x' | b'X', None) if was_backslash || self.high == Some(0) && self.digits == 1 => {
                (self.high, self.digits) = (None, 0);
                self.prefix = if was_backslash { Prefix::Backslash } else { Prefix::Zero };
            }
            (b'#', None) => {
                self.is_comment = true;
                self.end(byte, out)?;
            }
            (b'-', None) if self.digits != 2 => {
                return Err("'-' must stand between bytes, as in 81-05".to_owned());
            }
            (b' ' | b'\t' | b'\r' | b',' | b';' | b':' | b'-' | b'\\' | b'"' | b'\'', None)
            | (b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'<' | b'>', None) => {
                self.end(byte, out)?;
            }
            (other, None) if self.prefix == Prefix::Backslash => return Err(after_escape(other)),
            (other, None) => return Err(not_a_digit(other)),
        }
        Ok(())
    }

    fn digit(&mut self, low: u8, out: &mut Vec<u8>) {
        self.digits += 1;
        match self.high.take() {
            Some(high) => out.push(high << 4 | low),
            None => self.high = Some(low),
        }
    }

    /// Ends a group of digits at a separator.
    fn end(&mut self, separator: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let prefix = std::mem::take(&mut self.prefix);
        let digits = std::mem::take(&mut self.digits);
        match self.high.take() {
            Some(byte) if digits == 1 && prefix == Prefix::Zero => out.push(byte),
            Some(_) => {
                let many = match digits {
                    1 => "one hex digit alone",
                    _ => "an odd number of hex digits in a row",
                };
                return Err(format!("{many}; each byte has two, as in 81 05"));
            }
            None => (),
        }
        if digits != 0 {
            let is_mixed = self.list.is_some_and(|before| before != prefix);
            if is_mixed {
                return Err(
                    "some of these bytes have 0x and some do not; write all with 0x, or none"
                        .to_owned(),
                );
            }
            self.list = None;
        }
        if separator == b',' && digits != 0 {
            self.list = Some(prefix);
        }
        Ok(())
    }
}

/// A byte of the input in an error message.
pub(super) fn shown(byte: u8) -> String {
    if byte.is_ascii() { format!("'{}'", byte.escape_ascii()) } else { format!("byte {byte:02x}") }
}

fn not_a_digit(byte: u8) -> String {
    match byte {
        b'.' => LEFT_OUT.to_owned(),
        b'*' => "'*' stands for rows that were left out; -v writes them".to_owned(),
        _ => {
            format!("{} is not a hex digit; write bytes as in 81 05 or 0x81,0x05", shown(byte))
        }
    }
}

fn after_escape(byte: u8) -> String {
    format!("{} follows \\x and two digits; write text among bytes as in b'...'", shown(byte))
}
