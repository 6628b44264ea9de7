//! A WebSocket chat server that shows RFC 6455 as it is on the wire.
//!
//! ```text
//! main ─ cli ── server: listener ─ connection ─ http, handler           sockets, threads, locks, clocks
//!                       room ─ broadcast ─ send_queue ─ line, heartbeat, log, trace ─ inspect
//!                  └─── tools: decode, encode, accept                      the other commands
//!                  │
//!               explain: page ─ fields, picture, finding, hint, json      values in, words out
//!                        accept ─ mistake ─ digest
//!                  │
//!                wire: handshake ─ head ─ http ─ refusal ─ response,      bytes and meaning only
//!                      message ─ text ─ frame ─ mask ─ close, base64
//!                      dissect ─ raw: the same rules, for who reads on behind a violation
//! ```
//! Use goes right or down, never back; `tests/layers.rs` holds us to it.
//!
//! TLS, which section 10.6 wants of a server, is left to a proxy in front; what RFC 6455 leaves open is
//! decided in [`wire::refusal`] and [`wire::close`].
//!
//! | section of RFC 6455 | file | tests |
//! |---|---|---|
//! | 4.1, 4.2.1: reading the handshake | [`wire::head`], [`wire::http`], [`wire::handshake`] | `tests/rfc6455/s4_2_1.rs` |
//! | 4.2.2: answering it | [`wire::handshake`], [`wire::refusal`] | `tests/rfc6455/s4_2_2.rs` |
//! | 4.2.2 item 5.4: the accept value, right or wrong | [`explain::accept`], [`explain::accept_errors`] | `tests/accept.rs` |
//! | 5.1, 5.2, 5.5: one frame | [`wire::frame`] | `tests/rfc6455/s5_2.rs`, `s5_5.rs` |
//! | 5: a stream read to its end, whatever is wrong | [`wire::dissect`], [`wire::raw`] | at their feet |
//! | 5: frames that are made, right or wrong | [`wire::builder`], [`tools::encode`] | `tests/encode.rs` |
//! | 5.3: masking | [`wire::mask`] | `tests/rfc6455/s5_3.rs` |
//! | 5.4, 5.6, 6.2: messages | [`wire::message`] | `tests/rfc6455/s5_4.rs` |
//! | 8.1: text | [`wire::utf8`] | `tests/rfc6455/s8.rs` |
//! | 5.5.1, 7.4: the Close frame | [`wire::close`] | `tests/rfc6455/s7_4.rs` |
//! | 7.1: closing the connection | [`server::connection`], [`server::send_queue`] | `tests/rfc6455/s7_1.rs` |
//! | 10.2: origins, and who sees the wire | [`server::origin`], [`server::inspect`] | `tests/hostile.rs`, `tests/inspect.rs` |
//! | 10.4: limits | [`server::limits`] | `tests/hostile.rs` |

pub mod cli;
pub mod explain;
pub mod net;
pub mod rfc6455;
pub mod server;
pub mod sys;
pub mod tools;

pub mod wire {
    //! Bytes and meaning only: no socket, thread, clock or lock is named below here.
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
    pub mod raw;
    pub mod refusal;
    mod request_line;
    pub mod response;
    pub mod server_response;
    pub mod utf8;
    pub mod violation;
}
