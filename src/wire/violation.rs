//! The table of everything that a peer can violate after the handshake, and what answers it.
//!
//! The strict receiver stops at the first broken rule; the lenient dissector lists all of them.
//! Both read this table.

use super::super::rfc6455::{Requirement, requirement};
use super::close_code::CloseCode;
use super::opcode::Role;
use super::raw::RawHeader;

/// Every way in which a peer can violate RFC 6455 after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// RSV1, RSV2 or RSV3 is set, and no extension defines it.
    ReservedBits,
    /// The opcode is 3 to 7 or B to F.
    ReservedOpcode,
    /// A control frame has no FIN.
    ControlFragmented,
    /// A client's frame has no MASK bit.
    Unmasked,
    /// A server's frame has the MASK bit.
    Masked,
    /// A control frame has more than 125 bytes of payload.
    ControlTooLong,
    /// The most significant bit of a 64-bit length is set.
    LengthTopBit,
    /// A length is not in its shortest form.
    LengthNotMinimal,
    /// A continuation frame has no message to continue.
    NothingToContinue,
    /// A new data frame begins before the current message has ended.
    MessageInterrupted,
    /// The body of a Close is one byte.
    CloseBody,
    /// A close code is reserved or not assigned.
    CloseCode,
    /// A close reason is not UTF-8.
    CloseReason,
    /// A text message is not UTF-8.
    NotUtf8,
    /// A message exceeds the receiver's limit.
    TooBig,
}

/// A violation, the requirement that it breaks, and the Close that answers it.
#[derive(Debug)]
pub struct Rule {
    /// The violation.
    pub violation: Violation,
    /// The requirement in the register.
    pub requirement: &'static Requirement,
    /// The code of the Close that a receiver answers with (section 7.1.7).
    pub code: CloseCode,
    /// What the receiver saw; the reason of its Close.
    pub sentence: &'static str,
    /// Whether a header, as far as it was received, breaks the rule as a frame of this sender.
    pub broken: fn(&RawHeader, Role) -> bool,
}

use CloseCode as Code;
use Violation as V;

/// Every rule, in the order of [`Violation`]. The rules of a header are in the order of the wire.
#[rustfmt::skip]
pub static RULES: [Rule; V::TooBig as usize + 1] = [
    //   violation              requirement  code                    what was seen, and when a header breaks the rule
    rule(V::ReservedBits,       "5.2-b",     Code::PROTOCOL_ERROR,   "reserved bit set without an extension", |header, _| header.rsv() != [false; 3]),
    rule(V::ReservedOpcode,     "5.2-d",     Code::PROTOCOL_ERROR,   "reserved opcode", |header, _| header.opcode().is_none()), // and 5.2-e
    rule(V::ControlFragmented,  "5.5-b",     Code::PROTOCOL_ERROR,   "control frame without FIN", |header, _| header.is_control() && !header.fin()),
    rule(V::Unmasked,           "5.1-b",     Code::PROTOCOL_ERROR,   "a client's frame must be masked", |header, from| from == Role::Client && header.mask() == Some(false)),
    rule(V::Masked,             "5.1-e",     Code::PROTOCOL_ERROR,   "a server's frame must not be masked", |header, from| from == Role::Server && header.mask() == Some(true)),
    rule(V::ControlTooLong,     "5.5-a",     Code::PROTOCOL_ERROR,   "control frame over 125 bytes", |header, _| header.is_control() && Some(125) < header.length_7()),
    rule(V::LengthTopBit,       "5.2-j",     Code::PROTOCOL_ERROR,   "top bit of the 64-bit length set", |header, _| Some(1 << 63) <= header.length()),
    rule(V::LengthNotMinimal,   "5.2-k",     Code::PROTOCOL_ERROR,   "length not in its shortest form", is_longer_than_needed),
    rule(V::NothingToContinue,  "5.4-h",     Code::PROTOCOL_ERROR,   "continuation without a message", no_header),
    rule(V::MessageInterrupted, "5.4-g",     Code::PROTOCOL_ERROR,   "new message before the last one ended", no_header),
    rule(V::CloseBody,          "5.5.1-b",   Code::PROTOCOL_ERROR,   "close body of one byte", no_header),
    rule(V::CloseCode,          "7.4.1-f",   Code::PROTOCOL_ERROR,   "close code that must not be sent", no_header), // and 7.4.2
    rule(V::CloseReason,        "5.5.1-e",   Code::INVALID_PAYLOAD,  "close reason is not UTF-8", no_header),
    rule(V::NotUtf8,            "8.1-a",     Code::INVALID_PAYLOAD,  "text is not UTF-8", no_header),
    rule(V::TooBig,             "10.4-c",    Code::MESSAGE_TOO_BIG,  "message too big", no_header),
];

const fn rule(
    violation: Violation,
    id: &str,
    code: CloseCode,
    sentence: &'static str,
    broken: fn(&RawHeader, Role) -> bool,
) -> Rule {
    Rule { violation, requirement: requirement(id), code, sentence, broken }
}

/// A header alone does not break the rule.
fn no_header(_: &RawHeader, _: Role) -> bool {
    false
}

/// Section 5.2: 16 bits for a length below 126, or 64 bits for one that fits 16.
fn is_longer_than_needed(header: &RawHeader, _: Role) -> bool {
    match (header.extended_size(), header.length()) {
        (2, Some(length)) => length < 126,
        (8, Some(length)) => length < 0x1_0000,
        _ => false,
    }
}

impl Rule {
    /// The section of RFC 6455, as in `5.5.1`.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.requirement.section
    }
}

impl Violation {
    /// Its row in [`RULES`].
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
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
            Violation::LengthNotMinimal,
        ];
        assert!(RawHeader::read(&wire).violations(Role::Server).eq(broken));
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
