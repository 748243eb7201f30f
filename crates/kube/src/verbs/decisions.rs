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
    expect_mains(&options.mains, texts, extra)?;
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

/// A name of `--main` that no pod has is a typo. One that some have not is none: they may be in one folder.
fn expect_mains(mains: &[String], texts: &[Text], extra: &[Path]) -> Result<(), Error> {
    if mains.is_empty() {
        return Ok(());
    }
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (source, text) in texts {
        names.extend(manifest(source, text)?.container_names(extra));
    }
    match mains.iter().find(|main| !names.contains(*main)).filter(|_| !names.is_empty()) {
        Some(main) => {
            Err(Error(format!("--main {main}: no pod has a container of this name: nothing is changed")))
        }
        None => Ok(()),
    }
}

/// The reason, and what it is about.
pub(super) fn verdict(decision: &Decision) -> String {
    let about = if decision.about.is_empty() { String::new() } else { format!(" ({})", decision.about) };
    format!("{}: {}{about}", decision.reason, decision.reason.words())
}
