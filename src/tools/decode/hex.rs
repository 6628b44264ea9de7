//! Reads bytes that are written as text, in the formats that tools and people use.
//!
//! | format | example |
//! |---|---|
//! | plain | `81 05 48`, `8105 48`, `81-05-48`, `81:05:48`, `0x81,0x05`, `\x81\x05`, `<Buffer 81 05>` |
//! | listing | of `hexdump`, `xxd`, `od -t x1`, `od -x`, Wireshark, a debugger: offset, bytes, text |
//! | literal | `b'\x81\x05Hello'`, as Python and Rust show bytes |
//! | numbers | `[129, 5, 72]`, `unsigned char x[] = { 0x81, 5 };`, `10000001 00000101` |
//!
//! `#` begins a comment; in a listing only at the beginning of a line. Ambiguous input is rejected, or
//! read with a note that says how.

use format::{Choice, InputFormat};
use plain::Plain;

mod format;
mod listing;
mod literal;
mod numbers;
mod plain;
mod row;

/// A longer line is not a line of a listing.
const LINE_MAX: usize = 4096;

/// Reads text in one of these formats, piece by piece.
#[derive(Default)]
pub(super) struct HexReader {
    /// `None` until the first line with content.
    format: Option<InputFormat>,
    /// Whether numbers without a prefix are known to be hex.
    is_hex: bool,
    note: Option<&'static str>,
    /// The current line, as far as it was read.
    line: Vec<u8>,
    /// The number of complete lines.
    lines: u64,
}

impl HexReader {
    /// A reader that takes ambiguous numbers for hex.
    pub(super) fn only_hex() -> Self {
        Self { is_hex: true, ..Self::default() }
    }

    /// Reads more text and appends its bytes to `out`.
    ///
    /// # Errors
    /// A sentence with the number of the line.
    pub(super) fn read(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || LINE_MAX < self.line.len() {
                self.take_line(out)?;
            }
        }
        Ok(())
    }

    /// Ends the text and appends its last bytes to `out`.
    ///
    /// # Errors
    /// As above.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.line.push(b'\n');
        self.take_line(out)?;
        let finished = match &mut self.format {
            Some(InputFormat::Listing(listing)) => listing.finish(out),
            Some(InputFormat::Literal(literal)) => literal.finish(),
            Some(InputFormat::Plain(_) | InputFormat::Numbers(_)) | None => Ok(()),
        };
        finished.map_err(|error| format!("line {}: {error}", self.lines))
    }

    /// A sentence about how ambiguous input was read; only the first call returns it.
    pub(super) fn note(&mut self) -> Option<&'static str> {
        self.note.take()
    }

    fn take_line(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        let number = self.lines + 1;
        self.lines += u64::from(line.ends_with(b"\n"));
        self.take_text(&line, out).map_err(|error| format!("line {number}: {error}"))
    }

    fn take_text(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let line = without_bom(line);
        let mut rest = line;
        let is_comment = line.trim_ascii_start().starts_with(b"#");
        let has_content = line.iter().any(|byte| byte.is_ascii_alphanumeric());
        if self.format.is_none() && is_heading(line) {
            return Ok(());
        }
        if self.format.is_none() && !is_comment && has_content {
            let choice = Choice::of(line, self.is_hex)?;
            rest = choice.rest;
            (self.format, self.note) = (Some(choice.format), choice.note);
        }
        match &mut self.format {
            None if is_comment => Ok(()),
            None => Plain::default().read(line, out), // rejects a line that is not empty
            Some(InputFormat::Plain(plain)) => plain.read(rest, out),
            Some(InputFormat::Listing(_) | InputFormat::Literal(_)) if is_comment => Ok(()),
            Some(InputFormat::Listing(listing)) => listing.read(rest, out),
            Some(InputFormat::Literal(literal)) => literal.read(rest, out),
            Some(InputFormat::Numbers(numbers)) => numbers.read(rest, out),
        }
    }
}

/// Whether it is the line of column numbers that PowerShell's `Format-Hex` writes above a listing.
fn is_heading(line: &[u8]) -> bool {
    let numbers = line.trim_ascii().split(|byte| *byte == b' ').map(<[u8]>::to_ascii_lowercase);
    line.starts_with(b"    ")
        && numbers.eq((0..16).map(|column| format!("{column:02x}").into_bytes()))
}

/// Without the byte order mark that some editors put before text in UTF-8.
fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Whether an argument looks like bytes, correctly written or not, and not like the name of a file.
pub(super) fn looks_like_bytes(word: &str) -> bool {
    let mut reader = HexReader::default();
    let mut bytes = Vec::new();
    let read = reader.read(word.as_bytes(), &mut bytes);
    let is_read = read.and_then(|()| reader.finish(&mut bytes)).is_ok();
    let is_hex = |word: &str| word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit());
    let is_bare = |c: char| c.is_ascii_hexdigit() || c.is_ascii_whitespace() || "-:,;_".contains(c);
    let mut parts = word.split(|c: char| c.is_ascii_whitespace() || c == ',');
    let is_row = word.contains([' ', ',']);
    let starts = ["<", "{", "[", "(", "\"", "'", "\\", "b'", "b\"", "0x", "0b"];
    is_read
        || word.chars().all(is_bare)
        || starts.iter().any(|sign| word.starts_with(sign))
        || is_row && (word.contains(['<', '{', '[']) || parts.next().is_some_and(is_hex))
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

/// Whether the input with this beginning is text in hex, not the bytes themselves.
pub(super) fn is_hex(beginning: &[u8]) -> bool {
    let mut lines = without_bom(beginning).split(|byte| *byte == b'\n').map(|line| {
        let comment = line.iter().position(|byte| *byte == b'#');
        line.get(..comment.unwrap_or(line.len())).unwrap_or(line)
    });
    let first = lines.clone().find(|line| !line.trim_ascii().is_empty());
    let is_method = |line: &[u8]| {
        let word = line.split(|byte| matches!(byte, b' ' | b'/')).next().unwrap_or_default();
        word.iter().all(u8::is_ascii_uppercase) && !word.iter().all(u8::is_ascii_hexdigit)
    };
    lines.all(|line| line.iter().copied().all(is_text)) && !first.is_some_and(is_method)
}

/// Whether the input with this beginning is text in UTF-16, as PowerShell writes it to a file. Raw bytes can
/// begin with the same byte order mark, so everything after it has to be text.
pub(super) fn is_utf_16(beginning: &[u8]) -> bool {
    let (pairs, _) = beginning.as_chunks::<2>();
    match pairs {
        [_] => false,
        [[0xff, 0xfe], text @ ..] => text.iter().all(|[low, high]| is_text(*low) && *high == 0),
        [[0xfe, 0xff], text @ ..] => text.iter().all(|[high, low]| is_text(*low) && *high == 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_in(text: &[u8], size: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut reader = HexReader::default();
        for part in text.chunks(size) {
            reader.read(part, &mut bytes)?;
        }
        reader.finish(&mut bytes)?;
        Ok(bytes)
    }

    const HELLO: [u8; 7] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

    #[test]
    fn every_common_format_is_read() {
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
            r"bytearray(b'\x81\x05Hello')",
            r#"x = "\x81\x05Hel" "lo";"#,
            "\u{feff}81 05 48 65 6c 6c 6f",
            "<Buffer 81 05 48 65 6c 6c 6f>",
            "<81054865 6c6c6f>",
            "81-05-48-65-6C-6C-6F",
            "unsigned char x[] = {\n  0x81, 0x05, 0x48, 0x65,\n  0x6c, 0x6c, 0x6f\n};\nunsigned int x_len = 7;\n",
            "unsigned char X[] = { 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };\nunsigned int X_LEN = 7;",
            "0x4010 <x>:\t0x81\t0x05\t0x48\t0x65\n0x4014 <x+4>:\t0x6c\t0x6c\t0x6f\n",
            "static const uint8_t x[7] = { 0x81, 5, 72, 101, 108, 108, 111 };",
            "let x: [u8; 7] = [129, 5, 72, 101, 108, 108, 111];",
            "x := []byte{0x81, 0x5, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
            "new Uint8Array([0x81, 5, 72, 101, 108, 108, 111])",
            "Uint8Array(7) [\n  129, 5, 72,\n  101, 108, 108, 111\n]",
            "{\"type\":\"Buffer\",\"data\":[129,5,72,101,108,108,111]}",
            "<<129,5,72,101,108,108,111>>",
            "129, 5, 72, 101, 108, 108, 111",
            "[\n  129,\n  5,\n  72,\n  101,\n  108,\n  108,\n  111\n]",
            "[129 5 72 101 108 108 111]",
            "[-127, 5, 72, 101, 108, 108, 111]",
            "0b1_000_0001 0b0_0000101 0b01001000 0b01100101 0b01101100 0b01101100 0b01101111",
            "10000001 00000101 01001000 01100101 01101100 01101100 01101111",
            "0000000 0581 6548 6c6c 006f                    \n0000007\n",
            "0000000    0581    6548    6c6c    006f    \n0000007\n",
            "0000000 0581 6548 6c6c 006f          >..Hello<\n0000007\n",
            "0000000 65480581 006f6c6c\n0000007\n",
            "0000000 006f6c6c65480581\n0000007\n",
            "0000000    81  05  48  65  6c  6c  6f     \n0000007\n",
            "00000000  81 05 48 65 6c 6c 6f\n",
            "00000000: 10000001 00000101 01001000 01100101  ..He\n00000004: 01101100 01101100 01101111           llo\n",
            "00000000: 81054865 6c6c6f                      ..Hello\n",
            "           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\r\n\r\n\
                00000000   81 05 48 65 6C 6C 6F                             ..Hello\r\n",
            "00000000: 81 05   .. \n00000002: 48 65  He\n00000004: 6c 6c 6f  llo\n",
            "\t0x0000:  8105 4865 6c6c 6f                        ..Hello\n",
            "0x7ffe0010:\t0x81\t0x05\t0x48\t0x65\n0x7ffe0014:\t0x6c\t0x6c\t0x6f\n",
        ] {
            for size in [1, 3, 1000] {
                assert_eq!(read_in(text.as_bytes(), size).as_deref(), Ok(&HELLO[..]), "{text}");
            }
            assert!(is_hex(text.as_bytes()), "{text}");
            assert!(looks_like_bytes(text), "{text}");
        }
    }

    #[test]
    fn ambiguous_input_is_read_with_a_note_unless_it_is_known_to_be_hex() {
        for (text, bytes, note, as_hex) in [
            ("[81, 10]", &[0x81, 0x10][..], "read as hex", &[0x81, 0x10][..]),
            ("81,10", &[0x81, 0x10], "read as hex", &[0x81, 0x10]),
            ("81,05", &[0x81, 0x05], "", &[0x81, 0x05]),
            ("  81  10", &[0x81, 0x10], "read as hex", &[0x81, 0x10]),
            ("81  10", &[0x81, 0x10], "", &[0x81, 0x10]),
            ("81 10", &[0x81, 0x10], "", &[0x81, 0x10]),
            ("10000001", &[0x81], "read as bytes in binary digits", &[0x10, 0, 0, 1]),
            ("00000000", &[0; 4], "", &[0; 4]),
            (
                " 8105 4865",
                &[0x81, 5, 0x48, 0x65],
                "read as bytes in their order",
                &[0x81, 5, 0x48, 0x65],
            ),
            ("8105 4865", &[0x81, 5, 0x48, 0x65], "", &[0x81, 5, 0x48, 0x65]),
        ] {
            for (mut reader, bytes, note) in
                [(HexReader::default(), bytes, note), (HexReader::only_hex(), as_hex, "")]
            {
                let mut read = Vec::new();
                reader.read(text.as_bytes(), &mut read).unwrap();
                reader.finish(&mut read).unwrap();
                let given = reader.note().unwrap_or_default();
                assert_eq!((&*read, given.is_empty()), (bytes, note.is_empty()), "{text}");
                assert!(given.starts_with(note), "{text}: {given}");
            }
        }
        let mut reader = HexReader::default();
        reader.read(b"0000000 0581\n", &mut Vec::new()).unwrap();
        assert!(reader.note().is_some_and(|note| note.starts_with("read as words")));
        assert_eq!(reader.note(), None, "only once");
    }

    /// A line can be of any length; an escape or a number can end where a piece ends.
    #[test]
    fn a_long_line_is_read_as_a_short_one() {
        for (one, byte) in [("\\xe1", 0xe1), ("a", b'a'), ("\\\\", b'\\')] {
            let text = format!("b'{}'", one.repeat(LINE_MAX));
            assert_eq!(read_in(text.as_bytes(), 1).unwrap(), [byte; LINE_MAX]);
        }
        let text = format!("[{}]", "201, ".repeat(LINE_MAX));
        for size in [1, 4099, usize::MAX] {
            assert_eq!(read_in(text.as_bytes(), size).unwrap(), [201; LINE_MAX]);
        }
    }

    #[test]
    fn the_radix_of_offsets_is_inferred() {
        let row = |byte: &str| format!("{}\n", byte.repeat(16));
        let (one, other) = (row(" 61"), row(" 62"));
        let words = " 6161".repeat(8) + "\n";
        for (text, count) in [
            (format!("0000000{one}0000020{other}0000040\n"), Ok(32)),
            (format!("0000000{one}0000016{other}0000032\n"), Ok(32)),
            (format!("0000000{one}0000010{other}"), Err("line 2: offset 10 after 20")),
            (format!("0000000{words}0000010{words}0000020\n"), Ok(32)),
            (format!("0000000{words}0000020{words}0000040\n"), Ok(32)),
            (format!("0000000{words}0000010{words}*\n0000100\n"), Ok(256)),
            (format!("0000000{words}0000020{words}*\n0000100\n"), Ok(64)),
            (format!("0000000{words}*\n0000100\n"), Err("line 3: this offset may be in hex")),
            (format!("0000000{words}0000016{words}*\n0000064\n"), Ok(64)),
            (format!("00000000:{one}00000016:{other}"), Ok(32)),
        ] {
            match (read_in(text.as_bytes(), 100), count) {
                (Ok(bytes), count) => assert_eq!(Ok(bytes.len()), count, "{text}"),
                (Err(wrong), Err(expected)) => assert!(wrong.starts_with(expected), "{wrong}"),
                (Err(wrong), Ok(_)) => panic!("{wrong} {text}"),
            }
        }
    }

    #[test]
    fn a_star_repeats_the_row_before() {
        let listing = "00000000  82 7f 00 00 00 00 00 01  00 00 00 00 00 00 00 00  |................|\n\
            00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
            00010000  01 02 03                                          |...|\n00010003\n";
        let bytes = read_in(listing.as_bytes(), 7).unwrap();
        assert_eq!((bytes.len(), &bytes[0xfffe..]), (0x10003, &[0, 0, 1, 2, 3][..]));
        let od = "0000000 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41\n*\n0000100\n";
        assert_eq!(read_in(od.as_bytes(), 1000).unwrap(), [0x41; 64], "od counts in octal");
    }

    #[test]
    fn invalid_text_is_reported_with_its_line() {
        for (text, wrong) in [
            ("81 05\n48 6", "line 2: one hex digit alone"),
            ("815 05", "line 1: an odd number"),
            ("81 05 Hello", "line 1: 'H' is not a hex digit"),
            ("81 \u{1b}[31m", "line 1: '\\x1b' is not a hex digit"),
            ("x81", "line 1: 'x' is not a hex digit"),
            ("00000000: 8105\n00000003: 48", "line 2: offset 3 after 2: bytes between"),
            ("00000000: 8105\n00000001: 48", "line 2: offset 1 after 2: the rows"),
            ("00000000: 8105\nhello", "line 2: a row of a listing begins"),
            ("00000000: 8105\n*\nffffffffffffffff:", "line 3: offset ffffffffffffffff after 2"),
            ("00000000: 8105\n*\n*", ""),
            (r"b'\q'", "line 1: an escape"),
            (r"b'a' c", "line 1: 'c' is outside"),
            (r"b'a", "line 1: the quote"),
            ("b'a\nb'", "line 1: the quote"),
            ("b'\u{e9}'", "line 1: byte c3 in quotes"),
            ("<Buffer 81 05 ... 12 more bytes>", "line 1: '.' is not a byte; if points"),
            ("Uint8Array(130) [\n  129, 5,\n  ... 30 more items\n]", "line 3: '.' is not a byte"),
            ("81-5", "line 1: one hex digit"),
            ("2026-11-25", "line 1: '-' must stand between bytes"),
            (r"\x81\x05Hello", "line 1: 'H' follows \\x and two digits"),
            (r"\x81\x05aa", "line 1: 'a' follows \\x and two digits"),
            ("0x81, 05", "line 1: some of these bytes have 0x"),
            ("0x81, 0x05, 10", "line 1: some of these bytes have 0x"),
            ("129 5 72", "line 1: this looks decimal, or octal"),
            (" 201 005 110", "line 1: this looks decimal, or octal"),
            ("129, 05", "line 1: this looks decimal, or octal"),
            ("[81, 5]", "line 1: this may be hex or decimal"),
            ("[129, 5]\n[129, 300]", "line 2: '300' is not a byte"),
            ("bytes([129, 05])", "line 1: '05' is not a byte"),
            ("bytes([129, 5]) + bytes([1])", "line 1: there is more text after the array"),
            ("x[] = { 0x81 };\nunsigned int x_len = 2;", "line 2: the array has 1 bytes"),
            ("10000001 2", "line 1: one hex digit"),
            ("10000001\n2", "line 2: '2' is not a byte in eight binary digits"),
            ("0000000 201 005 110", "line 1: this listing has no bytes in hex"),
            ("0000000 002601 062510", "line 1: this listing has no bytes in hex"),
            ("0000000 201 005   H   e", "line 1: this listing has no bytes in hex"),
            ("000000 0581 6548", "line 1: this listing has no bytes in hex"),
            (
                "00000000: 65480581   6f6c6c                    ..Hello",
                "line 1: this listing has no",
            ),
            ("00000000: 0581 6548 6c6c   6f  ..Hello", "line 1: this listing has no bytes"),
            ("00000000: 38206220 6c6c  ", ""),
            ("00000000: 0000 0000   00  .....", "line 1: this listing has no bytes in hex"),
            ("00000000: 3030 2020 2e2e  00  ..", ""),
            ("00000000: 38206220   b 8", "line 1: this listing has no bytes in hex"),
            ("81 05\n*", "line 2: '*' stands for rows that were left out"),
            ("0x7ffe0010:\t0x65480581", "line 1: this listing has no bytes in hex"),
            ("0000000 0581 006f", "line 1: the last byte may be padding"),
            ("0000000 0581 65\n", "line 1: this listing has no bytes in hex"),
            ("0000000 0581\n0000002 65", "line 2: the words of a row"),
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
    fn raw_bytes_are_distinguished_from_hex() {
        for bytes in [
            &HELLO[..],
            &[0x01, 0x03, b'H', b'e', b'l'],
            b"GET /chat HTTP/1.1\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n",
            b"HEAD / HTTP/1.1\r\n",
            b"DELETE / HTTP/1.1\r\n",
        ] {
            assert!(!is_hex(bytes), "{bytes:?}");
        }
        for text in ["", "#", "81", "A1 B2", "DE", "DEAD BEEF", "hello"] {
            assert!(is_hex(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn utf_16_is_distinguished_from_bytes_with_its_mark() {
        for (bytes, expected) in [
            (&b"\xff\xfe8\x001\x00\r\x00\n\x00"[..], true),
            (b"\xfe\xff\x008\x001", true),
            (b"\xff\xfe\x01\x00\x37\xfa\x21\x3d", false),
            (b"\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x04", false),
            (b"\xff\xfe", false),
            (b"8\x001\x00", false),
            (b"81", false),
        ] {
            assert_eq!(is_utf_16(bytes), expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_pieces_do_not_matter(
            text in "[0-9a-f]{0,8}[ :]{0,3}([0-9a-fx\\\\#|>*\n \t'b\"]|\\PC){0,60}",
            size in 1usize..20,
        ) {
            let whole = read_in(text.as_bytes(), usize::MAX);
            if let Ok(bytes) = read_in(text.as_bytes(), size) {
                prop_assert_eq!(Ok(bytes), whole);
            }
        }

        #[test]
        fn written_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let plain: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
            prop_assert_eq!(read_in(plain.as_bytes(), 3), Ok(bytes.clone()));
            let rows: Vec<String> = bytes.chunks(16).enumerate().map(|(row, bytes)| {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
                let text: String = bytes.iter().map(|byte| match byte {
                    b' '..=b'~' => char::from(*byte),
                    _ => '.',
                }).collect();
                format!("{:08x}  {hex:<49} |{text}|\n", 16 * row)
            }).collect();
            prop_assert_eq!(read_in(rows.concat().as_bytes(), 11), Ok(bytes));
        }
    }
}
