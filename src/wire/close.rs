//! The Close frame, sections 5.5.1 and 7.4: its codes, its body, and the one table of everything
//! that makes us send one.
//!
//! Where the RFC leaves a choice, this is ours:
//!
//! | question | choice | why |
//! |---|---|---|
//! | section 5.2: a length in more octets than it needs, when received? | 1002 | the MUST is the sender's, and two forms of one frame help nobody |
//! | section 5.2: a length with its top bit set, 1002 or 1009? | 1002 | it is grammar, not size |
//! | section 7.4.2: codes without a meaning? | 1002 | nobody can have agreed on one |
//! | section 5.4: Close between two fragments? | the usual answer | a control frame may come there |
//! | section 5.5.1: a reason that is not UTF-8? | 1007 | it is text that is wrong, the frame is not |
//! | the answer to an empty Close? | an empty one | no code was said |
//! | section 5.5.2: a Ping after our own Close? | no Pong | our Close stays the last that we send |
//! | section 5.5.3: several Pings? | each gets its Pong, but behind a backlog only the newest | a flood takes no memory |
//! | section 7.1.7: frames before the one that breaks a rule? | they count | they were right when they came |
//! | how long is soon? | `server/limits.rs` | the RFC has no number |

use std::fmt;

/// A close code that may stand in a Close frame (section 7.4 and its IANA registry): 1000 to 1003,
/// 1007 to 1014, 3000 to 4999. The reserved 1004, 1005, 1006 and 1015 have no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

#[rustfmt::skip]
impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server that stops, a page that is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that is not accepted here.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: a message whose data does not fit its type.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1009: a message that is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1011: something unexpected happened at our end.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1013: overload; the peer may come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
}

impl CloseCode {
    /// The code that came in a Close frame. Codes without a meaning are a breach (section 7.4.2):
    /// nobody can have agreed on one.
    ///
    /// # Errors
    /// [`Violation::CloseCode`] for a code that must not or does not occur on the wire.
    pub fn from_wire(code: u16) -> Result<Self, Violation> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            _ => Err(Violation::CloseCode),
        }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }

    /// What the registry calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "extension missing",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            3000..=3999 => "registered by a library",
            _ => "private use",
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a Close frame says, section 5.5.1: nothing at all, or a code with a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    status: Option<(CloseCode, String)>,
}

/// A control frame's payload is at most 125 octets (section 5.5); the code takes two of them.
const REASON_MAX: usize = 125 - 2;

impl Close {
    /// A Close with `code` and a reason, which is cut to 123 octets between two characters.
    #[must_use]
    pub fn new(code: CloseCode, reason: &str) -> Self {
        let end = reason.floor_char_boundary(REASON_MAX);
        Self { status: Some((code, reason[..end].to_owned())) }
    }

    /// Reads the body of a Close frame.
    ///
    /// # Errors
    /// [`Violation::CloseBody`] for a body of one octet, [`Violation::CloseCode`] as in
    /// [`CloseCode::from_wire`], [`Violation::CloseReason`] for a reason that is not UTF-8.
    pub fn parse(body: &[u8]) -> Result<Self, Violation> {
        match body {
            [] => Ok(Self::default()),
            [_] => Err(Violation::CloseBody),
            [high, low, reason @ ..] => {
                let code = CloseCode::from_wire(u16::from_be_bytes([*high, *low]))?;
                let reason = str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
                Ok(Self { status: Some((code, reason.to_owned())) })
            }
        }
    }

    /// The body of a Close frame: 0, or 2 to 125 octets.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match &self.status {
            None => Vec::new(),
            Some((code, reason)) => [code.0.to_be_bytes().as_slice(), reason.as_bytes()].concat(),
        }
    }

    /// A server's answer to this Close: the same code without the reason; to an empty one, an empty
    /// one; and 1000 to 1010, which section 7.4.1 has for clients alone.
    #[must_use]
    pub fn reply(&self) -> Self {
        let code = self.code().map(|code| if code.0 == 1010 { CloseCode::NORMAL } else { code });
        Self { status: code.map(|code| (code, String::new())) }
    }

    /// The code, if there is one. Section 7.1.5 calls its absence 1005, which is never sent.
    #[must_use]
    pub fn code(&self) -> Option<CloseCode> {
        self.status.as_ref().map(|(code, _)| *code)
    }

    /// The reason; empty without a code.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.status.as_ref().map_or("", |(_, reason)| reason)
    }
}

/// Every way in which a peer can break RFC 6455 once the handshake is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A client's frame without the MASK bit.
    Unmasked,
    /// A server's frame with it.
    Masked,
    /// RSV1, RSV2 or RSV3 set: no extension was agreed that gives them a meaning.
    ReservedBits,
    /// Opcode 3 to 7 or B to F.
    ReservedOpcode,
    /// A length in a longer form than it needs.
    LengthNotMinimal,
    /// A 64-bit length whose most significant bit is set.
    LengthTopBit,
    /// A control frame without FIN.
    ControlFragmented,
    /// A control frame of more than 125 octets.
    ControlTooLong,
    /// A continuation frame with no message to continue.
    NothingToContinue,
    /// A new data frame before the message under way has ended.
    MessageInterrupted,
    /// A Close body of one octet.
    CloseBody,
    /// A close code that has no meaning or must not be sent.
    CloseCode,
    /// A close reason that is not UTF-8.
    CloseReason,
    /// A text message that is not UTF-8.
    NotUtf8,
    /// A message beyond the receiver's limit.
    TooBig,
}

impl Violation {
    /// The code we close with, the section that was broken, and the reason we send.
    #[must_use]
    #[rustfmt::skip]
    pub fn verdict(self) -> (CloseCode, &'static str, &'static str) {
        const BROKEN: CloseCode = CloseCode::PROTOCOL_ERROR;
        match self {
            Self::Unmasked           => (BROKEN, "5.1",   "a client's frame must be masked"),
            Self::Masked             => (BROKEN, "5.1",   "a server's frame must not be masked"),
            Self::ReservedBits       => (BROKEN, "5.2",   "reserved bit set without an extension"),
            Self::ReservedOpcode     => (BROKEN, "5.2",   "reserved opcode"),
            Self::LengthNotMinimal   => (BROKEN, "5.2",   "length not in its shortest form"),
            Self::LengthTopBit       => (BROKEN, "5.2",   "top bit of the 64-bit length set"),
            Self::ControlFragmented  => (BROKEN, "5.5",   "control frame without FIN"),
            Self::ControlTooLong     => (BROKEN, "5.5",   "control frame over 125 octets"),
            Self::NothingToContinue  => (BROKEN, "5.4",   "continuation without a message"),
            Self::MessageInterrupted => (BROKEN, "5.4",   "new message before the last one ended"),
            Self::CloseBody          => (BROKEN, "5.5.1", "close body of one octet"),
            Self::CloseCode          => (BROKEN, "7.4",   "close code that must not be sent"),
            Self::CloseReason        => (CloseCode::INVALID_PAYLOAD, "5.5.1", "close reason is not UTF-8"),
            Self::NotUtf8            => (CloseCode::INVALID_PAYLOAD, "8.1",   "text is not UTF-8"),
            Self::TooBig             => (CloseCode::MESSAGE_TOO_BIG, "10.4",  "message too big"),
        }
    }

    /// The Close frame that answers it (section 7.1.7).
    #[must_use]
    pub fn close(self) -> Close {
        let (code, section, reason) = self.verdict();
        Close::new(code, &format!("{reason} (RFC 6455, {section})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_4_codes_at_both_sides_of_every_boundary() {
        for code in [1000, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999] {
            assert_eq!(CloseCode::from_wire(code).unwrap().number(), code);
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            assert_eq!(CloseCode::from_wire(code), Err(Violation::CloseCode), "{code}");
        }
    }

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
            (&[0x00, 0x00], Violation::CloseCode),
            (&[0x03, 0xed], Violation::CloseCode),
            (&[10, 0], Violation::CloseCode), // restbed's example: 1000 as decimal digits
            (&[0x03, 0xe8, 0xff], Violation::CloseReason),
            (&[0x03, 0xe8, 0xe2, 0x82], Violation::CloseReason),
        ] {
            assert_eq!(Close::parse(body), Err(violation), "{body:02x?}");
        }
    }

    #[test]
    fn s5_5_a_reason_is_cut_to_123_octets_between_characters() {
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
    fn s7_1_7_every_verdict_is_sent_whole() {
        for violation in [
            Violation::Unmasked,
            Violation::Masked,
            Violation::ReservedBits,
            Violation::ReservedOpcode,
            Violation::LengthNotMinimal,
            Violation::LengthTopBit,
            Violation::ControlFragmented,
            Violation::ControlTooLong,
            Violation::NothingToContinue,
            Violation::MessageInterrupted,
            Violation::CloseBody,
            Violation::CloseCode,
            Violation::CloseReason,
            Violation::NotUtf8,
            Violation::TooBig,
        ] {
            let (code, section, reason) = violation.verdict();
            let close = violation.close();
            assert_eq!(close.code(), Some(code));
            assert_eq!(close.reason(), format!("{reason} (RFC 6455, {section})"));
        }
    }
}
