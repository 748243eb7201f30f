//! What is known beside the pod itself, and is nobody's wish: the nodes, what images run, the namespace, the Job.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A version of Kubernetes: that of the oldest node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubeVersion(pub u32, pub u32);

/// Nodes have native sidecars from here on, without a feature gate (KEP-753).
pub const NATIVE_SIDECARS: KubeVersion = KubeVersion(1, 29);
/// Nodes have image volumes from here on, without a feature gate (KEP-4639).
pub const IMAGE_VOLUMES: KubeVersion = KubeVersion(1, 35);

impl KubeVersion {
    /// Reads `1.33`, `v1.33.2`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split(['.', '-', '+']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self(major, minor))
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What an image runs, as its config says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// ENTRYPOINT; a container's `args` leave it as it is.
    pub entrypoint: Vec<String>,
    /// CMD, in place of which `args` come.
    pub cmd: Vec<String>,
    /// The image's digest: `sha256:…`.
    pub digest: String,
}

/// What is known of the cluster and from registries, for all pods of a run.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The version of the oldest node, if that is known.
    pub kube_version: Option<KubeVersion>,
    /// What images run that manifests do not say: by the image's name, as the manifest has it.
    pub images: BTreeMap<String, Result<ImageConfig, String>>,
}

static NOTHING: Known = Known { kube_version: None, images: BTreeMap::new() };

impl Known {
    /// All nodes are at least of this version, as far as anybody has said.
    pub(super) fn has(&self, version: KubeVersion) -> bool {
        self.kube_version.is_some_and(|oldest| oldest >= version)
    }
}

/// When we are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stage {
    /// The pod is still to be created: other injectors will have their turn.
    #[default]
    Manifest,
    /// It is being created, or is there: only what is in it counts, for the others have had their turn, or we are asked again.
    Admission,
}

/// What is known about one pod beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is known for all pods.
    pub known: &'a Known,
    /// When we are asked.
    pub stage: Stage,
    /// The namespace as the API server has it, if that is known: other injectors look at its labels and annotations.
    pub namespace: Option<&'a Value>,
    /// The Job's `podFailurePolicy`.
    pub pod_failure_policy: Option<&'a Value>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self::new(&NOTHING)
    }
}

impl<'a> Context<'a> {
    /// Of a pod in a manifest, of which nothing else is known.
    #[must_use]
    pub fn new(known: &'a Known) -> Self {
        Self { known, stage: Stage::default(), namespace: None, pod_failure_policy: None }
    }

    /// The same, of a pod that is about to be created, or that is there: others have had their turn, and only what is in it counts.
    #[must_use]
    pub fn in_admission(self) -> Self {
        Self { stage: Stage::Admission, ..self }
    }

    /// The same, of a pod whose Job has this spec.
    #[must_use]
    pub fn of_job(self, job: Option<&'a Value>) -> Self {
        Self { pod_failure_policy: job.and_then(|job| job.get("podFailurePolicy")), ..self }
    }

    /// A label or an annotation of the namespace.
    pub(super) fn of_namespace(&self, group: &str, key: &str) -> Option<&'a str> {
        self.namespace?.get("metadata")?.get(group)?.get(key)?.as_str()
    }
}
