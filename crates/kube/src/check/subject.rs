//! One pod as the rules see it: what it is, what would become of it, and what lastout is told in it. Made once for all rules.

use super::Severity;
use crate::change::{Path, Spot};
use crate::decide::{Context, Decision, Facts, MODE, Mode, Options, Promised, Reason, decide, decide_on};
use crate::invocation::Invocation;
use crate::pod::{Container, Pod, Workload};
use lastout_core::injectors::Place;
use serde_json::Value;

/// What a rule has found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) spot: Spot,
    pub(super) severity: Severity,
    /// The container's name, and the way to it.
    pub(super) container: String,
    container_path: Option<Path>,
    pub(super) message: String,
    pub(super) mend: String,
}

impl Found {
    pub(super) fn error(spot: Spot, message: String, mend: impl Into<String>) -> Self {
        let (severity, mend) = (Severity::Error, mend.into());
        Self { spot, severity, container: String::new(), container_path: None, message, mend }
    }

    pub(super) fn warning(spot: Spot, message: String, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(spot, message, mend) }
    }

    /// It is about this container.
    pub(super) fn of(self, container: Container<'_>, path: Path) -> Self {
        Self { container: container.name().to_owned(), container_path: Some(path), ..self }
    }

    pub(super) fn container_path(&self) -> Option<&Path> {
        self.container_path.as_ref()
    }
}

/// A pod.
pub(super) struct Subject<'a> {
    pub(super) workload: &'a Workload,
    pub(super) pod: Pod<'a>,
    /// The spec of its Job.
    pub(super) job: Option<&'a Value>,
    pub(super) facts: Facts<'a>,
    pub(super) decision: Decision,
    /// The containers that lastout runs, and what it is told there.
    pub(super) invocations: Vec<Invocation<'a>>,
    /// The pod is to end: it waits for its sidecars then.
    pub(super) ends: bool,
    /// The command line that puts lastout in.
    pub(super) inject: &'a str,
    context: Context<'a>,
    options: &'a Options,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        root: &'a Value,
        workload: &'a Workload,
        context: Context<'a>,
        options: &'a Options,
        inject: &'a str,
    ) -> Option<Self> {
        let (pod, job) = workload.of(root)?;
        let context = context.of_job(job);
        let facts = Facts::of(pod, context, options);
        let decision = decide_on(&facts, context, options);
        let invocations = Invocation::all(pod, &workload.pod.key("spec"));
        Some(Self {
            workload,
            pod,
            job,
            ends: !facts.runs_for_ever(),
            facts,
            decision,
            invocations,
            inject,
            context,
            options,
        })
    }

    /// lastout's own image.
    pub(super) fn image(&self) -> &'a str {
        &self.options.image
    }

    /// The command line that makes the sidecars native ones. `None`: they cannot become some. Asked where nothing else helps.
    pub(super) fn inject_native(&self) -> Option<String> {
        let options = Options { mode: Mode::Native, ..self.options.clone() };
        let is_free = self.options.mode == Mode::Auto && self.pod.annotation(MODE).is_none();
        (is_free && decide(self.pod, self.context, &options).reason == Reason::InjectedNative)
            .then(|| self.inject.replacen(" inject", " inject --mode native", 1))
    }

    pub(super) fn spec(&self) -> Path {
        self.workload.pod.key("spec")
    }

    /// The way to a container of `containers`.
    pub(super) fn path(&self, container: Container<'_>) -> Path {
        self.spec().key("containers").index(container.index)
    }

    /// The way to one of `initContainers`.
    pub(super) fn init_path(&self, container: Container<'_>) -> Path {
        self.spec().key("initContainers").index(container.index)
    }

    /// What lastout is told in this container.
    pub(super) fn invocation_in(&self, container: Container<'_>) -> Option<&Invocation<'a>> {
        self.invocations
            .iter()
            .find(|invocation| !invocation.is_init && invocation.container.index == container.index)
    }

    /// The mains that lastout runs.
    pub(super) fn wrapped_mains(&self) -> impl Iterator<Item = &Invocation<'a>> {
        self.facts
            .mains
            .iter()
            .filter_map(|main| self.invocation_in(*main))
            .filter(|invocation| invocation.is_run())
    }

    /// The label or annotation that asks another injector for its sidecar.
    pub(super) fn spot_of(&self, promised: &Promised) -> Spot {
        let metadata = self.workload.pod.key("metadata");
        let said = promised.injector.switches.iter().find_map(|switch| {
            let (value, list) = match switch.place {
                Place::PodLabel => (self.pod.label(switch.key), "labels"),
                Place::PodAnnotation => (self.pod.annotation(switch.key), "annotations"),
                Place::NamespaceLabel | Place::NamespaceAnnotation => return None,
            };
            (switch.means(value?) == Some(true)).then(|| metadata.key(list).key(switch.key))
        });
        Spot::key(said.unwrap_or(metadata))
    }

    /// When the sidecars run on, for a sentence: `a` is over, `a` and `b` are over.
    pub(super) fn mains_over(&self) -> String {
        over(self.facts.mains.iter().map(|main| main.name()))
    }
}

/// These mains are over, for a sentence.
pub(super) fn over<'a>(mains: impl Iterator<Item = &'a str>) -> String {
    let mains: Vec<&str> = mains.collect();
    match mains.as_slice() {
        [] => "the mains are over".to_owned(),
        [main] => format!("`{main}` is over"),
        mains => format!("{} are over", names(mains.iter().copied())),
    }
}

/// As in a sentence: `a`, `b` and `c`.
pub(crate) fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}
