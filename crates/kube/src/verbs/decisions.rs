//! What `inject` and `explain` decide with, and how they tell it.

use super::rewrite::{Text, manifest};
use crate::args;
use crate::change::Path;
use crate::decide::{Context, Decision, Known, Options};
use crate::exit::Error;
use crate::output::Progress;
use crate::registry;
use clap::ArgMatches;
use std::collections::BTreeSet;

/// What the user has said, and with `--resolve-images` what registries say.
pub(super) fn asked(matches: &ArgMatches, texts: &[Text], extra: &[Path]) -> Result<(Options, Known), Error> {
    let (mut options, mut known) = (args::options(matches), args::known(matches));
    let Some(ask) = args::ask(matches) else { return Ok((options, known)) };
    let mut images: BTreeSet<String> = BTreeSet::new();
    for (source, text) in texts {
        images.extend(manifest(source, text)?.images_wanted(Context::new(&known), &options, extra));
    }
    let mut progress = Progress::new(images.len(), "images");
    known.images = registry::resolve(&images, &ask, |done| progress.reach(done));
    progress.end();
    options.pin = matches.get_flag("pin");
    Ok((options, known))
}

/// The reason, and what it is about.
pub(super) fn verdict(decision: &Decision) -> String {
    let about = if decision.about.is_empty() { String::new() } else { format!(" ({})", decision.about) };
    format!("{}: {}{about}", decision.reason, decision.reason.words())
}
