//! Plain sidecars: which row of the core's table is a container's, which SPEC is meant for it, and what ends it.

use super::ports::{moved, spec_with};
use crate::pod::{Container, Pod};
use lastout_core::presets::{self, Preset};
use lastout_core::spec::{Address, Quit, Spec, SpecError};

/// A plain sidecar: it would run on.
#[derive(Clone, Debug)]
pub struct Sidecar<'a> {
    /// The container.
    pub container: Container<'a>,
    /// Its row, if it is a known one.
    pub preset: Option<&'static Preset>,
    /// What `--sidecar` is given for it.
    pub spec: Listed,
}

/// A SPEC as it is written, and as it is read.
#[derive(Clone, Debug)]
pub struct Listed {
    /// As it is written.
    pub text: String,
    /// As it is read.
    pub spec: Spec,
}

impl Listed {
    /// Reads one. What it takes from the environment is the container's, and is not known here.
    ///
    /// # Errors
    /// When lastout would refuse it.
    pub fn read(text: &str) -> Result<Self, SpecError> {
        Ok(Self { text: text.to_owned(), spec: Spec::parse(text, &|_| None)? })
    }
}

impl<'a> Sidecar<'a> {
    /// The sidecar that a container is: one of those that are listed, or a known one.
    pub(super) fn of(pod: Pod<'_>, container: Container<'a>, listed: &[Listed]) -> Option<Self> {
        let preset = preset_of(container);
        let by_name = |name: &str| listed.iter().find(|listed| listed.spec.name == name);
        let spec = by_name(container.name()).or_else(|| by_name(preset?.name)).cloned();
        Some(Self { container, preset, spec: spec.or_else(|| known(pod, container, preset?))? })
    }

    /// How it becomes a native one by hand: the kubelet ends it then.
    #[must_use]
    pub fn native_by_hand(&self) -> String {
        let name = self.container.name();
        format!("move `{name}` to the end of initContainers, with\nrestartPolicy: Always")
    }

    /// Its own system ends it, and nobody has said anything else.
    pub(super) fn ends_itself(&self) -> bool {
        self.preset.is_some_and(|preset| ends_itself(preset) && self.spec.text == preset.name)
    }

    /// The SPEC is about it.
    #[must_use]
    pub fn is_meant_by(&self, spec: &Spec) -> bool {
        is_meant(spec, self.container, self.preset)
    }
}

/// The row's SPEC, with the ports that the manifest sets.
fn known(pod: Pod<'_>, container: Container<'_>, preset: &Preset) -> Option<Listed> {
    Listed::read(&spec_with(preset, &moved(pod, Some(container), preset), false)).ok()
}

/// The row of a container, by its name or its image.
#[must_use]
pub fn preset_of(container: Container<'_>) -> Option<&'static Preset> {
    let name = container.name();
    presets::find_by_container(name)
        .or_else(|| presets::find_by_image(container.image()))
        .or_else(|| presets::find(name))
}

/// The SPEC is about this container, by its own name or by its row's.
#[must_use]
pub fn is_meant(spec: &Spec, container: Container<'_>, preset: Option<&Preset>) -> bool {
    let same = |row: &Preset| spec.preset.is_some_and(|own| own.name == row.name);
    spec.name == container.name() || preset.is_some_and(same)
}

/// lastout ends it: by a request or a signal.
#[must_use]
pub fn is_stopped(spec: &Spec) -> bool {
    match spec.quit {
        Quit::Http(_) | Quit::CreateFile(_) | Quit::WithAnother => true,
        Quit::Nothing => spec.process.is_some(),
    }
}

/// The SPECs behind `--sidecar` in such words.
pub(super) fn said<'a>(words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    words.windows(2).filter_map(|pair| match pair {
        ["--sidecar", spec] => Some(*spec),
        _ => None,
    })
}

/// Who can end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whoever reaches the pod's ports.
    Outside,
    /// A container of the pod: by a unix socket, a file, or a signal in a shared process namespace.
    Inside,
    /// Nobody.
    Nobody,
}

/// Who can end it while it runs in this pod.
pub(crate) fn reach(spec: &Spec, pod: Pod<'_>) -> Reach {
    match &spec.quit {
        Quit::Http(request) if matches!(request.at, Address::Unix(_)) => Reach::Inside,
        Quit::Http(_) | Quit::WithAnother => Reach::Outside,
        Quit::CreateFile(_) => Reach::Inside,
        Quit::Nothing if spec.process.is_none() => Reach::Nobody,
        Quit::Nothing if pod.spec().get("shareProcessNamespace").is_some_and(|shared| shared == true) => {
            Reach::Inside
        }
        Quit::Nothing => Reach::Nobody,
    }
}

/// It ends when the mains are over: lastout ends it, or it goes by itself (Kuma from 3.0).
#[must_use]
pub fn is_ended(spec: &Spec) -> bool {
    is_stopped(spec) || spec.refused_is_normal
}

/// Its own system ends it when the mains are over (gcsfuse: its CSI driver): nobody in the pod can, and nobody need.
pub(crate) fn ends_itself(preset: &Preset) -> bool {
    preset.refused_is_normal && preset.quit.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_each_row_is_a_spec() {
        for preset in presets::PRESETS {
            assert!(Listed::read(preset.name).is_ok(), "{}", preset.name);
        }
    }
}
