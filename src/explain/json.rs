//! The JSON (RFC 8259) that the program writes: strings, objects and arrays, without spaces.

use std::fmt::{Display, Write};

use super::text::is_deceptive;

/// Appends `text` to `out` as a JSON string with its quotation marks. It escapes what JSON requires,
/// and what could mislead a reader (see [`printable`](super::text::printable)).
pub fn json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if is_deceptive(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}"); // writing to a String cannot fail
                }
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// `text` as a JSON string.
pub fn string(text: &str) -> String {
    let mut out = String::new();
    json_string(text, &mut out);
    out
}

/// An object that gets its members one by one, in this order.
#[derive(Default)]
pub struct JsonObject(String);

impl JsonObject {
    /// Adds a number, a truth value, or a value that is JSON already.
    pub fn raw(&mut self, name: &str, value: impl Display) {
        let comma = if self.0.is_empty() { "" } else { "," };
        let _ = write!(self.0, "{comma}\"{name}\":{value}"); // writing to a String cannot fail
    }

    /// Adds a number, a truth value or JSON; `null` for `None`.
    pub fn raw_or_null(&mut self, name: &str, value: Option<impl Display>) {
        self.raw(name, value.map_or("null".to_owned(), |value| value.to_string()));
    }

    /// Adds a string.
    pub fn text(&mut self, name: &str, value: &str) {
        self.raw(name, string(value));
    }

    /// Adds a string; `null` for `None`.
    pub fn text_or_null(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        self.raw_or_null(name, value.map(|value| string(value.as_ref())));
    }

    /// The whole object.
    pub fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A JSON array of values that are JSON already.
pub fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_escape_what_could_mislead() {
        let mut out = String::new();
        json_string("\"\\\n\u{202e}\u{9b}é\u{e0001}", &mut out);
        assert_eq!(out, "\"\\\"\\\\\\u000a\\u202e\\u009bé\\udb40\\udc01\"");
    }

    #[test]
    fn members_are_separated_and_absent_values_are_null() {
        let mut out = JsonObject::default();
        assert_eq!(JsonObject::default().finish(), "{}");
        out.raw("a", 1);
        out.text("b", "x\"");
        out.raw_or_null("c", None::<u8>);
        out.text_or_null("d", None::<&str>);
        out.raw("e", list(["1".to_owned(), "2".to_owned()].into_iter()));
        assert_eq!(out.finish(), r#"{"a":1,"b":"x\"","c":null,"d":null,"e":[1,2]}"#);
    }
}
