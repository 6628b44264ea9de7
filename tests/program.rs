//! The command line: the help, the errors for wrong arguments, and the effect of the options.

mod support;

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Output};

use support::{Client, ClientFrame, Request, Server, check};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirechat");

/// The program, without the `WIRECHAT_…` variables that this machine may have set.
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

/// Runs the program to its end. If it starts to serve instead, `timeout` kills it and the exit status shows
/// that.
fn run(
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    variables: &[(&str, &OsStr)],
) -> Output {
    let mut command = without_variables(Command::new("timeout"));
    command.args(["--signal=KILL", "10", PROGRAM]).args(arguments).envs(variables.iter().copied());
    command.output().expect("the program runs")
}

fn utf8(output: &[u8]) -> &str {
    std::str::from_utf8(output).expect("UTF-8")
}

/// Expects this exit status, one line on standard error and nothing on standard output; returns the line.
#[track_caller]
fn expect_error(output: &Output, status: i32) -> &str {
    let message = utf8(&output.stderr);
    check::eq(output.status.code(), Some(status), format_args!("exit status, {message}"));
    check::eq(utf8(&output.stdout), "", "standard output");
    check::eq(message.lines().count(), 1, format_args!("lines of {message}"));
    check::that(message.starts_with("wirechat: "), message);
    message
}

/// Each option with its default, as the help prints them.
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
fn the_help_starts_with_examples_and_lists_each_option() {
    for arguments in [&["--help"][..], &["-h"], &["serve", "--help"], &["--quiet", "-h"]] {
        let output = run(arguments, &[]);
        check::eq(output.status.code(), Some(0), "exit status");
        check::eq(utf8(&output.stderr), "", "standard error");
        let help = utf8(&output.stdout);
        let find = |text: &str| help.find(text).unwrap_or_else(|| check::fail(text));
        check::that(find("Examples:") < find("Options:"), "the examples are first");
        check::that(
            help.lines().all(|line| line.chars().count() <= 100),
            "no line is longer than 100 characters",
        );
        for (option, default) in OPTIONS {
            let rest = &help[find(&format!("  {option} "))..];
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
fn the_version_is_one_line() {
    for argument in ["--version", "-V"] {
        let output = run([argument], &[]);
        let line = format!("wirechat {}\n", env!("CARGO_PKG_VERSION"));
        check::eq((output.status.code(), utf8(&output.stdout)), (Some(0), &*line), argument);
    }
}

#[test]
fn the_help_does_not_panic_if_its_pipe_is_closed() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let output = program().arg("--help").stdout(writer).output().expect("the program runs");
    check::eq(utf8(&output.stderr), "", "standard error");
    check::eq(output.status.code(), Some(0), "exit status");
}

#[test]
fn a_typo_gets_a_suggestion() {
    for (argument, suggestion) in [
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
        let output = run([argument], &[]);
        let message = expect_error(&output, 2);
        check::that(message.contains(suggestion), format_args!("{argument}: {message}"));
    }
}

/// An option, values that it does not accept, and a valid example that the error must contain.
const INVALID_VALUES: [(&str, &[&str], &str); 12] = [
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
fn an_invalid_value_is_refused() {
    for (option, values, example) in INVALID_VALUES {
        for value in values {
            check::case(format_args!("--{option}={value}"));
            let output = run([format!("--{option}={value}")], &[]);
            expect_parts(expect_error(&output, 2), &format!("--{option}"), value, example);
        }
    }
}

#[test]
fn an_invalid_value_of_a_variable_is_refused() {
    for (option, values, example) in INVALID_VALUES {
        let variable = format!("WIRECHAT_{}", option.to_uppercase().replace('-', "_"));
        for value in values.iter().filter(|value| !value.is_empty()) {
            check::case(format_args!("{variable}={value}"));
            let variables = [(&*variable, OsStr::new(value))];
            let output = run([""; 0], &variables);
            expect_parts(expect_error(&output, 2), &variable, value, example);
        }
    }
}

/// Expects that an error names the option, the wrong value, and a valid example.
#[track_caller]
fn expect_parts(message: &str, option: &str, value: &str, example: &str) {
    for part in [option, &format!("'{value}'"), example] {
        check::that(message.contains(part), format_args!("{part} in: {message}"));
    }
}

#[test]
fn an_argument_that_is_not_utf8_is_refused_with_its_name() {
    let latin1 = OsString::from_vec(b"caf\xe9".to_vec());
    let output = run([OsStr::new("--welcome"), &latin1], &[]);
    let message = expect_error(&output, 2);
    check::that(message.contains("--welcome") && message.contains("UTF-8"), message);
    let output = run([""; 0], &[("WIRECHAT_WELCOME", &latin1)]);
    let message = expect_error(&output, 2);
    check::that(message.contains("WIRECHAT_WELCOME") && message.contains("UTF-8"), message);
}

#[test]
fn an_option_without_its_value_is_refused() {
    for (option, _) in OPTIONS.iter().filter(|(option, _)| option.contains(' ')) {
        let (name, value) = option.split_once(' ').unwrap_or_default();
        let output = run([name], &[]);
        let message = expect_error(&output, 2);
        check::that(message.contains(&format!("{name} needs a value")), message);
        check::that(message.contains(value), format_args!("{value} in: {message}"));
    }
}

#[test]
fn an_idle_timeout_below_two_ping_intervals_is_refused() {
    for arguments in [&["--idle-timeout", "20"][..], &["--ping-interval", "61"]] {
        let output = run(arguments, &[]);
        let message = expect_error(&output, 2);
        for part in ["--idle-timeout", "--ping-interval", &format!("{}s", arguments[1])] {
            check::that(message.contains(part), format_args!("{part} in: {message}"));
        }
    }
    Server::with(&["--idle-timeout", "1", "--ping-interval", "0"]);
    Server::with(&["--idle-timeout", "40"]);
}

#[test]
fn control_characters_in_an_error_are_escaped() {
    for argument in ["--\x1b[31m", "\x1b[31m", "--max-message=\x1b[31m\n"] {
        let output = run([argument], &[]);
        check::that(!expect_error(&output, 2).contains('\x1b'), argument.escape_debug());
    }
}

/// The first message that a server sends.
fn read_welcome(server: &Server) -> String {
    let mut member = server.send_request(&Request::upgrade("/chat"));
    member.expect_101();
    String::from_utf8(member.read_frame().payload).expect("a text")
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_default() {
    let variables = [("WIRECHAT_WELCOME", "variable"), ("WIRECHAT_MAX_MESSAGE", "10")];
    let server = Server::with_environment(&["--welcome=flag"], &variables);
    check::eq(read_welcome(&server).as_str(), "flag", "the flag");
    let server = Server::with_environment(&[], &variables);
    check::eq(read_welcome(&server).as_str(), "variable", "the variable");
    let mut client = server.upgrade("/echo");
    client.send_text("0123456789");
    client.expect_text("0123456789");
    client.send_text("0123456789a");
    client.expect_failure(1009);
    check::eq(read_welcome(&Server::start()).as_str(), support::WELCOME, "the default");
    for text in ["-h", "--help"] {
        let server = Server::with(&["--welcome", text]);
        check::eq(read_welcome(&server).as_str(), text, "a value that looks like an option");
    }
}

#[test]
fn a_variable_takes_a_comma_separated_list() {
    let origins = [("WIRECHAT_ORIGIN", "https://one.test, https://two.test")];
    let server = Server::with_environment(&[], &origins);
    let from = |origin: &str| Request::upgrade("/chat").add(format!("Origin: {origin}"));
    server.expect_upgrade(&from("https://one.test"));
    server.expect_upgrade(&from("https://two.test"));
    server.expect_refusal(&from("https://three.test"), 403);
    let flag = ["--origin", "https://three.test"];
    let server = Server::with_environment(&flag, &origins);
    server.expect_upgrade(&from("https://three.test"));
    server.expect_refusal(&from("https://one.test"), 403);
}

/// The addresses in the log's lines about listening.
fn listening_addresses(log: &str) -> Vec<SocketAddr> {
    let address =
        |line: &str| line.split_once("listening on http://")?.1.split('/').next()?.parse().ok();
    log.lines().filter_map(address).collect()
}

/// Starts a server and expects that it listens on this many addresses and that all serve one room; returns
/// the addresses.
#[track_caller]
fn expect_served(command: Command, count: usize) -> Vec<SocketAddr> {
    let server = Server::spawn(command);
    let listening = || listening_addresses(&server.log());
    support::server::eventually("the server listens", || listening().len() == count);
    let addresses = listening();
    let mut members: Vec<Client> =
        addresses.iter().map(|address| Client::upgrade(*address, "/chat")).collect();
    members[0].send(ClientFrame::text("one room").bytes());
    members.iter_mut().for_each(|member| member.expect_text("one room"));
    addresses
}

#[test]
fn port_0_takes_a_free_port_for_each_address() {
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--bind=127.0.0.1:0"]);
    let addresses = expect_served(command, 2);
    check::that(addresses[0].port() != addresses[1].port(), "two ports");
    check::that(addresses.iter().all(|address| address.port() != 0), "real ports");
}

#[test]
fn a_variable_sets_several_addresses() {
    let mut command = program();
    command.env("WIRECHAT_BIND", "127.0.0.1:0,localhost:0");
    expect_served(command, 2);
}

#[test]
fn the_server_listens_on_ipv6() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        return check::skip(format_args!("no IPv6 here: {error}"));
    }
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--bind", "[::1]:0"]);
    check::that(expect_served(command, 2)[1].is_ipv6(), "the second is IPv6");
}

#[test]
fn the_error_for_a_port_in_use_names_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a listener has an address").to_string();
    for arguments in [&["--bind", &*address][..], &["--bind", "127.0.0.1:0", "--bind", &*address]] {
        let output = run(arguments, &[]);
        let message = expect_error(&output, 1); // one line only: the server listened on no address
        check::that(message.contains(&address), message);
        check::that(message.contains("--bind"), "the option that can change it");
    }
}

#[test]
fn the_error_for_an_address_of_another_machine_names_it() {
    let output = run(["--bind", "192.0.2.1:1984"], &[]); // RFC 5737: reserved for documentation
    check::that(expect_error(&output, 1).contains("192.0.2.1:1984"), "the address");
}

/// Starts a server with a descriptor limit; returns its log up to the listening address.
fn log_with_descriptor_limit(limit: &str, arguments: &[&str]) -> String {
    let mut command = without_variables(Command::new("sh"));
    command.args(["-c", "ulimit -n \"$0\"; exec \"$@\"", limit, PROGRAM, "--bind", "127.0.0.1:0"]);
    command.args(arguments);
    Server::spawn(command).log() // the warning is before the address
}

/// The digits after `text` in the log.
fn number_after(log: &str, text: &str) -> Option<String> {
    let rest = log.split_once(text)?.1;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}

/// A word of the warning and of no other line.
const WARNING: &str = "descriptors";

#[test]
fn the_warning_about_few_descriptors_says_what_to_do() {
    let log = log_with_descriptor_limit("512", &[]);
    check::that(log.contains("only 512 descriptors for --max-connections 4096"), &log);
    let limit = number_after(&log, "ulimit -n ").unwrap_or_else(|| check::fail(&log));
    let fewer = number_after(&log, "--max-connections to ").unwrap_or_else(|| check::fail(&log));
    let log = log_with_descriptor_limit("512", &["--max-connections", &fewer]);
    check::that(!log.contains(WARNING), format_args!("{fewer} connections fit, but: {log}"));
    let small = ["--max-connections", "10"];
    let log = log_with_descriptor_limit("64", &small);
    check::that(log.contains(WARNING), format_args!("64 are few for 10 connections: {log}"));
    let enough = number_after(&log, "ulimit -n ").unwrap_or_else(|| check::fail(&log));
    let log = log_with_descriptor_limit(&enough, &small);
    check::that(!log.contains(WARNING), format_args!("{enough} are enough, but: {log}"));
    check::that(limit.parse::<usize>().is_ok_and(|limit| 4096 < limit), "more than connections");
}

#[test]
fn the_warning_does_not_advise_zero_connections() {
    let log = log_with_descriptor_limit("64", &[]);
    check::that(log.contains("only 64 descriptors"), &log);
    check::that(!log.contains("--max-connections to 0"), format_args!("0 is refused, but: {log}"));
}
