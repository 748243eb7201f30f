//! What comes into a pod: volumes, mounts, the init container, the words in front of a main's command. Each is made here
//! alone, whoever puts it in.

use super::facts::Facts;
use super::options::{Delivery, Options};
use super::ours::{
    BINARY, FOLDER, GROUP_FOLDER, GROUP_SIZE, GROUP_VOLUME, HELPER, SIZE, TOKEN_VOLUME, VOLUME,
};
use crate::pod::Container;
use lastout_core::argv::Subcommand;
use serde_json::{Map, Value, json};

/// The volume that has the program, and that of the group where there is one.
pub(crate) fn volumes(delivery: Delivery, image: &str, grouped: bool) -> Vec<Value> {
    let program = match delivery {
        Delivery::ImageVolume => json!({ "name": VOLUME, "image": { "reference": image } }),
        Delivery::Auto | Delivery::InitContainer => {
            json!({ "name": VOLUME, "emptyDir": { "sizeLimit": SIZE } })
        }
    };
    let group = grouped.then(|| json!({ "name": GROUP_VOLUME, "emptyDir": { "sizeLimit": GROUP_SIZE } }));
    std::iter::once(program).chain(group).collect()
}

/// What a main mounts of them.
pub(crate) fn mounts(grouped: bool) -> Vec<Value> {
    let program = json!({ "name": VOLUME, "mountPath": FOLDER, "readOnly": true });
    let group = grouped.then(|| json!({ "name": GROUP_VOLUME, "mountPath": GROUP_FOLDER }));
    std::iter::once(program).chain(group).collect()
}

/// `/.lastout/lastout --sidecar SPEC … --`
pub(crate) fn prefix(facts: &Facts<'_>, main: Container<'_>, specs: &[String], grouped: bool) -> Vec<Value> {
    let mut words = vec![BINARY.to_owned()];
    for spec in specs {
        words.extend(["--sidecar".to_owned(), spec.clone()]);
    }
    if let Some(codes) = facts.stop_on(main) {
        words.extend(["--stop-on".to_owned(), codes]);
    }
    if grouped {
        let size = facts.mains.len().to_string();
        words.extend(
            ["--group", GROUP_FOLDER, "--group-size", &size, "--group-name", main.name()].map(str::to_owned),
        );
    }
    words.push("--".to_owned());
    // The kubelet expands $(NAME) in a command, and makes one dollar of two.
    words.into_iter().map(|word| Value::from(word.replace('$', "$$"))).collect()
}

/// It copies the program into its volume.
pub(crate) fn init_container(facts: &Facts<'_>, options: &Options) -> Value {
    // Beside resources of the pod's own ours would be taken for what the pod requests, where that is not said.
    let has_own = facts.pod.spec().get("resources").is_some_and(|own| !own.is_null());
    let resources = match &options.resources {
        _ if has_own => None,
        Some((cpu, memory)) => {
            let amounts = json!({ "cpu": cpu, "memory": memory });
            Some(json!({ "requests": amounts, "limits": amounts }))
        }
        None => facts.mains.first().and_then(|main| main.value().get("resources")).cloned(),
    };
    let fields = [
        ("name", Some(VOLUME.into())),
        ("image", Some(options.image.as_str().into())),
        ("args", Some(json!([Subcommand::Install.name(), FOLDER]))),
        ("resources", resources.filter(|resources| !resources.is_null())),
        ("securityContext", Some(restricted_in(facts))),
        ("volumeMounts", Some(json!([{ "name": VOLUME, "mountPath": FOLDER }]))),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// The helper container, with these words.
pub(crate) fn helper(facts: &Facts<'_>, options: &Options, args: Vec<Value>, is_native: bool) -> Value {
    /// Where the library of any language looks for them.
    const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let field =
        |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    let amounts = json!({ "cpu": "20m", "memory": "32Mi" });
    let fields = [
        ("name", Some(HELPER.into())),
        ("image", Some(options.helper_image.as_str().into())),
        ("args", Some(args.into())),
        ("restartPolicy", is_native.then(|| "Always".into())),
        (
            "env",
            Some(json!([field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")])),
        ),
        ("resources", Some(json!({ "requests": amounts, "limits": amounts }))),
        ("securityContext", Some(restricted_in(facts))),
        ("volumeMounts", Some(json!([{ "name": TOKEN_VOLUME, "mountPath": ACCOUNT, "readOnly": true }]))),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// The pod's own account for the helper alone: the pod may mount it nowhere (`automountServiceAccountToken: false`), and of
/// its account that cannot be seen here.
pub(crate) fn token_volume() -> Value {
    json!({ "name": TOKEN_VOLUME, "projected": { "sources": [
        { "serviceAccountToken": { "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": {
            "items": [{ "path": "namespace", "fieldRef": { "fieldPath": "metadata.namespace" } }],
        } },
    ] } })
}

/// What the restricted Pod Security Standard asks of a container.
pub(crate) fn restricted() -> Map<String, Value> {
    [
        ("allowPrivilegeEscalation", json!(false)),
        ("capabilities", json!({ "drop": ["ALL"] })),
        ("readOnlyRootFilesystem", json!(true)),
        ("runAsNonRoot", json!(true)),
        ("seccompProfile", json!({ "type": "RuntimeDefault" })),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

/// The same in this pod. No user: the image has one, OpenShift gives its own, and namespaces may; but under a pod's user 0,
/// `runAsNonRoot` alone would keep it from starting.
fn restricted_in(facts: &Facts<'_>) -> Value {
    let mut context = restricted();
    let user = facts.pod.spec().get("securityContext").and_then(|context| context.get("runAsUser"));
    if user.and_then(Value::as_u64) == Some(0) {
        context.insert("runAsUser".to_owned(), json!(65532));
    }
    context.into()
}
