//! A pod with its status, read once.

use super::AFTER;
use super::life::{Life, State};
use crate::change::Path;
use crate::check::{Unplaced, findings};
use crate::decide::{Context, Facts, Listed, Options, Reason, Sidecar, decide_on};
use crate::invocation::Invocation;
use crate::pod::{Container, Pod};
use lastout_core::settings::Opt;
use lastout_core::spec::Spec;
use serde_json::Value;
use std::cell::OnceCell;

/// A pod.
pub(crate) struct Subject<'a> {
    pub(crate) pod: Pod<'a>,
    pub(crate) facts: Facts<'a>,
    /// Seconds since the epoch.
    pub(super) now: i64,
    object: &'a Value,
    context: Context<'static>,
    options: &'a Options,
    found: OnceCell<Vec<Unplaced>>,
}

impl<'a> Subject<'a> {
    /// `object` is a pod of the API server's, with `kind`.
    pub(crate) fn new(object: &'a Value, now: i64, options: &'a Options) -> Self {
        let context = Context::default().in_admission();
        let pod = Pod(object);
        Self {
            pod,
            facts: Facts::of(pod, context, options),
            now,
            object,
            context,
            options,
            found: OnceCell::new(),
        }
    }

    /// Its mains, and how they are.
    pub(crate) fn mains(&self) -> impl Iterator<Item = (Container<'a>, Life<'a>)> {
        self.facts.mains.iter().map(|main| (*main, Life::of(self.pod, *main)))
    }

    /// Its plain sidecars that are not over for good.
    pub(crate) fn alive(&self) -> Vec<(&Sidecar<'a>, Life<'a>)> {
        let all = self.facts.sidecars.iter().map(|sidecar| (sidecar, Life::of(self.pod, sidecar.container)));
        all.filter(|(sidecar, life)| !life.is_over_for_good(self.pod, sidecar.container)).collect()
    }

    /// All mains are over, and nobody starts one again.
    pub(crate) fn mains_are_over(&self) -> bool {
        !self.facts.mains.is_empty() && self.mains().all(|(main, life)| life.is_over_for_good(self.pod, main))
    }

    /// When the last main that is over ended.
    pub(super) fn ended_at(&self) -> Option<i64> {
        let at = self.mains().filter_map(|(_, life)| match life.state {
            State::Over { at, .. } => at,
            State::Unknown | State::Waiting { .. } | State::Running { .. } => None,
        });
        at.max()
    }

    /// When the kubelet took the pod up.
    pub(super) fn started_at(&self) -> Option<i64> {
        super::life::seconds(self.object.get("status").and_then(|status| status.get("startTime")))
    }

    /// Less than what sidecars have to follow their mains. A time that is not known, or that lies in the future of a clock
    /// which is slow here, is no reason to call a hang an end.
    pub(super) fn is_a_moment_ago(&self, time: Option<i64>) -> bool {
        time.is_some_and(|time| (-AFTER..AFTER).contains(&self.now.saturating_sub(time)))
    }

    /// How long ago; nothing where it is not known.
    pub(super) fn ago(&self, time: Option<i64>) -> i64 {
        time.map_or(0, |time| self.now.saturating_sub(time))
    }

    /// What `inject` would do, and what that is about.
    pub(super) fn reason(&self) -> (Reason, String) {
        let decision = decide_on(&self.facts, self.context, self.options);
        (decision.reason, decision.about)
    }

    /// What the rules of `check` find, errors and warnings.
    pub(super) fn found(&self) -> &[Unplaced] {
        self.found.get_or_init(|| findings(self.object, self.context, self.options, "kubectl lastout inject"))
    }

    /// By what a sidecar is asked: what lastout was told in this pod is better than the table, and what the user says now is
    /// better than both. `None`: nobody can read it.
    pub(crate) fn asked_by(&self, sidecar: &Sidecar<'a>) -> Option<Listed> {
        // As the mains' variables and its own say it: some rows take their port from one.
        let from = || self.facts.mains.iter().copied().chain([sidecar.container]);
        let env = |variable: &str| from().find_map(|one| one.env(variable)).map(str::to_owned);
        let is_row = sidecar.preset.is_some_and(|row| row.name == sidecar.spec.text);
        let invocations = Invocation::all(self.pod, &Path::default());
        let told = invocations.iter().flat_map(|invocation| &invocation.values).map(|given| &given.raw);
        let told = told.filter(|raw| is_row && raw.option == Opt::Sidecar);
        let texts =
            told.filter_map(|raw| str::from_utf8(&raw.value).ok()).chain([sidecar.spec.text.as_str()]);
        let read = |text: &str| Some(Listed { text: text.to_owned(), spec: Spec::parse(text, &env).ok()? });
        texts.filter_map(read).find(|listed| sidecar.is_meant_by(&listed.spec))
    }
}
