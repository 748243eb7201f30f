//! `kubectl lastout manifests`: what has to be in a cluster before something of ours works there.

use crate::args;
use crate::exit::{Ended, Exit};
use crate::output::print;
use crate::yaml::render;
use clap::{ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("manifests")
        .about("Print what kubectl has to apply before helpers work")
        .arg(
            args::flag("helper", "The Role that lets helpers watch the pods of a namespace, and who has it")
                .required(true),
        )
        .arg(args::value("namespace", "NAME", "The namespace of the pods").short('n').required(true))
        .arg(
            args::value("service-account", "NAME", "An account that the pods run as")
                .action(ArgAction::Append)
                .default_value("default"),
        )
}

/// Prints them.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(matches: &ArgMatches) -> Ended {
    let namespace = matches.get_one::<String>("namespace").map_or("", String::as_str);
    let accounts: Vec<&String> = matches.get_many("service-account").into_iter().flatten().collect();
    let texts = helper(namespace, &accounts).map(|object| render(&object));
    print(&texts.join("---\n"))?;
    Ok(Exit::Done)
}

/// RBAC cannot say "its own pod": a watch has a field selector, and a rule with `resourceNames` does not hold for lists.
fn helper(namespace: &str, accounts: &[&String]) -> [Value; 2] {
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
