//! Several mains: they are to be one group, in one folder, with names of their own.

use crate::change::Spot;
use crate::check::subject::{Found, Subject, names};
use crate::decide::{EXCLUDE, GROUP_FOLDER, GROUP_SIZE};
use crate::invocation::Invocation;
use crate::pod::Container;
use lastout_core::settings::{Group, Opt};
use serde_json::Value;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let members: Vec<&Invocation<'_>> = subject.wrapped_mains().collect();
    let guards = subject.invocations.iter().filter(|invocation| invocation.is_guard());
    let has_sidecars = members.iter().any(|invocation| !invocation.settings.sidecars.is_empty());
    let is_known = subject.invocations.iter().all(Invocation::is_known);
    if !subject.ends || !is_known || members.is_empty() {
        return Vec::new();
    }
    let is_main =
        |main: &&Container<'_>| subject.invocation_in(**main).is_none_or(|invocation| !invocation.is_guard());
    let mains: Vec<&Container<'_>> = subject.facts.mains.iter().filter(is_main).collect();
    let mut all = Vec::new();
    if has_sidecars {
        all.extend(not_run(subject, &mains, &members));
    }
    for invocation in &members {
        let wrong = match &invocation.settings.group {
            None => alone(invocation, &mains).map(|(message, mend)| (invocation.program(), message, mend)),
            Some(group) => twin(invocation, group, &members)
                .map(|(message, mend)| (invocation.spot_of(Opt::GroupName), message, mend)),
        };
        all.extend(wrong.map(|(spot, message, mend)| found(invocation, spot, message, mend)));
    }
    for invocation in members.iter().copied().chain(guards) {
        let Some(group) = &invocation.settings.group else { continue };
        if let Some((message, mend)) = miscounted(invocation, group, &members) {
            all.push(found(invocation, invocation.spot_of(Opt::GroupSize), message, mend));
        }
        if let Some((message, mend)) = folder(subject, &members, invocation, group) {
            all.push(found(invocation, invocation.spot_of(Opt::Group), message, mend));
        }
    }
    all
}

fn found(invocation: &Invocation<'_>, spot: Spot, message: String, mend: String) -> Found {
    Found::error(spot, message, mend).of(invocation.container, invocation.path.clone())
}

/// Mains beside those that lastout runs.
fn not_run(subject: &Subject<'_>, mains: &[&Container<'_>], members: &[&Invocation<'_>]) -> Vec<Found> {
    let others = mains.iter().filter(|main| subject.invocation_in(***main).is_none());
    others
        .map(|main| {
            let (name, path) = (main.name(), subject.path(**main));
            let message = format!(
                "lastout does not run `{name}`: the sidecars are stopped while it runs (if it is no main, say so: {EXCLUDE})"
            );
            let mend = front(members, &words(mains.len(), name));
            Found::error(Spot::value(path.key("name")), message, mend).of(**main, path)
        })
        .collect()
}

/// It is in no group, and is not the only main.
fn alone(invocation: &Invocation<'_>, mains: &[&Container<'_>]) -> Option<(String, String)> {
    if mains.len() < 2 || invocation.settings.sidecars.is_empty() {
        return None;
    }
    let (all, name) = (names(mains.iter().map(|main| main.name())), invocation.container.name());
    let message =
        format!("{all} share their sidecars, and `{name}` stops them whether the others run or not");
    Some((message, words(mains.len(), name)))
}

/// One before it has its name.
fn twin(invocation: &Invocation<'_>, group: &Group, members: &[&Invocation<'_>]) -> Option<(String, String)> {
    let own = |other: &Group| other.dir == group.dir && other.name == group.name;
    let mut before = members.iter().filter(|other| other.container.index < invocation.container.index);
    let twin = before.find(|other| other.settings.group.as_ref().is_some_and(own))?;
    let (name, other) = (invocation.container.name(), twin.container.name());
    Some((
        format!("`{name}` has the same --group-name as `{other}`: it would not start"),
        format!("{name:?}"),
    ))
}

/// Its size is not how many there are.
fn miscounted(
    invocation: &Invocation<'_>,
    group: &Group,
    members: &[&Invocation<'_>],
) -> Option<(String, String)> {
    let is_there = |other: &Group| other.dir == group.dir;
    let count = members.iter().filter(|other| other.settings.group.as_ref().is_some_and(is_there)).count();
    if usize::try_from(group.size).ok() == Some(count) {
        return None;
    }
    let (name, folder) = (invocation.container.name(), String::from_utf8_lossy(&group.dir));
    let message = format!("`{name}` expects {} mains in {folder}, and there are {count}", group.size);
    let mend = match invocation.last(Opt::GroupSize) {
        Some(_) => format!("\"{count}\""),
        None => format!("\"--group-size\", \"{count}\","),
    };
    Some((message, mend))
}

/// What is wrong with its folder: it is to be one volume, the same for all, that can be written.
fn folder(
    subject: &Subject<'_>,
    members: &[&Invocation<'_>],
    invocation: &Invocation<'_>,
    group: &Group,
) -> Option<(String, String)> {
    let folder = String::from_utf8_lossy(&group.dir).into_owned();
    let name = invocation.container.name();
    let others = members.iter().filter(|other| other.container.index != invocation.container.index);
    let theirs = others
        .filter_map(|other| Some(other.container.mount_of(&folder)?.get("name")?.as_str()?.to_owned()))
        .next();
    let Some(own) = invocation.container.mount_of(&folder) else {
        let volume = theirs.unwrap_or_else(|| crate::decide::GROUP_VOLUME.to_owned());
        let mut mend = format!("volumeMounts:  # in {name}\n- {{ name: {volume}, mountPath: {folder} }}");
        if subject.pod.volume(&volume).is_none() {
            mend =
                format!("volumes:\n- {{ name: {volume}, emptyDir: {{ sizeLimit: {GROUP_SIZE} }} }}\n{mend}");
        }
        return Some((format!("`{name}` has nothing mounted at {folder}, the folder of its group"), mend));
    };
    let text = |key| own.get(key).and_then(Value::as_str).unwrap_or_default();
    if own.get("readOnly").and_then(Value::as_bool) == Some(true) {
        let mend = format!("- {{ name: {}, mountPath: {} }}", text("name"), text("mountPath"));
        return Some((format!("`{name}` cannot write into {folder}, the folder of its group"), mend));
    }
    let theirs = theirs.filter(|theirs| theirs != text("name"))?;
    let is_last = members.iter().all(|other| other.container.index <= invocation.container.index);
    let mend = format!("- {{ name: {theirs}, mountPath: {} }}", text("mountPath"));
    is_last.then(|| {
        (format!("`{name}` has volume {} at {folder}, and the others have {theirs}", text("name")), mend)
    })
}

fn words(size: usize, name: &str) -> String {
    format!("\"--group\", \"{GROUP_FOLDER}\", \"--group-size\", \"{size}\", \"--group-name\", {name:?},")
}

/// The words in front of a command that is not wrapped yet, as its neighbour has them.
fn front(members: &[&Invocation<'_>], group: &str) -> String {
    let Some(neighbour) = members.first() else { return group.to_owned() };
    let program =
        neighbour.container.words("command").and_then(|words| words.first().copied()).unwrap_or("lastout");
    let mut words = format!("{program:?}, ");
    for given in neighbour.values.iter().filter(|given| given.raw.option == Opt::Sidecar) {
        words.push_str(&format!("\"--sidecar\", {:?}, ", String::from_utf8_lossy(&given.raw.value)));
    }
    format!("{words}{group} \"--\",")
}
