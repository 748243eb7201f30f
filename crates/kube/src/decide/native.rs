//! Native: a plain sidecar moves to `initContainers`, last, with `restartPolicy: Always`; the kubelet ends it after the mains.

use super::facts::Facts;
use super::status::Status;
use super::{Context, Decision, KubeVersion, NATIVE_SIDECARS, Reason};
use crate::change::{Change, Item, KeyChange, Path};
use crate::pod::{Container, list};
use serde_json::Value;
use std::fmt;

/// Why sidecars cannot become native ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNative {
    /// Nobody has said that all nodes have them, and nobody has asked for them.
    NodesUnknown,
    /// The oldest node has none.
    NodesTooOld(KubeVersion),
    /// What another injector adds is not there to be moved.
    NotThere,
    /// This one has a restart policy of its own, which would be lost.
    OwnRestartPolicy(String),
    /// A rule of the Job's `podFailurePolicy` would see how the kubelet ends this one.
    SeenByPolicy(String),
}

impl fmt::Display for NotNative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodesUnknown => {
                write!(
                    f,
                    "native sidecars need nodes of {NATIVE_SIDECARS} or newer, and nobody has said that they are"
                )
            }
            Self::NodesTooOld(version) => write!(
                f,
                "native sidecars need nodes of {NATIVE_SIDECARS} or newer, and the oldest is said to be {version}"
            ),
            Self::NotThere => f.write_str("what another injector adds is not there to be moved"),
            Self::OwnRestartPolicy(name) => write!(f, "{name} has a restartPolicy of its own"),
            Self::SeenByPolicy(name) => write!(
                f,
                "a rule of podFailurePolicy would see the exit code of {name}, which the kubelet ends by SIGTERM"
            ),
        }
    }
}

/// Where nobody has asked for it: only on nodes that are said to have it, and for all sidecars or none.
pub(super) fn decide_unasked(facts: &Facts<'_>, context: Context<'_>) -> Result<Decision, NotNative> {
    if context.known.kube_version.is_none() {
        return Err(NotNative::NodesUnknown);
    }
    if facts.to_come().next().is_some() {
        return Err(NotNative::NotThere);
    }
    decide(facts, context)
}

/// The change, or why it is not to be.
pub(super) fn decide(facts: &Facts<'_>, context: Context<'_>) -> Result<Decision, NotNative> {
    if let Some(version) = context.known.kube_version.filter(|version| *version < NATIVE_SIDECARS) {
        return Err(NotNative::NodesTooOld(version));
    }
    if facts.sidecars.is_empty() {
        return Err(NotNative::NotThere);
    }
    for sidecar in &facts.sidecars {
        let name = || sidecar.container.name().to_owned();
        if sidecar.container.restart_policy().is_some() {
            return Err(NotNative::OwnRestartPolicy(name()));
        }
        if context.pod_failure_policy.is_some_and(|policy| fires_on(policy, sidecar.container)) {
            return Err(NotNative::SeenByPolicy(name()));
        }
    }
    let spec = Path::keys(&["spec"]);
    let end = facts.pod.init_containers().len();
    let mut moved = Vec::new();
    let mut changes = Vec::new();
    for (before, sidecar) in facts.sidecars.iter().enumerate() {
        let index = sidecar.container.index;
        moved.push((sidecar.container.name().to_owned(), index));
        changes.push(Change::Move {
            mapping: spec.clone(),
            from: Item::of("containers", index.saturating_sub(before)),
            to: Item::of("initContainers", end + before),
            key: "restartPolicy".to_owned(),
            becomes: KeyChange::Set("Always".into()),
        });
    }
    let note = Status::Native { moved }.change(facts.pod, &changes);
    changes.push(note);
    Ok(Decision::new(facts, Reason::InjectedNative, "").with(changes))
}

/// How a sidecar ends that the kubelet ends: by SIGTERM, or by SIGKILL. Of code 0 no rule hears.
const ENDS: [u64; 2] = [143, 137];

/// The exit code by which the end of a sidecar fires an `onExitCodes` of `podFailurePolicy`: one that is not bound to another
/// container sees it, a native one's after SIGTERM as well (seen on 1.36). `name`: the sidecar's, where it is there.
pub(crate) fn sees_end_of(codes: &Value, name: Option<&str>) -> Option<u64> {
    let bound = codes.get("containerName").and_then(Value::as_str);
    if bound.is_some() && bound != name {
        return None;
    }
    let is_in = codes.get("operator").and_then(Value::as_str) == Some("In");
    let listed = |code: u64| list(codes, "values").any(|value| value.as_u64() == Some(code));
    ENDS.into_iter().find(|code| listed(*code) == is_in)
}

fn fires_on(policy: &Value, container: Container<'_>) -> bool {
    let mut codes = list(policy, "rules").filter_map(|rule| rule.get("onExitCodes"));
    codes.any(|codes| sees_end_of(codes, Some(container.name())).is_some())
}
