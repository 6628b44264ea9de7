//! What a plain GET gets: the page, health, metrics.

use super::metrics::Metrics;
use crate::wire::http::Request;
use crate::wire::response::Response;

/// The page, compiled in.
const CLIENT: &str = include_str!("../../client.html");

/// The page may run its own script and style, known by their digests, and talk to its own host.
/// Nothing that is said in the chat can become more than text.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; \
    script-src 'sha256-GmpmQlMoF+gMSLQ0og7sA/1RGUF6hBtwb0qRtacZ6so='; style-src 'sha256-NyRYrAHF/Lm6Vtu9Qf3qx/jrHoYW8KRcOvYSKsyQ0Us='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is at `path`, unless nothing is.
pub struct Page {
    kind: &'static str,
    content: Vec<u8>,
    /// May its reader look at the wire?
    inspection: Option<&'static str>,
}

impl Page {
    /// `/`: the page, for people. It learns from a header whether their words are inspected, and where.
    #[must_use]
    pub fn client(inspection: Option<&'static str>) -> Self {
        Self { kind: "text/html; charset=utf-8", content: CLIENT.into(), inspection }
    }

    /// `/healthz`: alive, for whoever watches over the process.
    #[must_use]
    pub fn health() -> Self {
        Self { kind: "text/plain; charset=utf-8", content: "ok\n".into(), inspection: None }
    }

    /// `/metrics`: numbers, for Prometheus.
    #[must_use]
    pub fn metrics(metrics: &Metrics, open: usize) -> Self {
        let content = metrics.render(open).into();
        Self { kind: "text/plain; version=0.0.4; charset=utf-8", content, inspection: None }
    }

    /// The answer to a GET or HEAD. It is asked for anew each time, so a new version is seen at once.
    #[must_use]
    pub fn response(self, request: &Request) -> Response {
        let connection = if request.is_persistent() { "keep-alive" } else { "close" };
        let mut fields = vec![
            ("Connection", connection.to_owned()),
            ("Content-Type", self.kind.to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Content-Security-Policy", POLICY.to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
        ];
        fields.extend(self.inspection.map(|where_to| ("Wirechat-Inspect", where_to.to_owned())));
        Response { status: "200 OK", fields, content: self.content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::base64;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_names_the_digests_of_script_and_style() {
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
