//! The errors for words that a command does not know, with the nearest name that it does.

/// The error for an operand that a command does not take.
pub(super) fn unexpected(word: &str, hint: &str) -> String {
    format!("unexpected argument '{}'; {hint}", word.escape_debug())
}

/// The error for a name that does not exist; `word` may have the `prefix` that the names have on the
/// command line. It suggests the nearest one of `names`, if that is near enough for a typo; else `list`,
/// the command line that lists them.
pub(super) fn unknown(
    kind: &str,
    prefix: &str,
    word: &str,
    names: impl Iterator<Item = &'static str>,
    list: &str,
) -> String {
    let name = word.strip_prefix(prefix).unwrap_or(word);
    let near = names.min_by_key(|known| distance(name, known)).unwrap_or_default();
    let hint = match distance(name, near) <= 1 + near.len() / 4 {
        true => format!("did you mean `{prefix}{near}`?"),
        false => format!("`{list}` lists them all"),
    };
    format!("unknown {kind} `{}`; {hint}", word.escape_debug())
}

/// The Levenshtein distance: bytes to insert, remove or replace to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
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
