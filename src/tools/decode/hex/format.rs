//! Detects the format of the input from its first line with content.

use super::listing::Listing;
use super::literal::Literal;
use super::numbers::{NumberFormat, Numbers, bits, number};
use super::plain::Plain;
use super::row::Unit;

const LOOKS_DECIMAL: &str = "this looks decimal, or octal; in hex a byte has two digits, as in 81 05; \
    decimal numbers need commas between them, as in 129, 5";
const HEX_OR_DECIMAL: &str =
    "this may be hex or decimal; write each byte with 0x, as in 0x81, 0x05";
const READ_AS_HEX: &str = "read as hex; if it is decimal, write each byte in hex with 0x";
const READ_IN_ORDER: &str =
    "read as bytes in their order; if `od -x` wrote them as words, use `od -t x1`";
const READ_AS_BITS: &str = "read as bytes in binary digits; --hex reads them as hex";
const READ_AS_WORDS: &str =
    "read as words with the low byte first, as hexdump and od write them on most machines";

/// The format of an input, with the reader of its text.
pub(super) enum InputFormat {
    Plain(Plain),
    Listing(Listing),
    Literal(Literal),
    Numbers(Numbers),
}

/// The detected format.
pub(super) struct Choice<'a> {
    pub(super) format: InputFormat,
    /// The part of the first line that contains bytes.
    pub(super) rest: &'a [u8],
    /// How an ambiguous input is read.
    pub(super) note: Option<&'static str>,
}

impl<'a> Choice<'a> {
    /// Detects the format; `is_hex` if numbers without a prefix are known to be hex.
    ///
    /// # Errors
    /// A sentence, if the format is unknown or ambiguous.
    pub(super) fn of(line: &'a [u8], is_hex: bool) -> Result<Self, String> {
        let text = line.trim_ascii_start();
        if let Some(listing) = Listing::beginning(text.trim_ascii_end())? {
            let is_words = matches!(listing.unit(), Unit::Words(_));
            let note = is_words.then_some(READ_AS_WORDS);
            return Ok(Self { format: InputFormat::Listing(listing), rest: text, note });
        }
        if let Some(literal) = Literal::beginning(text) {
            return Ok(Self { format: InputFormat::Literal(literal), rest: text, note: None });
        }
        let (rest, is_program) = after_name(text);
        if let Some(literal) = Literal::beginning(rest) {
            return Ok(Self { format: InputFormat::Literal(literal), rest, note: None });
        }
        let kind = match (is_program, is_hex) {
            (true, _) => Some(NumberFormat::Program),
            (false, true) => None,
            (false, false) => number_format(rest)?,
        };
        let format = match kind {
            Some(kind) => InputFormat::Numbers(Numbers::new(kind)),
            None => InputFormat::Plain(Plain::default()),
        };
        let note = match kind {
            Some(NumberFormat::Bits) => Some(READ_AS_BITS),
            None if !is_hex && is_ambiguous(line) => Some(READ_AS_HEX),
            None if !is_hex && line.starts_with(b" ") && looks_like_words(rest) => {
                Some(READ_IN_ORDER)
            }
            Some(NumberFormat::List | NumberFormat::Program) | None => None,
        };
        Ok(Self { format, rest, note })
    }
}

/// The names of byte arrays in programs.
#[rustfmt::skip]
const TYPES: [&[u8]; 12] = [
    b"Uint8Array", b"Buffer.from", b"bytearray", b"bytes", b"[]byte", b"[]uint8", b"byte[]", b"sbyte[]",
    b"vec!", b"<", b"{\"type\":\"Buffer\",\"data\":", b"byteArrayOf",
];

/// The text after a name, as in `unsigned char x[] = {` and `Uint8Array(7) [`, and whether it is the
/// text of a program, in which numbers are decimal.
fn after_name(line: &[u8]) -> (&[u8], bool) {
    if let Some(rest) = line.strip_prefix(b"<Buffer ") {
        return (rest, false);
    }
    let value = after_equals(line);
    let rest = value.unwrap_or(line);
    let rest = rest.strip_prefix(b"&").unwrap_or(rest);
    let rest = rest.strip_prefix(b"new ").unwrap_or(rest).trim_ascii_start();
    let name = TYPES.iter().find_map(|name| rest.strip_prefix(*name));
    let is_open = |rest: &[u8]| matches!(rest, [b'(' | b'[' | b'{' | b'<', ..]);
    if let Some(name) = name.map(after_count).filter(|rest| is_open(rest)) {
        let open = name.iter().take_while(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<' | b' '));
        return (name.get(open.count()..).unwrap_or_default(), true);
    }
    (rest, value.is_some() && rest.starts_with(b"{"))
}

/// The value after `name =`.
fn after_equals(line: &[u8]) -> Option<&[u8]> {
    let place = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = line.split_at_checked(place)?;
    let value = value.get(1..)?.trim_ascii_start();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_ *&:;[]".contains(byte);
    let is_named = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_name);
    (is_named && !value.is_empty() && !value.starts_with(b"=")).then_some(value)
}

/// The text after the length `(7)` that some programs print before a list.
fn after_count(rest: &[u8]) -> &[u8] {
    let digits = rest.strip_prefix(b"(").unwrap_or_default();
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = digits.get(count..).and_then(|rest| rest.strip_prefix(b")"));
    after.filter(|_| count != 0).unwrap_or(rest).trim_ascii_start()
}

/// The numbers of a line, before its comment.
fn numbers(line: &[u8]) -> Vec<&[u8]> {
    let is_whole = line.ends_with(b"\n");
    let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    let is_separator = |byte: &u8| byte.is_ascii_whitespace() || b",;[]{}()<>".contains(byte);
    let mut numbers: Vec<&[u8]> = line.split(is_separator).collect();
    if !is_whole {
        numbers.pop(); // its end is in the next piece
    }
    numbers.retain(|number| !number.is_empty());
    numbers
}

/// Whether the numbers are separated by commas or in brackets.
fn is_list(line: &[u8]) -> bool {
    line.contains(&b',') || line.starts_with(b"[")
}

/// The format of the numbers of a line; `None` for hex.
fn number_format(line: &[u8]) -> Result<Option<NumberFormat>, String> {
    let numbers = numbers(line);
    let all = |is: &dyn Fn(&[u8]) -> bool| !numbers.is_empty() && numbers.iter().all(|n| is(n));
    let any = |is: &dyn Fn(&[u8]) -> bool| numbers.iter().any(|n| is(n));
    if all(&|digits| digits.starts_with(b"0b") && 5 < digits.len() && number(digits).is_some()) {
        return Ok(Some(NumberFormat::List));
    }
    if all(&|digits| bits(digits).is_some()) && any(&|digits| digits.contains(&b'1')) {
        return Ok(Some(NumberFormat::Bits));
    }
    let is_short = |number: &[u8]| number.iter().all(u8::is_ascii_digit) && number.len() <= 3;
    let is_signed = |number: &[u8]| number.strip_prefix(b"-").is_some_and(is_short);
    if !all(&|number| is_short(number) || is_signed(number)) {
        return Ok(None);
    }
    let is_certain = any(&|number| number.len() == 3 || is_signed(number));
    let are_bytes = all(&|digits| number(digits).is_some());
    let is_small = all(&|number| number.len() < 3 || number <= b"255".as_slice());
    let has_zero = any(&|number| 1 < number.len() && number.starts_with(b"0"));
    match (is_list(line), is_certain) {
        (true, true) if are_bytes => Ok(Some(NumberFormat::List)),
        (_, true) if is_small => Err(LOOKS_DECIMAL.to_owned()),
        (true, false) if any(&|number| number.len() == 1) && !has_zero => {
            Err(HEX_OR_DECIMAL.to_owned())
        }
        _ => Ok(None),
    }
}

/// Whether these numbers of two digits can be decimal: a list, or a row of `od -An -t u1`.
fn is_ambiguous(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    let is_row = line.starts_with(b"  ") && text.windows(2).any(|pair| pair == b"  ");
    let numbers = numbers(line);
    let is_either = |number: &&[u8]| {
        number.len() == 2 && number.iter().all(u8::is_ascii_digit) && !number.starts_with(b"0")
    };
    (is_list(text) || is_row) && 1 < numbers.len() && numbers.iter().all(is_either)
}

/// Whether all numbers have four digits, as `od -An -x` writes them.
fn looks_like_words(line: &[u8]) -> bool {
    let numbers = numbers(line);
    1 < numbers.len() && numbers.iter().all(|number| number.len() == 4)
}
