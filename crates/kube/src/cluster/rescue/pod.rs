//! One pod, from the last look before anything is asked to its end and its Job's.

use super::target::{self, Asked, Left, Target};
use super::{Terms, end, ephemeral, stop};
use crate::cluster::api::{Kind, get};
use crate::cluster::error::told;
use crate::exit::Error;
use kube::Client;
use lastout_core::settings::LogLevel;
use lastout_core::spec::{Address, Quit};
use lastout_core::tell;
use std::time::Instant;

/// Ephemeral containers for one pod: they stay in it.
const TRIES: usize = 4;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The pod is over.
    pub(crate) is_over: bool,
    /// What there is to tell, a line each.
    pub(crate) lines: Vec<String>,
}

/// Ends its sidecars. `first`: as it was when the user was asked.
pub(crate) async fn rescue(client: &Client, namespace: &str, first: &Target, terms: &Terms) -> Outcome {
    let deadline = Instant::now() + terms.timeout;
    let mut lines = Vec::new();
    let target = match again(client, namespace, first).await {
        Ok(target) => target,
        Err((line, is_over)) => return Outcome { is_over, lines: vec![line] },
    };
    let (mut inside, outside): (Vec<&Asked>, Vec<&Asked>) =
        target.asked.iter().partition(|asked| terms.ephemeral || is_inside(asked));
    let mut may_end = true;
    for asked in outside {
        let began = Instant::now();
        match stop::until_done(client, namespace, &target, asked, deadline).await {
            stop::Ended::Verdict(verdict) => {
                let (level, words) = tell::verdict(&asked.spec, &verdict, false, began.elapsed());
                may_end &= level >= LogLevel::Info;
                lines.push(format!("pod/{}: {words}", target.name));
            }
            stop::Ended::Forbidden(why) => {
                lines.push(format!(
                    "pod/{}: {why}; an ephemeral container asks {}",
                    target.name, asked.container
                ));
                inside.push(asked);
            }
            stop::Ended::Changed(why) => {
                lines.push(why);
                return Outcome { is_over: false, lines };
            }
        }
    }
    let inside: Vec<String> = inside.into_iter().map(|asked| asked.container.clone()).collect();
    match from_inside(client, namespace, &target, inside, terms, deadline, &mut lines).await {
        Ok(all_may_end) => may_end &= all_may_end,
        Err((line, is_over)) => {
            lines.push(line);
            return Outcome { is_over, lines };
        }
    }
    let end = if may_end { end::of_pod(client, namespace, &target, deadline).await } else { None };
    match &end {
        Some(phase) => {
            lines.push(format!("pod/{}: {phase}", target.name));
            if let Some(job) = &target.job {
                lines.push(end::of_job(client, namespace, job, deadline).await);
            }
        }
        None => lines.push(format!("pod/{} has not ended", target.name)),
    }
    Outcome { is_over: end.is_some(), lines }
}

/// Asks the sidecars in these containers by ephemeral containers, one after the other. Whether all of them may end now.
///
/// A port that refuses is no proof for `lastout stop` of what it cannot see: the sidecar may only begin to listen. So where
/// one is told gone and the kubelet says that it runs, it is asked again.
async fn from_inside(
    client: &Client,
    namespace: &str,
    first: &Target,
    mut containers: Vec<String>,
    terms: &Terms,
    deadline: Instant,
    lines: &mut Vec<String>,
) -> Result<bool, (String, bool)> {
    for _ in 0..TRIES {
        if containers.is_empty() {
            return Ok(true);
        }
        // The requests before this one may have taken long.
        let target = again(client, namespace, first).await?;
        let asked: Vec<&Asked> =
            target.asked.iter().filter(|asked| containers.contains(&asked.container)).collect();
        match ephemeral::stop(client, namespace, &target, &asked, &terms.image, deadline).await {
            Ok(told) => lines.extend(told.into_iter().map(|line| format!("pod/{}: {line}", target.name))),
            Err(Error(why)) => {
                lines.push(format!("pod/{}: {why}", target.name));
                return Ok(false);
            }
        }
        containers = end::still_running(client, namespace, first, containers, deadline).await;
    }
    Ok(containers.is_empty())
}

/// The pod as it is now: still the same one, and its mains still over.
async fn again(client: &Client, namespace: &str, first: &Target) -> Result<Target, (String, bool)> {
    let name = &first.name;
    let pod = match get(client, Kind::Pods, namespace, name).await {
        Ok(pod) => pod,
        Err(error) => {
            let Error(why) = told(&format!("pod/{name}"), &error);
            return Err((why, false));
        }
    };
    let target = target::look(pod, &first.sidecars).map_err(|left| match left {
        Left::Over(why) => (why, true),
        Left::Untouched(why) => (why, false),
    })?;
    if target.uid != first.uid {
        return Err((format!("pod/{name} is left alone: it is another one now"), false));
    }
    Ok(target)
}

/// It can only be asked by somebody in the pod.
fn is_inside(asked: &Asked) -> bool {
    match &asked.spec.quit {
        Quit::Http(request) => matches!(request.at, Address::Unix(_)),
        Quit::CreateFile(_) => true,
        Quit::WithAnother | Quit::Nothing => false,
    }
}
