//! A listing of octets: `hexdump -C`, `xxd`, `od -t x1`, Wireshark.

use super::Plain;

/// Octets that one `*` of a listing may stand for.
const REPEAT_MAX: u64 = 1 << 30;

/// Offset, octets, and often the text of these.
pub(super) struct Listing {
    radix: u32,
    /// The offset of the first row.
    base: u64,
    count: u64,
    /// The row before, which `*` repeats.
    row: Vec<u8>,
    is_repeated: bool,
}

impl Listing {
    /// Is this the first row of one? Its offset tells: it has a colon, or a text in bars at the end of
    /// its row, or is zero in so many digits as nobody writes octets.
    pub(super) fn beginning(line: &[u8]) -> Option<Self> {
        let (offset, rest) = offset(line)?;
        let has_colon = rest.starts_with(b":");
        let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
        let is_zero = offset.iter().all(|digit| *digit == b'0');
        let has_octets = rest.trim_ascii().split(|octet| *octet == b' ').next()?.len() == 2;
        let is_row = has_colon && 4 <= offset.len()
            || 1 < spaces && rest.ends_with(b"|") && 7 <= offset.len()
            || 1 < spaces && is_zero && 4 <= offset.len()
            || is_zero && 6 <= offset.len() && has_octets;
        let radix = if offset.len() == 7 && !has_colon && !rest.ends_with(b"|") { 8 } else { 16 };
        let base = number(offset, radix)?;
        is_row.then(|| Self { radix, base, count: 0, row: Vec::new(), is_repeated: false })
    }

    pub(super) fn read(&mut self, line: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let line = line.trim_ascii();
        if line == b"*" {
            self.is_repeated = true;
        }
        if line.is_empty() || line == b"*" {
            return Ok(());
        }
        let read =
            offset(line).and_then(|(digits, rest)| Some((number(digits, self.radix)?, rest)));
        let (offset, rest) = read.ok_or("a row of a listing begins with its offset")?;
        self.reach(offset, out)?;
        let mut plain = Plain::default();
        let mut row = Vec::new();
        let digits = [octets_of(rest), b"\n"].concat();
        plain.read(&digits, &mut |octets| row.extend_from_slice(octets))?;
        self.count += row.len() as u64;
        out(&row);
        self.row = row;
        Ok(())
    }

    /// Repeats the row before up to `offset`, if it may be.
    fn reach(&mut self, offset: u64, out: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let at = self.base.saturating_add(self.count);
        let gap = offset.checked_sub(at).ok_or_else(|| {
            format!("offset {offset:x} after {at:x}: the rows of a listing follow each other")
        })?;
        let may_repeat = std::mem::take(&mut self.is_repeated) && !self.row.is_empty();
        if gap != 0 && (!may_repeat || REPEAT_MAX < gap) {
            return Err(format!("offset {offset:x} after {at:x}: octets between them are missing"));
        }
        let mut rest = gap;
        while rest != 0 {
            let part =
                self.row.get(..usize::try_from(rest).unwrap_or(usize::MAX)).unwrap_or(&self.row);
            out(part);
            rest -= part.len() as u64;
        }
        self.count += gap;
        Ok(())
    }
}

/// The digits at the front of a row, and what is behind them.
fn offset(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|octet| !octet.is_ascii_hexdigit()).unwrap_or(line.len());
    let (offset, rest) = line.split_at(end);
    let is_apart = matches!(rest, [] | [b' ' | b'\t', ..] | [b':'] | [b':', b' ' | b'\t', ..]);
    (is_apart && (1..=16).contains(&offset.len())).then_some((offset, rest))
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

/// A row without the text at its end.
fn octets_of(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let bar = rest.iter().position(|octet| matches!(octet, b'|' | b'>'));
    let gap = rest.windows(2).position(|pair| pair == b"  ");
    let end = if rest.ends_with(b"|") || bar < gap && gap.is_none() { bar } else { gap };
    rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest)
}
