//! Messages for several clients: frames that are encoded once. The answers at `/wire` use it too, for one
//! client.

use std::mem;

use super::limits::BUFFER_RETAINED_MAX;
use crate::wire::frame::{self, Opcode};

/// Text messages as frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The frames, one after the other.
    pub frames: Vec<u8>,
    /// The number of messages, each of one frame.
    pub messages: u64,
}

impl Batch {
    /// Appends a text message as one unmasked frame.
    pub fn push_text(&mut self, text: &str) {
        frame::encode(Opcode::Text, None, text.as_bytes(), &mut self.frames);
        self.messages += 1;
    }

    /// Whether there is no message in it.
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// Appends the messages of `other`, and empties it.
    pub fn append(&mut self, other: &mut Self) {
        self.frames.append(&mut other.frames);
        release_capacity(&mut other.frames);
        self.messages += mem::take(&mut other.messages);
    }
}

/// Frees the memory of an empty buffer that grew large. If it were shrunk in place, a small piece at a
/// high address would keep the allocator from returning the memory below it.
pub fn release_capacity(buffer: &mut Vec<u8>) {
    if BUFFER_RETAINED_MAX < buffer.capacity() {
        *buffer = Vec::new();
    }
}

/// One whole unmasked frame.
pub fn encoded(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    frame::encode(opcode, None, payload, &mut wire);
    wire
}
