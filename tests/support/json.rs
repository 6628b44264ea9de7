//! A strict parser (RFC 8259) for a line of the JSON log: one flat object and nothing else.

/// The value of a member: the log has no other types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Number(u64),
    Text(String),
}

/// Parses a line that is one object; returns its members in their order.
pub(crate) fn parse_object(line: &str) -> Result<Vec<(String, Value)>, String> {
    let mut rest = Cursor(line);
    let mut members = Vec::new();
    rest.skip("{")?;
    loop {
        let name = rest.string()?;
        rest.skip(":")?;
        members.push((name, rest.value()?));
        if rest.skip(",").is_err() {
            break;
        }
    }
    rest.skip("}")?;
    if rest.0.is_empty() { Ok(members) } else { rest.fail("the end") }
}

/// The part of the line that is not parsed yet.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn skip(&mut self, token: &str) -> Result<(), String> {
        match self.0.strip_prefix(token) {
            Some(rest) => self.0 = rest,
            None => return self.fail(token),
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.skip("null").is_ok() {
            return Ok(Value::Null);
        }
        let is_digit = |c: char| c.is_ascii_digit();
        let length = self.0.find(|c| !is_digit(c)).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(length);
        if digits.is_empty() {
            return self.string().map(Value::Text);
        }
        if digits.starts_with('0') && 1 < digits.len() {
            return self.fail("a number without leading zeros");
        }
        self.0 = rest;
        digits.parse().map(Value::Number).map_err(|error| format!("{digits}: {error}"))
    }

    fn string(&mut self) -> Result<String, String> {
        self.skip("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            match self.next()? {
                '"' => return String::from_utf16(&units).map_err(|error| error.to_string()),
                '\\' => units.push(self.escape()?),
                '\0'..='\u{1f}' => return self.fail("no control character in a string"),
                other => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }

    fn escape(&mut self) -> Result<u16, String> {
        let character = match self.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let Some((digits, rest)) = self.0.split_at_checked(4) else {
                    return self.fail("four digits");
                };
                self.0 = rest;
                return u16::from_str_radix(digits, 16).map_err(|error| error.to_string());
            }
            _ => return self.fail("a valid escape"),
        };
        Ok(character as u16)
    }

    fn next(&mut self) -> Result<char, String> {
        let mut characters = self.0.chars();
        let next = characters.next().ok_or("the line ends inside a string")?;
        self.0 = characters.as_str();
        Ok(next)
    }

    fn fail<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("expected {expected} before {:?}", self.0))
    }
}
