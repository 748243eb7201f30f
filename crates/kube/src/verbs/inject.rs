//! `kubectl lastout inject FILE…`

use super::decisions::{asked, verdict};
use super::rewrite::{read_all, rewrite};
use crate::args;
use crate::decide::Context;
use crate::exit::{Ended, Error};
use crate::files::Source;
use crate::manifest::Judged;
use crate::output::one_line;
use clap::{ArgMatches, Command};
use std::fmt::Write as _;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("inject")
        .about("Add lastout to the pods of manifests that need it; the result goes to stdout")
        .arg(args::files())
        .args(args::decision_options())
        .args(args::resolve_options())
        .args(args::writing_options())
}

/// Puts lastout in.
///
/// # Errors
/// About a file, in one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let extra = args::pod_paths(matches);
    let texts = read_all(matches)?;
    let (options, known) = asked(matches, &texts, &extra)?;
    if let Some((image, Err(why))) = known.images.iter().find(|(_, found)| found.is_err())
        && matches.get_flag("strict")
    {
        return Err(Error(format!("{image}: {why}: nothing is changed")));
    }
    rewrite(matches, texts, |source, manifest, told| {
        let judged = manifest.judge(Context::new(&known), &options, &extra);
        judged
            .map(|judged| {
                tell(source, &judged, told);
                (judged.workload.pod, judged.decision.changes)
            })
            .collect()
    })
}

fn tell(source: &Source, Judged { workload, decision, .. }: &Judged, told: &mut String) {
    let name = format!("{}: {}", source.name(), workload.title());
    // A `String` takes all that is written to it.
    let _ = writeln!(told, "{}", one_line(&format!("{name}: {}", verdict(decision))));
    for warning in &decision.warnings {
        let _ = writeln!(told, "{}", one_line(&format!("{name}: warning: {warning}")));
    }
}
