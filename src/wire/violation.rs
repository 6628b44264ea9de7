//! The table of everything that a peer can violate after the handshake, and the Close that answers it.
//!
//! One violation is not in it: data after a Close (5.5.1-h). The receiver drops such data without an answer,
//! so the rule has no close code; `explain/finding.rs` reports it.
//!
//! The strict receiver stops at the first broken rule; the lenient dissector lists all of them.
//! Both read this table.

use super::super::rfc6455::{Requirement, requirement};
use super::close_code::CloseCode;
use super::opcode::Role;
use super::raw::{LENGTH_7_MAX, RawHeader};
use super::rules::rules;

/// A violation, its requirement, and the Close that answers it.
#[derive(Debug)]
pub struct Rule {
    /// The violation.
    pub violation: Violation,
    /// The requirement that is broken, or that the receiver follows when it detects the violation.
    pub requirement: &'static Requirement,
    /// The code of the Close that a receiver answers with (section 7.1.7).
    pub code: CloseCode,
    /// What the receiver saw; the reason of its Close.
    pub sentence: &'static str,
    /// Whether a header, as far as it was received, breaks the rule as a frame of this sender.
    pub broken: fn(&RawHeader, Role) -> bool,
}

rules! {
    /// Every violation of RFC 6455 after the handshake that a Close answers.
    enum Violation;
    /// Every rule, in the order of [`Violation`]. The rules of a header are in the order of the wire.
    static RULES: Rule;

    // violation            requirement code                      what was seen, and when a header breaks the rule
    /// RSV1, RSV2 or RSV3 is set, and no extension defines it.
    ReservedBits          ("5.2-c",    CloseCode::PROTOCOL_ERROR,  "reserved bit set without an extension",   |header, _| header.rsv() != [false; 3]);
    /// The opcode is 3 to 7 or B to F.
    ReservedOpcode        ("5.2-f",    CloseCode::PROTOCOL_ERROR,  "reserved opcode",                         |header, _| header.opcode().is_none());
    /// A control frame has no FIN.
    ControlFragmented     ("5.5-b",    CloseCode::PROTOCOL_ERROR,  "control frame without FIN",               |header, _| header.is_control() && !header.fin());
    /// A client's frame has no MASK bit.
    Unmasked              ("5.1-a",    CloseCode::PROTOCOL_ERROR,  "a client's frame must be masked",         |header, from| from == Role::Client && header.mask() == Some(false));
    /// A server's frame has the MASK bit.
    Masked                ("5.1-d",    CloseCode::PROTOCOL_ERROR,  "a server's frame must not be masked",     |header, from| from == Role::Server && header.mask() == Some(true));
    // `None < Some`, so a length that is not received yet breaks neither of the next two rules.
    /// A control frame has more than 125 bytes of payload.
    ControlTooLong        ("5.5-a",    CloseCode::PROTOCOL_ERROR,  "control frame over 125 bytes",            |header, _| header.is_control() && Some(LENGTH_7_MAX) < header.length_7());
    /// The most significant bit of a 64-bit length is set.
    LengthTopBit          ("5.2-j",    CloseCode::PROTOCOL_ERROR,  "top bit of the 64-bit length set",        |header, _| Some(1 << 63) <= header.length());
    /// A length that fits 7 bits is in the 16-bit form.
    Length16NotMinimal    ("5.2-l",    CloseCode::PROTOCOL_ERROR,  "length not in its shortest form",         |header, _| header.extended_size() == 2 && header.length().is_some_and(|length| length <= LENGTH_7_MAX.into()));
    /// A length that fits 16 bits is in the 64-bit form.
    Length64NotMinimal    ("5.2-m",    CloseCode::PROTOCOL_ERROR,  "length not in its shortest form",         |header, _| header.extended_size() == 8 && header.length().is_some_and(|length| length < 1 << 16));
    /// A continuation frame has no message to continue.
    NothingToContinue     ("5.4-h",    CloseCode::PROTOCOL_ERROR,  "continuation without a message",          never_by_header);
    /// A new data frame begins before the current message has ended.
    MessageInterrupted    ("5.4-g",    CloseCode::PROTOCOL_ERROR,  "new message before the last one ended",   never_by_header);
    /// The body of a Close is one byte.
    CloseBody             ("5.5.1-b",  CloseCode::PROTOCOL_ERROR,  "close body of one byte",                  never_by_header);
    /// A close code is below 1000.
    CloseCodeTooSmall     ("7.4.2-a",  CloseCode::PROTOCOL_ERROR,  "close code that must not be sent",        never_by_header);
    /// A close code is 1004, which is reserved.
    CloseCodeReserved     ("7.4.1-e",  CloseCode::PROTOCOL_ERROR,  "close code that must not be sent",        never_by_header);
    /// A close code is 1005, 1006 or 1015, which an endpoint reports only to its own application.
    CloseCodeLocal        ("7.4.1-f",  CloseCode::PROTOCOL_ERROR,  "close code that must not be sent",        never_by_header);
    /// A close code of the protocol, 1016 to 2999, is not assigned.
    CloseCodeUnassigned   ("7.4.2-b",  CloseCode::PROTOCOL_ERROR,  "close code that must not be sent",        never_by_header);
    /// A close code is 5000 or above.
    CloseCodeTooLarge     ("7.4.2-e",  CloseCode::PROTOCOL_ERROR,  "close code that must not be sent",        never_by_header);
    /// A close reason is not UTF-8.
    CloseReason           ("5.5.1-e",  CloseCode::INVALID_PAYLOAD, "close reason is not UTF-8",               never_by_header);
    /// A text message is not UTF-8.
    NotUtf8               ("8.1-a",    CloseCode::INVALID_PAYLOAD, "text is not UTF-8",                       never_by_header);
    /// A message exceeds the receiver's limit.
    TooBig                ("10.4-c",   CloseCode::MESSAGE_TOO_BIG, "message too big",                         never_by_header);
}

impl Rule {
    const fn new(
        violation: Violation,
        id: &str,
        code: CloseCode,
        sentence: &'static str,
        broken: fn(&RawHeader, Role) -> bool,
    ) -> Self {
        Self { violation, requirement: requirement(id), code, sentence, broken }
    }
}

/// For a rule that a header alone does not break.
fn never_by_header(_: &RawHeader, _: Role) -> bool {
    false
}

impl RawHeader {
    /// Every violation that a frame of `sender` makes with this header, as far as it was received, in
    /// the order of the wire.
    pub fn violations(&self, sender: Role) -> impl Iterator<Item = Violation> {
        let rules = RULES.iter().filter(move |rule| (rule.broken)(self, sender));
        rules.map(|rule| rule.violation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_2_every_violation_of_a_header_is_listed() {
        let wire = [0x79, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 5]; // a Ping with every field wrong
        let broken = [
            Violation::ReservedBits,
            Violation::ControlFragmented,
            Violation::Unmasked,
            Violation::ControlTooLong,
            Violation::LengthTopBit,
        ];
        assert!(RawHeader::read(&wire).violations(Role::Client).eq(broken));
        let wire = [0x8b, 0xfe, 0, 5, 1, 2, 3, 4];
        let broken = [
            Violation::ReservedOpcode,
            Violation::Masked,
            Violation::ControlTooLong,
            Violation::Length16NotMinimal,
        ];
        assert!(RawHeader::read(&wire).violations(Role::Server).eq(broken));
    }

    #[test]
    fn s5_2_each_reserved_opcode_and_each_long_form_is_a_violation() {
        for opcode in [3, 7, 11, 15] {
            assert_eq!(ids(&[0x80 | opcode, 0]), ["5.2-f"], "{opcode}");
        }
        assert_eq!(ids(&[0x81, 126, 0, 125]), ["5.2-l"]);
        assert_eq!(ids(&[0x81, 126, 0, 126]), [""; 0]);
        assert_eq!(ids(&[0x81, 126, 0]), [""; 0], "a length that is not complete");
        assert_eq!(ids(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), ["5.2-m"]);
        assert_eq!(ids(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]), [""; 0]);
    }

    /// The requirements that the header of a server's frame breaks.
    fn ids(wire: &[u8]) -> Vec<&'static str> {
        let header = RawHeader::read(wire);
        header.violations(Role::Server).map(|violation| violation.rule().requirement.id).collect()
    }

    #[test]
    fn every_rule_says_what_was_seen() {
        for Rule { violation, sentence, code, .. } in &RULES {
            assert!(sentence.is_ascii() && !sentence.ends_with('.'), "{violation:?}: {sentence}");
            assert_ne!(*code, CloseCode::NORMAL, "{violation:?}");
            assert_eq!(
                violation.rule().violation,
                *violation,
                "the table has the order of the enum"
            );
        }
    }
}
