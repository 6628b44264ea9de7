//! A message that is joined from fragments, sections 5.4 and 5.6.

use super::frame::Opcode;
use super::utf8::{Utf8Buffer, grown_capacity};
use super::violation::Violation;

/// The data received of a message that has not ended.
pub(super) enum Assembly {
    Text(Utf8Buffer),
    Binary(Vec<u8>),
}

impl Assembly {
    /// The message that a frame with this opcode begins; `None` if the frame begins no message.
    pub(super) fn new(opcode: Opcode) -> Option<Self> {
        match opcode {
            Opcode::Text => Some(Self::Text(Utf8Buffer::default())),
            Opcode::Binary => Some(Self::Binary(Vec::new())),
            Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => None,
        }
    }

    /// The number of bytes received.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.size(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Appends unmasked payload. `capacity_max`, the longest message in bytes, bounds the reserved memory;
    /// the caller has checked the length.
    ///
    /// # Errors
    /// [`Violation::NotUtf8`], at the first byte that proves it (section 8.1).
    pub(super) fn push(&mut self, payload: &[u8], capacity_max: usize) -> Result<(), Violation> {
        match self {
            Self::Text(text) => text.push(payload, capacity_max)?,
            Self::Binary(bytes) => {
                let needed = bytes.len() + payload.len();
                let capacity = grown_capacity(bytes.capacity(), needed, capacity_max);
                bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
                bytes.extend_from_slice(payload);
            }
        }
        Ok(())
    }
}
