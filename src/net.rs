//! What every program that speaks over a socket needs: reads with a deadline, and an orderly end.

pub mod stream;
