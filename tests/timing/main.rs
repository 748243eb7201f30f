//! What is bound to time, processor or memory: bounds of another order of magnitude than what is promised.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod early;
mod fuzz_peer;
mod idle;
mod latency;
