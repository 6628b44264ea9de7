//! A request, RFC 9110 and RFC 9112: its method, its fields, and whether content follows it.

use super::fields::Fields;
use super::refusal::Refusal;
use super::rules::ensure;

/// The methods that the server distinguishes (RFC 9110, 9). It refuses a method that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The method of an upgrade.
    Get,
    /// GET without the content.
    Head,
    /// A method of RFC 9110 or RFC 5789 that no resource here supports.
    Other,
}

impl Method {
    /// The method of a head that is incomplete or malformed. A refusal of HEAD has no content
    /// (RFC 9110, 9.3.2).
    pub fn leading(wire: &[u8]) -> Self {
        if wire.trim_ascii_start().starts_with(b"HEAD ") { Self::Head } else { Self::Get }
    }
}

/// The version of HTTP (RFC 9112, 2.3). A sender of HTTP/1.0 may not support Upgrade and Host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1, or a later 1.x, which is treated as 1.1 (RFC 9110, 2.5).
    Http11,
}

/// A whole request head.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The sender's version of HTTP.
    pub version: Version,
    /// `/path?query`, in printable ASCII.
    pub target: String,
    /// The authority of the target if it has one, else of Host; empty if there is neither.
    pub host: String,
    /// The field lines.
    pub fields: Fields,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Whether the sender expects the connection to stay open after the response (RFC 9112, 9.3).
    pub fn is_persistent(&self) -> bool {
        self.version == Version::Http11 && !self.fields.has_token("Connection", "close")
    }

    /// Whether content follows the head (RFC 9112, 6.3). The server accepts none.
    ///
    /// # Errors
    /// The rule that the framing of the content breaks, so that its end would be ambiguous.
    pub fn has_content(&self) -> Result<bool, Refusal> {
        let lengths = || self.fields.values("Content-Length");
        let codings: Vec<&[u8]> = self.fields.elements("Transfer-Encoding").collect();
        if self.fields.values("Transfer-Encoding").next().is_some() {
            let is_delimited =
                codings.last().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
            let is_ambiguous = self.version == Version::Http10 || lengths().next().is_some();
            ensure(is_delimited && !is_ambiguous, Refusal::ContentFraming)?;
            ensure(codings.len() == 1, Refusal::TransferCoding)?;
            return Ok(true);
        }
        let is_number = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        ensure(lengths().count() < 2 && lengths().all(is_number), Refusal::ContentLength)?;
        Ok(lengths().flatten().any(|digit| *digit != b'0'))
    }
}
