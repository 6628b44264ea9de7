//! One parser for the options of all commands. A command is a [`Syntax`]; each of its options is a row of
//! one table, which the parser, the help, the environment variables and the suggestions read.

use std::ffi::OsString;

use super::command::Command;
use super::unknown::unknown;
use crate::explain::view::{Colour, View};
use crate::help;

/// Looks up an environment variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

const VERSION: &str = concat!("wirechat ", env!("CARGO_PKG_VERSION"), "\n");

/// Columns of the help, and the column where the text of an option starts.
const WIDTH: usize = 96;
const INDENT: usize = 29;

/// A command: its options, its help, and how its words become a [`Command`].
pub(super) struct Syntax<T: 'static> {
    /// The topic of the manual; what it says before its options is the start of the help.
    pub(super) topic: &'static str,
    /// The command line that prints the help.
    pub(super) help: &'static str,
    pub(super) flags: &'static [Flag<T>],
    /// What the names of the environment variables start with; `None` if the options have none.
    pub(super) variables: Option<&'static str>,
    /// The values without any option.
    pub(super) defaults: fn(Lookup) -> T,
    /// Makes the command from the values and the operands, the words that belong to no option.
    pub(super) finish: fn(T, &[&str]) -> Result<Command, String>,
}

/// One option.
pub(super) struct Flag<T: 'static> {
    pub(super) name: &'static str,
    /// The value as the help shows it; empty for a switch. A switch takes a value, if it may have
    /// one, as `--name=VALUE` only.
    pub(super) value: &'static str,
    /// The least and the most words of the value.
    words: (usize, usize),
    /// The default as a user writes it; empty if there is none.
    pub(super) default: &'static str,
    times: Times,
    pub(super) help: &'static str,
    apply: Apply<T>,
}

/// Stores a value. An error says what is wrong with it, as the end of a sentence that starts with the
/// option and the value.
type Apply<T> = fn(&mut T, &[&str]) -> Result<(), String>;

/// How often an option can be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// Once; of several, the last one counts.
    Once,
    /// Several times. Its environment variable holds a list with commas.
    Repeatable,
}

/// A row of a table of options.
pub(super) const fn flag<T>(
    name: &'static str,
    value: &'static str,
    words: (usize, usize),
    default: &'static str,
    times: Times,
    help: &'static str,
    apply: Apply<T>,
) -> Flag<T> {
    Flag { name, value, words, default, times, help, apply }
}

impl<T> Syntax<T> {
    /// Reads the words after the command's name, then the environment variables of the options that
    /// were not given.
    ///
    /// # Errors
    /// A sentence: what is wrong, and what would be right.
    pub(super) fn parse(&self, words: &[&str], variable: Lookup) -> Result<Command, String> {
        let mut values = (self.defaults)(variable);
        let (mut operands, mut given) = (Vec::new(), Vec::new());
        let mut rest = words;
        while let [word, after @ ..] = rest {
            rest = after;
            let option = match *word {
                "--help" | "-h" => return Ok(Command::Show(self.help_text())),
                "--version" | "-V" => return Ok(Command::Show(VERSION.to_owned())),
                option if option.starts_with("--") => option,
                operand => {
                    operands.push(operand);
                    continue;
                }
            };
            let (name, inline) = option.split_once('=').unzip();
            let flag = self.find(name.unwrap_or(option))?;
            let own = flag.take_words(inline, &mut rest)?;
            flag.set(&mut values, &format!("--{}", flag.name), &own)?;
            given.push(flag.name);
        }
        self.set_variables(&mut values, &given, variable)?;
        (self.finish)(values, &operands)
    }

    /// The flag of `option`, as in `--name`.
    ///
    /// # Errors
    /// There is no such option: a sentence that suggests one, or the help.
    pub(super) fn find(&self, option: &str) -> Result<&Flag<T>, String> {
        let names = self.flags.iter().map(|flag| flag.name).chain(["help", "version"]);
        let flag = self.flags.iter().find(|flag| Some(flag.name) == option.strip_prefix("--"));
        flag.ok_or_else(|| unknown("option", "--", option, names, self.help))
    }

    /// A variable that is set but empty counts as not set.
    fn set_variables(
        &self,
        values: &mut T,
        given: &[&str],
        variable: Lookup,
    ) -> Result<(), String> {
        let Some(prefix) = self.variables else { return Ok(()) };
        for flag in self.flags.iter().filter(|flag| !given.contains(&flag.name)) {
            let name = flag.variable(prefix);
            let Some(value) = variable(&name) else { continue };
            let value = utf8(value).map_err(|error| format!("{name}: {error}"))?;
            let parts: Vec<&str> = match flag.times {
                Times::Once => vec![&value],
                Times::Repeatable => value.split(',').map(str::trim).collect(),
            };
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                flag.set(values, &name, &[part])?;
            }
        }
        Ok(())
    }

    /// The topic up to its options, as plain text, then a row for each option.
    pub(super) fn help_text(&self) -> String {
        let topic = help::topic(self.topic).unwrap_or_default();
        let (usage, _) = topic.split_once("## Options").unwrap_or_default();
        let mut text = format!("{}Options:\n", usage.trim_start_matches("# "));
        for flag in self.flags {
            let left = format!("--{} {}", flag.name, flag.value);
            let mut right = flag.help.to_owned();
            if !flag.default.is_empty() {
                right.push_str(&format!(" [default: {}]", flag.default));
            }
            if let Some(prefix) = self.variables {
                right.push_str(&format!(" [{}]", flag.variable(prefix)));
            }
            text.push_str(&row(left.trim_end(), &right));
        }
        text.push_str(&row("--help", "print this text"));
        text.push_str(&row("--version", "print the version"));
        text
    }
}

impl<T> Flag<T> {
    /// Takes the words of the flag's value from the front of `rest`. A word of a required value belongs to
    /// it whatever it looks like.
    fn take_words<'a>(
        &self,
        inline: Option<&'a str>,
        rest: &mut &[&'a str],
    ) -> Result<Vec<&'a str>, String> {
        let Self { name, value, words: (least, most), default, .. } = *self;
        let mut own = Vec::from_iter(inline);
        if most < own.len() {
            return Err(format!("--{name} takes no value; write --{name} alone"));
        }
        let most = if value.is_empty() { 0 } else { most };
        let is_own = |count, word: &str| count < least || count < most && !word.starts_with("--");
        while let [word, after @ ..] = *rest
            && is_own(own.len(), word)
        {
            own.push(word);
            *rest = after;
        }
        if own.len() < least {
            let quote = if default.contains(' ') { "'" } else { "" };
            let example = match default {
                "" => String::new(),
                default => format!(", as in --{name} {quote}{default}{quote}"),
            };
            return Err(format!("--{name} needs a value: --{name} {value}{example}"));
        }
        Ok(own)
    }

    fn set(&self, values: &mut T, source: &str, words: &[&str]) -> Result<(), String> {
        (self.apply)(values, words).map_err(|hint| match words {
            [] => format!("{source} {hint}"),
            _ => format!("{source}: '{}' {hint}", words.join(" ").escape_debug()),
        })
    }

    pub(super) fn variable(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

/// A row of a help: a name, and what it is in lines of its own column.
pub(super) fn row(name: &str, text: &str) -> String {
    let lines = View { width: WIDTH, colour: Colour::Off }.wrap(text, INDENT);
    format!("  {name:<26} {}\n", lines.trim())
}

/// # Errors
/// The word is not UTF-8.
pub(super) fn utf8(word: OsString) -> Result<String, String> {
    word.into_string().map_err(|word| format!("{word:?} is not UTF-8"))
}
