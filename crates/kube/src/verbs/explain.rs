//! `kubectl lastout explain FILE…`

use super::decisions::{asked, verdict};
use super::rewrite::{manifest, read_all};
use crate::args;
use crate::decide::{Context, NotNative, Reason, RoleKind};
use crate::exit::{Ended, Exit};
use crate::files::Source;
use crate::manifest::Judged;
use crate::output::{one_line, print};
use clap::{ArgMatches, Command};
use std::fmt::Write as _;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("explain")
        .about("Say for each pod what inject would do, and why")
        .arg(args::files())
        .args(args::decision_options())
        .args(args::resolve_options())
}

/// Explains.
///
/// # Errors
/// About a file, in one line.
pub fn run(matches: &ArgMatches) -> Ended {
    let extra = args::pod_paths(matches);
    let texts = read_all(matches)?;
    let (options, known) = asked(matches, &texts, &extra)?;
    let mut out = String::new();
    for (source, text) in texts {
        for judged in manifest(&source, &text)?.judge(Context::new(&known), &options, &extra) {
            out.push_str(&tree(&source, &judged));
        }
    }
    print(&out)?;
    Ok(Exit::Done)
}

/// After which ends of a main its sidecars may be stopped, by its `--stop-on`.
fn be_stopped(stop_on: &str) -> String {
    match stop_on {
        "always" => "be stopped after every exit code".to_owned(),
        "success" => "be stopped after exit code 0".to_owned(),
        "never" => "never be stopped".to_owned(),
        codes => format!("be stopped after exit codes {codes}"),
    }
}

/// The decision as a tree: what the pod is, what is done, why.
fn tree(source: &Source, judged: &Judged) -> String {
    let Judged { workload, decision, .. } = judged;
    let mut lines = Vec::new();
    for role in &decision.containers {
        let what = match &role.kind {
            RoleKind::Main { stop_on } => format!("main; its sidecars may {}", be_stopped(stop_on)),
            RoleKind::Sidecar { spec } => format!("sidecar, {spec}: it runs on when the mains are over"),
            RoleKind::NativeSidecar => "native sidecar: the kubelet ends it".to_owned(),
            RoleKind::Excluded => "left out, as the manifest or --main says".to_owned(),
        };
        lines.push(format!("{}  {what}", role.name));
    }
    lines.extend(
        decision.promised.iter().map(|name| format!("{name}  will add its sidecar when the pod is created")),
    );
    lines.extend(decision.warnings.iter().map(|warning| format!("warning: {warning}")));
    // Where nobody has asked for native sidecars, nobody wants to know why there are none.
    let passed_over = decision
        .not_native
        .iter()
        .filter(|why| decision.reason != Reason::NotNative && **why != NotNative::NodesUnknown);
    lines.extend(passed_over.map(|why| format!("no native sidecars: {why}")));
    lines.push(verdict(decision));
    let mut out = one_line(&format!("{}: {}", source.name(), workload.title())) + "\n";
    let last = lines.len();
    for (position, line) in lines.iter().enumerate() {
        let branch = if position + 1 == last { "└─" } else { "├─" };
        let _ = writeln!(out, "{branch} {}", one_line(line));
    }
    out
}
