//! `kubectl lastout inject FILE…`

use super::decisions::{asked, verdict};
use super::rewrite::{read_all, rewrite};
use crate::args;
use crate::decide::Context;
use crate::exit::{Ended, Error};
use crate::files::Source;
use crate::manifest::Judged;
use crate::output::report;
use clap::{ArgMatches, Command};

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("inject")
        .about("Put lastout into the pods of manifests that need it; the result goes to stdout")
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
    rewrite(matches, texts, |source, manifest| {
        let told = |judged: Judged| {
            tell(source, &judged);
            (judged.document, judged.workload, judged.decision.changes)
        };
        manifest.judge(Context::new(&known), &options, &extra).map(told).collect()
    })
}

fn tell(source: &Source, judged: &Judged) {
    let Judged { workload, decision, .. } = judged;
    report(&format!("{}: {}: {}\n", source.name(), workload.title(), verdict(decision)));
    for warning in &decision.warnings {
        report(&format!("{}: {}: warning: {warning}\n", source.name(), workload.title()));
    }
}
