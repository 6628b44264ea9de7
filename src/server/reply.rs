//! What the server answers to each event of a client: one pure decision. The session carries it out,
//! the inspector's simulation ([`simulate`](super::simulate)) shows it.

use super::resource::Resource;
use crate::wire::close::{Close, CloseCode};
use crate::wire::frame::Opcode;
use crate::wire::message::Event;

/// The answer to one event.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The text goes to every member of the chat.
    Broadcast(&'a str),
    /// A message with this opcode and payload goes back to the client.
    Echo(Opcode, &'a [u8]),
    /// The client gets the simulated answer to the frames that the text has in hex.
    Simulation(&'a str),
    /// A Pong with the payload of the Ping.
    Pong(&'a [u8]),
    /// The resource does not accept the message: the server starts the closing handshake.
    Unsupported(Close),
    /// The client's Close is answered with its [`Close::reply`], and the session ends.
    Close(Close),
    /// Nothing is sent.
    Nothing,
}

/// Decides what `resource` answers to `event`.
pub fn reply_to(event: Event<'_>, resource: Resource) -> Reply<'_> {
    match (event, resource) {
        (Event::Text(text), Resource::Chat) => Reply::Broadcast(text), // section 5.6
        (Event::Text(text), Resource::Echo) => Reply::Echo(Opcode::Text, text.as_bytes()),
        (Event::Text(text), Resource::Wire) => Reply::Simulation(text),
        (Event::Binary(payload), Resource::Echo) => Reply::Echo(Opcode::Binary, payload),
        (Event::Binary(_), Resource::Chat) => unsupported("this chat takes text only"),
        (Event::Binary(_), Resource::Wire) => unsupported("/wire takes frames as hex in text only"),
        (Event::Ping(payload), _) => Reply::Pong(payload), // section 5.5.2: MUST send a Pong
        (Event::Pong(_), _) => Reply::Nothing,             // section 5.5.3: no response is expected
        (Event::Close(close), _) => Reply::Close(close),   // section 5.5.1: MUST send a Close
    }
}

/// Section 7.4.1: 1003 for a type of data that the endpoint cannot accept.
fn unsupported(reason: &str) -> Reply<'static> {
    Reply::Unsupported(Close::new(CloseCode::UNSUPPORTED_DATA, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_reply_at_each_resource() {
        use Resource::{Chat, Echo, Wire};
        let unsupported =
            |reason| Reply::Unsupported(Close::new(CloseCode::UNSUPPORTED_DATA, reason));
        for (resource, text, binary) in [
            (Chat, Reply::Broadcast("a"), unsupported("this chat takes text only")),
            (Echo, Reply::Echo(Opcode::Text, b"a"), Reply::Echo(Opcode::Binary, &[1])),
            (Wire, Reply::Simulation("a"), unsupported("/wire takes frames as hex in text only")),
        ] {
            assert_eq!(reply_to(Event::Text("a"), resource), text);
            assert_eq!(reply_to(Event::Binary(&[1]), resource), binary);
            assert_eq!(reply_to(Event::Ping(b"p"), resource), Reply::Pong(b"p"));
            assert_eq!(reply_to(Event::Pong(b"p"), resource), Reply::Nothing);
            let close = Close::new(CloseCode::GOING_AWAY, "bye");
            assert_eq!(reply_to(Event::Close(close.clone()), resource), Reply::Close(close));
        }
    }
}
