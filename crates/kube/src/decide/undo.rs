//! The way back: what `decide` did is taken out again, found by facts. Only which containers became native ones, and where
//! they stood, nothing but our own note can tell.

use super::STATUS;
use super::ours::{BINARY, GROUP_VOLUME, HELPER, VOLUME, is_ours_init};
use super::status::{Status, was_empty};
use crate::change::{Change, Item, KeyChange, Path, Step};
use crate::pod::{Pod, list};
use serde_json::Value;

/// The changes that lead back; none where lastout is not there.
#[must_use]
pub fn undo(pod: Pod<'_>) -> Vec<Change> {
    let spec = Path::keys(&["spec"]);
    let status = pod.annotation(STATUS).and_then(Status::read);
    let given = match &status {
        Some(Status::Wrap { given }) => given.as_slice(),
        Some(Status::Native { .. } | Status::Helper) | None => &[],
    };
    let mut changes = Vec::new();
    let mut wrapped = false;
    for container in pod.containers() {
        let words = container.words("command").unwrap_or_default();
        if words.first() != Some(&BINARY) {
            continue;
        }
        let Some(end) = words.iter().position(|word| *word == "--") else { continue };
        wrapped = true;
        let at = spec.key("containers").index(container.index);
        let given = given.iter().find(|given| given.name == container.name());
        if given.is_some() {
            changes.push(Change::Remove { mapping: at.clone(), key: "command".to_owned() });
        } else {
            changes.push(Change::Take { list: at.key("command"), at: 0, count: end + 1 });
        }
        if given.is_some_and(|given| given.pinned)
            && let Some((image, _)) = container.image().split_once('@')
        {
            changes.push(Change::Set { mapping: at.clone(), key: "image".to_owned(), value: image.into() });
        }
        let mounts: Vec<&str> = container.mounts().map(|(name, _)| name).collect();
        take_named(&mut changes, &at.key("volumeMounts"), &mounts);
    }
    if wrapped {
        let init = pod.init_containers();
        if let Some(own) = init.iter().find(|container| is_ours_init(**container)) {
            changes.push(Change::Take { list: spec.key("initContainers"), at: own.index, count: 1 });
        }
        let volumes: Vec<&str> = list(pod.spec(), "volumes")
            .map(|volume| volume.get("name").and_then(Value::as_str).unwrap_or_default())
            .collect();
        take_named(&mut changes, &spec.key("volumes"), &volumes);
    }
    if let Some(helper) = pod.containers().into_iter().find(|container| container.name() == HELPER) {
        changes.push(Change::Take { list: spec.key("containers"), at: helper.index, count: 1 });
    }
    if let Some(Status::Native { moved }) = &status {
        back_from_native(&mut changes, pod, moved);
    }
    if let Some(note) = pod.annotation(STATUS) {
        take_note(&mut changes, pod, was_empty(note));
    }
    changes
}

/// Takes what has our names out of a list, from behind.
fn take_named(changes: &mut Vec<Change>, list: &Path, names: &[&str]) {
    for (at, name) in names.iter().enumerate().rev() {
        if [VOLUME, GROUP_VOLUME].contains(name) {
            changes.push(Change::Take { list: list.clone(), at, count: 1 });
        }
    }
}

fn back_from_native(changes: &mut Vec<Change>, pod: Pod<'_>, moved: &[(String, usize)]) {
    let init = pod.init_containers();
    let mut places: Vec<(usize, usize)> = moved
        .iter()
        .filter_map(|(name, place)| {
            let container =
                init.iter().find(|container| container.name() == name && container.is_native_sidecar())?;
            Some((*place, container.index))
        })
        .collect();
    places.sort_unstable();
    let count = pod.containers().len();
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
}

/// Our note goes, and with it the mappings that would be empty, up to one that was empty before.
fn take_note(changes: &mut Vec<Change>, pod: Pod<'_>, empty: Option<&str>) {
    let mut mapping = Path::keys(&["metadata", "annotations"]);
    let mut key = STATUS.to_owned();
    while let Some(entries) = mapping.of(pod.0).and_then(Value::as_object)
        && entries.len() == 1
        && let Some(Step::Key(parent)) = mapping.0.last()
        && empty != Some(parent)
    {
        key = parent.clone();
        mapping.0.pop();
        if mapping.0.is_empty() {
            break;
        }
    }
    changes.push(Change::Remove { mapping, key });
}
