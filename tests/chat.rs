//! The rules of the chat, over sockets: who hears what and when, who is let in and who has to go, and what the
//! operator gets to read of it.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use support::frame::{CLOSE, PING};
use support::server::eventually;
use support::unheard::Unheard;
use support::{Client, DEADLINE, Masked, PATHS, Request, Server, WELCOME, check, json};

const MIB: usize = 1024 * 1024;

/// Far above what the kernel holds for a client that does not read, in messages of 1 MiB.
const MORE_THAN_THE_KERNEL_TAKES: usize = 40;

fn say(member: &mut Client, words: &str) {
    member.send(Masked::text(words).bytes());
}

/// Says something and hears it, with nothing of others in between.
#[track_caller]
fn say_and_hear(member: &mut Client, words: &str) {
    say(member, words);
    member.expect_text(words);
}

/// A text of 1 MiB, the largest by default, that begins with a number.
fn large(number: usize) -> String {
    format!("{number:08}{}", "x".repeat(MIB - 8))
}

#[track_caller]
fn counts(server: &Server, sample: &str, want: f64) {
    check::eq(server.metrics()[sample], want, sample);
}

/// The connections that are left, the one that asks aside.
fn eventually_open(server: &Server, want: f64) {
    eventually("connections that are gone are not counted", || {
        server.metrics()["wirechat_connections_open"] == want + 1.0
    });
}

mod words {
    use super::*;

    #[test]
    fn the_welcome_comes_first_whatever_others_say() {
        let server = Server::start();
        let mut speaker = server.upgrade("/chat");
        for round in 0..50 {
            let mut late = server.connect();
            let flood: Vec<u8> = (0..20).flat_map(|_| Masked::text("noise").bytes()).collect();
            speaker.send(flood);
            late.send(Request::upgrade("/chat").bytes());
            late.expect_101();
            late.expect_text(WELCOME);
            say(&mut speaker, &format!("round {round}"));
            while speaker.read_message().payload != format!("round {round}").as_bytes() {}
        }
    }

    #[test]
    fn the_welcome_is_the_operators() {
        let server = Server::with(&["--welcome", "Grüß Gott 👋"]);
        let mut member = server.ask(&Request::upgrade("/chat"));
        member.expect_101();
        member.expect_text("Grüß Gott 👋");
    }

    #[test]
    fn everyone_hears_a_text_its_sender_included() {
        let server = Server::start();
        let mut members: Vec<Client> = (0..5).map(|_| server.upgrade("/chat")).collect();
        for speaker in 0..members.len() {
            let words = format!("{speaker} says: naïve café 👋");
            say(&mut members[speaker], &words);
            members.iter_mut().for_each(|member| member.expect_text(&words));
        }
        members.iter_mut().for_each(Client::expect_open_and_silent);
    }

    #[test]
    fn an_echo_is_heard_by_its_speaker_alone() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        let mut other = server.upgrade("/echo");
        let mut echo = server.upgrade("/echo");
        say_and_hear(&mut echo, "to myself");
        other.expect_open_and_silent();
        member.expect_open_and_silent();
    }

    /// To so many a speaker has help with its words.
    #[test]
    fn each_of_many_hears_a_lone_text_once() {
        let server = Server::start();
        let mut members: Vec<Client> = (0..60).map(|_| server.upgrade("/chat")).collect();
        for round in 0..200 {
            let words = format!("round {round}");
            let speaker = round % members.len();
            say(&mut members[speaker], &words);
            members.iter_mut().for_each(|member| member.expect_text(&words));
        }
        members.iter_mut().for_each(Client::expect_open_and_silent);
    }

    const SPEAKERS: usize = 8;
    const LISTENERS: usize = 32;
    const TEXTS: usize = 500;

    #[test]
    fn all_hear_the_same_order() {
        let server = Server::start();
        let members: Vec<Client> =
            (0..SPEAKERS + LISTENERS).map(|_| server.upgrade("/chat")).collect();
        let heard: Vec<Vec<Vec<u8>>> = thread::scope(|scope| {
            let _mortal = server.mortal();
            let takes_part = |(index, member)| scope.spawn(move || take_part(index, member));
            let threads: Vec<_> = members.into_iter().enumerate().map(takes_part).collect();
            let joined = |thread: thread::ScopedJoinHandle<_>| thread.join().expect("heard all");
            threads.into_iter().map(joined).collect()
        });
        check::that(heard.iter().all(|other| *other == heard[0]), "one order for all");
        for speaker in 0..SPEAKERS {
            let start = format!("{speaker}:");
            let own = heard[0].iter().filter(|text| text.starts_with(start.as_bytes()));
            let said = (0..TEXTS).map(|number| format!("{start}{number}").into_bytes());
            check::that(own.cloned().eq(said), "each speaker's own order");
        }
    }

    /// The first few speak; all listen.
    fn take_part(index: usize, mut member: Client) -> Vec<Vec<u8>> {
        if index < SPEAKERS {
            for number in 0..TEXTS {
                say(&mut member, &format!("{index}:{number}"));
            }
        }
        (0..SPEAKERS * TEXTS).map(|_| member.read_message().payload).collect()
    }

    /// The last words, and what makes them the last.
    #[test]
    fn last_words_are_heard_by_all_and_their_speaker() {
        let server = Server::start();
        let mut witness = server.upgrade("/chat");
        for (what, last, code) in [
            ("a Close", Masked::close(1000, "bye"), 1000),
            ("a breach of the protocol", Masked::text("").unmasked(), 1002),
            ("binary", Masked::binary("no text"), 1003),
        ] {
            for round in 0..20 {
                check::case(format_args!("before {what}, round {round}"));
                let words = format!("last words before {what}, {round}");
                let mut speaker = server.upgrade("/chat");
                speaker.send([Masked::text(&words).bytes(), last.bytes()].concat());
                witness.expect_text(&words);
                speaker.expect_text(&words);
                speaker.expect_close(Some(code));
            }
        }
    }

    #[test]
    fn binary_is_refused() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        let mut witness = server.upgrade("/chat");
        member.send(Masked::binary([0xfe, 0xff]).bytes());
        member.expect_close(Some(1003));
        member.send(Masked::text("too late").bytes());
        member.send(Masked::close(1003, "").bytes());
        member.expect_end();
        say_and_hear(&mut witness, "nothing was said");
    }
}

mod leaving {
    use super::*;

    #[test]
    fn a_member_that_ends_without_a_close_is_removed() {
        let server = Server::start();
        let mut witness = server.upgrade("/chat");
        let mut vanishing = server.upgrade("/chat");
        vanishing.shutdown_write();
        vanishing.expect_end();
        eventually_open(&server, 1.0);
        server.await_log("WebSocket errored 'connection ended without a Close frame' for 2.");
        say_and_hear(&mut witness, "still here");
    }

    #[test]
    fn a_member_that_resets_is_removed() {
        let server = Server::start();
        let mut witness = server.upgrade("/chat");
        let vanishing = server.upgrade("/chat");
        say_and_hear(&mut witness, "unread");
        vanishing.stream().set_read_timeout(Some(*DEADLINE)).expect("a socket takes a timeout");
        vanishing.stream().peek(&mut [0]).expect("the text that nobody reads");
        drop(vanishing); // with something unread, this is a reset
        eventually_open(&server, 1.0);
        let log = server.await_log("for 2.");
        check::that(log.contains("WebSocket errored '"), "it is told");
        say_and_hear(&mut witness, "still here");
    }

    #[test]
    fn a_member_that_never_reads_is_disconnected() {
        let server = Server::with(&["--max-backlog", "64K"]);
        let mut speaker = server.upgrade("/chat");
        let mut listener = server.upgrade("/chat");
        let mut deaf = server.upgrade("/chat");
        for number in 0..MORE_THAN_THE_KERNEL_TAKES {
            say(&mut speaker, &large(number));
            speaker.expect_text(large(number));
            listener.expect_text(large(number));
            if server.log().contains("reads too slowly") {
                break; // it has but a moment to hear why
            }
        }
        hears_all_up_to_the_close(&mut deaf);
        let log = server.await_log("reads too slowly");
        check::that(log.contains("WebSocket errored 'reads too slowly: "), "it is told");
        check::that(log.contains(" bytes unsent' for 3."), "of whom");
        counts(&server, "wirechat_slow_readers_total", 1.0);
        eventually_open(&server, 2.0);
        say_and_hear(&mut speaker, "still here");
    }

    /// Nobody is skipped silently: each message in its place, until a Close says why there are no more.
    fn hears_all_up_to_the_close(deaf: &mut Client) {
        for number in 0.. {
            let frame = deaf.read_frame();
            if frame.opcode == CLOSE {
                check::eq(frame.code(), Some(1013), "the code for a slow reader");
                return;
            }
            check::that(frame.payload == large(number).as_bytes(), "in order, without a gap");
        }
    }

    /// Whoever says the Close, the herald, the timer or the answer to binary: it is the last for both.
    #[test]
    fn whoever_was_told_to_go_is_heard_no_more() {
        let server = Server::with(&["--idle-timeout", "1", "--ping-interval", "0"]);
        let mut idle = server.upgrade("/chat");
        idle.expect_close(Some(1001));
        let mut witness = server.upgrade("/chat");
        say(&mut idle, "too late");
        idle.send(Masked::close(1001, "").bytes());
        idle.expect_end();
        say_and_hear(&mut witness, "nothing was said");
    }

    #[test]
    fn the_timer_pings() {
        let server = Server::with(&["--ping-interval", "0.1"]);
        for path in PATHS {
            // More than are pinged at one moment.
            let mut members: Vec<Client> = (0..20).map(|_| server.upgrade(path)).collect();
            for member in &mut members {
                for _ in 0..3 {
                    check::eq(member.read_frame().opcode, PING, path);
                }
            }
        }
        let pings = server.metrics()["wirechat_frames_total{opcode=\"ping\",direction=\"out\"}"];
        check::that(120.0 <= pings, "pings are counted");
    }

    #[test]
    fn silence_is_ended_and_a_pong_is_no_silence() {
        let server = Server::with(&["--ping-interval", "0.5", "--idle-timeout", "2"]);
        let mut alive = server.upgrade("/chat");
        let mut silent = server.upgrade("/chat");
        for _ in 0..6 {
            let ping = alive.read_frame();
            check::eq(ping.opcode, PING, "nothing but pings");
            alive.send(Masked::pong(ping.payload).bytes());
        }
        let is_ended = (0..20).any(|_| silent.read_frame().opcode == CLOSE); // after some pings
        check::that(is_ended, "silence is ended");
        silent.expect_any_end();
        server.await_log("WebSocket errored 'no byte received for 2s' for 2.");
        counts(&server, "wirechat_closes_total{code=\"1001\",direction=\"out\"}", 1.0);
        alive.expect_open();
    }

    /// It takes what it is sent, though slowly, and has a backlog for longer than the idle timeout.
    #[test]
    fn a_slow_but_steady_reader_is_not_taken_for_dead() {
        const TEXTS: usize = 100; // in the kernel's hands are 40 of them at most
        let options = ["--ping-interval", "0.5", "--idle-timeout", "3", "--max-backlog", "128M"];
        let server = Server::with(&options);
        let mut slow = server.upgrade("/chat");
        let mut speaker = server.upgrade("/chat");
        thread::scope(|scope| {
            let _mortal = server.mortal();
            scope.spawn(|| {
                for number in 0..TEXTS {
                    say(&mut speaker, &large(number));
                    speaker.expect_text(large(number));
                }
            });
            for number in 0..TEXTS {
                slow.expect_text(large(number));
                if number < 40 {
                    thread::sleep(Duration::from_millis(100)); // this is how slow it is
                }
            }
            slow.expect_open();
        });
    }

    /// A member that is owed more than the kernel holds.
    fn owed_much(server: &Server) -> Client {
        let slow = server.upgrade("/chat");
        let mut speaker = server.upgrade("/chat");
        for number in 0..MORE_THAN_THE_KERNEL_TAKES {
            say(&mut speaker, &large(number));
            speaker.expect_text(large(number));
        }
        slow
    }

    /// What it is owed when a Close is said, by either side, is sent, however long it takes, as long as it
    /// takes something.
    #[test]
    fn a_slow_reader_that_leaves_gets_what_was_said_before() {
        for (last, code) in [(Masked::close(1000, ""), 1000), (Masked::binary("no text"), 1003)] {
            check::case(code);
            let server = Server::with(&["--max-backlog", "128M"]);
            let mut slow = owed_much(&server);
            slow.send(last.bytes());
            for number in 0..MORE_THAN_THE_KERNEL_TAKES {
                slow.expect_text(large(number));
                thread::sleep(Duration::from_millis(100)); // in all twice the patience
            }
            slow.expect_close_and_end(Some(code));
        }
    }
}

mod stopping {
    use super::*;

    #[test]
    fn everyone_is_told_and_the_end_is_clean() {
        for signal in ["TERM", "INT"] {
            check::case(signal);
            let server = Server::start();
            let mut members = [server.upgrade("/chat"), server.upgrade("/echo")];
            server.signal(signal);
            for member in &mut members {
                member.expect_close(Some(1001));
                member.send(Masked::close(1001, "").bytes());
                member.expect_end();
            }
            drop(members);
            check::eq(server.wait().code(), Some(0), "exit status");
            check::that(server.log().ends_with(" stopped\n"), "the last line");
        }
    }

    #[test]
    fn what_was_said_before_arrives_before_the_close() {
        let server = Server::with(&["--max-backlog", "64M"]);
        let mut speaker = server.upgrade("/chat");
        let mut slow = server.upgrade("/chat");
        for number in 0..MORE_THAN_THE_KERNEL_TAKES {
            say(&mut speaker, &large(number));
            speaker.expect_text(large(number));
        }
        server.signal("TERM");
        speaker.expect_close(Some(1001));
        for number in 0..MORE_THAN_THE_KERNEL_TAKES {
            slow.expect_text(large(number));
        }
        slow.expect_close(Some(1001));
    }

    /// The speaker has heard it, so all are to hear it, though the herald is still at it when the signal comes:
    /// which it is not each time, so it is tried more than once.
    #[test]
    fn what_one_has_heard_all_hear_before_the_close() {
        for round in 0..5 {
            check::case(format_args!("round {round}"));
            stop_while_the_herald_is_at_it();
        }
    }

    fn stop_while_the_herald_is_at_it() {
        const MEMBERS: usize = 200;
        let server = Server::start();
        let mut speaker = server.upgrade("/chat");
        let mut members: Vec<Client> = (0..MEMBERS).map(|_| server.upgrade("/chat")).collect();
        let words = "w".repeat(MIB / 4);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("read word; kill -TERM {}", server.pid())]);
        let mut killer = command.stdin(Stdio::piped()).spawn().expect("a shell");
        say(&mut speaker, &words);
        speaker.read_bytes(1);
        drop(killer.stdin.take()); // faster than a new shell
        for member in &mut members {
            member.expect_text(&words);
            member.expect_close(Some(1001));
        }
        check::that(killer.wait().is_ok(), "the shell ends");
    }

    #[test]
    fn meanwhile_nobody_new_is_let_in() {
        let server = Server::start();
        let mut member = server.upgrade("/chat"); // which takes its time to answer the Close
        let mut watcher = server.ask(&Request::get("/healthz"));
        check::eq(watcher.read_response().status, 200, "before");
        let mut undecided = server.ask(&Request::get("/"));
        check::eq(undecided.read_response().status, 200, "before");
        server.signal("TERM");
        member.expect_close(Some(1001));
        watcher.send(Request::get("/healthz").bytes());
        watcher.expect_refusal(503);
        undecided.send(Request::upgrade("/chat").bytes());
        undecided.expect_refusal(503);
        server.refuses(&Request::upgrade("/chat"), 503);
        server.refuses(&Request::get("/healthz"), 503);
        member.send(Masked::close(1001, "").bytes());
        member.expect_end();
        drop(member);
        check::eq(server.wait().code(), Some(0), "exit status");
    }

    #[test]
    fn those_who_do_not_answer_are_not_waited_for_for_ever() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        server.signal("TERM");
        member.expect_close(Some(1001));
        check::eq(server.wait().code(), Some(0), "exit status");
        check::that(server.log().contains("stopped"), "it is told");
    }

    #[test]
    fn a_second_signal_ends_it_at_once() {
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
    fn a_full_house_has_room_again_when_somebody_leaves() {
        let server = Server::with(&["--max-connections", "2"]);
        let mut staying = server.upgrade("/chat");
        let mut leaving = server.upgrade("/echo");
        let held = server.descriptors();
        for request in [Request::upgrade("/chat"), Request::get("/")] {
            let mut late = server.ask(&request);
            late.expect_refusal(503);
            late.ended_by_half(&server, held);
        }
        leaving.close_normally();
        drop(leaving);
        eventually("there is room again", || {
            let mut late = server.ask(&Request::upgrade("/chat"));
            late.read_head().status == 101
        });
        say_and_hear(&mut staying, "all along");
    }

    #[test]
    fn messages_up_to_the_limit_pass() {
        let server = Server::with(&["--max-message", "1K"]);
        for path in PATHS {
            let (largest, half) = ("m".repeat(1024), "m".repeat(512));
            let mut member = server.upgrade(path);
            say_and_hear(&mut member, &largest);
            member.send(Masked::text(&half).more().bytes());
            member.send(Masked::continuation(&half).bytes());
            member.expect_text(&largest);
            say(&mut member, &(largest + "m"));
            member.expect_failure(1009);
            let mut member = server.upgrade(path);
            member.send(Masked::text(&half).more().bytes());
            member.send(Masked::continuation(half + "m").bytes());
            member.expect_failure(1009);
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused_unless_named() {
        let strict = Server::start();
        let open = Server::with(&["--origin", "*"]);
        let named = Server::with(&["--origin", "https://chat.test", "--origin", "null"]);
        for (origin, by) in [
            ("http://localhost", [true, true, true]),
            ("https://chat.test", [false, true, true]),
            ("null", [false, true, true]),
            ("https://evil.test", [false, true, false]),
            ("https://chat.test.evil.test", [false, true, false]),
            ("http://chat.test", [false, true, false]),
        ] {
            check::case(origin);
            let request = Request::upgrade("/chat").add(format!("Origin: {origin}"));
            for (server, is_allowed) in [&strict, &open, &named].into_iter().zip(by) {
                match is_allowed {
                    true => drop(server.accepts(&request)),
                    false => drop(server.refuses(&request, 403)),
                }
            }
        }
    }
}

mod log {
    use super::*;

    /// A little of everything that is told, by connections 1 to 5; the whole log when all is over.
    fn a_little_of_everything(options: &[&str]) -> (String, SocketAddr) {
        let server = Server::with(options);
        let mut member = server.upgrade("/chat");
        let address = member.address();
        say_and_hear(&mut member, "it's \"me\"");
        member.send(Masked::close(4001, "off to bed").bytes());
        member.expect_close(Some(4001));
        let mut vanishing = server.upgrade("/chat");
        vanishing.shutdown_write();
        vanishing.expect_end();
        let mut early = server.connect();
        early.send("GET /chat HT");
        early.shutdown_write();
        early.expect_end();
        server.refuses(&Request::get("/chat"), 400);
        server.refuses(&Request::upgrade("/chat").add("Origin: http://evil.test"), 403);
        server.signal("TERM");
        check::eq(server.wait().code(), Some(0), "exit status");
        (server.log(), address)
    }

    #[test]
    fn each_event_has_its_sentence() {
        let (log, address) = a_little_of_everything(&[]);
        for sentence in [
            "listening on http://127.0.0.1:",
            &format!("Sent welcome message to 1 ({address})."),
            "Received message 'it's \"me\"' from 1.",
            "Closed connection to 1.",
            "4001",
            "off to bed",
            "WebSocket errored 'connection ended without a Close frame' for 2.",
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
    fn json_says_the_same() {
        let (log, address) = a_little_of_everything(&["--log-format", "json"]);
        let mut events = Vec::new();
        for line in log.lines() {
            let members = json::object(line).unwrap_or_else(|why| check::fail(why));
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            let want = ["time", "event", "connection", "address", "code", "reason", "message"];
            check::eq(names, want.to_vec(), line);
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
            let told = events.iter().find(|told| told["event"] == text(event));
            let told = told.unwrap_or_else(|| check::fail("it is not told"));
            check::eq(&told["connection"], &connection, "connection");
            check::eq((&told["code"], &told["reason"]), (&code, &reason), "code and reason");
            if connection == number(1) {
                check::eq(&told["address"], &address, "address");
            }
        }
    }

    #[test]
    fn long_texts_are_cut_and_controls_escaped() {
        let server = Server::start();
        let mut member = server.upgrade("/chat");
        for (words, told) in [
            ("é".repeat(200), format!("'{}'", "é".repeat(200))),
            ("é".repeat(201), format!("'{}…'", "é".repeat(200))),
            ("\x1b[2J\n".into(), "'\\u{1b}[2J\\n'".into()),
        ] {
            say_and_hear(&mut member, &words);
            server.await_log(&format!("Received message {told} from 1."));
        }
    }

    #[test]
    fn quiet_leaves_errors_only() {
        let mut server = Unheard::start(Stdio::piped(), &["--quiet"]);
        let mut errors = server.errors();
        let mut member = server.member();
        say_and_hear(&mut member, "not an error");
        member.close_normally();
        let mut vanishing = server.member();
        vanishing.shutdown_write();
        vanishing.expect_end();
        check::eq(server.stop().code(), Some(0), "exit status");
        let mut log = String::new();
        errors.read_to_string(&mut log).expect("a pipe can be read");
        check::eq(log.lines().count(), 1, "lines");
        check::that(log.contains("WebSocket errored '"), log);
    }

    /// However much one read brings, and whatever follows: a line is written, or counted as dropped.
    #[test]
    fn no_line_is_lost_in_silence() {
        const TEXTS: usize = 10_000; // of 6 octets: the buffer of a busy connection takes them all
        let server = Server::with(&["--log-format", "json"]);
        let mut member = server.upgrade("/chat");
        for round in 1..=3 {
            server.signal("STOP");
            member.send(Masked::text("").bytes().repeat(TEXTS));
            server.signal("CONT");
            (0..TEXTS).for_each(|_| member.expect_text(""));
            eventually("each line is written or counted", || {
                let log = server.log();
                let written = log.matches("\"event\":\"message\"").count();
                written + dropped(&log) == round * TEXTS
            });
        }
    }

    /// The lines that the log says it dropped.
    fn dropped(log: &str) -> usize {
        let number = |line: &str| {
            let (before, _) = line.split_once(" log lines dropped")?;
            before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
        };
        log.lines().filter_map(number).sum()
    }

    /// More than a pipe and the log's own buffer hold.
    const LINES: usize = 10_000;

    fn chat_for_long(member: &mut Client) {
        let words = "w".repeat(200);
        for _ in 0..LINES {
            say(member, &words);
            member.expect_text(&words);
        }
    }

    #[test]
    fn a_pipe_that_nobody_reads_does_not_delay_the_chat() {
        for (options, lines_each) in
            [(&[][..], 1), (&["--trace"], 3), (&["--trace", "--log-format", "json"], 3)]
        {
            check::case(options.join(" "));
            let mut server = Unheard::start(Stdio::piped(), options);
            let mut errors = server.errors();
            let mut member = server.member();
            chat_for_long(&mut member);
            let log = read_until(&mut errors, " log lines dropped");
            let written = log.lines().filter(|line| line.contains("wwww")).count();
            check::that(0 < dropped(&log), "lines were dropped");
            check::eq(written + dropped(&log), lines_each * LINES, "written or counted");
            say_and_hear(&mut member, "it moves again");
            read_until(&mut errors, "it moves again");
        }
    }

    fn read_until(errors: &mut ChildStderr, needle: &str) -> String {
        let (mut log, mut chunk) = (String::new(), [0; 4096]);
        while !log.contains(needle) || !log.ends_with('\n') {
            let length = errors.read(&mut chunk).expect("a pipe can be read");
            check::that(0 < length, "the log goes on");
            log += &String::from_utf8_lossy(&chunk[..length]);
        }
        log
    }

    #[test]
    fn a_pipe_that_nobody_reads_does_not_delay_the_end() {
        let server = Unheard::start(Stdio::piped(), &[]);
        let mut member = server.member();
        chat_for_long(&mut member);
        drop(member);
        check::eq(server.stop().code(), Some(0), "exit status");
    }

    #[test]
    fn a_pipe_that_was_closed_does_not_end_the_chat() {
        let mut server = Unheard::start(Stdio::piped(), &[]);
        drop(server.errors());
        let mut member = server.member();
        chat_for_long(&mut member);
        drop(member);
        check::eq(server.stop().code(), Some(0), "exit status");
    }

    #[test]
    fn a_full_disk_does_not_end_the_chat() {
        let full = File::options().write(true).open("/dev/full").expect("the device is there");
        let server = Unheard::start(full.into(), &[]);
        let mut member = server.member();
        chat_for_long(&mut member);
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
    fn each_family_says_what_it_is() {
        let page = Server::start().get("/metrics");
        for (name, kind) in FAMILIES {
            check::that(page.text().contains(&format!("# HELP {name} ")), name);
            check::that(page.text().contains(&format!("# TYPE {name} {kind}\n")), name);
            check::that(page.text().contains(&format!("\n{name}")), name);
        }
        let kind = page.field("Content-Type");
        check::eq(kind, Some("text/plain; version=0.0.4; charset=utf-8"), "what it is written in");
    }

    /// What a member sent, octet for octet, and what it got.
    #[test]
    fn the_numbers_add_up() {
        let server = Server::start();
        server.refuses(&Request::get("/nowhere"), 404);
        let first = Masked::text("with the head").bytes();
        let rest = [
            Masked::text("two ").more().bytes(),
            Masked::ping("p").bytes(),
            Masked::continuation("parts").bytes(),
            Masked::pong("").bytes(),
            Masked::close(1000, "").bytes(),
        ];
        let mut member = server.connect();
        member.send([Request::upgrade("/chat").bytes(), first.clone()].concat());
        member.expect_101();
        member.expect_text(WELCOME);
        member.expect_text("with the head");
        rest.iter().for_each(|frame| member.send(frame));
        let (mut octets_out, mut opcodes) = (2 + WELCOME.len() + 2 + 13, Vec::new());
        while let Some(frame) = member.read_frame_or_end() {
            octets_out += 2 + frame.payload.len();
            opcodes.push(frame.opcode);
        }
        check::eq(opcodes.len(), 3, "a text, a Pong, a Close");
        drop(member);
        eventually_open(&server, 0.0);

        let octets_in = first.len() + rest.concat().len();
        let metrics = server.metrics();
        for (sample, want) in [
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
            ("bytes_total{direction=\"out\"}", octets_out),
            ("bytes_total{direction=\"in\"}", octets_in),
        ] {
            check::eq(metrics[&format!("wirechat_{sample}")], want as f64, sample);
        }
    }

    #[test]
    fn prometheus_has_nothing_to_say_against_it() {
        let server = Server::start();
        let mut command = Command::new("promtool");
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut promtool = match command.stdout(Stdio::piped()).spawn() {
            Ok(promtool) => promtool,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "skipped: promtool is not installed");
                let _ = writeln!(io::stderr(), "\nSKIPPED: promtool is not installed\n");
                return;
            }
            Err(error) => check::fail(error),
        };
        let mut input = promtool.stdin.take().expect("it is piped");
        input.write_all(&server.get("/metrics").body).expect("promtool reads");
        drop(input);
        let output = promtool.wait_with_output().expect("promtool ends");
        let said = String::from_utf8_lossy(&output.stderr);
        check::that(output.status.success() && said.is_empty(), said);
    }
}
