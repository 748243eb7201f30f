//! Views on a pod, or on a pod template, as the JSON that it is: typed structs would lose what is newer than they are.

mod workload;

pub use workload::{Workload, find};

use serde_json::Value;

/// A pod or a pod template: `metadata` and `spec`.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'a>(pub &'a Value);

/// The labels that name the Job of a pod: the second is that of Kubernetes before 1.27.
pub(crate) const JOB_LABELS: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    /// Its place in its list.
    pub index: usize,
    value: &'a Value,
}

/// When the kubelet starts a container again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never.
    Never,
    /// After a failure.
    OnFailure,
    /// Always.
    Always,
}

impl<'a> Pod<'a> {
    /// Its spec.
    #[must_use]
    pub fn spec(self) -> &'a Value {
        self.0.get("spec").unwrap_or(&Value::Null)
    }

    /// Its containers.
    #[must_use]
    pub fn containers(self) -> Vec<Container<'a>> {
        containers(self.spec(), "containers")
    }

    /// Its init containers, native sidecars among them.
    #[must_use]
    pub fn init_containers(self) -> Vec<Container<'a>> {
        containers(self.spec(), "initContainers")
    }

    /// A label.
    #[must_use]
    pub fn label(self, key: &str) -> Option<&'a str> {
        self.0.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// The Job that it is of.
    #[must_use]
    pub fn job(self) -> Option<&'a str> {
        JOB_LABELS.iter().find_map(|label| self.label(label))
    }

    /// An annotation.
    #[must_use]
    pub fn annotation(self, key: &str) -> Option<&'a str> {
        self.0.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    /// Its annotations.
    pub fn annotations(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.texts("annotations")
    }

    /// Its `labels` or `annotations`, also those that are no text.
    pub fn texts(self, group: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let texts = self.0.get("metadata").and_then(|metadata| metadata.get(group));
        texts.and_then(Value::as_object).into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Its restart policy; `Always` where nothing is said.
    #[must_use]
    pub fn restart_policy(self) -> RestartPolicy {
        restart_policy(self.spec()).unwrap_or(RestartPolicy::Always)
    }

    /// It uses the node's own process namespace.
    #[must_use]
    pub fn has_host_pid(self) -> bool {
        self.spec().get("hostPID").and_then(Value::as_bool).unwrap_or(false)
    }

    /// It uses the node's own network.
    #[must_use]
    pub fn has_host_network(self) -> bool {
        self.spec().get("hostNetwork").and_then(Value::as_bool).unwrap_or(false)
    }

    /// It says that it is for nodes with Windows.
    #[must_use]
    pub fn is_for_windows(self) -> bool {
        let spec = self.spec();
        let os = spec.get("os").and_then(|os| os.get("name"));
        let selected = spec.get("nodeSelector").and_then(|selector| selector.get("kubernetes.io/os"));
        [os, selected].into_iter().flatten().any(|name| name == "windows")
    }

    /// The volume of this name.
    #[must_use]
    pub fn volume(self, name: &str) -> Option<&'a Value> {
        list(self.spec(), "volumes").find(|volume| volume.get("name").is_some_and(|found| found == name))
    }

    /// How many volumes it has.
    #[must_use]
    pub fn volume_count(self) -> usize {
        list(self.spec(), "volumes").count()
    }
}

impl<'a> Container<'a> {
    /// It as JSON.
    #[must_use]
    pub fn value(self) -> &'a Value {
        self.value
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.text("name").unwrap_or_default()
    }

    /// Its image.
    #[must_use]
    pub fn image(self) -> &'a str {
        self.text("image").unwrap_or_default()
    }

    /// A field that is text.
    #[must_use]
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    /// `command` or `args`. `None`: not there, or empty, which is the same to the kubelet.
    #[must_use]
    pub fn words(self, key: &str) -> Option<Vec<&'a str>> {
        let words: Vec<&str> = list(self.value, key).filter_map(Value::as_str).collect();
        (!words.is_empty()).then_some(words)
    }

    /// `command` or `args` is a list of words, or not there: kubectl refuses anything else.
    #[must_use]
    pub fn has_words_only(self, key: &str) -> bool {
        match self.value.get(key) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_array().is_some_and(|words| words.iter().all(Value::is_string)),
        }
    }

    /// The value of a variable that is written as it is.
    #[must_use]
    pub fn env(self, name: &str) -> Option<&'a str> {
        list(self.value, "env")
            .find(|entry| entry.get("name").is_some_and(|found| found == name))?
            .get("value")?
            .as_str()
    }

    /// Where volumes are mounted: the volume's name and the folder.
    pub fn mounts(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = |mount: &'a Value, key| mount.get(key).and_then(Value::as_str).unwrap_or_default();
        list(self.value, "volumeMounts").map(move |mount| (text(mount, "name"), text(mount, "mountPath")))
    }

    /// The mount that holds this path: of several the deepest.
    #[must_use]
    pub fn mount_of(self, path: &str) -> Option<&'a Value> {
        fn folder(mount: &Value) -> &str {
            mount.get("mountPath").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/')
        }
        let holds = |mount: &&Value| {
            path.strip_prefix(folder(mount)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        list(self.value, "volumeMounts").filter(holds).max_by_key(|mount| folder(mount).len())
    }

    /// Its own restart policy, where it has one.
    #[must_use]
    pub fn restart_policy(self) -> Option<RestartPolicy> {
        restart_policy(self.value)
    }

    /// Among the init containers: a native sidecar.
    #[must_use]
    pub fn is_native_sidecar(self) -> bool {
        self.restart_policy() == Some(RestartPolicy::Always)
    }
}

fn containers<'a>(spec: &'a Value, key: &str) -> Vec<Container<'a>> {
    list(spec, key).enumerate().map(|(index, value)| Container { index, value }).collect()
}

/// The items of a list that may be missing.
pub fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn restart_policy(value: &Value) -> Option<RestartPolicy> {
    match value.get("restartPolicy")?.as_str()? {
        "Never" => Some(RestartPolicy::Never),
        "OnFailure" => Some(RestartPolicy::OnFailure),
        "Always" => Some(RestartPolicy::Always),
        _ => None,
    }
}
