//! A command begins with lastout in a volume: that has to be there, to be mounted, and to be filled before.

use crate::check::subject::{Found, Subject};
use crate::decide::{BINARY, FOLDER, SIZE, VOLUME, install_target};
use crate::invocation::Invocation;
use crate::pod::{Container, list};
use serde_json::Value;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let lacks =
        subject.invocations.iter().filter_map(|invocation| Some((invocation, lack(subject, invocation)?)));
    lacks
        .map(|(invocation, (message, mend))| {
            Found::error(invocation.program(), message, mend)
                .of(invocation.container, invocation.path.clone())
        })
        .collect()
}

/// What is missing, and what to add.
fn lack(subject: &Subject<'_>, invocation: &Invocation<'_>) -> Option<(String, String)> {
    let words = invocation.container.words("command")?;
    let program = *words.first()?;
    if !program.starts_with('/') {
        return None;
    }
    let (name, folder) =
        (invocation.container.name(), program.rsplit_once('/').map_or("/", |(folder, _)| folder));
    let Some((volume, mounted)) = mount_of(invocation.container, program) else {
        // Without a volume the image itself may have it, but for our own folder.
        let brought = subject
            .pod
            .init_containers()
            .into_iter()
            .any(|init| init.index != invocation.container.index && is_installer(init));
        if program != BINARY && !brought {
            return None;
        }
        let volume = volume_at(subject, folder).unwrap_or(VOLUME);
        let mut mend = String::new();
        if subject.pod.volume(volume).is_none() {
            mend = whole(subject, folder);
        }
        mend.push_str(&format!(
            "volumeMounts:  # in {name}\n- {{ name: {volume}, mountPath: {folder}, readOnly: true }}"
        ));
        return Some((format!("`{name}` runs {program}, and nothing is mounted at {folder}"), mend));
    };
    let Some(found) = subject.pod.volume(volume) else {
        let message = format!("`{name}` runs {program}, and there is no volume {volume}");
        return Some((
            message,
            format!("volumes:\n- {{ name: {volume}, emptyDir: {{ sizeLimit: {SIZE} }} }}"),
        ));
    };
    let fills =
        |init: &Container<'_>| init.mounts().any(|(name, _)| name == volume) && !misses(*init, volume);
    // Any other kind of volume has what it has.
    found.get("emptyDir")?;
    let before = subject
        .pod
        .init_containers()
        .into_iter()
        .filter(|init| !invocation.is_init || init.index < invocation.container.index);
    if before.into_iter().any(|init| fills(&init)) {
        return None;
    }
    let message = format!(
        "`{name}` runs {program}, and no init container before it puts anything into volume {volume}"
    );
    Some((message, installer(subject, volume, mounted)))
}

/// The volume that holds this file, and where it is mounted.
fn mount_of<'a>(container: Container<'a>, file: &str) -> Option<(&'a str, &'a str)> {
    let mount = container.mount_of(file)?;
    let text = |key| mount.get(key).and_then(Value::as_str).unwrap_or_default();
    Some((text("name"), text("mountPath")))
}

/// The volume that another container has in this folder.
fn volume_at<'a>(subject: &Subject<'a>, folder: &str) -> Option<&'a str> {
    let containers = subject.pod.init_containers().into_iter().chain(subject.pod.containers());
    containers.into_iter().find_map(|container| {
        container.mounts().find(|(_, mounted)| mounted.trim_end_matches('/') == folder).map(|(name, _)| name)
    })
}

fn is_installer(container: Container<'_>) -> bool {
    install_target(container).is_some()
}

/// It installs to somewhere else.
fn misses(container: Container<'_>, volume: &str) -> bool {
    install_target(container)
        .is_some_and(|folder| mount_of(container, folder).is_none_or(|(name, _)| name != volume))
}

fn whole(subject: &Subject<'_>, folder: &str) -> String {
    let init = installer(subject, VOLUME, folder);
    let exists = list(subject.pod.spec(), "initContainers")
        .any(|init| init.get("name").and_then(Value::as_str) == Some(VOLUME));
    let init = if exists { String::new() } else { format!("{init}\n") };
    format!("volumes:\n- {{ name: {VOLUME}, emptyDir: {{ sizeLimit: {SIZE} }} }}\n{init}")
}

fn installer(subject: &Subject<'_>, volume: &str, folder: &str) -> String {
    let folder = if folder.is_empty() { FOLDER } else { folder };
    format!(
        "initContainers:\n- name: lastout\n  image: {}\n  args: [install, {folder}]\n  volumeMounts: [{{ name: {volume}, mountPath: {folder} }}]",
        subject.image()
    )
}
