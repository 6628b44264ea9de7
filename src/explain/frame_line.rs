//! A frame as one line of a log, and one line more for each rule that it breaks.

use std::fmt::Write;

use super::finding::{Finding, findings};
use super::text::printable;
use super::{hex, names};
use crate::wire::dissect::Frame;
use crate::wire::frame::Opcode;

/// Bytes of a payload that a line shows.
pub const EXCERPT_MAX: usize = 48;
/// Bytes of an invalid frame that a line shows.
const INVALID_MAX: usize = 16;

/// `text FIN masked 37fa213d len 5 "Hello"`, then a line for each violation.
pub fn lines(frame: &Frame) -> Vec<String> {
    let line = frame.header.is_whole().then(|| frame_line(frame));
    line.into_iter().chain(findings(frame).iter().map(|it| finding_line(it, frame))).collect()
}

fn frame_line(frame: &Frame) -> String {
    let header = &frame.header;
    let mut line = names::opcode(header);
    let flags = [(header.fin(), " FIN")].into_iter();
    let flags = flags.chain(header.rsv().into_iter().zip([" RSV1", " RSV2", " RSV3"]));
    flags.filter(|(is_set, _)| *is_set).for_each(|(_, name)| line.push_str(name));
    if let Some(key) = header.key() {
        line += &format!(" masked {}", hex::encode(&key, ""));
    }
    let length = header.length().unwrap_or_default();
    let _ = write!(line, " len {length}"); // writing to a String cannot fail
    if frame.missing() != 0 {
        line += &format!(" ({} received)", frame.arrived);
    }
    let excerpt = frame.payload.get(..EXCERPT_MAX).unwrap_or(&frame.payload);
    match (header.opcode(), frame.close()) {
        (_, Some(close)) => {
            line.extend(close.code().map(|code| format!(" {code} {}", code.name())));
            push_text(close.reason(), false, &mut line);
        }
        (Some(Opcode::Text | Opcode::Ping | Opcode::Pong | Opcode::Continuation), _) => {
            let is_cut = (excerpt.len() as u64) < length;
            push_text(&String::from_utf8_lossy(excerpt), is_cut, &mut line);
        }
        (Some(Opcode::Binary | Opcode::Close) | None, _) => {
            line += &format!(" {}", hex::encode(excerpt, " "));
        }
    }
    line
}

fn push_text(text: &str, is_cut: bool, line: &mut String) {
    if !text.is_empty() {
        line.push_str(" \"");
        printable(text, EXCERPT_MAX, line);
        line.push_str(if is_cut { "…\"" } else { "\"" });
    }
}

fn finding_line(finding: &Finding, frame: &Frame) -> String {
    let Finding { requirement, sentence, code } = finding;
    let code = code.map(|code| format!(", fails with {code}")).unwrap_or_default();
    let mut bytes = [frame.header.bytes(), &frame.wire_payload(INVALID_MAX)].concat();
    bytes.truncate(INVALID_MAX);
    let bytes = hex::encode(&bytes, " ");
    format!("violation: {sentence} (RFC 6455, {}){code}: {bytes}", requirement.section)
}

#[cfg(test)]
mod tests {
    use super::super::tests::frame;
    use super::*;
    use crate::wire::dissect::Dissector;
    use crate::wire::frame::Role;

    #[test]
    fn a_frame_has_the_same_line_however_it_is_received() {
        let wire = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, // Hello
            0x89, 0x80, 0x37, 0xfa, 0x21, 0x3d, // an empty ping
            0x02, 0x82, 0x00, 0x00, 0x00, 0x00, 0xc3, 0x28, // binary, without FIN
            0xc1, // RSV1
        ];
        let expected = [
            "text FIN masked 37fa213d len 5 \"Hello\"",
            "ping FIN masked 37fa213d len 0",
            "binary masked 00000000 len 2 c3 28",
            "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: c1",
        ];
        for size in 1..=wire.len() {
            let mut dissector = Dissector::new(Some(Role::Client), 0, EXCERPT_MAX);
            let mut printed = Vec::new();
            for part in wire.to_vec().chunks_mut(size) {
                dissector.read(part, |frame| printed.extend(lines(&frame)));
                printed.extend(dissector.take_broken().iter().flat_map(lines));
            }
            assert_eq!(printed, expected);
        }
        for (wire, expected) in [
            (
                &[0x88, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12, 0x43, 0x44, 0x52][..],
                &["close FIN masked 37fa213d len 5 1000 normal closure \"bye\""][..],
            ),
            (
                &[0x81, 0x85, 0, 0, 0, 0, b'H'],
                &["text FIN masked 00000000 len 5 (1 received) \"H…\""],
            ),
            (
                &[0xf3, 0x81, 0, 0, 0, 1, b'a'],
                &[
                    "reserved opcode 0x3 FIN RSV1 RSV2 RSV3 masked 00000001 len 1 61",
                    "violation: reserved bit set without an extension (RFC 6455, 5.2), fails with 1002: f3 81 00 00 00 01 61",
                    "violation: reserved opcode (RFC 6455, 5.2), fails with 1002: f3 81 00 00 00 01 61",
                ],
            ),
        ] {
            assert_eq!(lines(&frame(wire)), expected);
        }
    }

    #[test]
    fn a_long_payload_is_shortened() {
        let mut wire = vec![0x81, 0x7e, 0x01, 0x2c];
        wire.extend([b'a'; 300]);
        wire.extend([0x8a, 0x00]);
        for payload_max in [EXCERPT_MAX, 100, 4096] {
            let mut printed = Vec::new();
            let mut dissector = Dissector::new(Some(Role::Server), 0, payload_max);
            dissector.read(&mut wire.clone(), |frame| printed.extend(lines(&frame)));
            let text = format!("text FIN len 300 \"{}…\"", "a".repeat(48));
            assert_eq!(printed, [text.as_str(), "pong FIN len 0"]);
        }
    }
}
