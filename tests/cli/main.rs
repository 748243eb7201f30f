//! The command line, the verbs that need no sidecar, the programs whose variables are read, and what the pages say of all that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[macro_use(only_ours)]
extern crate support;

mod compat;
mod dependencies;
mod fuzz;
mod install;
mod install_together;
mod misspelt;
mod options;
mod pinned;
mod pitfalls;
mod readme;
mod reference;
mod release;
mod sidecars_page;
mod static_binary;

support::test_program!();
