//! What the user or the cluster's admin has said, for all pods.

use std::collections::BTreeMap;
use std::fmt;

/// How a pod is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// The first of the others that is possible.
    #[default]
    Auto,
    /// Plain sidecars become native ones.
    Native,
    /// lastout runs the mains.
    Wrap,
    /// A helper container watches the pod.
    Helper,
}

/// How the program comes into a pod that it wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delivery {
    /// By an image volume where all nodes have them, else by an init container.
    #[default]
    Auto,
    /// An init container copies it into an `emptyDir`.
    InitContainer,
    /// The image is a volume.
    ImageVolume,
}

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

/// What holds for all pods of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How pods are to be changed.
    pub mode: Mode,
    /// How the program comes into a pod.
    pub delivery: Delivery,
    /// lastout's own image.
    pub image: String,
    /// The image of kubectl-lastout, for the helper container.
    pub helper_image: String,
    /// SPECs of sidecars, beside those that are known: NAME is the container's name.
    pub sidecars: Vec<String>,
    /// The names of the mains; empty: all that are no sidecars.
    pub mains: Vec<String>,
    /// The version of the oldest node, if that is known.
    pub kube_version: Option<KubeVersion>,
    /// CPU and memory of the init container; `None`: those of the first main.
    pub resources: Option<(String, String)>,
    /// What images run that manifests do not say: by the image's name, as the manifest has it.
    pub images: BTreeMap<String, Result<ImageConfig, String>>,
    /// An image whose words come into the manifest gets its digest there as well, so that it goes on being that image.
    pub pin: bool,
    /// The pod is being created: only what is there counts, for other injectors have had their turn or will.
    pub in_admission: bool,
}
