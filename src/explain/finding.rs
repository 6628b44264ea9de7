//! What is wrong with a frame: the broken rule, its section, and the Close that answers it.

use crate::wire::close::{CloseCode, Violation};
use crate::wire::dissect::Frame;

/// One rule that a frame breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The section of RFC 6455.
    pub section: &'static str,
    /// What was seen.
    pub sentence: &'static str,
    /// What the section requires.
    pub requirement: &'static str,
    /// The code of the Close that a conforming receiver sends; `None` if it sends no Close.
    pub code: Option<CloseCode>,
}

/// Every rule that a frame breaks, in the order in which a receiver detects them.
#[must_use]
pub fn findings(frame: &Frame) -> Vec<Finding> {
    let late = Finding {
        section: "5.5.1",
        sentence: "data after a Close",
        requirement: "a sender MUST NOT send any more data frames after its Close; the receiver drops them",
        code: None,
    };
    let broken = frame.violations.iter().map(|violation| Finding::of(*violation));
    frame.is_too_late().then_some(late).into_iter().chain(broken).collect()
}

impl Finding {
    /// The finding of a violation.
    #[must_use]
    pub fn of(violation: Violation) -> Self {
        let (code, section, sentence) = violation.verdict();
        Self { section, sentence, requirement: requirement(violation), code: Some(code) }
    }
}

#[rustfmt::skip]
fn requirement(violation: Violation) -> &'static str {
    match violation {
        Violation::Unmasked => "a client MUST mask all frames that it sends; a server MUST close upon one that is not masked",
        Violation::Masked => "a server MUST NOT mask any frames; a client MUST close upon one that is masked",
        Violation::ReservedBits => "RSV1, RSV2 and RSV3 MUST be 0 unless an extension was negotiated that defines them",
        Violation::ReservedOpcode => "upon an unknown opcode the receiver MUST fail the connection",
        Violation::LengthNotMinimal => "the minimal number of bytes MUST be used to encode the length",
        Violation::LengthTopBit => "the most significant bit of the 64-bit length MUST be 0",
        Violation::ControlFragmented => "control frames MUST NOT be fragmented",
        Violation::ControlTooLong => "control frames MUST have a payload of 125 bytes or less",
        Violation::NothingToContinue => "a fragmented message starts with a frame whose opcode is not 0; the later frames have opcode 0",
        Violation::MessageInterrupted => "the fragments of one message MUST NOT be interleaved with those of another; they have opcode 0",
        Violation::CloseBody => "if a Close has a body, its first two bytes MUST be the status code",
        Violation::CloseCode => "codes that are reserved or have no meaning MUST NOT be set in a Close",
        Violation::CloseReason => "after its code, the body of a Close is text in UTF-8",
        Violation::NotUtf8 => "when a text turns out not to be valid UTF-8, the receiver MUST fail the connection",
        Violation::TooBig => "a receiver should limit the size of frames and messages that it takes",
    }
}
