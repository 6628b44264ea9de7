//! The payload of a frame in its two other forms: masked, as on the wire, and as the body of a Close.

use crate::wire::dissect::Frame;
use crate::wire::mask;

/// The payload as it was on the wire, as far as the frame keeps it: masked again with the frame's key
/// (section 5.3).
#[must_use]
pub(super) fn wire_payload(frame: &Frame) -> Vec<u8> {
    let mut payload = frame.payload.clone();
    if let Some(key) = frame.header.key() {
        mask::apply(key, 0, &mut payload);
    }
    payload
}

/// The status code and the reason in the body of a Close (section 5.5.1), whether they are valid or
/// not; `None` for a body that is shorter than a code.
#[must_use]
pub(super) fn close_body(body: &[u8]) -> Option<(u16, &[u8])> {
    let (code, reason) = body.split_first_chunk()?;
    Some((u16::from_be_bytes(*code), reason))
}
