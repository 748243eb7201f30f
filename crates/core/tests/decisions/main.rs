//! What the core decides, from outside: scripts of events in, actions out, the clock in the test's hand. Examples
//! say what the contract says, one sentence each; properties simulate thousands of random runs and hold the whole
//! trace against an oracle.
//!
//! ```text
//! fixtures                            what the tests have in common
//! phases, signals, guard, stopping    the machine by example
//! simulation → trace → properties     the machine in random runs
//! sidecar → rules, fallback, stop_properties    the stop of one scripted sidecar: by example, and of any
//! driver                              a whole stop, driven by a list of events
//! gate, telling                       when to probe; what the user reads
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod driver;
mod fallback;
mod fixtures;
mod gate;
mod guard;
mod phases;
mod properties;
mod rules;
mod sidecar;
mod signals;
mod simulation;
mod stop_properties;
mod stopping;
mod telling;
mod trace;
