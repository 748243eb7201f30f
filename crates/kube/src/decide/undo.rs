//! The way back: what `decide` did is taken out again, found by facts. Only which containers became native ones, where they
//! stood, and what was empty before, nothing but our own note can tell. All of it goes, or nothing: half of a group would
//! wait for the other half.

use super::STATUS;
use super::ours::{
    BINARY, FOLDER, GROUP_FOLDER, GROUP_VOLUME, HELPER, TOKEN_VOLUME, VOLUME, is_helper, is_ours_init,
};
use super::status::{Given, Status, was_empty, was_null};
use crate::change::{Change, Item, KeyChange, Path, Step, apply};
use crate::pod::{Container, Pod, list};
use lastout_core::argv::{Subcommand, scan};
use lastout_core::settings::{Opt, Verb};
use serde_json::Value;
use std::fmt;

/// Why lastout stays in a pod: it is not, or not only, as `inject` has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stays(String);

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stays {}

/// A main that lastout runs.
struct Wrapped<'a> {
    container: Container<'a>,
    /// How many words of its command are ours.
    own: usize,
    grouped: bool,
    /// Its command is ours as a whole.
    given: Option<&'a Given>,
}

/// The changes that lead back; none where lastout is not there.
///
/// # Errors
/// When something does not fit what `inject` writes; then nothing is to be changed.
pub fn undo(pod: Pod<'_>) -> Result<Vec<Change>, Stays> {
    let note = pod.annotation(STATUS);
    let status = match note.map(|note| (note, Status::read(note))) {
        Some((note, None)) => return Err(Stays(format!("{STATUS}: {note:?} is no note of lastout's"))),
        Some((_, status)) => status,
        None => None,
    };
    let mut changes = Vec::new();
    unwrap_mains(&mut changes, pod, status.as_ref())?;
    let is_there = take_helper(&mut changes, pod);
    if !is_there && status == Some(Status::Helper) {
        return Err(changed(&format!("there is no container {HELPER} of lastout's any more")));
    }
    if let Some(Status::Native { moved }) = &status {
        let count = pod.containers().iter().filter(|container| !is_helper(**container)).count();
        back_from_native(&mut changes, pod, moved, count)?;
    }
    if let Some(note) = note {
        take_note(&mut changes, pod, was_empty(note), &was_null(note));
        null_again(&mut changes, pod, &was_null(note))?;
    }
    Ok(changes)
}

/// The helper and the volume with its account. It was there.
fn take_helper(changes: &mut Vec<Change>, pod: Pod<'_>) -> bool {
    let spec = Path::keys(&["spec"]);
    let mut is_there = false;
    for (key, all) in [("initContainers", pod.init_containers()), ("containers", pod.containers())] {
        if let Some(helper) = all.into_iter().find(|container| is_helper(*container)) {
            changes.push(Change::Take { list: spec.key(key), at: helper.index, count: 1 });
            is_there = true;
        }
    }
    if is_there {
        let is_ours = |volume: &Value| volume.get("name").and_then(Value::as_str) == Some(TOKEN_VOLUME);
        take_from(changes, spec.key("volumes"), list(pod.spec(), "volumes").map(is_ours));
    }
    is_there
}

/// The pod is another one than `inject` has left.
fn changed(what: &str) -> Stays {
    Stays(format!(
        "{what}, as {STATUS} has it: put it right, or take lastout and that annotation out by hand"
    ))
}

/// lastout's words, its mounts, its volumes, and the init container that brings it.
fn unwrap_mains(changes: &mut Vec<Change>, pod: Pod<'_>, status: Option<&Status>) -> Result<(), Stays> {
    let given = match status {
        Some(Status::Wrap { given }) => given.as_slice(),
        Some(Status::Native { .. } | Status::Helper) | None => &[],
    };
    let runs_ours = |container: &Container<'_>| {
        container.words("command").is_some_and(|words| words.first() == Some(&BINARY))
    };
    let wrapped: Vec<Wrapped<'_>> = pod
        .containers()
        .into_iter()
        .filter(runs_ours)
        .map(|container| Wrapped::read(container, given))
        .collect::<Result<_, _>>()?;
    let is_there = |given: &&Given| wrapped.iter().any(|main| main.container.name() == given.name);
    if let Some(gone) = given.iter().find(|given| !is_there(given)) {
        return Err(changed(&format!("there is no container {} with lastout's command any more", gone.name)));
    }
    if wrapped.is_empty() && !matches!(status, Some(Status::Wrap { .. })) {
        return Ok(());
    }
    let spec = Path::keys(&["spec"]);
    let is_group = wrapped.iter().any(|main| main.grouped);
    let volumes = if is_group { [VOLUME, GROUP_VOLUME].as_slice() } else { &[VOLUME] };
    stay_if_mounted(pod, volumes, &wrapped)?;
    for main in &wrapped {
        main.unwrap(changes, &spec.key("containers").index(main.container.index));
    }
    if let Some(own) = pod.init_containers().into_iter().find(|container| is_ours_init(*container)) {
        changes.push(Change::Take { list: spec.key("initContainers"), at: own.index, count: 1 });
    }
    let is_ours = |volume: &Value| {
        volume.get("name").and_then(Value::as_str).is_some_and(|name| volumes.contains(&name))
    };
    take_from(changes, spec.key("volumes"), list(pod.spec(), "volumes").map(is_ours));
    Ok(())
}

/// Without its volume, a container that has come in since would make the pod invalid.
fn stay_if_mounted(pod: Pod<'_>, volumes: &[&str], wrapped: &[Wrapped<'_>]) -> Result<(), Stays> {
    let init = pod.init_containers().into_iter().filter(|container| !is_ours_init(*container));
    let goes = |container: Container<'_>, mount: (&str, &str)| {
        let main = wrapped.iter().find(|main| std::ptr::eq(main.container.value(), container.value()));
        main.is_some_and(|main| main.mounts(mount))
    };
    for container in init.chain(pod.containers()) {
        let mut mounts = container.mounts().filter(|(name, _)| volumes.contains(name));
        if let Some((volume, folder)) = mounts.find(|mount| !goes(container, *mount)) {
            let name = container.name();
            return Err(Stays(format!("{name} mounts its volume {volume} at {folder}: take that out first")));
        }
    }
    Ok(())
}

impl<'a> Wrapped<'a> {
    /// As the program itself would read it: not every command has a `--` in front.
    fn read(container: Container<'a>, given: &'a [Given]) -> Result<Self, Stays> {
        let stays = |why: &str| Stays(format!("{}: {why}", container.name()));
        if !["command", "args"].iter().all(|key| container.has_words_only(key)) {
            return Err(stays("its command line is no list of words"));
        }
        let command = container.words("command").unwrap_or_default();
        let args = container.words("args").unwrap_or_default();
        let words: Vec<&[u8]> = command.iter().skip(1).chain(&args).map(|word| word.as_bytes()).collect();
        let line = scan(&words);
        if line.subcommand != Subcommand::Work(Verb::Run) || line.asked.is_some() {
            return Err(stays("it runs lastout for something that inject does not write"));
        }
        let given = given.iter().find(|given| given.name == container.name());
        let own = line.operands + 1;
        // Without an ENTRYPOINT, what follows our words are `args` alone, and there may be none.
        let is_whole = given.is_some() && own <= command.len();
        if line.refused().is_some() && !is_whole {
            return Err(stays(
                "lastout would refuse its command line, so it is not known which words are the command",
            ));
        }
        let first = command.get(own).copied().unwrap_or_default();
        let has_dashes = own.checked_sub(1).and_then(|last| command.get(last)) == Some(&"--");
        if first.starts_with("$(") && !has_dashes {
            return Err(stays("a variable stands where its command begins, and may be an option"));
        }
        if own >= command.len() && !is_whole {
            return Err(stays("its command is in args, so it is not known what it ran without lastout"));
        }
        let grouped = line.values.iter().any(|value| value.option == Opt::Group);
        Ok(Self { container, own, grouped, given })
    }

    /// It is one of our mounts.
    fn mounts(&self, mount: (&str, &str)) -> bool {
        mount == (VOLUME, FOLDER) || self.grouped && mount == (GROUP_VOLUME, GROUP_FOLDER)
    }

    fn unwrap(&self, changes: &mut Vec<Change>, at: &Path) {
        changes.push(match self.given {
            Some(_) => Change::Remove { mapping: at.clone(), key: "command".to_owned() },
            None => Change::Take { list: at.key("command"), at: 0, count: self.own },
        });
        if self.given.is_some_and(|given| given.pinned)
            && let Some((image, _)) = self.container.image().split_once('@')
        {
            changes.push(Change::Set { mapping: at.clone(), key: "image".to_owned(), value: image.into() });
        }
        take_from(changes, at.key("volumeMounts"), self.container.mounts().map(|mount| self.mounts(mount)));
    }
}

/// Takes what is ours out of a list, from behind.
fn take_from(changes: &mut Vec<Change>, list: Path, is_ours: impl Iterator<Item = bool>) {
    let ours: Vec<bool> = is_ours.collect();
    for (at, _) in ours.into_iter().enumerate().rev().filter(|(_, is_ours)| *is_ours) {
        changes.push(Change::Take { list: list.clone(), at, count: 1 });
    }
}

/// `count`: how many there are in `containers`.
fn back_from_native(
    changes: &mut Vec<Change>,
    pod: Pod<'_>,
    moved: &[(String, usize)],
    count: usize,
) -> Result<(), Stays> {
    let init = pod.init_containers();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (name, place) in moved {
        let found = init.iter().find(|container| container.name() == name && container.is_native_sidecar());
        let Some(container) = found else {
            return Err(changed(&format!("there is no native sidecar {name} any more")));
        };
        places.push((*place, container.index));
    }
    places.sort_unstable();
    let mut gone: Vec<usize> = Vec::new();
    for (done, (place, index)) in places.into_iter().enumerate() {
        let before = gone.iter().filter(|other| **other < index).count();
        gone.push(index);
        changes.push(Change::Move {
            mapping: Path::keys(&["spec"]),
            from: Item::of("initContainers", index - before),
            to: Item::of("containers", place.min(count + done)),
            key: "restartPolicy".to_owned(),
            becomes: KeyChange::Remove,
        });
    }
    Ok(())
}

/// Our note goes, and with it the mappings that would be empty, up to one that was empty or null before.
fn take_note(changes: &mut Vec<Change>, pod: Pod<'_>, empty: Option<&str>, null: &[(&str, Option<&str>)]) {
    let mut mapping = Path::keys(&["metadata", "annotations"]);
    let mut key = STATUS.to_owned();
    while let Some(entries) = mapping.of(pod.0).and_then(Value::as_object)
        && entries.len() == 1
        && let Some(Step::Key(parent)) = mapping.0.last()
        && empty != Some(parent)
    {
        key = parent.clone();
        mapping.0.pop();
        if null.contains(&(&key, None)) {
            changes.push(Change::Set { mapping, key, value: Value::Null });
            return;
        }
        if mapping.0.is_empty() {
            break;
        }
    }
    changes.push(Change::Remove { mapping, key });
}

/// Lists and commands that were null before are null again, where nobody has put anything else there.
fn null_again(changes: &mut Vec<Change>, pod: Pod<'_>, null: &[(&str, Option<&str>)]) -> Result<(), Stays> {
    const OF_POD: [&str; 2] = ["volumes", "initContainers"];
    const OF_CONTAINER: [&str; 2] = ["volumeMounts", "command"];
    if null.is_empty() {
        return Ok(());
    }
    let mut after = pod.0.clone();
    apply(&mut after, changes).map_err(|no_place| Stays(no_place.to_string()))?;
    let spec = Path::keys(&["spec"]);
    for (key, name) in null {
        let mapping = match name {
            None if OF_POD.contains(key) => spec.clone(),
            Some(name) if OF_CONTAINER.contains(key) => {
                let containers = Pod(&after).containers();
                let Some(container) = containers.iter().find(|container| container.name() == *name) else {
                    continue;
                };
                spec.key("containers").index(container.index)
            }
            None | Some(_) => continue,
        };
        let found = mapping.key(key).of(&after);
        if found.is_none_or(|found| found.as_array().is_some_and(Vec::is_empty)) {
            changes.push(Change::Set { mapping, key: (*key).to_owned(), value: Value::Null });
        }
    }
    Ok(())
}
