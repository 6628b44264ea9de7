//! Which dress octets are in, by the first line that says something.

use super::listing::Listing;
use super::literal::Literal;
use super::numbers::{Form, Numbers, bits, octet};
use super::plain::Plain;
use super::row::Unit;

const LOOKS_DECIMAL: &str = "this looks decimal, or octal; in hex an octet has two digits, as in 81 05, \
    and decimal numbers have commas between them, as in 129, 5";
const HEX_OR_DECIMAL: &str =
    "this may be hex or decimal; write each octet with 0x, as in 0x81, 0x05";
const TAKEN_FOR_HEX: &str = "taken for hex; if it is decimal, write 0x before each octet, in hex";
const TAKEN_IN_ORDER: &str =
    "taken for octets in their order; if `od -x` wrote them as words, take `od -t x1`";
const TAKEN_FOR_BITS: &str = "taken for octets in binary digits; --hex takes them for hex";
const TAKEN_FOR_WORDS: &str =
    "taken for words with their low octet first, as hexdump and od write them on most machines";

/// Whoever reads the rest.
pub(super) enum Dress {
    Plain(Plain),
    Listing(Listing),
    Literal(Literal),
    Numbers(Numbers),
}

/// A dress, what of its first line is octets, and what a person should know of the choice.
pub(super) struct Choice<'a> {
    pub(super) dress: Dress,
    pub(super) rest: &'a [u8],
    pub(super) note: Option<&'static str>,
}

impl<'a> Choice<'a> {
    /// By the first line; `is_hex` where numbers without a prefix are known to be hex.
    ///
    /// # Errors
    /// A sentence, if it is no dress, or may be one or the other.
    pub(super) fn of(line: &'a [u8], is_hex: bool) -> Result<Self, String> {
        let text = line.trim_ascii_start();
        if let Some(listing) = Listing::beginning(text.trim_ascii_end())? {
            let is_words = matches!(listing.unit(), Unit::Words(_));
            let note = is_words.then_some(TAKEN_FOR_WORDS);
            return Ok(Self { dress: Dress::Listing(listing), rest: text, note });
        }
        if let Some(literal) = Literal::beginning(text) {
            return Ok(Self { dress: Dress::Literal(literal), rest: text, note: None });
        }
        let (rest, is_program) = behind_name(text);
        if let Some(literal) = Literal::beginning(rest) {
            return Ok(Self { dress: Dress::Literal(literal), rest, note: None });
        }
        let form = match (is_program, is_hex) {
            (true, _) => Some(Form::Program),
            (false, true) => None,
            (false, false) => form(rest)?,
        };
        let dress = form.map(Numbers::new).map_or(Dress::Plain(Plain::default()), Dress::Numbers);
        let note = match form {
            Some(Form::Bits) => Some(TAKEN_FOR_BITS),
            None if !is_hex && is_doubtful(line) => Some(TAKEN_FOR_HEX),
            None if !is_hex && line.starts_with(b" ") && is_like_words(rest) => {
                Some(TAKEN_IN_ORDER)
            }
            Some(Form::List | Form::Program) | None => None,
        };
        Ok(Self { dress, rest, note })
    }
}

/// How programs call an array of octets.
const TYPES: [&[u8]; 12] = [
    b"Uint8Array",
    b"Buffer.from",
    b"bytearray",
    b"bytes",
    b"[]byte",
    b"[]uint8",
    b"byte[]",
    b"sbyte[]",
    b"vec!",
    b"<",
    b"{\"type\":\"Buffer\",\"data\":",
    b"byteArrayOf",
];

/// What stands behind a name, as in `unsigned char x[] = {` and `Uint8Array(7) [`, and is it the text of
/// a program, where numbers are decimal?
fn behind_name(line: &[u8]) -> (&[u8], bool) {
    if let Some(octets) = line.strip_prefix(b"<Buffer ") {
        return (octets, false);
    }
    let value = behind_equals(line);
    let rest = value.unwrap_or(line);
    let rest = rest.strip_prefix(b"&").unwrap_or(rest);
    let rest = rest.strip_prefix(b"new ").unwrap_or(rest).trim_ascii_start();
    let name = TYPES.iter().find_map(|name| rest.strip_prefix(*name));
    let is_open = |rest: &[u8]| matches!(rest, [b'(' | b'[' | b'{' | b'<', ..]);
    if let Some(name) = name.map(behind_count).filter(|rest| is_open(rest)) {
        let open =
            name.iter().take_while(|octet| matches!(octet, b'(' | b'[' | b'{' | b'<' | b' '));
        return (name.get(open.count()..).unwrap_or_default(), true);
    }
    (rest, value.is_some() && rest.starts_with(b"{"))
}

/// What stands behind the sign that gives a name its value.
fn behind_equals(line: &[u8]) -> Option<&[u8]> {
    let place = line.iter().position(|octet| *octet == b'=')?;
    let (name, value) = line.split_at_checked(place)?;
    let value = value.get(1..)?.trim_ascii_start();
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"_ *&:;[]".contains(octet);
    let is_named = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_name);
    (is_named && !value.is_empty() && !value.starts_with(b"=")).then_some(value)
}

/// `(7)` before the list, as some programs tell its length.
fn behind_count(rest: &[u8]) -> &[u8] {
    let digits = rest.strip_prefix(b"(").unwrap_or_default();
    let count = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let behind = digits.get(count..).and_then(|rest| rest.strip_prefix(b")"));
    behind.filter(|_| count != 0).unwrap_or(rest).trim_ascii_start()
}

/// The numbers of a line, before its comment.
fn numbers(line: &[u8]) -> Vec<&[u8]> {
    let is_whole = line.ends_with(b"\n");
    let line = line.split(|octet| *octet == b'#').next().unwrap_or_default();
    let is_apart = |octet: &u8| octet.is_ascii_whitespace() || b",;[]{}()<>".contains(octet);
    let mut numbers: Vec<&[u8]> = line.split(is_apart).collect();
    if !is_whole {
        numbers.pop(); // the rest of it is still to come
    }
    numbers.retain(|number| !number.is_empty());
    numbers
}

/// Are there commas or brackets about the numbers?
fn is_list(line: &[u8]) -> bool {
    line.contains(&b',') || line.starts_with(b"[")
}

/// How the numbers of a line are meant, if they are not hex.
fn form(line: &[u8]) -> Result<Option<Form>, String> {
    let numbers = numbers(line);
    let all = |is: &dyn Fn(&[u8]) -> bool| !numbers.is_empty() && numbers.iter().all(|n| is(n));
    let any = |is: &dyn Fn(&[u8]) -> bool| numbers.iter().any(|n| is(n));
    if all(&|number| number.starts_with(b"0b") && 5 < number.len() && octet(number).is_some()) {
        return Ok(Some(Form::List));
    }
    if all(&|number| bits(number).is_some()) && any(&|number| number.contains(&b'1')) {
        return Ok(Some(Form::Bits));
    }
    let is_short = |number: &[u8]| number.iter().all(u8::is_ascii_digit) && number.len() <= 3;
    let is_signed = |number: &[u8]| number.strip_prefix(b"-").is_some_and(is_short);
    if !all(&|number| is_short(number) || is_signed(number)) {
        return Ok(None);
    }
    let is_certain = any(&|number| number.len() == 3 || is_signed(number));
    let is_octet = all(&|number| octet(number).is_some());
    let is_small = all(&|number| number.len() < 3 || number <= b"255".as_slice());
    let has_zero = any(&|number| 1 < number.len() && number.starts_with(b"0"));
    match (is_list(line), is_certain) {
        (true, true) if is_octet => Ok(Some(Form::List)),
        (_, true) if is_small => Err(LOOKS_DECIMAL.to_owned()),
        (true, false) if any(&|number| number.len() == 1) && !has_zero => {
            Err(HEX_OR_DECIMAL.to_owned())
        }
        _ => Ok(None),
    }
}

/// Numbers of two digits that could be decimal: a list, or a row of `od -An -t u1`.
fn is_doubtful(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    let is_row = line.starts_with(b"  ") && text.windows(2).any(|pair| pair == b"  ");
    let numbers = numbers(line);
    let is_either = |number: &&[u8]| {
        number.len() == 2 && number.iter().all(u8::is_ascii_digit) && !number.starts_with(b"0")
    };
    (is_list(text) || is_row) && 1 < numbers.len() && numbers.iter().all(is_either)
}

/// Numbers of four digits, as `od -An -x` writes them.
fn is_like_words(line: &[u8]) -> bool {
    let numbers = numbers(line);
    1 < numbers.len() && numbers.iter().all(|number| number.len() == 4)
}
