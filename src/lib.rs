//! `lastout`: runs a container's program as its init, and stops the sidecars when it has ended.
//!
//! ```text
//! argv, environment ─ cli ─► raw values ─ core::settings ─► Settings
//!                                                              │ start
//!        signals, children, deadlines ─ events ─► run ⇄ core::machine
//!                                                  │
//!                sidecar (gate, stop) ◄────────────┼────────────► process ─► the command
//!                                                  ▼
//!                                       outcome ─► exit code
//! ```
//!
//! Each module uses those below it, and none above:
//!
//! ```text
//! start                    argv and environment → the job, or a verb
//! cli · verbs              how it is spelled; install, sleep
//! run                      events → machine → actions
//! record                   the command's and each sidecar's status so far; the report
//! sidecar · group · events probes and stops; locks shared by several mains; what happens next
//! process                  spawn, diagnose, terminal, env_file, procfs, exit
//! threads · output         how helper threads reach the loop; log lines, and what is never shown
//! sys                      the system calls that nix lacks: the only `unsafe` beside the two lines by which C calls us
//! ```

#![cfg(target_os = "linux")]

mod cli;
mod events;
mod group;
mod output;
mod process;
mod record;
mod run;
mod sidecar;
mod start;
mod sys;
mod threads;
mod verbs;

pub use start::start;

/// Ways in for the fuzz targets (`fuzz/`), which call what is not public. No other build has them.
#[cfg(fuzzing)]
pub mod fuzzed {
    pub use crate::process::env_file::{Wrong, parse as read_env_file};
    pub use crate::sidecar::fuzzed::{Answer, Failure, HEAD_LIMIT, ask};
}
