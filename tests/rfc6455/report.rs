//! The register with its results: as a table on standard output, and as one page of HTML.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::harness::Outcome;
use crate::register::{Register, Row, Shown};

/// The page; `{{summary}}`, `{{sections}}`, `{{levels}}`, `{{results}}` and `{{rows}}` are filled
/// in.
const PAGE: &str = include_str!("conformance.html");

/// What the parts of the register are called.
const SECTIONS: &[(&str, &str)] = &[
    ("2", "Conformance"),
    ("2.1", "Terminology"),
    ("3", "WebSocket URIs"),
    ("4.1", "Opening handshake: the client"),
    ("4.2", "Opening handshake: the server"),
    ("4.2.1", "Reading the client's handshake"),
    ("4.2.2", "Sending the server's handshake"),
    ("4.3", "Header grammar"),
    ("4.4", "Several versions"),
    ("5.1", "Data framing: overview"),
    ("5.2", "Base framing"),
    ("5.3", "Masking"),
    ("5.4", "Fragmentation"),
    ("5.5", "Control frames"),
    ("5.5.1", "Close"),
    ("5.5.2", "Ping"),
    ("5.5.3", "Pong"),
    ("5.6", "Data frames"),
    ("5.7", "Examples"),
    ("5.8", "Extensibility"),
    ("6.1", "Sending"),
    ("6.2", "Receiving"),
    ("7.1.1", "Close the WebSocket connection"),
    ("7.1.2", "Start the closing handshake"),
    ("7.1.3", "The closing handshake is started"),
    ("7.1.4", "The connection is closed"),
    ("7.1.5", "The close code"),
    ("7.1.6", "The close reason"),
    ("7.1.7", "Fail the connection"),
    ("7.2.1", "Abnormal closure by the client"),
    ("7.2.2", "Abnormal closure by the server"),
    ("7.2.3", "Recovering from abnormal closure"),
    ("7.3", "Normal closure"),
    ("7.4", "Status codes"),
    ("7.4.1", "Defined status codes"),
    ("7.4.2", "Reserved ranges"),
    ("8.1", "Errors in UTF-8"),
    ("9", "Extensions"),
    ("9.1", "Negotiating extensions"),
    ("9.2", "Known extensions"),
    ("10.1", "Clients that are no browsers"),
    ("10.2", "Origin"),
    ("10.3", "Attacks on infrastructure"),
    ("10.4", "Limits of the implementation"),
    ("10.5", "Authentication"),
    ("10.6", "Confidentiality and integrity"),
    ("10.7", "Invalid input"),
    ("10.8", "SHA-1"),
    ("11.2", "Registered upgrade token"),
    ("11.3.1", "Sec-WebSocket-Key"),
    ("11.3.2", "Sec-WebSocket-Extensions"),
    ("11.3.3", "Sec-WebSocket-Accept"),
    ("11.3.4", "Sec-WebSocket-Protocol"),
    ("11.3.5", "Sec-WebSocket-Version"),
    ("11.5", "Registry of subprotocols"),
    ("11.6", "Registry of versions"),
    ("11.8", "Registry of opcodes"),
    ("11.9", "Registry of framing bits"),
    ("8441", "RFC 8441: WebSocket over HTTP/2"),
    ("H", "HTTP: RFC 9110, RFC 9112, RFC 6585"),
];

/// How a row stands after a run.
struct Standing<'a> {
    row: &'a Row,
    tests: Vec<&'a str>,
    result: &'static str,
}

impl<'a> Standing<'a> {
    fn of(row: &'a Row, register: &'a Register, outcomes: &[Outcome]) -> Self {
        let tests = register.tests(row);
        let of_row = |outcome: &&Outcome| tests.contains(&outcome.test.path().as_str());
        let outcomes: Vec<_> = outcomes.iter().filter(of_row).collect();
        let result = match row.shown {
            Shown::Elsewhere => row.binds,
            Shown::NotObservable => "unobservable",
            _ if outcomes.len() < tests.len() || tests.is_empty() => "not run",
            _ if outcomes.iter().any(|outcome| outcome.verdict.is_err()) => "FAILING",
            _ if row.deviates() => "deviates",
            _ if outcomes.iter().any(|outcome| outcome.late) => "ok, late",
            _ => "ok",
        };
        Self { row, tests, result }
    }

    fn shown_by(&self) -> Vec<String> {
        match self.row.shown {
            Shown::Leans(others) => vec![format!("as {others}")],
            _ => self.tests.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Prints the table and writes the page beside the build.
pub(crate) fn publish(register: &Register, outcomes: &[Outcome]) {
    let standings: Vec<_> =
        register.rows.iter().map(|row| Standing::of(row, register, outcomes)).collect();
    let summary = summary(&standings);
    println!("{}\n{summary}", table(&standings));
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    let path = target.join("conformance.html");
    match fs::write(&path, page(&standings, &summary)) {
        Ok(()) => println!("the same as a page: {}", path.display()),
        Err(error) => println!("{} cannot be written: {error}", path.display()),
    }
}

fn summary(standings: &[Standing]) -> String {
    let count = |which: &dyn Fn(&Standing) -> bool| standings.iter().filter(|s| which(s)).count();
    let observable = count(&|s| s.row.is_observable());
    let shown = count(&|s| matches!(s.result, "ok" | "ok, late" | "deviates"));
    let failing = count(&|s| s.result == "FAILING");
    let late = match count(&|s| s.result == "ok, late") {
        0 => String::new(),
        late => format!(", {late} late"),
    };
    let hidden = count(&|s| s.row.shown == Shown::NotObservable);
    let elsewhere = count(&|s| s.row.shown == Shown::Elsewhere);
    let deviations: Vec<_> =
        standings.iter().filter(|s| s.row.deviates()).map(|s| s.row.id).collect();
    format!(
        "{observable} observable, {shown} shown, {failing} failing{late}\n\
         Beside them {hidden} that nothing on the wire can show and {elsewhere} that bind only clients \
         or intermediaries. Deliberate deviations from the letter: {}.",
        deviations.join(", ")
    )
}

fn table(standings: &[Standing]) -> String {
    let mut text = String::new();
    let mut section = "";
    for standing in standings {
        let Standing { row, result, .. } = standing;
        if row.section() != section {
            section = row.section();
            let _ = writeln!(text, "\n{section}  {}", title(section)); // a String takes everything
        }
        let Row { id, level, requirement, .. } = row;
        let _ = writeln!(text, "  {id:8} {level:12} {result:12} {requirement}");
        for test in standing.shown_by() {
            let _ = writeln!(text, "{:37}{test}", "");
        }
    }
    text
}

fn title(section: &str) -> &'static str {
    SECTIONS.iter().find(|(number, _)| *number == section).map_or("", |(_, title)| title)
}

fn page(standings: &[Standing], summary: &str) -> String {
    let sections = standings.iter().map(|s| s.row.section());
    let levels = standings.iter().flat_map(|s| s.row.level.split(", "));
    let results = standings.iter().map(|s| s.result);
    PAGE.replace("{{summary}}", &escape(summary).replacen('\n', "</strong> ", 1))
        .replace(
            "{{sections}}",
            &options(sections, |section| format!("{section} {}", title(section))),
        )
        .replace("{{levels}}", &options(levels, str::to_owned))
        .replace("{{results}}", &options(results, str::to_owned))
        .replace("{{rows}}", &standings.chunk_by(same_section).map(table_body).collect::<String>())
}

/// The choices of a filter, each once, in the order of their first appearance.
fn options<'a>(values: impl Iterator<Item = &'a str>, label: impl Fn(&str) -> String) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    let option =
        |value: &&str| format!("<option value=\"{value}\">{}</option>", escape(&label(value)));
    seen.iter().map(option).collect()
}

fn same_section(one: &Standing, next: &Standing) -> bool {
    one.row.section() == next.row.section()
}

/// A section with its heading.
fn table_body(standings: &[Standing]) -> String {
    let section = standings.first().map_or("", |standing| standing.row.section());
    let rows: String = standings.iter().map(table_row).collect();
    let title = title(section);
    format!(
        "<tbody><tr class=\"section\"><th scope=\"rowgroup\" colspan=\"5\">{section} {title}</th></tr>\n\
         {rows}</tbody>\n"
    )
}

fn table_row(standing: &Standing) -> String {
    let Standing { row, tests, result } = standing;
    let note =
        if row.note.is_empty() { String::new() } else { format!("<p>{}</p>", escape(row.note)) };
    let leans = match row.shown {
        Shown::Leans(_) => {
            format!("as {}", row.shown_as().map(link).collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    };
    let tests: String = tests
        .iter()
        .map(|test| format!("<code>{}</code>", escape(test).replace('_', "_<wbr>")))
        .collect();
    format!(
        "<tr id=\"{id}\" data-section=\"{section}\" data-level=\"{level}\" \
         data-result=\"{result}\">\
         <th scope=\"row\">{link}</th><td class=\"level\">{level}</td>\
         <td>{requirement}{note}</td><td class=\"tests\">{leans}{tests}</td>\
         <td><span class=\"result\">{result}</span></td></tr>\n",
        id = row.id,
        link = link(row.id),
        section = row.section(),
        level = row.level,
        requirement = escape(row.requirement),
    )
}

fn link(id: &str) -> String {
    format!("<a href=\"#{id}\">{id}</a>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
