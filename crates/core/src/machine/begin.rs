//! From the beginning to main's start: the gate.

use super::phase::{Guard, Phase};
use super::signals::Reached;
use super::{Action, Job, Machine, Pid, SidecarId};
use crate::outcome::Outcome;
use crate::signal::Signal;
use alloc::{vec, vec::Vec};
use core::time::Duration;

/// First word about a gate that does not open, then at doubling distances.
const TELL_AFTER: Duration = Duration::from_secs(5);

impl Machine {
    pub(super) fn begin(&mut self, now: Duration) -> Vec<Action> {
        if self.phase != Phase::New {
            return vec![];
        }
        let gated = self.rules.gate && !self.rules.steps.is_empty();
        match self.rules.job {
            Job::Stop => self.finish(now, Outcome::Done),
            Job::GiveUp => self.finish(now, Outcome::Internal),
            Job::Guard => {
                self.phase = Phase::Guarding { held: None };
                vec![Action::LookAtGroup]
            }
            Job::GuardSidecars => {
                self.phase = Phase::Guarding { held: None };
                vec![Action::WatchGroup]
            }
            Job::Wait | Job::Command if gated => {
                self.phase = Phase::Waiting {
                    closed: self.rules.steps.iter().flatten().copied().collect(),
                    kept: vec![],
                    deadline: self.rules.wait_timeout.map(|timeout| now + timeout),
                    last_probe: false,
                    tell_at: now + TELL_AFTER,
                    tell_step: TELL_AFTER,
                };
                vec![Action::OpenGate]
            }
            Job::Wait | Job::Command => self.gate_is_open(vec![]),
        }
    }

    pub(super) fn opened(&mut self, sidecar: SidecarId) -> Vec<Action> {
        let Phase::Waiting { closed, kept, .. } = &mut self.phase else { return vec![] };
        closed.retain(|index| *index != sidecar);
        if !closed.is_empty() {
            return vec![];
        }
        let kept = core::mem::take(kept);
        let mut actions = vec![Action::CloseGate];
        actions.extend(self.gate_is_open(kept));
        actions
    }

    pub(super) fn waited_long_enough(&mut self, now: Duration, kept: Vec<Signal>) -> Vec<Action> {
        let mut actions = vec![Action::CloseGate, Action::TellTimeout];
        actions.extend(if self.rules.run_unready {
            self.gate_is_open(kept)
        } else {
            self.finish(now, Outcome::WaitTimeout)
        });
        actions
    }

    fn gate_is_open(&mut self, kept: Vec<Signal>) -> Vec<Action> {
        match self.rules.job {
            Job::Command | Job::Guard => {
                self.phase = Phase::Starting { kept };
                vec![Action::Start]
            }
            Job::Wait | Job::Stop | Job::GiveUp | Job::GuardSidecars => self.exit(Outcome::Done),
        }
    }

    pub(super) fn started(&mut self, now: Duration, pid: Pid) -> Vec<Action> {
        let Phase::Starting { kept } = &mut self.phase else { return vec![] };
        let kept = core::mem::take(kept);
        let (guard, mut actions) = match self.rules.job {
            // Not before: the spawn wants to be alone, and watching takes a thread.
            Job::Guard => (Guard::Holding { held: None }, vec![Action::WatchGroup]),
            Job::Command | Job::Wait | Job::Stop | Job::GuardSidecars | Job::GiveUp => (Guard::None, vec![]),
        };
        self.phase = Phase::Running { main: pid, held: vec![], kill_at: None, guard };
        // They came when they came: that they are looked at now merges nothing with them.
        let stop_signal_at = self.stop_signal_at;
        actions.extend(kept.into_iter().flat_map(|signal| self.signal(now, signal, Reached::Us)));
        self.stop_signal_at = stop_signal_at;
        actions
    }

    pub(super) fn not_started(&mut self, now: Duration, outcome: Outcome) -> Vec<Action> {
        match self.phase {
            Phase::Starting { .. } => self.finish(now, outcome),
            // The group cannot be watched.
            Phase::Guarding { .. } => self.exit(outcome),
            // The gate could not be opened.
            Phase::Waiting { .. } => {
                let mut actions = vec![Action::CloseGate];
                actions.extend(self.finish(now, outcome));
                actions
            }
            Phase::New
            | Phase::Running { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::CuttingOff { .. }
            | Phase::Exited => vec![],
        }
    }

    pub(super) fn mains_in(&mut self) -> Vec<Action> {
        let Phase::Guarding { held } = self.phase else { return vec![] };
        if self.rules.job == Job::Guard { self.gate_is_open(held.into_iter().collect()) } else { vec![] }
    }
}
