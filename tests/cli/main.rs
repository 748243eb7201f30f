//! The command line, the verbs that need no sidecar, the programs whose variables are read, and what the pages say of all that.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod compat;
mod dependencies;
mod install;
mod install_together;
mod misspelt;
mod options;
mod pitfalls;
mod readme;
mod sidecars_page;
mod static_binary;
