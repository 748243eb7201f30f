//! What a pod is: its mains, its sidecars, and what other injectors will add.

use super::options::{Mode, Options};
use super::restart::final_codes;
use super::sidecar::{Listed, Sidecar, ends_itself, preset_of};
use super::warning::{self, Warning};
use super::{Context, EXCLUDE, MAIN, MODE, SIDECARS, Stage};
use crate::pod::{Container, Pod, RestartPolicy};
use lastout_core::injectors::{INJECTORS, Injector, Otherwise, Place};
use lastout_core::presets::Preset;

/// A sidecar that another injector will add when the pod is created.
#[derive(Clone, Copy, Debug)]
pub struct Promised {
    /// Which one.
    pub injector: &'static Injector,
    /// It will be a native one; `None`: that depends on what the manifest does not say.
    pub native: Option<bool>,
}

/// What a pod is.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The pod.
    pub pod: Pod<'a>,
    /// Its mains.
    pub mains: Vec<Container<'a>>,
    /// Its plain sidecars.
    pub sidecars: Vec<Sidecar<'a>>,
    /// Its native ones, by name.
    pub native: Vec<Container<'a>>,
    /// Neither: the user has said so, or its own system ends it.
    pub excluded: Vec<Container<'a>>,
    /// What others will add.
    pub promised: Vec<Promised>,
    /// How it is to be changed: the pod's own word wins over the options'.
    pub mode: Mode,
    /// What is odd about the pod's label and annotations.
    pub warnings: Vec<Warning>,
}

impl<'a> Facts<'a> {
    /// Looks at a pod.
    #[must_use]
    pub fn of(pod: Pod<'a>, context: Context<'_>, options: &Options) -> Self {
        let mut warnings = warning::unknown(pod);
        let containers = pod.containers();
        let names = |key| pod.annotation(key).map(split_names).unwrap_or_default();
        let (mut mains, excluded) = (names(MAIN), names(EXCLUDE));
        warnings.extend(warning::unknown_names(MAIN, &mains, &containers));
        warnings.extend(warning::unknown_names(EXCLUDE, &excluded, &containers));
        mains.extend(options.mains.iter().map(String::as_str));
        let mut listed = Vec::new();
        for spec in pod.annotation(SIDECARS).map(split_specs).unwrap_or_default() {
            match Listed::read(spec) {
                Ok(spec) => listed.push(spec),
                Err(why) => warnings.push(Warning::of_annotation(SIDECARS, why)),
            }
        }
        for spec in &options.sidecars {
            match Listed::read(spec) {
                Ok(spec) => listed.push(spec),
                Err(why) => warnings.push(Warning::of_option("--sidecar", why)),
            }
        }
        let mut facts = Self {
            pod,
            mains: Vec::new(),
            sidecars: Vec::new(),
            native: pod
                .init_containers()
                .into_iter()
                .filter(|container| container.is_native_sidecar())
                .collect(),
            excluded: Vec::new(),
            promised: Vec::new(),
            mode: options.mode,
            warnings,
        };
        for container in containers {
            let name = container.name();
            if mains.contains(&name) {
                facts.mains.push(container);
            } else if excluded.contains(&name) {
                facts.excluded.push(container);
            } else if let Some(sidecar) = Sidecar::of(container, &listed) {
                if sidecar.ends_itself() {
                    facts.excluded.push(container);
                } else {
                    facts.sidecars.push(sidecar);
                }
            } else if mains.is_empty() {
                facts.mains.push(container);
            } else {
                facts.excluded.push(container);
            }
        }
        if context.stage == Stage::Manifest {
            facts.promised = promised(pod, context, &facts);
        }
        facts.read_mode();
        facts
    }

    /// What others will add and what is not sure to be a native sidecar: it may run on.
    pub fn to_come(&self) -> impl Iterator<Item = &Promised> + Clone {
        self.promised.iter().filter(|promised| promised.native != Some(true))
    }

    /// None that may run on, there or to come.
    pub(super) fn has_no_sidecar(&self) -> bool {
        self.sidecars.is_empty() && self.to_come().next().is_none()
    }

    /// What `--sidecar` is given, by each of ours.
    pub(super) fn specs(&self) -> Vec<String> {
        let here = self.sidecars.iter().map(|sidecar| sidecar.spec.text.clone());
        // One that may turn out to be a native one, or not to come at all, is waited for only if it is there.
        let to_come = self.to_come().map(|promised| {
            let name = promised.injector.preset;
            if promised.native.is_none() { format!("{name}?") } else { name.to_owned() }
        });
        here.chain(to_come).collect()
    }

    /// It is no pod that is to end.
    #[must_use]
    pub fn runs_for_ever(&self) -> bool {
        self.pod.restart_policy() == RestartPolicy::Always && self.has_main_without_end()
    }

    /// A main is started again whatever its exit code.
    pub(super) fn has_main_without_end(&self) -> bool {
        self.mains.iter().any(|main| final_codes(self.pod, *main).is_empty())
    }

    fn read_mode(&mut self) {
        let Some(word) = self.pod.annotation(MODE) else { return };
        match Mode::read(word) {
            Some(mode) => self.mode = mode,
            None => {
                let known = Mode::ALL.map(Mode::word).join(", ");
                let what = format!("{word:?} is none of {known}, and counts as not set");
                self.warnings.push(Warning::of_annotation(MODE, what));
            }
        }
    }
}

/// What others will add, as the pod's labels and annotations announce it, and what is not there yet.
fn promised(pod: Pod<'_>, context: Context<'_>, facts: &Facts<'_>) -> Vec<Promised> {
    let value_of = |place, key: &str| match place {
        Place::PodLabel => pod.label(key),
        Place::PodAnnotation => pod.annotation(key),
        Place::NamespaceLabel => context.of_namespace("labels", key),
        Place::NamespaceAnnotation => context.of_namespace("annotations", key),
    };
    let is_there = |injector: &Injector| {
        let is_its = |preset: Option<&Preset>| preset.is_some_and(|preset| preset.name == injector.preset);
        facts.sidecars.iter().any(|sidecar| is_its(sidecar.preset))
            || facts.native.iter().any(|container| is_its(preset_of(*container)))
    };
    INJECTORS
        .iter()
        .filter(|injector| injector.injects(value_of) == Some(true))
        .filter(|injector| !(injector.skips_host_network && pod.has_host_network()))
        .filter(|injector| !is_there(injector) && !injector.adds().is_some_and(ends_itself))
        .map(|injector| Promised {
            injector,
            native: injector.adds_native(value_of).or(match injector.otherwise {
                Otherwise::Plain => Some(false),
                Otherwise::Depends(_) => None,
            }),
        })
        .collect()
}

/// Names with commas or blanks between them.
fn split_names(text: &str) -> Vec<&str> {
    text.split([',', ' ', '\n', '\t']).filter(|name| !name.is_empty()).collect()
}

/// SPECs hold commas, so blanks stand between them, as in `LASTOUT_SIDECAR`.
fn split_specs(text: &str) -> Vec<&str> {
    text.split_ascii_whitespace().collect()
}
