//! The accept value in words: each step of its computation, and the cause of a wrong value.

use super::accept_errors::{self, MISTAKES};
use super::hex;
use super::text::printable;
use crate::wire::base64;
use crate::wire::handshake::{GUID, accept, concatenation, is_key, sha1};
use crate::wire::refusal::{Refusal, RefusalRule};

/// The computation for `key`, a line for each step: section 4.2.2 item 5.4.
pub fn steps(key: &str) -> String {
    let concatenation = concatenation(key.as_bytes());
    let size = concatenation.len();
    let mut table = Table::default();
    table.row("key", key);
    if let Some(bytes) = base64::decode(key.as_bytes()) {
        let digits = hex::encode(&bytes, " ");
        table.row("", &format!("{} bytes in base64: {digits}", bytes.len()));
    }
    table.row("GUID", GUID);
    table.row("", "the same for every WebSocket (section 1.3)");
    table.bytes("concatenation", &concatenation);
    table.row("", &format!("{size} bytes: the key as it was sent, not decoded, then the GUID"));
    table.row("SHA-1", &hex::encode(&sha1(&concatenation), " "));
    table.row("", "20 bytes: base64 encodes these bytes, not their hex digits");
    table.row("base64", &accept(key.as_bytes()));
    table.row("", "Sec-WebSocket-Accept, 28 characters (section 4.2.2 item 5.4)");
    table.0
}

/// What is wrong with `key`; `None` if it is valid.
pub fn key_warning(key: &str) -> Option<String> {
    let key = key.as_bytes();
    if is_key(key) {
        return None;
    }
    let RefusalRule { status, requirement, sentence, .. } = Refusal::KeyInvalid.rule();
    let what = match base64::decode(key) {
        Some(bytes) => format!("it has {} bytes", bytes.len()),
        None => format!("its {} characters are not base64 with padding", key.len()),
    };
    Some(format!(
        "{sentence}: {what} (RFC 6455, {}); a server answers {status}",
        requirement.section
    ))
}

/// The verdict on `given` as the accept value of `key`, with the mistake if it is a known one; and
/// whether it is right. Whitespace around it is ignored (section 4.1).
pub fn verdict(key: &str, given: &str) -> (String, bool) {
    let given = given.trim_matches([' ', '\t']);
    let expected = accept(key.as_bytes());
    let mut table = Table::default();
    table.row("key", key);
    table.row("expected", &expected);
    table.row("given", given);
    if expected == given {
        table.row("verdict", "they match");
        return (table.0, true);
    }
    table.row("verdict", "no match: a client fails the connection (section 4.1)");
    match accept_errors::find(key, given) {
        Some(cause) => {
            cause.mistakes.iter().for_each(|mistake| table.row("mistake", mistake));
            cause.hashed.iter().for_each(|hashed| table.bytes("hashed", hashed));
        }
        None => table.row("mistake", &unknown_mistake(given)),
    }
    (table.0, false)
}

/// What can be said of a value that no known mistake makes.
fn unknown_mistake(given: &str) -> String {
    let looks = match base64::decode(given.as_bytes()).map(|bytes| bytes.len()) {
        Some(20) => {
            "it looks valid, 20 bytes in base64: other text was hashed, perhaps the key of another \
             request"
        }
        Some(size) => &format!("it has {size} bytes in base64, but a SHA-1 has 20"),
        None => "it is not base64 with padding",
    };
    format!("none of the {} known mistakes; {looks}", MISTAKES.len())
}

/// Rows of a name and a value, in two columns.
#[derive(Default)]
struct Table(String);

impl Table {
    fn row(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("{name:<15}"));
        printable(value, usize::MAX, &mut self.0);
        self.0.push('\n');
    }

    /// A row with bytes as text if they are UTF-8, or in hex.
    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        let text = str::from_utf8(bytes).map_or_else(|_| hex::encode(bytes, " "), str::to_owned);
        self.row(name, &text);
    }
}
