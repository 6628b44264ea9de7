//! Octets written as hex, in whatever dress tools and people give them.
//!
//! | dress | example |
//! |---|---|
//! | plain | `81 05 48`, `8105 48`, `0x81,0x05`, `\x81\x05`, `{ 0x81, 0x05 };` |
//! | listing | of `hexdump -C`, `xxd`, `od -t x1`, Wireshark: offset, octets, text |
//! | literal | `b'\x81\x05Hello'`, as Python shows octets |
//!
//! `#` begins a comment; in a listing only at the beginning of a line.

use listing::Listing;
use literal::Literal;

mod listing;
mod literal;

/// A line of a listing is short; whatever is longer is none.
const LINE_MAX: usize = 4096;

/// Reads such text piece by piece.
#[derive(Default)]
pub(super) struct HexReader {
    dress: Option<Dress>,
    /// The line under way, where lines matter.
    line: Vec<u8>,
    number: u64,
}

enum Dress {
    Plain(Plain),
    Listing(Listing),
    Literal(Literal),
}

impl HexReader {
    /// Takes more text and appends its octets to `out`.
    ///
    /// # Errors
    /// A sentence that names the line.
    pub(super) fn read(&mut self, text: &[u8], mut out: impl FnMut(&[u8])) -> Result<(), String> {
        for part in text.split_inclusive(|octet| *octet == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || LINE_MAX < self.line.len() {
                self.take_line(&mut out)?;
            }
        }
        Ok(())
    }

    /// The text is at its end.
    ///
    /// # Errors
    /// As above.
    pub(super) fn finish(&mut self, mut out: impl FnMut(&[u8])) -> Result<(), String> {
        self.line.push(b'\n');
        self.take_line(&mut out)
    }

    fn take_line(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        let number = self.number + 1;
        self.number += u64::from(line.ends_with(b"\n"));
        let is_comment = line.trim_ascii_start().starts_with(b"#");
        if self.dress.is_none() && !is_comment && !line.trim_ascii().is_empty() {
            self.dress = Some(Dress::of(&line));
        }
        let read = match &mut self.dress {
            None => Ok(()),
            Some(Dress::Plain(plain)) => plain.read(&line, out),
            Some(Dress::Listing(_) | Dress::Literal(_)) if is_comment => Ok(()),
            Some(Dress::Listing(listing)) => listing.read(&line, out),
            Some(Dress::Literal(literal)) => literal.read(&line, out),
        };
        read.map_err(|wrong| format!("line {number}: {wrong}"))
    }
}

impl Dress {
    /// By the first line that says something.
    fn of(line: &[u8]) -> Self {
        let line = line.trim_ascii();
        if let [b'b', quote @ (b'\'' | b'"'), ..] = line {
            return Self::Literal(Literal::new(*quote));
        }
        match Listing::beginning(line) {
            Some(listing) => Self::Listing(listing),
            None => Self::Plain(Plain::default()),
        }
    }
}

/// Hex digits in pairs, with anything usual between them.
#[derive(Default)]
struct Plain {
    /// The first digit of a pair.
    high: Option<u8>,
    /// Digits since the last separator.
    digits: u64,
    /// Did the digits begin with `0x` or `\x`? Then a single one is an octet too.
    has_prefix: bool,
    is_backslash: bool,
    is_comment: bool,
}

impl Plain {
    fn read(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let mut octets = Vec::with_capacity(text.len() / 2);
        for octet in text {
            self.take(*octet, &mut octets)?;
        }
        out(&octets);
        Ok(())
    }

    fn take(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let was_backslash = std::mem::replace(&mut self.is_backslash, octet == b'\\');
        match (octet, digit(octet)) {
            (b'\n', _) => {
                self.is_comment = false;
                self.end(out)?;
            }
            _ if self.is_comment => (),
            (_, Some(low)) => {
                self.digits += 1;
                match self.high.take() {
                    Some(high) => out.push(high << 4 | low),
                    None => self.high = Some(low),
                }
            }
            (b'x' | b'X', None) if was_backslash || self.high == Some(0) && self.digits == 1 => {
                (self.high, self.digits, self.has_prefix) = (None, 0, true);
            }
            (b'#', None) => {
                self.is_comment = true;
                self.end(out)?;
            }
            (b' ' | b'\t' | b'\r' | b',' | b';' | b':' | b'\\' | b'"' | b'\'', None) => {
                self.end(out)?
            }
            (b'{' | b'}' | b'[' | b']' | b'(' | b')', None) => self.end(out)?,
            (other, None) => return Err(no_digit(other)),
        }
        Ok(())
    }

    /// A separator: what came before it is a number of octets.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let is_single = self.has_prefix && self.digits == 1;
        match self.high.take() {
            Some(octet) if is_single => out.push(octet),
            Some(_) => {
                let many =
                    if self.digits == 1 { "one hex digit" } else { "an odd number of hex digits" };
                return Err(format!("{many} in a row; each octet takes two, as in 81 05"));
            }
            None => (),
        }
        (self.digits, self.has_prefix) = (0, false);
        Ok(())
    }
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn shown(octet: u8) -> String {
    if octet.is_ascii() {
        format!("'{}'", octet.escape_ascii())
    } else {
        format!("octet {octet:02x}")
    }
}

fn no_digit(octet: u8) -> String {
    format!("{} is no hex digit; octets are written as in 81 05 or 0x81,0x05", shown(octet))
}

/// Is it text in hex, by its beginning, rather than the octets themselves?
#[must_use]
pub(super) fn is_hex(beginning: &[u8]) -> bool {
    let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    let mut lines = beginning.split(|octet| *octet == b'\n').map(|line| {
        let comment = line.iter().position(|octet| *octet == b'#');
        line.get(..comment.unwrap_or(line.len())).unwrap_or(line)
    });
    let first = lines.clone().find(|line| !line.trim_ascii().is_empty());
    let is_method = |line: &[u8]| {
        let word = line.split(|octet| matches!(octet, b' ' | b'/')).next().unwrap_or_default();
        word.iter().all(u8::is_ascii_uppercase) && !word.iter().all(u8::is_ascii_hexdigit)
    };
    lines.all(|line| line.iter().all(is_text)) && !first.is_some_and(is_method)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_in(text: &[u8], size: usize) -> Result<Vec<u8>, String> {
        let mut octets = Vec::new();
        let mut reader = HexReader::default();
        for part in text.chunks(size) {
            reader.read(part, |more| octets.extend_from_slice(more))?;
        }
        reader.finish(|more| octets.extend_from_slice(more))?;
        Ok(octets)
    }

    const HELLO: [u8; 7] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

    #[test]
    fn every_usual_dress_is_read() {
        for text in [
            "81 05 48 65 6c 6c 6f",
            "8105 4865 6c6c 6F",
            "810548656c6c6f",
            "0x81,0x5,0x48,0x65,0x6c,0x6c,0x6f",
            "{ 0x81, 0x05, 0x48, 0x65,\n  0x6C, 0x6c, 0x6f };",
            "[0x81 0x05 0X48 0x65 0x6c 0x6c 0x6f]",
            r"\x81\x05\x48\x65\x6c\x6c\x6f",
            r#""\x81\x05" "\x48\x65\x6c\x6c\x6f""#,
            "81:05:48:65:6c:6c:6f",
            "# a text\n81 05 # the header\r\n\r\n48 65 6c 6c 6f # höhe: Hello",
            "00000000  81 05 48 65 6c 6c 6f                              |..Hello|\n00000007\n",
            "00000010  81 05 48 65 6c 6c 6f                              |..He|lo|\n00000017\n",
            "00000000: 8105 4865 6c6c 6f                        ..Hello\n",
            "# by xxd -c 4\n00000000: 8105 4865  ..He\n00000004: 6c6c 6f    llo\n",
            "0000000 81 05 48 65\n0000004 6c 6c 6f\n0000007\n",
            "000000 81 05 48 65 6c 6c 6f\n000007\n",
            "000000 81 05 48 65 6c 6c 6f  >..Hello<\n000007\n",
            "0000   81 05 48 65 6c 6c 6f                              ..Hello\n",
            r"b'\x81\x05Hello'",
            "b\"\\x81\\x05Hel\"\nb\"lo\"",
        ] {
            for size in [1, 3, 1000] {
                assert_eq!(read_in(text.as_bytes(), size).as_deref(), Ok(&HELLO[..]), "{text}");
            }
            assert!(is_hex(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_star_repeats_the_row_before() {
        let listing = "00000000  82 7f 00 00 00 00 00 01  00 00 00 00 00 00 00 00  |................|\n\
            00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
            00010000  01 02 03                                          |...|\n00010003\n";
        let octets = read_in(listing.as_bytes(), 7).unwrap();
        assert_eq!((octets.len(), &octets[0xfffe..]), (0x10003, &[0, 0, 1, 2, 3][..]));
        let od = "0000000 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41\n*\n0000100\n";
        assert_eq!(read_in(od.as_bytes(), 1000).unwrap(), [0x41; 64], "od counts in octal");
    }

    #[test]
    fn what_is_no_hex_is_named_with_its_line() {
        for (text, wrong) in [
            ("81 05\n48 6", "line 2: one hex digit in a row"),
            ("815 05", "line 1: an odd number"),
            ("81 05 Hello", "line 1: 'H' is no hex digit"),
            ("81 \u{1b}[31m", "line 1: '\\x1b' is no hex digit"),
            ("x81", "line 1: 'x' is no hex digit"),
            ("00000000: 8105\n00000003: 48", "line 2: offset 3 after 2: octets between"),
            ("00000000: 8105\n00000001: 48", "line 2: offset 1 after 2: the rows"),
            ("00000000: 8105\nhello", "line 2: a row of a listing begins"),
            ("00000000: 8105\n*\nffffffffffffffff:", "line 3: offset ffffffffffffffff after 2"),
            ("00000000: 8105\n*\n*", ""),
            (r"b'\q'", "line 1: an escape"),
            (r"b'a' c", "line 1: 'c' stands outside"),
        ] {
            match read_in(text.as_bytes(), 5) {
                Ok(_) => assert_eq!(wrong, "", "{text}"),
                Err(sentence) => {
                    assert!(sentence.starts_with(wrong) && !wrong.is_empty(), "{sentence}")
                }
            }
        }
    }

    #[test]
    fn octets_are_told_from_hex() {
        for octets in [
            &HELLO[..],
            &[0x01, 0x03, b'H', b'e', b'l'],
            b"GET /chat HTTP/1.1\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n",
            b"HEAD / HTTP/1.1\r\n",
            b"DELETE / HTTP/1.1\r\n",
        ] {
            assert!(!is_hex(octets), "{octets:?}");
        }
        for text in ["", "#", "81", "A1 B2", "DE", "DEAD BEEF", "hello"] {
            assert!(is_hex(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_does_not_panic_and_memory_is_bounded(
            text in "[0-9a-f]{0,8}[ :]{0,3}([0-9a-fx\\\\#|>*\n \t'b\"]|\\PC){0,60}",
            size in 1usize..20,
        ) {
            let whole = read_in(text.as_bytes(), usize::MAX);
            if let Ok(octets) = read_in(text.as_bytes(), size) {
                prop_assert_eq!(Ok(octets), whole);
            }
        }

        #[test]
        fn what_is_written_is_read(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let plain: String = octets.iter().map(|octet| format!("{octet:02x} ")).collect();
            prop_assert_eq!(read_in(plain.as_bytes(), 3), Ok(octets.clone()));
            let rows: Vec<String> = octets.chunks(16).enumerate().map(|(row, octets)| {
                let hex: String = octets.iter().map(|octet| format!("{octet:02x} ")).collect();
                let text: String = octets.iter().map(|octet| match octet {
                    b' '..=b'~' => char::from(*octet),
                    _ => '.',
                }).collect();
                format!("{:08x}  {hex:<49} |{text}|\n", 16 * row)
            }).collect();
            prop_assert_eq!(read_in(rows.concat().as_bytes(), 11), Ok(octets));
        }
    }
}
