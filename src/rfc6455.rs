//! The register: every requirement of RFC 6455, and of the HTTP that carries its handshake.
//!
//! Each row has an ID that never changes, so that a rule in `wire`, a test and a report can name it.

mod requirements;

use Binds::Server;

pub use requirements::REQUIREMENTS;

/// One requirement of the register.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The section of RFC 6455 and a letter, as in `5.5.1-a`; `H-1` and so on for HTTP.
    pub id: &'static str,
    /// The key word of RFC 2119. `MUST*`: a step of an algorithm that a MUST introduces; lower case:
    /// plain prose; `def`: a definition; `REG`: a registry; `meta`: how to read the RFC.
    pub level: &'static str,
    /// Who must meet it.
    pub binds: Binds,
    /// The section of RFC 6455, as in `5.5.1`; with its name for another RFC, as in `RFC 9112, 5`.
    pub section: &'static str,
    /// What it requires, in one line.
    pub sentence: &'static str,
}

/// The roles that a requirement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binds {
    /// The server.
    Server,
    /// The client.
    Client,
    /// The server and the client.
    Both,
    /// A proxy between them.
    Intermediary,
}

impl Binds {
    /// The name of the role, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
            Self::Intermediary => "intermediary",
        }
    }
}

impl Requirement {
    /// The part of the register that the row is in: the section of RFC 6455, or `H` for HTTP.
    #[must_use]
    pub const fn chapter(&self) -> &'static str {
        chapter(self.id)
    }
}

/// The requirement with this ID.
///
/// # Panics
/// The register has no such ID. In a constant this is an error of the compiler.
#[must_use]
pub const fn requirement(id: &str) -> &'static Requirement {
    let mut place = 0;
    while place < REQUIREMENTS.len() {
        if is_equal(REQUIREMENTS[place].id, id) {
            return &REQUIREMENTS[place];
        }
        place += 1;
    }
    panic!("the register has no requirement with this ID");
}

/// The title of a section of the register, empty if there is no such section.
#[must_use]
pub fn section_title(section: &str) -> &'static str {
    let chapter = if section.starts_with("RFC ") { "H" } else { section };
    SECTIONS.iter().find(|(number, _)| *number == chapter).map_or("", |(_, title)| title)
}

/// A row of RFC 6455; its ID begins with its section.
const fn row(
    id: &'static str,
    level: &'static str,
    binds: Binds,
    sentence: &'static str,
) -> Requirement {
    Requirement { id, level, binds, section: chapter(id), sentence }
}

/// A row of another RFC that a server has to meet.
const fn http(
    id: &'static str,
    level: &'static str,
    section: &'static str,
    sentence: &'static str,
) -> Requirement {
    Requirement { id, level, binds: Server, section, sentence }
}

/// `5.5.1` of `5.5.1-a`.
const fn chapter(id: &'static str) -> &'static str {
    let mut end = 0;
    while end < id.len() && id.as_bytes()[end] != b'-' {
        end += 1;
    }
    id.split_at(end).0
}

/// `==` of two strings, which a constant cannot call.
const fn is_equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

/// The titles of the register's sections, in the order of the rows.
#[rustfmt::skip]
const SECTIONS: &[(&str, &str)] = &[
    ("2", "Conformance"),
    ("2.1", "Terminology"),
    ("3", "WebSocket URIs"),
    ("4.1", "Opening handshake: the client"),
    ("4.2", "Opening handshake: the server"),
    ("4.2.1", "Reading the client's handshake"),
    ("4.2.2", "Sending the server's handshake"),
    ("4.3", "Header grammar"),
    ("4.4", "Several versions"),
    ("5.1", "Data framing: overview"),
    ("5.2", "Base framing"),
    ("5.3", "Masking"),
    ("5.4", "Fragmentation"),
    ("5.5", "Control frames"),
    ("5.5.1", "Close"),
    ("5.5.2", "Ping"),
    ("5.5.3", "Pong"),
    ("5.6", "Data frames"),
    ("5.7", "Examples"),
    ("5.8", "Extensibility"),
    ("6.1", "Sending"),
    ("6.2", "Receiving"),
    ("7.1.1", "Close the WebSocket connection"),
    ("7.1.2", "Start the closing handshake"),
    ("7.1.3", "The closing handshake is started"),
    ("7.1.4", "The connection is closed"),
    ("7.1.5", "The close code"),
    ("7.1.6", "The close reason"),
    ("7.1.7", "Fail the connection"),
    ("7.2.1", "Abnormal closure by the client"),
    ("7.2.2", "Abnormal closure by the server"),
    ("7.2.3", "Recovering from abnormal closure"),
    ("7.3", "Normal closure"),
    ("7.4", "Status codes"),
    ("7.4.1", "Defined status codes"),
    ("7.4.2", "Reserved ranges"),
    ("8.1", "Errors in UTF-8"),
    ("9", "Extensions"),
    ("9.1", "Negotiating extensions"),
    ("9.2", "Known extensions"),
    ("10.1", "Clients that are no browsers"),
    ("10.2", "Origin"),
    ("10.3", "Attacks on infrastructure"),
    ("10.4", "Limits of the implementation"),
    ("10.5", "Authentication"),
    ("10.6", "Confidentiality and integrity"),
    ("10.7", "Invalid input"),
    ("10.8", "SHA-1"),
    ("11.2", "Registered upgrade token"),
    ("11.3.1", "Sec-WebSocket-Key"),
    ("11.3.2", "Sec-WebSocket-Extensions"),
    ("11.3.3", "Sec-WebSocket-Accept"),
    ("11.3.4", "Sec-WebSocket-Protocol"),
    ("11.3.5", "Sec-WebSocket-Version"),
    ("11.5", "Registry of subprotocols"),
    ("11.6", "Registry of versions"),
    ("11.8", "Registry of opcodes"),
    ("11.9", "Registry of framing bits"),
    ("8441", "RFC 8441: WebSocket over HTTP/2"),
    ("H", "HTTP: RFC 9110, RFC 9112, RFC 6585"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_found_by_its_id() {
        for row in REQUIREMENTS {
            assert_eq!(requirement(row.id), row);
        }
        let close = requirement("5.5.1-a");
        assert_eq!((close.section, close.chapter(), close.binds), ("5.5.1", "5.5.1", Binds::Both));
        let http = requirement("H-1");
        assert_eq!((http.section, http.chapter(), http.binds), ("RFC 9112, 2.2", "H", Server));
    }

    #[test]
    #[should_panic(expected = "no requirement")]
    fn an_unknown_id_panics() {
        let _ = requirement("5.5.1-");
    }

    #[test]
    fn every_section_has_a_title_and_every_title_a_section() {
        for row in REQUIREMENTS {
            assert_ne!(section_title(row.chapter()), "", "{}", row.id);
            assert_ne!(section_title(row.section), "", "{}", row.id);
        }
        for (section, _) in SECTIONS {
            assert!(REQUIREMENTS.iter().any(|row| row.chapter() == *section), "{section}");
        }
        assert_eq!(section_title("12"), "");
    }

    #[test]
    fn a_sentence_is_one_short_line() {
        for Requirement { id, sentence, .. } in REQUIREMENTS {
            let length = sentence.chars().count();
            assert!((1..=120).contains(&length), "{id}: {length} characters");
            assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{id}");
        }
    }
}
