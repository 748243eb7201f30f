//! Another injector adds a sidecar when the pod is created, and nothing waits to end it.

use crate::check::scripts;
use crate::check::subject::{Found, Subject};
use crate::decide::{Class, Promised, is_ended};
use crate::invocation::Invocation;
use lastout_core::injectors::{Otherwise, Place, Switch};
use lastout_core::spec::Spec;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let class = subject.decision.reason.class();
    if !subject.ends || matches!(class, Class::Elsewhere | Class::Unclear) {
        return Vec::new();
    }
    let known = |promised: &&Promised| {
        let invocation = subject.invocations.iter().flat_map(|invocation| &invocation.settings.sidecars);
        let preset = promised.injector.preset;
        let is_of = |spec: &&Spec| spec.preset.is_some_and(|row| row.name == preset);
        let is_told = invocation.into_iter().filter(is_of).any(is_ended);
        promised.native == Some(true) || is_told || scripts::ask(subject, preset)
    };
    let is_here = class == Class::There;
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
            let over = subject.mains_over();
            match (promised.native, promised.injector.otherwise) {
                (None, Otherwise::Depends(on)) => Found::warning(
                    subject.spot_of(promised),
                    format!("{name} adds a sidecar that may run on when {over}; that depends on {on}"),
                    mend,
                ),
                (Some(_), _) | (None, Otherwise::Plain) => Found::error(
                    subject.spot_of(promised),
                    format!("{name} adds a sidecar that runs on when {over}, so the Job never ends"),
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
