//! `kubectl lastout uninject FILE…`

use super::rewrite::{read_all, rewrite};
use crate::args;
use crate::exit::Ended;
use crate::output::one_line;
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
            .map(|(_, workload, undone)| {
                let what = match &undone {
                    Ok(changes) if changes.is_empty() => "lastout is not there".to_owned(),
                    Ok(_) => "lastout is removed".to_owned(),
                    Err(why) => format!("lastout stays: {why}"),
                };
                // A `String` takes all that is written to it.
                let line = format!("{}: {}: {what}", source.name(), workload.title());
                let _ = writeln!(told, "{}", one_line(&line));
                (workload.pod, undone.unwrap_or_default())
            })
            .collect()
    })
}
