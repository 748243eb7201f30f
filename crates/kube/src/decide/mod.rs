//! A pod and the options → what is to become of it, and why. Pure: the command line, the webhook, `check`, `explain` and
//! `doctor` all ask here.

mod context;
mod decision;
mod facts;
mod helper;
mod late;
mod native;
mod options;
mod ours;
mod parts;
mod ports;
mod reason;
mod restart;
mod sidecar;
mod status;
pub(crate) mod switches;
mod undo;
mod warning;
mod wrap;

pub use context::{Context, IMAGE_VOLUMES, ImageConfig, Known, KubeVersion, NATIVE_SIDECARS, Stage};
pub use decision::{Decision, Role, RoleKind};
pub use facts::{Facts, Promised};
pub use late::late;
pub use native::NotNative;
pub(crate) use native::sees_end_of;
pub use options::{Delivery, Mode, Options};
pub use ours::{BINARY, FOLDER, GROUP_FOLDER, GROUP_VOLUME, VOLUME, is_own_image, is_wrapped};
pub(crate) use ours::{GROUP_SIZE, HELPER, HELPER_VERB, OWN_VARIABLES, PROGRAM, SIZE, install_target};
pub(crate) use parts::{init_container, mounts, restricted, volumes};
pub use ports::{Moved, moved, spec_with, too_old};
pub use reason::{Class, Reason};
pub use restart::{Codes, final_codes};
pub(crate) use sidecar::ends_itself;
pub use sidecar::{Listed, Sidecar, is_ended, is_meant, is_stopped, preset_of};
pub(crate) use status::Status;
pub use undo::{Stays, undo};
pub use warning::Warning;
pub(crate) use wrap::{FOREIGN, is_silent, said};

use crate::change::apply;
use crate::pod::{Pod, RestartPolicy};
use serde_json::Value;

/// What our labels and annotations begin with.
pub const PREFIX: &str = "lastout.dev/";
/// Label: `"true"` or `"false"` on a pod template.
pub const INJECT: &str = "lastout.dev/inject";
/// Annotation: how.
pub const MODE: &str = "lastout.dev/mode";
/// Annotation: the names of the mains.
pub const MAIN: &str = "lastout.dev/main";
/// Annotation: SPECs.
pub const SIDECARS: &str = "lastout.dev/sidecars";
/// Annotation: containers that are neither mains nor sidecars.
pub const EXCLUDE: &str = "lastout.dev/exclude-containers";
/// Annotation: `--stop-on` of all mains.
pub const STOP_ON: &str = "lastout.dev/stop-on";
/// Annotation: what was done; ours.
pub const STATUS: &str = "lastout.dev/status";
/// Annotation: `lastout.dev/command.NAME`, a JSON list: what container NAME runs.
pub const COMMAND: &str = "lastout.dev/command.";
const ANNOTATIONS: [&str; 6] = [MODE, MAIN, SIDECARS, EXCLUDE, STOP_ON, STATUS];

/// What a decision is made of: the reason, and for which pods, with what that is about.
pub(crate) type Row = (Reason, fn(&Facts<'_>) -> Option<String>);
/// Why not, and what that is about.
type Refusal = (Reason, String);

/// What a pod is left alone for, whatever the mode: the first that holds.
pub(crate) const LEFT_ALONE: &[Row] = &[
    (Reason::OptedOut, |facts| holds(facts.pod.label(INJECT) == Some("false"))),
    (Reason::Windows, |facts| holds(facts.pod.is_for_windows())),
    (Reason::Already, |facts| {
        let helper = facts.helper.map(|helper| helper.name().to_owned());
        helper.or_else(|| holds(facts.mains.iter().any(|main| is_wrapped(*main))))
    }),
    (Reason::AlreadyNative, |facts| {
        holds(facts.has_no_sidecar() && !(facts.native.is_empty() && facts.promised.is_empty()))
    }),
    (Reason::NoSidecar, |facts| holds(facts.has_no_sidecar())),
    (Reason::OnlySidecars, |facts| holds(facts.mains.is_empty())),
    (Reason::RestartAlways, |facts| {
        let main = facts.main_without_end()?;
        let is_own = facts.pod.restart_policy() != RestartPolicy::Always;
        Some(if is_own { format!("as {} has it", main.name()) } else { String::new() })
    }),
];

/// There is nothing to name.
fn holds(condition: bool) -> Option<String> {
    condition.then(String::new)
}

fn first(rows: &[Row], facts: &Facts<'_>) -> Option<Refusal> {
    rows.iter().find_map(|(reason, about)| Some((*reason, about(facts)?)))
}

/// Decides. What the changes come to is looked at again before they leave: it has to be left alone.
#[must_use]
pub fn decide(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Decision {
    let mut decision = decide_on(&Facts::of(pod, context, options), context, options);
    if decision.is_change() {
        let after = applied(pod.0, &decision);
        let is_stable = after.as_ref().is_ok_and(|after| is_stable(Pod(after), context, options));
        if !is_stable {
            decision.changes.clear();
            decision.reason = Reason::PatchMismatch;
            // As of `annotations: foo`, which kubectl refuses as well.
            decision.about = after
                .err()
                .map(|no_place| format!("{} is of another kind than kubectl takes", no_place.0))
                .unwrap_or_default();
        }
    }
    decision
}

/// Of a pod that was changed: it has to be left alone.
pub(crate) fn is_stable(pod: Pod<'_>, context: Context<'_>, options: &Options) -> bool {
    !decide_on(&Facts::of(pod, context, options), context, options).is_change()
}

/// The decision alone, for whoever has looked at the pod already, with these options, and does not carry the changes out or
/// looks at what they come to.
#[must_use]
pub(crate) fn decide_on(facts: &Facts<'_>, context: Context<'_>, options: &Options) -> Decision {
    if let Some((reason, about)) = first(LEFT_ALONE, facts) {
        return Decision::new(facts, reason, about);
    }
    match facts.mode {
        Mode::Native => native::decide(facts, context).unwrap_or_else(|why| {
            let refused = Decision::new(facts, Reason::NotNative, why.to_string());
            Decision { not_native: Some(why), ..refused }
        }),
        Mode::Wrap => wrap::decide(facts, context, options),
        Mode::Helper => helper::decide(facts, context, options),
        Mode::Auto => native::decide_unasked(facts, context).unwrap_or_else(|why| {
            let wrapped = wrap::decide(facts, context, options);
            Decision { not_native: Some(why), ..wrapped }
        }),
    }
}

/// The images whose ENTRYPOINT and CMD would have to be known for this pod to be changed.
#[must_use]
pub fn images_wanted(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Vec<String> {
    let facts = Facts::of(pod, context, options);
    if decide_on(&facts, context, options).reason != Reason::NoCommand {
        return Vec::new();
    }
    let silent = facts.mains.into_iter().filter(|main| wrap::is_silent(pod, *main));
    silent.map(|main| main.image().to_owned()).filter(|image| !image.is_empty()).collect()
}

/// The pod as the decision wants it.
///
/// # Errors
/// When the changes have no place: a fault of ours.
pub fn applied(pod: &Value, decision: &Decision) -> Result<Value, crate::change::NoPlace> {
    let mut pod = pod.clone();
    apply(&mut pod, &decision.changes)?;
    Ok(pod)
}
