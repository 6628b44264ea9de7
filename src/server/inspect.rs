//! `--inspect`: which clients may open the inspector at `/wire` and see the messages of all (section 10.2).

use std::net::IpAddr;

use super::origin::is_loopback_name;
use crate::wire::http::Request;

/// Who may open the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// No client: there is no `/wire`.
    Off,
    /// Clients on this machine.
    Loopback,
    /// Every client that may connect.
    Any,
}

impl Inspection {
    /// The warning that is logged at the start, if there is an inspector.
    pub fn warning(self) -> Option<String> {
        let clients = match self {
            Self::Off => return None,
            Self::Loopback => "--inspect: clients on this machine",
            Self::Any => "--inspect=any: every client that may connect",
        };
        Some(format!("{clients} can see all messages, at /wire"))
    }

    /// The value of the page's `Wirechat-Inspect` header: whether this client may open the inspector.
    pub fn notice(self, peer: IpAddr, request: &Request) -> Option<&'static str> {
        let place = if self.admits(peer, request) { "here" } else { "elsewhere" };
        (self != Self::Off).then_some(place)
    }

    /// Whether this client may open the inspector. A proxy on this machine connects over loopback for
    /// clients from anywhere. The Host field, or a field that the proxy adds, shows this.
    pub fn admits(self, peer: IpAddr, request: &Request) -> bool {
        let has = |name| request.fields.values(name).next().is_some();
        match self {
            Self::Off => false,
            Self::Any => true,
            Self::Loopback => {
                peer.to_canonical().is_loopback()
                    && is_loopback_name(&request.host)
                    && !["Forwarded", "X-Forwarded-For", "Via"].into_iter().any(has)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::HEAD;
    use super::*;
    use crate::wire::head::HeadParser;

    fn request(lines: &str) -> Request {
        let head = format!("GET /wire HTTP/1.1\r\n{lines}\r\n\r\n");
        HeadParser::new(HEAD).advance(head.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn s10_2_who_may_inspect() {
        use Inspection::{Any, Loopback, Off};
        for (peer, lines, inspections) in [
            ("127.0.0.1", "Host: localhost:1984", &[Loopback, Any][..]),
            ("::1", "Host: [::1]:1984", &[Loopback, Any]),
            ("::ffff:127.0.0.1", "Host: 127.0.0.1", &[Loopback, Any]),
            ("192.0.2.1", "Host: localhost", &[Any]),
            ("2001:db8::1", "Host: localhost", &[Any]),
            ("::ffff:192.0.2.1", "Host: localhost", &[Any]),
            ("127.0.0.1", "Host: chat.example", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nX-Forwarded-For: 192.0.2.1", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nForwarded: for=192.0.2.1", &[Any]),
            ("127.0.0.1", "Host: localhost\r\nVia: 1.1 proxy", &[Any]),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            for inspection in [Off, Loopback, Any] {
                let may_inspect = inspections.contains(&inspection);
                let request = request(lines);
                assert_eq!(
                    inspection.admits(peer, &request),
                    may_inspect,
                    "{inspection:?} {peer} {lines}"
                );
                let notice = match inspection {
                    Off => None,
                    Loopback | Any => Some(if may_inspect { "here" } else { "elsewhere" }),
                };
                assert_eq!(inspection.notice(peer, &request), notice);
            }
        }
    }
}
