//! The rules of the chat, over sockets: which member receives which message and in which order, how members
//! are accepted and disconnected, and what the log and the metrics say.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use support::bare_server::BareServer;
use support::frame::{CLOSE, PING};
use support::server::eventually;
use support::{
    Client, ClientFrame, DEADLINE, Request, Server, WELCOME, check, json, on_both_paths,
};

const MIB: usize = 1024 * 1024;

/// Messages of 1 MiB for a client that does not read: far more than the kernel's socket buffers hold.
const LARGE_TEXTS: usize = 40;

/// A text of 1 MiB, the largest by default, that begins with a number.
fn large_text(number: usize) -> String {
    format!("{number:08}{}", "x".repeat(MIB - 8))
}

#[track_caller]
fn expect_metric(server: &Server, sample: &str, expected: f64) {
    check::eq(server.metrics()[sample], expected, sample);
}

/// Waits until the server counts this many open connections, without the one that reads the metrics.
fn wait_for_open_connections(server: &Server, expected: f64) {
    eventually("closed connections are not counted as open", || {
        server.metrics()["wirechat_connections_open"] == expected + 1.0
    });
}

mod messages {
    use super::*;

    #[test]
    fn the_welcome_is_the_first_message() {
        let server = Server::start();
        let mut sender = server.upgrade("/chat");
        for round in 0..50 {
            let mut newcomer = server.connect();
            sender.send(ClientFrame::text("noise").bytes().repeat(20));
            newcomer.send(Request::upgrade("/chat").bytes());
            newcomer.expect_101();
            newcomer.expect_text(WELCOME);
            sender.send_text(format!("round {round}"));
            while sender.read_message().payload != format!("round {round}").as_bytes() {}
        }
    }

    #[test]
    fn the_welcome_option_sets_the_welcome() {
        let server = Server::with(&["--welcome", "Grüß Gott 👋"]);
        let mut member = server.send_request(&Request::upgrade("/chat"));
        member.expect_101();
        member.expect_text("Grüß Gott 👋");
    }

    #[test]
    fn a_text_goes_to_every_member_and_its_sender() {
        let server = Server::start();
        let mut members: Vec<Client> = (0..5).map(|_| server.upgrade("/chat")).collect();
        for sender in 0..members.len() {
            let text = format!("{sender}: naïve café 👋");
            members[sender].send_text(&text);
            members.iter_mut().for_each(|member| member.expect_text(&text));
        }
        members.iter_mut().for_each(Client::expect_open_and_silent);
    }

    #[test]
    fn an_echo_goes_to_its_sender_only() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        let mut other = server.upgrade("/echo");
        let mut echo = server.upgrade("/echo");
        echo.send_and_expect("only for me");
        other.expect_open_and_silent();
        member.expect_open_and_silent();
    }

    /// With this many members the broadcaster thread helps the sender's thread to deliver.
    #[test]
    fn each_of_many_members_receives_a_single_text_once() {
        let server = Server::start();
        let mut members: Vec<Client> = (0..60).map(|_| server.upgrade("/chat")).collect();
        for round in 0..200 {
            let text = format!("round {round}");
            let sender = round % members.len();
            members[sender].send_text(&text);
            members.iter_mut().for_each(|member| member.expect_text(&text));
        }
        members.iter_mut().for_each(Client::expect_open_and_silent);
    }

    const SENDERS: usize = 8;
    const RECEIVERS: usize = 32;
    const TEXTS: usize = 500;

    #[test]
    fn all_members_receive_the_same_order() {
        let server = Server::start();
        let members: Vec<Client> =
            (0..SENDERS + RECEIVERS).map(|_| server.upgrade("/chat")).collect();
        let received: Vec<Vec<Vec<u8>>> = thread::scope(|scope| {
            let _guard = server.kill_on_drop();
            let spawn = |(index, member)| scope.spawn(move || send_and_read_all(index, member));
            let threads: Vec<_> = members.into_iter().enumerate().map(spawn).collect();
            let join = |thread: thread::ScopedJoinHandle<_>| thread.join().expect("reads all");
            threads.into_iter().map(join).collect()
        });
        check::that(received.iter().all(|other| *other == received[0]), "one order for all");
        for sender in 0..SENDERS {
            let prefix = format!("{sender}:");
            let own = received[0].iter().filter(|text| text.starts_with(prefix.as_bytes()));
            let sent = (0..TEXTS).map(|number| format!("{prefix}{number}").into_bytes());
            check::that(own.cloned().eq(sent), "the order of each sender's texts");
        }
    }

    /// The first [`SENDERS`] members send; all members read.
    fn send_and_read_all(index: usize, mut member: Client) -> Vec<Vec<u8>> {
        if index < SENDERS {
            for number in 0..TEXTS {
                member.send_text(format!("{index}:{number}"));
            }
        }
        (0..SENDERS * TEXTS).map(|_| member.read_message().payload).collect()
    }

    /// A text is delivered to all, its sender included, even if the next frame ends the sender's connection.
    #[test]
    fn a_text_before_the_end_of_a_connection_goes_to_all_members() {
        let server = Server::start();
        let mut other = server.upgrade("/chat");
        for (what, last, code) in [
            ("a Close", ClientFrame::close(1000, "bye"), 1000),
            ("a protocol error", ClientFrame::text("").unmasked(), 1002),
            ("binary", ClientFrame::binary("no text"), 1003),
        ] {
            for round in 0..20 {
                check::case(format_args!("before {what}, round {round}"));
                let text = format!("the last text before {what}, {round}");
                let mut sender = server.upgrade("/chat");
                sender.send([ClientFrame::text(&text).bytes(), last.bytes()].concat());
                other.expect_text(&text);
                sender.expect_text(&text);
                sender.expect_close(Some(code));
            }
        }
    }

    #[test]
    fn binary_is_refused_with_1003() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        let mut other = server.upgrade("/chat");
        member.send(ClientFrame::binary([0xfe, 0xff]).bytes());
        member.expect_close(Some(1003));
        member.send_text("too late");
        member.send(ClientFrame::close(1003, "").bytes());
        member.expect_end();
        other.send_and_expect("no other text was delivered");
    }
}

mod disconnecting {
    use super::*;

    #[test]
    fn a_member_whose_connection_ends_without_a_close_frame_is_removed() {
        let server = Server::start();
        let mut other = server.upgrade("/chat");
        let mut client = server.upgrade("/chat");
        client.shutdown_write();
        client.expect_end();
        wait_for_open_connections(&server, 1.0);
        server.wait_for_log("WebSocket Errored 'connection ended without a Close frame' for 2.");
        other.send_and_expect("the others can still chat");
    }

    #[test]
    fn a_member_whose_connection_is_reset_is_removed() {
        let server = Server::start();
        let mut other = server.upgrade("/chat");
        let client = server.upgrade("/chat");
        other.send_and_expect("unread");
        client.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
        client.stream().peek(&mut [0]).expect("the unread text");
        drop(client); // the kernel sends a reset, because there is an unread byte
        wait_for_open_connections(&server, 1.0);
        let log = server.wait_for_log("for 2.");
        check::that(log.contains("WebSocket Errored '"), "the error is logged");
        other.send_and_expect("the others can still chat");
    }

    #[test]
    fn a_member_that_never_reads_is_disconnected() {
        let server = Server::with(&["--max-backlog", "64K"]);
        let mut sender = server.upgrade("/chat");
        let mut reader = server.upgrade("/chat");
        let mut non_reader = server.upgrade("/chat");
        for number in 0..LARGE_TEXTS {
            sender.send_and_expect(large_text(number));
            reader.expect_text(large_text(number));
            if server.log().contains("reads too slowly") {
                break; // the server closes the connection soon; read now
            }
        }
        expect_large_texts_until_close(&mut non_reader);
        let log = server.wait_for_log("reads too slowly");
        check::that(log.contains("WebSocket Errored 'reads too slowly: "), "the reason is logged");
        check::that(log.contains(" bytes unsent' for 3."), "the connection is named");
        expect_metric(&server, "wirechat_slow_readers_total", 1.0);
        wait_for_open_connections(&server, 2.0);
        sender.send_and_expect("the others can still chat");
    }

    /// No message is skipped silently: every message arrives in order, until a Close names the reason for
    /// the end.
    fn expect_large_texts_until_close(client: &mut Client) {
        for number in 0.. {
            let frame = client.read_frame();
            if frame.opcode == CLOSE {
                check::eq(frame.code(), Some(1013), "the code for a slow reader");
                return;
            }
            check::that(frame.payload == large_text(number).as_bytes(), "all texts in order");
        }
    }

    /// The server ignores a member's texts after its own Close, whichever thread has sent that Close.
    #[test]
    fn a_text_after_the_servers_close_is_ignored() {
        let server = Server::with(&["--idle-timeout", "1", "--ping-interval", "0"]);
        let mut idle = server.upgrade("/chat");
        idle.expect_close(Some(1001));
        let mut other = server.upgrade("/chat");
        idle.send_text("too late");
        idle.send(ClientFrame::close(1001, "").bytes());
        idle.expect_end();
        other.send_and_expect("no other text was delivered");
    }

    #[test]
    fn each_member_gets_pings_at_the_interval() {
        let server = Server::with(&["--ping-interval", "0.1"]);
        on_both_paths(|path| {
            // More members than the server pings in one group.
            let mut members: Vec<Client> = (0..20).map(|_| server.upgrade(path)).collect();
            for member in &mut members {
                for _ in 0..3 {
                    check::eq(member.read_frame().opcode, PING, "opcode");
                }
            }
        });
        let pings = server.metrics()["wirechat_frames_total{opcode=\"ping\",direction=\"out\"}"];
        check::that(120.0 <= pings, "pings are counted");
    }

    #[test]
    fn the_idle_timeout_ends_a_silent_client_but_not_one_that_sends_pongs() {
        let server = Server::with(&["--ping-interval", "0.5", "--idle-timeout", "2"]);
        let mut alive = server.upgrade("/chat");
        let mut silent = server.upgrade("/chat");
        for _ in 0..6 {
            let ping = alive.read_frame();
            check::eq(ping.opcode, PING, "only pings");
            alive.send(ClientFrame::pong(ping.payload).bytes());
        }
        let is_ended = (0..20).any(|_| silent.read_frame().opcode == CLOSE); // after some pings
        check::that(is_ended, "the silent client gets a Close");
        silent.expect_any_end();
        server.wait_for_log("WebSocket Errored 'no byte from or to the client for 2s' for 2.");
        expect_metric(&server, "wirechat_closes_total{code=\"1001\",direction=\"out\"}", 1.0);
        alive.expect_open();
    }

    /// Its backlog lasts longer than the idle timeout, but the client reads all the time.
    #[test]
    fn a_slow_but_steady_reader_is_not_disconnected() {
        const TEXTS: usize = 100; // the kernel's buffers hold at most 40 of them
        let options = ["--ping-interval", "0.5", "--idle-timeout", "3", "--max-backlog", "128M"];
        let server = Server::with(&options);
        let mut slow = server.upgrade("/chat");
        let mut sender = server.upgrade("/chat");
        thread::scope(|scope| {
            let _guard = server.kill_on_drop();
            scope.spawn(|| {
                for number in 0..TEXTS {
                    sender.send_and_expect(large_text(number));
                }
            });
            for number in 0..TEXTS {
                slow.expect_text(large_text(number));
                if number < 40 {
                    thread::sleep(Duration::from_millis(100)); // the speed of this reader
                }
            }
            slow.expect_open();
        });
    }

    /// Joins a member whose backlog is larger than the kernel's buffers.
    fn join_with_backlog(server: &Server) -> Client {
        let slow = server.upgrade("/chat");
        let mut sender = server.upgrade("/chat");
        for number in 0..LARGE_TEXTS {
            sender.send_and_expect(large_text(number));
        }
        slow
    }

    /// After a Close of either side the server still sends the member's backlog, as long as the member
    /// reads some of it from time to time.
    #[test]
    fn a_slow_reader_gets_its_backlog_before_the_close() {
        for (last, code) in
            [(ClientFrame::close(1000, ""), 1000), (ClientFrame::binary("no text"), 1003)]
        {
            check::case(code);
            let server = Server::with(&["--max-backlog", "128M"]);
            let mut slow = join_with_backlog(&server);
            slow.send(last.bytes());
            for number in 0..LARGE_TEXTS {
                slow.expect_text(large_text(number));
                thread::sleep(Duration::from_millis(100)); // in total twice the server's close timeout
            }
            slow.expect_close_and_end(Some(code));
        }
    }
}

mod shutdown {
    use super::*;

    #[test]
    fn each_member_gets_a_close_and_the_exit_status_is_0() {
        for signal in ["TERM", "INT"] {
            check::case(signal);
            let server = Server::start();
            let mut members = [server.upgrade("/chat"), server.upgrade("/echo")];
            server.signal(signal);
            for member in &mut members {
                member.expect_close(Some(1001));
                member.send(ClientFrame::close(1001, "").bytes());
                member.expect_end();
            }
            drop(members);
            check::eq(server.wait().code(), Some(0), "exit status");
            check::that(server.log().ends_with(" stopped\n"), "the last line");
        }
    }

    #[test]
    fn a_backlog_is_sent_before_the_close() {
        let server = Server::with(&["--max-backlog", "64M"]);
        let mut sender = server.upgrade("/chat");
        let mut slow = server.upgrade("/chat");
        for number in 0..LARGE_TEXTS {
            sender.send_and_expect(large_text(number));
        }
        server.signal("TERM");
        sender.expect_close(Some(1001));
        for number in 0..LARGE_TEXTS {
            slow.expect_text(large_text(number));
        }
        slow.expect_close(Some(1001));
    }

    /// Once the sender has received its text, every member must get it before the Close, even if the
    /// broadcaster is still delivering it when the signal arrives. Not every round hits that moment, so
    /// there are several.
    #[test]
    fn a_text_that_one_member_received_goes_to_all_before_the_close() {
        for round in 0..5 {
            check::case(format_args!("round {round}"));
            stop_during_a_broadcast();
        }
    }

    fn stop_during_a_broadcast() {
        const MEMBERS: usize = 200;
        let server = Server::start();
        let mut sender = server.upgrade("/chat");
        let mut members: Vec<Client> = (0..MEMBERS).map(|_| server.upgrade("/chat")).collect();
        let text = "t".repeat(MIB / 4);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("read line; kill -TERM {}", server.pid())]);
        let mut kill_shell = command.stdin(Stdio::piped()).spawn().expect("a shell");
        sender.send_text(&text);
        sender.read_bytes(1);
        drop(kill_shell.stdin.take()); // ends `read`; a new shell would be slower
        for member in &mut members {
            member.expect_text(&text);
            member.expect_close(Some(1001));
        }
        check::that(kill_shell.wait().is_ok(), "the shell ends");
    }

    #[test]
    fn no_request_is_accepted_during_the_shutdown() {
        let server = Server::start();
        let mut member = server.upgrade("/chat"); // it delays its Close, so the shutdown lasts
        let mut first = server.send_request(&Request::get("/healthz"));
        check::eq(first.read_response().status, 200, "before");
        let mut second = server.send_request(&Request::get("/"));
        check::eq(second.read_response().status, 200, "before");
        server.signal("TERM");
        member.expect_close(Some(1001));
        first.send(Request::get("/healthz").bytes());
        first.expect_refusal(503);
        second.send(Request::upgrade("/chat").bytes());
        second.expect_refusal(503);
        server.expect_refusal(&Request::upgrade("/chat"), 503);
        server.expect_refusal(&Request::get("/healthz"), 503);
        member.send(ClientFrame::close(1001, "").bytes());
        member.expect_end();
        drop(member);
        check::eq(server.wait().code(), Some(0), "exit status");
    }

    #[test]
    fn the_shutdown_ends_although_a_member_does_not_answer_the_close() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        server.signal("TERM");
        member.expect_close(Some(1001));
        check::eq(server.wait().code(), Some(0), "exit status");
        check::that(server.log().contains("stopped"), "the end is logged");
    }

    #[test]
    fn a_second_signal_ends_the_server_at_once() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        server.signal("TERM");
        member.expect_close(Some(1001));
        server.signal("INT");
        check::eq(server.wait().code(), Some(1), "exit status");
    }
}

mod limits {
    use super::*;

    #[test]
    fn the_connection_limit_rejects_with_503_until_a_member_leaves() {
        let server = Server::with(&["--max-connections", "2"]);
        let mut staying = server.upgrade("/chat");
        let mut leaving = server.upgrade("/echo");
        let descriptors = server.descriptors();
        for request in [Request::upgrade("/chat"), Request::get("/")] {
            let mut rejected = server.send_request(&request);
            rejected.expect_refusal(503);
            rejected.expect_half_close(&server, descriptors);
        }
        leaving.close_normally();
        drop(leaving);
        eventually("the place is free again", || {
            server.send_request(&Request::upgrade("/chat")).read_head().status == 101
        });
        staying.send_and_expect("still a member");
    }

    #[test]
    fn a_message_above_the_limit_is_refused_with_1009() {
        let server = Server::with(&["--max-message", "1K"]);
        let (largest, half) = ("m".repeat(1024), "m".repeat(512));
        server.upgrade_both(|client| {
            client.send_and_expect(&largest);
            client.send(ClientFrame::text(&half).without_fin().bytes());
            client.send(ClientFrame::continuation(&half).bytes());
            client.expect_text(&largest);
            client.send_text(format!("{largest}m"));
            client.expect_failure(1009);
        });
        server.upgrade_both(|client| {
            client.send(ClientFrame::text(&half).without_fin().bytes());
            client.send(ClientFrame::continuation(format!("{half}m")).bytes());
            client.expect_failure(1009);
        });
    }

    #[test]
    fn another_origin_is_refused_unless_an_option_allows_it() {
        let strict = Server::start();
        let open = Server::with(&["--origin", "*"]);
        let named = Server::with(&["--origin", "https://chat.test", "--origin", "null"]);
        for (origin, allowed_by) in [
            ("http://localhost", [true, true, true]),
            ("https://chat.test", [false, true, true]),
            ("null", [false, true, true]),
            ("https://evil.test", [false, true, false]),
            ("https://chat.test.evil.test", [false, true, false]),
            ("http://chat.test", [false, true, false]),
        ] {
            check::case(origin);
            let request = Request::upgrade("/chat").add(format!("Origin: {origin}"));
            for (server, is_allowed) in [&strict, &open, &named].into_iter().zip(allowed_by) {
                match is_allowed {
                    true => drop(server.expect_upgrade(&request)),
                    false => drop(server.expect_refusal(&request, 403)),
                }
            }
        }
    }
}

mod log {
    use super::*;

    /// Causes most kinds of log events with connections 1 to 5; returns the whole log and the address of
    /// connection 1.
    fn cause_log_events(options: &[&str]) -> (String, SocketAddr) {
        let server = Server::with(options);
        let mut member = server.upgrade("/chat");
        let address = member.local_address();
        member.send_and_expect("it's \"me\"");
        member.send(ClientFrame::close(4001, "off to bed").bytes());
        member.expect_close(Some(4001));
        let mut client = server.upgrade("/chat");
        client.shutdown_write();
        client.expect_end();
        let mut incomplete = server.connect();
        incomplete.send("GET /chat HT");
        incomplete.shutdown_write();
        incomplete.expect_end();
        server.expect_refusal(&Request::get("/chat"), 400);
        server.expect_refusal(&Request::upgrade("/chat").add("Origin: http://evil.test"), 403);
        server.signal("TERM");
        check::eq(server.wait().code(), Some(0), "exit status");
        (server.log(), address)
    }

    #[test]
    fn each_event_has_its_sentence() {
        let (log, address) = cause_log_events(&[]);
        for sentence in [
            "listening on http://127.0.0.1:",
            &format!("Sent welcome message to 1 ({address})."),
            "Received message 'it's \"me\"' from 1.",
            "Closed connection to 1.",
            "4001",
            "off to bed",
            "WebSocket Errored 'connection ended without a Close frame' for 2.",
            "WebSocket Negotiation Failed: Client closed connection.",
            "400 Bad Request",
            "403 Forbidden",
            "http://evil.test",
            "stopping",
            "stopped",
        ] {
            check::that(log.contains(sentence), format_args!("{sentence} in\n{log}"));
        }
        for line in log.lines() {
            let stamp = line.split(' ').next().unwrap_or_default();
            let shape = stamp.replace(|c: char| c.is_ascii_digit(), "9");
            check::eq(shape.as_str(), "9999-99-99T99:99:99.999Z", "each line begins with its time");
        }
    }

    #[test]
    fn the_json_log_has_the_same_events() {
        let (log, address) = cause_log_events(&["--log-format", "json"]);
        let mut events = Vec::new();
        for line in log.lines() {
            let members = json::parse_object(line).unwrap_or_else(|error| check::fail(error));
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            let expected = ["time", "event", "connection", "address", "code", "reason", "message"];
            check::eq(names, expected.to_vec(), line);
            events.push(BTreeMap::from_iter(members));
        }
        let (number, text) = (json::Value::Number, |text: &str| json::Value::Text(text.into()));
        let null = json::Value::Null;
        let address = text(&address.to_string());
        for (event, connection, code, reason) in [
            ("listening", null.clone(), null.clone(), null.clone()),
            ("welcomed", number(1), null.clone(), null.clone()),
            ("message", number(1), null.clone(), null.clone()),
            ("closed", number(1), number(4001), text("off to bed")),
            ("negotiation_failed", number(3), null.clone(), text("Client closed connection")),
            ("stopped", null.clone(), null.clone(), null.clone()),
        ] {
            check::case(event);
            let logged = events.iter().find(|members| members["event"] == text(event));
            let logged = logged.unwrap_or_else(|| check::fail("the event is not logged"));
            check::eq(&logged["connection"], &connection, "connection");
            check::eq((&logged["code"], &logged["reason"]), (&code, &reason), "code and reason");
            if connection == number(1) {
                check::eq(&logged["address"], &address, "address");
            }
        }
    }

    #[test]
    fn long_texts_are_cut_and_controls_escaped() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        for (text, logged) in [
            ("é".repeat(200), format!("'{}'", "é".repeat(200))),
            ("é".repeat(201), format!("'{}…'", "é".repeat(200))),
            ("\x1b[2J\n".into(), "'\\u{1b}[2J\\n'".into()),
        ] {
            member.send_and_expect(&text);
            server.wait_for_log(&format!("Received message {logged} from 1."));
        }
    }

    #[test]
    fn the_quiet_log_has_only_errors() {
        let mut server = BareServer::start(Stdio::piped(), &["--quiet"]);
        let mut stderr = server.stderr();
        let mut member = server.join_chat();
        member.send_and_expect("not an error");
        member.close_normally();
        let mut client = server.join_chat();
        client.shutdown_write();
        client.expect_end();
        check::eq(server.stop().code(), Some(0), "exit status");
        let mut log = String::new();
        stderr.read_to_string(&mut log).expect("a pipe can be read");
        check::eq(log.lines().count(), 1, "lines");
        check::that(log.contains("WebSocket Errored '"), log);
    }

    /// Even if one read brings thousands of messages, each log line is written or counted as dropped.
    #[test]
    fn a_log_line_is_written_or_counted_as_dropped() {
        const TEXTS: usize = 10_000; // frames of 6 bytes: the receive buffer holds all of them
        let server = Server::with(&["--log-format", "json"]);
        let mut member = server.upgrade("/chat");
        for round in 1..=3 {
            server.signal("STOP");
            member.send(ClientFrame::text("").bytes().repeat(TEXTS));
            server.signal("CONT");
            (0..TEXTS).for_each(|_| member.expect_text(""));
            eventually("each line is written or counted as dropped", || {
                let log = server.log();
                let written = log.matches("\"event\":\"message\"").count();
                written + dropped(&log) == round * TEXTS
            });
        }
    }

    /// The sum of the lines that the log reports as dropped.
    fn dropped(log: &str) -> usize {
        let number = |line: &str| {
            let (before, _) = line.split_once(" log lines dropped")?;
            before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
        };
        log.lines().filter_map(number).sum()
    }

    /// More lines than the pipe and the log's buffer can hold.
    const LINES: usize = 10_000;

    fn fill_the_log(member: &mut Client) {
        let text = "t".repeat(200);
        for _ in 0..LINES {
            member.send_and_expect(&text);
        }
    }

    #[test]
    fn an_unread_log_pipe_does_not_delay_the_chat() {
        for (options, lines_per_text) in
            [(&[][..], 1), (&["--trace"], 3), (&["--trace", "--log-format", "json"], 3)]
        {
            check::case(options.join(" "));
            let mut server = BareServer::start(Stdio::piped(), options);
            let mut stderr = server.stderr();
            let mut member = server.join_chat();
            fill_the_log(&mut member);
            let log = read_until(&mut stderr, " log lines dropped");
            let written = log.lines().filter(|line| line.contains("tttt")).count();
            check::that(0 < dropped(&log), "lines were dropped");
            check::eq(
                written + dropped(&log),
                lines_per_text * LINES,
                "lines written or counted as dropped",
            );
            member.send_and_expect("the log continues");
            read_until(&mut stderr, "the log continues");
        }
    }

    fn read_until(stderr: &mut ChildStderr, needle: &str) -> String {
        let (mut log, mut chunk) = (String::new(), [0; 4096]);
        while !log.contains(needle) || !log.ends_with('\n') {
            let length = stderr.read(&mut chunk).expect("a pipe can be read");
            check::that(0 < length, "the log has not ended");
            log += &String::from_utf8_lossy(&chunk[..length]);
        }
        log
    }

    #[test]
    fn an_unread_log_pipe_does_not_delay_the_shutdown() {
        let server = BareServer::start(Stdio::piped(), &[]);
        let mut member = server.join_chat();
        fill_the_log(&mut member);
        drop(member);
        check::eq(server.stop().code(), Some(0), "exit status");
    }

    #[test]
    fn a_closed_log_pipe_does_not_end_the_server() {
        let mut server = BareServer::start(Stdio::piped(), &[]);
        drop(server.stderr());
        let mut member = server.join_chat();
        fill_the_log(&mut member);
        drop(member);
        check::eq(server.stop().code(), Some(0), "exit status");
    }

    #[test]
    fn a_full_disk_does_not_end_the_server() {
        let full = File::options().write(true).open("/dev/full").expect("the device exists");
        let server = BareServer::start(full.into(), &[]);
        let mut member = server.join_chat();
        fill_the_log(&mut member);
        drop(member);
        check::eq(server.stop().code(), Some(0), "exit status");
    }
}

mod metrics {
    use super::*;

    const FAMILIES: [(&str, &str); 10] = [
        ("wirechat_connections_open", "gauge"),
        ("wirechat_connections_total", "counter"),
        ("wirechat_refusals_total", "counter"),
        ("wirechat_messages_total", "counter"),
        ("wirechat_bytes_total", "counter"),
        ("wirechat_frames_total", "counter"),
        ("wirechat_closes_total", "counter"),
        ("wirechat_slow_readers_total", "counter"),
        ("wirechat_panics_total", "counter"),
        ("process_start_time_seconds", "gauge"),
    ];

    #[test]
    fn each_metric_has_help_and_type() {
        let page = Server::start().get("/metrics");
        for (name, metric_type) in FAMILIES {
            check::that(page.text().contains(&format!("# HELP {name} ")), name);
            check::that(page.text().contains(&format!("# TYPE {name} {metric_type}\n")), name);
            check::that(page.text().contains(&format!("\n{name}")), name);
        }
        let media_type = page.field("Content-Type");
        check::eq(media_type, Some("text/plain; version=0.0.4; charset=utf-8"), "Content-Type");
    }

    /// The metrics count exactly what one member sent and received.
    #[test]
    fn the_metrics_count_each_frame_and_byte() {
        let server = Server::start();
        server.expect_refusal(&Request::get("/nowhere"), 404);
        let first = ClientFrame::text("with the head").bytes();
        let rest = [
            ClientFrame::text("two ").without_fin().bytes(),
            ClientFrame::ping("p").bytes(),
            ClientFrame::continuation("parts").bytes(),
            ClientFrame::pong("").bytes(),
            ClientFrame::close(1000, "").bytes(),
        ];
        let mut member = server.connect();
        member.send([Request::upgrade("/chat").bytes(), first.clone()].concat());
        member.expect_101();
        member.expect_text(WELCOME);
        member.expect_text("with the head");
        rest.iter().for_each(|frame| member.send(frame));
        let (mut bytes_out, mut opcodes) = (2 + WELCOME.len() + 2 + 13, Vec::new());
        while let Some(frame) = member.read_frame_or_end() {
            bytes_out += 2 + frame.payload.len();
            opcodes.push(frame.opcode);
        }
        check::eq(opcodes.len(), 3, "a text, a Pong, a Close");
        drop(member);
        wait_for_open_connections(&server, 0.0);

        let bytes_in = first.len() + rest.concat().len();
        let metrics = server.metrics();
        for (sample, expected) in [
            ("refusals_total{status=\"404\"}", 1),
            ("messages_total{direction=\"in\"}", 2),
            ("messages_total{direction=\"out\"}", 3),
            ("frames_total{opcode=\"text\",direction=\"in\"}", 2),
            ("frames_total{opcode=\"continuation\",direction=\"in\"}", 1),
            ("frames_total{opcode=\"ping\",direction=\"in\"}", 1),
            ("frames_total{opcode=\"pong\",direction=\"in\"}", 1),
            ("frames_total{opcode=\"close\",direction=\"in\"}", 1),
            ("frames_total{opcode=\"text\",direction=\"out\"}", 3),
            ("frames_total{opcode=\"pong\",direction=\"out\"}", 1),
            ("frames_total{opcode=\"close\",direction=\"out\"}", 1),
            ("closes_total{code=\"1000\",direction=\"in\"}", 1),
            ("closes_total{code=\"1000\",direction=\"out\"}", 1),
            ("bytes_total{direction=\"out\"}", bytes_out),
            ("bytes_total{direction=\"in\"}", bytes_in),
        ] {
            check::eq(metrics[&format!("wirechat_{sample}")], expected as f64, sample);
        }
    }

    #[test]
    fn promtool_accepts_the_metrics() {
        let server = Server::start();
        let mut command = Command::new("promtool");
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut promtool = match command.stdout(Stdio::piped()).spawn() {
            Ok(promtool) => promtool,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return check::skip("promtool is not installed");
            }
            Err(error) => check::fail(error),
        };
        let mut input = promtool.stdin.take().expect("it is piped");
        input.write_all(&server.get("/metrics").body).expect("promtool reads");
        drop(input);
        let output = promtool.wait_with_output().expect("promtool ends");
        let complaints = String::from_utf8_lossy(&output.stderr);
        check::that(output.status.success() && complaints.is_empty(), complaints);
    }
}
