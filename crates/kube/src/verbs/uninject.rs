//! `kubectl lastout uninject FILE…`

use super::rewrite::{read_all, rewrite};
use crate::args;
use crate::exit::Ended;
use clap::{ArgMatches, Command};
use std::fmt::Write as _;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("uninject")
        .about("Take lastout out of manifests again")
        .arg(args::files())
        .arg(args::pod_path())
        .args(args::writing_options())
}

/// Takes lastout out.
///
/// # Errors
/// About a file, in one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let extra = args::pod_paths(matches);
    rewrite(matches, read_all(matches)?, |source, manifest, told| {
        let undone = manifest.undo(&extra).into_iter();
        undone
            .map(|(_, workload, changes)| {
                let what = if changes.is_empty() { "lastout is not there" } else { "lastout is taken out" };
                // A `String` takes all that is written to it.
                let _ = writeln!(told, "{}: {}: {what}", source.name(), workload.title());
                (workload.pod, changes)
            })
            .collect()
    })
}
