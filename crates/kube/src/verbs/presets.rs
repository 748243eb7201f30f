//! `kubectl lastout presets`

use crate::args::flag;
use crate::exit::{Ended, Exit};
use crate::output::print;
use clap::{ArgMatches, Command};
use lastout_core::presets;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("presets").about("Print the known sidecars").arg(flag("json", "As a JSON array"))
}

/// Prints them, as the wrapper does.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    print(&if matches.get_flag("json") { presets::json() } else { presets::table() })?;
    Ok(Exit::Done)
}
