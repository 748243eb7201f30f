//! The webhook's account, and what it may do: nothing, unless it makes its certificate itself.

use super::rbac::{binding, role};
use super::{Certificates, NAME, Settings, global, metadata};
use crate::webhook::certificates::rights;
use serde_json::{Value, json};

pub(super) fn objects(settings: &Settings) -> Vec<Value> {
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(settings, NAME),
        "automountServiceAccountToken": false,
    });
    let mut objects = vec![account];
    if settings.certificates == Certificates::Itself {
        objects.extend(by_itself(settings));
    }
    objects
}

fn by_itself(settings: &Settings) -> [Value; 4] {
    let names = settings.names();
    let bound = |kind: &str, role: &str, metadata: Value| {
        binding(kind, metadata, (role, NAME), &settings.namespace, [NAME])
    };
    [
        role("Role", metadata(settings, NAME), rights::in_namespace(&names)),
        bound("RoleBinding", "Role", metadata(settings, NAME)),
        role("ClusterRole", global(NAME), rights::in_cluster(&names)),
        bound("ClusterRoleBinding", "ClusterRole", global(NAME)),
    ]
}
