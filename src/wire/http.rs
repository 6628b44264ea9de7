//! The request head, RFC 9112, and answers to it. Strict where leniency would let two readers of
//! the same octets disagree: CRLF alone ends a line, nothing is folded, nothing is repaired.
//!
//! ```text
//! request-line = method SP request-target SP HTTP-version CRLF
//! field-line   = field-name ":" OWS field-value OWS CRLF
//! head         = request-line *field-line CRLF
//! ```

use super::refusal::Refusal;

/// How much head is read before it is refused. RFC 9112 names no numbers but one: request lines of
/// 8000 octets are to be understood.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Octets of the whole head.
    pub head_max: usize,
    /// Octets of the request-target.
    pub target_max: usize,
    /// Field lines.
    pub fields_max: usize,
}

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
struct Field {
    name: String,
    value: Vec<u8>,
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
    fields: Vec<Field>,
}

impl Request {
    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
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

/// Reads a head line by line as its octets arrive, so that a wrong line is refused as soon as it is
/// there, and each octet is looked at once however small the pieces are.
pub struct HeadParser {
    limits: HeadLimits,
    /// Octets of complete lines.
    consumed: usize,
    /// Octets that were looked at, `consumed` or more.
    scanned: usize,
    request_line: Option<RequestLine>,
    fields: Vec<Field>,
}

impl HeadParser {
    /// A parser of one head.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, consumed: 0, scanned: 0, request_line: None, fields: Vec::new() }
    }

    /// The head at the front of `wire`, with its size in octets; `None` until it is whole.
    ///
    /// `wire` is all that has come so far: what it was at the last call, and more.
    ///
    /// # Errors
    /// The rule that the head breaks.
    pub fn advance(&mut self, wire: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
        while let Some(end) = self.find_line_end(wire)? {
            let line = &wire[self.consumed..end];
            self.consumed = end + 2;
            self.scanned = self.consumed;
            match (line, &self.request_line) {
                ([], None) => (), // RFC 9112, 2.2: empty lines before the request-line are skipped
                ([], Some(_)) => return self.finish().map(Some),
                (line, None) => self.request_line = Some(RequestLine::parse(line, self.limits)?),
                (line, Some(_)) => self.push_field(line)?,
            }
        }
        Ok(None)
    }

    /// Has nothing come but empty lines?
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.request_line.is_none() && self.scanned == self.consumed
    }

    /// Where the line that begins at `consumed` ends, once its CRLF is there. A line still without
    /// an end is judged by what it has.
    fn find_line_end(&mut self, wire: &[u8]) -> Result<Option<usize>, Refusal> {
        let head = &wire[..wire.len().min(self.limits.head_max)];
        while let Some(octet) = head.get(self.scanned) {
            match (octet, head.get(self.scanned + 1)) {
                (b'\r', Some(b'\n')) => return Ok(Some(self.scanned)),
                (b'\r', None) => break,
                (b'\r', Some(_)) => return Err(Refusal::BareCr),
                (b'\n', _) => return Err(Refusal::BareLf),
                (b'\t', _) if self.request_line.is_some() => (),
                (0..=0x1f | 0x7f, _) => return Err(Refusal::ControlOctet),
                _ => (),
            }
            self.scanned += 1;
        }
        if self.request_line.is_none() {
            RequestLine::judge_size(&head[self.consumed..self.scanned], self.limits)?;
        }
        if self.limits.head_max <= self.scanned || self.limits.head_max < wire.len() {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(None)
    }

    /// RFC 9112, 5.
    fn push_field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        if line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
            return Err(Refusal::Folded);
        }
        if self.limits.fields_max <= self.fields.len() {
            return Err(Refusal::TooManyFields);
        }
        let colon = line.iter().position(|octet| *octet == b':').ok_or(Refusal::FieldLine)?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if !is_token(name) {
            return Err(Refusal::FieldLine);
        }
        let name = String::from_utf8_lossy(name).into_owned();
        self.fields.push(Field { name, value: value.to_vec() });
        Ok(())
    }

    /// RFC 9112, 3.2: exactly one Host, and a valid one; the target's own authority outranks it.
    fn finish(&mut self) -> Result<(Request, usize), Refusal> {
        let RequestLine { method, version, target, authority } =
            self.request_line.take().ok_or(Refusal::RequestLine)?;
        let fields = std::mem::take(&mut self.fields);
        let mut request = Request { method, version, target, host: String::new(), fields };
        request.has_content()?;

        let mut hosts = request.values("Host");
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => parse_authority(host).ok_or(Refusal::HostInvalid)?,
            (None, _) if version == Version::Http10 => String::new(),
            (None, _) => return Err(Refusal::HostMissing),
            (Some(_), Some(_)) => return Err(Refusal::HostRepeated),
        };
        drop(hosts);
        request.host = authority.unwrap_or(host);
        Ok((request, self.consumed))
    }
}

/// RFC 9112, 3.
struct RequestLine {
    method: Method,
    version: Version,
    target: String,
    /// Of a target in absolute-form.
    authority: Option<String>,
}

/// Longer than every registered method.
const METHOD_MAX: usize = 32;

impl RequestLine {
    /// A line that may not have ended: is a part of it too long already?
    fn judge_size(line: &[u8], limits: HeadLimits) -> Result<(), Refusal> {
        let method = &line[..line.len().min(METHOD_MAX + 1)];
        let Some(space) = method.iter().position(|octet| *octet == b' ') else {
            return if METHOD_MAX < line.len() { Err(Refusal::MethodUnknown) } else { Ok(()) };
        };
        let target = &line[space + 1..];
        if target.len() <= limits.target_max || target[..=limits.target_max].contains(&b' ') {
            return Ok(());
        }
        Err(Refusal::TargetTooLong)
    }

    fn parse(line: &[u8], limits: HeadLimits) -> Result<Self, Refusal> {
        Self::judge_size(line, limits)?;
        let mut parts = line.split(|octet| *octet == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::RequestLine);
        };
        if !is_token(method) {
            return Err(Refusal::RequestLine);
        }
        let version = parse_version(version)?;
        let method = match method {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" | b"PUT" | b"DELETE" | b"OPTIONS" | b"TRACE" | b"PATCH" => Method::Other,
            _ => return Err(Refusal::MethodUnknown),
        };
        if target == b"*" && method == Method::Other {
            return Err(Refusal::MethodUnknown); // OPTIONS of the server as a whole
        }
        let (target, authority) = parse_target(target)?;
        Ok(Self { method, version, target, authority })
    }
}

/// RFC 9112, 2.3: `HTTP/` DIGIT `.` DIGIT, in exactly these capitals.
fn parse_version(version: &[u8]) -> Result<Version, Refusal> {
    match version.strip_prefix(b"HTTP/") {
        Some(b"1.0") => Ok(Version::Http10),
        Some([b'1', b'.', b'1'..=b'9']) => Ok(Version::Http11),
        Some([b'0'..=b'9', b'.', b'0'..=b'9']) => Err(Refusal::HttpMajorVersion),
        _ => Err(Refusal::RequestLine),
    }
}

/// RFC 9112, 3.2: origin-form or absolute-form. The other two forms belong to methods that this
/// server does not have.
fn parse_target(target: &[u8]) -> Result<(String, Option<String>), Refusal> {
    let target = str::from_utf8(target).map_err(|_| Refusal::Target)?;
    if !target.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#') {
        return Err(Refusal::Target);
    }
    if target.starts_with('/') {
        return Ok((target.to_owned(), None));
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refusal::Target)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(Refusal::Target);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let authority = parse_authority(authority.as_bytes()).filter(|host| !host.is_empty());
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((format!("{slash}{path}"), Some(authority.ok_or(Refusal::Target)?)))
}

/// RFC 9110, 7.2: uri-host [ ":" port ], in lower case; the host may be empty.
fn parse_authority(authority: &[u8]) -> Option<String> {
    let authority = str::from_utf8(authority).ok()?.to_ascii_lowercase();
    let end_of_address = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[end_of_address..].find(':') {
        Some(colon) => authority.split_at(end_of_address + colon),
        None => (authority.as_str(), ""),
    };
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&octet);
    let is_address = |octet: u8| octet.is_ascii_hexdigit() || b":.".contains(&octet);
    let host_is_valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(is_address),
        None => host.bytes().all(is_name),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let port_is_valid = port.bytes().all(|octet| octet.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok());
    (host_is_valid && port_is_valid).then_some(authority)
}

/// RFC 9110, 5.6.2.
#[must_use]
pub fn is_token(octets: &[u8]) -> bool {
    let is_tchar = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !octets.is_empty() && octets.iter().all(is_tchar)
}

/// Without optional whitespace (RFC 9110, 5.6.3) at either end.
fn trim(octets: &[u8]) -> &[u8] {
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
    let start = octets.iter().position(|octet| !is_space(octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !is_space(octet)).map_or(start, |last| last + 1);
    &octets[start..end]
}

/// An answer in HTTP.
#[derive(Debug)]
pub struct Response {
    /// Code and reason, as in `200 OK`.
    pub status: &'static str,
    /// Field names and values.
    pub fields: Vec<(&'static str, String)>,
    /// The content; its length is told even where it is not sent.
    pub content: Vec<u8>,
}

impl Response {
    /// The octets to send. `asked` is HEAD: the content stays away (RFC 9110, 9.3.2). `unix_time`
    /// is for the Date field, in seconds.
    #[must_use]
    pub fn encode(&self, asked: Method, unix_time: u64) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {}\r\nDate: {}\r\n", self.status, date(unix_time));
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.content.len()));
        let mut octets = head.into_bytes();
        if asked != Method::Head {
            octets.extend_from_slice(&self.content);
        }
        octets
    }
}

/// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn date(unix_time: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(unix_time);
    let (hour, minute, second) = clock(unix_time);
    let weekday = DAYS[(unix_time / 86_400 % 7) as usize];
    let month = MONTHS[((month - 1) % 12) as usize];
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Hour, minute and second of the day.
#[must_use]
pub fn clock(unix_time: u64) -> (u64, u64, u64) {
    (unix_time / 3600 % 24, unix_time / 60 % 60, unix_time % 60)
}

/// Year, month (from 1) and day (from 1) in the Gregorian calendar. Years begin in March here, so
/// that a leap day comes last.
#[must_use]
pub fn civil(unix_time: u64) -> (u64, u64, u64) {
    let days = unix_time / 86_400 + 719_468; // since 0000-03-01
    let era = days / 146_097; // of 400 years
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}
