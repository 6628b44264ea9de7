//! The lessons: short captures with their story, in one text beside this file.
//!
//! ```text
//! = name
//! title
//! from client (or server; any, where both speak or a head tells)
//! the story, some lines
//!
//! the capture, in a dress that decode reads
//! ```

use std::sync::LazyLock;

use crate::explain::view::{Tone, View};
use crate::wire::frame::Role;

/// A short capture with its story.
pub(super) struct Lesson {
    /// What it is called.
    pub(super) name: &'static str,
    /// What is to be seen, in a line.
    pub(super) title: &'static str,
    /// Whose octets they are, where that has to be said.
    pub(super) sender: Option<Role>,
    story: String,
    /// The octets, in hex, or a head with its lines ended as HTTP wants it.
    pub(super) capture: String,
}

/// All of them, the RFC's own examples first.
pub(super) static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    let text = include_str!("examples.txt").trim_start_matches("= ");
    text.split("\n= ").filter_map(Lesson::parse).collect()
});

impl Lesson {
    fn parse(text: &'static str) -> Option<Self> {
        let (name, rest) = text.split_once('\n')?;
        let (title, rest) = rest.split_once('\n')?;
        let (from, rest) = rest.split_once('\n')?;
        let (story, capture) = rest.split_once("\n\n")?;
        let sender = match from {
            "from client" => Some(Role::Client),
            "from server" => Some(Role::Server),
            _ => None,
        };
        let is_head = capture.starts_with("GET ") || capture.starts_with("HTTP/");
        let capture =
            if is_head { capture.replace('\n', "\r\n") } else { capture.trim_end().to_owned() };
        Some(Self { name, title, sender, story: story.replace('\n', " "), capture })
    }

    /// Title, story and capture.
    pub(super) fn page(&self, view: View) -> String {
        let title = view.paint(Tone::Heading, view.wrap(self.title, 0).trim_end());
        let story = view.wrap(&self.story, 0);
        let lines = self.capture.trim_end().lines().map(|line| view.wrap(line, 2));
        format!("{title}\n\n{story}\n{}", lines.collect::<String>())
    }
}

/// Their names and titles.
pub(super) fn table(view: View) -> String {
    let mut text = view.wrap("wirechat decode --example NAME shows one of these:", 0);
    for Lesson { name, title, .. } in LESSONS.iter() {
        let room = format!("{name:<30}");
        let line = format!("  {}{title}\n", view.paint(Tone::Name, &room));
        let is_narrow = view.width < 2 + room.len() + title.chars().count();
        text.push_str(&match is_narrow {
            true => format!("  {}\n{}", view.paint(Tone::Name, name), view.wrap(title, 4)),
            false => line,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_many_and_each_is_whole() {
        assert!(25 <= LESSONS.len(), "{}", LESSONS.len());
        for (index, lesson) in LESSONS.iter().enumerate() {
            let Lesson { name, title, story, capture, .. } = lesson;
            assert!(!title.is_empty() && !story.is_empty() && !capture.is_empty(), "{name}");
            assert!(LESSONS.iter().take(index).all(|other| other.name != *name), "{name}");
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(is_name) && name.len() < 30, "{name}");
        }
    }
}
