//! A request whose lines can be changed one by one, and a strict parser for responses.

/// A request head as lines of bytes, so that a test can put any defect into it.
#[derive(Clone)]
pub(crate) struct Request {
    lines: Vec<Vec<u8>>,
}

impl Request {
    /// A valid upgrade request for a path, with the key of the example in section 1.3.
    pub(crate) fn upgrade(path: &str) -> Self {
        Self::new(&format!("GET {path} HTTP/1.1"))
            .add("Upgrade: websocket")
            .add("Connection: Upgrade")
            .add("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            .add("Sec-WebSocket-Version: 13")
    }

    /// A plain GET.
    pub(crate) fn get(path: &str) -> Self {
        Self::new(&format!("GET {path} HTTP/1.1"))
    }

    /// A request line and `Host: localhost`.
    pub(crate) fn new(line: &str) -> Self {
        Self { lines: vec![line.into(), "Host: localhost".into()] }
    }

    /// Replaces the request line.
    pub(crate) fn request_line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.lines[0] = line.as_ref().to_vec();
        self
    }

    /// Adds a field line as it is.
    pub(crate) fn add(mut self, line: impl AsRef<[u8]>) -> Self {
        self.lines.push(line.as_ref().to_vec());
        self
    }

    /// Replaces the value of a field that the request has.
    #[track_caller]
    pub(crate) fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let line = self.lines.iter_mut().find(|line| is_field(line, name));
        let line = line.unwrap_or_else(|| panic!("the request has no {name}"));
        *line = [name.as_bytes(), b": ", value.as_ref()].concat();
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.lines.retain(|line| !is_field(line, name));
        self
    }

    /// Changes all field lines together, for example their order or their case.
    pub(crate) fn edit_fields(mut self, change: impl FnOnce(&mut [Vec<u8>])) -> Self {
        change(&mut self.lines[1..]);
        self
    }

    /// The head on the wire: lines that end in CRLF, and the empty line.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes_with_line_end(b"\r\n")
    }

    /// The head on the wire with another line end.
    pub(crate) fn bytes_with_line_end(&self, end: &[u8]) -> Vec<u8> {
        let mut wire = self.lines.join(end);
        wire.extend([end, end].concat());
        wire
    }
}

fn is_field(line: &[u8], name: &str) -> bool {
    let (line, name) = (line.to_ascii_lowercase(), format!("{name}:").to_ascii_lowercase());
    line.starts_with(name.as_bytes())
}

/// A response of the server.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Parses a head without its empty line. An error names the rule for responses that is broken.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, String> {
        let head = std::str::from_utf8(head).map_err(|_| "a head that is not ASCII")?;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let malformed = || format!("status line {line:?}");
        let rest = line.strip_prefix("HTTP/1.1 ").ok_or_else(malformed)?;
        let (status, reason) = rest.split_once(' ').ok_or_else(malformed)?;
        let three_digits = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
        let status = status.parse().ok().filter(|_| three_digits).ok_or_else(malformed)?;
        let fields = lines.map(field).collect::<Result<_, _>>()?;
        let response = Self { status, reason: reason.into(), fields, body: Vec::new() };
        response.check()?;
        Ok(response)
    }

    /// RFC 9110, 5.3, 6.6.1 and 8.6: no field twice, a Date, no length in a response without a body.
    fn check(&self) -> Result<(), String> {
        for (name, _) in &self.fields {
            if self.values(name).len() > 1 {
                return Err(format!("{name} is there twice"));
            }
        }
        let bodiless = matches!(self.status, 100..=199 | 204);
        let has_length =
            self.field("Content-Length").is_some() || self.field("Transfer-Encoding").is_some();
        if bodiless && has_length {
            return Err(format!("a length in a {}", self.status));
        }
        if matches!(self.status, 200..=499) && !self.field("Date").is_some_and(is_date) {
            return Err(format!("no Date, or a malformed one, in a {}", self.status));
        }
        Ok(())
    }

    /// The value of a field; the case of its name does not matter.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    /// The values of all lines of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().filter(same).map(|field| field.1.as_str()).collect()
    }

    /// Returns whether the list in this field contains the token, in any case.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self.values(name);
        values.iter().flat_map(|v| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case(token))
    }

    /// The length of the body according to Content-Length.
    pub(crate) fn content_length(&self) -> Option<usize> {
        self.field("Content-Length")?.parse().ok()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }
}

/// Parses a field line, RFC 9112, 5: a token, a colon, a value without control characters; no folded line.
fn field(line: &str) -> Result<(String, String), String> {
    let malformed = || format!("field line {line:?}");
    let (name, value) = line.split_once(':').ok_or_else(malformed)?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let visible = value.bytes().all(|b| b == b'\t' || (0x20..0x7f).contains(&b));
    if name.is_empty() || !name.bytes().all(token) || !visible {
        return Err(malformed());
    }
    Ok((name.into(), value.trim_matches([' ', '\t']).into()))
}

/// Checks the format of a date, RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn is_date(value: &str) -> bool {
    let shape: String = value
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            other => other,
        })
        .collect();
    shape == "Aaa, 99 Aaa 9999 99:99:99 AAA" && value.ends_with("GMT")
}
