//! What a pod is: its mains, its sidecars, and what other injectors will add.

use super::options::{Mode, Options};
use super::ours::is_helper;
use super::ports::{moved, spec_with};
use super::restart::final_codes;
use super::sidecar::{Listed, Sidecar, ends_itself, preset_of, said};
use super::warning::{self, Warning};
use super::{Context, EXCLUDE, MAIN, MODE, SIDECARS, STOP_ON, Stage};
use crate::pod::{Container, Pod};
use lastout_core::injectors::{INJECTORS, Injector, Otherwise, Place};
use lastout_core::presets::{self, Preset};
use lastout_core::settings::{Opt, RawValue, Verb, resolve};

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
    /// The helper container, which watches the mains.
    pub helper: Option<Container<'a>>,
    /// Neither: the user has said so, or its own system ends it.
    pub excluded: Vec<Container<'a>>,
    /// What others will add.
    pub promised: Vec<Promised>,
    /// How it is to be changed: the pod's own word wins over the options'.
    pub mode: Mode,
    /// `--stop-on` of all mains, where the pod says it.
    pub(super) stop_on: Option<String>,
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
        // Were a name that is not there to count, the pod would have no main, and nothing would be done.
        mains.retain(|name| containers.iter().any(|container| container.name() == *name));
        let unknown_main = options.mains.first().filter(|_| mains.is_empty());
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
                .filter(|container| container.is_native_sidecar() && !is_helper(*container))
                .collect(),
            helper: pod.init_containers().into_iter().find(|container| is_helper(*container)),
            excluded: Vec::new(),
            promised: Vec::new(),
            mode: options.mode,
            stop_on: None,
            warnings,
        };
        for container in containers {
            let name = container.name();
            if is_helper(container) {
                facts.helper = Some(container);
            } else if mains.contains(&name) {
                facts.mains.push(container);
            } else if excluded.contains(&name) {
                facts.excluded.push(container);
            } else if let Some(sidecar) = Sidecar::of(pod, container, &listed) {
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
        facts.read_stop_on();
        // A pod that needs nothing may well be without the container that another one is for.
        if let Some(name) = unknown_main.filter(|_| !facts.has_no_sidecar()) {
            let what = format!("there is no container {name}, and it counts as not set");
            facts.warnings.push(Warning::of_option("--main", what));
        }
        facts
    }

    /// What others will add and what is not sure to be a native sidecar: it may run on.
    pub fn to_come(&self) -> impl Iterator<Item = &Promised> + Clone {
        self.promised.iter().filter(|promised| promised.native != Some(true))
    }

    /// The sidecars that the helper stops: the known ones, where it is not told of any.
    pub(crate) fn helped(&self) -> Vec<Listed> {
        let words = self.helper.and_then(|helper| helper.words("args")).unwrap_or_default();
        let told: Vec<Listed> = said(&words).filter_map(|spec| Listed::read(spec).ok()).collect();
        if self.helper.is_some() && !words.contains(&"--sidecar") {
            return self
                .sidecars
                .iter()
                .filter(|own| own.preset.is_some())
                .map(|own| own.spec.clone())
                .collect();
        }
        told
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
            let (name, is_optional) = (promised.injector.preset, promised.native.is_none());
            match presets::find(name) {
                Some(preset) => spec_with(preset, &moved(self.pod, None, preset), is_optional),
                None if is_optional => format!("{name}?"),
                None => name.to_owned(),
            }
        });
        here.chain(to_come).collect()
    }

    /// It is no pod that is to end.
    #[must_use]
    pub fn runs_for_ever(&self) -> bool {
        self.main_without_end().is_some()
    }

    /// A main that is started again whatever its exit code.
    pub(super) fn main_without_end(&self) -> Option<Container<'a>> {
        self.mains.iter().copied().find(|main| final_codes(self.pod, *main).is_empty())
    }

    /// The exit codes of a main after which its sidecars are stopped, as `--stop-on` takes them; `None`: its default.
    pub(super) fn stop_on(&self, main: Container<'_>) -> Option<String> {
        self.stop_on.clone().or_else(|| final_codes(self.pod, main).as_stop_on())
    }

    fn read_stop_on(&mut self) {
        let Some(text) = self.pod.annotation(STOP_ON) else { return };
        let given =
            RawValue { option: Opt::StopOn, origin: STOP_ON.to_owned(), value: text.as_bytes().to_vec() };
        match resolve(Verb::Run, std::iter::once(given), &|_| None).errors.first() {
            None => self.stop_on = Some(text.to_owned()),
            Some(why) => self.warnings.push(Warning {
                what: format!("{why}; it counts as not set"),
                ..Warning::of_annotation(STOP_ON, "")
            }),
        }
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

/// What stands between names.
pub(crate) const BETWEEN_NAMES: [char; 4] = [',', ' ', '\n', '\t'];
/// What stands between SPECs, which hold commas; as in `LASTOUT_SIDECAR`.
pub(crate) const BETWEEN_SPECS: [char; 5] = [' ', '\t', '\n', '\r', '\u{c}'];

fn split_names(text: &str) -> Vec<&str> {
    text.split(BETWEEN_NAMES).filter(|name| !name.is_empty()).collect()
}

fn split_specs(text: &str) -> Vec<&str> {
    text.split(BETWEEN_SPECS).filter(|spec| !spec.is_empty()).collect()
}
