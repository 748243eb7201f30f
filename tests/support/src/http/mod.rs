//! HTTP on both sides: one client; one server, and three kinds of script for it.

pub mod client;
pub mod fake;
pub mod peer;
pub mod server;
pub mod standin;

pub use client::{Answer, ask, ask_unix, refuses, status};
