//! Values into words: text that a terminal, a log or a JSON reader can be given without harm.

use std::fmt::Write;

/// `text` with everything escaped that a terminal or a reader could take for something else:
/// control characters, line ends, and the invisible characters that turn or hide text. At most
/// `max` characters of it, then `…`.
pub fn printable(text: &str, max: usize, out: &mut String) {
    let end = text.char_indices().nth(max).map_or(text.len(), |(index, _)| index);
    for character in text[..end].chars() {
        if is_deceptive(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if end < text.len() {
        out.push('…');
    }
}

/// A backslash counts, so that an escape cannot be forged.
fn is_deceptive(character: char) -> bool {
    match character {
        ' '..='~' => character == '\\',
        '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}' | '\u{200e}'..='\u{200f}' => true, // zero width and direction; joiners may stay
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// `text` as a JSON string, its quotes included (RFC 8259, 7).
pub fn json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if is_deceptive(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}"); // a String takes everything
                }
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, max: usize) -> String {
        let mut out = String::new();
        printable(text, max, &mut out);
        out
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        for (text, expected) in [
            ("it's \"fine\", très 🙂", "it's \"fine\", très 🙂"),
            ("\x1b[31m", "\\u{1b}[31m"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{202e}abc\u{2028}", "\\u{202e}abc\\u{2028}"),
            ("\\u{1b}", "\\\\u{1b}"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
        ] {
            assert_eq!(shown(text, 200), expected);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(shown("äöü", 3), "äöü");
        assert_eq!(shown("äöüß", 3), "äöü…");
        assert_eq!(shown("", 0), "");
    }

    #[test]
    fn json_strings_are_ascii_where_it_matters() {
        let mut out = String::new();
        json_string("\"\\\n\u{202e}\u{9b}é\u{e0001}", &mut out);
        assert_eq!(out, "\"\\\"\\\\\\u000a\\u202e\\u009bé\\udb40\\udc01\"");
    }
}
