//! The resources that a plain GET can have: the page, the health check, the metrics.

use crate::wire::http::Request;
use crate::wire::response::Response;

/// The page, compiled in.
const CLIENT: &str = include_str!("../../client.html");

/// The page may use its own script and style, which the digests identify, and connect to its own host. No
/// message of the chat can become more than text.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; \
    script-src 'sha256-GmpmQlMoF+gMSLQ0og7sA/1RGUF6hBtwb0qRtacZ6so='; style-src 'sha256-NyRYrAHF/Lm6Vtu9Qf3qx/jrHoYW8KRcOvYSKsyQ0Us='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page.
pub enum Page {
    /// `/`: the client. A header field says whether the messages can be inspected, and where.
    Client(Option<&'static str>),
    /// `/healthz`: the server is alive, for supervisors.
    Health,
    /// `/metrics`: the counters, for Prometheus.
    Metrics(String),
}

impl Page {
    /// The response to GET or HEAD. It is not cached, so that a new version is seen at once.
    pub fn response(self, request: &Request) -> Response {
        let (content_type, content, inspection) = match self {
            Self::Client(inspection) => ("text/html; charset=utf-8", CLIENT.into(), inspection),
            Self::Health => ("text/plain; charset=utf-8", "ok\n".into(), None),
            Self::Metrics(text) => ("text/plain; version=0.0.4; charset=utf-8", text.into(), None),
        };
        let connection = if request.is_persistent() { "keep-alive" } else { "close" };
        let mut fields = vec![
            ("Connection", connection.to_owned()),
            ("Content-Type", content_type.to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Content-Security-Policy", POLICY.to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
        ];
        fields.extend(inspection.map(|place| ("Wirechat-Inspect", place.to_owned())));
        Response { status: "200 OK", fields, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::base64;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_has_the_digests_of_script_and_style() {
        for element in ["script", "style"] {
            let (start, end) = (format!("<{element}>"), format!("</{element}>"));
            assert_eq!(CLIENT.matches(&start).count(), 1);
            let inner = CLIENT.split_once(&start).unwrap().1.split_once(&end).unwrap().0;
            let digest = base64::encode(&Sha256::digest(inner));
            let source = format!("{element}-src 'sha256-{digest}'");
            assert!(POLICY.contains(&source), "client.html has changed: POLICY needs {source}");
        }
    }
}
