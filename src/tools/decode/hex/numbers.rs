//! Octets as numbers: `[129, 5, 72]`, `{ 0x81, 5 }` in the text of a program, `0b10000001`.

use super::shown;

/// Characters of the longest number: `0b1_000_0001` has twelve.
const NUMBER_MAX: usize = 16;

/// Reads them octet by octet.
pub(super) struct Numbers {
    form: Form,
    /// The number under way.
    number: Vec<u8>,
    count: u64,
    is_closed: bool,
    is_comment: bool,
}

/// How a number without a prefix is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Decimal.
    List,
    /// Decimal, and the list ends where its bracket closes.
    Program,
    /// Eight binary digits.
    Bits,
}

impl Numbers {
    pub(super) fn new(form: Form) -> Self {
        Self { form, number: Vec::new(), count: 0, is_closed: false, is_comment: false }
    }

    pub(super) fn read(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let mut octets = Vec::new();
        let mut rest = text;
        let mut read = Ok(());
        while let ([octet, later @ ..], false, true) = (rest, self.is_closed, read.is_ok()) {
            read = self.take(*octet, &mut octets);
            rest = later;
        }
        self.count += octets.len() as u64;
        out(&octets);
        read?;
        if self.is_closed { self.behind(rest) } else { Ok(()) }
    }

    fn take(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), String> {
        match octet {
            b'\n' => {
                self.is_comment = false;
                self.end(out)?;
            }
            _ if self.is_comment => (),
            b'-' | b'_' => self.number.push(octet),
            _ if octet.is_ascii_alphanumeric() => self.number.push(octet),
            b'#' => {
                self.is_comment = true;
                self.end(out)?;
            }
            b' ' | b'\t' | b'\r' | b',' | b';' | b'[' | b'{' | b'(' | b'<' => self.end(out)?,
            b']' | b'}' | b')' | b'>' => {
                self.end(out)?;
                self.is_closed = self.form == Form::Program;
            }
            b'.' => return Err(super::LEFT_OUT.to_owned()),
            other => return Err(format!("{} stands among the numbers", shown(other))),
        }
        if NUMBER_MAX < self.number.len() { self.end(out) } else { Ok(()) }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        if self.number.is_empty() {
            return Ok(());
        }
        let number = std::mem::take(&mut self.number);
        let octet = match self.form {
            Form::Bits => bits(&number),
            Form::List | Form::Program => octet(&number),
        };
        let octet = octet.ok_or_else(|| {
            let number = number.escape_ascii();
            match self.form {
                Form::Bits => format!("'{number}' is no octet in eight binary digits"),
                Form::List | Form::Program => format!(
                    "'{number}' is no octet; this list was taken for decimal numbers up to 255"
                ),
            }
        })?;
        out.push(octet);
        Ok(())
    }

    /// What `xxd -i` writes behind the array is held against it; a second array may be of the other peer.
    fn behind(&self, text: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(text);
        let text = text.trim_matches(|c: char| c.is_whitespace() || ";,)]}>".contains(c));
        let lengths = ["_len = ", "_LEN = "];
        let Some((_, length)) = lengths.iter().find_map(|name| text.split_once(name)) else {
            return match text {
                "" => Ok(()),
                _ => Err("something stands behind the array; give one array alone".to_owned()),
            };
        };
        match length.parse() == Ok(self.count) {
            true => Ok(()),
            false => Err(format!(
                "the array has {} octets, and '{}' is said to be its length",
                self.count,
                length.escape_debug()
            )),
        }
    }
}

/// A number as programs write it: decimal, signed or not, or with `0x` or `0b`.
pub(super) fn octet(number: &[u8]) -> Option<u8> {
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

/// Eight binary digits.
pub(super) fn bits(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.len() == 8)?;
    u8::from_str_radix(digits, 2).ok().filter(|_| !digits.starts_with('+'))
}
