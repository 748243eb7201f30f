//! A plain sidecar, and nothing that ends it. What would be done about it is `inject`'s own decision.

use crate::change::Spot;
use crate::check::script::is_asked;
use crate::check::subject::{Found, Subject, names};
use crate::decide::{Reason, Sidecar, is_ended};
use crate::invocation::Invocation;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.ends {
        return Vec::new();
    }
    let reason = subject.decision.reason;
    let why = match reason {
        Reason::InjectedWrap | Reason::InjectedNative | Reason::InjectedHelper => String::new(),
        Reason::Already => return untold(subject),
        Reason::NoEndpoint
        | Reason::NotNative
        | Reason::HostPid
        | Reason::Windows
        | Reason::NameConflict
        | Reason::MountConflict
        | Reason::PatchMismatch
        | Reason::Internal => format!("; lastout cannot be put in front of it: {}", reason.words()),
        // `no-command` has it.
        Reason::NoCommand | Reason::UnresolvedImage => return Vec::new(),
        // Argo and Tekton end the sidecars of their pods themselves.
        Reason::ForeignEntrypoint
        // It is meant so, or nothing is to end.
        | Reason::OptedOut
        | Reason::NotSelected
        | Reason::RestartAlways
        | Reason::OnlySidecars
        | Reason::AlreadyNative
        | Reason::NoSidecar => return Vec::new(),
    };
    let mains = subject.names_of_mains();
    plain(subject)
        .map(|sidecar| {
            let name = sidecar.container.name();
            let mend = match why.as_str() {
                "" => subject.inject.to_owned(),
                _ => subject.inject_native().unwrap_or_else(|| native(sidecar)),
            };
            found(
                subject,
                sidecar,
                format!("`{name}` runs on when {mains} is over, so the Job never ends{why}"),
                mend,
            )
        })
        .collect()
}

/// lastout is there, and is not told of this sidecar, or not how it ends.
fn untold(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.invocations.iter().all(Invocation::is_known) {
        return Vec::new();
    }
    let mains = names(subject.wrapped_mains().map(|invocation| invocation.container.name()));
    let untold = plain(subject).filter(|sidecar| subject.invocation_in(sidecar.container).is_none());
    untold
        .filter_map(|sidecar| {
            let name = sidecar.container.name();
            let specs = || {
                subject
                    .invocations
                    .iter()
                    .flat_map(|invocation| &invocation.settings.sidecars)
                    .filter(|spec| sidecar.is_meant_by(spec))
            };
            let (what, mend) = if specs().any(is_ended) {
                return None;
            } else if specs().next().is_some() {
                ("lastout is told to wait for it, and not how to end it", native(sidecar))
            } else {
                ("lastout is not told of it", format!("\"--sidecar\", {:?},", sidecar.spec.text))
            };
            Some(found(subject, sidecar, format!("`{name}` runs on when {mains} is over: {what}"), mend))
        })
        .collect()
}

/// The sidecars that nothing else ends.
fn plain<'s, 'a>(subject: &'s Subject<'a>) -> impl Iterator<Item = &'s Sidecar<'a>> {
    subject.facts.sidecars.iter().filter(|sidecar| !is_asked(subject, sidecar))
}

/// The kubelet ends it then.
fn native(sidecar: &Sidecar<'_>) -> String {
    format!("move `{}` to the end of initContainers, with\nrestartPolicy: Always", sidecar.container.name())
}

fn found(subject: &Subject<'_>, sidecar: &Sidecar<'_>, message: String, mend: String) -> Found {
    let path = subject.path(sidecar.container);
    Found::error(Spot::value(path.key("name")), message, mend).of(sidecar.container, path)
}
