//! A pod and the options → what is to become of it, and why. Pure: the command line, the webhook, `check`, `explain` and
//! `doctor` all ask here.

mod context;
mod facts;
mod helper;
mod native;
mod options;
mod ours;
mod parts;
mod reason;
mod restart;
mod status;
mod undo;
mod wrap;

pub use context::{Context, IMAGE_VOLUMES, ImageConfig, Known, KubeVersion, NATIVE_SIDECARS, Stage};
pub use facts::{Facts, Promised, Sidecar};
pub use options::{Delivery, Mode, Options};
pub use ours::{BINARY, FOLDER, GROUP_FOLDER, GROUP_VOLUME, VOLUME, is_own_image, is_wrapped};
pub(crate) use ours::{GROUP_SIZE, SIZE, install_target};
pub use reason::Reason;
pub use restart::{Codes, final_codes};
pub use undo::undo;
pub(crate) use wrap::is_silent;

use crate::change::{Change, apply};
use crate::pod::Pod;
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

/// What is to become of a pod.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Why the pod is changed or left alone.
    pub reason: Reason,
    /// What that is about: a container's name, a value; empty where there is nothing to name.
    pub about: String,
    /// What each container is.
    pub containers: Vec<Role>,
    /// What others will add.
    pub promised: Vec<String>,
    /// What is to be done, in this order, relative to the pod.
    pub changes: Vec<Change>,
    /// What the user should know beside that.
    pub warnings: Vec<String>,
}

/// What a container is in its pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RoleKind,
}

/// What a container can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// What the pod is for.
    Main {
        /// The codes after which it is over for good, as `--stop-on` takes them.
        stop_on: String,
    },
    /// A sidecar that runs on.
    Sidecar {
        /// What `--sidecar` is given for it.
        spec: String,
    },
    /// A sidecar that the kubelet ends.
    NativeSidecar,
    /// Neither, as the user has said.
    Excluded,
}

/// Why not, and what that is about.
type Refusal = (Reason, String);

impl Decision {
    fn new(facts: &Facts<'_>, reason: Reason, about: impl Into<String>) -> Self {
        let role =
            |container: &crate::pod::Container<'_>, kind| Role { name: container.name().to_owned(), kind };
        let mains = facts.mains.iter().map(|main| {
            let stop_on = final_codes(facts.pod, *main).to_string();
            role(main, RoleKind::Main { stop_on })
        });
        let sidecars = facts
            .sidecars
            .iter()
            .map(|sidecar| role(&sidecar.container, RoleKind::Sidecar { spec: sidecar.spec.clone() }));
        let native = facts.native.iter().map(|container| role(container, RoleKind::NativeSidecar));
        let excluded = facts.excluded.iter().map(|container| role(container, RoleKind::Excluded));
        Self {
            reason,
            about: about.into(),
            containers: mains.chain(sidecars).chain(native).chain(excluded).collect(),
            promised: facts.promised.iter().map(|promised| promised.injector.name.to_owned()).collect(),
            changes: Vec::new(),
            warnings: facts.warnings.clone(),
        }
    }

    fn with(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }

    /// The pod is to be changed.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Decides.
#[must_use]
pub fn decide(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Decision {
    decide_on(&Facts::of(pod, context, options), context, options)
}

/// The same, for whoever has looked at the pod already, with these options.
#[must_use]
pub fn decide_on(facts: &Facts<'_>, context: Context<'_>, options: &Options) -> Decision {
    let pod = facts.pod;
    let leave = |reason| Decision::new(facts, reason, "");
    if pod.label(INJECT) == Some("false") {
        return leave(Reason::OptedOut);
    }
    if pod.is_for_windows() {
        return leave(Reason::Windows);
    }
    if facts.mains.iter().any(|main| is_wrapped(*main)) {
        return leave(Reason::Already);
    }
    let to_come = facts.to_come().next().is_some();
    if facts.sidecars.is_empty() && !to_come {
        let native = !facts.native.is_empty() || !facts.promised.is_empty();
        return leave(if native { Reason::AlreadyNative } else { Reason::NoSidecar });
    }
    if facts.mains.is_empty() {
        return leave(Reason::OnlySidecars);
    }
    if facts.runs_for_ever() {
        return leave(Reason::RestartAlways);
    }
    let native = native::decide(facts, context);
    match facts.mode {
        Mode::Native => native.unwrap_or_else(|(reason, about)| Decision::new(facts, reason, about)),
        Mode::Wrap => wrap::decide(facts, context, options),
        Mode::Helper => helper::decide(facts, options),
        Mode::Auto => {
            let declared = context.known.has(NATIVE_SIDECARS);
            match native {
                Ok(decision) if declared && !to_come => decision,
                Ok(_) | Err(_) => wrap::decide(facts, context, options),
            }
        }
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
