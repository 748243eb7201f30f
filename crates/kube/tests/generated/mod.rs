//! Generated pods, for what must hold of any.

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

pub fn pod() -> impl Strategy<Value = Value> {
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
