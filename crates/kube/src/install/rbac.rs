//! Roles and their bindings.

use serde_json::{Value, json};

const GROUP: &str = "rbac.authorization.k8s.io";

/// A `Role` or a `ClusterRole`.
pub(super) fn role(kind: &str, metadata: Value, rules: Value) -> Value {
    json!({ "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": metadata, "rules": rules })
}

/// The binding of this kind that gives these accounts of a namespace the role of this kind and name.
pub(super) fn binding<'a>(
    kind: &str,
    metadata: Value,
    (role, name): (&str, &str),
    namespace: &str,
    accounts: impl IntoIterator<Item = &'a str>,
) -> Value {
    let subject = |name| json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace });
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": metadata,
        "roleRef": { "apiGroup": GROUP, "kind": role, "name": name },
        "subjects": accounts.into_iter().map(subject).collect::<Vec<_>>(),
    })
}
