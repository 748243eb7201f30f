//! Waits for a pod's end, and for what its Job makes of it.

use super::stop::LOOK;
use super::target::Target;
use crate::cluster::api::{Kind, get};
use crate::cluster::error::told;
use crate::cluster::hang::life::{Life, State};
use crate::exit::Error;
use crate::pod::{Pod as View, list};
use kube::Client;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The Job controller needs a moment behind the pod's end.
const JOB: Duration = Duration::from_secs(15);

/// The kubelet tells of a container's end within a second or two.
const SEEN: Duration = Duration::from_secs(5);

/// `Succeeded`, `Failed`, or `gone`. `None`: not before the deadline.
pub(super) async fn of_pod(
    client: &Client,
    namespace: &str,
    target: &Target,
    deadline: Instant,
) -> Option<String> {
    loop {
        match get(client, Kind::Pods, namespace, &target.name).await {
            Ok(pod) => {
                let text = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default();
                if text("/metadata/uid") != target.uid {
                    return Some("gone".to_owned());
                }
                if matches!(text("/status/phase"), "Succeeded" | "Failed") {
                    return Some(text("/status/phase").to_owned());
                }
            }
            Err(kube::Error::Api(status)) if status.code == 404 => return Some("gone".to_owned()),
            // Tried again as long as there is time.
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return None;
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
        match get(client, Kind::Pods, namespace, &target.name).await {
            Ok(pod) => containers.retain(|name| {
                let life = Life::in_list(View(&pod), "containerStatuses", name);
                matches!(life.state, State::Running { .. })
            }),
            Err(kube::Error::Api(status)) if status.code == 404 => containers.clear(),
            Err(_) => {}
        }
        if containers.is_empty() || Instant::now() >= deadline {
            return containers;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How the Job ended, in words.
pub(super) async fn of_job(client: &Client, namespace: &str, job: &str, deadline: Instant) -> String {
    let deadline = deadline.min(Instant::now() + JOB);
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
            return format!("job/{job} goes on: it has other pods, or makes another one");
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
