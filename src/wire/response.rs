//! A response in HTTP, RFC 9112 section 4, and the calendar of its Date field.

use super::http::Method;
use super::refusal::Refusal;

/// A response in HTTP.
#[derive(Debug)]
pub struct Response {
    /// The status code and its reason, as in `200 OK`.
    pub status: &'static str,
    /// The names and values of the fields.
    pub fields: Vec<(&'static str, String)>,
    /// The content. Content-Length is its length, even if it is not sent.
    pub content: Vec<u8>,
}

impl Response {
    /// The bytes to send, and how many of them are the head. The response to HEAD has no content (RFC 9110,
    /// 9.3.2). `unix_time`, in seconds, is for the Date field.
    pub fn encode(&self, method: Method, unix_time: u64) -> (Vec<u8>, usize) {
        let mut head = format!("HTTP/1.1 {}\r\nDate: {}\r\n", self.status, date(unix_time));
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.content.len()));
        let head_size = head.len();
        let mut bytes = head.into_bytes();
        if method != Method::Head {
            bytes.extend_from_slice(&self.content);
        }
        (bytes, head_size)
    }
}

impl Refusal {
    /// The response, which is the last one on its connection.
    pub fn response(self) -> Response {
        let rule = self.rule();
        let section = rule.requirement.section;
        let rfc = if section.starts_with("RFC") { "" } else { "RFC 6455, " };
        // RFC 9110, 15.5.22 and 7.8: a 426 names the protocol to upgrade to.
        let connection = if self == Self::VersionUnsupported { "Upgrade, close" } else { "close" };
        let mut fields = vec![
            ("Connection", connection.to_owned()),
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        let own = REFUSAL_FIELDS.iter().filter(|(refusal, ..)| *refusal == self);
        fields.extend(own.map(|(_, name, value)| (*name, (*value).to_owned())));
        let content = format!("{} ({rfc}{section})\n", rule.sentence).into();
        Response { status: rule.status, fields, content }
    }
}

/// The fields that a refusal adds to its response, so that a client can do better.
#[rustfmt::skip]
const REFUSAL_FIELDS: &[(Refusal, &str, &str)] = &[
    (Refusal::OnlyGet,            "Allow", "GET"),
    (Refusal::OnlyGetOrHead,      "Allow", "GET, HEAD"),
    (Refusal::VersionMissing,     "Sec-WebSocket-Version", "13"),
    (Refusal::VersionInvalid,     "Sec-WebSocket-Version", "13"),
    (Refusal::VersionUnsupported, "Sec-WebSocket-Version", "13"),
    (Refusal::VersionUnsupported, "Upgrade", "websocket"),
    (Refusal::Full,               "Retry-After", "10"),
    (Refusal::Stopping,           "Retry-After", "10"),
];

/// The date as in `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
pub fn date(unix_time: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(unix_time);
    let (hour, minute, second) = clock(unix_time);
    let weekday = DAYS[(unix_time / 86_400 % 7) as usize];
    let month = MONTHS[((month - 1) % 12) as usize];
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Hour, minute and second of the day.
pub fn clock(unix_time: u64) -> (u64, u64, u64) {
    (unix_time / 3600 % 24, unix_time / 60 % 60, unix_time % 60)
}

/// Year, month (from 1) and day (from 1) in the Gregorian calendar. This is `civil_from_days` of Howard
/// Hinnant's "chrono-Compatible Low-Level Date Algorithms". It begins each year in March, so that a leap day
/// is the last day of a year.
pub fn civil(unix_time: u64) -> (u64, u64, u64) {
    let days = unix_time / 86_400 + 719_468; // since 0000-03-01
    let era = days / 146_097; // of 400 years
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::super::refusal::{REFUSAL_RULES, RefusalRule};
    use super::*;

    fn field(response: &Response, name: &str) -> Vec<String> {
        let of_that_name = response.fields.iter().filter(|(known, _)| *known == name);
        of_that_name.map(|(_, value)| value.clone()).collect()
    }

    #[test]
    fn rfc9110_9_3_2_the_response_to_head_is_the_response_to_get_without_content() {
        let fields = vec![("Content-Type", "text/plain".to_owned()), ("Allow", "GET".to_owned())];
        let response = Response { status: "200 OK", fields, content: b"hello\n".to_vec() };
        let head = "HTTP/1.1 200 OK\r\n\
                    Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Content-Type: text/plain\r\n\
                    Allow: GET\r\n\
                    Content-Length: 6\r\n\r\n";
        let encoded = |method| {
            let (bytes, head_size) = response.encode(method, 784_111_777);
            assert_eq!(head_size, head.len());
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(encoded(Method::Get), format!("{head}hello\n"));
        assert_eq!(encoded(Method::Other), format!("{head}hello\n"));
        assert_eq!(encoded(Method::Head), head);
    }

    #[test]
    fn rfc9110_5_6_7_dates() {
        for (unix_time, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), // the RFC's example
            (946_684_799, "Fri, 31 Dec 1999 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_208_000, "Thu, 29 Feb 2024 12:00:00 GMT"),
            (4_107_456_000, "Sun, 28 Feb 2100 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(date(unix_time), expected);
        }
    }

    /// A calendar counted day by day, for more than the 400 years after which it repeats.
    #[test]
    fn civil_dates_are_those_of_a_calendar_counted_day_by_day() {
        let is_leap = |year| year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
        let mut day = 0;
        for year in 1970..2400 {
            let february = if is_leap(year) { 29 } else { 28 };
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for day_of_month in 1..=length {
                    assert_eq!(civil(86_400 * day), (year, month, day_of_month));
                    assert_eq!(civil(86_400 * day + 86_399), (year, month, day_of_month));
                    day += 1;
                }
            }
        }
    }

    #[test]
    fn s7_2_2_every_refusal_closes_the_connection_and_says_why() {
        for RefusalRule { refusal, .. } in &REFUSAL_RULES {
            let RefusalRule { requirement, status, sentence, .. } = refusal.rule();
            let response = refusal.response();
            assert_eq!(response.status, *status);
            let closes = field(&response, "Connection");
            let upgrade = if refusal.code() == 426 { "Upgrade, close" } else { "close" };
            assert_eq!(closes, [upgrade], "{refusal:?}");
            assert_eq!(field(&response, "Content-Type"), ["text/plain; charset=utf-8"]);
            assert_eq!(field(&response, "X-Content-Type-Options"), ["nosniff"]);

            let content = str::from_utf8(&response.content).unwrap();
            let section = requirement.section;
            let rule = if section.starts_with("RFC") { "" } else { "RFC 6455, " };
            assert_eq!(content, format!("{sentence} ({rule}{section})\n"));

            let (bytes, _) = response.encode(Method::Get, 0);
            let line = format!("HTTP/1.1 {status}\r\n");
            assert!(bytes.starts_with(line.as_bytes()) && bytes.ends_with(content.as_bytes()));
        }
    }

    #[test]
    fn a_status_has_the_fields_that_it_requires() {
        for RefusalRule { refusal, .. } in &REFUSAL_RULES {
            let response = refusal.response();
            let is_version =
                |text: &str| text.contains("Sec-WebSocket-Version") || text.contains("version 13");
            for (name, is_required) in [
                ("Allow", refusal.code() == 405),   // RFC 9110, 15.5.6
                ("Upgrade", refusal.code() == 426), // RFC 9110, 15.5.22
                ("Sec-WebSocket-Version", is_version(refusal.rule().sentence)), // 4.4
                ("Retry-After", refusal.code() == 503),
            ] {
                let values = field(&response, name);
                assert_eq!(
                    values.len(),
                    usize::from(is_required),
                    "{refusal:?}: {name} {values:?}"
                );
            }
        }
        for (refusal, name, value) in [
            (Refusal::OnlyGet, "Allow", "GET"),
            (Refusal::OnlyGetOrHead, "Allow", "GET, HEAD"),
            (Refusal::VersionUnsupported, "Upgrade", "websocket"),
            (Refusal::VersionUnsupported, "Sec-WebSocket-Version", "13"),
            (Refusal::VersionMissing, "Sec-WebSocket-Version", "13"),
            (Refusal::VersionInvalid, "Sec-WebSocket-Version", "13"),
            (Refusal::Full, "Retry-After", "10"),
        ] {
            assert_eq!(field(&refusal.response(), name), [value], "{refusal:?}");
        }
    }

    #[test]
    fn no_field_is_repeated() {
        for RefusalRule { refusal, .. } in &REFUSAL_RULES {
            let fields = refusal.response().fields;
            for (i, (name, _)) in fields.iter().enumerate() {
                let is_new = fields[..i].iter().all(|(other, _)| !other.eq_ignore_ascii_case(name));
                assert!(is_new, "{refusal:?}: {name}");
            }
        }
    }
}
