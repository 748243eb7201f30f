//! Helper: a container of ours watches the pod, and stops the sidecars when the mains are over. Where all nodes are said to
//! have them it is a native sidecar, which neither holds the pod up nor decides how it ends.

use super::facts::Facts;
use super::options::Options;
use super::ours::{HELPER, HELPER_VERB, TOKEN_VOLUME};
use super::parts;
use super::status::Status;
use super::{Context, Decision, NATIVE_SIDECARS, Reason};
use crate::change::{Change, Path};
use serde_json::Value;

pub(super) fn decide(facts: &Facts<'_>, context: Context<'_>, options: &Options) -> Decision {
    let pod = facts.pod;
    let mut all = pod.init_containers().into_iter().chain(pod.containers());
    if all.any(|container| container.name() == HELPER) {
        return Decision::new(facts, Reason::NameConflict, format!("container {HELPER}"));
    }
    let mut args = vec![Value::from(HELPER_VERB)];
    for spec in facts.specs() {
        args.extend([Value::from("--sidecar"), Value::from(spec)]);
    }
    for main in &facts.mains {
        args.extend([Value::from("--main"), Value::from(main.name())]);
    }
    if pod.volume(TOKEN_VOLUME).is_some() {
        return Decision::new(facts, Reason::NameConflict, format!("volume {TOKEN_VOLUME}"));
    }
    let is_native = context.known.has(NATIVE_SIDECARS);
    let spec = Path::keys(&["spec"]);
    let (list, at) = if is_native {
        (spec.key("initContainers"), pod.init_containers().len())
    } else {
        (spec.key("containers"), pod.containers().len())
    };
    let mut changes = vec![
        Change::Insert {
            list: spec.key("volumes"),
            at: pod.volume_count(),
            items: vec![parts::token_volume()],
        },
        Change::Insert { list, at, items: vec![parts::helper(facts, options, args, is_native)] },
    ];
    let note = Status::Helper.change(pod, &changes);
    changes.push(note);
    Decision::new(facts, Reason::InjectedHelper, "").with(changes)
}
