//! One pod as the rules see it: what it is, what would become of it, and what lastout is told in it. Made once for all rules.

use super::Severity;
use super::told::Told;
use crate::change::Path;
use crate::decide::{Context, Decision, Facts, MODE, Mode, Options, Reason, decide, decide_on};
use crate::pod::{Container, Pod, Workload};
use serde_json::Value;

/// What a finding points at.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// From the document's root. What is not there is pointed at by what would hold it.
    pub(super) path: Path,
    /// The key, not its value.
    pub(super) key: bool,
    /// The bytes of the text that are meant.
    pub(super) within: Option<std::ops::Range<usize>>,
}

impl Spot {
    pub(super) fn value(path: Path) -> Self {
        Self { path, key: false, within: None }
    }

    pub(super) fn key(path: Path) -> Self {
        Self { path, key: true, within: None }
    }
}

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
    pub(super) told: Vec<Told<'a>>,
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
        let pod = Pod(workload.pod.of(root)?);
        let job = workload.job_spec().and_then(|way| way.of(root));
        let context = context.of_job(job);
        let facts = Facts::of(pod, context, options);
        let decision = decide_on(&facts, context, options);
        let told = Told::of_pod(pod, &workload.pod.key("spec"));
        Some(Self {
            workload,
            pod,
            job,
            ends: !facts.runs_for_ever(),
            facts,
            decision,
            told,
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
    pub(super) fn told_in(&self, container: Container<'_>) -> Option<&Told<'a>> {
        self.told.iter().find(|told| !told.is_init && told.container.index == container.index)
    }

    /// The mains that lastout runs.
    pub(super) fn wrapped_mains(&self) -> impl Iterator<Item = &Told<'a>> {
        self.facts.mains.iter().filter_map(|main| self.told_in(*main)).filter(|told| told.is_run())
    }

    /// The mains' names, for a sentence: `a`, `a` and `b`.
    pub(super) fn names_of_mains(&self) -> String {
        names(self.facts.mains.iter().map(|main| main.name()))
    }
}

/// As in a sentence.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}
