//! A native sidecar whose startup probe never succeeds keeps the mains from starting, for ever: neither `backoffLimit` nor
//! `restartPolicy` ends that (seen on 1.36: 11 restarts in 17 minutes, and the Job went on).

use crate::change::Spot;
use crate::check::subject::{Found, Subject};

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let Some(job) = subject.job else { return Vec::new() };
    let has_deadline = [job, subject.pod.spec()]
        .iter()
        .any(|spec| spec.get("activeDeadlineSeconds").is_some_and(|given| !given.is_null()));
    if has_deadline {
        return Vec::new();
    }
    let native = subject
        .facts
        .native
        .iter()
        .filter(|container| container.value().get("startupProbe").is_some_and(|probe| !probe.is_null()));
    native
        .map(|container| {
            let path = subject.init_path(*container);
            let name = container.name();
            let message = format!(
                "until the startup probe of `{name}` succeeds, no main starts, and nothing but activeDeadlineSeconds ends a Job that waits for it"
            );
            let spot = Spot::value(path.key("startupProbe"));
            Found::warning(spot, message, "activeDeadlineSeconds: 3600").of(*container, path)
        })
        .collect()
}
