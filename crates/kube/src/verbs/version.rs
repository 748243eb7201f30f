//! `kubectl lastout version`

use crate::exit::{Ended, Exit};
use crate::output::print;
use clap::{ArgMatches, Command};

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("version").about("Print the version, and how many known sidecars it has")
}

/// Prints it.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(_: &ArgMatches) -> Ended {
    let known = lastout_core::presets::PRESETS.len();
    print(&format!("kubectl-lastout {}, {known} known sidecars\n", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Done)
}
