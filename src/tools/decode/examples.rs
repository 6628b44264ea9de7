//! The examples: short captures with an explanation, in one text file beside this module.
//!
//! ```text
//! = name
//! title
//! from client (or server; or any, if both peers send or a head shows the sender)
//! the explanation, some lines
//!
//! the capture, in a format that decode reads
//! ```

use std::sync::LazyLock;

use crate::explain::text::wrap;
use crate::explain::view::{Tone, View};
use crate::wire::frame::Role;

/// A short capture with its explanation.
pub(super) struct Example {
    /// The name that `--example` takes.
    name: &'static str,
    /// The subject in one line.
    title: &'static str,
    /// The sender, if the capture does not show it.
    pub(super) sender: Option<Role>,
    explanation: String,
    /// The bytes in hex, or a head with CR LF as its line ends.
    pub(super) capture: String,
}

/// All examples; those of the RFC are first.
static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let text = include_str!("examples.txt").trim_start_matches("= ");
    text.split("\n= ").filter_map(Example::parse).collect()
});

impl Example {
    fn parse(text: &'static str) -> Option<Self> {
        let (name, rest) = text.split_once('\n')?;
        let (title, rest) = rest.split_once('\n')?;
        let (from, rest) = rest.split_once('\n')?;
        let (explanation, capture) = rest.split_once("\n\n")?;
        let sender = match from {
            "from client" => Some(Role::Client),
            "from server" => Some(Role::Server),
            _ => None,
        };
        let is_head = capture.starts_with("GET ") || capture.starts_with("HTTP/");
        let capture =
            if is_head { capture.replace('\n', "\r\n") } else { capture.trim_end().to_owned() };
        Some(Self { name, title, sender, explanation: explanation.replace('\n', " "), capture })
    }

    /// Title, explanation and capture.
    pub(super) fn text(&self, view: View) -> String {
        let title = view.wrap_painted(Tone::Heading, self.title, 0);
        let explanation = view.wrap(&self.explanation, 0);
        let lines = self.capture.trim_end().lines().map(|line| view.wrap(line, 2));
        format!("{title}\n{explanation}\n{}", lines.collect::<String>())
    }
}

/// The example of this name.
///
/// # Errors
/// A sentence, if there is no such example.
pub(super) fn find(name: &str) -> Result<&'static Example, String> {
    EXAMPLES.iter().find(|example| example.name == name).ok_or_else(|| {
        let name = name.escape_debug();
        format!("there is no example '{name}'; `wirechat decode --example` lists them all")
    })
}

/// The names and titles of all examples.
pub(super) fn table(view: View) -> String {
    let mut text = view.wrap("wirechat decode --example NAME shows one of these:", 0);
    for Example { name, title, .. } in EXAMPLES.iter() {
        let name = view.paint(Tone::Name, &format!("{name:<30}"));
        text += &format!("  {name}{}\n", wrap(title, 32, 4, view.width));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_complete_and_has_its_own_name() {
        assert!(25 <= EXAMPLES.len(), "{}", EXAMPLES.len());
        for (index, example) in EXAMPLES.iter().enumerate() {
            let Example { name, title, explanation, capture, .. } = example;
            assert!(!title.is_empty() && !explanation.is_empty() && !capture.is_empty(), "{name}");
            assert!(EXAMPLES.iter().take(index).all(|other| other.name != *name), "{name}");
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(is_name) && name.len() < 30, "{name}");
        }
    }
}
