//! What is wrong with a frame: the rule, in the words of its section, and what answers it.

use crate::wire::close::{CloseCode, Violation};
use crate::wire::dissect::Frame;

/// One rule that a frame breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The section of RFC 6455.
    pub section: &'static str,
    /// What was seen.
    pub sentence: &'static str,
    /// What the section requires, in a line.
    pub requirement: &'static str,
    /// The code of the Close that a conforming receiver answers with; none if it answers nothing.
    pub code: Option<CloseCode>,
}

/// Everything that is wrong with a frame, in the order in which a receiver would notice.
#[must_use]
pub fn findings(frame: &Frame) -> Vec<Finding> {
    let late = Finding {
        section: "5.5.1",
        sentence: "data after a Close",
        requirement: "a sender MUST NOT send any more data frames after its Close; what comes is dropped",
        code: None,
    };
    let broken = frame.violations.iter().map(|violation| Finding::of(*violation));
    frame.is_too_late().then_some(late).into_iter().chain(broken).collect()
}

impl Finding {
    /// What is said of a violation.
    #[must_use]
    pub fn of(violation: Violation) -> Self {
        let rule = violation.rule();
        Self {
            section: rule.section(),
            sentence: rule.sentence,
            requirement: requirement(violation),
            code: Some(rule.code),
        }
    }
}

#[rustfmt::skip]
fn requirement(violation: Violation) -> &'static str {
    match violation {
        Violation::Unmasked => "a client MUST mask all frames that it sends; a server MUST close upon one that is not masked",
        Violation::Masked => "a server MUST NOT mask any frames; a client MUST close upon one that is masked",
        Violation::ReservedBits => "RSV1, RSV2 and RSV3 MUST be 0 unless an extension was negotiated that defines them",
        Violation::ReservedOpcode => "upon an unknown opcode the receiver MUST fail the connection",
        Violation::LengthNotMinimal => "the minimal number of octets MUST be used to encode the length",
        Violation::LengthTopBit => "the most significant bit of the 64-bit length MUST be 0",
        Violation::ControlFragmented => "control frames MUST NOT be fragmented",
        Violation::ControlTooLong => "control frames MUST have a payload of 125 octets or less",
        Violation::NothingToContinue => "a fragmented message starts with a frame whose opcode is not 0; only then come frames with opcode 0",
        Violation::MessageInterrupted => "the fragments of one message MUST NOT be interleaved with those of another; they have opcode 0",
        Violation::CloseBody => "if a Close has a body, its first two octets MUST be the status code",
        Violation::CloseCode => "codes that are reserved or have no meaning MUST NOT be set in a Close",
        Violation::CloseReason => "behind its code, the body of a Close is text in UTF-8",
        Violation::NotUtf8 => "when a text turns out not to be valid UTF-8, the receiver MUST fail the connection",
        Violation::TooBig => "a receiver should limit the size of frames and messages that it takes",
    }
}

/// What a status code is, also one that must not be sent (sections 7.4.1 and 7.4.2).
#[must_use]
pub fn code_name(code: u16) -> &'static str {
    match (CloseCode::from_wire(code), code) {
        (Some(known), _) => known.name(),
        (None, 0..=999) => "not used",
        (None, 1004) => "reserved",
        (None, 1005) => "no status received: reserved, never sent",
        (None, 1006) => "abnormal closure: reserved, never sent",
        (None, 1015) => "TLS handshake failed: reserved, never sent",
        (None, 1016..=2999) => "reserved for later versions of the protocol",
        (None, _) => "without a meaning",
    }
}
