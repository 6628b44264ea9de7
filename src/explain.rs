//! Frames, handshakes and accept values as pictures, sentences and JSON. Pure: every value that is shown
//! comes from [`wire`](crate::wire), which the server uses too.

pub mod hex;
pub mod text;

pub mod json;
pub mod names;
pub mod view;

pub mod accept_errors;
pub mod fields;
pub mod finding;
mod hint;
pub mod picture;

pub mod accept;
pub mod frame_json;
pub mod frame_line;
pub mod frame_text;
pub mod handshake_text;
pub mod inspect_json;

pub use frame_line::{EXCERPT_MAX, lines};
pub use json::json_string;
pub use text::printable;

#[cfg(test)]
mod tests {
    use crate::wire::dissect::{Dissector, Frame};

    /// The frames of a stream, and the incomplete one at its end.
    pub(super) fn frames(wire: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut dissector = Dissector::new(None, 0, 1000);
        dissector.read(&mut wire.to_vec(), |frame| frames.push(frame));
        frames.extend(dissector.finish());
        frames
    }

    /// The first of them.
    pub(super) fn frame(wire: &[u8]) -> Frame {
        frames(wire).remove(0)
    }
}
