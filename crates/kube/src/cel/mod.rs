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

use crate::decide::{Listed, Options};
use serde_json::Value;

/// The key of the parameters' `data` that has SPECs.
pub(crate) const PARAMETER: &str = "sidecars";

/// What the policies are for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How pods are changed: `Native`, or `Wrap` by an init container or an image volume.
    pub options: Options,
    /// Its sidecars, as they are read.
    pub sidecars: Vec<Listed>,
    /// The version of the API that mutating policies are written for.
    pub api_version: ApiVersion,
    /// Where.
    pub namespaces: Namespaces,
    /// Namespace and name of a ConfigMap with more SPECs.
    pub parameters: Option<(String, String)>,
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

/// The objects that change pods: the parameters where there are any, the policy, its bindings.
#[must_use]
pub fn mutating(settings: &Settings) -> Vec<Value> {
    let parameters = settings.parameters.iter().map(|(namespace, name)| objects::parameters(namespace, name));
    parameters.chain(objects::mutating(settings)).collect()
}

/// The objects that warn about Jobs: the policy and its binding.
#[must_use]
pub fn warning(settings: &Settings) -> Vec<Value> {
    objects::warning(settings)
}

/// Each condition under which a pod is left alone, as an expression over the policy's variables.
#[must_use]
pub fn left_alone(settings: &Settings) -> Vec<(Why, String)> {
    let rows = refusals::left_alone().into_iter().chain(refusals::refused(settings));
    rows.map(|row| (row.why, row.holds)).collect()
}
