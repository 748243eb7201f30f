//! Helper: a container of ours watches the pod, and stops the sidecars when the mains are over.

use super::facts::Facts;
use super::options::Options;
use super::ours::HELPER;
use super::parts::restricted;
use super::status::Status;
use super::{Decision, Reason};
use crate::change::{Change, Path};
use serde_json::{Value, json};

pub(super) fn decide(facts: &Facts<'_>, options: &Options) -> Decision {
    let pod = facts.pod;
    if pod.containers().iter().any(|container| container.name() == HELPER) {
        return Decision::new(facts, Reason::Already, HELPER);
    }
    let mut args = vec![Value::from("helper")];
    for spec in facts.specs() {
        args.extend([Value::from("--sidecar"), Value::from(spec)]);
    }
    for main in &facts.mains {
        args.extend([Value::from("--main"), Value::from(main.name())]);
    }
    let field =
        |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    let helper = json!({
        "name": HELPER,
        "image": options.helper_image,
        "args": args,
        "env": [field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")],
        "securityContext": restricted(facts),
    });
    let list = Path::keys(&["spec", "containers"]);
    let changes = vec![
        Change::Insert { list, at: pod.containers().len(), items: vec![helper] },
        Status::Helper.change(pod),
    ];
    Decision::new(facts, Reason::InjectedHelper, "").with(changes)
}
