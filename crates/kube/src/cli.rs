//! The command line: the verbs, as clap reads them, and the way into each.

use crate::exit::Ended;
use crate::verbs;
use clap::{ArgMatches, Command};

/// A verb: what the user may write, and what it does.
type Verb = (fn() -> Command, fn(&ArgMatches) -> Ended);

/// In the order of `--help`.
const VERBS: &[Verb] = &[
    (verbs::inject::definition, verbs::inject::run),
    (verbs::uninject::definition, verbs::uninject::run),
    (verbs::explain::definition, verbs::explain::run),
    (verbs::check::definition, verbs::check::run),
    (verbs::policy::definition, verbs::policy::run),
    (verbs::doctor::definition, verbs::doctor::run),
    (verbs::rescue::definition, verbs::rescue::run),
    (verbs::webhook::definition, verbs::webhook::run),
    (verbs::helper::definition, verbs::helper::run),
    (verbs::manifests::definition, verbs::manifests::run),
    (verbs::presets::definition, verbs::presets::run),
    (verbs::completion::definition, |matches| verbs::completion::run(matches, definition())),
    (verbs::completion::definition_for_kubectl, |matches| {
        verbs::completion::run_for_kubectl(matches, &definition())
    }),
    (verbs::version::definition, verbs::version::run),
];

/// What the user may write.
#[must_use]
pub fn definition() -> Command {
    Command::new("kubectl-lastout")
        .bin_name("kubectl lastout")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Puts lastout into manifests and clusters")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(VERBS.iter().map(|(definition, _)| definition()))
}

/// Runs the verb that the user has written.
///
/// # Errors
/// In one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let (name, matches) = matches.subcommand().unwrap_or(("version", matches));
    match VERBS.iter().find(|(definition, _)| definition().get_name() == name) {
        Some((_, run)) => run(matches),
        None => Err(crate::exit::Error(format!("{name}: no such verb"))),
    }
}
