//! Text as it arrives, section 8.1: each byte is checked at once, wherever fragments, frames and reads
//! cut the text.

use super::rules::ensure;
use super::violation::Violation;

/// A text message as it arrives: the characters received so far, and the first bytes of a character that
/// is incomplete.
#[derive(Default)]
pub struct Utf8Buffer {
    pub(super) valid: String,
    pub(super) incomplete: Vec<u8>,
}

impl Utf8Buffer {
    /// Appends received bytes. `capacity_max`, the longest message in bytes, bounds the reserved memory, not
    /// the text: the caller checks the length.
    ///
    /// # Errors
    /// [`Violation::NotUtf8`], at the first byte that proves it.
    pub fn push(&mut self, mut bytes: &[u8], capacity_max: usize) -> Result<(), Violation> {
        while !self.incomplete.is_empty()
            && let Some((byte, rest)) = bytes.split_first()
        {
            bytes = rest;
            self.incomplete.push(*byte);
            let (valid, cut) = split(&self.incomplete)?;
            if cut.is_empty() {
                push_str(&mut self.valid, valid, capacity_max);
                self.incomplete.clear();
            }
        }
        let (valid, cut) = split(bytes)?;
        push_str(&mut self.valid, valid, capacity_max);
        self.incomplete.extend_from_slice(cut);
        Ok(())
    }

    /// Drops the valid characters, so that a caller that only checks the text needs memory for one piece.
    pub fn discard_valid(&mut self) {
        self.valid.clear();
    }

    /// The number of bytes received and not dropped.
    pub fn size(&self) -> usize {
        self.valid.len() + self.incomplete.len()
    }

    /// The text, after its last byte was received.
    ///
    /// # Errors
    /// [`Violation::NotUtf8`] if the text ends inside a character.
    pub fn whole(&self) -> Result<&str, Violation> {
        if self.incomplete.is_empty() { Ok(&self.valid) } else { Err(Violation::NotUtf8) }
    }
}

/// The whole characters, and the first bytes of an incomplete one at the end, at most three.
///
/// # Errors
/// [`Violation::NotUtf8`] if no more bytes could make it valid.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), Violation> {
    let error = match str::from_utf8(bytes) {
        Ok(text) => return Ok((text, &[])),
        Err(error) => error,
    };
    ensure(error.error_len().is_none(), Violation::NotUtf8)?;
    let (valid, cut) = bytes.split_at(error.valid_up_to());
    str::from_utf8(valid).map(|text| (text, cut)).or(Err(Violation::NotUtf8))
}

fn push_str(text: &mut String, more: &str, capacity_max: usize) {
    let capacity = grown_capacity(text.capacity(), text.len() + more.len(), capacity_max);
    text.reserve_exact(capacity.saturating_sub(text.len()));
    text.push_str(more);
}

/// The capacity for `needed` bytes: it doubles, so that appending stays linear, but does not exceed
/// `max`, unless `needed` does.
pub(super) fn grown_capacity(capacity: usize, needed: usize, max: usize) -> usize {
    if needed <= capacity { capacity } else { needed.max(capacity.saturating_mul(2).min(max)) }
}
