//! A sidecar that came when the pod had been wrapped for another one. Of a pod with a Cloud SQL proxy in its manifest, into
//! which Istio's webhook puts its own behind ours, the first turn sees one sidecar and the second turn both. `decide` says
//! `already` then, which is right of a manifest whose author has written the command; but this command is ours, and the Job
//! would hang. `cel::late` is the same for policies.

use super::facts::Facts;
use super::ours::BINARY;
use super::sidecar::{Sidecar, said};
use super::status::Status;
use super::wrap::REFUSED;
use super::{Context, Decision, LEFT_ALONE, Mode, Options, Reason, Row, STATUS};
use crate::change::{Change, Path};
use crate::pod::{Container, Pod};
use lastout_core::spec::Spec;
use serde_json::Value;

/// Of a pod that `decide` calls `already`: lastout is told of the sidecars that came behind it. `None`: there is none, or a
/// pod that would hang all the same.
#[must_use]
pub fn late(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Option<Decision> {
    let status = pod.annotation(STATUS).and_then(Status::read)?;
    let facts = Facts::of(pod, context, options);
    let is_wrap = matches!(status, Status::Wrap { .. }) && matches!(facts.mode, Mode::Auto | Mode::Wrap);
    let told = facts.mains.iter().map(|main| told(*main)).collect::<Option<Vec<_>>>()?;
    let is_late = |sidecar: &&Sidecar<'_>| !told.iter().flatten().any(|spec| sidecar.is_meant_by(spec));
    let late: Vec<&Sidecar<'_>> = facts.sidecars.iter().filter(is_late).collect();
    // What our own first turn has left does not keep the second one from it.
    let is_ours =
        |(reason, _): &&Row| [Reason::Already, Reason::NameConflict, Reason::MountConflict].contains(reason);
    let mut refusals = LEFT_ALONE.iter().chain(REFUSED).filter(|row| !is_ours(row));
    if !is_wrap || late.is_empty() || refusals.any(|(_, about)| about(&facts).is_some()) {
        return None;
    }
    let spec = |sidecar: &&Sidecar<'_>| Value::from(sidecar.spec.text.replace('$', "$$"));
    // The last one comes to stand in front, as in the policy.
    let words: Vec<Value> =
        late.iter().rev().flat_map(|sidecar| [Value::from("--sidecar"), spec(sidecar)]).collect();
    let command = |main: &Container<'_>| Path::keys(&["spec", "containers"]).index(main.index).key("command");
    let changes =
        facts.mains.iter().map(|main| Change::Insert { list: command(main), at: 1, items: words.clone() });
    Some(Decision::new(&facts, Reason::InjectedWrap, "").with(changes.collect()))
}

/// What lastout is told of in a command that we have written; `None`: it is not ours.
fn told(main: Container<'_>) -> Option<Vec<Spec>> {
    let words = main.words("command").filter(|words| words.first() == Some(&BINARY) && words.len() > 1)?;
    let options = words.split(|word| *word == "--").next().unwrap_or_default();
    let joined = options.iter().filter_map(|word| word.strip_prefix("--sidecar="));
    let read = |text: &str| Spec::parse(&text.replace("$$", "$"), &|_| None).ok();
    Some(said(options).chain(joined).filter_map(read).collect())
}
