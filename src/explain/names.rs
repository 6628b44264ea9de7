//! The words for roles, opcodes and status codes.

use crate::wire::close::CloseCode;
use crate::wire::frame::Role;
use crate::wire::raw::RawHeader;

/// `client` or `server`.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

/// The name of the opcode, such as `text`, or `reserved opcode 0x3`.
#[must_use]
pub(super) fn opcode(header: &RawHeader) -> String {
    match header.opcode() {
        Some(opcode) => opcode.name().to_owned(),
        None => format!("reserved opcode 0x{:x}", header.opcode_bits()),
    }
}

/// The meaning of a status code, also of one that must not be sent (sections 7.4.1 and 7.4.2).
#[must_use]
pub(super) fn status_code(code: u16) -> &'static str {
    match (CloseCode::from_wire(code), code) {
        (Some(known), _) => known.name(),
        (None, 0..=999) => "not used",
        (None, 1004) => "reserved",
        (None, 1005) => "no status received: reserved, never sent",
        (None, 1006) => "abnormal closure: reserved, never sent",
        (None, 1015) => "TLS handshake failed: reserved, never sent",
        (None, 1016..=2999) => "reserved for later versions of the protocol",
        (None, _) => "undefined",
    }
}
