//! What is to become of a pod, and what each of its containers is.

use super::facts::Facts;
use super::native::NotNative;
use super::reason::Reason;
use super::warning::Warning;
use crate::change::Change;
use crate::pod::Container;

/// What is to become of a pod.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Why the pod is changed or left alone.
    pub reason: Reason,
    /// What that is about: a container's name, a value; empty where there is nothing to name.
    pub about: String,
    /// Why its sidecars do not become native ones, where that was asked: by mode `native`, or first of all by `auto`.
    pub not_native: Option<NotNative>,
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

impl Decision {
    pub(super) fn new(facts: &Facts<'_>, reason: Reason, about: impl Into<String>) -> Self {
        let role = |container: &Container<'_>, kind| Role { name: container.name().to_owned(), kind };
        let mains = facts.mains.iter().map(|main| {
            let stop_on = facts.stop_on(*main).unwrap_or_else(|| "always".to_owned());
            role(main, RoleKind::Main { stop_on })
        });
        let sidecars = facts
            .sidecars
            .iter()
            .map(|sidecar| role(&sidecar.container, RoleKind::Sidecar { spec: sidecar.spec.text.clone() }));
        let native = facts.native.iter().map(|container| role(container, RoleKind::NativeSidecar));
        let excluded = facts.excluded.iter().map(|container| role(container, RoleKind::Excluded));
        Self {
            reason,
            about: about.into(),
            not_native: None,
            containers: mains.chain(sidecars).chain(native).chain(excluded).collect(),
            promised: facts.promised.iter().map(|promised| promised.injector.name.to_owned()).collect(),
            changes: Vec::new(),
            warnings: facts.warnings.iter().map(Warning::to_string).collect(),
        }
    }

    pub(super) fn with(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }

    /// The pod is to be changed.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.changes.is_empty()
    }
}
