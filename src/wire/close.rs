//! The Close frame, section 5.5.1: its body and its reply.
//!
//! Where the RFC leaves a choice, the server decides:
//!
//! | question | choice | why |
//! |---|---|---|
//! | section 5.2: a received length that is not in its shortest form? | 1002 | the MUST binds the sender, and two forms of one frame have no use |
//! | section 5.2: the top bit of a length is set, 1002 or 1009? | 1002 | the grammar is violated, whatever the size |
//! | section 7.4.2: a code that is not assigned? | 1002 | no two peers can have agreed on its meaning |
//! | section 5.4: a Close between two fragments? | the usual reply | a control frame may be there |
//! | section 5.5.1: a reason that is not UTF-8? | 1007 | the text is wrong, the frame is not |
//! | the reply to an empty Close? | an empty Close | there is no code to repeat |
//! | section 5.5.3: several Pings? | a Pong for each; if a backlog is queued, only for the newest | a flood of Pings must not take memory |
//! | section 7.1.7: frames before the one that violates a rule? | they are processed | they were valid when they were received |
//! | how soon is "as soon as practical"? | `server/limits.rs` | the RFC has no number |
//!
//! A deliberate deviation from 5.5.2-f: the server sends no Pong after its own Close, even if the client's
//! Close has not been received. A send queue ends with its Close, and a client that closes needs no Pong.

use super::raw::LENGTH_7_MAX;
use super::violation::Violation;

pub use super::close_code::CloseCode;

/// The content of a Close frame, section 5.5.1: nothing, or a code with a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    code: Option<CloseCode>,
    /// Empty without a code.
    reason: String,
}

/// The longest reason in bytes, 123: a control frame has at most 125 (section 5.5), the code takes two.
const REASON_MAX: usize = LENGTH_7_MAX as usize - 2;

impl Close {
    /// A Close with `code` and a reason, which is cut to 123 bytes between two characters.
    pub fn new(code: CloseCode, reason: &str) -> Self {
        let end = reason.floor_char_boundary(REASON_MAX);
        Self { code: Some(code), reason: reason[..end].to_owned() }
    }

    /// Reads the body of a Close frame.
    ///
    /// # Errors
    /// [`Violation::CloseBody`] for a body of one byte, the error of [`CloseCode::from_wire`],
    /// [`Violation::CloseReason`] for a reason that is not UTF-8.
    pub fn parse(body: &[u8]) -> Result<Self, Violation> {
        let Some((code, reason)) = split_body(body) else {
            return if body.is_empty() { Ok(Self::default()) } else { Err(Violation::CloseBody) };
        };
        let code = CloseCode::from_wire(code)?;
        let reason = str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
        Ok(Self { code: Some(code), reason: reason.to_owned() })
    }

    /// The body of a Close frame: 0, or 2 to 125 bytes.
    pub fn body(&self) -> Vec<u8> {
        let body = |code: CloseCode| join_body(code.number(), self.reason.as_bytes());
        self.code.map(body).unwrap_or_default()
    }

    /// The server's reply to this Close (section 5.5.1): the same code without a reason; an empty Close
    /// to an empty one; and 1000 to 1010, which only a client sends (section 7.4.1).
    pub fn reply(&self) -> Self {
        let reply =
            |code| if code == CloseCode::EXTENSION_MISSING { CloseCode::NORMAL } else { code };
        Self { code: self.code.map(reply), reason: String::new() }
    }

    /// The code, if there is one. Section 7.1.5 calls its absence 1005, which is never sent.
    pub fn code(&self) -> Option<CloseCode> {
        self.code
    }

    /// The reason; empty without a code.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// The code and the reason in the body of a Close, valid or not; `None` if it is shorter than a code.
pub fn split_body(body: &[u8]) -> Option<(u16, &[u8])> {
    let (code, reason) = body.split_first_chunk()?;
    Some((u16::from_be_bytes(*code), reason))
}

/// The body of a Close with any code and any reason: two bytes of code in network byte order, then
/// the reason (section 5.5.1).
pub fn join_body(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

impl CloseCode {
    /// The code in a received Close frame (section 7.4).
    ///
    /// # Errors
    /// The violation of a code that must not be in a Close frame.
    pub fn from_wire(code: u16) -> Result<Self, Violation> {
        match code {
            ..1000 => Err(Violation::CloseCodeTooSmall),
            1004 => Err(Violation::CloseCodeReserved),
            1005 | 1006 | 1015 => Err(Violation::CloseCodeLocal),
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            1016..=2999 => Err(Violation::CloseCodeUnassigned),
            5000.. => Err(Violation::CloseCodeTooLarge),
        }
    }
}

impl Violation {
    /// The Close frame that answers it (section 7.1.7).
    pub fn close(self) -> Close {
        let rule = self.rule();
        let reason = format!("{} (RFC 6455, {})", rule.sentence, rule.requirement.section);
        Close::new(rule.code, &reason)
    }
}

#[cfg(test)]
mod tests {
    use super::super::violation::RULES;
    use super::*;

    #[test]
    fn s5_5_1_bodies() {
        assert_eq!(Close::parse(&[]).unwrap(), Close::default());
        assert_eq!(Close::parse(&[0x03, 0xe8]).unwrap(), Close::new(CloseCode::NORMAL, ""));
        let bye = Close::parse(&[0x03, 0xe8, b'b', b'y', b'e']).unwrap();
        assert_eq!((bye.code(), bye.reason()), (Some(CloseCode::NORMAL), "bye"));
        assert_eq!(bye.reply().body(), [0x03, 0xe8]);
        assert_eq!(Close::default().reply().body(), []);
        let missed = Close::parse(&1010u16.to_be_bytes()).unwrap();
        assert_eq!(missed.reply().code(), Some(CloseCode::NORMAL));

        for (body, violation) in [
            (&[0x03][..], Violation::CloseBody),
            (&[0x00, 0x00], Violation::CloseCodeTooSmall),
            (&[0x03, 0xed], Violation::CloseCodeLocal),
            (&[10, 0], Violation::CloseCodeUnassigned), // restbed's example: 1000 as decimal digits
            (&[0x03, 0xe8, 0xff], Violation::CloseReason),
            (&[0x03, 0xe8, 0xe2, 0x82], Violation::CloseReason),
        ] {
            assert_eq!(Close::parse(body), Err(violation), "{body:02x?}");
        }
    }

    #[test]
    fn s5_5_1_a_body_begins_with_its_code() {
        assert_eq!(split_body(&[0x03, 0xe8]), Some((1000, &[][..])));
        assert_eq!(split_body(b"\x03\xedbye"), Some((1005, &b"bye"[..])));
        assert_eq!(split_body(&[0x03]), None);
        assert_eq!(split_body(&[]), None);
        assert_eq!(join_body(1005, b"bye"), b"\x03\xedbye");
    }

    #[test]
    fn s7_4_the_requirement_of_every_close_code() {
        for code in 0..=u16::MAX {
            let id = match code {
                0..=999 => "7.4.2-a",
                1004 => "7.4.1-e",
                1005 | 1006 | 1015 => "7.4.1-f",
                1016..=2999 => "7.4.2-b",
                5000.. => "7.4.2-e",
                1000..=1003 | 1007..=1014 | 3000..=4999 => "valid",
            };
            let parsed = Close::parse(&code.to_be_bytes());
            let found =
                parsed.map_or_else(|violation| violation.rule().requirement.id, |_| "valid");
            assert_eq!(found, id, "{code}");
        }
    }

    #[test]
    fn s5_5_a_reason_is_cut_to_123_bytes_between_characters() {
        for (reason, length) in [
            ("a".repeat(122), 122),
            ("a".repeat(123), 123),
            ("a".repeat(124), 123),
            ("\u{e9}".repeat(62), 122),
            ("\u{20ac}".repeat(42), 123),
            ("\u{1f600}".repeat(40), 120),
        ] {
            let close = Close::new(CloseCode::NORMAL, &reason);
            assert_eq!(close.reason().len(), length);
            assert_eq!(Close::parse(&close.body()), Ok(close));
        }
    }

    #[test]
    fn s7_1_7_the_reason_of_every_rule_is_sent_whole() {
        for rule in &RULES {
            let close = rule.violation.close();
            assert_eq!(close.code(), Some(rule.code));
            let reason = format!("{} (RFC 6455, {})", rule.sentence, rule.requirement.section);
            assert_eq!(close.reason(), reason);
        }
    }
}
