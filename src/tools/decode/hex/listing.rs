//! A listing of octets: `hexdump`, `xxd`, `od`, Wireshark, a debugger.

use super::plain::Plain;
use super::{digit, numbers};

/// Octets that one `*` of a listing may stand for.
const REPEAT_MAX: u64 = 1 << 30;
const NO_HEX: &str =
    "this listing has no octets in hex; `xxd`, `hexdump -C` and `od -t x1` write one that has";

/// Offset, octets, and often the text of these.
pub(super) struct Listing {
    unit: Unit,
    /// The radixes that the offsets may be in, each with the offset of the first row.
    bases: Vec<(u32, u64)>,
    count: u64,
    /// The row before, which `*` repeats, and whose end only the next offset tells.
    row: Vec<u8>,
    is_told: bool,
    is_repeated: bool,
}

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

impl Listing {
    /// Is this the first row of one? Its offset tells: it has a colon, or a text in bars at the end of
    /// its row, or an odd number of digits, or is zero in so many digits as nobody writes octets.
    ///
    /// # Errors
    /// A sentence, if it is a listing of something else.
    pub(super) fn beginning(line: &[u8]) -> Result<Option<Self>, String> {
        let Some((offset, rest)) = offset(line) else { return Ok(None) };
        let has_colon = rest.starts_with(b":");
        let has_bar = rest.ends_with(b"|");
        let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
        let is_zero = offset.iter().all(|digit| *digit == b'0');
        let has_octets = words(rest).next().is_some_and(|word| word.len() == 2);
        let is_seven = offset.len() == 7 && offset.starts_with(b"00") && !has_colon && !has_bar;
        let is_row = has_colon && 4 <= offset.len()
            || 1 < spaces && has_bar && 7 <= offset.len()
            || 1 < spaces && is_zero && 4 <= offset.len()
            || is_zero && (6 <= offset.len() && has_octets || offset.len() == 6);
        if rest.is_empty() || !is_row && !is_seven {
            return Ok(None);
        }
        let unit = if has_colon { with_colon(rest) } else { without_colon(rest, is_seven) };
        let unit = unit.ok_or(NO_HEX)?;
        let radixes = match (is_seven, has_colon, unit) {
            (true, _, Unit::Words(4)) => &[16, 8, 10][..],
            (true, ..) => &[8, 10],
            (_, true, _) => &[16, 10],
            _ => &[16],
        };
        let bases =
            radixes.iter().filter_map(|radix| Some((*radix, number(offset, *radix)?))).collect();
        let row = Vec::new();
        Ok(Some(Self { unit, bases, count: 0, row, is_told: true, is_repeated: false }))
    }

    /// What the numbers of its rows are.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    pub(super) fn read(&mut self, line: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let line = line.trim_ascii();
        if line == b"*" {
            self.is_repeated = true;
        }
        if line.is_empty() || line == b"*" {
            return Ok(());
        }
        let (offset, rest) = offset(line).ok_or("a row of a listing begins with its offset")?;
        let row = self.octets(rest)?;
        self.reach(offset, row.is_empty(), out)?;
        self.count += row.len() as u64;
        (self.row, self.is_told) = (row, false);
        Ok(())
    }

    /// The text is at its end.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let is_padded = matches!(self.unit, Unit::Words(_)) && self.row.ends_with(&[0]);
        if is_padded && !self.is_told {
            return Err(
                "the last octet may be padding: the line with the last offset alone, which \
                tells, is missing"
                    .to_owned(),
            );
        }
        self.tell(out);
        Ok(())
    }

    fn tell(&mut self, out: &mut impl FnMut(&[u8])) {
        if !std::mem::replace(&mut self.is_told, true) {
            out(&self.row);
        }
    }

    /// Tells the row before, and repeats it up to `offset`, if it may be.
    fn reach(
        &mut self,
        offset: &[u8],
        is_end: bool,
        out: &mut impl FnMut(&[u8]),
    ) -> Result<(), String> {
        let may_repeat = std::mem::take(&mut self.is_repeated) && !self.row.is_empty();
        let size = self.row.len().max(1) as u64;
        let pad = match self.unit {
            Unit::Words(digits) if is_end => digits as u64 / 2 - 1,
            Unit::Words(_) | Unit::Octets | Unit::Bits => 0,
        };
        // How far it is from the end of the rows so far, as each radix reads it.
        let gap = |(radix, base): (u32, u64)| {
            let at = i128::from(base) + i128::from(self.count);
            number(offset, radix).map(|offset| i128::from(offset) - at)
        };
        let fits = |gap: i128| match u64::try_from(gap) {
            Ok(gap) => gap == 0 || may_repeat && gap <= REPEAT_MAX && gap.is_multiple_of(size),
            Err(_) => -i128::from(pad) <= gap,
        };
        let fitting: Vec<(u32, u64)> =
            self.bases.iter().copied().filter(|base| gap(*base).is_some_and(fits)).collect();
        let Some(gap) = fitting.first().and_then(|base| gap(*base)) else {
            return Err(self.gone_wrong(offset));
        };
        if let [(16, _), (8, _), ..] = *fitting
            && 0 < gap
        {
            return Err("this offset may be in hex, of hexdump, or in octal, of od; with -v they \
                write every row"
                .to_owned());
        }
        self.bases = fitting;
        self.count = self.count.saturating_add_signed(i64::try_from(gap).unwrap_or_default());
        if gap < 0 {
            let pad = usize::try_from(-gap).unwrap_or_default();
            self.row.truncate(self.row.len().saturating_sub(pad));
        }
        self.tell(out);
        for _ in 0..u64::try_from(gap).unwrap_or_default() / size {
            out(&self.row);
        }
        Ok(())
    }

    fn gone_wrong(&self, offset: &[u8]) -> String {
        let shown = str::from_utf8(offset).unwrap_or_default().trim_start_matches('0');
        let Some((radix, base)) = self.bases.first() else { return NO_HEX.to_owned() };
        let at = base.saturating_add(self.count);
        let (before, is_behind) = match number(offset, *radix) {
            Some(offset) => (at, offset < at),
            None => (at, false),
        };
        let before = if *radix == 8 { format!("{before:o}") } else { format!("{before:x}") };
        match is_behind {
            true => {
                format!("offset {shown} after {before}: the rows of a listing follow each other")
            }
            false => format!("offset {shown} after {before}: octets between them are missing"),
        }
    }

    fn octets(&self, rest: &[u8]) -> Result<Vec<u8>, String> {
        let mut row = Vec::new();
        match self.unit {
            Unit::Octets => {
                let is_od = matches!(self.bases.first(), Some((8, _)));
                let pairs = if is_od { before_text(rest) } else { octets_of(rest) };
                let digits = [pairs, b"\n"].concat();
                Plain::default().read(&digits, &mut |octets| row.extend_from_slice(octets))?;
            }
            Unit::Bits => {
                for digits in words(octets_of(rest)) {
                    row.push(numbers::bits(digits).ok_or("an octet has eight binary digits")?);
                }
            }
            Unit::Words(digits) => {
                for word in words(before_text(rest)).filter(|word| !word.is_empty()) {
                    let value = number(word, 16).filter(|_| word.len() == digits);
                    let value = value.ok_or("the words of a row have the same number of digits")?;
                    row.extend(value.to_le_bytes().into_iter().take(digits / 2));
                }
            }
        }
        Ok(row)
    }
}

/// The digits at the front of a row, and what is behind them.
fn offset(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let bare = line.strip_prefix(b"0x").filter(|rest| rest.contains(&b':')).unwrap_or(line);
    let end = bare.iter().position(|octet| !octet.is_ascii_hexdigit()).unwrap_or(bare.len());
    let (offset, rest) = bare.split_at(end);
    let is_apart = matches!(rest, [] | [b' ' | b'\t', ..] | [b':'] | [b':', b' ' | b'\t', ..]);
    (is_apart && (1..=16).contains(&offset.len())).then_some((offset, rest))
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

fn words(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// `xxd` and its like: the text at the end tells octets of eight digits, and which of them is first.
fn with_colon(rest: &[u8]) -> Option<Unit> {
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
fn without_colon(rest: &[u8], is_seven: bool) -> Option<Unit> {
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
fn before_text(rest: &[u8]) -> &[u8] {
    let bar = rest.iter().position(|octet| matches!(octet, b'|' | b'>'));
    rest.get(..bar.unwrap_or(rest.len())).unwrap_or(rest)
}

/// A row without the text at its end, which two blanks set apart, or one and a bar. Octets in pairs may be
/// set apart too.
fn octets_of(rest: &[u8]) -> &[u8] {
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
