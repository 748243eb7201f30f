//! `kubectl lastout helper`: what the helper container runs.

use crate::args;
use crate::cluster::connect::{Access, block_on, connect};
use crate::cluster::helper::{Task, run as watch};
use crate::cluster::watch::SILENCE;
use crate::decide::Options;
use crate::exit::{Ended, Error};
use clap::{Arg, ArgMatches, Command};
use std::ffi::OsString;
use std::path::PathBuf;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("helper")
        .about("Run in a pod: watch it, and stop its sidecars when its mains are over; inject --mode helper adds it")
        .arg(args::sidecar())
        .arg(args::main())
        .args([
            args::value("pod", "NAME", "The pod; by default that of the variable POD_NAME"),
            args::value("pod-namespace", "NAME", "Its namespace; by default POD_NAMESPACE, or the account's"),
            args::value("stop-timeout", "DURATION", "The most time for one run of lastout stop"),
        ])
        .arg(
            Arg::new("lastout")
                .long("lastout")
                .value_name("FILE")
                .help("The program lastout, whose `stop` the helper runs; by default the one beside this program")
                .value_parser(clap::value_parser!(PathBuf)),
        )
}

/// Watches and stops.
///
/// # Errors
/// In one line, when the pod is not named or nothing can come of it.
pub fn run(matches: &ArgMatches) -> Ended {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
    let pod = text("pod").or_else(|| args::variable("POD_NAME")).ok_or_else(|| {
        Error("no pod is named: set POD_NAME from metadata.name (fieldRef), or write --pod".to_owned())
    })?;
    let stop_options = text("stop-timeout").map(|budget| ["--stop-timeout".into(), budget.into()]);
    let beside = || std::env::current_exe().unwrap_or_default().with_file_name("lastout");
    block_on(async {
        let connection = connect(&Access::default(), SILENCE).await?;
        let namespace = text("pod-namespace").or_else(|| args::variable("POD_NAMESPACE"));
        let task = Task {
            pod,
            namespace: namespace.unwrap_or_else(|| connection.namespace.clone()),
            options: Options { sidecars: all("sidecar"), mains: all("main"), ..Options::default() },
            lastout: matches.get_one("lastout").cloned().unwrap_or_else(beside),
            stop_options: stop_options.into_iter().flatten().collect::<Vec<OsString>>(),
        };
        watch(&task, connection).await
    })
}
