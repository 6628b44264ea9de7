//! Sockets for any protocol: reads with a deadline, and an orderly close.

pub mod stream;
