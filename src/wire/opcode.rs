//! The types of frames, section 11.8, and who sends them.

/// The sender of a frame. The two roles differ in one rule: a client masks (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Masks every frame.
    Client,
    /// Masks no frame.
    Server,
}

/// The type of a frame. The reserved values have no name: such a frame fails the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0: continues a message.
    Continuation = 0x0,
    /// 0x1: begins a text message.
    Text = 0x1,
    /// 0x2: begins a binary message.
    Binary = 0x2,
    /// 0x8: the last frame of its sender.
    Close = 0x8,
    /// 0x9: requires a Pong.
    Ping = 0x9,
    /// 0xA: the reply to a Ping, or an unsolicited sign of life.
    Pong = 0xA,
}

impl Opcode {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];

    /// Section 11.8; `None` for the reserved values 0x3 to 0x7 and 0xB to 0xF.
    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|opcode| *opcode as u8 == bits)
    }

    /// Its place in [`Opcode::ALL`].
    pub fn index(self) -> usize {
        let bits = self as usize;
        if self.is_control() { bits - 5 } else { bits } // 8, 9 and A have the places 3, 4 and 5
    }

    /// Section 5.5: the most significant bit of the opcode marks a control frame.
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// Its name in section 11.8, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_place_in_all() {
        assert_eq!(Opcode::ALL.map(Opcode::index), [0, 1, 2, 3, 4, 5]);
    }
}
