//! The lines of a request or response head, RFC 9112 section 2.2, within a limit.

use super::refusal::Refusal;
use super::rules::ensure;

/// The limits of a head. RFC 9112 sets one number: a request line of 8000 bytes should be supported.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole head.
    pub head_max: usize,
    /// Bytes of the request target.
    pub target_max: usize,
    /// Field lines.
    pub fields_max: usize,
}

/// Finds the lines of a head while its bytes arrive. It looks at each byte once, so the work stays
/// linear in the size of the head however small the pieces are.
pub(super) struct Lines {
    head_max: usize,
    is_lenient: bool,
    /// Where the current line begins; all lines before it were returned.
    start: usize,
    /// Bytes that were looked at, `start` or more.
    scanned: usize,
    /// The first line that is not empty was returned; from then on a tab is allowed.
    has_start_line: bool,
}

impl Lines {
    /// CR LF ends a line; any other control character refuses the head.
    pub(super) fn strict(head_max: usize) -> Self {
        Self { head_max, is_lenient: false, start: 0, scanned: 0, has_start_line: false }
    }

    /// LF ends a line, with or without a CR; a line may have any bytes.
    pub(super) fn lenient(head_max: usize) -> Self {
        Self { is_lenient: true, ..Self::strict(head_max) }
    }

    /// Bytes of the lines that were returned, with their ends.
    pub(super) fn consumed(&self) -> usize {
        self.start
    }

    /// The next line without its end; `None` until all of it is in `wire`, which holds everything
    /// received so far.
    ///
    /// `check` gets what was received of the line, before any other rule is tried: so the result does
    /// not depend on how the head is cut into reads.
    ///
    /// # Errors
    /// The error of `check`; a line end or a control character that [`strict`](Self::strict) does not allow;
    /// [`Refusal::HeadTooLarge`] if the lines exceed `head_max` bytes.
    pub(super) fn next<'wire>(
        &mut self,
        wire: &'wire [u8],
        check: impl FnOnce(&[u8]) -> Result<(), Refusal>,
    ) -> Result<Option<&'wire [u8]>, Refusal> {
        let head = &wire[..wire.len().min(self.head_max)];
        let next_start = self.scan(head);
        check(&head[self.start..self.scanned])?; // its error takes precedence over that of `scan`
        let Some(next) = next_start? else {
            return ensure(wire.len() < self.head_max, Refusal::HeadTooLarge).map(|()| None);
        };
        let line = &head[self.start..self.scanned];
        self.has_start_line |= !line.is_empty();
        (self.start, self.scanned) = (next, next);
        Ok(Some(line))
    }

    /// Looks at the new bytes up to the end of the line, and returns where the next line begins, in bytes
    /// from the start of the head; `None` if the line has no end yet.
    fn scan(&mut self, head: &[u8]) -> Result<Option<usize>, Refusal> {
        while let Some(byte) = head.get(self.scanned) {
            match (byte, head.get(self.scanned + 1)) {
                (b'\r', Some(b'\n')) => return Ok(Some(self.scanned + 2)),
                (b'\r', None) => break,
                (b'\n', _) if self.is_lenient => return Ok(Some(self.scanned + 1)),
                _ if self.is_lenient => (),
                (b'\r', Some(_)) => return Err(Refusal::BareCr),
                (b'\n', _) => return Err(Refusal::BareLf),
                (b'\t', _) if self.has_start_line => (),
                (0..=0x1f | 0x7f, _) => return Err(Refusal::ControlCharacter),
                _ => (),
            }
            self.scanned += 1;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where each line ends, and the refusal that ends the head. `wire` arrives up to each of `ends`; then
    /// what was looked at is overwritten with LF, which would end a line or refuse the head.
    fn read(mut lines: Lines, wire: &[u8], ends: &[usize]) -> (Vec<usize>, Option<Refusal>) {
        let mut line_ends = Vec::new();
        for end in ends {
            let mut received = wire[..*end].to_vec();
            received[..lines.scanned].fill(b'\n');
            loop {
                match lines.next(&received, |_| Ok(())) {
                    Ok(Some(_)) => line_ends.push(lines.consumed()),
                    Ok(None) => break,
                    Err(refusal) => return (line_ends, Some(refusal)),
                }
            }
        }
        (line_ends, None)
    }

    proptest! {
        #[test]
        fn rfc9112_2_no_byte_is_looked_at_twice(
            wire in prop::collection::vec(prop::sample::select(b"aaaaaa \t\r\n\r\n\xff".to_vec()), 0..60),
        ) {
            let byte_by_byte: Vec<usize> = (0..=wire.len()).collect();
            for new in [Lines::strict, Lines::lenient] {
                let expected = read(new(40), &wire, &[wire.len()]);
                prop_assert_eq!(read(new(40), &wire, &byte_by_byte), expected);
            }
        }
    }
}
