//! The command line: what it explains, what it refuses and in which words, and what it sets.

mod support;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Output};

use support::{Client, Masked, Request, Server, check};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirechat");

/// The program, without variables of ours that this machine may have.
fn program() -> Command {
    without_variables(Command::new(PROGRAM))
}

fn without_variables(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WIRECHAT_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it to its end; should it serve instead, it is ended, and the status tells.
fn run(words: impl IntoIterator<Item = impl AsRef<OsStr>>, variables: &[(&str, &OsStr)]) -> Output {
    let mut command = without_variables(Command::new("timeout"));
    command.args(["--signal=KILL", "10", PROGRAM]).args(words).envs(variables.iter().copied());
    command.output().expect("the program runs")
}

fn said(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).expect("UTF-8")
}

/// It ended with this status, one sentence on standard error, and nothing on standard output.
#[track_caller]
fn complains(output: &Output, status: i32) -> &str {
    let complaint = said(&output.stderr);
    check::eq(output.status.code(), Some(status), format_args!("exit status, {complaint}"));
    check::eq(said(&output.stdout), "", "standard output");
    check::eq(complaint.lines().count(), 1, format_args!("lines of {complaint}"));
    check::that(complaint.starts_with("wirechat: "), complaint);
    complaint
}

/// Each option with its default, as the help has it.
const OPTIONS: [(&str, &str); 13] = [
    ("--bind ADDR:PORT", "127.0.0.1:1984"),
    ("--welcome TEXT", "Welcome to Corvusoft Chat!"),
    ("--origin ORIGIN", ""),
    ("--max-message SIZE", "1M"),
    ("--max-backlog SIZE", "4M"),
    ("--max-connections N", "4096"),
    ("--ping-interval SECS", "20"),
    ("--idle-timeout SECS", "60"),
    ("--handshake-timeout SECS", "10"),
    ("--trace", ""),
    ("--inspect", ""),
    ("--log-format FORMAT", "text"),
    ("--quiet", ""),
];

#[test]
fn help_begins_with_examples_and_shows_each_option() {
    for words in [&["--help"][..], &["-h"], &["serve", "--help"], &["--quiet", "-h"]] {
        let output = run(words, &[]);
        check::eq(output.status.code(), Some(0), "exit status");
        check::eq(said(&output.stderr), "", "standard error");
        let help = said(&output.stdout);
        let place = |what: &str| help.find(what).unwrap_or_else(|| check::fail(what));
        check::that(place("Examples:") < place("Options:"), "examples come first");
        check::that(help.lines().all(|line| line.chars().count() <= 100), "lines fit a screen");
        for (option, default) in OPTIONS {
            let rest = &help[place(&format!("  {option} "))..];
            let entry = rest.split("\n  --").next().unwrap_or_default();
            let entry = entry.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = option.split(' ').next().unwrap_or_default().trim_start_matches("--");
            let variable = format!("WIRECHAT_{}", name.to_uppercase().replace('-', "_"));
            check::that(entry.contains(&format!("[{variable}]")), format_args!("{entry}"));
            let default = format!("[default: {default}]");
            check::that(default == "[default: ]" || entry.contains(&default), entry);
        }
    }
}

#[test]
fn version_is_one_line() {
    for word in ["--version", "-V"] {
        let output = run([word], &[]);
        let line = format!("wirechat {}\n", env!("CARGO_PKG_VERSION"));
        check::eq((output.status.code(), said(&output.stdout)), (Some(0), &*line), word);
    }
}

#[test]
fn help_for_a_reader_that_has_gone_is_no_panic() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let output = program().arg("--help").stdout(writer).output().expect("the program runs");
    check::eq(said(&output.stderr), "", "standard error");
    check::eq(output.status.code(), Some(0), "exit status");
}

#[test]
fn a_typo_is_answered_with_what_was_meant() {
    for (word, meant) in [
        ("--bnd", "--bind"),
        ("--wellcome", "--welcome"),
        ("--orgin=*", "--origin"),
        ("--max-mesage", "--max-message"),
        ("--max-conections", "--max-connections"),
        ("--ping-intervall", "--ping-interval"),
        ("--idletimeout", "--idle-timeout"),
        ("--logformat", "--log-format"),
        ("--quit", "--quiet"),
        ("--halp", "--help"),
        ("--unheard-of", "wirechat --help"),
        ("srve", "wirechat serve"),
        ("encod", "wirechat encode"),
        ("acept", "wirechat accept"),
        ("-q", "wirechat --help"),
    ] {
        let output = run([word], &[]);
        let complaint = complains(&output, 2);
        check::that(complaint.contains(meant), format_args!("{word}: {complaint}"));
    }
}

/// An option, values that it does not take, and what is said to be right.
const REFUSED: [(&str, &[&str], &str); 12] = [
    ("bind", &["localhost", "1984", "127.0.0.1", "127.0.0.1:70000", "::1:80", ""], "[::1]:1984"),
    ("origin", &["chat.test", "https://", "https://a.test/", "http://a b", ""], "https://"),
    ("max-message", &["", "0", "-1", "+1", "1T", "1.5M", "K", "M1", "0x10", "1025G"], "64K"),
    ("max-backlog", &["0", "99999999999999999999", "1 M", "1KB", "ten"], "1M"),
    ("max-connections", &["0", "-1", "+1", "4K", "1000001", "1.0", ""], "4096"),
    ("ping-interval", &["-1", "1e3", ".", "", "1.2.3", "1s", "+1", "99999999999"], "20"),
    ("idle-timeout", &["0", "0.0001", "-1", "inf", "NaN", ""], "seconds"),
    ("handshake-timeout", &["0", "ten", "1,5"], "seconds"),
    ("log-format", &["xml", "JSON", ""], "json"),
    ("quiet", &["maybe", "2"], "true"),
    ("trace", &["maybe", "2", "FULL"], "full"),
    ("inspect", &["maybe", "2", "all"], "any"),
];

#[test]
fn a_value_that_makes_no_sense_is_refused() {
    for (option, values, right) in REFUSED {
        for value in values {
            check::case(format_args!("--{option}={value}"));
            let output = run([format!("--{option}={value}")], &[]);
            refuses(complains(&output, 2), &format!("--{option}"), value, right);
        }
    }
}

#[test]
fn so_is_one_from_the_environment() {
    for (option, values, right) in REFUSED {
        let variable = format!("WIRECHAT_{}", option.to_uppercase().replace('-', "_"));
        for value in values.iter().filter(|value| !value.is_empty()) {
            check::case(format_args!("{variable}={value}"));
            let variables = [(&*variable, OsStr::new(value))];
            refuses(complains(&run([""; 0], &variables), 2), &variable, value, right);
        }
    }
}

/// The sentence names the option, the value, and what would be right.
#[track_caller]
fn refuses(complaint: &str, option: &str, value: &str, right: &str) {
    for part in [option, &format!("'{value}'"), right] {
        check::that(complaint.contains(part), format_args!("{part} in: {complaint}"));
    }
}

#[test]
fn what_is_not_utf8_is_refused_by_name() {
    let odd = OsString::from_vec(b"caf\xe9".to_vec());
    let output = run([OsStr::new("--welcome"), &odd], &[]);
    let complaint = complains(&output, 2);
    check::that(complaint.contains("--welcome") && complaint.contains("UTF-8"), complaint);
    let output = run([""; 0], &[("WIRECHAT_WELCOME", &odd)]);
    let complaint = complains(&output, 2);
    check::that(complaint.contains("WIRECHAT_WELCOME") && complaint.contains("UTF-8"), complaint);
}

#[test]
fn an_option_without_its_value_is_refused() {
    for (option, _) in OPTIONS.iter().filter(|(option, _)| option.contains(' ')) {
        let (name, value) = option.split_once(' ').unwrap_or_default();
        let output = run([name], &[]);
        let complaint = complains(&output, 2);
        check::that(complaint.contains(&format!("{name} needs a value")), complaint);
        check::that(complaint.contains(value), format_args!("{value} in: {complaint}"));
    }
}

#[test]
fn values_that_make_no_sense_together_are_refused() {
    for words in [&["--idle-timeout", "20"][..], &["--ping-interval", "61"]] {
        let output = run(words, &[]);
        let complaint = complains(&output, 2);
        for part in ["--idle-timeout", "--ping-interval", &format!("{}s", words[1])] {
            check::that(complaint.contains(part), format_args!("{part} in: {complaint}"));
        }
    }
    Server::with(&["--idle-timeout", "1", "--ping-interval", "0"]);
    Server::with(&["--idle-timeout", "40"]);
}

#[test]
fn what_a_terminal_could_take_for_more_is_escaped() {
    for word in ["--\x1b[31m", "\x1b[31m", "--max-message=\x1b[31m\n"] {
        let output = run([word], &[]);
        check::that(!complains(&output, 2).contains('\x1b'), word.escape_debug());
    }
}

/// What the first message of a server is.
fn welcome(server: &Server) -> String {
    let mut member = server.ask(&Request::upgrade("/chat"));
    member.expect_101();
    String::from_utf8(member.read_frame().payload).expect("a text")
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_default() {
    let variables = [("WIRECHAT_WELCOME", "variable"), ("WIRECHAT_MAX_MESSAGE", "10")];
    let server = Server::with_environment(&["--welcome=flag"], &variables);
    check::eq(welcome(&server).as_str(), "flag", "a flag wins");
    let server = Server::with_environment(&[], &variables);
    check::eq(welcome(&server).as_str(), "variable", "a variable sets");
    let mut client = server.upgrade("/echo");
    client.send(Masked::text("0123456789").bytes());
    client.expect_text("0123456789");
    client.send(Masked::text("0123456789a").bytes());
    client.expect_failure(1009);
    check::eq(welcome(&Server::start()).as_str(), support::WELCOME, "the default");
    for text in ["-h", "--help"] {
        let server = Server::with(&["--welcome", text]);
        check::eq(welcome(&server).as_str(), text, "a value that looks like an option");
    }
}

#[test]
fn a_list_in_a_variable_has_commas() {
    let origins = [("WIRECHAT_ORIGIN", "https://one.test, https://two.test")];
    let server = Server::with_environment(&[], &origins);
    let from = |origin: &str| Request::upgrade("/chat").add(format!("Origin: {origin}"));
    server.accepts(&from("https://one.test"));
    server.accepts(&from("https://two.test"));
    server.refuses(&from("https://three.test"), 403);
    let flag = ["--origin", "https://three.test"];
    let server = Server::with_environment(&flag, &origins);
    server.accepts(&from("https://three.test"));
    server.refuses(&from("https://one.test"), 403);
}

/// The addresses that the log says it listens on.
fn addresses(log: &str) -> Vec<SocketAddr> {
    let address =
        |line: &str| line.split_once("listening on http://")?.1.split('/').next()?.parse().ok();
    log.lines().filter_map(address).collect()
}

/// It listens on as many addresses, and each is served.
#[track_caller]
fn serves(command: Command, count: usize) -> Vec<SocketAddr> {
    let server = Server::spawn(command);
    support::server::eventually("it listens", || addresses(&server.log()).len() == count);
    let addresses = addresses(&server.log());
    let mut members: Vec<Client> =
        addresses.iter().map(|address| Client::upgrade(*address, "/chat")).collect();
    members[0].send(Masked::text("one room").bytes());
    members.iter_mut().for_each(|member| member.expect_text("one room"));
    addresses
}

#[test]
fn port_0_is_a_free_one_each_time() {
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--bind=127.0.0.1:0"]);
    let addresses = serves(command, 2);
    check::that(addresses[0].port() != addresses[1].port(), "two ports");
    check::that(addresses.iter().all(|address| address.port() != 0), "real ports");
}

#[test]
fn addresses_come_from_a_variable_too() {
    let mut command = program();
    command.env("WIRECHAT_BIND", "127.0.0.1:0,localhost:0");
    serves(command, 2);
}

#[test]
fn it_listens_on_ipv6() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        assert!(std::env::var_os("CI").is_none(), "skipped: no IPv6 here: {error}");
        let _ = writeln!(io::stderr(), "\nSKIPPED: no IPv6 here: {error}\n");
        return;
    }
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--bind", "[::1]:0"]);
    check::that(serves(command, 2)[1].is_ipv6(), "the second is IPv6");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it has an address").to_string();
    for words in [&["--bind", &*address][..], &["--bind", "127.0.0.1:0", "--bind", &*address]] {
        let output = run(words, &[]);
        let complaint = complains(&output, 1); // one line: it never listened anywhere
        check::that(complaint.contains(&address), complaint);
        check::that(complaint.contains("--bind"), "what would be right");
    }
}

#[test]
fn an_address_of_another_machine_is_named() {
    let output = run(["--bind", "192.0.2.1:1984"], &[]); // RFC 5737: of no machine
    check::that(complains(&output, 1).contains("192.0.2.1:1984"), "the address");
}

/// The log of a server with so many descriptors.
fn with_descriptors(limit: &str, words: &[&str]) -> String {
    let mut command = without_variables(Command::new("sh"));
    command.args(["-c", "ulimit -n \"$0\"; exec \"$@\"", limit, PROGRAM, "--bind", "127.0.0.1:0"]);
    command.args(words);
    Server::spawn(command).log() // it is told before the address
}

/// The number that follows.
fn number_after(log: &str, what: &str) -> Option<String> {
    let rest = log.split_once(what)?.1;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}

const NOTICE: &str = "descriptors";

#[test]
fn too_few_descriptors_are_told_with_what_to_do() {
    let log = with_descriptors("256", &[]);
    check::that(log.contains("only 256 descriptors for --max-connections 4096"), &log);
    let limit = number_after(&log, "ulimit -n ").unwrap_or_else(|| check::fail(&log));
    let fewer = number_after(&log, "--max-connections to ").unwrap_or_else(|| check::fail(&log));
    let log = with_descriptors("256", &["--max-connections", &fewer]);
    check::that(!log.contains(NOTICE), format_args!("{fewer} connections fit, but: {log}"));
    let small = ["--max-connections", "10"];
    let log = with_descriptors("64", &small);
    check::that(log.contains(NOTICE), format_args!("64 are few for 10 connections: {log}"));
    let enough = number_after(&log, "ulimit -n ").unwrap_or_else(|| check::fail(&log));
    let log = with_descriptors(&enough, &small);
    check::that(!log.contains(NOTICE), format_args!("{enough} are enough, but: {log}"));
    check::that(limit.parse::<usize>().is_ok_and(|limit| 4096 < limit), "more than connections");
}

#[test]
fn what_it_advises_can_be_done() {
    let log = with_descriptors("64", &[]);
    check::that(log.contains("only 64 descriptors"), &log);
    check::that(!log.contains("--max-connections to 0"), format_args!("0 is refused, but: {log}"));
}
