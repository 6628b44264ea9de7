//! The register: every requirement of RFC 6455, and of the HTTP that carries its handshake.
//!
//! Each row has an ID that never changes, so that a rule in `wire`, a test and a report can name it.

mod requirement;
mod requirements;

use requirements::SECTION_TITLES;

pub use requirement::{Binds, Requirement};
pub use requirements::REQUIREMENTS;

/// The requirement with this ID.
///
/// # Panics
/// The register has no such ID. In a constant this is an error of the compiler.
pub const fn requirement(id: &str) -> &'static Requirement {
    let mut place = 0;
    while place < REQUIREMENTS.len() {
        if is_equal(REQUIREMENTS[place].id.as_bytes(), id.as_bytes()) {
            return &REQUIREMENTS[place];
        }
        place += 1;
    }
    panic!("the register has no requirement with this ID");
}

/// The title of a section of the register, empty if there is no such section.
pub fn section_title(section: &str) -> &'static str {
    SECTION_TITLES.iter().find(|(number, _)| *number == section).map_or("", |(_, title)| title)
}

/// `==` of two strings, which a constant cannot call.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([a, one @ ..], [b, other @ ..]) => *a == *b && is_equal(one, other),
        _ => one.is_empty() && other.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_found_by_its_id() {
        for row in REQUIREMENTS {
            assert_eq!(requirement(row.id), row);
        }
        let close = requirement("5.5.1-a");
        assert_eq!(
            (close.section, close.register_section(), close.binds),
            ("5.5.1", "5.5.1", Binds::Both)
        );
        let item = requirement("4.2.1-k");
        assert_eq!((item.section, item.register_section()), ("4.2.1 item 3", "4.2.1"));
        let http = requirement("H-1");
        assert_eq!(
            (http.section, http.register_section(), http.binds),
            ("RFC 9112, 2.2", "H", Binds::Server)
        );
    }

    #[test]
    #[should_panic(expected = "no requirement")]
    fn an_unknown_id_panics() {
        let _ = requirement("5.5.1-");
    }

    #[test]
    fn every_section_has_a_title_and_every_title_a_section() {
        for row in REQUIREMENTS {
            assert_ne!(section_title(row.register_section()), "", "{}", row.id);
            let is_item = row
                .section
                .split_once(" item ")
                .is_some_and(|(section, _)| section == row.register_section());
            let is_section =
                row.section == row.register_section() || row.section.starts_with("RFC ");
            assert!(is_item || is_section, "{}: {}", row.id, row.section);
        }
        for (section, _) in SECTION_TITLES {
            assert!(REQUIREMENTS.iter().any(|row| row.register_section() == *section), "{section}");
        }
        assert_eq!(section_title("12"), "");
    }

    #[test]
    fn a_sentence_is_one_short_line() {
        for Requirement { id, sentence, .. } in REQUIREMENTS {
            let length = sentence.chars().count();
            assert!((1..=120).contains(&length), "{id}: {length} characters");
            assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{id}");
        }
    }
}
