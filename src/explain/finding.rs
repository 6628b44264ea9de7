//! What is wrong with a frame: the broken requirement of the register, and the Close that answers it.

use crate::rfc6455::{Requirement, requirement};
use crate::wire::close::CloseCode;
use crate::wire::dissect::Frame;
use crate::wire::violation::Rule;

/// One requirement that a frame breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The requirement in the register.
    pub requirement: &'static Requirement,
    /// What was seen.
    pub sentence: &'static str,
    /// The code of the Close that a conforming receiver sends; `None` if it sends no Close.
    pub code: Option<CloseCode>,
}

/// The only violation without a Close: the closing handshake has begun before.
const DATA_AFTER_CLOSE: Finding =
    Finding { requirement: requirement("5.5.1-h"), sentence: "data after a Close", code: None };

/// Every requirement that a frame breaks, in the order in which a receiver detects them.
pub fn findings(frame: &Frame) -> Vec<Finding> {
    let broken = frame.violations.iter().map(|violation| {
        let Rule { requirement, sentence, code, .. } = violation.rule();
        Finding { requirement, sentence, code: Some(*code) }
    });
    frame.is_too_late().then_some(DATA_AFTER_CLOSE).into_iter().chain(broken).collect()
}
