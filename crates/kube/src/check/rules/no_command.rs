//! lastout goes in front of a main's command, and the manifest does not say what that is: the image does.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::{Reason, is_silent};

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !matches!(subject.decision.reason, Reason::NoCommand | Reason::UnresolvedImage) {
        return Vec::new();
    }
    let mains = subject.facts.mains.iter().filter(|main| is_silent(subject.pod, **main));
    let here = subject.facts.sidecars.iter().map(|sidecar| sidecar.container.name());
    let to_come = subject.facts.to_come();
    let sidecars: Vec<&str> = here.chain(to_come.clone().map(|promised| promised.injector.preset)).collect();
    let is_certain =
        !subject.facts.sidecars.is_empty() || to_come.clone().any(|promised| promised.native == Some(false));
    mains
        .map(|main| {
            let (name, path) = (main.name(), subject.path(*main));
            let sidecars = crate::check::subject::names(sidecars.iter().copied());
            let message = format!(
                "{sidecars} would run on when `{name}` is over, and lastout cannot be put in front of a command that only the image knows"
            );
            let (words, what) = match main.words("args") {
                Some(_) => ("[\"/ENTRYPOINT\"]", "the ENTRYPOINT"),
                None => ("[\"/ENTRYPOINT\", \"CMD\"]", "the ENTRYPOINT and the CMD"),
            };
            let mend = format!(
                "command: {words}  # {what} of {}, then: {}\n# or, where its registry can be asked: {}",
                main.image(),
                subject.inject,
                subject.inject.replacen(" inject", " inject --resolve-images", 1),
            );
            let found = if is_certain { Found::error } else { Found::warning };
            found(Spot::value(path.key("name")), message, mend).of(*main, path)
        })
        .collect()
}
