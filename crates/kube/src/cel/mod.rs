//! The tables of `decide` → admission policies: the API server itself does what `inject` does, and nothing runs for it.
//!
//! A MutatingAdmissionPolicy has the same facts, refusals and changes as `decide` in admission, as expressions of CEL; a test
//! runs them on pods and compares. What CEL cannot do is a [`Limit`], and such a pod is left alone, as is one that cannot be
//! changed by `decide` either: a pod without `command`, for no policy can ask a registry. In one thing a policy does more: it is
//! asked a second time, and tells its lastout of a sidecar that came in between (`late`). Neither can a policy know:
//!
//! * the Job of a pod, so not its `podFailurePolicy`: mode `native` does not look at it;
//! * the nodes' versions: whoever prints a policy says by `--mode` and `--delivery` what they have;
//! * what injectors will add that have not had their turn: only what is there counts, and the policy is asked again after them.

mod changes;
mod facts;
mod late;
mod literal;
mod objects;
mod refusals;
mod spec;
mod stop;

// What the webhook's configuration says in the same words.
pub(crate) use objects::{APP, ENABLED, NAMESPACE_NAME, OF_SYSTEM, expression, labels, of_a_job};
pub use refusals::{Limit, Why};

use crate::decide::{Delivery, Listed, Mode, Options};
use serde_json::Value;

/// The key of the parameters' `data` that has SPECs.
pub(crate) const PARAMETER: &str = "sidecars";

/// What the policies are for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How pods are changed.
    pub way: Way,
    /// lastout's own image.
    pub image: String,
    /// CPU and memory of the init container.
    pub resources: Option<(String, String)>,
    /// Its sidecars.
    pub sidecars: Vec<Listed>,
    /// The version of the API that mutating policies are written for.
    pub api_version: ApiVersion,
    /// Where.
    pub namespaces: Namespaces,
    /// Namespace and name of a ConfigMap with more SPECs.
    pub parameters: Option<(String, String)>,
}

impl Settings {
    /// The same, as `decide` is asked.
    #[must_use]
    pub fn options(&self) -> Options {
        let (mode, delivery) = match self.way {
            Way::Native => (Mode::Native, Delivery::Auto),
            Way::InitContainer => (Mode::Wrap, Delivery::InitContainer),
            Way::ImageVolume => (Mode::Wrap, Delivery::ImageVolume),
        };
        Options {
            mode,
            delivery,
            image: self.image.clone(),
            sidecars: self.sidecars.iter().map(|listed| listed.text.clone()).collect(),
            resources: self.resources.clone(),
            ..Options::default()
        }
    }
}

/// How pods are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Their sidecars become native ones.
    Native,
    /// lastout runs the mains, and comes by an init container.
    InitContainer,
    /// The same, by an image volume.
    ImageVolume,
}

/// A version of `admissionregistration.k8s.io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    /// From Kubernetes 1.36.
    V1,
    /// 1.34 and 1.35, behind the feature gate `MutatingAdmissionPolicy`.
    V1Beta1,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V1, Self::V1Beta1];

    /// As users write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Beta1 => "v1beta1",
        }
    }

    fn group_version(self) -> &'static str {
        match self {
            Self::V1 => "admissionregistration.k8s.io/v1",
            Self::V1Beta1 => "admissionregistration.k8s.io/v1beta1",
        }
    }
}

/// Which namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Those that are labelled, and pods that are.
    Labelled,
    /// All but the system's.
    All,
}

impl Namespaces {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Labelled, Self::All];

    /// As users write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::All => "all",
        }
    }
}

/// The parameters, where the policies have any: all of them need them.
#[must_use]
pub fn parameters(settings: &Settings) -> Option<Value> {
    settings.parameters.as_ref().map(|(namespace, name)| objects::parameters(namespace, name))
}

/// The objects that change pods: the policy and its bindings.
#[must_use]
pub fn mutating(settings: &Settings) -> Vec<Value> {
    objects::mutating(settings)
}

/// The objects that warn about Jobs: the policy and its binding.
#[must_use]
pub fn warning(settings: &Settings) -> Vec<Value> {
    objects::warning(settings)
}

/// Each condition under which a pod is left alone, as an expression over the policy's variables.
#[must_use]
pub fn left_alone(settings: &Settings) -> Vec<(Why, String)> {
    refusals::all(settings).map(|row| (row.why, row.holds)).collect()
}
