//! `lastout stop` in an ephemeral container: it reaches unix sockets, and needs no port-forward. One that still runs does
//! not hold the pod: the kubelet ends it with the others (seen on 1.36).

use super::stop::LOOK;
use super::target::{Asked, Target};
use crate::cluster::api::{Kind, get, log};
use crate::cluster::error::told;
use crate::cluster::hang::life::{Life, State};
use crate::decide::restricted;
use crate::exit::Error;
use crate::pod::{Container, Pod as View};
use kube::Client;
use kube::core::params::{Patch, PatchParams};
use lastout_core::spec::{Address, Quit, Spec};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Lines of its log that are told: one for each sidecar, and one of its own.
const LINES: i64 = 10;

/// Stops these. What it has said, a line each.
pub(super) async fn stop(
    client: &Client,
    namespace: &str,
    target: &Target,
    asked: &[&Asked],
    image: &str,
    deadline: Instant,
) -> Result<Vec<String>, Error> {
    let (name, container) = container(target, asked, image, deadline)?;
    let patch = Patch::Strategic(json!({ "spec": { "ephemeralContainers": [container] } }));
    let request = Kind::Pods.request(Some(namespace)).patch_subresource(
        "ephemeralcontainers",
        &target.name,
        &PatchParams::default(),
        &patch,
    );
    let wrong = |error: &kube::Error| told("ephemeral container", error);
    let request = request.map_err(|error| wrong(&kube::Error::BuildRequest(error)))?;
    client.request::<Value>(request).await.map_err(|error| wrong(&error))?;
    let code = ended(client, namespace, target, &name, image, deadline).await?;
    let text = log(client, namespace, &target.name, &name, LINES).await.unwrap_or_default();
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.trim_start_matches("lastout: ").to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    if code == 0 {
        return Ok(lines);
    }
    let said = lines.last().cloned().unwrap_or_else(|| "it says nothing".to_owned());
    Err(Error(format!("`lastout stop` in ephemeral container {name} ended with exit code {code}: {said}")))
}

/// Waits for its end: the exit code.
async fn ended(
    client: &Client,
    namespace: &str,
    target: &Target,
    name: &str,
    image: &str,
    deadline: Instant,
) -> Result<i64, Error> {
    const NO_IMAGE: [&str; 4] = ["ErrImageNeverPull", "InvalidImageName", "ImagePullBackOff", "ErrImagePull"];
    loop {
        let pod = get(client, Kind::Pods, namespace, &target.name).await;
        let pod = pod.map_err(|error| told(&format!("pod/{}", target.name), &error))?;
        let over =
            matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
        match Life::in_list(View(&pod), "ephemeralContainerStatuses", name).state {
            State::Over { code, .. } if !over => return Ok(code),
            // What it was for is done; the kubelet may have ended it before it could say so.
            State::Over { .. } => return Ok(0),
            State::Waiting { reason, message } if NO_IMAGE.contains(&reason) => {
                return Err(Error(format!(
                    "ephemeral container {name} cannot start: {reason}: {message}; name lastout's image where your nodes get it: --image (now {image})"
                )));
            }
            State::Unknown | State::Running { .. } if over => return Ok(0),
            State::Unknown | State::Waiting { .. } | State::Running { .. } => {}
        }
        if Instant::now() >= deadline {
            return Err(Error(format!("ephemeral container {name} has not ended in time")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The container, under a name that the pod does not have yet: those that are there stay for the pod's life.
fn container(
    target: &Target,
    asked: &[&Asked],
    image: &str,
    deadline: Instant,
) -> Result<(String, Value), Error> {
    let there = target.object.pointer("/spec/ephemeralContainers").and_then(Value::as_array);
    let name = format!("lastout-rescue-{}", there.map_or(1, |there| there.len() + 1));
    let pod = View(&target.object);
    let mut arguments = vec!["stop".to_owned()];
    let left = deadline.saturating_duration_since(Instant::now()).as_secs().max(1);
    arguments.extend(["--stop-timeout".to_owned(), format!("{left}s")]);
    let mut mounts: Vec<Value> = Vec::new();
    let mut variables = Map::new();
    let mut user = Value::Null;
    for one in asked {
        arguments.extend(["--sidecar".to_owned(), one.text.clone()]);
        let Some(container) = pod.containers().into_iter().find(|own| own.name() == one.container) else {
            continue;
        };
        for path in paths(&one.spec) {
            mounts.extend(mount(container, &path)?);
        }
        // Some rows take a port or a header from a variable.
        let preset = one.spec.preset;
        let names =
            [preset.and_then(|row| row.port_from_env), preset.and_then(|row| Some(row.header_from_env?.1))];
        for variable in names.into_iter().flatten() {
            if let Some(value) = pod.containers().iter().find_map(|own| own.env(variable)) {
                variables.insert(variable.to_owned(), json!(value));
            }
        }
        // A socket is its owner's: who is the sidecar's own user may write to it.
        let own = container.value().pointer("/securityContext/runAsUser");
        let id = own.or_else(|| pod.spec().pointer("/securityContext/runAsUser"));
        user = id.cloned().unwrap_or(user);
    }
    mounts.dedup();
    let variables: Vec<Value> =
        variables.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut security = restricted();
    if user.as_u64() == Some(0) {
        security.remove("runAsNonRoot");
    }
    if !user.is_null() {
        security.insert("runAsUser".to_owned(), user);
    }
    let container = json!({
        "name": name,
        "image": image,
        "args": arguments,
        "env": variables,
        "volumeMounts": mounts,
        "securityContext": security,
    });
    Ok((name, container))
}

/// The files and sockets that it is asked by.
fn paths(spec: &Spec) -> Vec<String> {
    let of = |address: Option<&Address>| match address {
        // The name of an abstract one is no path.
        Some(Address::Unix(path)) if path.first() != Some(&0) => Some(path.clone()),
        Some(Address::Unix(_) | Address::Tcp(_)) | None => None,
    };
    let file = match &spec.quit {
        Quit::CreateFile(path) => Some(path.clone()),
        Quit::Http(_) | Quit::WithAnother | Quit::Nothing => None,
    };
    let all = [of(spec.quit.address()), of(spec.ready.address()), of(spec.gone.address()), file];
    all.into_iter().flatten().map(|path| String::from_utf8_lossy(&path).into_owned()).collect()
}

/// The sidecar's own mount that holds it.
fn mount(container: Container<'_>, path: &str) -> Result<Option<Value>, Error> {
    let Some(mount) = container.mount_of(path) else {
        return Err(Error(format!(
            "{}: {path} is on no volume, so no other container reaches it",
            container.name()
        )));
    };
    if ["subPath", "subPathExpr"].iter().any(|key| mount.get(*key).is_some()) {
        return Err(Error(format!(
            "{}: {path} is on a volume that is mounted by subPath, which ephemeral containers may not",
            container.name()
        )));
    }
    let mut mount = mount.clone();
    if let Some(mount) = mount.as_object_mut() {
        mount.remove("readOnly");
    }
    Ok(Some(mount))
}
