//! Hex digits in pairs, with anything usual between them.

use super::{digit, shown};

/// Reads them octet by octet, so that a line may be of any length.
#[derive(Default)]
pub(super) struct Plain {
    /// The first digit of a pair.
    high: Option<u8>,
    /// Digits since the last separator.
    digits: u64,
    prefix: Prefix,
    /// Had the number before a prefix, if a comma followed it?
    list: Option<Prefix>,
    is_backslash: bool,
    is_comment: bool,
}

/// What stands before the digits of an octet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Prefix {
    #[default]
    None,
    /// `0x`: then a single digit is an octet too.
    Zero,
    /// `\x`: then two digits are all, and what follows may be text.
    Backslash,
}

impl Plain {
    pub(super) fn read(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let mut octets = Vec::with_capacity(text.len() / 2);
        let read = text.iter().try_for_each(|octet| self.take(*octet, &mut octets));
        out(&octets);
        read
    }

    fn take(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let was_backslash = std::mem::replace(&mut self.is_backslash, octet == b'\\');
        match (octet, digit(octet)) {
            (b'\n', _) => {
                self.is_comment = false;
                self.end(octet, out)?;
            }
            _ if self.is_comment => (),
            (_, Some(_)) if self.prefix == Prefix::Backslash && self.digits == 2 => {
                return Err(in_quotes(octet));
            }
            (_, Some(low)) => self.digit(low, out),
            (b'x' | b'X', None) if was_backslash || self.high == Some(0) && self.digits == 1 => {
                (self.high, self.digits) = (None, 0);
                self.prefix = if was_backslash { Prefix::Backslash } else { Prefix::Zero };
            }
            (b'#', None) => {
                self.is_comment = true;
                self.end(octet, out)?;
            }
            (b'-', None) if self.digits != 2 => {
                return Err("'-' stands between octets, as in 81-05".to_owned());
            }
            (b' ' | b'\t' | b'\r' | b',' | b';' | b':' | b'-' | b'\\' | b'"' | b'\'', None)
            | (b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'<' | b'>', None) => {
                self.end(octet, out)?;
            }
            (other, None) if self.prefix == Prefix::Backslash => return Err(in_quotes(other)),
            (other, None) => return Err(no_digit(other)),
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

    /// A separator: what came before it is a number of octets.
    fn end(&mut self, separator: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let prefix = std::mem::take(&mut self.prefix);
        let digits = std::mem::take(&mut self.digits);
        match self.high.take() {
            Some(octet) if digits == 1 && prefix == Prefix::Zero => out.push(octet),
            Some(_) => {
                let many =
                    if digits == 1 { "one hex digit" } else { "an odd number of hex digits" };
                return Err(format!("{many} in a row; each octet takes two, as in 81 05"));
            }
            None => (),
        }
        if digits != 0 {
            let is_mixed = self.list.is_some_and(|before| before != prefix);
            if is_mixed {
                return Err(
                    "of these octets some have 0x and some have not; write all with it, or none"
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

fn no_digit(octet: u8) -> String {
    match octet {
        b'.' => super::LEFT_OUT.to_owned(),
        b'*' => "'*' stands for rows that are left out; with -v they are written".to_owned(),
        _ => {
            format!("{} is no hex digit; octets are written as in 81 05 or 0x81,0x05", shown(octet))
        }
    }
}

fn in_quotes(octet: u8) -> String {
    format!("{} follows \\x and two digits; text among octets stands in b'...'", shown(octet))
}
