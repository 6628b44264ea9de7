//! Utf8Buffer as it arrives, section 8.1: each octet is judged at once, wherever fragments, frames and reads
//! cut it.

use super::close::Violation;

/// A text message as it arrives: what is proven to be UTF-8, and the first octets of a character
/// whose rest is still to come.
#[derive(Default)]
pub struct Utf8Buffer {
    pub(super) valid: String,
    pub(super) incomplete: Vec<u8>,
}

impl Utf8Buffer {
    /// Appends what came of it; `max` octets are the longest message.
    ///
    /// # Errors
    /// [`Violation::NotUtf8`], at the first octet that proves it.
    pub fn push(&mut self, mut octets: &[u8], max: usize) -> Result<(), Violation> {
        while !self.incomplete.is_empty()
            && let Some((octet, rest)) = octets.split_first()
        {
            octets = rest;
            self.incomplete.push(*octet);
            let (valid, cut) = split(&self.incomplete)?;
            if cut.is_empty() {
                push_str(&mut self.valid, valid, max);
                self.incomplete.clear();
            }
        }
        let (valid, cut) = split(octets)?;
        push_str(&mut self.valid, valid, max);
        self.incomplete.extend_from_slice(cut);
        Ok(())
    }

    /// Drops what is proven, for whoever only wants the verdict: memory stays that of one piece.
    pub fn discard_valid(&mut self) {
        self.valid.clear();
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.valid.clear();
        self.incomplete.clear();
    }

    /// Octets that came.
    #[must_use]
    pub fn size(&self) -> usize {
        self.valid.len() + self.incomplete.len()
    }

    /// The text, once all of it came.
    ///
    /// # Errors
    /// [`Violation::NotUtf8`] if it ends inside a character.
    pub fn whole(&self) -> Result<&str, Violation> {
        if self.incomplete.is_empty() { Ok(&self.valid) } else { Err(Violation::NotUtf8) }
    }
}

/// The characters that are whole, and the beginning of one more at the end.
fn split(octets: &[u8]) -> Result<(&str, &[u8]), Violation> {
    let error = match str::from_utf8(octets) {
        Ok(text) => return Ok((text, &[])),
        Err(error) => error,
    };
    if error.error_len().is_some() {
        return Err(Violation::NotUtf8);
    }
    let (valid, cut) = octets.split_at(error.valid_up_to());
    str::from_utf8(valid).map(|text| (text, cut)).or(Err(Violation::NotUtf8))
}

fn push_str(text: &mut String, more: &str, max: usize) {
    let room = grown_capacity(text.capacity(), text.len() + more.len(), max);
    text.reserve_exact(room.saturating_sub(text.len()));
    text.push_str(more);
}

/// The capacity for `needed` octets: doubling, so that appending stays linear, but never beyond
/// the longest message.
pub(super) fn grown_capacity(capacity: usize, needed: usize, max: usize) -> usize {
    if needed <= capacity { capacity } else { needed.max(capacity.saturating_mul(2).min(max)) }
}
