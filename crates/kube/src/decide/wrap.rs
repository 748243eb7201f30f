//! Wrap: lastout comes into the pod, and runs the mains. Helper: a container of ours watches them.

use super::facts::Facts;
use super::options::{Delivery, IMAGE_VOLUMES, ImageConfig, Options};
use super::restart::final_codes;
use super::{COMMAND, Decision, Reason, Refusal, STOP_ON, status};
use crate::change::{Change, Path};
use crate::pod::{Container, Pod, list};
use serde_json::{Value, json};

/// The volume that the program is in, and the init container that puts it there.
pub const VOLUME: &str = "lastout";
/// Where it is mounted.
pub const FOLDER: &str = "/.lastout";
/// The program there.
pub const BINARY: &str = "/.lastout/lastout";
/// The volume of the group of mains.
pub const GROUP_VOLUME: &str = "lastout-group";
/// Where that is mounted.
pub const GROUP_FOLDER: &str = "/.lastout-group";
/// The sizes of the two.
pub(crate) const SIZE: &str = "16Mi";
pub(crate) const GROUP_SIZE: &str = "1Mi";
/// The helper container.
pub const HELPER: &str = "lastout-helper";

/// Entrypoints of systems that wrap containers themselves.
const FOREIGN: [&str; 3] = ["/var/run/argo/", "/argo-bin/", "/tekton/bin/"];

/// It runs under lastout already, wherever the program is: in front of its command, or as its image's own entrypoint, which is
/// told by variables or is our own image's.
#[must_use]
pub fn is_wrapped(container: Container<'_>) -> bool {
    match container.words("command") {
        Some(words) => words.first().is_some_and(|word| is_lastout(word)),
        None => is_own_image(container) || has_own_variable(container),
    }
}

/// Its image is lastout's own: `registry/lastout:1.2`, not what is made from it.
#[must_use]
pub fn is_own_image(container: Container<'_>) -> bool {
    let image = container.image().split('@').next().unwrap_or_default();
    image.rsplit('/').next().and_then(|name| name.split(':').next()) == Some("lastout")
}

/// One that names sidecars: others may be there for a program that is still to be put in.
fn has_own_variable(container: Container<'_>) -> bool {
    let mut names = list(container.value(), "env").filter_map(|entry| entry.get("name")?.as_str());
    names.any(|name| ["LASTOUT_SIDECAR", "LASTOUT_COMPAT"].contains(&name))
}

/// The init container that brings the program.
#[must_use]
pub fn is_ours_init(container: Container<'_>) -> bool {
    container.name() == VOLUME && container.words("args").is_some_and(|words| words == ["install", FOLDER])
}

/// A path to the program.
pub(crate) fn is_lastout(word: &str) -> bool {
    word.rsplit('/').next() == Some("lastout")
}

/// What a main runs.
enum Words<'a> {
    /// `command` says it.
    There,
    /// It is to be said by us.
    Said(Vec<String>),
    /// The image says it.
    Found(Vec<String>, &'a ImageConfig),
}

pub(super) fn decide(facts: &Facts<'_>, options: &Options) -> Decision {
    match plan(facts, options) {
        Ok((changes, warnings)) => {
            let mut decision = Decision::new(facts, Reason::InjectedWrap, "").with(changes);
            decision.warnings.extend(warnings);
            decision
        }
        Err((reason, about)) => Decision::new(facts, reason, about),
    }
}

fn plan(facts: &Facts<'_>, options: &Options) -> Result<(Vec<Change>, Vec<String>), Refusal> {
    let pod = facts.pod;
    if pod.has_host_pid() {
        return Err((Reason::HostPid, String::new()));
    }
    let mut warnings = Vec::new();
    let mut specs: Vec<String> = facts.sidecars.iter().map(|sidecar| sidecar.spec.clone()).collect();
    // One that may turn out to be a native one, or not to come at all, is waited for only if it is there.
    specs.extend(facts.to_come().map(|promised| {
        let name = promised.injector.preset;
        if promised.native.is_none() { format!("{name}?") } else { name.to_owned() }
    }));
    for sidecar in &facts.sidecars {
        if sidecar.spec.contains(':') || sidecar.preset.is_none_or(|preset| preset.quit.is_some()) {
            continue;
        }
        return Err((Reason::NoEndpoint, sidecar.container.name().to_owned()));
    }
    for promised in facts.to_come() {
        if promised.injector.adds().is_some_and(|preset| preset.quit.is_none()) {
            return Err((Reason::NoEndpoint, promised.injector.preset.to_owned()));
        }
    }
    conflicts(facts)?;
    let mut words = Vec::new();
    for main in &facts.mains {
        words.push(words_of(facts, *main, options)?);
    }
    let delivery = match options.delivery {
        Delivery::Auto if options.kube_version.is_some_and(|version| version >= IMAGE_VOLUMES) => {
            Delivery::ImageVolume
        }
        Delivery::Auto | Delivery::InitContainer => Delivery::InitContainer,
        Delivery::ImageVolume => Delivery::ImageVolume,
    };
    let spec = Path::keys(&["spec"]);
    let grouped = facts.mains.len() > 1;
    let mut volumes = vec![match delivery {
        Delivery::ImageVolume => json!({ "name": VOLUME, "image": { "reference": options.image } }),
        Delivery::Auto | Delivery::InitContainer => {
            json!({ "name": VOLUME, "emptyDir": { "sizeLimit": SIZE } })
        }
    }];
    if grouped {
        volumes.push(json!({ "name": GROUP_VOLUME, "emptyDir": { "sizeLimit": GROUP_SIZE } }));
    }
    let mut changes =
        vec![Change::Insert { list: spec.key("volumes"), at: pod.volume_count(), items: volumes }];
    if delivery == Delivery::InitContainer {
        let items = vec![init_container(facts, options)];
        changes.push(Change::Insert { list: spec.key("initContainers"), at: 0, items });
    }
    let mut found = Vec::new();
    for (main, words) in facts.mains.iter().zip(words) {
        let container = spec.key("containers").index(main.index);
        let prefix = prefix(facts, *main, &specs, grouped);
        let set = |key: &str, value| Change::Set { mapping: container.clone(), key: key.to_owned(), value };
        let mut pin = None;
        changes.push(match words {
            Words::There => Change::Insert { list: container.key("command"), at: 0, items: prefix },
            Words::Said(words) => {
                found.push(format!("command={}", main.name()));
                set("command", command(prefix, words))
            }
            Words::Found(words, config) => {
                found.push(format!("command={}", main.name()));
                if options.pin && !main.image().contains('@') {
                    found.push(format!("pinned={}", main.name()));
                    pin = Some(set("image", format!("{}@{}", main.image(), config.digest).into()));
                }
                set("command", command(prefix, words))
            }
        });
        changes.extend(pin);
        let mut mounts = vec![json!({ "name": VOLUME, "mountPath": FOLDER, "readOnly": true })];
        if grouped {
            mounts.push(json!({ "name": GROUP_VOLUME, "mountPath": GROUP_FOLDER }));
        }
        let at = main.mounts().count();
        changes.push(Change::Insert { list: container.key("volumeMounts"), at, items: mounts });
    }
    if facts.has_main_without_end() {
        warnings
            .push("a main is restarted whatever its exit code: the sidecars are never stopped".to_owned());
    }
    changes.push(status(pod, "wrap", &found));
    Ok((changes, warnings))
}

fn command(prefix: Vec<Value>, words: Vec<String>) -> Value {
    prefix.into_iter().chain(words.into_iter().map(Value::from)).collect()
}

/// `/.lastout/lastout --sidecar SPEC … --`
fn prefix(facts: &Facts<'_>, main: Container<'_>, specs: &[String], grouped: bool) -> Vec<Value> {
    let mut words = vec![BINARY.to_owned()];
    for spec in specs {
        words.extend(["--sidecar".to_owned(), spec.clone()]);
    }
    let own = facts.pod.annotation(STOP_ON).map(str::to_owned);
    if let Some(codes) = own.or_else(|| final_codes(facts.pod, main).as_stop_on()) {
        words.extend(["--stop-on".to_owned(), codes]);
    }
    if grouped {
        let size = facts.mains.len().to_string();
        words.extend(
            ["--group", GROUP_FOLDER, "--group-size", &size, "--group-name", main.name()].map(str::to_owned),
        );
    }
    words.push("--".to_owned());
    // The kubelet expands $(NAME) in a command, and makes one dollar of two.
    words.into_iter().map(|word| Value::from(word.replace('$', "$$"))).collect()
}

fn words_of<'a>(facts: &Facts<'_>, main: Container<'_>, options: &'a Options) -> Result<Words<'a>, Refusal> {
    if let Some(words) = main.words("command") {
        let first = words.first().copied().unwrap_or_default();
        if FOREIGN.iter().any(|folder| first.starts_with(folder)) {
            return Err((Reason::ForeignEntrypoint, format!("{}: {first}", main.name())));
        }
        return Ok(Words::There);
    }
    let key = format!("{COMMAND}{}", main.name());
    if let Some(text) = facts.pod.annotation(&key) {
        return match serde_json::from_str::<Vec<String>>(text) {
            Ok(words) if !words.is_empty() => Ok(Words::Said(words)),
            _ => Err((Reason::NoCommand, format!("{key}: {text:?} is no JSON list of words"))),
        };
    }
    match options.images.get(main.image()) {
        None => Err((Reason::NoCommand, main.name().to_owned())),
        Some(Ok(config)) => Ok(Words::Found(words_of_image(main, config)?, config)),
        Some(Err(why)) => Err((
            Reason::UnresolvedImage,
            format!(
                "{}: {}: {why}; else say it by `command` or the annotation {key}",
                main.name(),
                main.image()
            ),
        )),
    }
}

/// Neither `command` nor an annotation says what it runs.
pub(crate) fn is_silent(pod: Pod<'_>, main: Container<'_>) -> bool {
    main.words("command").is_none() && pod.annotation(&format!("{COMMAND}{}", main.name())).is_none()
}

/// What `command` has to be for the container to run what it runs without one; `args` stay where they are.
///
/// | `args` | runs | `command` |
/// |---|---|---|
/// | none | ENTRYPOINT, CMD | ENTRYPOINT, CMD |
/// | some | ENTRYPOINT, `args` | ENTRYPOINT |
///
/// Either list may be empty: without an ENTRYPOINT, CMD or `args` alone are run, and follow our `--`.
fn words_of_image(main: Container<'_>, config: &ImageConfig) -> Result<Vec<String>, Refusal> {
    let has_args = main.words("args").is_some();
    let cmd = if has_args { [].as_slice() } else { &config.cmd };
    let words: Vec<String> = config.entrypoint.iter().chain(cmd).cloned().collect();
    let about = |what: &str| format!("{}: {}: {what}", main.name(), main.image());
    match words.first() {
        None if has_args => Ok(words),
        None => Err((Reason::UnresolvedImage, about("it has neither ENTRYPOINT nor CMD: nothing would run"))),
        Some(first) if is_lastout(first) => Err((Reason::Already, about("it is the image's own ENTRYPOINT"))),
        // What comes from an image is not expanded by the kubelet; what stands in a manifest is.
        Some(_) => Ok(words.iter().map(|word| word.replace('$', "$$")).collect()),
    }
}

fn conflicts(facts: &Facts<'_>) -> Result<(), Refusal> {
    let pod = facts.pod;
    for name in [VOLUME, GROUP_VOLUME] {
        if pod.volume(name).is_some() {
            return Err((Reason::NameConflict, format!("volume {name}")));
        }
    }
    if let Some(container) =
        pod.init_containers().into_iter().chain(pod.containers()).find(|container| container.name() == VOLUME)
    {
        return Err((Reason::NameConflict, format!("container {}", container.name())));
    }
    for main in &facts.mains {
        if let Some((_, folder)) =
            main.mounts().find(|(_, folder)| [FOLDER, GROUP_FOLDER].contains(&folder.trim_end_matches('/')))
        {
            return Err((Reason::MountConflict, format!("{}: {folder}", main.name())));
        }
    }
    Ok(())
}

fn init_container(facts: &Facts<'_>, options: &Options) -> Value {
    let resources = match &options.resources {
        Some((cpu, memory)) => {
            let amounts = json!({ "cpu": cpu, "memory": memory });
            Some(json!({ "requests": amounts, "limits": amounts }))
        }
        None => facts.mains.first().and_then(|main| main.value().get("resources")).cloned(),
    };
    let fields = [
        ("name", Some(VOLUME.into())),
        ("image", Some(options.image.as_str().into())),
        ("args", Some(json!(["install", FOLDER]))),
        ("resources", resources.filter(|resources| !resources.is_null())),
        ("securityContext", Some(restricted(facts))),
        ("volumeMounts", Some(json!([{ "name": VOLUME, "mountPath": FOLDER }]))),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// What the restricted Pod Security Standard asks of a container. No user: the image has one, OpenShift gives its own, and
/// namespaces may; but under a pod's user 0, `runAsNonRoot` alone would keep it from starting.
fn restricted(facts: &Facts<'_>) -> Value {
    let mut context = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    let user = facts.pod.spec().get("securityContext").and_then(|context| context.get("runAsUser"));
    if let Some(context) = context.as_object_mut()
        && user.and_then(Value::as_u64) == Some(0)
    {
        context.insert("runAsUser".to_owned(), json!(65532));
    }
    context
}

pub(super) fn decide_helper(facts: &Facts<'_>, options: &Options) -> Decision {
    let pod = facts.pod;
    if pod.containers().iter().any(|container| container.name() == HELPER) {
        return Decision::new(facts, Reason::Already, HELPER);
    }
    let mut args = vec![Value::from("helper")];
    let specs = facts.sidecars.iter().map(|sidecar| sidecar.spec.clone());
    for spec in specs.chain(facts.to_come().map(|promised| format!("{}?", promised.injector.preset))) {
        args.extend([Value::from("--sidecar"), Value::from(spec)]);
    }
    for main in &facts.mains {
        args.extend([Value::from("--main"), Value::from(main.name())]);
    }
    let field =
        |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    let helper = json!({
        "name": HELPER,
        "image": options.helper_image,
        "args": args,
        "env": [field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")],
        "securityContext": restricted(facts),
    });
    let list = Path::keys(&["spec", "containers"]);
    let changes = vec![
        Change::Insert { list, at: pod.containers().len(), items: vec![helper] },
        status(pod, "helper", &[]),
    ];
    Decision::new(facts, Reason::InjectedHelper, "").with(changes)
}
