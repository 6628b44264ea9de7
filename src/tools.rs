//! The commands other than `serve`, a module each. What they print about bytes comes from `wire` and
//! `explain`.

pub mod accept;
pub mod decode;
pub mod encode;
mod output;

pub use output::{Failure, Status, print};
