//! One requirement of the register, and the constructor of its row.

/// One requirement of the register.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The section of RFC 6455 and a letter, as in `5.5.1-a`; `H-1` and so on for HTTP.
    pub id: &'static str,
    /// The key word of RFC 2119. `MUST*`: a step of an algorithm that a MUST introduces; lower case:
    /// plain prose; `def`: a definition; `REG`: a registry; `meta`: how to read the RFC. It is the level of the
    /// RFC's own words: the sentence states the required behaviour, also for a `MUST NOT`.
    pub level: &'static str,
    /// Who must meet it.
    pub binds: Binds,
    /// The section of RFC 6455, as in `5.5.1`, with the item if the section is a list, as in
    /// `4.2.1 item 3`; for another RFC with its name, as in `RFC 9112, 5`.
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
    /// The part of the register that the row is in: the section of RFC 6455 without an item, or `H` for
    /// HTTP.
    pub const fn register_section(&self) -> &'static str {
        let mut end = 0;
        while end < self.id.len() && self.id.as_bytes()[end] != b'-' {
            end += 1;
        }
        self.id.split_at(end).0
    }

    /// The row with an item of its section, or with the section of another RFC.
    pub(super) const fn in_section(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }
}

/// A row; its ID begins with its section of RFC 6455.
pub(super) const fn row(
    id: &'static str,
    level: &'static str,
    binds: Binds,
    sentence: &'static str,
) -> Requirement {
    let row = Requirement { id, level, binds, section: "", sentence };
    let section = row.register_section();
    row.in_section(section)
}
