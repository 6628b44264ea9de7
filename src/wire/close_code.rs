//! The close codes of section 7.4 and of its IANA registry.

use std::fmt;

/// A close code that may be in a Close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999. The reserved
/// codes 1004, 1005, 1006 and 1015 have no value here. [`from_wire`](Self::from_wire) makes every value but
/// the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(pub(super) u16);

#[rustfmt::skip]
impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server stops, or a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the endpoint does not accept this type of data.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: the data of a message does not fit its type.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1009: the message is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client requires an extension. Only a client sends this code (section 7.4.1).
    pub(super) const EXTENSION_MISSING: Self = Self(1010);
    /// 1011: an unexpected condition at the sender.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1013: the sender is overloaded; the peer may try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
}

impl CloseCode {
    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Its name in the registry, in lower case.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_4_codes_at_both_sides_of_every_boundary() {
        for code in [1000, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999] {
            assert_eq!(CloseCode::from_wire(code).unwrap().number(), code);
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            assert!(CloseCode::from_wire(code).is_err(), "{code}");
        }
    }

    #[test]
    fn s7_4_1_every_registered_code_has_its_name() {
        for (code, name) in [
            (1000, "normal closure"),
            (1001, "going away"),
            (1002, "protocol error"),
            (1003, "unsupported data"),
            (1007, "invalid payload data"),
            (1008, "policy violation"),
            (1009, "message too big"),
            (1010, "extension missing"),
            (1011, "internal error"),
            (1012, "service restart"),
            (1013, "try again later"),
            (1014, "bad gateway"),
            (3000, "registered by a library"),
            (3999, "registered by a library"),
            (4000, "private use"),
            (4999, "private use"),
        ] {
            assert_eq!(CloseCode::from_wire(code).unwrap().name(), name, "{code}");
        }
        for (constant, code) in [
            (CloseCode::NORMAL, 1000),
            (CloseCode::GOING_AWAY, 1001),
            (CloseCode::PROTOCOL_ERROR, 1002),
            (CloseCode::UNSUPPORTED_DATA, 1003),
            (CloseCode::INVALID_PAYLOAD, 1007),
            (CloseCode::MESSAGE_TOO_BIG, 1009),
            (CloseCode::EXTENSION_MISSING, 1010),
            (CloseCode::INTERNAL_ERROR, 1011),
            (CloseCode::TRY_AGAIN_LATER, 1013),
        ] {
            assert_eq!(CloseCode::from_wire(code), Ok(constant));
            assert_eq!(constant.to_string(), code.to_string());
        }
    }
}
