//! Wrap: lastout comes into the pod, and runs the mains.

use super::facts::Facts;
use super::options::{Delivery, Options};
use super::ours::{FOLDER, GROUP_FOLDER, GROUP_VOLUME, VOLUME, is_lastout};
use super::sidecar::is_ended;
use super::status::{Given, Status};
use super::{
    COMMAND, Context, Decision, IMAGE_VOLUMES, ImageConfig, Reason, Refusal, Row, first, holds, parts,
};
use crate::change::{Change, Path};
use crate::pod::{Container, Pod};
use serde_json::Value;

/// Entrypoints of systems that wrap containers themselves.
const FOREIGN: [&str; 3] = ["/var/run/argo/", "/argo-bin/", "/tekton/bin/"];

/// What keeps lastout out of a pod, whatever its mains run: the first that holds.
pub(crate) const REFUSED: &[Row] = &[
    (Reason::HostPid, |facts| holds(facts.pod.has_host_pid())),
    (Reason::NoEndpoint, without_endpoint),
    (Reason::NameConflict, conflict_of_names),
    (Reason::MountConflict, conflict_of_mounts),
];

/// What a main runs.
enum Words<'a> {
    /// `command` says it.
    There,
    /// It is to be said by us.
    Said(Vec<String>),
    /// The image says it.
    Found(Vec<String>, &'a ImageConfig),
}

pub(super) fn decide(facts: &Facts<'_>, context: Context<'_>, options: &Options) -> Decision {
    match plan(facts, context, options) {
        Ok((changes, warnings)) => {
            let mut decision = Decision::new(facts, Reason::InjectedWrap, "").with(changes);
            decision.warnings.extend(warnings);
            decision
        }
        Err((reason, about)) => Decision::new(facts, reason, about),
    }
}

fn plan(
    facts: &Facts<'_>,
    context: Context<'_>,
    options: &Options,
) -> Result<(Vec<Change>, Vec<String>), Refusal> {
    if let Some(refusal) = first(REFUSED, facts) {
        return Err(refusal);
    }
    let mut words = Vec::new();
    for main in &facts.mains {
        words.push(words_of(facts, *main, context)?);
    }
    let mut warnings = Vec::new();
    if let (Delivery::ImageVolume, Some(oldest)) = (options.delivery, context.known.kube_version)
        && oldest < IMAGE_VOLUMES
    {
        warnings.push(format!(
            "image volumes need nodes of {IMAGE_VOLUMES} or newer, and the oldest is said to be {oldest}: leave --delivery image-volume out"
        ));
    }
    Ok((changes(facts, words, context, options), warnings))
}

/// A sidecar that cannot be asked to end, there or to come.
fn without_endpoint(facts: &Facts<'_>) -> Option<String> {
    let here = facts.sidecars.iter().find(|sidecar| !is_ended(&sidecar.spec.spec));
    let mut to_come = facts.to_come().filter_map(|promised| promised.injector.adds());
    here.map(|sidecar| sidecar.container.name())
        .or_else(|| to_come.find(|preset| preset.quit.is_none()).map(|preset| preset.name))
        .map(str::to_owned)
}

fn changes(facts: &Facts<'_>, words: Vec<Words<'_>>, context: Context<'_>, options: &Options) -> Vec<Change> {
    let delivery = match options.delivery {
        Delivery::Auto if context.known.has(IMAGE_VOLUMES) => Delivery::ImageVolume,
        Delivery::Auto | Delivery::InitContainer => Delivery::InitContainer,
        Delivery::ImageVolume => Delivery::ImageVolume,
    };
    let spec = Path::keys(&["spec"]);
    let grouped = is_grouped(facts);
    let mut changes = vec![Change::Insert {
        list: spec.key("volumes"),
        at: facts.pod.volume_count(),
        items: parts::volumes(delivery, &options.image, grouped),
    }];
    if delivery == Delivery::InitContainer {
        let items = vec![parts::init_container(facts, options)];
        changes.push(Change::Insert { list: spec.key("initContainers"), at: 0, items });
    }
    let specs = facts.specs();
    let mut given = Vec::new();
    for (main, words) in facts.mains.iter().zip(words) {
        let container = spec.key("containers").index(main.index);
        let prefix = parts::prefix(facts, *main, &specs, grouped);
        let set = |key: &str, value| Change::Set { mapping: container.clone(), key: key.to_owned(), value };
        let mut pin = None;
        changes.push(match words {
            Words::There => Change::Insert { list: container.key("command"), at: 0, items: prefix },
            Words::Said(words) => {
                given.push(Given { name: main.name().to_owned(), pinned: false });
                set("command", command(prefix, words))
            }
            Words::Found(words, config) => {
                let pinned = options.pin && !main.image().contains('@');
                given.push(Given { name: main.name().to_owned(), pinned });
                pin = pinned.then(|| set("image", format!("{}@{}", main.image(), config.digest).into()));
                set("command", command(prefix, words))
            }
        });
        changes.extend(pin);
        let at = main.mounts().count();
        changes.push(Change::Insert {
            list: container.key("volumeMounts"),
            at,
            items: parts::mounts(grouped),
        });
    }
    let note = Status::Wrap { given }.change(facts.pod, &changes);
    changes.push(note);
    changes
}

/// Several mains tell each other when they are over.
fn is_grouped(facts: &Facts<'_>) -> bool {
    facts.mains.len() > 1
}

fn command(prefix: Vec<Value>, words: Vec<String>) -> Value {
    prefix.into_iter().chain(words.into_iter().map(Value::from)).collect()
}

fn words_of<'a>(facts: &Facts<'_>, main: Container<'_>, context: Context<'a>) -> Result<Words<'a>, Refusal> {
    let no_command = |what: &str| Err((Reason::NoCommand, format!("{}: {what}", main.name())));
    if !main.has_words_only("command") {
        return no_command(
            "`command` is no list of words, and kubectl refuses it: write command: [\"/app\", \"x\"]",
        );
    }
    if let Some(words) = main.words("command") {
        let first = words.first().copied().unwrap_or_default();
        if first.is_empty() {
            return no_command("the first word of `command` is empty");
        }
        if FOREIGN.iter().any(|folder| first.starts_with(folder)) {
            return Err((Reason::ForeignEntrypoint, format!("{}: {first}", main.name())));
        }
        return Ok(Words::There);
    }
    let key = format!("{COMMAND}{}", main.name());
    if let Some(text) = facts.pod.annotation(&key) {
        return said(&key, text).map(Words::Said).map_err(|why| (Reason::NoCommand, why));
    }
    match context.known.images.get(main.image()) {
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

/// What the annotation `lastout.dev/command.NAME` says, or why that is nothing.
pub(crate) fn said(key: &str, text: &str) -> Result<Vec<String>, String> {
    let words: Option<Vec<String>> = serde_json::from_str(text).ok();
    words.filter(|words| !words.is_empty()).ok_or_else(|| format!("{key}: {text:?} is no JSON list of words"))
}

/// Neither `command` nor an annotation says what it runs.
pub(crate) fn is_silent(pod: Pod<'_>, main: Container<'_>) -> bool {
    let says_nothing = main.words("command").is_none() && main.has_words_only("command");
    says_nothing && pod.annotation(&format!("{COMMAND}{}", main.name())).is_none()
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

/// Something of the pod's own has a name that we give.
fn conflict_of_names(facts: &Facts<'_>) -> Option<String> {
    let pod = facts.pod;
    let names = [VOLUME, GROUP_VOLUME].into_iter().take(if is_grouped(facts) { 2 } else { 1 });
    let volume = names.into_iter().find(|name| pod.volume(name).is_some());
    let mut containers = pod.init_containers().into_iter().chain(pod.containers());
    volume.map(|name| format!("volume {name}")).or_else(|| {
        let container = containers.find(|container| container.name() == VOLUME)?;
        Some(format!("container {}", container.name()))
    })
}

/// Something else is mounted where ours is to be.
fn conflict_of_mounts(facts: &Facts<'_>) -> Option<String> {
    facts.mains.iter().find_map(|main| {
        let is_ours = |folder: &str| {
            let folder = folder.trim_end_matches('/');
            folder == FOLDER || is_grouped(facts) && folder == GROUP_FOLDER
        };
        let (_, folder) = main.mounts().find(|(_, folder)| is_ours(folder))?;
        Some(format!("{}: {folder}", main.name()))
    })
}
