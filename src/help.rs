//! The manual: one Markdown file for each topic, compiled in, so that a copied binary brings it along.

/// One topic of `wirechat help TOPIC`.
pub struct Topic {
    /// The name that the user gives.
    pub name: &'static str,
    /// What it explains, in one line.
    pub summary: &'static str,
    /// The whole text.
    pub text: &'static str,
}

/// All topics, in the order in which `wirechat help` lists them.
#[rustfmt::skip]
pub const TOPICS: &[Topic] = &[
    Topic { name: "serve", summary: "run the chat server (the default): options, log, guarantees", text: include_str!("help/serve.md") },
    Topic { name: "decode", summary: "explain captured bytes: input formats, JSON members, summary", text: include_str!("help/decode.md") },
    Topic { name: "encode", summary: "make frames, valid or not", text: include_str!("help/encode.md") },
    Topic { name: "accept", summary: "compute the accept value of a key, or explain a wrong one", text: include_str!("help/accept.md") },
    Topic { name: "paths", summary: "the paths, and what the server answers to a bad request", text: include_str!("help/paths.md") },
    Topic { name: "trace", summary: "--trace: the wire in the terminal", text: include_str!("help/trace.md") },
    Topic { name: "inspect", summary: "--inspect: the wire in the page, and as JSON on /wire", text: include_str!("help/inspect.md") },
    Topic { name: "metrics", summary: "/metrics: what Prometheus reads", text: include_str!("help/metrics.md") },
    Topic { name: "deploy", summary: "static binary, proxies for TLS, systemd, limits", text: include_str!("help/deploy.md") },
    Topic { name: "performance", summary: "how fast it is, measured beside other servers", text: include_str!("help/performance.md") },
    Topic { name: "conformance", summary: "the requirements of RFC 6455 and their tests", text: include_str!("help/conformance.md") },
];

/// The text of a topic.
#[must_use]
pub fn topic(name: &str) -> Option<&'static str> {
    TOPICS.iter().find(|topic| topic.name == name).map(|topic| topic.text)
}
