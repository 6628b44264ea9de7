//! The request head, RFC 9112. Strict wherever two lenient readers could disagree on the same bytes:
//! only CR LF ends a line, no line is folded, and nothing is repaired.
//!
//! ```text
//! request-line = method SP request-target SP HTTP-version CRLF
//! field-line   = field-name ":" OWS field-value OWS CRLF
//! head         = request-line *field-line CRLF
//! ```

use super::authority;
use super::fields::Fields;
use super::http::{Request, Version};
use super::lines::Lines;
use super::refusal::Refusal;
use super::request_line;
use super::rules::ensure;

pub use super::lines::HeadLimits;

/// Reads a request head line by line as its bytes arrive, and refuses a wrong line as soon as it is
/// complete.
pub struct HeadParser {
    limits: HeadLimits,
    lines: Lines,
    /// The request, after its first line was received.
    request: Option<Request>,
}

impl HeadParser {
    /// A parser of one head.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, lines: Lines::strict(limits.head_max), request: None }
    }

    /// The request at the front of `wire`, with the size of its head in bytes; `None` until the head
    /// is whole.
    ///
    /// `wire` is everything received so far: the bytes of the last call, and more.
    ///
    /// # Errors
    /// The first rule that the head breaks.
    pub fn advance(&mut self, wire: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
        loop {
            let is_first = self.request.is_none();
            let check = |line: &[u8]| match is_first {
                true => request_line::check_size(line, self.limits),
                false => Ok(()),
            };
            match (self.lines.next(wire, check)?, &mut self.request) {
                (None, _) => return Ok(None),
                (Some([]), None) => (), // RFC 9112, 2.2: empty lines before the request line are skipped
                (Some([]), request) => {
                    let request = request.take().map(finish).transpose()?;
                    return Ok(request.zip(Some(self.lines.consumed())));
                }
                (Some(line), None) => self.request = Some(request_line::parse(line)?),
                (Some(line), Some(request)) => {
                    push_field(&mut request.fields, line, self.limits.fields_max)?;
                }
            }
        }
    }
}

/// RFC 9112, 5.
fn push_field(fields: &mut Fields, line: &[u8], max: usize) -> Result<(), Refusal> {
    ensure(!line.starts_with(b" ") && !line.starts_with(b"\t"), Refusal::Folded)?;
    ensure(fields.count() < max, Refusal::TooManyFields)?;
    fields.push_line(line).ok_or(Refusal::FieldLine)
}

/// Checks a request with all of its fields: where its content ends, and RFC 9112, 3.2: exactly one valid
/// Host. The authority of the target takes precedence over it.
fn finish(mut request: Request) -> Result<Request, Refusal> {
    request.has_content()?;
    let hosts: Vec<&[u8]> = request.fields.values("Host").collect();
    let host = match *hosts {
        [host] => authority::parse(host).ok_or(Refusal::HostInvalid)?,
        [] if request.version == Version::Http10 => String::new(),
        [] => return Err(Refusal::HostMissing),
        _ => return Err(Refusal::HostRepeated),
    };
    if request.host.is_empty() {
        request.host = host;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::http::Method;
    use super::*;
    use proptest::prelude::*;

    const LIMITS: HeadLimits =
        HeadLimits { head_max: 16 * 1024, target_max: 8000, fields_max: 100 };

    type Read = Result<Option<(Request, usize)>, Refusal>;

    /// Reads a head in one piece.
    fn read(wire: &[u8]) -> Read {
        HeadParser::new(LIMITS).advance(wire)
    }

    /// Reads a head byte by byte.
    fn trickle(wire: &[u8]) -> Read {
        let mut parser = HeadParser::new(LIMITS);
        for end in 0..=wire.len() {
            let done = parser.advance(&wire[..end])?;
            if done.is_some() {
                return Ok(done);
            }
        }
        Ok(None)
    }

    /// The refusal of a head, which does not depend on the cuts.
    fn refused(wire: &[u8]) -> Refusal {
        let refusal = read(wire).unwrap_err();
        assert_eq!(trickle(wire).unwrap_err(), refusal, "byte by byte");
        refusal
    }

    /// The request of a head, which does not depend on the cuts.
    fn accepted(wire: &[u8]) -> Request {
        let (request, size) = read(wire).unwrap().unwrap();
        let (trickled, trickled_size) = trickle(wire).unwrap().unwrap();
        assert_eq!(format!("{trickled:?}"), format!("{request:?}"), "byte by byte");
        assert_eq!((size, trickled_size), (wire.len(), wire.len()));
        request
    }

    /// A valid head with one more line.
    fn with_line(line: &str) -> Vec<u8> {
        format!("GET /chat HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n").into_bytes()
    }

    #[test]
    #[rustfmt::skip]
    fn rfc9112_3_request_lines() {
        use {Method::{Get, Head, Other}, Version::{Http10, Http11}};
        for (line, method, version, target, path, host) in [
            ("GET / HTTP/1.1", Get, Http11, "/", "/", "h:80"),
            ("GET /chat HTTP/1.1", Get, Http11, "/chat", "/chat", "h:80"),
            ("GET /chat?a=/b?c HTTP/1.1", Get, Http11, "/chat?a=/b?c", "/chat", "h:80"),
            ("GET //x/%ff;v=1 HTTP/1.1", Get, Http11, "//x/%ff;v=1", "//x/%ff;v=1", "h:80"),
            ("HEAD / HTTP/1.1", Head, Http11, "/", "/", "h:80"),
            ("POST / HTTP/1.1", Other, Http11, "/", "/", "h:80"),
            ("PATCH / HTTP/1.1", Other, Http11, "/", "/", "h:80"),
            ("GET / HTTP/1.0", Get, Http10, "/", "/", "h:80"),
            ("GET / HTTP/1.2", Get, Http11, "/", "/", "h:80"),
            ("GET / HTTP/1.9", Get, Http11, "/", "/", "h:80"),
            ("GET http://o/chat HTTP/1.1", Get, Http11, "/chat", "/chat", "o"),
            ("GET HTTP://Other.Example:81/a?b HTTP/1.1", Get, Http11, "/a?b", "/a", "other.example:81"),
            ("GET https://[::1]:1984/ HTTP/1.1", Get, Http11, "/", "/", "[::1]:1984"),
            ("GET http://o HTTP/1.1", Get, Http11, "/", "/", "o"),
            ("GET http://o?q=/ HTTP/1.1", Get, Http11, "/?q=/", "/", "o"),
            ("\r\nGET / HTTP/1.1", Get, Http11, "/", "/", "h:80"),
            ("\r\n\r\n\r\nGET / HTTP/1.1", Get, Http11, "/", "/", "h:80"),
        ] {
            let request = accepted(format!("{line}\r\nHost: H:80\r\n\r\n").as_bytes());
            assert_eq!((request.method, request.version), (method, version), "{line}");
            assert_eq!((&*request.target, request.path(), &*request.host), (target, path, host), "{line}");
        }
        assert_eq!(accepted(b"GET / HTTP/1.0\r\n\r\n").host, "");
        assert_eq!(accepted(b"GET http://o/ HTTP/1.0\r\n\r\n").host, "o");
    }

    #[test]
    #[rustfmt::skip]
    fn rfc9112_3_wrong_request_lines() {
        for (line, refusal) in [
            ("hello", Refusal::RequestLine),
            ("GET", Refusal::RequestLine),
            ("GET /", Refusal::RequestLine), // HTTP/0.9
            ("GET  / HTTP/1.1", Refusal::RequestLine),
            ("GET /  HTTP/1.1", Refusal::RequestLine),
            ("GET / HTTP/1.1 ", Refusal::RequestLine),
            (" GET / HTTP/1.1", Refusal::RequestLine),
            ("GET / x HTTP/1.1", Refusal::RequestLine),
            ("G(T / HTTP/1.1", Refusal::RequestLine),
            ("GET / http/1.1", Refusal::RequestLine),
            ("GET / HTTP/1.10", Refusal::RequestLine),
            ("GET / HTTP/11", Refusal::RequestLine),
            ("GET / HTTP/1", Refusal::RequestLine),
            ("GET / HTTP/1.x", Refusal::RequestLine),
            ("GET / HTTP/", Refusal::RequestLine),
            ("GET / HTTP/0.9", Refusal::HttpMajorVersion),
            ("GET / HTTP/2.0", Refusal::HttpMajorVersion),
            ("PRI * HTTP/2.0", Refusal::HttpMajorVersion),
            ("get / HTTP/1.1", Refusal::MethodUnknown),
            ("FOO / HTTP/1.1", Refusal::MethodUnknown),
            ("CONNECT h:80 HTTP/1.1", Refusal::MethodUnknown),
            ("OPTIONS * HTTP/1.1", Refusal::MethodUnknown),
            ("GET * HTTP/1.1", Refusal::Target),
            ("GET h:80 HTTP/1.1", Refusal::Target),
            ("GET chat HTTP/1.1", Refusal::Target),
            ("GET ?q HTTP/1.1", Refusal::Target),
            ("GET /chat#x HTTP/1.1", Refusal::Target),
            ("GET /\u{e9} HTTP/1.1", Refusal::Target),
            ("GET ws://h/ HTTP/1.1", Refusal::Target),
            ("GET http:/h/ HTTP/1.1", Refusal::Target),
            ("GET ://h/ HTTP/1.1", Refusal::Target),
            ("GET http:///x HTTP/1.1", Refusal::Target),
            ("GET http://:80/x HTTP/1.1", Refusal::Target),
            ("GET http://user@h/ HTTP/1.1", Refusal::Target),
            ("GET http://h:x/ HTTP/1.1", Refusal::Target),
            ("GET http://h/#x HTTP/1.1", Refusal::Target),
            ("GET\t/ HTTP/1.1", Refusal::ControlCharacter),
            ("GET /\u{7f} HTTP/1.1", Refusal::ControlCharacter),
            ("\u{16}\u{3}\u{1}", Refusal::ControlCharacter), // a TLS ClientHello
            ("GET / HTTP/1.1\rHost: h", Refusal::BareCr),
            ("GET / HTTP/1.1\r\r", Refusal::BareCr),
            ("GET / HTTP/1.1\nHost: h", Refusal::BareLf),
            ("\n", Refusal::BareLf),
        ] {
            assert_eq!(refused(format!("{line}\r\nHost: h\r\n\r\n").as_bytes()), refusal, "{line:?}");
        }
        assert_eq!(refused(b"GET /\xff HTTP/1.1\r\n"), Refusal::Target);
        assert_eq!(refused(b"G\xffT / HTTP/1.1\r\n"), Refusal::RequestLine);
    }

    #[test]
    #[rustfmt::skip]
    fn rfc9112_5_field_lines() {
        for (line, name, value) in [
            ("X-A: 1", "X-A", "1"),
            ("x-a:1", "X-A", "1"),
            ("X-A:  \t 1 2\t3 \t ", "x-a", "1 2\t3"),
            ("X-A:", "X-A", ""),
            ("X-A: \t ", "X-A", ""),
            ("X-A: a:b", "X-A", "a:b"),
            ("!#$%&'*+-.^_`|~09azAZ: v", "!#$%&'*+-.^_`|~09AZaz", "v"),
            ("X-A: \u{e9}\u{20ac}", "X-A", "\u{e9}\u{20ac}"),
        ] {
            let request = accepted(&with_line(line));
            let values: Vec<&[u8]> = request.fields.values(name).collect();
            assert_eq!(values, [value.as_bytes()], "{line:?}");
        }
        let opaque = accepted(b"GET / HTTP/1.1\r\nHost: h\r\nX-A: \xc3\x28\x80\xff\r\n\r\n");
        assert_eq!(opaque.fields.values("X-A").collect::<Vec<_>>(), [b"\xc3\x28\x80\xff"]);

        for (line, refusal) in [
            ("garbage", Refusal::FieldLine),
            (": v", Refusal::FieldLine),
            ("X-A : 1", Refusal::FieldLine),
            ("X A: 1", Refusal::FieldLine),
            ("X(: 1", Refusal::FieldLine),
            ("\u{e9}: 1", Refusal::FieldLine),
            (" X-A: 1", Refusal::Folded),
            ("\tX-A: 1", Refusal::Folded),
            ("X-A: 1\r\n 2", Refusal::Folded),
            ("X-A: 1\r\n\t2", Refusal::Folded),
            (" ", Refusal::Folded),
            ("X-A: a\rb", Refusal::BareCr),
            ("X-A: a\nb", Refusal::BareLf),
            ("X-A: a\r\r", Refusal::BareCr),
            ("X-A: a\0b", Refusal::ControlCharacter),
            ("X-A: \u{1b}", Refusal::ControlCharacter),
            ("X-A: \u{7f}", Refusal::ControlCharacter),
            ("X\u{8}A: 1", Refusal::ControlCharacter),
        ] {
            assert_eq!(refused(&with_line(line)), refusal, "{line:?}");
        }
        assert_eq!(refused(b"GET / HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n"), Refusal::Folded);
    }

    #[test]
    fn rfc9110_5_3_lines_of_one_name_are_one_list() {
        let request = accepted(
            b"GET / HTTP/1.1\r\nHost: h\r\nConnection: ,, keep-alive\t, \r\nX: y\r\n\
              connection:Upgrade ,x\r\nConnection:\r\n\r\n",
        );
        let elements: Vec<&[u8]> = request.fields.elements("CONNECTION").collect();
        assert_eq!(elements, [&b"keep-alive"[..], b"Upgrade", b"x"]);
        for (token, is_present) in [
            ("upgrade", true),
            ("UPGRADE", true),
            ("Keep-Alive", true),
            ("keep", false),
            ("", false),
            ("upgrade ,x", false),
        ] {
            assert_eq!(request.fields.has_token("Connection", token), is_present, "{token}");
        }
        assert!(!request.fields.has_token("Upgrade", "websocket"));
        assert_eq!(request.fields.values("Connection").count(), 3);
    }

    #[test]
    fn rfc9112_9_3_persistence() {
        for (head, persists) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
        ] {
            assert_eq!(accepted(head.as_bytes()).is_persistent(), persists, "{head:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn rfc9112_3_2_host() {
        for host in [
            "h", "h:", "h:80", "h:0", "h:65535", "H.Example.", "127.0.0.1:1984", "[::1]", "[::1]:1984",
            "[::ffff:1.2.3.4]:1", "a_b-c~d", "%c3%a9.example", "xn--bcher-kva.example", "",
        ] {
            let request = accepted(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            assert_eq!(request.host, host.to_ascii_lowercase());
        }
        for host in [
            "a b", "a@b", "h:99999", "h:65536", "h:80x", "h:-1", "h:+1", "h:80:81", "h/x", "h?x", "h#x",
            "[::1", "::1", "::1]", "[]", "[]:80", "[::1]80", "[::1]x:80", "x[::1]", "[::g]", "[::1]]",
            "http://h", "a,b c", "\u{e9}", "h\\x", "\"h\"",
        ] {
            let wire = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(refused(wire.as_bytes()), Refusal::HostInvalid, "{host}");
        }
        for (what, refusal, head) in [
            ("none", Refusal::HostMissing, "GET / HTTP/1.1\r\n\r\n"),
            ("none in 1.2", Refusal::HostMissing, "GET / HTTP/1.2\r\nX: h\r\n\r\n"),
            ("none beside absolute-form", Refusal::HostMissing, "GET http://o/ HTTP/1.1\r\n\r\n"),
            ("two", Refusal::HostRepeated, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
            ("twice the same", Refusal::HostRepeated, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
            ("two in 1.0", Refusal::HostRepeated, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
            ("invalid in 1.0", Refusal::HostInvalid, "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
            ("invalid beside absolute-form", Refusal::HostInvalid, "GET http://o/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
        ] {
            assert_eq!(refused(head.as_bytes()), refusal, "{what}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn rfc9112_6_3_content() {
        for (lines, has_content) in [
            ("X: y", Ok(false)),
            ("Content-Length: 0", Ok(false)),
            ("Content-Length: 000", Ok(false)),
            ("Content-Length: 5", Ok(true)),
            ("content-length: 10", Ok(true)),
            ("Content-Length: 99999999999999999999999", Ok(true)),
            ("Transfer-Encoding: chunked", Ok(true)),
            ("Transfer-Encoding: , CHUNKED ,", Ok(true)),
            ("Content-Length:", Err(Refusal::ContentLength)),
            ("Content-Length: -1", Err(Refusal::ContentLength)),
            ("Content-Length: +5", Err(Refusal::ContentLength)),
            ("Content-Length: 5x", Err(Refusal::ContentLength)),
            ("Content-Length: 0x5", Err(Refusal::ContentLength)),
            ("Content-Length: 5 6", Err(Refusal::ContentLength)),
            ("Content-Length: 5, 5", Err(Refusal::ContentLength)),
            ("Content-Length: 5\r\nContent-Length: 6", Err(Refusal::ContentLength)),
            ("Content-Length: 0\r\nContent-Length: 0", Err(Refusal::ContentLength)),
            ("Transfer-Encoding: gzip", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: chunked, gzip", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: xchunked", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding:", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: ,", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0", Err(Refusal::ContentFraming)),
            ("Content-Length: x\r\nTransfer-Encoding: gzip", Err(Refusal::ContentFraming)),
            ("Transfer-Encoding: gzip, chunked", Err(Refusal::TransferCoding)),
            ("Transfer-Encoding: x\r\nTransfer-Encoding: chunked", Err(Refusal::TransferCoding)),
            ("Transfer-Encoding: chunked, chunked", Err(Refusal::TransferCoding)),
        ] {
            match has_content {
                Ok(_) => assert_eq!(accepted(&with_line(lines)).has_content(), has_content, "{lines:?}"),
                Err(refusal) => assert_eq!(refused(&with_line(lines)), refusal, "{lines:?}"),
            }
        }
        let old = b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(refused(old), Refusal::ContentFraming);
    }

    #[test]
    fn rfc9112_3_the_target_on_both_sides_of_its_limit() {
        let target = |length: usize| format!("/{}", "a".repeat(length - 1));
        for length in [1, 7999, 8000] {
            let wire = format!("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target(length));
            assert_eq!(accepted(wire.as_bytes()).target.len(), length);
        }
        for length in [8001, 8002, 12_000] {
            let wire = format!("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target(length));
            assert_eq!(refused(wire.as_bytes()), Refusal::TargetTooLong);
        }
        // The end of the line is not needed to refuse it.
        assert!(read(format!("GET {}", target(8000)).as_bytes()).unwrap().is_none());
        assert_eq!(refused(format!("GET {}", target(8001)).as_bytes()), Refusal::TargetTooLong);
        assert_eq!(refused(format!("GET {}", target(100_000)).as_bytes()), Refusal::TargetTooLong);
        assert!(read("A".repeat(32).as_bytes()).unwrap().is_none());
        assert_eq!(refused("A".repeat(33).as_bytes()), Refusal::MethodUnknown);
        assert_eq!(refused("A".repeat(100_000).as_bytes()), Refusal::MethodUnknown);
    }

    #[test]
    fn rfc9110_5_4_the_head_on_both_sides_of_its_limit() {
        let head = |size: usize| {
            let start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
            format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4))
        };
        let max = LIMITS.head_max;
        for size in [100, max - 1, max] {
            accepted(head(size).as_bytes());
        }
        for size in [max + 1, max + 2, max + 3, max + 4, max + 5, 100_000] {
            assert_eq!(refused(head(size).as_bytes()), Refusal::HeadTooLarge, "{size}");
        }
        // Without an end, and without a request line.
        assert!(read(&head(max + 4).as_bytes()[..max - 1]).unwrap().is_none());
        assert_eq!(refused(&head(max + 4).as_bytes()[..max]), Refusal::HeadTooLarge);
        assert_eq!(refused(&b"\r\n".repeat(max)), Refusal::HeadTooLarge);
        // Bytes after the head do not count, however many there are.
        let wire = [head(max).into_bytes(), vec![0; 100_000]].concat();
        assert_eq!(read(&wire).unwrap().unwrap().1, max);
    }

    #[test]
    fn rfc9110_5_4_fields_on_both_sides_of_their_limit() {
        let head = |fields: usize| {
            let more = (1..fields).map(|i| format!("X-{i}: {i}\r\n")).collect::<String>();
            format!("GET / HTTP/1.1\r\nHost: h\r\n{more}\r\n")
        };
        for fields in [1, 99, 100] {
            assert_eq!(accepted(head(fields).as_bytes()).fields.count(), fields);
        }
        for fields in [101, 1000] {
            assert_eq!(refused(head(fields).as_bytes()), Refusal::TooManyFields);
        }
    }

    #[test]
    fn rfc9110_5_3_no_request_before_the_head_is_whole() {
        let wire = b"\r\nGET http://o/chat?x HTTP/1.1\r\nHost: h\r\nX-A:\t1 \r\n\r\n";
        for cut in 0..wire.len() {
            let mut parser = HeadParser::new(LIMITS);
            assert!(parser.advance(&wire[..cut]).unwrap().is_none(), "cut {cut}");
            let (request, size) = parser.advance(wire).unwrap().unwrap();
            assert_eq!((&*request.target, &*request.host, size), ("/chat?x", "o", wire.len()));
        }
        let early = [&wire[..], b"\x81\x85more"].concat();
        assert_eq!(read(&early).unwrap().unwrap().1, wire.len());
    }

    proptest! {
        /// Any input has one result, however it is cut, and no panic.
        #[test]
        fn rfc9112_2_the_result_does_not_depend_on_the_cuts(
            pieces in prop::collection::vec(prop_oneof![
                8 => prop::sample::select(vec![
                    &b"GET "[..], b"/chat", b" HTTP/1.1", b"\r\n", b"\r\n", b"Host: h", b"Host", b":",
                    b"Connection: a,b", b"Content-Length: 0", b" ", b"http://h", b"\r", b"\n", b"\t",
                ]).prop_map(<[u8]>::to_vec),
                1 => prop::collection::vec(any::<u8>(), 1..4),
                1 => (30usize..40).prop_map(|count| vec![b'A'; count]),
                1 => (7990usize..8300).prop_map(|count| vec![b'a'; count]),
            ], 0..14),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let wire = pieces.concat();
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
            ends.sort_unstable();
            ends.push(wire.len());

            let mut parser = HeadParser::new(LIMITS);
            let cut = ends.iter().map(|end| parser.advance(&wire[..*end]));
            let cut = cut.into_iter().find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
            let whole = format!("{:?}", read(&wire));
            prop_assert_eq!(format!("{cut:?}"), &whole[..]);
            prop_assert_eq!(format!("{:?}", trickle(&wire)), whole);
        }
    }
}
