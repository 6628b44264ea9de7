//! A WebSocket chat server that shows RFC 6455 as it is on the wire.
//!
//! # The modules
//!
//! Each line is a layer with its modules. A layer uses only layers below it, and `server` and `tools` do not
//! use each other. Inside a layer, a module uses only modules to its left, and `tests/layers.rs` checks both.
//!
//! ```text
//! main
//! cli      command, unknown, args, values, serve, decode, encode, accept
//! server   limits, sync, guard, clock, spawn, event, log, metrics, activity, origin, inspect, batch,
//!          thread_pool, inspect_queue, trace, send_queue, room, broadcast, reject, resource, reply, simulate,
//!          options, state, publisher, heartbeat, message_handler, pages, http, session, listener
//! tools    output, accept, encode, decode
//! explain  hex, text, json, names, view, accept_errors, fields, finding, hint, picture, accept,
//!          frame_json, frame_line, frame_text, handshake_text, inspect_json
//! net      stream
//! wire     rules, mask, base64, authority, close_code, fields, opcode, refusal, http, lines, request_line, head,
//!          raw, builder, violation, frame, close, utf8, assembly, message, dissect, response, handshake,
//!          server_response
//! rfc6455  requirement, requirements
//! help
//! sys
//! ```
//!
//! | layer | what it does |
//! |---|---|
//! | `main`, [`cli`] | reads the command line and runs one command |
//! | [`server`] | the chat: threads, sockets, queues, locks and timers |
//! | [`tools`] | the other commands: `decode`, `encode`, `accept` |
//! | [`explain`] | turns values of `wire` into sentences, pictures and JSON |
//! | [`net`] | reads with a deadline, and closes a connection so that the last byte arrives |
//! | [`wire`] | turns bytes into values and values into bytes; every rule of the protocol |
//! | [`rfc6455`] | the register: every requirement of the RFC with its ID, level and section |
//! | [`help`] | the manual that `wirechat help TOPIC` prints |
//! | [`sys`] | the system calls that `std` lacks; the only unsafe code |
//!
//! # Where to begin reading
//!
//! Three walks of ten minutes each.
//!
//! **A frame.** [`wire::frame`] opens with the figure of section 5.2. [`wire::raw::RawHeader`] reads the fields of
//! a header, and [`wire::violation`] has the table of what can be wrong with a frame: the requirement, the
//! close code and the sentence of each rule. [`wire::frame::Header::parse`] stops at the first broken rule,
//! [`wire::dissect::Dissector`] lists all of them. [`wire::builder::FrameBuilder`] writes a frame,
//! [`wire::mask::apply`] masks its payload, and [`explain::picture::picture`] draws it.
//!
//! **A handshake.** [`server::http::HttpConnection::run`] reads a request head with
//! [`wire::head::HeadParser::advance`]. [`wire::handshake::AcceptedHandshake::of`] checks the items of section
//! 4.2.1 one by one, and its [`response`](wire::handshake::AcceptedHandshake::response) is the 101 of section
//! 4.2.2. Everything that can be wrong is in one table, [`wire::refusal::REFUSAL_RULES`], and
//! [`wire::response`] turns a refusal into an HTTP response. A client's check of a server's response is in
//! [`wire::server_response`].
//!
//! **A message to every member.** [`server`] opens with the life of a message, from `accept` to the last byte
//! of the Close frame, with the threads, the queues and their bounds. Follow its links:
//! [`server::session::Session::read_loop`] receives, [`wire::message::Receiver::next`] joins fragments and checks
//! UTF-8, [`server::reply::reply_to`] decides, [`server::broadcast::BroadcastQueue::broadcast`] gives each message
//! its place in the order, and [`server::send_queue::SendQueue::deliver`] sends it.
//!
//! # Sections, files and tests
//!
//! | section of RFC 6455 | file | tests |
//! |---|---|---|
//! | every requirement | [`rfc6455`] | `tests/rfc6455/main.rs` |
//! | 4.1, 4.2.1: read the handshake | [`wire::head`], [`wire::http`], [`wire::handshake`] | `tests/rfc6455/s4_2_1.rs` |
//! | 4.2.2: answer it | [`wire::handshake`], [`wire::refusal`] | `tests/rfc6455/s4_2_2.rs` |
//! | 4.1, 4.2.2: check the answer | [`wire::server_response`] | in the file |
//! | 4.2.2 item 5.4: the accept value | [`explain::accept`], [`explain::accept_errors`] | `tests/accept.rs` |
//! | 5.1, 5.2, 5.5: one frame | [`wire::raw`], [`wire::violation`], [`wire::frame`] | `tests/rfc6455/s5_2.rs`, `s5_5.rs` |
//! | 5: lenient parsing that continues after a violation | [`wire::dissect`] | in the file |
//! | 5: build frames, valid or not | [`wire::builder`], [`tools::encode`] | `tests/encode.rs` |
//! | 5.3: masking | [`wire::mask`] | `tests/rfc6455/s5_3.rs` |
//! | 5.4, 5.6, 6.2: messages | [`wire::message`] | `tests/rfc6455/s5_4.rs`, `s5_6.rs`, `s6.rs` |
//! | 8.1: UTF-8 | [`wire::utf8`] | `tests/rfc6455/s8.rs` |
//! | 5.5.1, 7.4: the Close frame | [`wire::close`] | `tests/rfc6455/s5_5_1.rs`, `s7_4.rs` |
//! | 7.1: close the connection | [`server::session`], [`server::send_queue`] | `tests/rfc6455/s7_1.rs` |
//! | 10.2: origins, and access to the inspector | [`server::origin`], [`server::inspect`] | `tests/hostile.rs`, `tests/inspect.rs` |
//! | 10.4: limits | [`server::limits`] | `tests/hostile.rs` |
//!
//! Where the RFC leaves a choice, the tables at the top of [`wire::refusal`] and [`wire::close`] state the
//! server's. TLS, which section 10.6 requires, is left to a proxy in front of the server.

pub mod cli;
pub mod explain;
pub mod help;
pub mod net;
pub mod rfc6455;
pub mod server;
pub mod sys;
pub mod tools;

pub mod wire {
    //! The protocol: bytes in, values out. No module here names a socket, a thread, a clock or a lock.
    mod assembly;
    mod authority;
    pub mod base64;
    pub mod builder;
    pub mod close;
    mod close_code;
    pub mod dissect;
    pub mod fields;
    pub mod frame;
    pub mod handshake;
    pub mod head;
    pub mod http;
    mod lines;
    pub mod mask;
    pub mod message;
    mod opcode;
    pub mod raw;
    pub mod refusal;
    mod request_line;
    pub mod response;
    mod rules;
    pub mod server_response;
    pub mod utf8;
    pub mod violation;
}
