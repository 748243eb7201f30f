//! Before the mains: what keeps them from starting for ever, without any failure that a Job would count (seen on 1.36).

use super::life::{Life, State};
use super::{LONG, Standing, Subject, Trouble, Why};
use crate::pod::Container;

/// Reasons of the kubelet's for which it waits, and why.
const WAITING: [(&str, Why); 8] = [
    ("ErrImagePull", Why::ImageMissing),
    ("ImagePullBackOff", Why::ImageMissing),
    ("ErrImageNeverPull", Why::ImageMissing),
    ("InvalidImageName", Why::ImageMissing),
    ("ImageInspectError", Why::ImageMissing),
    ("CreateContainerConfigError", Why::CannotCreate),
    ("CreateContainerError", Why::CannotCreate),
    ("RunContainerError", Why::CannotCreate),
];

pub(super) fn look(subject: &Subject<'_>) -> Option<Trouble> {
    let pod = subject.pod;
    let init = pod.init_containers().into_iter().map(|container| (container, Life::of_init(pod, container)));
    let plain = pod.containers().into_iter().map(|container| (container, Life::of(pod, container)));
    let waits = init.chain(plain).find_map(|(container, life)| waits(subject, container, life));
    waits.or_else(|| startup(subject)).or_else(|| init_fails(subject))
}

/// A container that the kubelet cannot start. A sidecar that never came keeps the pod as one that runs does.
fn waits(subject: &Subject<'_>, container: Container<'_>, life: Life<'_>) -> Option<Trouble> {
    let State::Waiting { reason, message } = life.state else { return None };
    let (_, why) = WAITING.iter().find(|(known, _)| *known == reason)?;
    // A registry that does not answer, a Secret that comes a moment later: the kubelet tries again.
    let is_young = subject.ago(subject.started_at()) < LONG;
    let standing = match (subject.mains_are_over(), is_young) {
        (true, true) => Standing::Slow,
        (true, false) => Standing::Hangs,
        (false, true) => return None,
        (false, false) => Standing::Stuck,
    };
    let name = container.name();
    let said = if message.is_empty() { container.image() } else { message };
    let message = format!("`{name}` cannot start: {reason}: {said}");
    Some(Trouble::new(standing, *why, subject.started_at(), message).of([name]))
}

/// A native sidecar whose startup probe does not succeed. `backoffLimit` and `restartPolicy` do not count that.
fn startup(subject: &Subject<'_>) -> Option<Trouble> {
    let started =
        subject.mains().any(|(_, life)| !matches!(life.state, State::Unknown | State::Waiting { .. }));
    if started {
        return None;
    }
    let has_probe =
        |native: &&Container<'_>| native.value().get("startupProbe").is_some_and(|probe| !probe.is_null());
    let waits = subject.facts.native.iter().filter(has_probe).find_map(|native| {
        let life = Life::of_init(subject.pod, *native);
        let is_there = life.restarts > 0 || matches!(life.state, State::Running { .. });
        (is_there && !life.started).then_some((*native, life))
    });
    let (native, life) = waits?;
    let since = subject.started_at();
    if subject.ago(since) < LONG && life.restarts == 0 {
        return None;
    }
    let name = native.name();
    let restarts = match life.restarts {
        0 => String::new(),
        1 => "; it was started again once".to_owned(),
        times => format!("; it was started again {times} times"),
    };
    let message = format!("no main starts before the startup probe of `{name}` succeeds{restarts}");
    Some(
        Trouble::new(Standing::Stuck, Why::StartupProbe, since, message)
            .of([name])
            .prevented_by("activeDeadlineSeconds: 3600"),
    )
}

/// An init container that fails again and again: under `Never` it fails the pod, which a Job counts.
fn init_fails(subject: &Subject<'_>) -> Option<Trouble> {
    let init = subject.pod.init_containers();
    let fails = |life: Life<'_>| {
        matches!(life.state, State::Waiting { .. }) && !life.started && life.crashes(subject.now)
    };
    let (container, life) = init
        .into_iter()
        .map(|container| (container, Life::of_init(subject.pod, container)))
        .find(|(container, life)| !container.is_native_sidecar() && fails(*life))?;
    let name = container.name();
    let code = life.last_code.unwrap_or(0);
    let message = format!("`{name}` has failed {} times, last with exit code {code}", life.restarts);
    Some(Trouble::new(Standing::Stuck, Why::InitFails, subject.started_at(), message).of([name]))
}
