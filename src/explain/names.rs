//! The words for roles, opcodes and close codes.

use crate::wire::close::CloseCode;
use crate::wire::frame::Role;
use crate::wire::raw::RawHeader;
use crate::wire::violation::Violation;

/// `client` or `server`.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

/// The name of the opcode, such as `text`, or `reserved opcode 0x3`.
pub(super) fn opcode(header: &RawHeader) -> String {
    match header.opcode() {
        Some(opcode) => opcode.name().to_owned(),
        None => format!("reserved opcode 0x{:x}", header.opcode_bits()),
    }
}

/// The meaning of a close code, also of one that must not be sent (sections 7.4.1 and 7.4.2).
pub(super) fn close_code(code: u16) -> &'static str {
    match (CloseCode::from_wire(code), code) {
        (Ok(known), _) => known.name(),
        (Err(Violation::CloseCodeTooSmall), _) => "not used",
        (Err(Violation::CloseCodeReserved), _) => "reserved",
        (Err(Violation::CloseCodeLocal), 1005) => "no status received: reserved, never sent",
        (Err(Violation::CloseCodeLocal), 1006) => "abnormal closure: reserved, never sent",
        (Err(Violation::CloseCodeLocal), _) => "TLS handshake failed: reserved, never sent",
        (Err(Violation::CloseCodeUnassigned), _) => "reserved for later versions of the protocol",
        (Err(_), _) => "undefined",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_4_every_close_code_has_a_name() {
        for (codes, name) in [
            (0..=999, "not used"),
            (1000..=1000, "normal closure"),
            (1003..=1003, "unsupported data"),
            (1004..=1004, "reserved"),
            (1005..=1005, "no status received: reserved, never sent"),
            (1006..=1006, "abnormal closure: reserved, never sent"),
            (1007..=1007, "invalid payload data"),
            (1014..=1014, "bad gateway"),
            (1015..=1015, "TLS handshake failed: reserved, never sent"),
            (1016..=2999, "reserved for later versions of the protocol"),
            (3000..=3999, "registered by a library"),
            (4000..=4999, "private use"),
            (5000..=u16::MAX, "undefined"),
        ] {
            for code in codes {
                assert_eq!(close_code(code), name, "{code}");
            }
        }
    }
}
