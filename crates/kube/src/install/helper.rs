//! What helper containers may do.

use super::rbac::{binding, role};
use serde_json::{Value, json};

/// For the pods of a namespace that run as these accounts.
///
/// RBAC cannot say "its own pod": a watch has a field selector, and a rule with `resourceNames` does not hold for lists.
#[must_use]
pub fn helper(namespace: &str, accounts: &[&String]) -> [Value; 2] {
    const NAME: &str = "lastout-helper";
    let metadata = || json!({ "name": NAME, "namespace": namespace });
    let accounts = accounts.iter().map(|account| account.as_str());
    [
        role(
            "Role",
            metadata(),
            json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] }]),
        ),
        binding("RoleBinding", metadata(), ("Role", NAME), namespace, accounts),
    ]
}
