//! A plain sidecar, and nothing that ends it. What would be done about it is `inject`'s own decision.

use crate::change::Spot;
use crate::check::scripts;
use crate::check::subject::{Found, Subject, over};
use crate::decide::{Class, Sidecar, is_ended};
use crate::invocation::Invocation;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.ends {
        return Vec::new();
    }
    let reason = subject.decision.reason;
    let why = match reason.class() {
        Class::Native | Class::Stopped => String::new(),
        Class::There => return untold(subject),
        Class::Impossible => format!("; lastout cannot be put in front of it: {}", reason.words()),
        // `no-command` has it.
        Class::Unclear => return Vec::new(),
        // Argo and Tekton end the sidecars of their pods themselves; or it is meant so, or nothing is to end.
        Class::Elsewhere | Class::Needless => return Vec::new(),
    };
    let over = subject.mains_over();
    plain(subject)
        .map(|sidecar| {
            let name = sidecar.container.name();
            let mend = match why.as_str() {
                "" => subject.inject.to_owned(),
                _ => subject.inject_native().unwrap_or_else(|| sidecar.native_by_hand()),
            };
            found(subject, sidecar, format!("`{name}` runs on when {over}, so the Job never ends{why}"), mend)
        })
        .collect()
}

/// lastout is there, and is not told of this sidecar, or not how it ends.
fn untold(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.invocations.iter().all(Invocation::is_known) {
        return Vec::new();
    }
    let helped = subject.facts.helped();
    let over = match subject.facts.helper {
        Some(_) => subject.mains_over(),
        None => over(subject.wrapped_mains().map(|invocation| invocation.container.name())),
    };
    let untold = plain(subject).filter(|sidecar| subject.invocation_in(sidecar.container).is_none());
    untold
        .filter_map(|sidecar| {
            let name = sidecar.container.name();
            let specs = || {
                subject
                    .invocations
                    .iter()
                    .flat_map(|invocation| &invocation.settings.sidecars)
                    .chain(helped.iter().map(|listed| &listed.spec))
                    .filter(|spec| sidecar.is_meant_by(spec))
            };
            let (what, mend) = if specs().any(is_ended) {
                return None;
            } else if specs().next().is_some() {
                ("lastout waits for it, but its SPEC does not say how to end it", sidecar.native_by_hand())
            } else {
                ("lastout has no --sidecar for it", format!("\"--sidecar\", {:?},", sidecar.spec.text))
            };
            Some(found(subject, sidecar, format!("`{name}` runs on when {over}: {what}"), mend))
        })
        .collect()
}

/// The sidecars that nothing else ends.
fn plain<'s, 'a>(subject: &'s Subject<'a>) -> impl Iterator<Item = &'s Sidecar<'a>> {
    subject.facts.sidecars.iter().filter(|sidecar| !scripts::is_asked(subject, sidecar))
}

fn found(subject: &Subject<'_>, sidecar: &Sidecar<'_>, message: String, mend: String) -> Found {
    let path = subject.path(sidecar.container);
    Found::error(Spot::value(path.key("name")), message, mend).of(sidecar.container, path)
}
