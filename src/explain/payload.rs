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

#[cfg(test)]
mod tests {
    use super::super::tests::frame;
    use super::*;

    #[test]
    fn s5_3_the_payload_on_the_wire_is_masked() {
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(wire_payload(&frame(&masked)), masked[6..]);
        assert_eq!(wire_payload(&frame(b"\x81\x05Hello")), b"Hello");
    }

    #[test]
    fn s5_5_1_a_close_body_begins_with_its_code() {
        assert_eq!(close_body(&[0x03, 0xe8]), Some((1000, &[][..])));
        assert_eq!(close_body(b"\x03\xedbye"), Some((1005, &b"bye"[..])));
        assert_eq!(close_body(&[0x03]), None);
        assert_eq!(close_body(&[]), None);
    }
}
