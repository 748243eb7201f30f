//! What is decided about generated pods: the changes, the patch and the way back agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod generated;

use generated::pod;
use kubectl_lastout::decide::{
    Context, Delivery, ImageConfig, Known, KubeVersion, Mode, Options, Reason, Stage, applied, decide, undo,
};
use kubectl_lastout::{change, patch, pod::Pod};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What is asked beside the pod.
#[derive(Clone, Debug)]
struct Asked {
    options: Options,
    known: Known,
    stage: Stage,
    policy: Option<Value>,
}

impl Asked {
    fn context(&self) -> Context<'_> {
        Context { stage: self.stage, pod_failure_policy: self.policy.as_ref(), ..Context::new(&self.known) }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let mode = prop::sample::select(vec![Mode::Auto, Mode::Native, Mode::Wrap, Mode::Helper]);
    let delivery = prop::sample::select(vec![Delivery::Auto, Delivery::InitContainer, Delivery::ImageVolume]);
    let options = (mode, delivery, any::<bool>()).prop_map(|(mode, delivery, pin)| Options {
        mode,
        delivery,
        image: "lastout:1".into(),
        helper_image: "kubectl-lastout:1".into(),
        resources: Some(("20m".into(), "16Mi".into())),
        pin,
        ..Options::default()
    });
    let version = prop::option::of((28u32..38).prop_map(|minor| KubeVersion(1, minor)));
    let known = (version, any::<bool>()).prop_map(|(kube_version, found)| {
        let entrypoint = vec!["/e".to_owned(), "$x".to_owned()];
        let config = ImageConfig { entrypoint, digest: "sha256:12".to_owned(), ..Default::default() };
        let images = found.then(|| ("registry/x:1".to_owned(), Ok(config))).into_iter().collect();
        Known { kube_version, images }
    });
    let stage = prop::sample::select(vec![Stage::Manifest, Stage::Admission]);
    let rule = |codes: Value| json!({ "rules": [{ "action": "FailJob", "onExitCodes": codes }] });
    let policy = prop::option::weighted(
        0.3,
        prop::sample::select(vec![
            rule(json!({ "operator": "In", "values": [1] })),
            rule(json!({ "operator": "In", "values": [143] })),
            rule(json!({ "operator": "NotIn", "values": [0] })),
            rule(json!({ "containerName": "main", "operator": "NotIn", "values": [0] })),
            rule(json!({ "containerName": "istio-proxy", "operator": "In", "values": [1, 137] })),
        ]),
    );
    (options, known, stage, policy).prop_map(|(options, known, stage, policy)| Asked {
        options,
        known,
        stage,
        policy,
    })
}

/// An empty list says no more than none.
fn without_empty_lists(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_empty_lists).collect(),
        Value::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !value.as_array().is_some_and(Vec::is_empty))
            .map(|(key, value)| (key.clone(), without_empty_lists(value)))
            .collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_patch_does_what_is_intended_and_doing_it_twice_changes_nothing(pod in pod(), asked in asked()) {
        let decision = decide(Pod(&pod), asked.context(), &asked.options);
        let intended = applied(&pod, &decision).unwrap();
        let mut patched = pod.clone();
        let text = serde_json::to_string(&patch::patch(pod.clone(), &decision.changes).unwrap().patch).unwrap();
        let patch: json_patch::Patch = serde_json::from_str(&text).unwrap();
        json_patch::patch(&mut patched, &patch).unwrap();
        prop_assert_eq!(&patched, &intended);
        let again = decide(Pod(&intended), asked.context(), &asked.options);
        prop_assert!(!again.is_change(), "{:?}, then {:?}", decision, again);
    }

    #[test]
    fn the_way_back_leads_to_the_pod_that_was_there(pod in pod(), asked in asked()) {
        let decision = decide(Pod(&pod), asked.context(), &asked.options);
        let mut there = applied(&pod, &decision).unwrap();
        let back = undo(Pod(&there)).unwrap();
        change::apply(&mut there, &back).unwrap();
        prop_assert_eq!(without_empty_lists(&there), without_empty_lists(&pod));
    }

    #[test]
    fn what_is_left_alone_has_a_reason_and_what_is_changed_has_changes(pod in pod(), asked in asked()) {
        let decision = decide(Pod(&pod), asked.context(), &asked.options);
        let changes = matches!(decision.reason, Reason::InjectedNative | Reason::InjectedWrap | Reason::InjectedHelper);
        prop_assert_eq!(decision.is_change(), changes);
        prop_assert_ne!(decision.reason, Reason::PatchMismatch, "{:?}", decision);
    }
}
