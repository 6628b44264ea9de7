//! The register of requirements, compared with the tests.

use std::collections::{BTreeMap, BTreeSet};

use wirechat::rfc6455::{REQUIREMENTS, Requirement};

use crate::harness::Test;

/// ID, how the tests show the requirement, and a note where there is one; in the register's order.
const SHOWN: &str = include_str!("shown.tsv");

/// All rows, rows that bind a server, and those of them that can be observed.
const COUNTS: [usize; 3] = [350, 292, 278];

/// The values of a level, alone or combined, as in `MUST, MAY`.
const LEVELS: &[&str] = &[
    "MUST",
    "MUST NOT",
    "MUST*",
    "SHOULD",
    "SHOULD NOT",
    "SHOULD*",
    "MAY",
    "must",
    "should",
    "def",
    "REG",
    "meta",
];

/// How the tests show a row: the column Shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shown {
    /// By tests that name the row.
    Test,
    /// By the tests of other rows: `5.2-d, 5.2-e`.
    CoveredBy(&'static str),
    /// Not at all: it cannot be observed on the wire.
    NotObservable,
    /// Not here: it binds only clients or intermediaries.
    Elsewhere,
}

/// One requirement, and how the tests show it.
pub(crate) struct Row {
    pub(crate) requirement: &'static Requirement,
    pub(crate) shown: Shown,
    pub(crate) note: &'static str,
}

impl Row {
    /// Joins a requirement with its line of `shown.tsv`.
    ///
    /// # Errors
    /// The line, if it is malformed or belongs to another row.
    fn parse(requirement: &'static Requirement, line: &'static str) -> Result<Self, String> {
        let malformed = || format!("{}: malformed row: {line:?}", requirement.id);
        let columns: Vec<_> = line.split('\t').collect();
        let &[id, shown, ref note @ ..] = &columns[..] else {
            return Err(malformed());
        };
        let binds = requirement.binds.name();
        let shown = match (binds, shown) {
            ("server" | "both", "test") => Shown::Test,
            ("server" | "both", "not observable") => Shown::NotObservable,
            ("server" | "both", _) => {
                Shown::CoveredBy(shown.strip_prefix("covered by ").ok_or_else(malformed)?)
            }
            ("client" | "intermediary", _) if shown == binds => Shown::Elsewhere,
            _ => return Err(malformed()),
        };
        let known = requirement.level.split(", ").all(|level| LEVELS.contains(&level));
        if !known || note.len() > 1 || id != requirement.id {
            return Err(malformed());
        }
        let note = note.first().copied().unwrap_or_default();
        Ok(Self { requirement, shown, note })
    }

    pub(crate) fn id(&self) -> &'static str {
        self.requirement.id
    }

    /// The IDs of the rows with the tests that show this one: itself, or the rows that cover it.
    pub(crate) fn shown_as(&self) -> impl Iterator<Item = &'static str> {
        let ids = if let Shown::CoveredBy(others) = self.shown { others } else { self.id() };
        ids.split(", ")
    }

    pub(crate) fn binds_a_server(&self) -> bool {
        self.shown != Shown::Elsewhere
    }

    pub(crate) fn is_observable(&self) -> bool {
        matches!(self.shown, Shown::Test | Shown::CoveredBy(_))
    }

    /// Whether the server deviates from this row on purpose. The note says why.
    pub(crate) fn deviates(&self) -> bool {
        self.note.starts_with("Deviation:")
    }
}

/// The rows, and the tests that show each.
pub(crate) struct Register {
    pub(crate) rows: Vec<Row>,
    tests: BTreeMap<&'static str, Vec<String>>,
}

impl Register {
    /// The register, and every disagreement between it and the tests.
    pub(crate) fn read(tests: &[&Test]) -> (Self, Vec<String>) {
        let lines = SHOWN.lines().skip(1);
        let lines =
            REQUIREMENTS.iter().zip(lines).map(|(requirement, line)| Row::parse(requirement, line));
        let (rows, malformed): (Vec<_>, Vec<_>) = lines.partition(Result::is_ok);
        let mut problems: Vec<_> = malformed.into_iter().filter_map(Result::err).collect();
        let rows = rows.into_iter().flatten().collect();
        let mut register = Self { rows, tests: BTreeMap::new() };
        for test in tests {
            for id in test.ids {
                register.tests.entry(id).or_default().push(test.path());
            }
        }
        problems.extend(register.miscounts());
        problems.extend(register.rows.iter().filter_map(|row| register.unshown(row)));
        problems.extend(tests.iter().flat_map(|test| register.misnamed(test)));
        problems.extend(duplicates("row", register.rows.iter().map(|row| row.id().to_owned())));
        problems.extend(duplicates("test", tests.iter().map(|test| test.path())));
        (register, problems)
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id() == id)
    }

    /// The tests that show a row: its own, or those of the rows that cover it; each once.
    pub(crate) fn tests(&self, row: &Row) -> Vec<&str> {
        let tests = row.shown_as().filter_map(|id| self.tests.get(id)).flatten();
        let mut seen = BTreeSet::new();
        tests.map(String::as_str).filter(|test| seen.insert(*test)).collect()
    }

    /// `s7_1_1` for each row of section 7.1.1 that a test shows or covers.
    pub(crate) fn modules(&self, test: &Test) -> impl Iterator<Item = String> {
        let shown = self.rows.iter().filter(|row| row.shown_as().any(|id| test.ids.contains(&id)));
        shown.map(|row| module(row.id()))
    }

    fn miscounts(&self) -> Option<String> {
        let count = |which: fn(&Row) -> bool| self.rows.iter().filter(|row| which(row)).count();
        let counts = [self.rows.len(), count(Row::binds_a_server), count(Row::is_observable)];
        let has_surplus = REQUIREMENTS.len() + 1 != SHOWN.lines().count();
        (counts != COUNTS || has_surplus)
            .then(|| format!("{counts:?} rows, binding a server, observable; expected {COUNTS:?}"))
    }

    fn unshown(&self, row: &Row) -> Option<String> {
        let id = row.id();
        let has_no_test = |id: &str| self.row(id).is_none_or(|row| row.shown != Shown::Test);
        match row.shown {
            Shown::Test if self.tests(row).is_empty() => Some(format!("{id} has no test")),
            Shown::CoveredBy(_) => row
                .shown_as()
                .find(|other| has_no_test(other))
                .map(|other| format!("{id} is covered by {other}, which has no test of its own")),
            _ => None,
        }
    }

    /// A test names only rows that tests show, each once, and is in the section of the first.
    fn misnamed(&self, test: &Test) -> Vec<String> {
        let path = test.path();
        let shown = |id: &str| self.row(id).is_some_and(|row| row.shown == Shown::Test);
        let unknown = test.ids.iter().filter(|id| !shown(id));
        let mut problems: Vec<_> = unknown
            .map(|id| format!("{path} names {id}, which is not a row that a test shows"))
            .collect();
        problems.extend(duplicates(&path, test.ids.iter().map(|id| (*id).to_owned())));
        if !test.ids.first().is_some_and(|id| module(id).starts_with(test.section())) {
            problems.push(format!("{path} is not in the section of its first row"));
        }
        problems
    }
}

/// `s5_5_1` for `5.5.1-a`; the rows of HTTP share a module.
fn module(id: &str) -> String {
    match id.split_once('-') {
        Some(("H" | "8441", _)) => "http".into(),
        Some((section, _)) => format!("s{}", section.replace('.', "_")),
        None => id.into(),
    }
}

fn duplicates(kind: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .filter(|name| !seen.insert(name.clone()))
        .map(|name| format!("{kind}: {name} twice"))
        .collect()
}
