//! The harness of the black-box tests: it starts the wrapper as PID 1 of a PID namespace of its own (or as
//! an ordinary process), plays the sidecars, and waits for facts under deadlines, never for a while.
//!
//! ```text
//! launch   → what is started, in which surroundings (running: its end; stream: what it writes)
//! launcher → the way from a test to PID 1, run by reexec, with mounts, net, raw, refuse (a kernel that refuses calls)
//! jobs     → exact main programs, run by reexec           facts → /proc, pipes, ports, deadlines
//! http     → client; server: fake (a scripted sidecar), standin (recorded answers), peer (any bytes)
//! sidecar  → a real sidecar, the real Envoy               real → other real sidecars, more of Envoy
//! members  → mains and guards of a group                  pty → a terminal, typed at by the test
//! gate, stop → mains that start, mains that end           elf, port, temp → files, ports, folders
//! golden → files of the repository that a test writes
//! ```
//! A test program says `support::test_program!()` in its `main.rs`.
//!
//! Variables: `LASTOUT_BIN` (the binary under test; default: the one cargo built), `INIT_UNDER_TEST`
//! (`ours`, `tini`, `dumb-init`, `catatonit`), `LASTOUT_SIDECARS` (folder of the real sidecars),
//! `LASTOUT_REQUIRE_SIDECARS=1` (a missing one is a failure and no skip), `LASTOUT_REQUIRE_TOOLS` (the same of other programs:
//! 1, or their names), `LASTOUT_TEST_ALL=1` (as `make test-all`).
mod launcher;
mod mounts;
mod raw;
mod refuse;

pub mod elf;
pub mod facts;
pub mod gate;
pub mod golden;
pub mod http;
pub mod init;
pub mod jobs;
pub mod known;
pub mod launch;
pub mod members;
pub mod net;
pub mod port;
pub mod pty;
pub mod real;
pub mod reexec;
pub mod running;
pub mod sidecar;
pub mod stop;
pub mod stream;
pub mod temp;

pub use facts::{eventually, median, ms, pause, until, until_sent_in_time};
pub use http::{
    fake::{Fake, Reply},
    standin::Standin,
};
pub use init::{Init, binary, job, skip, thorough};
pub use launch::Launch;
pub use mounts::DevTty;
pub use net::own_network;
pub use port::Port;
pub use pty::Pty;
pub use running::{End, Running};
pub use sidecar::Sidecar;
pub use stop::stopped;
pub use temp::TempDir;

/// Leaves a test that only makes sense for the wrapper itself when another init is under test.
#[macro_export]
macro_rules! only_ours {
    () => {
        if $crate::Init::under_test() != $crate::Init::Ours {
            return $crate::skip("this behaviour is lastout's own");
        }
    };
}
