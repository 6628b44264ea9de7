//! RFC 6455, requirement by requirement, over real sockets to the real server.
//!
//! `requirements.tsv` is the register: one line for each requirement, and how it is shown. Each module
//! below is a section of the RFC; the table at its top lists the requirements that each test shows.
//! [`register`] compares the register with these tables, [`harness`] runs the tests, [`report`] prints
//! the result.
//!
//! ```text
//! cargo test --test rfc6455                every test, and the register
//! cargo test --test rfc6455 s5_5           the tests of section 5.5 and its subsections
//! cargo test --test rfc6455 -- --table     prints the register with results; writes target/conformance.html
//! ```
//!
//! Where the RFC requires something soon, it is reported as late after 2 s and fails after 10 s.
//! `WIRECHAT_TEST_LATE` and `WIRECHAT_TEST_DEADLINE` set other limits in seconds. Late is reported on
//! standard error and in the table but is not a failure, because the machine can be busy.

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

/// The tests of all sections, in the order of the RFC.
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
