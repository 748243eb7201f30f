//! `kubectl lastout uninject FILE…`

use super::rewrite::{read_all, rewrite};
use crate::args;
use crate::change::Change;
use crate::decide::Stays;
use crate::exit::Ended;
use crate::output::report_line;
use crate::pod::Workload;
use clap::{ArgMatches, Command};

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
    rewrite(matches, read_all(matches)?, |source, manifest| {
        let told = |(document, workload, undone): (usize, Workload, Result<Vec<Change>, Stays>)| {
            let what = match &undone {
                Ok(changes) if changes.is_empty() => "lastout is not there".to_owned(),
                Ok(_) => "lastout is taken out".to_owned(),
                Err(why) => format!("lastout stays: {why}"),
            };
            report_line(&format!("{}: {}: {what}", source.name(), workload.title()));
            (document, workload, undone.unwrap_or_default())
        };
        manifest.undo(&extra).into_iter().map(told).collect()
    })
}
