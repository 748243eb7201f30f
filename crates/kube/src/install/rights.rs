//! The webhook's account, and what it may do: nothing, unless it makes its certificate itself.

use super::{Certificates, NAME, Settings, global, metadata};
use crate::webhook::certificates::rights;
use serde_json::{Value, json};

const GROUP: &str = "rbac.authorization.k8s.io";

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
    let object = |kind: &str, metadata: Value, field: &str, value: Value| json!({ "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": metadata, field: value });
    let binding = |kind: &str, role: &str, metadata: Value| {
        json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": kind,
            "metadata": metadata,
            "roleRef": { "apiGroup": GROUP, "kind": role, "name": NAME },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": settings.namespace }],
        })
    };
    let names = settings.names();
    [
        object("Role", metadata(settings, NAME), "rules", rights::in_namespace(&names)),
        binding("RoleBinding", "Role", metadata(settings, NAME)),
        object("ClusterRole", global(NAME), "rules", rights::in_cluster(&names)),
        binding("ClusterRoleBinding", "ClusterRole", global(NAME)),
    ]
}
