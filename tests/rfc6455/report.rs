//! The register with the results of a run: as a table on standard output and as an HTML page.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use wirechat::rfc6455::{Requirement, section_title};

use crate::harness::Outcome;
use crate::register::{Register, Row, Shown};

/// The page, with the placeholders `{{summary}}`, `{{sections}}`, `{{levels}}`, `{{results}}` and
/// `{{rows}}`.
const PAGE: &str = include_str!("conformance.html");

/// The result of a row after a run.
struct RowResult<'a> {
    row: &'a Row,
    tests: Vec<&'a str>,
    result: &'static str,
}

impl<'a> RowResult<'a> {
    fn of(row: &'a Row, register: &'a Register, outcomes: &[Outcome]) -> Self {
        let tests = register.tests(row);
        let of_row = |outcome: &&Outcome| tests.contains(&outcome.test.path().as_str());
        let outcomes: Vec<_> = outcomes.iter().filter(of_row).collect();
        let result = match row.shown {
            Shown::Elsewhere => row.requirement.binds.name(),
            Shown::NotObservable => "unobservable",
            _ if outcomes.len() < tests.len() || tests.is_empty() => "not run",
            _ if outcomes.iter().any(|outcome| outcome.result.is_err()) => "FAILING",
            _ if row.deviates() => "deviates",
            _ if outcomes.iter().any(|outcome| outcome.late) => "ok, late",
            _ => "ok",
        };
        Self { row, tests, result }
    }

    fn register_section(&self) -> &'static str {
        self.row.requirement.register_section()
    }

    fn shown_by(&self) -> Vec<String> {
        match self.row.shown {
            Shown::CoveredBy(others) => vec![format!("as {others}")],
            _ => self.tests.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Prints the table and writes the page to the target directory.
pub(crate) fn publish(register: &Register, outcomes: &[Outcome]) {
    let row_results: Vec<_> =
        register.rows.iter().map(|row| RowResult::of(row, register, outcomes)).collect();
    let summary = summary(&row_results);
    println!("{}\n{summary}", table(&row_results));
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    let path = target.join("conformance.html");
    match fs::write(&path, page(&row_results, &summary)) {
        Ok(()) => println!("HTML page: {}", path.display()),
        Err(error) => println!("cannot write {}: {error}", path.display()),
    }
}

fn summary(row_results: &[RowResult]) -> String {
    let count =
        |which: &dyn Fn(&RowResult) -> bool| row_results.iter().filter(|s| which(s)).count();
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
        row_results.iter().filter(|s| s.row.deviates()).map(|s| s.row.id()).collect();
    format!(
        "{observable} observable, {shown} shown, {failing} failing{late}\n\
         Not counted: {hidden} that cannot be observed on the wire and {elsewhere} that bind only \
         clients or intermediaries. Deliberate deviations: {}.",
        deviations.join(", ")
    )
}

fn table(row_results: &[RowResult]) -> String {
    let mut text = String::new();
    let mut section = "";
    for row_result in row_results {
        let result = row_result.result;
        let Requirement { id, level, sentence, .. } = row_result.row.requirement;
        if row_result.register_section() != section {
            section = row_result.register_section();
            let _ = writeln!(text, "\n{section}  {}", section_title(section)); // a String cannot fail
        }
        let _ = writeln!(text, "  {id:8} {level:12} {result:12} {sentence}");
        for test in row_result.shown_by() {
            let _ = writeln!(text, "{:37}{test}", "");
        }
    }
    text
}

fn page(row_results: &[RowResult], summary: &str) -> String {
    let sections = row_results.iter().map(RowResult::register_section);
    let levels = row_results.iter().flat_map(|s| s.row.requirement.level.split(", "));
    let results = row_results.iter().map(|s| s.result);
    PAGE.replace("{{summary}}", &escape(summary).replacen('\n', "</strong> ", 1))
        .replace(
            "{{sections}}",
            &options(sections, |section| format!("{section} {}", section_title(section))),
        )
        .replace("{{levels}}", &options(levels, str::to_owned))
        .replace("{{results}}", &options(results, str::to_owned))
        .replace(
            "{{rows}}",
            &row_results.chunk_by(same_section).map(table_body).collect::<String>(),
        )
}

/// The options of a filter, each once, in the order of their first appearance.
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

fn same_section(one: &RowResult, next: &RowResult) -> bool {
    one.register_section() == next.register_section()
}

/// A section with its heading.
fn table_body(row_results: &[RowResult]) -> String {
    let section = row_results.first().map_or("", RowResult::register_section);
    let rows: String = row_results.iter().map(table_row).collect();
    let title = section_title(section);
    format!(
        "<tbody><tr class=\"section\"><th scope=\"rowgroup\" colspan=\"5\">{section} {title}</th></tr>\n\
         {rows}</tbody>\n"
    )
}

fn table_row(row_result: &RowResult) -> String {
    let RowResult { row, tests, result } = row_result;
    let note =
        if row.note.is_empty() { String::new() } else { format!("<p>{}</p>", escape(row.note)) };
    let covered_by = match row.shown {
        Shown::CoveredBy(_) => {
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
         <td>{sentence}{note}</td><td class=\"tests\">{covered_by}{tests}</td>\
         <td><span class=\"result\">{result}</span></td></tr>\n",
        id = row.id(),
        link = link(row.id()),
        section = row_result.register_section(),
        level = row.requirement.level,
        sentence = escape(row.requirement.sentence),
    )
}

fn link(id: &str) -> String {
    format!("<a href=\"#{id}\">{id}</a>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
