//! What helper containers may do.

use serde_json::{Value, json};

/// For the pods of a namespace that run as these accounts.
///
/// RBAC cannot say "its own pod": a watch has a field selector, and a rule with `resourceNames` does not hold for lists.
#[must_use]
pub fn helper(namespace: &str, accounts: &[&String]) -> [Value; 2] {
    const NAME: &str = "lastout-helper";
    let metadata = || json!({ "name": NAME, "namespace": namespace });
    let subject = |name: &&String| json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace });
    let group = "rbac.authorization.k8s.io";
    [
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "Role",
            "metadata": metadata(),
            "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] }],
        }),
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "RoleBinding",
            "metadata": metadata(),
            "roleRef": { "apiGroup": group, "kind": "Role", "name": NAME },
            "subjects": accounts.iter().map(subject).collect::<Vec<_>>(),
        }),
    ]
}
