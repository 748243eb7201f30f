//! Several mains in one pod, and guards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod deaths;
mod folder;
mod guard;
mod guarded;
mod members;

support::test_program!();
