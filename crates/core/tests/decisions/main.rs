//! What the core decides, from outside: scripts of events in, actions out, the clock in the test's hand. Examples
//! say what the contract says, one sentence each; properties play thousands of random worlds and hold the whole
//! story against an oracle.
//!
//! ```text
//! scene       what the tests have in common
//! phases, signals, guard, stopping    the machine by example
//! world → tale → properties           the machine in random worlds
//! sidecar → rules, fallback, lives    the stop of one scripted sidecar: by example, and of any
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
mod gate;
mod guard;
mod lives;
mod phases;
mod properties;
mod rules;
mod scene;
mod sidecar;
mod signals;
mod stopping;
mod tale;
mod telling;
mod world;
