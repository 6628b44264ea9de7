//! The three WebSocket resources of the server.

use super::inspect::Inspection;

/// What a client can upgrade to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/chat`: each text message is sent to every member.
    Chat,
    /// `/echo`: each message is sent back to its sender.
    Echo,
    /// `/wire`: the inspector; it shows the heads and frames of the other two.
    Wire,
}

impl Resource {
    /// The resource at `path`, if there is one.
    pub fn at(path: &str, inspection: Inspection) -> Option<Self> {
        match path {
            "/chat" => Some(Self::Chat),
            "/echo" => Some(Self::Echo),
            "/wire" if inspection != Inspection::Off => Some(Self::Wire),
            _ => None,
        }
    }
}
