//! What all commands do with words: flags with their values, a guess at what was meant, a help in columns.

use super::values::distance;

/// Each command, and what it does.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("serve", "the chat server; what is meant without a command"),
    ("decode", "explain captured bytes, frame by frame"),
    ("encode", "make frames, right or wrong"),
    ("accept", "the accept value of a handshake, step by step, or why one is wrong"),
];

/// One option of a tool.
pub(super) struct Flag<T: 'static> {
    pub(super) name: &'static str,
    /// The words behind it as the help shows them; empty for a switch.
    pub(super) value: &'static str,
    /// How many there are at least and at most.
    pub(super) words: (usize, usize),
    pub(super) help: &'static str,
    pub(super) apply: fn(&mut T, &[&str]) -> Result<(), String>,
}

/// Applies the flags among `words` to `options`; gives back the words that are none, or nothing if one
/// asks for the help.
///
/// # Errors
/// A sentence: what was wrong, and what would be right.
pub(super) fn read<'a, T>(
    flags: &[Flag<T>],
    words: &[&'a str],
    options: &mut T,
    help: &str,
) -> Result<Option<Vec<&'a str>>, String> {
    let mut plain = Vec::new();
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        if ["--help", "-h"].contains(word) {
            return Ok(None);
        }
        let Some(name) = word.strip_prefix("--") else {
            plain.push(*word);
            continue;
        };
        let (name, inline) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let names = flags.iter().map(|flag| flag.name).chain(["help"]);
        let flag = flags.iter().find(|flag| flag.name == name);
        let flag = flag.ok_or_else(|| unknown(name, names, help))?;
        let (own, behind) = values_of(flag, inline, rest)?;
        rest = behind;
        (flag.apply)(options, &own)
            .map_err(|hint| format!("--{name}: '{}' {hint}", own.join(" ").escape_debug()))?;
    }
    Ok(Some(plain))
}

/// The words that are a flag's own, and the others. A word that it cannot do without is its own
/// whatever it looks like.
fn values_of<'a, 'b, T>(
    flag: &Flag<T>,
    inline: Option<&'a str>,
    rest: &'b [&'a str],
) -> Result<(Vec<&'a str>, &'b [&'a str]), String> {
    let (least, most) = flag.words;
    let mut own: Vec<&str> = inline.into_iter().collect();
    if most < own.len() {
        return Err(format!("--{} takes no value", flag.name));
    }
    let mut rest = rest;
    while let Some((word, behind)) = rest.split_first() {
        let is_own = own.len() < least || own.len() < most && !word.starts_with("--");
        if !is_own {
            break;
        }
        own.push(word);
        rest = behind;
    }
    if own.len() < least {
        return Err(format!("--{0} needs a value: --{0} {1}", flag.name, flag.value));
    }
    Ok((own, rest))
}

/// One line or more for each flag.
pub(super) fn options_help<T>(flags: &[Flag<T>]) -> String {
    let mut text = String::new();
    for flag in flags {
        let left = format!("--{} {}", flag.name, flag.value);
        text.push_str(&format!("  {:<26} {}\n", left.trim_end(), wrapped(flag.help, 29, 96)));
    }
    text.push_str("  --help                     this text\n");
    text
}

/// Says that there is no option `name`, and which one may have been meant.
pub(super) fn unknown(name: &str, names: impl Iterator<Item = &'static str>, help: &str) -> String {
    let near = nearest(name, names);
    let name = name.escape_debug();
    match near {
        Some(near) => format!("there is no option --{name}; did you mean --{near}?"),
        None => format!("there is no option --{name}; `{help}` lists them all"),
    }
}

/// The name that is nearest to `word`, if it is near enough to be a typo of it.
pub(super) fn nearest(
    word: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let near = names.min_by_key(|name| distance(word, name))?;
    (distance(word, near) <= 1 + near.len() / 4).then_some(near)
}

/// `text` in lines up to column `end`, the later ones indented to column `start`.
pub(super) fn wrapped(text: &str, start: usize, end: usize) -> String {
    let mut out = String::new();
    let mut column = start;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column != start && end < column + 1 + width {
            out.push_str(&format!("\n{:start$}", ""));
            column = start;
        } else if column != start {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (one, other, letters) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("quite", "quiet", 2),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
        }
    }
}
