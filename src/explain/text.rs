//! Text that a terminal or a log can show without harm: escaped, quoted, counted and wrapped.

use std::fmt::Write;

/// Characters of a quotation that are shown.
pub(super) const QUOTED_MAX: usize = 400;
/// Columns that a wrapped line has at least, however narrow the terminal is.
const LINE_MIN: usize = 8;

/// Appends `text` to `out`. Escapes every character that could mislead a terminal or a reader:
/// control characters, line ends, and invisible characters that reorder or hide text. After `max`
/// characters it appends `…` instead of the rest.
pub fn printable(text: &str, max: usize, out: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
    if text.len() <= max && text.bytes().all(is_plain) {
        return out.push_str(text); // most log lines, at a fraction of the cost
    }
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

/// Whether this character must be escaped. A backslash must, so that text cannot imitate an escape.
pub(super) fn is_deceptive(character: char) -> bool {
    match character {
        ' '..='~' => character == '\\',
        '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        // Zero width and direction. The joiners between them are allowed: emoji need them.
        '\u{200b}' | '\u{200e}'..='\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// The text of `bytes` in quotation marks, invalid UTF-8 as `\xff`. `…` marks that some of it is
/// missing: characters after the first 400, or bytes, because `total` is more than their number.
pub fn quoted(bytes: &[u8], total: u64) -> String {
    let mut text = String::from("\"");
    let mut room = QUOTED_MAX;
    for chunk in bytes.utf8_chunks() {
        printable(chunk.valid(), room, &mut text);
        let Some(left) = room.checked_sub(chunk.valid().chars().count()) else {
            return text + "\""; // `printable` has marked what is missing
        };
        room = left;
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}"); // writing to a String cannot fail
        }
    }
    text + if (bytes.len() as u64) < total { "…\"" } else { "\"" }
}

/// ` 'a'`: the character of a byte of visible ASCII; empty for any other byte.
pub(super) fn printable_char(byte: u8) -> String {
    match byte {
        b' '..=b'~' => format!(" '{}'", char::from(byte)),
        _ => String::new(),
    }
}

/// `1 byte`, `2 bytes`.
pub fn byte_count(count: u64) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// `byte 7`, or `bytes 0 to 10`: the place of `size` bytes at `offset` of a stream.
pub(super) fn byte_range(offset: u64, size: u64) -> String {
    match size {
        0 | 1 => format!("byte {offset}"),
        _ => format!("bytes {offset} to {}", offset + size - 1),
    }
}

/// `text` in lines of at most `width` columns, without a line end after the last. The first line
/// starts at `first_column`, the others are indented by `indent`. A word that is longer than a line
/// is cut.
pub fn wrap(text: &str, first_column: usize, indent: usize, width: usize) -> String {
    let width = width.max(indent + LINE_MIN);
    let mut out = String::new();
    let mut column = first_column;
    let mut is_line_empty = true;
    let new_line = |out: &mut String| {
        let _ = write!(out, "\n{:indent$}", ""); // writing to a String cannot fail
        indent
    };
    for word in text.split(' ') {
        let space = usize::from(!is_line_empty);
        if indent < column && width < column + space + columns(word) {
            column = new_line(&mut out);
        } else if !is_line_empty {
            out.push(' ');
            column += 1;
        }
        for character in word.chars() {
            if width < column + columns_of(character) {
                column = new_line(&mut out);
            }
            out.push(character);
            column += columns_of(character);
        }
        is_line_empty = column == indent;
    }
    out
}

fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// An upper bound of the columns that a terminal needs for a character: from Hangul on most need two.
fn columns_of(character: char) -> usize {
    if character < '\u{1100}' || ('\u{2000}'..'\u{2300}').contains(&character) { 1 } else { 2 }
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
    fn deceptive_characters_are_escaped() {
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
    fn invalid_utf_8_is_quoted_byte_by_byte() {
        assert_eq!(quoted(b"a\xffb\xe2\x82", 5), "\"a\\xffb\\xe2\\x82\"");
        assert_eq!(quoted(b"\x1b\\x", 3), "\"\\u{1b}\\\\x\"");
        assert_eq!(quoted(b"ab", 3), "\"ab…\"");
        assert_eq!(quoted("a…".as_bytes(), 9), "\"a……\"");
    }

    #[test]
    fn a_quotation_is_cut_after_400_characters_however_many_bytes_they_have() {
        for (text, shown) in [
            ("ß".repeat(399), "ß".repeat(399)),
            ("ß".repeat(400), "ß".repeat(400)),
            ("ß".repeat(401), "ß".repeat(400) + "…"),
            ("語".repeat(134), "語".repeat(134)), // 402 bytes
            ("a".repeat(401), "a".repeat(400) + "…"),
        ] {
            assert_eq!(quoted(text.as_bytes(), text.len() as u64), format!("\"{shown}\""));
        }
        let invalid_between = [&[b'a'; 200][..], b"\xff", &[b'b'; 201]].concat();
        let shown = format!("\"{}\\xff{}…\"", "a".repeat(200), "b".repeat(200));
        assert_eq!(quoted(&invalid_between, 402), shown);
    }

    #[test]
    fn lines_fit_and_lose_nothing() {
        assert_eq!(wrap("one two three four", 4, 4, 20), "one two three\n    four");
        assert_eq!(wrap("a 0123456789abcdefXYZ", 2, 2, 20), "a\n  0123456789abcdefXY\n  Z");
        assert_eq!(wrap("one two three", 12, 2, 20), "one two\n  three");
        assert_eq!(wrap("three", 18, 2, 20), "\n  three");
        assert_eq!(wrap("", 2, 2, 20), "");
        assert_eq!(wrap("0123456789", 40, 40, 0).replace(' ', ""), "01234567\n89");
        assert_eq!(wrap("日本語日本語", 0, 0, 10), "日本語日本\n語");
    }
}
