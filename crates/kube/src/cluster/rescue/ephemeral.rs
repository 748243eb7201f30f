//! `lastout stop` in an ephemeral container: it reaches unix sockets, and needs no port-forward. One that still runs does
//! not hold the pod: the kubelet ends it with the others (seen on 1.36).

use super::stop::LOOK;
use super::target::{Asked, Target};
use crate::cluster::api::{Kind, get, log};
use crate::cluster::error::told;
use crate::decide::restricted;
use crate::exit::Error;
use crate::hang::life::{Life, State};
use crate::pod::{Container, Pod as View, list};
use kube::Client;
use kube::core::params::{Patch, PatchParams};
use lastout_core::spec::{Address, Quit, Spec};
use lastout_core::stop::VerdictKind;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Lines of its log that are told: one for each sidecar, and one of its own.
const LINES: i64 = 10;

/// What it has said.
pub(super) struct Told {
    /// A line each.
    pub(super) lines: Vec<String>,
    /// The containers of those that it did not find.
    pub(super) not_there: Vec<String>,
}

/// Stops these.
pub(super) async fn stop(
    client: &Client,
    namespace: &str,
    target: &Target,
    asked: &[&Asked],
    image: &str,
    deadline: Instant,
) -> Result<Told, Error> {
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
    let text = match log(client, namespace, &target.name, &name, LINES).await {
        Ok(text) => text,
        Err(error) => {
            let Error(why) = told("its log cannot be read", &error);
            why
        }
    };
    let (reports, lines): (Vec<&str>, Vec<&str>) =
        text.lines().filter(|line| !line.is_empty()).partition(|line| line.starts_with('{'));
    let lines: Vec<String> =
        lines.into_iter().map(|line| line.trim_start_matches("lastout: ").to_owned()).collect();
    if code == 0 {
        let not_there = reports.last().map(|report| not_there(report, asked)).unwrap_or_default();
        return Ok(Told { lines, not_there });
    }
    let said = lines.last().cloned().unwrap_or_else(|| "it says nothing".to_owned());
    Err(Error(format!("`lastout stop` in ephemeral container {name} ended with exit code {code}: {said}")))
}

/// What it says of one that it did not find, and so has not asked.
const NOT_THERE: [VerdictKind; 2] = [VerdictKind::AlreadyGone, VerdictKind::Absent];

/// The containers of those that its report has as gone without having been asked.
fn not_there(report: &str, asked: &[&Asked]) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let is_not_there = |asked: &&&Asked| {
        let of_it = |one: &&Value| one.get("name").is_some_and(|name| *name == asked.spec.name);
        let verdict = list(&report, "sidecars").find(of_it).and_then(|one| one.get("verdict")?.as_str());
        verdict.is_some_and(|verdict| NOT_THERE.map(VerdictKind::slug).contains(&verdict))
    };
    asked.iter().filter(is_not_there).map(|asked| asked.container.clone()).collect()
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
        let pod = match get(client, Kind::Pods, namespace, &target.name).await {
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(0),
            pod => pod.map_err(|error| told(&format!("pod/{}", target.name), &error))?,
        };
        let text = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default();
        // What it was for is done; the kubelet may have ended it before it could say so.
        if text("/metadata/uid") != target.uid || matches!(text("/status/phase"), "Succeeded" | "Failed") {
            return Ok(0);
        }
        match Life::in_list(View(&pod), "ephemeralContainerStatuses", name).state {
            State::Over { code, .. } => return Ok(code),
            State::Waiting { reason, message } if NO_IMAGE.contains(&reason) => {
                return Err(Error(format!(
                    "ephemeral container {name} cannot start: {reason}: {message}; name lastout's image where your nodes get it: --image (now {image})"
                )));
            }
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
    let pod = View(&target.object);
    let there: Vec<&str> = list(pod.spec(), "ephemeralContainers")
        .filter_map(|container| container.get("name")?.as_str())
        .collect();
    let number = (1..).find(|number| !there.contains(&numbered(*number).as_str())).unwrap_or(1);
    let name = numbered(number);
    // Its report tells one that was asked from one that was not found.
    let mut arguments: Vec<String> =
        ["stop", "--log-level", "info", "--report", "-"].map(str::to_owned).into();
    let left = deadline.saturating_duration_since(Instant::now()).as_secs().max(1);
    arguments.extend(["--stop-timeout".to_owned(), format!("{left}s")]);
    let mut mounts: Vec<Value> = Vec::new();
    let mut variables = Map::new();
    for one in asked {
        arguments.extend(["--sidecar".to_owned(), one.text.clone()]);
        let Some(container) = pod.containers().into_iter().find(|own| own.name() == one.container) else {
            continue;
        };
        for path in paths(&one.spec) {
            mounts.extend(mount(container, &path)?.filter(|mount| !mounts.contains(mount)));
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
    }
    let variables: Vec<Value> =
        variables.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let user = asked.first().map(|asked| user_of(target, asked)).unwrap_or_default();
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

fn numbered(number: usize) -> String {
    format!("lastout-rescue-{number}")
}

/// A socket is its owner's: whoever is the sidecar's own user may write to it, and may end its process.
pub(super) fn user_of(target: &Target, asked: &Asked) -> Value {
    let pod = View(&target.object);
    let container = pod.containers().into_iter().find(|own| own.name() == asked.container);
    let own = container.and_then(|own| own.value().pointer("/securityContext/runAsUser"));
    own.or_else(|| pod.spec().pointer("/securityContext/runAsUser")).cloned().unwrap_or_default()
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
