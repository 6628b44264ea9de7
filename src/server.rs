//! The chat server: threads and sockets around the pure layer of [`crate::wire`].
//!
//! # The life of a message
//!
//! 1. [`listener::accept`] accepts the connection. [`listener::start_connection`] checks the limits and gives
//!    it a thread of the pool ([`thread_pool::spawn`]). A connection over the limit goes to the
//!    [`reject::Rejector`], which answers 503.
//! 2. [`session::serve`] runs in the client's thread. [`http::HttpConnection::run`] reads request heads, each
//!    before a deadline, answers requests for pages, and returns when a request can be upgraded.
//! 3. [`session::open_session`] creates the [`send_queue::SendQueue`] and joins the [`room::Room`], in this
//!    order. [`send_queue::WriterRole::write_all`] then sends the 101 and the welcome in one write, and
//!    after them every message that was broadcast since the client joined.
//! 4. [`session::Session::read_loop`] blocks in `read`. One read can bring many frames.
//!    [`session::Session::handle_events`] takes one event after the other from the receiver
//!    ([`crate::wire::message::Receiver::next`]), and [`reply::reply_to`] decides the answer to each.
//! 5. [`message_handler::MessageHandler::carry_out`] encodes a text as a frame and appends it to a
//!    [`batch::Batch`]. At the end of the read [`message_handler::MessageHandler::flush`] passes the batch to
//!    [`broadcast::BroadcastQueue::broadcast`].
//! 6. [`broadcast::BroadcastQueue::enqueue`] gives the message its place in the order for all members. If the
//!    queue is `Idle`, the sender starts a round and delivers it; otherwise the broadcaster thread will. The
//!    states are in [`broadcast::state::QueueState`].
//! 7. [`broadcast::Round::deliver_all`] calls [`send_queue::SendQueue::deliver`] for each member. A member
//!    without a writer gets the frames at once, by one non-blocking `send`
//!    ([`send_queue::WriterRole::write_nonblocking`]). Otherwise the frames wait in its send queue.
//! 8. If the socket of a slow reader accepts no more, or after [`limits::NONBLOCKING_WRITES_MAX`] writes, a
//!    writer thread takes over the writer role ([`send_queue::WriterRole::write_blocking`]) until the queue is
//!    empty. A member whose queue is full is disconnected with 1013 ([`broadcast::Round::deliver`]). No other
//!    member waits for it.
//! 9. The client closes first, or violates the protocol. [`session::Session::close`] waits until the member's
//!    own messages are delivered ([`broadcast::BroadcastQueue::wait_until_delivered`]), sends the Close
//!    ([`send_queue::SendQueue::close`]), leaves the room ([`room::Seat`]), waits until the queue is sent
//!    ([`send_queue::SendQueue::wait_flushed`]), and closes TCP so that the last byte of the Close arrives
//!    ([`crate::net::stream::lingering_close`]). If the stream ends without a Close, nothing is sent.
//! 10. Or the server closes first: after binary data (1003), for a slow reader (1013), an idle client or a
//!     shutdown (1001). A thread queues the Close; the session goes on reading, and drops messages. The
//!     client's Close ends the session as in step 9, but no other Close is sent. Without an answer the
//!     heartbeat shuts the socket down at the deadline of [`send_queue::SendState::closing`].
//!
//! # Threads and queues
//!
//! With `--inspect`, the page can be an inspector: at `/wire` the server sends it the heads and frames of
//! `/chat` and `/echo` ([`trace`], [`publisher`]). An inspector can send frames in hex, and the server replies
//! with what `/chat` would do: a simulated answer ([`simulate`]).
//!
//! The bounds in the figure are constants of [`limits`], except the option `--max-backlog`.
//!
//! ```text
//!                  REJECTED_MAX                                          LOG_MAX
//! listener ────────────────────────> rejector        every thread ──────────────────> log thread ──> stderr
//!    │
//!    │ thread pool: a job for each connection
//!    v                BROADCAST_QUEUE_MAX
//! client thread ──────────────────────────────> broadcaster
//!    │  │                                            │
//!    │  │  the sender delivers, or the broadcaster   │          heartbeat: Ping, Close
//!    │  └────────────────────┬───────────────────────┘              │
//!    │                       v                                      v
//!    │          one send queue for each client: --max-backlog, 1 Pong, 1 Ping, 1 Close
//!    │                       │                                      ^
//!    │                       │ the thread with the writer role      │ texts for /wire: WIRE_BACKLOG_MAX
//!    │                       v                                      │
//!    │                 the client's socket                          │
//!    │      OBSERVATIONS_MAX or OBSERVATIONS_BYTES_MAX              │
//!    └────────────────────────────────────────────────────> publisher
//! ```
//!
//! | thread | number | it waits for |
//! |---|---|---|
//! | main | 1 | a signal; then the delivery of the last message, and the end of all WebSockets ([`listener::wait_for_stop`]) |
//! | `listener` | one for each address | the next connection; after a failed accept, [`limits::ACCEPT_PAUSE`] |
//! | `client` in HTTP | one for each connection | bytes of a request, until `--handshake-timeout`; space in the socket, for the response |
//! | then as a WebSocket | | bytes of its client; space in the socket, for the 101; while the broadcast queue is full, the end of a round; before a 1003, the delivery of its messages; at `/echo`, the writer role, and space in the socket |
//! | then at its end | | the delivery of its messages; its send queue; the client's FIN (step 9) |
//! | `writer` | one for each client with a backlog | space in the socket, [`limits::SEND_TIMEOUT`] at a time |
//! | idle, of the pool | as many as became free lately | a job, for [`limits::IDLE_THREAD_TIMEOUT`] |
//! | `broadcaster` | 1 | a round to start or to help with |
//! | `heartbeat` | 1 | the next ping or timeout |
//! | `log` | 1 | lines; standard error |
//! | `publisher` | 1 with `--inspect` | observations; then it pauses for [`limits::PUBLISH_PAUSE`] |
//! | `rejector` | 1 | a rejected connection; while some are open, [`limits::REJECT_POLL`] |
//!
//! `client` and `writer` are jobs of the pool ([`thread_pool::job_name`]). The operating system shows a
//! thread under the name of its first job.
//!
//! | queue | bound | when it is full |
//! |---|---|---|
//! | replies to one read | the receive buffer, and one message of `--max-message`; at `/wire` [`limits::WIRE_BACKLOG_MAX`] and one simulated answer | they are sent before the next read; at `/wire` further answers are dropped |
//! | broadcast queue | [`limits::BROADCAST_QUEUE_MAX`] and one batch | the sender waits and does not read |
//! | send queue | `--max-backlog`, at `/wire` [`limits::WIRE_BACKLOG_MAX`]; and one batch, plus the chunk that is being written | the member is disconnected; at `/wire` texts are dropped and counted |
//! | Pong and Ping of a send queue | 1 each | the new frame replaces the old |
//! | thread pool | its idle threads | a new thread is started; without one, a new connection is rejected, and for a `writer` job the connection fails |
//! | log | [`limits::LOG_MAX`] | lines are dropped and counted |
//! | inspect queue | [`limits::OBSERVATIONS_MAX`], [`limits::OBSERVATIONS_BYTES_MAX`] | observations are dropped and counted |
//! | rejected connections | [`limits::REJECTED_MAX`] | the connection is closed without an answer |
//! | answered ones that linger | [`limits::REJECTED_MAX`] | the connection is closed at once |
//!
//! "And one batch": the bound is checked before a batch is appended, so that a batch is never split.
//!
//! # Locks
//!
//! Each queue, each room and the counters of refusals have one lock ([`sync`]); the rejector's queue is a
//! channel of the standard library. **No lock is taken while another is held**, so their order does not
//! matter and no deadlock is possible. No lock is held during a system call on a socket. The one exception is
//! a panic: its hook takes the log's lock in a thread that may hold another; no code takes a second lock
//! under the log's.
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "a message's life leads through private functions"
)]

pub mod activity;
pub mod batch;
pub mod broadcast;
pub mod clock;
pub mod event;
pub mod guard;
pub mod heartbeat;
pub mod http;
pub mod inspect;
pub mod inspect_queue;
pub mod limits;
pub mod listener;
pub mod log;
pub mod message_handler;
pub mod metrics;
pub mod options;
pub mod origin;
pub mod pages;
pub mod publisher;
pub mod reject;
pub mod reply;
pub mod resource;
pub mod room;
pub mod send_queue;
pub mod session;
pub mod simulate;
pub mod spawn;
pub mod state;
pub mod sync;
pub mod thread_pool;
pub mod trace;
