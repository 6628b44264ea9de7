//! A listing of bytes: `hexdump`, `xxd`, `od`, Wireshark, a debugger.

use super::numbers;
use super::plain::Plain;
use super::row::{
    Unit, before_text, bytes_of, has_bytes_in_text, number, offset, with_colon, without_colon,
    words,
};

/// The most bytes that one `*` of a listing can stand for.
const REPEAT_MAX: u64 = 1 << 30;
const NO_HEX: &str =
    "this listing has no bytes in hex; `xxd`, `hexdump -C` and `od -t x1` write them";

/// Rows of an offset, bytes and often their text.
pub(super) struct Listing {
    unit: Unit,
    /// The possible radixes of the offsets, each with the offset of the first row.
    bases: Vec<(u32, u64)>,
    /// Bytes of all rows so far.
    count: u64,
    /// The row before. `*` repeats it, and only the next offset shows where it ends.
    row: Vec<u8>,
    is_row_emitted: bool,
    is_repeated: bool,
}

impl Listing {
    /// The reader of a listing, if `line` is the first row of one: its offset has a colon, or its row ends
    /// with text in bars, or the offset is zero with more digits than a byte has, or has seven digits.
    ///
    /// # Errors
    /// A sentence, if it is a listing without bytes in hex.
    pub(super) fn beginning(line: &[u8]) -> Result<Option<Self>, String> {
        let Some((offset, rest)) = offset(line) else { return Ok(None) };
        let has_colon = rest.starts_with(b":");
        let has_bar = rest.ends_with(b"|");
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let is_zero = offset.iter().all(|digit| *digit == b'0');
        let has_bytes = words(rest).next().is_some_and(|word| word.len() == 2);
        let is_seven = offset.len() == 7 && offset.starts_with(b"00") && !has_colon && !has_bar;
        let is_row = has_colon && 4 <= offset.len()
            || 1 < spaces && has_bar && 7 <= offset.len()
            || 1 < spaces && is_zero && 4 <= offset.len()
            || is_zero && (6 <= offset.len() && has_bytes || offset.len() == 6);
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
        Ok(Some(Self { unit, bases, count: 0, row, is_row_emitted: true, is_repeated: false }))
    }

    /// The meaning of the numbers of its rows.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    /// Reads a line. The bytes of a row are appended to `out` when the next row is read.
    ///
    /// # Errors
    /// A sentence: a row without an offset, a wrong byte, or an offset that does not fit the rows before.
    pub(super) fn read(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let line = line.trim_ascii();
        if line == b"*" {
            self.is_repeated = true;
        }
        if line.is_empty() || line == b"*" {
            return Ok(());
        }
        let (offset, rest) = offset(line).ok_or("a row of a listing begins with its offset")?;
        let row = self.bytes(rest)?;
        self.sync_to_offset(offset, row.is_empty(), out)?;
        self.count += row.len() as u64;
        (self.row, self.is_row_emitted) = (row, false);
        Ok(())
    }

    /// Ends the text and appends the last row.
    ///
    /// # Errors
    /// A sentence, if the last byte of a listing of words may be padding.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let is_padded = matches!(self.unit, Unit::Words(_)) && self.row.ends_with(&[0]);
        if is_padded && !self.is_row_emitted {
            return Err(
                "the last byte may be padding; the last line, with an offset alone, is missing and \
                would show it"
                    .to_owned(),
            );
        }
        self.emit_row(out);
        Ok(())
    }

    fn emit_row(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_row_emitted, true) {
            out.extend_from_slice(&self.row);
        }
    }

    /// Emits the row before, and repeats it up to `offset` if a `*` stands between.
    fn sync_to_offset(
        &mut self,
        offset: &[u8],
        is_end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let may_repeat = std::mem::take(&mut self.is_repeated) && !self.row.is_empty();
        let gap = |base| self.gap(base, offset);
        let fits = |gap| self.fits(gap, may_repeat, is_end);
        let fitting: Vec<(u32, u64)> =
            self.bases.iter().copied().filter(|base| gap(*base).is_some_and(fits)).collect();
        let Some(gap) = fitting.first().and_then(|base| gap(*base)) else {
            return Err(self.offset_error(offset));
        };
        if let [(16, _), (8, _), ..] = *fitting
            && 0 < gap
        {
            return Err(
                "this offset may be in hex (hexdump) or in octal (od); with -v they write \
                every row"
                    .to_owned(),
            );
        }
        self.bases = fitting;
        self.count = self.count.saturating_add_signed(i64::try_from(gap).unwrap_or_default());
        if gap < 0 {
            let pad = usize::try_from(-gap).unwrap_or_default();
            self.row.truncate(self.row.len().saturating_sub(pad));
        }
        self.emit_row(out);
        for _ in 0..u64::try_from(gap).unwrap_or_default() / self.row_size() {
            out.extend_from_slice(&self.row);
        }
        Ok(())
    }

    /// The distance from the end of the rows so far to an offset in one radix.
    fn gap(&self, (radix, base): (u32, u64), offset: &[u8]) -> Option<i128> {
        let at = i128::from(base) + i128::from(self.count);
        number(offset, radix).map(|offset| i128::from(offset) - at)
    }

    /// Whether the gap is possible: repeated rows, or padding bytes of the last word.
    fn fits(&self, gap: i128, may_repeat: bool, is_end: bool) -> bool {
        let pad = match self.unit {
            Unit::Words(digits) if is_end => digits as u64 / 2 - 1,
            Unit::Words(_) | Unit::Bytes | Unit::Bits => 0,
        };
        match u64::try_from(gap) {
            Ok(0) => true,
            Ok(gap) => may_repeat && gap <= REPEAT_MAX && gap.is_multiple_of(self.row_size()),
            Err(_) => -i128::from(pad) <= gap,
        }
    }

    fn row_size(&self) -> u64 {
        self.row.len().max(1) as u64
    }

    fn offset_error(&self, offset: &[u8]) -> String {
        let shown = str::from_utf8(offset).unwrap_or_default().trim_start_matches('0');
        let Some((radix, base)) = self.bases.first() else { return NO_HEX.to_owned() };
        let at = base.saturating_add(self.count);
        let (end, overlaps) = match number(offset, *radix) {
            Some(offset) => (at, offset < at),
            None => (at, false),
        };
        let end = if *radix == 8 { format!("{end:o}") } else { format!("{end:x}") };
        match overlaps {
            true => format!("offset {shown} after {end}: the rows of a listing must not overlap"),
            false => format!("offset {shown} after {end}: bytes between them are missing"),
        }
    }

    fn bytes(&self, rest: &[u8]) -> Result<Vec<u8>, String> {
        let mut row = Vec::new();
        match self.unit {
            Unit::Bytes => {
                if rest.starts_with(b":") && has_bytes_in_text(rest) {
                    return Err(NO_HEX.to_owned());
                }
                let is_od = matches!(self.bases.first(), Some((8, _)));
                let pairs = if is_od { before_text(rest) } else { bytes_of(rest) };
                let digits = [pairs, b"\n"].concat();
                Plain::default().read(&digits, &mut row)?;
            }
            Unit::Bits => {
                for digits in words(bytes_of(rest)) {
                    row.push(numbers::bits(digits).ok_or("a byte has eight binary digits")?);
                }
            }
            Unit::Words(digits) => {
                for word in words(before_text(rest)) {
                    let value = number(word, 16).filter(|_| word.len() == digits);
                    let value =
                        value.ok_or("the words of a row must have the same number of digits")?;
                    row.extend(value.to_le_bytes().into_iter().take(digits / 2));
                }
            }
        }
        Ok(row)
    }
}
