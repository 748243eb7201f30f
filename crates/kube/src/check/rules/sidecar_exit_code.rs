//! A plain sidecar is a container like any other: its exit code counts for the pod.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::Sidecar;
use crate::pod::{Container, RestartPolicy};
use lastout_core::settings::Opt;
use lastout_core::signal::Signal;
use lastout_core::spec::Spec;

/// A sidecar that ends with 1 when connections are open at the end of a delay: its row, the flag and the variable of that
/// delay (cloud-sql-proxy `internal/proxy/proxy.go`, `Close`; alloydb-auth-proxy has the same code).
const DELAYS: [(&str, &str, &str); 2] = [
    ("cloud-sql-proxy", "--max-sigterm-delay", "CSQL_PROXY_MAX_SIGTERM_DELAY"),
    ("alloydb-auth-proxy", "--max-sigterm-delay", "ALLOYDB_PROXY_MAX_SIGTERM_DELAY"),
];

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    if !subject.ends {
        return Vec::new();
    }
    let then = match subject.pod.restart_policy() {
        RestartPolicy::Never => "the pod has failed, although its mains succeeded",
        RestartPolicy::OnFailure | RestartPolicy::Always => "it is started again, and the pod never ends",
    };
    let mut all = Vec::new();
    for sidecar in &subject.facts.sidecars {
        let (container, path) = (sidecar.container, subject.path(sidecar.container));
        let name = container.name();
        if let Some((flag, key, index)) = delay(sidecar) {
            let message =
                format!("`{name}` ends with 1 where connections are still open after {flag}: {then}");
            let spot = Spot::value(path.key(key).index(index));
            all.push(Found::warning(spot, message, format!("- {flag}=0s")).of(container, path.clone()));
        }
        for invocation in subject.wrapped_mains() {
            let killed = |spec: &&Spec| {
                sidecar.is_meant_by(spec)
                    && spec.process.as_ref().is_some_and(|(_, signal)| *signal == Signal::KILL)
            };
            let Some(spec) = invocation.settings.sidecars.iter().find(killed) else { continue };
            let given = invocation.values.iter().find(|given| {
                given.raw.option == Opt::Sidecar && given.raw.value.starts_with(spec.name.as_bytes())
            });
            let Some(given) = given else { continue };
            let message = format!("`{name}` is ended by KILL, so its exit code is 137: {then}");
            let mend = String::from_utf8_lossy(&given.raw.value)
                .replace("signal=SIGKILL", "signal=TERM")
                .replace("signal=KILL", "signal=TERM");
            let found = Found::error(given.spot.clone(), message, format!("{mend:?}"));
            all.push(found.of(invocation.container, invocation.path.clone()));
        }
    }
    all
}

/// The flag of a delay that is not 0, the field and the item where it stands.
fn delay(sidecar: &Sidecar<'_>) -> Option<(&'static str, &'static str, usize)> {
    let name = sidecar.preset?.name;
    let (_, flag, variable) = DELAYS.iter().find(|(row, _, _)| *row == name)?;
    let some = |value: &str| value.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let in_words = ["command", "args"].into_iter().find_map(|key| {
        let words = sidecar.container.words(key)?;
        let at = words.iter().position(|word| {
            word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')).is_some_and(some)
        })?;
        Some((*flag, key, at))
    });
    in_words.or_else(|| variable_at(sidecar.container, variable, some).map(|at| (*flag, "env", at)))
}

fn variable_at(container: Container<'_>, name: &str, some: impl Fn(&str) -> bool) -> Option<usize> {
    container.env(name).filter(|value| some(value))?;
    crate::pod::list(container.value(), "env")
        .position(|entry| entry.get("name").is_some_and(|own| own == name))
}
