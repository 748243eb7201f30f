//! `kubectl lastout rescue pod/X | job/X …`

use crate::args::cluster::{access, cluster_options};
use crate::args::{self, flag, value};
use crate::cluster::api::ANSWER;
use crate::cluster::connect::{block_on, connect};
use crate::cluster::rescue::target::{self, Left, Named, Target};
use crate::cluster::rescue::{Outcome, Terms, rescue};
use crate::exit::{Ended, Error, Exit};
use crate::output::{Progress, one_line, print, report, report_line};
use clap::{Arg, ArgMatches, Command};
use futures_util::{StreamExt as _, stream};
use kube::Client;
use std::io::{self, IsTerminal as _};

/// Pods at once.
const AT_ONCE: usize = 8;
/// Pods that the question names.
const NAMED: usize = 10;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("rescue")
        .about("End the sidecars of pods whose mains are over, by their quit endpoints; asks first. Exit 1 if a pod is not over afterwards")
        .arg(
            Arg::new("WHAT")
                .help("pod/NAME, or job/NAME for all pods of a Job")
                .num_args(1..)
                .required(true)
                .value_parser(Named::read),
        )
        .arg(value("namespace", "NAME", "The namespace; that of the context by default").short('n'))
        .arg(flag("yes", "Do not ask").short('y'))
        .arg(flag("ephemeral", "Stop the sidecars by an ephemeral container that runs `lastout stop`, instead of by port-forward"))
        .arg(args::own_image().help("lastout's own image, for the ephemeral container"))
        .arg(args::sidecar().help("A sidecar that is not known, or has another port; see `lastout presets`"))
        .arg(
            value("timeout", "DURATION", "The most time for one pod, until it is over")
                .default_value("60s")
                .value_parser(args::some_time),
        )
        .args(cluster_options())
}

/// Ends them.
///
/// # Errors
/// When the cluster cannot be reached, a name is none, or there is nobody to ask.
pub fn run(matches: &ArgMatches) -> Ended {
    let sidecars: Vec<String> = matches.get_many("sidecar").into_iter().flatten().cloned().collect();
    let terms = Terms {
        ephemeral: matches.get_flag("ephemeral"),
        image: matches.get_one::<String>("image").cloned().unwrap_or_default(),
        timeout: matches.get_one("timeout").copied().unwrap_or_default(),
        sidecars,
    };
    let named: Vec<Named> = matches.get_many("WHAT").into_iter().flatten().cloned().collect();
    block_on(async {
        let connection = connect(&access(matches), ANSWER).await?;
        let client = &connection.client;
        let namespace = matches.get_one::<String>("namespace").unwrap_or(&connection.namespace);
        let (targets, mut all_over) = targets(client, namespace, &named, &terms.sidecars).await?;
        if targets.is_empty() {
            return Ok(Exit::found(!all_over));
        }
        if !matches.get_flag("yes") && !agreed(&targets).await? {
            return Ok(Exit::Found);
        }
        let mut progress = Progress::new(targets.len(), "pods");
        let one = |target: Target| {
            let terms = &terms;
            async move { rescue(client, namespace, &target, terms).await }
        };
        let mut work = stream::iter(targets).map(one).buffer_unordered(AT_ONCE);
        while let Some(Outcome { is_over, lines }) = work.next().await {
            progress.end();
            print(&lines.iter().map(|line| format!("{}\n", one_line(line))).collect::<String>())?;
            all_over &= is_over;
            progress.step();
        }
        progress.end();
        Ok(Exit::found(!all_over))
    })
}

/// The pods whose sidecars are to be ended, and whether all others are over; what is left alone is told.
async fn targets(
    client: &Client,
    namespace: &str,
    all: &[Named],
    sidecars: &[String],
) -> Result<(Vec<Target>, bool), Error> {
    let (mut targets, mut all_over): (Vec<Target>, bool) = (Vec::new(), true);
    for named in all {
        let pods = match target::pods(client, namespace, named).await {
            Ok(pods) => pods,
            Err(error) if all.len() == 1 => return Err(error),
            // The others are not to wait for somebody who reads this.
            Err(Error(why)) => {
                all_over = false;
                report_line(&format!("kubectl-lastout: {why}"));
                continue;
            }
        };
        if let (Named::Job(job), true) = (named, pods.is_empty()) {
            report_line(&format!("kubectl-lastout: job/{job} has no pods"));
        }
        let is_job = matches!(named, Named::Job(_));
        let mut over = 0;
        let number = pods.len();
        for pod in pods {
            match target::look(pod, sidecars) {
                Ok(target) if targets.iter().any(|other| other.uid == target.uid) => {}
                Ok(target) => targets.push(target),
                // The pods of a Job's earlier tries.
                Err(Left::Over(_)) if is_job => over += 1,
                Err(Left::Over(why)) => report_line(&format!("kubectl-lastout: {why}")),
                Err(Left::Untouched(why)) => {
                    all_over = false;
                    report_line(&format!("kubectl-lastout: {why}"));
                }
            }
        }
        if let (Named::Job(job), true) = (named, over == number && number > 0) {
            report_line(&format!(
                "kubectl-lastout: job/{job}: all of its pods are over, or end by themselves"
            ));
        }
    }
    Ok((targets, all_over))
}

/// Asks on the terminal. Without one there is nobody to ask.
async fn agreed(targets: &[Target]) -> Result<bool, Error> {
    let mut text = String::new();
    for target in targets.iter().take(NAMED) {
        let sidecars: Vec<String> =
            target.asked.iter().map(|asked| format!("{} ({})", asked.container, asked.spec.quit)).collect();
        text.push_str(&format!("pod/{}: {}\n", target.name, one_line(&sidecars.join(", "))));
    }
    if let Some(more) = targets.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more\n"));
    }
    report(&text);
    if !io::stdin().is_terminal() {
        return Err(Error("there is no terminal to ask at: add --yes".to_owned()));
    }
    let what =
        if targets.len() == 1 { "this pod".to_owned() } else { format!("these {} pods", targets.len()) };
    report(&format!("End the sidecars of {what}? [y/N] "));
    // In a thread of its own: connections stay alive meanwhile.
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = read.await.map_err(io::Error::other).flatten();
    let answer = answer.map_err(|error| Error(format!("stdin: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
