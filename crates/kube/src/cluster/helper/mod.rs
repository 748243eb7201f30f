//! The helper: a container that watches its own pod and stops the sidecars when the mains are over.
//!
//! ```text
//! watch ─► the pod, as often as it changes ─► mains (pure) ─► running, gone, or over ─► `lastout stop`
//! ```

mod mains;
mod outage;

use crate::cluster::backoff::Backoff;
use crate::cluster::connect::Connection;
use crate::cluster::watch;
use crate::decide::Options;
use crate::exit::{Ended, Error, Exit};
use crate::output::report;
use kube::api::{Api, ApiResource, DynamicObject};
use mains::{Over, State};
use outage::Outage;
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What the helper is told.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its own pod.
    pub pod: String,
    /// The pod's namespace.
    pub namespace: String,
    /// What the sidecars and the mains are.
    pub options: Options,
    /// The wrapper, whose `stop` does the work.
    pub lastout: PathBuf,
    /// Its options.
    pub stop_options: Vec<OsString>,
}

/// Watches, stops, and ends. A native sidecar stays when all is done, as the kubelet would start it again.
///
/// # Errors
/// When nothing can come of it: no such container, no program. What may pass by itself is tried again.
pub async fn run(task: &Task, connection: Connection) -> Ended {
    let mut terminated = signal(SignalKind::terminate())
        .map_err(|error| Error(format!("SIGTERM cannot be handled: {error}")))?;
    tokio::select! {
        ended = work(task, connection) => ended,
        // The kubelet ends the pod, and its sidecars by itself.
        _ = terminated.recv() => {
            say("SIGTERM: the pod ends");
            Ok(Exit::Done)
        }
    }
}

async fn work(task: &Task, connection: Connection) -> Ended {
    if !task.lastout.is_file() {
        return Err(Error(format!(
            "{}: there is no such program: the helper's image has it beside its own, --lastout names another",
            task.lastout.display()
        )));
    }
    let pods: Api<DynamicObject> = Api::namespaced_with(
        connection.client,
        &task.namespace,
        &ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&()),
    );
    let name = &task.pod;
    say(&format!("watching pod {name} of namespace {}", task.namespace));
    let mut outage = Outage::default();
    let mut backoff = Backoff::default();
    let mut was_seen = false;
    let mut last = String::new();
    let mut changed = |now: String| {
        if now != last {
            say(&now);
            last = now;
        }
    };
    loop {
        let found = watch::until(&pods, name, &mut outage, |pod| {
            let Some(pod) = pod else { return Some(Ok(None)) };
            was_seen = true;
            match mains::state(&pod, &task.options) {
                Ok(State::Running(names)) => {
                    changed(format!("waiting for {}", names.join(", ")));
                    None
                }
                Ok(State::Over(over)) => Some(Ok(Some(over))),
                Err(error) => Some(Err(error)),
            }
        })
        .await;
        match found? {
            // It runs in its own pod, so that one was there.
            None if !was_seen => {
                return Err(Error(format!(
                    "--pod {name}: namespace {} has no such pod: POD_NAME and POD_NAMESPACE are to come from the pod's own fields (fieldRef: metadata.name, metadata.namespace)",
                    task.namespace
                )));
            }
            None | Some(Over::Pod) => {
                changed("the pod is over".to_owned());
                return Ok(Exit::Done);
            }
            Some(Over::Mains { sidecars, is_native, .. }) if sidecars.is_empty() => {
                changed("all sidecars have ended".to_owned());
                if is_native {
                    std::future::pending::<()>().await;
                }
                return Ok(Exit::Done);
            }
            Some(Over::Mains { mains, sidecars, .. }) => {
                changed(format!("{}: stopping {}", mains.join(", "), sidecars.join(", ")));
                stop(task, &sidecars).await;
                // A sidecar that started late refuses as one that is gone does: only the kubelet can tell.
                backoff.wait().await;
            }
        }
    }
}

/// Asks once. Whoever gives up leaves a pod that never ends: it is asked again for as long as one runs.
async fn stop(task: &Task, sidecars: &[String]) {
    let mut command = Command::new(&task.lastout);
    command.arg("stop").args(&task.stop_options).args(sidecars).kill_on_drop(true);
    match command.status().await {
        Ok(status) if status.success() => {}
        Ok(status) => say(&format!("lastout stop: {status}: not all are gone; they are asked again")),
        Err(error) => say(&format!("{}: {error}; it is tried again", task.lastout.display())),
    }
}

/// A line of the container's log.
fn say(line: &str) {
    report(&format!("kubectl-lastout: helper: {line}\n"));
}
