//! What a webhook that keeps its certificates by itself has to be allowed, and no more. With certificates from files it needs
//! no right at all.

use super::names::Names;
use serde_json::{Value, json};

/// The rules of a Role in the webhook's own namespace.
///
/// `list` and `watch` hold with `resourceNames` as long as they are asked for with `fieldSelector=metadata.name=…`, which is what
/// we do. `create` cannot be limited so: the API server does not know the name yet when it decides. It is for the first start,
/// and for a Secret that was deleted.
#[must_use]
pub fn in_namespace(names: &Names) -> Value {
    json!([
        {
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [names.secret],
            "verbs": ["list", "watch", "update"],
        },
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] },
    ])
}

/// The rules of a ClusterRole: the configuration belongs to no namespace. Only its `caBundle` is written.
#[must_use]
pub fn in_cluster(names: &Names) -> Value {
    json!([{
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations"],
        "resourceNames": [names.configuration],
        "verbs": ["list", "watch", "patch"],
    }])
}
