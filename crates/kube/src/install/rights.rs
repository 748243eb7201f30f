//! The webhook's account, and what it may do: nothing, unless it makes its certificate itself.

use super::{CONFIGURATION, Certificates, NAME, Settings, global, metadata};
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
    let secrets = json!([
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch", "update"], "resourceNames": ["lastout-webhook-ca"] },
        // A rule with resourceNames does not hold for `create`: the name is not known when it is asked.
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] },
    ]);
    let configuration = json!([{
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations"],
        "verbs": ["get", "list", "watch", "patch"],
        "resourceNames": [CONFIGURATION],
    }]);
    [
        object("Role", metadata(settings, NAME), "rules", secrets),
        binding("RoleBinding", "Role", metadata(settings, NAME)),
        object("ClusterRole", global(NAME), "rules", configuration),
        binding("ClusterRoleBinding", "ClusterRole", global(NAME)),
    ]
}
