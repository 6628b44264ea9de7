//! One row of a listing: its offset, its bytes and its text.

use super::numbers;
use crate::explain::hex::digit;

/// The meaning of the numbers of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes in hex, in the order of the wire.
    Bytes,
    /// Bytes in eight binary digits.
    Bits,
    /// Words of this number of hex digits, the low byte first.
    Words(usize),
}

/// The offset at the front of a row, and the rest of the row; skips a name that `gdb` adds.
pub(super) fn offset(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let bare = line.strip_prefix(b"0x").filter(|rest| rest.contains(&b':')).unwrap_or(line);
    let end = bare.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(bare.len());
    let (offset, rest) = bare.split_at(end);
    let rest = if rest.starts_with(b" <") { after_name(rest).unwrap_or(rest) } else { rest };
    let is_separated = matches!(rest, [] | [b' ' | b'\t', ..] | [b':'] | [b':', b' ' | b'\t', ..]);
    (is_separated && (1..=16).contains(&offset.len())).then_some((offset, rest))
}

/// The rest after `<buffer+8>`, if it begins with a colon.
fn after_name(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|byte| *byte == b'>')?;
    Some(&rest[end + 1..]).filter(|rest| rest.starts_with(b":"))
}

pub(super) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

pub(super) fn words(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The unit of a row of `xxd` and similar tools. The text at the end of the row shows whether numbers are
/// bytes in binary, and which byte of a number is first.
pub(super) fn with_colon(rest: &[u8]) -> Option<Unit> {
    let (row, text) = (bytes_of(rest), text_of(rest));
    if words(row).next().is_none() {
        return Some(Unit::Bytes);
    }
    let is_bits = words(row).all(|word| numbers::bits(word).is_some());
    if is_bits && !text.is_empty() && text.len() <= words(row).count() {
        return Some(Unit::Bits);
    }
    let has = |shown: &[u8]| {
        let shown = shown.trim_ascii();
        shown.is_empty() || text.windows(shown.len()).any(|part| part == shown)
    };
    let swapped: Vec<u8> = words(row).flat_map(|word| shown(word).into_iter().rev()).collect();
    let is_swapped = has(&swapped) && !has(&shown(row));
    let is_word = words(row).any(|word| word.starts_with(b"0x") && 4 < word.len());
    (!is_swapped && !is_word).then_some(Unit::Bytes)
}

/// The unit of a row of `hexdump` and `od`: words have more digits than bytes, and offsets of seven digits.
pub(super) fn without_colon(rest: &[u8], is_seven: bool) -> Option<Unit> {
    let row = before_text(rest);
    let size = words(row).next().map_or(2, <[u8]>::len);
    let is_even =
        words(row).all(|word| word.len() == size && word.iter().all(u8::is_ascii_hexdigit));
    match size {
        2 => Some(Unit::Bytes),
        4 | 8 | 16 if is_seven && is_even => Some(Unit::Words(size)),
        _ if !is_seven && rest.starts_with(b"  ") && size.is_multiple_of(2) => Some(Unit::Bytes),
        _ => None,
    }
}

/// A row without the text in bars at its end.
pub(super) fn before_text(rest: &[u8]) -> &[u8] {
    let bar = rest.iter().position(|byte| matches!(byte, b'|' | b'>'));
    rest.get(..bar.unwrap_or(rest.len())).unwrap_or(rest)
}

/// A row without the text at its end, which follows two spaces, or one space and a bar. Groups of bytes
/// in pairs can follow two spaces too.
pub(super) fn bytes_of(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let (mut row, mut later) = split_at_gap(rest);
    while is_in_pairs(row) {
        let (more, after) = split_at_gap(later.trim_ascii_start());
        if !is_in_pairs(more) || shown(row).trim_ascii_start().starts_with(more) {
            break;
        }
        row = rest.get(..rest.len() - after.len()).unwrap_or(rest);
        later = after;
    }
    before_text(row)
}

/// The text at the end of a row.
fn text_of(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    rest.get(bytes_of(rest).len()..).unwrap_or_default().trim_ascii()
}

/// Whether the text begins with bytes of the row. `xxd -e` writes two spaces before an incomplete last group.
pub(super) fn has_bytes_in_text(rest: &[u8]) -> bool {
    let text = text_of(rest);
    let (group, after) = split_at_gap(text);
    let is_group = group.len().is_multiple_of(2) && group.iter().all(u8::is_ascii_hexdigit);
    is_group && !after.is_empty() && shown(bytes_of(rest)).len() < text.len()
}

fn split_at_gap(row: &[u8]) -> (&[u8], &[u8]) {
    let gap = row.windows(2).position(|pair| pair == b"  ");
    row.split_at(gap.unwrap_or(row.len()))
}

fn is_in_pairs(row: &[u8]) -> bool {
    let is_pair = |word: &[u8]| word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit);
    words(row).next().is_some() && words(row).all(is_pair)
}

/// The text that a listing shows for bytes in hex.
fn shown(row: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = row.iter().filter_map(|byte| digit(*byte)).collect();
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    bytes.map(|byte| if matches!(byte, b' '..=b'~') { byte } else { b'.' }).collect()
}
