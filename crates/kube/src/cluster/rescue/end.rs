//! Waits for a pod's end, and for what its Job makes of it.

use super::stop::LOOK;
use super::target::Target;
use crate::cluster::api::{Kind, get};
use crate::cluster::error::told;
use crate::exit::Error;
use crate::hang::life::{Life, State};
use crate::pod::{Pod as View, list};
use kube::Client;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The Job controller needs a moment behind the pod's end.
const JOB: Duration = Duration::from_secs(15);
/// The kubelet tells of a container's end within a second or two.
const SEEN: Duration = Duration::from_secs(5);

/// How it is with a pod at the deadline, or at its end before that.
pub(super) enum End {
    /// `Succeeded`, `Failed`, or `gone`.
    Over(String),
    NotYet,
    /// It could not be looked at.
    Unknown(String),
}

impl End {
    /// Behind the pod's name.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Over(phase) => format!(": {phase}"),
            Self::NotYet => " has not ended".to_owned(),
            Self::Unknown(why) => format!(": it is not known whether it has ended: {why}"),
        }
    }
}

/// Waits for it.
pub(super) async fn of_pod(client: &Client, namespace: &str, target: &Target, deadline: Instant) -> End {
    loop {
        let end = match get(client, Kind::Pods, namespace, &target.name).await {
            Ok(pod) => {
                let text = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default();
                match text("/status/phase") {
                    _ if text("/metadata/uid") != target.uid => End::Over("gone".to_owned()),
                    phase @ ("Succeeded" | "Failed") => End::Over(phase.to_owned()),
                    _ => End::NotYet,
                }
            }
            Err(kube::Error::Api(status)) if status.code == 404 => End::Over("gone".to_owned()),
            Err(error) => {
                let Error(why) = told("pods", &error);
                End::Unknown(why)
            }
        };
        if matches!(end, End::Over(_)) || Instant::now() >= deadline {
            return end;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Those of these containers that the kubelet still calls running a while after they were told gone.
pub(super) async fn still_running(
    client: &Client,
    namespace: &str,
    target: &Target,
    mut containers: Vec<String>,
    deadline: Instant,
) -> Vec<String> {
    let deadline = deadline.min(Instant::now() + SEEN);
    loop {
        if containers.is_empty() {
            return containers;
        }
        match get(client, Kind::Pods, namespace, &target.name).await {
            Ok(pod) => containers.retain(|name| {
                let life = Life::in_list(View(&pod), "containerStatuses", name);
                matches!(life.state, State::Running { .. })
            }),
            Err(kube::Error::Api(status)) if status.code == 404 => containers.clear(),
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return containers;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How the Job ended, in words.
pub(super) async fn of_job(client: &Client, namespace: &str, job: &str) -> String {
    let deadline = Instant::now() + JOB;
    loop {
        match get(client, Kind::Jobs, namespace, job).await {
            Ok(found) => {
                if let Some((kind, message)) = condition(&found) {
                    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
                    return format!("job/{job}: {kind}{message}");
                }
            }
            Err(kube::Error::Api(status)) if status.code == 404 => return format!("job/{job}: gone"),
            Err(error) => {
                let Error(why) = told(&format!("job/{job}"), &error);
                return why;
            }
        }
        if Instant::now() >= deadline {
            return format!("job/{job} has no end yet: it may have other pods, or make another one");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// `Complete` or `Failed`, and the message of that.
fn condition(job: &Value) -> Option<(&str, &str)> {
    let is_over = |condition: &&Value| {
        condition.get("status").is_some_and(|status| status == "True")
            && condition.get("type").is_some_and(|kind| kind == "Complete" || kind == "Failed")
    };
    let found = list(job.get("status")?, "conditions").find(is_over)?;
    let kind = found.get("type")?.as_str()?;
    let message = found.get("message").and_then(Value::as_str).unwrap_or_default();
    Some((kind, if kind == "Failed" { message } else { "" }))
}
