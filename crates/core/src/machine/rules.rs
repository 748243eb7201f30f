//! What the settings mean for one run.

use super::{Job, SidecarId};
use crate::outcome::{ExitMap, Outcome, StopOn};
use crate::settings::Settings;
use crate::signal::Signal;
use alloc::vec::Vec;
use core::time::Duration;

/// The rules of this run, out of the settings.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) job: Job,
    pub(super) pid1: bool,
    pub(super) grouped: bool,
    pub(super) gate: bool,
    /// The sidecars by `order`, low first.
    pub(super) steps: Vec<Vec<SidecarId>>,
    pub(super) wait_timeout: Option<Duration>,
    pub(super) run_unready: bool,
    pub(super) stop_on: StopOn,
    pub(super) stop_timeout: Duration,
    pub(super) linger: Duration,
    pub(super) leftovers: Duration,
    pub(super) stop_signals: Vec<Signal>,
    pub(super) grace: Option<Duration>,
    pub(super) rewrites: Vec<(Signal, Option<Signal>)>,
    pub(super) delays: Vec<(Signal, Duration)>,
    pub(super) map_exit: ExitMap,
}

impl Rules {
    pub(super) fn new(job: Job, settings: &Settings, pid1: bool) -> Self {
        let orders = || settings.sidecars.iter().enumerate().map(|(index, spec)| (spec.order, index));
        let mut distinct: Vec<u32> = orders().map(|(order, _)| order).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let step =
            |order| orders().filter(|(of, _)| *of == order).map(|(_, index)| SidecarId(index)).collect();
        Self {
            job,
            pid1,
            grouped: settings.group.is_some(),
            gate: settings.gate,
            steps: distinct.into_iter().map(step).collect(),
            wait_timeout: settings.wait_timeout,
            run_unready: settings.run_unready,
            stop_on: settings.stop_on.clone(),
            stop_timeout: settings.stop_timeout,
            linger: settings.linger,
            leftovers: settings.leftovers,
            stop_signals: settings.stop_signals.clone(),
            grace: settings.grace,
            rewrites: settings.rewrites.clone(),
            delays: settings.delays.clone(),
            map_exit: settings.map_exit.clone(),
        }
    }

    /// It means the end.
    pub(super) fn is_stop(&self, signal: Signal) -> bool {
        self.stop_signals.contains(&signal)
    }

    /// What main gets instead; `None`: nothing.
    pub(super) fn rewritten(&self, signal: Signal) -> Option<Signal> {
        self.rewrites.iter().rev().find(|rule| rule.0 == signal).map_or(Some(signal), |rule| rule.1)
    }

    /// How long it is held back, if it is.
    pub(super) fn delay(&self, signal: Signal) -> Option<Duration> {
        let rule = self.delays.iter().rev().find(|rule| rule.0 == signal);
        rule.map(|rule| rule.1).filter(|delay| !delay.is_zero())
    }

    /// The sidecars are to be stopped after this outcome, and there are some.
    pub(super) fn will_stop(&self, outcome: Outcome) -> bool {
        !self.steps.is_empty()
            && match self.job {
                Job::Command | Job::GiveUp => self.stop_on.covers(outcome),
                Job::Stop | Job::GuardSidecars => true,
                Job::Wait | Job::Guard => false,
            }
    }
}
