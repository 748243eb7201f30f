//! What is decided about generated pods: the changes, the patch and the way back agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use kubectl_lastout::decide::{
    Context, Delivery, ImageConfig, Known, KubeVersion, Mode, Options, Reason, Stage, applied, decide, undo,
};
use kubectl_lastout::{change, patch, pod::Pod};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names of mains and of known sidecars; which of them have a command.
fn container() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        4 => prop::sample::select(vec!["main", "second", "third"]),
        4 => prop::sample::select(vec!["istio-proxy", "cloud-sql-proxy", "linkerd-proxy", "envoy"]),
        1 => Just("pgbouncer"),
        1 => Just("lastout"),
    ];
    let command = prop_oneof![
        Just(json!(["/app"])),
        Just(json!(["sh", "-c", "exit $(CODE)"])),
        Just(json!([])),
        Just(Value::Null),
        Just(json!(["/var/run/argo/argoexec"])),
    ];
    let mounts = prop::collection::vec(
        prop_oneof![
            Just(json!({ "name": "data", "mountPath": "/data" })),
            Just(json!({ "name": "x", "mountPath": "/.lastout" }))
        ],
        0..2,
    );
    (name, command, mounts, any::<bool>(), any::<bool>()).prop_map(
        |(name, command, mounts, newer, has_mounts)| {
            let mut container = json!({ "name": name, "image": "registry/x:1" });
            let fields = container.as_object_mut().unwrap();
            if !command.is_null() {
                fields.insert("command".into(), command);
            }
            if has_mounts && !mounts.is_empty() {
                fields.insert("volumeMounts".into(), mounts.into());
            }
            if newer {
                fields.insert("aFieldOfTheFuture".into(), json!({ "a": [1, { "b": null }] }));
            }
            container
        },
    )
}

fn pod() -> impl Strategy<Value = Value> {
    let metadata = prop::collection::vec(
        prop_oneof![
            Just(("labels", "lastout.dev/inject", "false")),
            Just(("labels", "lastout.dev/inject", "true")),
            Just(("labels", "sidecar.istio.io/inject", "true")),
            Just(("annotations", "linkerd.io/inject", "enabled")),
            Just(("annotations", "lastout.dev/mode", "native")),
            Just(("annotations", "lastout.dev/main", "main")),
            Just(("annotations", "lastout.dev/command.main", "[\"/found\"]")),
            Just(("annotations", "a/b~c", "x")),
        ],
        0..4,
    );
    let policy = prop::sample::select(vec!["Never", "OnFailure", "Always"]);
    (prop::collection::vec(container(), 0..5), metadata, policy, any::<[bool; 5]>()).prop_map(
        |(mut containers, entries, policy, [volumes, init, host_pid, empty, deeper])| {
            // Names in a pod are different.
            let mut seen = std::collections::HashSet::new();
            containers.retain(|container| seen.insert(container["name"].to_string()));
            let mut spec = json!({ "restartPolicy": policy, "containers": containers, "unknown": { "x": 1 } });
            let fields = spec.as_object_mut().unwrap();
            if volumes {
                fields.insert("volumes".into(), json!([{ "name": "data", "emptyDir": {} }]));
            }
            if init {
                fields.insert(
                    "initContainers".into(),
                    json!([{ "name": "first", "image": "y" }, { "name": "side", "image": "z", "restartPolicy": "Always" }]),
                );
            }
            if host_pid {
                fields.insert("hostPID".into(), true.into());
            }
            let mut pod = Map::new();
            let mut metadata = Map::new();
            for (kind, key, value) in entries {
                let group = metadata.entry(kind).or_insert_with(|| json!({}));
                group[key] = value.into();
            }
            if empty && deeper {
                metadata.entry("annotations").or_insert_with(|| json!({}));
            }
            if empty || !metadata.is_empty() {
                pod.insert("metadata".into(), metadata.into());
            }
            pod.insert("spec".into(), spec);
            Value::Object(pod)
        },
    )
}

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
        let patch: json_patch::Patch = serde_json::from_value(patch::patch(&pod, &decision.changes).unwrap()).unwrap();
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
