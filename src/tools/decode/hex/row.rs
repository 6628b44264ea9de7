//! One row of a listing: where its offset ends, and where its text begins.

use super::{digit, numbers};

/// What the numbers of a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Octets in hex, in the order of the wire.
    Octets,
    /// Octets of eight binary digits.
    Bits,
    /// Of so many hex digits, the low octet first.
    Words(usize),
}

/// The digits at the front of a row, and what is behind them; a name that `gdb` adds is passed over.
pub(super) fn offset(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let bare = line.strip_prefix(b"0x").filter(|rest| rest.contains(&b':')).unwrap_or(line);
    let end = bare.iter().position(|octet| !octet.is_ascii_hexdigit()).unwrap_or(bare.len());
    let (offset, rest) = bare.split_at(end);
    let rest = if rest.starts_with(b" <") { behind_name(rest).unwrap_or(rest) } else { rest };
    let is_apart = matches!(rest, [] | [b' ' | b'\t', ..] | [b':'] | [b':', b' ' | b'\t', ..]);
    (is_apart && (1..=16).contains(&offset.len())).then_some((offset, rest))
}

/// Behind `<buffer+8>`, if a colon comes next.
fn behind_name(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|octet| *octet == b'>')?;
    Some(&rest[end + 1..]).filter(|rest| rest.starts_with(b":"))
}

pub(super) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

pub(super) fn words(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// `xxd` and its like: the text at the end tells octets of eight digits, and which of them is first.
pub(super) fn with_colon(rest: &[u8]) -> Option<Unit> {
    let (row, text) = (octets_of(rest), text_of(rest));
    if words(row).next().is_none() {
        return Some(Unit::Octets);
    }
    let is_bits = words(row).all(|word| numbers::bits(word).is_some());
    if is_bits && !text.is_empty() && text.len() <= words(row).count() {
        return Some(Unit::Bits);
    }
    let has = |octets: &[u8]| {
        let octets = octets.trim_ascii();
        octets.is_empty() || text.windows(octets.len()).any(|part| part == octets)
    };
    let swapped: Vec<u8> = words(row).flat_map(|word| shown(word).into_iter().rev()).collect();
    let is_swapped = has(&swapped) && !has(&shown(row));
    let is_word = words(row).any(|word| word.starts_with(b"0x") && 4 < word.len());
    (!is_swapped && !is_word).then_some(Unit::Octets)
}

/// `hexdump` and `od`: words have more digits than octets, and stand with an offset of seven.
pub(super) fn without_colon(rest: &[u8], is_seven: bool) -> Option<Unit> {
    let row = before_text(rest);
    let size = words(row).next().map_or(2, <[u8]>::len);
    let is_even =
        words(row).all(|word| word.len() == size && word.iter().all(u8::is_ascii_hexdigit));
    match size {
        2 => Some(Unit::Octets),
        4 | 8 | 16 if is_seven && is_even => Some(Unit::Words(size)),
        _ if !is_seven && rest.starts_with(b"  ") && size.is_multiple_of(2) => Some(Unit::Octets),
        _ => None,
    }
}

/// A row without the text in bars at its end.
pub(super) fn before_text(rest: &[u8]) -> &[u8] {
    let bar = rest.iter().position(|octet| matches!(octet, b'|' | b'>'));
    rest.get(..bar.unwrap_or(rest.len())).unwrap_or(rest)
}

/// A row without the text at its end, which two blanks set apart, or one and a bar. Octets in pairs may be
/// set apart too.
pub(super) fn octets_of(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let (mut row, mut later) = split_at_gap(rest);
    while is_in_pairs(row) {
        let (more, behind) = split_at_gap(later.trim_ascii_start());
        if !is_in_pairs(more) || shown(row).trim_ascii_start().starts_with(more) {
            break;
        }
        row = rest.get(..rest.len() - behind.len()).unwrap_or(rest);
        later = behind;
    }
    before_text(row)
}

/// The text at the end of a row.
fn text_of(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    rest.get(octets_of(rest).len()..).unwrap_or_default().trim_ascii()
}

/// Did octets go to the text? `xxd -e` sets the last group apart if it is not whole.
pub(super) fn has_lost(rest: &[u8]) -> bool {
    let text = text_of(rest);
    let (group, behind) = split_at_gap(text);
    let is_group = group.len().is_multiple_of(2) && group.iter().all(u8::is_ascii_hexdigit);
    is_group && !behind.is_empty() && shown(octets_of(rest)).len() < text.len()
}

fn split_at_gap(row: &[u8]) -> (&[u8], &[u8]) {
    let gap = row.windows(2).position(|pair| pair == b"  ");
    row.split_at(gap.unwrap_or(row.len()))
}

fn is_in_pairs(row: &[u8]) -> bool {
    let is_pair = |word: &[u8]| word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit);
    words(row).next().is_some() && words(row).all(is_pair)
}

/// The text that a listing shows of octets in hex.
fn shown(row: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = row.iter().filter_map(|octet| digit(*octet)).collect();
    let octets =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit));
    octets.map(|octet| if matches!(octet, b' '..=b'~') { octet } else { b'.' }).collect()
}
