//! The accept value in words: each step of its computation, and how a wrong one came to be.

use super::accept_errors::{self, Cause};
use super::fields::hex;
use super::printable;
use crate::wire::base64;
use crate::wire::handshake::{GUID, accept, concatenation, is_key, sha1};
use crate::wire::refusal::{Refusal, RefusalRule};

/// The computation for `key` in steps, a line each: section 4.2.2 item 5.4.
#[must_use]
pub fn steps(key: &str) -> String {
    let concatenation = concatenation(key.as_bytes());
    let mut lines = Lines::default();
    lines.text("key", key);
    if let Some(octets) = base64::decode(key.as_bytes()) {
        let count = octets.len();
        lines.note(&format!("{count} octets in base64: {}", hex(&octets, " ")));
    }
    lines.text("GUID", GUID);
    lines.note("the same for every WebSocket (section 1.3)");
    lines.octets("concatenation", &concatenation);
    lines.note(&format!(
        "{} octets: the key as it was sent, not decoded, and the GUID",
        concatenation.len()
    ));
    lines.text("SHA-1", &hex(&sha1(&concatenation), " "));
    lines.note("20 octets: the digest itself is encoded, not its digits in hex");
    lines.text("base64", &accept(key.as_bytes()));
    lines.note("Sec-WebSocket-Accept, 28 characters (section 4.2.2 item 5.4)");
    lines.0
}

/// What is wrong with `key`, if anything is.
#[must_use]
pub fn complaint(key: &str) -> Option<String> {
    let key = key.as_bytes();
    if is_key(key) {
        return None;
    }
    let RefusalRule { status, section, sentence, .. } = Refusal::KeyInvalid.rule();
    let what = match base64::decode(key) {
        Some(octets) => format!("it is {} octets", octets.len()),
        None => format!("its {} characters are no base64 with padding", key.len()),
    };
    Some(format!("{sentence}: {what} (RFC 6455, {section}); a server answers {status}"))
}

/// Is `given` the accept value of `key`? Whitespace around it does not count (section 4.1).
#[must_use]
pub fn matches(key: &str, given: &str) -> bool {
    accept(key.as_bytes()) == trimmed(given)
}

/// The verdict on `given` as the accept value of `key`, with the mistake if it is a known one.
#[must_use]
pub fn judgement(key: &str, given: &str) -> String {
    let mut lines = Lines::default();
    lines.text("key", key);
    lines.text("expected", &accept(key.as_bytes()));
    lines.text("given", trimmed(given));
    if matches(key, given) {
        lines.text("verdict", "they match");
        return lines.0;
    }
    lines.text("verdict", "no match: a client fails the connection (section 4.1)");
    match accept_errors::find(key, trimmed(given)) {
        Some(cause) => lines.cause(&cause),
        None => lines.text("mistake", &unknown(trimmed(given))),
    }
    lines.0
}

fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// What can be said of a value that no known mistake makes.
fn unknown(given: &str) -> String {
    let looks = match base64::decode(given.as_bytes()) {
        Some(octets) if octets.len() == 20 => {
            "it looks right, 20 octets in base64: something else was hashed, the key of another request?"
                .to_owned()
        }
        Some(octets) => format!("it is {} octets in base64, where a SHA-1 has 20", octets.len()),
        None => "it is no base64 with padding".to_owned(),
    };
    format!("none of the {} that are known; {looks}", accept_errors::count())
}

/// Lines of a name and what it stands for.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn text(&mut self, name: &str, text: &str) {
        self.0.push_str(&format!("{name:<15}"));
        printable(text, usize::MAX, &mut self.0);
        self.0.push('\n');
    }

    fn note(&mut self, note: &str) {
        self.text("", note);
    }

    /// As text if they are some, else in hex.
    fn octets(&mut self, name: &str, octets: &[u8]) {
        match str::from_utf8(octets) {
            Ok(text) => self.text(name, text),
            Err(_) => self.text(name, &hex(octets, " ")),
        }
    }

    fn cause(&mut self, cause: &Cause) {
        for mistake in &cause.mistakes {
            self.text("mistake", mistake.name);
        }
        if let Some(hashed) = &cause.hashed {
            self.octets("hashed", hashed);
        }
    }
}
