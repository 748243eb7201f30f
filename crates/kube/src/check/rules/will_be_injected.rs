//! Another injector adds a sidecar when the pod is created, and nothing waits to end it.

use crate::change::Spot;
use crate::check::script::asks;
use crate::check::subject::{Found, Subject};
use crate::decide::{Promised, Reason, is_ended};
use crate::invocation::Invocation;
use lastout_core::injectors::{Otherwise, Place, Switch};
use lastout_core::spec::Spec;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let reason = subject.decision.reason;
    if !subject.ends || matches!(reason, Reason::OptedOut | Reason::ForeignEntrypoint | Reason::NoCommand) {
        return Vec::new();
    }
    let known = |promised: &&Promised| {
        let invocation = subject.invocations.iter().flat_map(|invocation| &invocation.settings.sidecars);
        let preset = promised.injector.preset;
        let is_of = |spec: &&Spec| spec.preset.is_some_and(|row| row.name == preset);
        let is_told = invocation.into_iter().filter(is_of).any(is_ended);
        promised.native == Some(true) || is_told || asks(subject, preset)
    };
    let is_here = reason == Reason::Already;
    if is_here && !subject.invocations.iter().all(Invocation::is_known) {
        return Vec::new();
    }
    let unknown = subject.facts.promised.iter().filter(|promised| !known(promised));
    unknown
        .map(|promised| {
            let (name, preset) = (promised.injector.name, promised.injector.preset);
            let can_quit = promised.injector.adds().is_some_and(|preset| preset.quit.is_some());
            let mend = match (is_here, promised.native) {
                _ if !can_quit || !(is_here || subject.decision.is_change()) => native(promised),
                (false, _) => subject.inject.to_owned(),
                (true, Some(_)) => format!("\"--sidecar\", \"{preset}\","),
                (true, None) => format!("\"--sidecar\", \"{preset}?\","),
            };
            let mains = subject.names_of_mains();
            match (promised.native, promised.injector.otherwise) {
                (None, Otherwise::Depends(on)) => Found::warning(
                    spot(subject, promised),
                    format!(
                        "{name} adds a sidecar that may run on when {mains} is over; that depends on {on}"
                    ),
                    mend,
                ),
                (Some(_), _) | (None, Otherwise::Plain) => Found::error(
                    spot(subject, promised),
                    format!("{name} adds a sidecar that runs on when {mains} is over, so the Job never ends"),
                    mend,
                ),
            }
        })
        .collect()
}

/// The annotation that makes it a native one, where there is one.
fn native(promised: &Promised) -> String {
    let says = |switch: &&Switch| switch.place == Place::PodAnnotation && switch.means("true") == Some(true);
    let switch = promised.injector.native.iter().find(says);
    switch.map_or(String::new(), |switch| format!("{}: \"true\"", switch.key))
}

/// The label or annotation that asks for it.
pub(super) fn spot(subject: &Subject<'_>, promised: &Promised) -> Spot {
    let metadata = subject.workload.pod.key("metadata");
    let said = promised.injector.switches.iter().find_map(|switch| {
        let (value, list) = match switch.place {
            Place::PodLabel => (subject.pod.label(switch.key), "labels"),
            Place::PodAnnotation => (subject.pod.annotation(switch.key), "annotations"),
            Place::NamespaceLabel | Place::NamespaceAnnotation => return None,
        };
        (switch.means(value?) == Some(true)).then(|| metadata.key(list).key(switch.key))
    });
    Spot::key(said.unwrap_or(metadata))
}
