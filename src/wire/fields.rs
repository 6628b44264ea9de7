//! The field lines of a request or response, RFC 9112 section 5.

/// The field lines of a head, in the order of the wire.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// Appends a line, `field-name ":" OWS field-value OWS` (RFC 9112, 5); `None` if it is malformed.
    pub(super) fn push_line(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        let name = str::from_utf8(name).ok().filter(|name| is_token(name.as_bytes()))?;
        self.0.push((name.to_owned(), value.to_vec()));
        Some(())
    }

    /// The number of lines.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The name and the value of each line; the value without its outer whitespace.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The values of every line with that name, in order. Names are compared in ASCII, without case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.lines().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The elements of a comma-separated list over all lines with that name, without empty ones
    /// (RFC 9110, 5.6.1.2).
    pub fn elements(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let split = |value| <[u8]>::split(value, |byte| *byte == b',');
        self.values(name).flat_map(split).map(trim).filter(|element| !element.is_empty())
    }

    /// Whether that list has `token`, compared in ASCII without case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// Whether `text` is a token (RFC 9110, 5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

/// `text` without optional whitespace (RFC 9110, 5.6.3) at either end.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_5_6_2_tokens() {
        for byte in 0..=255u8 {
            let is_tchar = byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            assert_eq!(is_token(&[byte]), is_tchar, "{byte:#x}");
            assert_eq!(is_token(&[b'a', byte]), is_tchar, "{byte:#x}");
        }
        assert!(!is_token(b""));
    }
}
