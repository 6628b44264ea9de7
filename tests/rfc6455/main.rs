//! RFC 6455, requirement by requirement, over real sockets to the real server.
//!
//! `wirechat::rfc6455` is the register of requirements; `shown.tsv` says how each row is shown. Each
//! module below is a section; the table at its top lists the rows that each of its tests shows.
//! [`register`] compares the two, [`harness`] runs the tests, [`report`] prints the result.
//!
//! ```text
//! cargo test --test rfc6455                every test, and the register
//! cargo test --test rfc6455 s5_5           section 5.5 and its subsections, in any module
//! cargo test --test rfc6455 -- --table     the register with results; target/conformance.html
//! ```
//!
//! Where the RFC says "as soon as practical", an answer is late after 2 s and a violation after 10 s.
//! `WIRECHAT_TEST_LATE` and `WIRECHAT_TEST_DEADLINE` change these numbers of seconds. A late answer is
//! reported on standard error and in the table, but does not fail: the machine may be busy.

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod harness;
mod probe;
mod register;
mod report;

mod http;
mod s10;
mod s11;
mod s2;
mod s3;
mod s4_1;
mod s4_2_1;
mod s4_2_2;
mod s4_3;
mod s4_4;
mod s5_1;
mod s5_2;
mod s5_3;
mod s5_4;
mod s5_5;
mod s5_5_1;
mod s5_5_2;
mod s5_5_3;
mod s5_6;
mod s5_8;
mod s6;
mod s7_1;
mod s7_2;
mod s7_3;
mod s7_4;
mod s8;
mod s9;

use std::process::ExitCode;

use harness::Test;

/// In the order of the RFC.
const SECTIONS: &[&[Test]] = &[
    s2::TESTS,
    s3::TESTS,
    s4_1::TESTS,
    s4_2_1::TESTS,
    s4_2_2::TESTS,
    s4_3::TESTS,
    s4_4::TESTS,
    s5_1::TESTS,
    s5_2::TESTS,
    s5_3::TESTS,
    s5_4::TESTS,
    s5_5::TESTS,
    s5_5_1::TESTS,
    s5_5_2::TESTS,
    s5_5_3::TESTS,
    s5_6::TESTS,
    s5_8::TESTS,
    s6::TESTS,
    s7_1::TESTS,
    s7_2::TESTS,
    s7_3::TESTS,
    s7_4::TESTS,
    s8::TESTS,
    s9::TESTS,
    s10::TESTS,
    s11::TESTS,
    http::TESTS,
];

fn main() -> ExitCode {
    let tests: Vec<&Test> = SECTIONS.iter().copied().flatten().collect();
    harness::main(&tests)
}
