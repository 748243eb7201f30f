//! A pod and the options → what is to become of it, and why. Pure: the command line, the webhook, `check`, `explain` and
//! `doctor` all ask here.

mod facts;
mod native;
mod options;
mod reason;
mod restart;
mod undo;
mod wrap;

pub use facts::{Facts, Promised, Sidecar};
pub use options::{Delivery, IMAGE_VOLUMES, ImageConfig, KubeVersion, Mode, NATIVE_SIDECARS, Options};
pub use reason::Reason;
pub use restart::{Codes, final_codes};
pub use undo::undo;
pub use wrap::{BINARY, FOLDER, GROUP_FOLDER, GROUP_VOLUME, VOLUME, is_own_image, is_wrapped};
pub(crate) use wrap::{GROUP_SIZE, SIZE, is_lastout, is_silent};

use crate::change::{Change, Path, apply};
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

/// What belongs to the pod without being in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The Job's `podFailurePolicy`.
    pub pod_failure_policy: Option<&'a Value>,
}

impl<'a> Context<'a> {
    /// Of a pod whose Job has this spec.
    #[must_use]
    pub fn of(job: Option<&'a Value>) -> Self {
        Self { pod_failure_policy: job.and_then(|job| job.get("podFailurePolicy")) }
    }
}

/// Decides.
#[must_use]
pub fn decide(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Decision {
    decide_on(&Facts::of(pod, options), context, options)
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
    if facts.mains.iter().any(|main| wrap::is_wrapped(*main)) {
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
    let native = native::decide(facts, context, options);
    match facts.mode {
        Mode::Native => native.unwrap_or_else(|(reason, about)| Decision::new(facts, reason, about)),
        Mode::Wrap => wrap::decide(facts, options),
        Mode::Helper => wrap::decide_helper(facts, options),
        Mode::Auto => {
            let declared = options.kube_version.is_some_and(|version| version >= NATIVE_SIDECARS);
            match native {
                Ok(decision) if declared && !to_come => decision,
                Ok(_) | Err(_) => wrap::decide(facts, options),
            }
        }
    }
}

/// The images whose ENTRYPOINT and CMD would have to be known for this pod to be changed.
#[must_use]
pub fn images_wanted(pod: Pod<'_>, context: Context<'_>, options: &Options) -> Vec<String> {
    let facts = Facts::of(pod, options);
    if decide_on(&facts, context, options).reason != Reason::NoCommand {
        return Vec::new();
    }
    let silent = facts.mains.into_iter().filter(|main| wrap::is_silent(pod, *main));
    silent.map(|main| main.image().to_owned()).filter(|image| !image.is_empty()).collect()
}

/// Our note of what was done: the mode, our version, and words for the way back.
fn status(pod: Pod<'_>, mode: &str, words: &[String]) -> Change {
    let mut note = format!("{mode} {}", env!("CARGO_PKG_VERSION"));
    for word in words.iter().map(String::as_str).chain(empty_before(pod)) {
        note.push(' ');
        note.push_str(word);
    }
    Change::Set {
        mapping: Path::keys(&["metadata", "annotations"]),
        key: STATUS.to_owned(),
        value: Value::String(note),
    }
}

/// A mapping that holds nothing but our note goes with it, unless it was there before: `metadata: {}`.
fn empty_before(pod: Pod<'_>) -> Option<&'static str> {
    let is_empty = |keys: &[&str]| {
        Path::keys(keys).of(pod.0).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
    };
    if is_empty(&["metadata"]) {
        return Some("empty=metadata");
    }
    is_empty(&["metadata", "annotations"]).then_some("empty=annotations")
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
