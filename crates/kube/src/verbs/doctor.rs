//! `kubectl lastout doctor`

use crate::args::cluster::{access, cluster_options, namespace, namespace_options};
use crate::args::{flag, value};
use crate::cluster::api::ANSWER;
use crate::cluster::connect::{block_on, connect};
use crate::cluster::doctor::{Scope, ask_of_each_hang, json, rbac, scan, table};
use crate::exit::{Ended, Error, Exit};
use crate::output::{print, report};
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};
use k8s_openapi::jiff::Timestamp;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("doctor")
        .about("List the pods of Jobs that hang now, or will, with the reason and the command that mends it: exit 1 when one hangs")
        .args(namespace_options())
        .arg(
            value("output", "FORMAT", "How the pods are printed")
                .short('o')
                .value_parser(PossibleValuesParser::new(["table", "json"]))
                .default_value("table"),
        )
        .arg(flag("rbac", "Print the roles that doctor and rescue need; no cluster is asked"))
        .args(cluster_options())
}

/// Looks at all of them.
///
/// # Errors
/// When the cluster cannot be reached, or lets us read nothing.
pub fn run(matches: &ArgMatches) -> Ended {
    if matches.get_flag("rbac") {
        print(rbac::ROLES)?;
        return Ok(Exit::Done);
    }
    let now = Timestamp::now().as_second();
    let seen = block_on(async {
        let connection = connect(&access(matches), ANSWER).await?;
        let scope = namespace(matches, &connection.namespace).map_or(Scope::Cluster, Scope::Namespace);
        let mut seen = scan(&connection.client, &scope, now).await?;
        ask_of_each_hang(&connection.client, &mut seen).await;
        Ok::<_, Error>(seen)
    })?;
    match matches.get_one::<String>("output").map(String::as_str) {
        Some("json") => print(&json::write(&seen))?,
        _ => print(&table::write(&seen, now))?,
    }
    for skipped in &seen.skipped {
        report(&format!("kubectl-lastout: skipped: {skipped}\n"));
    }
    report(&format!("kubectl-lastout: {}\n", table::summary(&seen)));
    Ok(Exit::found(seen.rows.iter().any(|row| row.trouble.standing.is_a_hang())))
}
