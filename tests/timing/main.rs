//! What is bound to time, processor or memory: bounds of another order of magnitude than what is promised.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly, and a measurement is told"
)]

#[macro_use(only_ours)]
extern crate support;

mod early;
mod fuzz_peer;
mod idle;
mod latency;

support::test_program!();
