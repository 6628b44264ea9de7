//! A request that was read, RFC 9110 and RFC 9112: its fields, and whether content follows it.

use super::refusal::Refusal;

/// RFC 9110, 9: what this server can tell apart. A method that nobody registered is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The one that an upgrade needs.
    Get,
    /// GET without the content.
    Head,
    /// A method of RFC 9110 or RFC 5789 that no resource here has.
    Other,
}

impl Method {
    /// The method of a head that is unfinished, or wrong in some part: whoever refuses it has to know
    /// (RFC 9110, 9.3.2: no content in an answer to HEAD).
    #[must_use]
    pub fn leading(wire: &[u8]) -> Self {
        if wire.trim_ascii_start().starts_with(b"HEAD ") { Self::Head } else { Self::Get }
    }
}

/// RFC 9112, 2.3: the minor version tells whether the sender knows Upgrade and Host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1, or a later 1.x, which is spoken as 1.1 (RFC 9110, 2.5).
    Http11,
}

/// One field line; the value without its outer whitespace.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

impl Field {
    /// RFC 9112, 5: `field-name ":" OWS field-value OWS`.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let colon = line.iter().position(|octet| *octet == b':').ok_or(Refusal::FieldLine)?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if !is_token(name) {
            return Err(Refusal::FieldLine);
        }
        let name = String::from_utf8_lossy(name).into_owned();
        Ok(Self { name, value: value.to_vec() })
    }
}

/// A whole request head.
#[derive(Debug)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The sender's version.
    pub version: Version,
    /// `/path?query`, in printable ASCII.
    pub target: String,
    /// The authority of the target where it has one, else of Host; empty if neither names one.
    pub host: String,
    pub(super) fields: Vec<Field>,
}

impl Request {
    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Every field line: its name and its value.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value.as_slice()))
    }

    /// The values of every line of that name, in order. Names compare in ASCII, without case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let same = move |field: &&Field| field.name.eq_ignore_ascii_case(name);
        self.fields.iter().filter(same).map(|field| field.value.as_slice())
    }

    /// The elements of a comma-separated list over all lines of that name; empty ones are skipped
    /// (RFC 9110, 5.6.1.2).
    pub fn elements(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let split = |value| <[u8]>::split(value, |octet| *octet == b',');
        self.values(name).flat_map(split).map(trim).filter(|element| !element.is_empty())
    }

    /// Does that list hold `token`, compared in ASCII without case?
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Does the sender want to hear more than one answer (RFC 9112, 9.3)?
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.version == Version::Http11 && !self.has_token("Connection", "close")
    }

    /// RFC 9112, 6.3: does content follow the head? This server takes none.
    ///
    /// # Errors
    /// The rule that the framing of the content breaks, so that its end could be disputed.
    pub fn has_content(&self) -> Result<bool, Refusal> {
        let lengths = || self.values("Content-Length");
        let coded = self.values("Transfer-Encoding").next().is_some();
        if coded && (self.version == Version::Http10 || lengths().next().is_some()) {
            return Err(Refusal::ContentFraming);
        }
        if coded {
            let codings: Vec<&[u8]> = self.elements("Transfer-Encoding").collect();
            return match codings.as_slice() {
                [.., last] if !last.eq_ignore_ascii_case(b"chunked") => {
                    Err(Refusal::ContentFraming)
                }
                [_] => Ok(true),
                [] => Err(Refusal::ContentFraming),
                [..] => Err(Refusal::TransferCoding),
            };
        }
        let is_number = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        if 1 < lengths().count() || !lengths().all(is_number) {
            return Err(Refusal::ContentLength);
        }
        Ok(lengths().flatten().any(|digit| *digit != b'0'))
    }
}

/// RFC 9110, 5.6.2.
#[must_use]
pub fn is_token(octets: &[u8]) -> bool {
    let is_tchar = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !octets.is_empty() && octets.iter().all(is_tchar)
}

/// Without optional whitespace (RFC 9110, 5.6.3) at either end.
pub(super) fn trim(octets: &[u8]) -> &[u8] {
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
    let start = octets.iter().position(|octet| !is_space(octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !is_space(octet)).map_or(start, |last| last + 1);
    &octets[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_5_6_2_tokens() {
        for octet in 0..=255u8 {
            let is_tchar = octet.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&octet);
            assert_eq!(is_token(&[octet]), is_tchar, "{octet:#x}");
            assert_eq!(is_token(&[b'a', octet]), is_tchar, "{octet:#x}");
        }
        assert!(!is_token(b""));
    }
}
