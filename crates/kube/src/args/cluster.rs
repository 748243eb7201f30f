//! Options that all verbs of clusters have: kubectl's own.

use super::{flag, value};
use crate::cluster::connect::Access;
use clap::{Arg, ArgAction, ArgMatches};

/// Which cluster, as kubectl's own options say it.
#[must_use]
pub fn cluster_options() -> Vec<Arg> {
    vec![
        value("kubeconfig", "FILE", "Instead of the files of KUBECONFIG, or ~/.kube/config")
            .value_parser(clap::value_parser!(std::path::PathBuf)),
        value("context", "NAME", "The context of the kubeconfig"),
        value("as", "USER", "The user to act as"),
        value("as-group", "GROUP", "A group to act as a member of").action(ArgAction::Append).requires("as"),
    ]
}

/// Which cluster.
#[must_use]
pub fn access(matches: &ArgMatches) -> Access {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    Access {
        kubeconfig: matches.get_one("kubeconfig").cloned(),
        context: text("context"),
        user: text("as"),
        groups: matches.get_many("as-group").into_iter().flatten().cloned().collect(),
    }
}

/// Which namespaces: `-n`, `-A`.
#[must_use]
pub fn namespace_options() -> Vec<Arg> {
    vec![
        value("namespace", "NAME", "The namespace; that of the context by default").short('n'),
        flag("all-namespaces", "All namespaces").short('A').conflicts_with("namespace"),
    ]
}

/// The namespace that is meant, or all.
#[must_use]
pub fn namespace(matches: &ArgMatches, of_context: &str) -> Option<String> {
    if matches.get_flag("all-namespaces") {
        return None;
    }
    Some(matches.get_one::<String>("namespace").cloned().unwrap_or_else(|| of_context.to_owned()))
}
