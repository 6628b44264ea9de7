//! The other commands. Each is a file here; what they say of octets comes from `explain` and `wire`.

pub mod decode;
