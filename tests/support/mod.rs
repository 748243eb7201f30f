//! The harness of the black-box tests: it starts the wrapper as PID 1 of a PID namespace of its own (or as
//! an ordinary process), plays the sidecars, and waits for facts under deadlines, never for a while.
//!
//! ```text
//! launch  → what is started (running: its end)   stage → the way from a test to PID 1 (re-executed)
//! fake    → a scripted sidecar on loopback       jobs  → exact main programs (re-executed)
//! sidecar → a real sidecar, the real Envoy       facts → /proc, pipes, ports, deadlines
//! pty     → a terminal, typed at by the test     acts, strike → more of the jobs
//! refuse  → a kernel that refuses system calls   members → mains and guards of a group
//! real    → other real sidecars, more of Envoy   standin → recorded answers of those that cannot be had
//! peer    → a server that says any bytes         wire → a request of any kind, the whole answer
//! net     → a network of the test's own          gate, stop → mains that start, mains that end
//! ```
//!
//! Variables: `LASTOUT_BIN` (the binary under test; default: the one cargo built), `INIT_UNDER_TEST`
//! (`ours`, `tini`, `dumb-init`, `catatonit`), `LASTOUT_SIDECARS` (folder of the real sidecars),
//! `LASTOUT_REQUIRE_SIDECARS=1` (a missing one is a failure and no skip), `LASTOUT_TEST_ALL=1` (as `make test-all`).
#![allow(
    unsafe_code,
    reason = "namespaces, signals by number and sockets that refuse on purpose need raw system calls"
)]
#![allow(dead_code, unused_imports, reason = "each test program uses its own part of the harness")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and a scripted delay is a sleep"
)]

mod acts;
pub mod elf;
pub mod facts;
pub mod fake;
pub mod gate;
pub mod http;
pub mod init;
pub mod jobs;
pub mod launch;
pub mod members;
pub mod net;
pub mod peer;
pub mod port;
pub mod pty;
mod raw;
pub mod real;
pub mod refuse;
pub mod running;
mod serve;
pub mod sidecar;
pub mod stage;
pub mod standin;
pub mod stop;
pub mod stream;
pub mod strike;
pub mod surroundings;
pub mod temp;
pub mod wire;

pub use facts::{eventually, median, ms, pause, until, until_sent_in_time};
pub use fake::{Fake, Reply};
pub use init::{Init, binary, job, skip, thorough};
pub use launch::Launch;
pub use net::own_network;
pub use port::Port;
pub use pty::Pty;
pub use running::{End, Running};
pub use sidecar::Sidecar;
pub use standin::Standin;
pub use stop::stopped;
pub use temp::TempDir;

/// Leaves a test that only makes sense for the wrapper itself when another init is under test.
#[macro_export]
macro_rules! only_ours {
    () => {
        if $crate::support::Init::under_test() != $crate::support::Init::Ours {
            return $crate::support::skip("this behaviour is lastout's own");
        }
    };
}
