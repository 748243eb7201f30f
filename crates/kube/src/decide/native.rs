//! Native: a plain sidecar moves to `initContainers`, last, with `restartPolicy: Always`; the kubelet ends it after the mains.

use super::facts::Facts;
use super::options::{NATIVE_SIDECARS, Options};
use super::{Context, Decision, Reason, Refusal, status};
use crate::change::{Change, Path};
use crate::pod::{Container, list};
use serde_json::Value;

/// The change, or why it is not to be.
pub(super) fn decide(
    facts: &Facts<'_>,
    context: Context<'_>,
    options: &Options,
) -> Result<Decision, Refusal> {
    let leave = |reason, about: String| Err((reason, about));
    if let Some(version) = options.kube_version.filter(|version| *version < NATIVE_SIDECARS) {
        return leave(
            Reason::NotNative,
            format!(
                "native sidecars need nodes of {NATIVE_SIDECARS} or newer, and the oldest is said to be {version}"
            ),
        );
    }
    if facts.sidecars.is_empty() {
        return leave(Reason::NotNative, "what another injector adds is not there to be moved".to_owned());
    }
    for sidecar in &facts.sidecars {
        let name = sidecar.container.name();
        if sidecar.container.restart_policy().is_some() {
            return leave(Reason::NotNative, format!("{name} has a restartPolicy of its own"));
        }
        if let Some(policy) = context.pod_failure_policy
            && fires_on(policy, sidecar.container)
        {
            return leave(
                Reason::NotNative,
                format!(
                    "a rule of podFailurePolicy would see the exit code of {name}, which the kubelet ends by SIGTERM"
                ),
            );
        }
    }
    let spec = Path::keys(&["spec"]);
    let end = facts.pod.init_containers().len();
    let mut moved = Vec::new();
    let mut changes = Vec::new();
    for (before, sidecar) in facts.sidecars.iter().enumerate() {
        let index = sidecar.container.index;
        moved.push(format!("{}={index}", sidecar.container.name()));
        changes.push(Change::Move {
            mapping: spec.clone(),
            from: ("containers".to_owned(), index.saturating_sub(before)),
            to: ("initContainers".to_owned(), end + before),
            key: ("restartPolicy".to_owned(), Some("Always".into())),
        });
    }
    changes.push(status(facts.pod, "native", &moved));
    Ok(Decision::new(facts, Reason::InjectedNative, "").with(changes))
}

/// A rule that looks at exit codes and is not bound to another container sees this one's, also after SIGTERM (seen on
/// 1.36: `FailJob` on the 3 of a native sidecar).
pub fn fires_on(policy: &Value, container: Container<'_>) -> bool {
    list(policy, "rules").filter_map(|rule| rule.get("onExitCodes")).any(|codes| {
        codes.get("containerName").and_then(Value::as_str).is_none_or(|name| name == container.name())
    })
}
