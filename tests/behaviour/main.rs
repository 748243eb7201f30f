//! What the wrapper does, tried on the built binary: gate, main, signals, stop.

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

mod candidates;
mod debug;
mod emulated;
mod env_file;
mod exit_code;
mod hung_files;
mod inherit;
mod job_control;
mod leftovers;
mod limits;
mod process_group;
mod proof;
mod reaping;
mod recorded;
mod refused;
mod report;
mod several;
mod signal_rules;
mod signals;
mod sleep;
mod spec_keys;
mod stderr;
mod stop;
mod stop_faults;
mod stop_signals;
mod storm;
mod verbs;
mod wait;
mod wait_signals;

support::test_program!();
